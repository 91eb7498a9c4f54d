//! Delimiters that captured text can neither know nor imitate.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use regex::Regex;

use crate::rubric::hex;

/// A random word that is in use for one message only. Whoever wrote the captured text wrote it
/// before the word existed.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// The nonce of 16 random bytes, as 32 hex digits. The bytes must come from a source that
    /// cannot be foreseen, and must not be used twice.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }

    /// The 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// What every delimiter begins with, behind `<` or `</`.
pub(super) const MARK: &str = "assay-";

/// Appends `text` between the delimiters of `slot`, made harmless.
pub(super) fn fence(out: &mut String, slot: &str, text: &str, nonce: &Nonce) {
    let nonce_text = nonce.as_str();
    let text = neutralise(text, nonce);
    // Writing to a String cannot fail.
    let _ = writeln!(out, "<{MARK}{slot}-{nonce_text}>\n{text}\n</{MARK}{slot}-{nonce_text}>");
}

/// Takes the power of delimiters from captured text: the nonce becomes `[nonce]`, and the bracket
/// of whatever looks like one of our tags becomes `(`. All else stays as it is, code included.
///
/// A replacement never brings two halves together, so one pass is enough.
fn neutralise(text: &str, nonce: &Nonce) -> String {
    let text = without_nonce(text, nonce);
    LOOK_ALIKE.replace_all(&text, "($rest").into_owned()
}

/// Brackets that look like `<` (also as an HTML entity), then at most some space, invisible
/// characters and slashes, then our mark in any case, also with invisible characters in it.
static LOOK_ALIKE: LazyLock<Regex> = LazyLock::new(|| {
    const UNSEEN: &str = r"[\u{AD}\u{180E}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{2064}\u{FEFF}]";
    let mark = ["a", "s", "s", "a", "y"].join(&format!("{UNSEEN}*"));
    let brackets = r"(?:[<\u{2039}\u{2329}\u{27E8}\u{3008}\u{FE64}\u{FF1C}]|&lt;|&#0*60;|&#x0*3c;)";
    let between = format!(r"(?:\s|[/\\\u{{2044}}\u{{2215}}\u{{FF0F}}]|&#x?0*2f;|{UNSEEN})*");
    let pattern = format!("(?i){brackets}(?<rest>{between}{mark})");
    #[expect(clippy::expect_used, reason = "the pattern is a constant, and a test compiles it")]
    Regex::new(&pattern).expect("the pattern is valid")
});

fn without_nonce(text: &str, nonce: &Nonce) -> String {
    // Lower case for ASCII only, so that places in one text are places in the other.
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, found) in lower.match_indices(nonce.as_str()) {
        out.push_str(&text[done..at]);
        out.push_str("[nonce]");
        done = at + found.len();
    }
    out.push_str(&text[done..]);
    out
}
