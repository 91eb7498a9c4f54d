//! Every message that a person reads, word for word.

use serde::Serialize;
use serde_json::{Value, json, to_value};

use super::samples;
use super::shown::shown;
use crate::alert::Meaning;
use crate::alert::message::pagerduty::{self, RoutingKey};
use crate::alert::message::{amazon_q, headline, limits, opsgenie, slack, text, webhook};
use crate::alert::notice::Notice;

fn pretty(message: &impl Serialize) -> String {
    serde_json::to_string_pretty(message).unwrap()
}

fn routing_key() -> RoutingKey {
    "0123456789abcdef0123456789abcdef".to_owned().try_into().unwrap()
}

fn has_ended(notice: &Notice) -> bool {
    matches!(notice.standing(), Meaning::Recovered | Meaning::WentSilent)
}

#[test]
fn the_first_line_says_how_bad_where_what_and_the_number_against_its_limit() {
    let lines: Vec<String> = samples::all().iter().map(|(_, notice)| headline(notice)).collect();
    insta::assert_snapshot!("headlines", lines.join("\n"));
}

#[test]
fn the_value_of_the_firing_repeated_at_the_end_is_not_called_the_value_of_now() {
    let mut notice = samples::recovered();
    assert!(headline(&notice).contains("now "));
    notice.reading = notice.fired.clone().unwrap().reading;
    let line = headline(&notice);
    assert!(line.contains("was ") && !line.contains("now "), "{line}");
    let text = to_value(slack::resolution(&notice).update).unwrap().to_string();
    assert!(text.contains("the message of the end repeats that value"), "{text}");
}

#[test]
fn slack_shows_each_alert() {
    for (name, notice) in samples::all() {
        let pages: Vec<Value> = if has_ended(&notice) {
            let resolution = slack::resolution(&notice);
            vec![to_value(resolution.update).unwrap(), to_value(resolution.reply).unwrap()]
        } else {
            slack::notice(&notice).iter().map(|page| to_value(page).unwrap()).collect()
        };
        let seen: Vec<String> = pages.iter().map(shown).collect();
        insta::assert_snapshot!(format!("slack_{name}"), seen.join("\n=== in the thread ===\n"));
    }
}

#[test]
fn slack_gets_this_json() {
    insta::assert_snapshot!("slack_json", pretty(&slack::notice(&samples::critical_joined())));
    insta::assert_snapshot!("slack_json_recovered", pretty(&slack::resolution(&samples::recovered()).update));
}

#[test]
fn slack_without_blocks_still_says_it_all() {
    let message = slack::notice(&samples::critical_joined()).remove(0).text_only();
    assert_eq!(to_value(&message).unwrap()["blocks"], json!([]));
    insta::assert_snapshot!("slack_text_only", message.text);
}

#[test]
fn a_storm_is_one_message_everywhere() {
    let storm = samples::storm();
    let pages = slack::storm(&storm);
    assert_eq!(pages.len(), 1);
    insta::assert_snapshot!("slack_storm", shown(&to_value(&pages[0]).unwrap()));
    insta::assert_snapshot!("text_storm", text::storm(&storm));
    insta::assert_snapshot!("webhook_storm", pretty(&webhook::storm(&storm)));
    insta::assert_snapshot!("amazon_q_storm", pretty(&amazon_q::storm(&storm)));
}

#[test]
fn pagerduty_opens_and_closes_an_incident() {
    for (name, notice) in samples::all().into_iter().filter(|(_, notice)| !has_ended(notice)) {
        let event = pagerduty::trigger(&notice, &notice.alert.key, routing_key());
        insta::assert_snapshot!(format!("pagerduty_{name}"), pretty(&event));
        let resolve = pagerduty::resolve(&notice.alert.key, routing_key());
        assert_eq!(event.dedup_key, resolve.dedup_key);
        assert_eq!(limits::check_pagerduty(&to_value(resolve).unwrap()), []);
    }
    let resolve = pagerduty::resolve(&samples::key("a"), routing_key());
    insta::assert_snapshot!("pagerduty_resolve", pretty(&resolve));
}

#[test]
fn opsgenie_opens_notes_and_closes_an_alert() {
    for (name, notice) in samples::all() {
        if has_ended(&notice) {
            insta::assert_snapshot!(format!("opsgenie_{name}"), pretty(&opsgenie::close(&notice)));
        } else {
            let alert = opsgenie::create(&notice, &notice.alert.key, Vec::new());
            insta::assert_snapshot!(format!("opsgenie_{name}"), pretty(&alert));
        }
    }
    insta::assert_snapshot!("opsgenie_note", pretty(&opsgenie::note(&samples::critical_joined())));
}

#[test]
fn amazon_q_is_told_in_its_own_schema() {
    for (name, notice) in
        [("critical_joined", samples::critical_joined()), ("recovered", samples::recovered())]
    {
        insta::assert_snapshot!(
            format!("amazon_q_{name}"),
            pretty(&amazon_q::notice(&notice, &notice.alert.key))
        );
    }
}

#[test]
fn a_webhook_gets_all_of_it() {
    insta::assert_snapshot!("webhook", pretty(&webhook::notice(&samples::critical_joined())));
}

#[test]
fn plain_text_says_it_all() {
    for (name, notice) in samples::all() {
        let mail = format!("Subject: {}\n\n{}", text::subject(&notice), text::notice(&notice));
        insta::assert_snapshot!(format!("text_{name}"), mail);
    }
}
