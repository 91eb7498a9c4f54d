//! PagerDuty Events API v2: `POST /v2/enqueue` (PagerDuty developer documentation, "Send an alert
//! event").

use serde_json::Value;

use super::answer::Response;
use super::{Address, Answer, Outbound};

/// The names of an event's fields, which an error may point to.
const FIELDS: [&str; 13] = [
    "routing_key",
    "event_action",
    "dedup_key",
    "summary",
    "source",
    "severity",
    "timestamp",
    "component",
    "group",
    "class",
    "custom_details",
    "images",
    "links",
];

impl Outbound {
    /// Sends an event, which holds its routing key, to the host at `base`
    /// (`https://events.pagerduty.com`). The answer names nothing: an event is found again by its
    /// `dedup_key`.
    pub async fn pagerduty(&self, base: &Address, event: &Value) -> Answer {
        match self.post(&base.join("v2/enqueue"), &[], event).await {
            Ok(response) => of_enqueue(&response),
            Err(answer) => answer,
        }
    }
}

/// Of a refused event the fields that the error names; its text may quote their values.
fn of_enqueue(response: &Response) -> Answer {
    if response.status != 400 {
        return response.by_status();
    }
    let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
    let errors: Vec<&str> =
        body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let named: Vec<&str> =
        FIELDS.into_iter().filter(|field| errors.iter().any(|error| names(error, field))).collect();
    let reason =
        if named.is_empty() { "HTTP 400".to_owned() } else { format!("HTTP 400: {}", named.join(", ")) };
    if named.contains(&"routing_key") { Answer::Unauthorized(reason) } else { Answer::Malformed(reason) }
}

fn names(error: &str, field: &str) -> bool {
    error.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').any(|word| word == field)
}
