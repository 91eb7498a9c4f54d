//! What the Prometheus-like families (Grafana, Alertmanager) tell of one alert, made an [`Alert`].

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Context, Note, identity, link, threshold};
use crate::alert::{Alert, Family, Links, StateReason, Status};

const NO_DATA: &str = "DatasourceNoData";
const ERROR: &str = "DatasourceError";

/// One alert as a text or a JSON document tells it; empty is absent.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) is_resolved: bool,
    /// Hidden ones may be among them.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) values: BTreeMap<String, f64>,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) source: &'a str,
    pub(super) silence: &'a str,
    pub(super) dashboard: &'a str,
    pub(super) panel: &'a str,
    pub(super) rule_uid: &'a str,
    pub(super) org: String,
}

impl Told<'_> {
    pub(super) fn into_alert(self, family: Family, context: Context<'_>, notes: &mut Vec<Note>) -> Alert {
        let key = identity::of_labels(&self, family, context);
        let Self { labels, annotations, values, .. } = self;
        let visible = |(name, _): &(String, String)| !link::is_hidden(name);
        let labels: BTreeMap<String, String> = labels.into_iter().filter(visible).collect();
        let annotations: BTreeMap<String, String> = annotations.into_iter().filter(visible).collect();

        let alert_name = labels.get("alertname").map_or("", String::as_str);
        let state_reason = blindness(alert_name)
            .or_else(|| annotations.get("grafana_state_reason").and_then(|text| state_reason(text)));
        let rule = if blindness(alert_name).is_some() { labels.get("rulename") } else { None };
        let rule = rule.map_or(alert_name, String::as_str);
        let rule = if rule.is_empty() { "alert without a name" } else { rule }.to_owned();

        let (start, end) = link::span(self.dashboard);
        let (status, ends_at) =
            if self.is_resolved { (Status::Resolved, self.ends_at.or(end)) } else { (Status::Firing, None) };
        let links = Links {
            source: link::checked(self.source, notes),
            silence: link::checked(self.silence, notes),
            dashboard: link::checked(self.dashboard, notes),
            panel: link::checked(self.panel, notes),
            runbook: annotations.get("runbook_url").and_then(|address| link::checked(address, notes)),
        };
        Alert {
            family,
            status,
            state_reason,
            rule,
            threshold: threshold::named(&annotations),
            values: measured(values, state_reason),
            starts_at: self.starts_at.or(start),
            ends_at,
            links,
            key,
            labels,
            annotations,
        }
    }
}

/// Grafana's alert of its own about a rule that sees nothing.
pub(super) fn blindness(alert_name: &str) -> Option<StateReason> {
    match alert_name {
        NO_DATA => Some(StateReason::NoData),
        ERROR => Some(StateReason::Error),
        _ => None,
    }
}

/// Grafana's `grafana_state_reason`; of several (`NoData, KeepLast`) the first that is known.
fn state_reason(text: &str) -> Option<StateReason> {
    let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty()).peekable();
    parts.peek()?;
    let known = parts.find_map(|part| match part {
        "NoData" => Some(StateReason::NoData),
        "Error" => Some(StateReason::Error),
        "MissingSeries" => Some(StateReason::MissingSeries),
        "Paused" => Some(StateReason::Paused),
        "RuleDeleted" => Some(StateReason::RuleDeleted),
        "Updated" => Some(StateReason::Updated),
        _ => None,
    });
    Some(known.unwrap_or(StateReason::Other))
}

/// The values less those that Grafana writes where there are none: -1 when no data or an error was
/// configured to alert or to be fine.
fn measured(mut values: BTreeMap<String, f64>, reason: Option<StateReason>) -> BTreeMap<String, f64> {
    let is_blind =
        matches!(reason, Some(StateReason::NoData | StateReason::Error | StateReason::MissingSeries));
    values.retain(|_, value| value.is_finite() && !(is_blind && (*value + 1.0).abs() < f64::EPSILON));
    values
}
