//! Whatever an alert holds: every message is one that its service takes, and nothing from outside is
//! a command in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, to_value};

use super::samples;
use crate::alert::message::limits::{
    check_amazon_q, check_opsgenie, check_pagerduty, check_slack, of_slack, slack_error, units,
};
use crate::alert::message::pagerduty::{self, RoutingKey};
use crate::alert::message::{amazon_q, headline, opsgenie, slack, text, webhook};
use crate::alert::notice::{
    NotIncluded, Notice, NowValue, Occasion, Part, Quantity, Reading, StormSummary, Trend,
};
use crate::alert::{Comparison, Meaning, Severity, StateReason, Threshold};

const HOSTILE: [&str; 16] = [
    "<!channel>",
    "<!here|here>",
    "<@U0123456>",
    "<http://evil.example|Runbook>",
    "&",
    "<",
    ">",
    "*",
    "_",
    "`",
    "\n\nResolved\n",
    "\u{202e}",
    "👩\u{200d}🚒",
    "🔴",
    "https://evil.example/",
    "|",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
        2 => any::<char>().prop_map(String::from),
        1 => (prop::sample::select(&["x", "&", "<", "🔴", "ä "][..]), 0_usize..5_000).prop_map(|(it, n)| it.repeat(n)),
    ];
    prop_oneof![1 => Just(String::new()), 9 => prop::collection::vec(piece, 0..6).prop_map(|it| it.concat())]
}

fn address() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof![
        text(),
        text().prop_map(|text| format!("https://example.com/{text}")),
        (0_usize..8_000).prop_map(|length| format!("https://example.com/?a=b&c={}", "x".repeat(length))),
    ])
}

fn occasion() -> impl Strategy<Value = Occasion> {
    prop::sample::select(vec![
        Occasion::Opened,
        Occasion::Raised { from: Severity::Info },
        Occasion::Repeated,
        Occasion::Lowered { from: Severity::Critical },
        Occasion::Reopened,
        Occasion::Settled,
        Occasion::Missed,
        Occasion::Flapping { changes: u32::MAX, minutes: u32::MAX },
        Occasion::Joined,
        Occasion::Recovered,
        Occasion::WentSilent { why: None },
        Occasion::WentSilent { why: Some(StateReason::RuleDeleted) },
    ])
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        prop::sample::select(vec![0.0, 1.0, f64::NAN, f64::INFINITY, f64::MAX, -1e-300])
    ]
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of(prop_oneof![
        any::<i64>().prop_map(|it| Timestamp::from_second(it % 300_000_000_000).unwrap_or(Timestamp::MAX)),
        prop::sample::select(vec![Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH]),
    ])
}

prop_compose! {
    fn texts()(
        rule in text(), reason in text(), why in text(), event in text(), judged in text(), metric in text(),
        labels in prop::collection::btree_map(text(), text(), 0..60),
        annotations in prop::collection::btree_map(
            prop_oneof![text(), prop::sample::select(vec!["summary", "description", "message", "unit"]).prop_map(str::to_owned)],
            text(), 0..30),
    ) -> (Notice, String) {
        let mut notice = samples::critical_joined();
        notice.alert.rule = rule;
        notice.alert.labels = labels;
        notice.alert.annotations = annotations;
        notice.classification.reason = reason;
        notice.related[0].rule = metric.clone();
        notice.related = vec![notice.related[0].clone(); 13];
        for answer in &mut notice.enrichment.worst {
            answer.event_id.clone_from(&event);
            answer.reason.clone_from(&judged);
        }
        notice.enrichment.not_included = vec![NotIncluded { part: Part::Values, why }];
        (notice, metric)
    }
}

prop_compose! {
    fn notice()(
        (mut notice, metric) in texts(),
        links in prop::array::uniform6(address()),
        occasion in occasion(),
        meaning in prop::sample::select(vec![Meaning::Problem, Meaning::Blind, Meaning::Recovered, Meaning::WentSilent]),
        severity in prop::sample::select(vec![Severity::Info, Severity::Warning, Severity::Error, Severity::Critical]),
        values in prop::collection::btree_map(text(), number(), 0..4),
        threshold in prop::option::of(number()),
        points in prop::collection::vec(prop::option::of(number()), 0..70),
        metrics in 0_usize..25, answers in 0_usize..9,
        since in time(), ended in time(), is_placed in any::<bool>(), repeats in any::<u32>(),
    ) -> Notice {
        let [source, silence, dashboard, panel, runbook, logs] = links;
        let alert = &mut notice.alert;
        alert.links = crate::alert::Links { source, silence, dashboard, panel, runbook };
        alert.values = values;
        alert.threshold = threshold.map(|value| Threshold { comparison: Comparison::AtMost, value });
        notice.reading = Reading::of(&notice.alert);
        notice.enrichment.logs = logs;
        notice.occasion = occasion;
        notice.classification.meaning = meaning;
        notice.classification.severity = severity;
        let current = points.last().copied().flatten();
        let value = NowValue { metric, quantity: Quantity::Microseconds, current, hour: Trend::new(points) };
        notice.enrichment.now = vec![value; metrics];
        let answer = notice.enrichment.worst[0].clone();
        notice.enrichment.worst = vec![answer; answers];
        (notice.firing_since, notice.ended_at, notice.repeats) = (since, ended, repeats);
        if !is_placed {
            (notice.component, notice.endpoint) = (None, None);
        }
        notice
    }
}

fn json(message: impl Serialize) -> Value {
    to_value(message).unwrap()
}

