//! Reasoning that a container leaves inside the text.

use std::borrow::Cow;

use memchr::memmem;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Splits a text into what the person sees and the reasoning before it.
///
/// Besides `<think>..</think>` at the start, a text that never opened it is split at a `</think>`
/// that ends its line: some chat templates put `<think>` at the end of the prompt. Reasoning that
/// was never closed is all there is, so the visible text is empty.
pub(super) fn split(text: Cow<'_, str>) -> (Cow<'_, str>, Option<Cow<'_, str>>) {
    let lead = text.len() - text.trim_start().len();
    let is_open = text[lead..].starts_with(OPEN);
    let Some(close) = memmem::find(text.as_bytes(), CLOSE.as_bytes()) else {
        return if is_open {
            (Cow::Borrowed(""), Some(cut_front(text, lead + OPEN.len())))
        } else {
            (text, None)
        };
    };
    let start = if is_open { lead + OPEN.len() } else { 0 };
    let after = close + CLOSE.len();
    let ends_its_line = text[after..].is_empty() || text[after..].starts_with(['\n', '\r']);
    if !is_open && (!ends_its_line || text[..close].contains(OPEN)) {
        return (text, None);
    }
    let reasoning = text[start..close].trim();
    let reasoning = (!reasoning.is_empty()).then(|| reasoning.to_owned());
    let visible = after + (text[after..].len() - text[after..].trim_start().len());
    (cut_front(text, visible), reasoning.map(Cow::Owned))
}

/// The text without its first `from` bytes, which end at a character.
pub(super) fn cut_front(text: Cow<'_, str>, from: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[from..]),
        Cow::Owned(mut text) => {
            text.drain(..from);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Option<String>) {
        let (visible, reasoning) = split(Cow::Borrowed(text));
        let (owned, owned_reasoning) = split(Cow::Owned(text.to_owned()));
        assert_eq!((&visible, &reasoning), (&owned, &owned_reasoning));
        (visible.into_owned(), reasoning.map(Cow::into_owned))
    }

    #[test]
    fn splits_only_reasoning_at_the_start() {
        for (text, visible, reasoning) in [
            ("plain", "plain", None),
            ("", "", None),
            ("<think>a b</think>\n\nanswer", "answer", Some("a b")),
            (" \n<think>\na\n</think>answer", "answer", Some("a")),
            ("<think></think>answer", "answer", None),
            ("<think>cut off", "", Some("cut off")),
            ("it follows that\n</think>\n\nanswer", "answer", Some("it follows that")),
            ("use <think>x</think> tags", "use <think>x</think> tags", None),
            ("the tag </think> closes", "the tag </think> closes", None),
        ] {
            assert_eq!(parts(text), (visible.to_owned(), reasoning.map(str::to_owned)), "{text:?}");
        }
    }
}
