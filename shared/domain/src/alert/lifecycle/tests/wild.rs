//! Messages of Grafana from the wild, from the event to what is told. They are not part of this
//! repository: where the folder `../shared/data` is missing, the test says so and passes.

use std::fs;
use std::path::Path;

use super::*;
use crate::alert::parse::{open_text, parse};

fn read(file: &str) -> Option<(Alert, i64)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let path = root.join("shared/data/alerts/rendered").join(format!("{file}.event.json"));
    if !path.is_file() {
        eprintln!("skipped: ../shared is not here");
        return None;
    }
    let event = fs::read_to_string(path).unwrap();
    let delivery = open_text(&event).remove(0).unwrap();
    let sent = delivery.published_at.unwrap().as_second() - at(0).as_second();
    let mut alerts = parse(&delivery).alerts;
    assert_eq!(alerts.len(), 1);
    Some((alerts.remove(0), sent))
}

#[test]
fn an_alert_of_grafana_is_told_and_closed_in_whichever_form_it_comes() {
    let life_of = |first: &str, last: &str| -> Option<Vec<String>> {
        let mut life = Life::new();
        let mut told = Vec::new();
        for (file, later) in [(first, 0), (first, 1), (last, 60)] {
            let (alert, sent) = read(file)?;
            let (change, sent) = life.take(sent + later, &alert, &to("chat"));
            told.push(format!("{} {}", serde_json::to_value(&change).unwrap()["change"], sent.join(", ")));
        }
        Some(told)
    };
    let closed = ["\"new\" chat open critical", "\"duplicate\" ", "\"resolved\" chat close critical"];
    let silent = ["\"new\" chat open critical", "\"duplicate\" ", "\"went_silent\" chat silent critical"];
    for form in ["sns_text", "sns_json"] {
        for (last, expected) in [("llm_quality_resolved", closed), ("llm_resolved_missing_series", silent)] {
            let Some(told) = life_of(&format!("llm_quality_firing.{form}"), &format!("{last}.{form}")) else {
                return;
            };
            assert_eq!(told, expected, "{last} {form}");
        }
        let file = format!("llm_datasource_no_data.{form}");
        let Some(told) = life_of(&file, &file) else { return };
        assert_eq!(told[0], "\"new\" chat open warning", "the rule that went blind says critical or not");
    }
}
