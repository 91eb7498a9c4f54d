//! Messages that were cut, or changed on their way.

use proptest::prelude::*;

use super::render::{
    Sent, alertmanager_json, alertmanager_text, alerts, grafana_json, grafana_text, imitating,
    managed_prometheus_json, plain_line,
};
use super::*;

type Render = fn(&[Sent]) -> String;

const RENDERS: [Render; 5] =
    [grafana_text, grafana_json, alertmanager_text, alertmanager_json, managed_prometheus_json];

/// Whole alerts are those of the whole message, and the rest is counted.
fn assert_prefix(whole: &Parsed, parsed: &Parsed, stated: Option<usize>) {
    assert!(parsed.lost > 0);
    assert!(!parsed.alerts.is_empty());
    let is_in_part = parsed.notes.contains(&Note::KeptInPart);
    let kept = if is_in_part { 0 } else { parsed.alerts.len() };
    if kept > 0 && parsed.family != Family::Unknown {
        assert_eq!(parsed.alerts[..], whole.alerts[..kept]);
    }
    if let Some(stated) = stated
        && parsed.family == whole.family
    {
        assert_eq!(parsed.lost, (stated - kept).max(1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_message_cut_anywhere_gives_its_first_alerts_and_the_number_of_the_others(
        sent in alerts(4, plain_line()), subject in any::<bool>()
    ) {
        let firing = sent.iter().filter(|alert| !alert.is_resolved).count();
        let subject = subject.then(|| format!("[FIRING:{firing}, RESOLVED:{}] x (y)", sent.len() - firing));
        for render in RENDERS {
            let message = render(&sent);
            let whole = parse(&delivered(message.clone(), None));
            let body = message.trim_end().len();
            for length in 1..body {
                let parsed = parse(&cut(&message, length, subject.as_deref()));
                assert_prefix(&whole, &parsed, subject.is_some().then_some(sent.len()));
            }
        }
    }

    #[test]
    fn a_cut_body_inside_managed_grafanas_json_is_read_as_far_as_it_goes(
        sent in alerts(3, plain_line()), at in any::<prop::sample::Index>()
    ) {
        for body in [grafana_text(&sent), grafana_json(&sent)] {
            let whole = parsed(&body[..]);
            let message = serde_json::json!({"body": body}).to_string();
            let parsed = parse(&cut(&message, 1 + at.index(message.len() - 2), None));
            let kept = if parsed.notes.contains(&Note::KeptInPart) { 0 } else { parsed.alerts.len() };
            prop_assert!(parsed.lost > 0 && !parsed.alerts.is_empty());
            if parsed.family == Family::ManagedGrafana && kept > 0 && parsed.alerts[0].links.source.is_some() {
                let expected: Vec<_> = keys(&whole).into_iter().take(kept).collect();
                prop_assert_eq!(keys(&parsed), expected);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_change_to_a_message_panics_or_empties_it(
        sent in alerts(3, imitating()),
        render in 0..RENDERS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..3_u8), 0..12),
    ) {
        let mut message: Vec<char> = RENDERS[render](&sent).chars().collect();
        for (at, c, kind) in edits {
            let at = at.index(message.len());
            match kind {
                0 => message[at] = c,
                1 => message.insert(at, c),
                _ => { message.truncate(at.max(1)); }
            }
        }
        let message: String = message.into_iter().collect();
        prop_assert!(!parsed(message).alerts.is_empty());
    }

    #[test]
    fn no_text_panics_or_gives_nothing(text in any::<String>(), subject in any::<Option<String>>()) {
        prop_assert!(!parse(&delivered(text.clone(), subject.as_deref())).alerts.is_empty());
        for delivery in open_text(&text).into_iter().flatten() {
            prop_assert!(!parse(&delivery).alerts.is_empty());
        }
    }

    #[test]
    fn no_pieces_of_messages_panic_or_give_nothing(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40)
    ) {
        prop_assert!(!parsed(pieces.concat()).alerts.is_empty());
    }
}

const PIECES: [&str; 34] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":",
    " ",
    "\n",
    "\\u",
    "\\ud83d",
    "d83d",
    "null",
    "-1",
    "true",
    "\"alerts\":",
    "\"labels\":",
    "\"AlarmName\":",
    "\"body\":",
    "\"Trigger\":",
    "\"alarmData\":",
    "\"state\":",
    "\"x\"",
    "**Firing**\n\n",
    "\n\n**Resolved**\n\n",
    "Value: A=1\n",
    "Labels:\n",
    " - alertname = a\n",
    "Annotations:\n",
    "Source: https://h/\n",
    "Silence: https://h/?matcher=a%3Db&orgId=1\n",
    "Alerts Firing:\n",
    "State: ok\n",
];
