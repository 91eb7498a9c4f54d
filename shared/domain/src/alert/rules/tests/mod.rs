mod correlation;
mod explained;
mod mistakes;
mod routes;
mod severities;
mod shipped;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Correlated, DestinationName, Rules, SHIPPED};
use crate::alert::{Alert, AlertKey, Family, Links, Status};

/// A Monday, 12:00 UTC.
pub(crate) const NOON: &str = "2026-09-28T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn rules(text: &str) -> Rules {
    Rules::from_toml("alerts.toml", text).unwrap()
}

pub(crate) fn shipped() -> Rules {
    rules(SHIPPED)
}

/// A firing alert of Grafana with labels `name=value`, separated by spaces.
pub(crate) fn firing(rule: &str, labels: &str) -> Alert {
    let labels = labels.split_whitespace().filter_map(|pair| pair.split_once('='));
    let mut labels: BTreeMap<String, String> =
        labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    labels.entry("alertname".to_owned()).or_insert_with(|| rule.to_owned());
    Alert {
        family: Family::GrafanaJson,
        status: Status::Firing,
        state_reason: None,
        rule: rule.to_owned(),
        key: AlertKey::of([rule, &format!("{labels:?}")]),
        labels,
        annotations: BTreeMap::new(),
        values: BTreeMap::new(),
        threshold: None,
        starts_at: Some(at("2026-09-28T11:55:00Z")),
        ends_at: None,
        links: Links::default(),
    }
}

pub(crate) fn measuring(rule: &str, labels: &str, value: f64) -> Alert {
    let mut alert = firing(rule, labels);
    alert.values.insert("B".to_owned(), value);
    alert
}

pub(crate) fn resolved(alert: &Alert, ended: &str) -> Alert {
    Alert { status: Status::Resolved, ends_at: Some(at(ended)), ..alert.clone() }
}

fn reason(rules: &Rules, alert: &Alert) -> String {
    rules.classify(alert, &BTreeMap::new(), at(NOON)).classification.reason
}

/// What the rules make of an alert that stands alone.
fn alone(rules: &Rules, alert: &Alert, now: &str) -> Correlated {
    let decision = rules.classify(alert, &BTreeMap::new(), at(now));
    rules.correlate(decision, alert, &[], at(now))
}

fn told(names: &[DestinationName]) -> Vec<&str> {
    names.iter().map(DestinationName::as_str).collect()
}
