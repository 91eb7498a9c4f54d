//! Half characters in JSON: `\ud83d` without its second half. JavaScript writes them when a text
//! is cut in the middle of an emoji, and serde refuses the whole document for one.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The length of `\uXXXX`.
const ESCAPE: usize = 6;

static UNICODE_ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\u"));

/// The document with U+FFFD in place of each half character; untouched, and not copied, when there
/// is none. Text that is no JSON passes as it is, unless it looks as if it held such an escape.
pub(super) fn mended(json: Cow<'_, str>) -> Cow<'_, str> {
    let lone = lone_surrogates(json.as_bytes());
    if lone.is_empty() {
        return json;
    }
    let mut json = json.into_owned();
    for start in lone {
        json.replace_range(start..start + ESCAPE, "\\ufffd");
    }
    Cow::Owned(json)
}

/// Where lone surrogates are escaped.
fn lone_surrogates(json: &[u8]) -> Vec<usize> {
    let mut lone = Vec::new();
    let mut high: Option<usize> = None;
    for start in UNICODE_ESCAPE.find_iter(json) {
        let backslashes = json[..start].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 1 {
            continue; // an escaped backslash, then the letter u
        }
        let (is_high, is_low) = match surrogate(json.get(start + 2..start + ESCAPE)) {
            Some(number) => (number < 0xDC00, number >= 0xDC00),
            None => (false, false),
        };
        let pairs = is_low && high.is_some_and(|high| high + ESCAPE == start);
        lone.extend(high.take().filter(|_| !pairs));
        if is_high {
            high = Some(start);
        } else if is_low && !pairs {
            lone.push(start);
        }
    }
    lone.extend(high);
    lone
}

/// The number of a surrogate, from its four hexadecimal digits.
fn surrogate(digits: Option<&[u8]>) -> Option<u32> {
    let digits = std::str::from_utf8(digits?).ok()?;
    u32::from_str_radix(digits, 16).ok().filter(|number| (0xD800..0xE000).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_half_characters_only() {
        for (json, expected) in [
            (r#""plain \u00e9""#, r#""plain \u00e9""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uDE00 \uD83D""#, r#""\ufffd \ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d \ude00""#, r#""\ufffd \ufffd""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud8"#, r#""\ud8"#),
        ] {
            assert_eq!(mended(Cow::Borrowed(json)), expected);
        }
    }
}
