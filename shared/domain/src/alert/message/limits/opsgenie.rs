//! An alert to Opsgenie or Jira Service Management, read as their alert API would.

use serde_json::Value;

use super::reader::Reader;
use super::{Fault, Violation, of_opsgenie, units};

/// Everything that is wrong with the body of "create alert".
pub fn check_opsgenie(alert: &Value) -> Vec<Violation> {
    let mut reader = Reader::default();
    let Some(alert) = reader.object(alert, String::new()) else { return reader.finish() };
    reader.required_text(&alert, "message", of_opsgenie::MESSAGE);
    for (key, limit) in [
        ("alias", of_opsgenie::ALIAS),
        ("description", of_opsgenie::DESCRIPTION),
        ("entity", of_opsgenie::ENTITY),
        ("source", of_opsgenie::SOURCE),
        ("note", of_opsgenie::NOTE),
    ] {
        reader.text(&alert, key, limit);
    }
    reader.texts(&alert, "tags", of_opsgenie::TAGS, of_opsgenie::TAG);
    if alert.object.contains_key("priority") {
        reader.one_of(&alert, "priority", &["P1", "P2", "P3", "P4", "P5"], "P1, P2, P3, P4 or P5");
    }
    if let Some(details) = reader.child(&alert, "details") {
        for (key, value) in details.object {
            if !value.is_string() {
                reader.add(details.at(key), Fault::Expected("a text"));
            }
        }
        let length = |(key, value): (&String, &Value)| units(key) + value.as_str().map_or(0, units);
        let total = details.object.iter().map(length).sum();
        reader.fits("/details".to_owned(), total, of_opsgenie::DETAILS);
    }
    for (number, responder) in reader.list(&alert, "responders", usize::MAX).iter().enumerate() {
        let Some(responder) = reader.object(responder, format!("/responders/{number}")) else { continue };
        let kinds = ["team", "user", "escalation", "schedule"];
        reader.one_of(&responder, "type", &kinds, "team, user, escalation or schedule");
        if !["id", "name", "username"].iter().any(|key| responder.object.contains_key(*key)) {
            reader.add(responder.at("id"), Fault::Missing);
        }
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_legal_alert_has_no_fault() {
        let alert = json!({"message": "a", "alias": "b", "tags": ["c"], "details": {"d": "e"}, "priority": "P1",
            "responders": [{"type": "team", "name": "ml"}]});
        assert_eq!(check_opsgenie(&alert), []);
    }

    #[test]
    fn every_limit_is_checked() {
        for (key, value, pointer) in [
            ("message", json!(""), "/message"),
            ("message", json!("x".repeat(131)), "/message"),
            ("alias", json!("x".repeat(513)), "/alias"),
            ("description", json!("x".repeat(15_001)), "/description"),
            ("entity", json!("x".repeat(513)), "/entity"),
            ("tags", json!(vec!["x"; 21]), "/tags"),
            ("tags", json!(["x".repeat(51)]), "/tags/0"),
            ("details", json!({"a": 1}), "/details/a"),
            ("details", json!({"a": "x".repeat(8_000)}), "/details"),
            ("priority", json!("P0"), "/priority"),
            ("responders", json!([{"type": "team"}]), "/responders/0/id"),
            ("responders", json!([{"type": "channel", "id": "a"}]), "/responders/0/type"),
        ] {
            let mut alert = json!({"message": "a"});
            alert[key] = value;
            let found = check_opsgenie(&alert);
            assert!(found.iter().any(|violation| violation.pointer == pointer), "{pointer}: {found:?}");
        }
    }
}
