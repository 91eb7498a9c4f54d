//! JSON with a list of alerts: Grafana's webhook form, as it is and as a template writes it into a
//! message, and Alertmanager's, which Managed Prometheus' template imitates.

use std::collections::BTreeMap;

use serde_json::Value;

use super::member::{self, Object};
use super::told::Told;
use super::tolerant_json::State;
use super::{Context, Note, Reading, time};
use crate::alert::Family;

/// Members that only Grafana's alerts have.
const GRAFANA_MEMBERS: [&str; 6] =
    ["silenceURL", "values", "valueString", "dashboardURL", "panelURL", "ruleUID"];

/// Reads an object with `alerts`, a bare list of alerts, or one bare alert.
pub(super) fn read(document: &Value, state: State, context: Context<'_>) -> Option<Reading> {
    let none = Object::new();
    let (top, items) = match document {
        Value::Array(items) => (&none, items.as_slice()),
        Value::Object(top) if top.contains_key("alerts") => (top, member::items(top, &["alerts"])),
        Value::Object(alone) if is_bare_alert(alone) => (&none, std::slice::from_ref(document)),
        _ => return None,
    };
    let told: Vec<&Object> =
        items.iter().filter_map(Value::as_object).filter(|item| is_alert(item)).collect();
    if told.is_empty() {
        return None;
    }
    let family = if is_grafana(top, &told) { Family::GrafanaJson } else { Family::Alertmanager };
    let mut notes = Vec::new();
    let alerts: Vec<_> = told
        .iter()
        .map(|item| told_of(item, top, &mut notes).into_alert(family, context, &mut notes))
        .collect();
    let is_unfinished = match state {
        State::Cut { is_first_item_unfinished } => {
            is_first_item_unfinished || document.get("labels").is_some()
        }
        State::Whole | State::Repaired => false,
    };
    let damaged = items.len() - told.len();
    let left_out = member::number(top, &["truncatedAlerts"]).map_or(0, whole_number);
    Some(Reading {
        family,
        whole: alerts.len() - usize::from(is_unfinished && alerts.len() == 1),
        alerts,
        missing: damaged.saturating_add(left_out),
        is_cut: state.is_cut(),
        notes,
    })
}

fn is_alert(item: &Object) -> bool {
    item.get("labels").is_some_and(Value::is_object)
}

/// Labels alone are not enough where nothing else says that this is an alert.
fn is_bare_alert(object: &Object) -> bool {
    let has_name = member::object(object, &["labels"]).is_some_and(|labels| labels.contains_key("alertname"));
    has_name || object.contains_key("annotations") || object.contains_key("startsAt")
}

fn is_grafana(top: &Object, alerts: &[&Object]) -> bool {
    let has_grafana_member = |alert: &&Object| GRAFANA_MEMBERS.iter().any(|name| alert.contains_key(*name));
    member::text(top, &["version"]) == Some("1") || alerts.iter().any(has_grafana_member)
}

fn told_of<'a>(alert: &'a Object, top: &'a Object, notes: &mut Vec<Note>) -> Told<'a> {
    let text = |name: &str| member::text(alert, &[name]).unwrap_or_default();
    let texts = |name: &str| member::object(alert, &[name]).map(member::texts).unwrap_or_default();
    let status = member::text(alert, &["status"]).or_else(|| member::text(top, &["status"]));
    let org = alert.get("orgId").and_then(member::scalar);
    Told {
        // Alertmanager's own interface has an object there; it only lists what fires.
        is_resolved: status.is_some_and(|status| status.eq_ignore_ascii_case("resolved")),
        labels: texts("labels"),
        annotations: texts("annotations"),
        values: values(alert),
        starts_at: time_of(text("startsAt"), notes),
        ends_at: time_of(text("endsAt"), notes),
        source: text("generatorURL"),
        silence: text("silenceURL"),
        dashboard: text("dashboardURL"),
        panel: text("panelURL"),
        rule_uid: text("ruleUID"),
        org: org.or_else(|| top.get("orgId").and_then(member::scalar)).unwrap_or_default(),
    }
}

fn time_of(text: &str, notes: &mut Vec<Note>) -> Option<jiff::Timestamp> {
    let time = time::read(text);
    if time.is_none() && !time::is_none(text) {
        notes.push(Note::UnreadableTime);
    }
    time
}

/// The values by reference id. Before Grafana 9 they stand in `valueString` only; later it can hold
/// those of an earlier evaluation beside `values` that are null.
fn values(alert: &Object) -> BTreeMap<String, f64> {
    match alert.get("values") {
        Some(Value::Object(values)) => values
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), member::as_number(value)?)))
            .collect(),
        Some(_) => BTreeMap::new(),
        None => value_string(member::text(alert, &["valueString"]).unwrap_or_default()),
    }
}

/// Reads `[ var='B' labels={a=b} value=0.71 ], [ var='C' ... ]`.
fn value_string(text: &str) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    for item in text.split("[ var='").skip(1) {
        let Some((name, rest)) = item.split_once('\'') else { continue };
        let Some((_, value)) = rest.rsplit_once("value=") else { continue };
        let value = value.split([' ', ']']).next().and_then(|value| value.parse::<f64>().ok());
        if let Some(value) = value.filter(|value| value.is_finite()) {
            values.insert(name.to_owned(), value);
        }
    }
    values
}

/// A count in JSON; a mad one does not matter beyond "many".
fn whole_number(number: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept in range before")]
    let count = number.clamp(0.0, 1e6) as usize;
    count
}
