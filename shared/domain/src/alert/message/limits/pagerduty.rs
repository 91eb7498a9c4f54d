//! An event to `PagerDuty`, read as its Events API v2 would.

use jiff::Timestamp;
use serde_json::Value;

use super::reader::{Place, Reader};
use super::{Fault, Violation, of_pagerduty};

/// What `PagerDuty` calls `payload.severity` when it is none.
const SEVERITIES: &str = "one of the following: 'critical', 'warning', 'error' or 'info'";

/// Everything that is wrong with an event.
pub fn check_pagerduty(event: &Value) -> Vec<Violation> {
    let mut reader = Reader::default();
    reader.fits_bytes(event, of_pagerduty::EVENT_BYTES);
    let Some(event) = reader.object(event, String::new()) else { return reader.finish() };
    let key = reader.required_text(&event, "routing_key", of_pagerduty::ROUTING_KEY);
    if key.is_some_and(|key| key.len() < of_pagerduty::ROUTING_KEY) {
        reader.add("/routing_key", Fault::Expected("32 characters"));
    }
    let actions = ["trigger", "acknowledge", "resolve"];
    reader.one_of(&event, "event_action", &actions, "trigger, acknowledge or resolve");
    if event.object.get("event_action").and_then(Value::as_str) == Some("trigger") {
        reader.text(&event, "dedup_key", of_pagerduty::DEDUP_KEY);
        if let Some(payload) = reader.required_child(&event, "payload") {
            check_payload(&mut reader, &payload);
        }
    } else {
        reader.required_text(&event, "dedup_key", of_pagerduty::DEDUP_KEY);
    }
    for (number, link) in reader.list(&event, "links", usize::MAX).iter().enumerate() {
        if let Some(link) = reader.object(link, format!("/links/{number}")) {
            reader.web_address(&link, "href", usize::MAX);
            reader.text(&link, "text", usize::MAX);
        }
    }
    reader.finish()
}

/// A fault as `PagerDuty` puts it into the `errors` of its answer with status 400.
pub fn pagerduty_error(violation: &Violation) -> String {
    let field = violation.pointer.trim_start_matches('/').replace('/', ".");
    match &violation.fault {
        Fault::Missing => format!("'{field}' is missing or blank"),
        Fault::Expected(what) => format!("'{field}' is invalid (must be {what})"),
        _ => violation.to_string(),
    }
}

fn check_payload(reader: &mut Reader, payload: &Place<'_>) {
    reader.required_text(payload, "summary", of_pagerduty::SUMMARY);
    reader.required_text(payload, "source", usize::MAX);
    reader.one_of(payload, "severity", &["critical", "error", "warning", "info"], SEVERITIES);
    for key in ["component", "group", "class"] {
        reader.text(payload, key, usize::MAX);
    }
    let timestamp = reader.text(payload, "timestamp", usize::MAX);
    if timestamp.is_some_and(|text| text.parse::<Timestamp>().is_err()) {
        reader.add(payload.at("timestamp"), Fault::Expected("an ISO 8601 time"));
    }
    reader.child(payload, "custom_details");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trigger() -> Value {
        json!({"routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "a",
            "payload": {"summary": "a", "source": "b", "severity": "error", "timestamp": "2026-03-02T09:15:00Z",
                "custom_details": {}},
            "links": [{"href": "https://example.com", "text": "a"}]})
    }

    #[test]
    fn legal_events_have_no_fault() {
        assert_eq!(check_pagerduty(&trigger()), []);
        let key = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            check_pagerduty(&json!({"routing_key": key, "event_action": "resolve", "dedup_key": "a"})),
            []
        );
    }

    #[test]
    fn a_severity_of_its_own_is_refused() {
        let mut event = trigger();
        event["payload"]["severity"] = json!("page");
        let faults = check_pagerduty(&event);
        assert_eq!(faults.len(), 1);
        let expected = "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')";
        assert_eq!(pagerduty_error(&faults[0]), expected);
    }

    #[test]
    fn every_other_limit_is_checked() {
        for (pointer, value) in [
            ("/routing_key", json!("short")),
            ("/event_action", json!("close")),
            ("/dedup_key", json!("x".repeat(256))),
            ("/payload", json!(null)),
            ("/payload/summary", json!("x".repeat(1_025))),
            ("/payload/summary", json!("")),
            ("/payload/source", json!(null)),
            ("/payload/timestamp", json!("yesterday")),
            ("/payload/custom_details", json!("text")),
            ("/links/0/href", json!("example.com")),
        ] {
            let mut event = trigger();
            *event.pointer_mut(pointer).unwrap() = value;
            let found = check_pagerduty(&event);
            assert!(found.iter().any(|violation| violation.pointer == pointer), "{pointer}: {found:?}");
        }
        let mut event = trigger();
        event["payload"]["custom_details"] = json!({"a": "x".repeat(512_000)});
        assert!(matches!(check_pagerduty(&event)[0].fault, Fault::TooLarge { .. }));
        let key = "0123456789abcdef0123456789abcdef";
        assert!(!check_pagerduty(&json!({"routing_key": key, "event_action": "resolve"})).is_empty());
    }
}