/// Every text in a message, with the name that it stands under and whether Slack formats it.
fn texts_of(value: &Value, found: &mut Vec<(String, bool)>) {
    match value {
        Value::Object(object) => {
            let is_plain = object.get("type").and_then(Value::as_str) == Some("plain_text");
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "text" => found.push((text.clone(), !is_plain)),
                    other => texts_of(other, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts_of(value, found)),
        _ => {}
    }
}

/// In formatted text every angle bracket belongs to a date or to a whole address of our own; in plain
/// text there is none.
fn has_no_foreign_command(message: &Value) -> Result<(), TestCaseError> {
    let mut texts = Vec::new();
    texts_of(message, &mut texts);
    prop_assert!(!texts.is_empty());
    for (text, is_formatted) in texts {
        let mut rest = text.as_str();
        while let Some(start) = rest.find('<') {
            prop_assert!(is_formatted, "a bracket in a plain text: {text}");
            let end = rest[start..].find('>').map(|end| start + end);
            prop_assert!(end.is_some(), "an open bracket: {text}");
            let inside = &rest[start + 1..end.unwrap_or(start)];
            let is_date = inside.starts_with("!date^") && inside.ends_with(" UTC");
            let is_address = inside.starts_with("https://") && !inside.contains(['<', '|', ' ']);
            prop_assert!(is_date || is_address, "a command from outside: {inside:?} in {text}");
            rest = &rest[end.unwrap_or(start) + 1..];
        }
        if is_formatted {
            prop_assert!(!rest.contains('>'), "a closing bracket: {text}");
            for (place, _) in text.match_indices('&') {
                let entity = ["&amp;", "&lt;", "&gt;"].iter().any(|it| text[place..].starts_with(it));
                prop_assert!(entity, "half an entity: {}", &text[place..]);
            }
        }
    }
    Ok(())
}

fn slack_takes(message: &slack::SlackMessage) -> Result<(), TestCaseError> {
    let body = json(message);
    let faults = check_slack(&body);
    prop_assert!(faults.is_empty(), "{:?}: {faults:?}", slack_error(&faults));
    prop_assert!(units(&message.text) <= of_slack::ADVISED_TEXT, "{}", units(&message.text));
    has_no_foreign_command(&body)?;
    let plain = json(message.text_only());
    prop_assert!(check_slack(&plain).is_empty());
    has_no_foreign_command(&plain)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn slack_takes_every_message_and_pings_nobody(notice in notice()) {
        let pages = slack::notice(&notice);
        prop_assert!(!pages.is_empty());
        for page in &pages {
            slack_takes(page)?;
        }
        let slack::Resolution { update, reply } = slack::resolution(&notice);
        slack_takes(&update)?;
        slack_takes(&reply)?;
    }

    #[test]
    fn pagerduty_takes_every_event(notice in notice()) {
        let key = RoutingKey::try_from("0123456789abcdef0123456789abcdef".to_owned()).unwrap();
        let faults = check_pagerduty(&json(pagerduty::trigger(&notice, &notice.alert.key, key)));
        prop_assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn opsgenie_takes_every_alert(notice in notice()) {
        let faults = check_opsgenie(&json(opsgenie::create(&notice, &notice.alert.key, Vec::new())));
        prop_assert!(faults.is_empty(), "{faults:?}");
        prop_assert!(units(&opsgenie::close(&notice).note) <= 25_000);
    }

    #[test]
    fn amazon_q_takes_every_message(notice in notice()) {
        let message = amazon_q::notice(&notice, &notice.alert.key);
        let faults = check_amazon_q(&json(&message));
        prop_assert!(faults.is_empty(), "{faults:?}");
        prop_assert!(!message.content.description.contains('<'));
        prop_assert!(!message.content.title.contains('<'));
    }

    #[test]
    fn a_webhook_gets_json_and_a_mail_a_subject(notice in notice()) {
        let body = json(webhook::notice(&notice));
        prop_assert_eq!(body["labels"].as_object().unwrap().len(), notice.alert.labels.len());
        let subject = text::subject(&notice);
        prop_assert!(subject.len() <= 100 && subject.starts_with(|first: char| first.is_ascii_alphanumeric()));
        prop_assert!(subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
    }

    #[test]
    fn no_text_from_outside_begins_a_line(notice in notice()) {
        prop_assert!(!headline(&notice).contains(['\n', '\r']));
        let hostile = text::notice(&notice).lines().any(|line| line == "Resolved");
        prop_assert!(!hostile);
    }

    #[test]
    fn a_storm_is_taken_everywhere(notices in prop::collection::vec(notice(), 0..12), route in text()) {
        let storm = StormSummary::of(&route, Timestamp::UNIX_EPOCH, Timestamp::MAX, &notices);
        prop_assert_eq!(storm.alerts, notices.len() as u64);
        for page in slack::storm(&storm) {
            slack_takes(&page)?;
        }
        let faults = check_amazon_q(&json(amazon_q::storm(&storm)));
        prop_assert!(faults.is_empty(), "{faults:?}");
    }
}

#[test]
fn an_event_that_is_too_large_for_pagerduty_loses_what_says_least() {
    let mut notice = samples::quality_warning();
    let long = "x".repeat(600_000);
    notice.alert.links.dashboard = Some(format!("https://example.com/{long}"));
    notice.alert.annotations = BTreeMap::from([("description".to_owned(), long)]);
    let key = RoutingKey::try_from("0123456789abcdef0123456789abcdef".to_owned()).unwrap();
    let event = json(pagerduty::trigger(&notice, &notice.alert.key, key));
    assert_eq!(check_pagerduty(&event), []);
    let details = &event["payload"]["custom_details"];
    assert_eq!(details["labels"].as_object().unwrap().len(), notice.alert.labels.len());
    assert!(details["left_out"].as_str().unwrap().contains("are left out"), "{details}");
}
