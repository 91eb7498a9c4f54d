//! Text from outside, in Slack's formatting language.

use jiff::Timestamp;

use super::super::limits::shorten_with;
use super::super::time::utc;

/// `text` so that Slack shows it as it stands: `& < >` as entities (docs.slack.dev, formatting
/// message text), so that `<!channel>` pings nobody and no link is hidden; and marks of formatting as
/// characters that look like them, because Slack knows no way to escape those. At most `limit` long.
pub(super) fn escaped(text: &str, limit: usize) -> String {
    let neutral = without_marks(text);
    let entity = |character: char, into: &mut String| match character {
        '&' => into.push_str("&amp;"),
        '<' => into.push_str("&lt;"),
        '>' => into.push_str("&gt;"),
        _ => into.push(character),
    };
    shorten_with(&neutral, limit, entity).into_owned()
}

/// An underscore within a word is no mark: names keep theirs.
fn without_marks(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_word = |place: Option<usize>| {
        place.and_then(|place| characters.get(place)).is_some_and(|it| it.is_alphanumeric())
    };
    let neutral = |(place, character): (usize, &char)| match character {
        '*' => '∗',
        '~' => '∼',
        '`' => '\'',
        '_' if !(is_word(place.checked_sub(1)) && is_word(Some(place + 1))) => 'ˍ',
        _ => *character,
    };
    characters.iter().enumerate().map(neutral).collect()
}

/// A point in time that Slack shows in the reader's own zone, and in UTC where it cannot.
pub(super) fn date(at: Timestamp) -> String {
    // Slack's dates start in 1970; years of five digits are nobody's incident.
    const LATEST: i64 = 253_402_300_799;
    let seconds = at.as_second();
    if (0..=LATEST).contains(&seconds) {
        format!("<!date^{seconds}^{{date_short_pretty}} {{time}}|{}>", utc(at))
    } else {
        utc(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_a_command_or_a_format() {
        assert_eq!(
            escaped("<!channel> a & b <http://x|y>", 200),
            "&lt;!channel&gt; a &amp; b &lt;http://x|y&gt;"
        );
        assert_eq!(escaped("*bold* ~gone~ `code` _slanted_", 200), "∗bold∗ ∼gone∼ 'code' ˍslantedˍ");
        assert_eq!(escaped("safety_score", 200), "safety_score");
        assert_eq!(escaped("__alert__", 200), "ˍˍalertˍˍ");
    }

    #[test]
    fn an_entity_is_never_cut() {
        assert_eq!(escaped("<<<", 9), "&lt;&lt;…");
        assert_eq!(escaped("<<<", 8), "&lt;…");
        assert_eq!(escaped("<<", 8), "&lt;&lt;");
    }

    #[test]
    fn a_date_has_a_fallback() {
        let at = "2026-03-02T09:15:00Z".parse().unwrap();
        assert_eq!(date(at), "<!date^1772442900^{date_short_pretty} {time}|2026-03-02 09:15 UTC>");
        assert_eq!(date(Timestamp::MIN).chars().next(), Some('-'));
    }
}
