//! Text from outside, made harmless: it may come from anybody who can write a label.

/// As one line: white space and control characters are one space, and characters that change the
/// direction of what follows or that nobody sees are left out.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !is_invisible(character) {
            line.push(character);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

fn is_invisible(character: char) -> bool {
    // Zero-width space, non-joiner, marks of direction, embeddings, isolates, word joiner and the
    // byte-order mark. The zero-width joiner stays: emoji are made with it.
    matches!(character, '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether a link may be sent: an absolute web address without anything that could end it early.
pub(super) fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_harmless =
        |character: char| !character.is_whitespace() && !character.is_control() && !is_invisible(character);
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|it| is_harmless(it) && !"<>|\"\\^`{}".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line() {
        assert_eq!(
            one_line("  a\r\n\n - severity = critical\t\u{0}b \u{202e}c\u{200b}d\n"),
            "a - severity = critical b cd"
        );
        assert_eq!(one_line("\n\t "), "");
        assert_eq!(one_line("👩\u{200d}🚒 ok"), "👩\u{200d}🚒 ok");
    }

    #[test]
    fn only_a_whole_web_address_is_one() {
        assert!(is_address("https://g.example.com/d/a?b=c&d=~(e~'f)#x"));
        for wrong in [
            "",
            "https://",
            "javascript:alert(1)",
            "ftp://a",
            "https://a b",
            "https://a|b",
            "https://a>b",
            "//a",
        ] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
