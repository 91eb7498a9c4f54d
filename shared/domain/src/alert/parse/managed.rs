//! What Amazon Managed Grafana's own notifier writes. Its settings offer `text`, `body` and `json`;
//! the documented forms are `State: ok` above a text, and `{"body": "...", "state": "ok"}`. The body
//! can hold Grafana's text or JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use super::generic::Plain;
use super::member::{self, Object};
use super::{Context, Reading};
use crate::alert::{Family, StateReason, Status};

/// Reads an object with a `body`; `None` for another.
pub(super) fn read_json(document: &Value, context: Context<'_>, nesting: usize) -> Option<Reading> {
    let top = document.as_object()?;
    let body = top.get("body")?;
    let text = member::scalar(body).unwrap_or_default();
    if let Some(reading) = read_body(&text, context, nesting) {
        return Some(reading);
    }
    let known = ["state", "title", "ruleName", "tags"];
    if !known.iter().any(|name| top.contains_key(*name)) && top.len() > 1 {
        return None;
    }
    let mut labels = tags(top);
    for name in ["severity", "metric"] {
        if let Some(value) = member::text(top, &[name]) {
            labels.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    let state = member::text(top, &["state", "status"]).unwrap_or_default();
    let title = member::text(top, &["title", "ruleName", "subject"]);
    Some(plain(title, state, &text, labels, context))
}

/// Reads `State: ok`, then a body.
pub(super) fn read_text(text: &str, context: Context<'_>, nesting: usize) -> Option<Reading> {
    let (first, body) = text.split_once('\n').unwrap_or((text, ""));
    let state = first.trim_end().strip_prefix("State: ")?;
    if state.is_empty() || state.contains(char::is_whitespace) {
        return None;
    }
    if let Some(reading) = read_body(body, context, nesting) {
        return Some(reading);
    }
    Some(plain(None, state, body, BTreeMap::new(), context))
}

fn read_body(body: &str, context: Context<'_>, nesting: usize) -> Option<Reading> {
    let mut reading = super::read(body, context, nesting + 1)?;
    if reading.family == Family::Unknown {
        return None;
    }
    reading.family = Family::ManagedGrafana;
    reading.alerts.iter_mut().for_each(|alert| alert.family = Family::ManagedGrafana);
    Some(reading)
}

fn plain(
    title: Option<&str>,
    state: &str,
    body: &str,
    labels: BTreeMap<String, String>,
    context: Context<'_>,
) -> Reading {
    let (status, state_reason) = status(state);
    let plain = Plain { family: Family::ManagedGrafana, title, text: body, status, state_reason, labels };
    plain.into_reading(context)
}

/// The states of Grafana's legacy alerting. One that nobody knows fires.
fn status(state: &str) -> (Status, Option<StateReason>) {
    match state.to_ascii_lowercase().as_str() {
        "ok" | "normal" | "resolved" => (Status::Resolved, None),
        "paused" => (Status::Resolved, Some(StateReason::Paused)),
        "no_data" | "nodata" => (Status::Firing, Some(StateReason::NoData)),
        "error" => (Status::Firing, Some(StateReason::Error)),
        _ => (Status::Firing, None),
    }
}

/// Legacy alerting's tags: an object, or a list of names and values.
fn tags(top: &Object) -> BTreeMap<String, String> {
    let mut tags = member::object(top, &["tags", "labels"]).map(member::texts).unwrap_or_default();
    for tag in member::items(top, &["tags"]).iter().filter_map(Value::as_object) {
        let name = member::text(tag, &["key", "Key", "name"]);
        let value = member::text(tag, &["value", "Value"]);
        if let (Some(name), Some(value)) = (name, value) {
            tags.insert(name.to_owned(), value.to_owned());
        }
    }
    tags
}
