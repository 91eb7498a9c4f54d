//! Assay's own JSON for a generic HTTPS webhook. `docs/alert-webhook.md` documents every field; a
//! test compares them. Within one `schema` fields are added, never changed or removed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::text;
use super::wording::{headline, links};
use crate::alert::notice::{
    Cost, NotIncluded, Notice, NowValue, Occasion, Related, StormSummary, WorstAnswer,
};
use crate::alert::{Family, Meaning, Severity, StateReason, Status, Threshold};
use crate::money::MicroUsd;
use crate::names::{ComponentName, EndpointName};

/// The version of [`WebhookAlert`].
pub const ALERT_SCHEMA: &str = "assay.alert.v1";

/// The version of [`WebhookStorm`].
pub const STORM_SCHEMA: &str = "assay.alert-storm.v1";

/// One alert. Every field is always there, `null` where it has no value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WebhookAlert<'a> {
    /// [`ALERT_SCHEMA`].
    pub schema: &'static str,
    /// The alert's key: the same for all that is said of it.
    pub key: &'a str,
    /// The first line, for people.
    pub headline: String,
    /// All of it in plain text, for people.
    pub text: String,
    /// Why it is sent.
    pub occasion: Occasion,
    /// What is the matter.
    pub meaning: Meaning,
    /// How bad it is called.
    pub severity: Severity,
    /// Why.
    pub severity_reason: &'a str,
    /// What wrote the alert.
    pub family: Family,
    /// As its sender says.
    pub status: Status,
    /// Why the status changed, when it was not the value.
    pub state_reason: Option<StateReason>,
    /// The rule or alarm.
    pub rule: &'a str,
    /// The endpoint.
    pub endpoint: Option<&'a str>,
    /// The inference component.
    pub component: Option<&'a str>,
    /// The metric that it is about.
    pub metric: Option<&'a str>,
    /// What was measured.
    pub value: Option<f64>,
    /// What was measured while it fired, when it stopped.
    pub fired_value: Option<f64>,
    /// The limit.
    pub threshold: Option<Threshold>,
    /// Since when it fires.
    pub firing_since: Option<Timestamp>,
    /// When it stopped.
    pub ended_at: Option<Timestamp>,
    /// How long it has been firing, or did, in seconds.
    pub duration_seconds: Option<i64>,
    /// When this was said.
    pub sent_at: Timestamp,
    /// How often its sender repeated it.
    pub repeats: u32,
    /// Labels as they were sent.
    pub labels: &'a BTreeMap<String, String>,
    /// Annotations as they were sent.
    pub annotations: &'a BTreeMap<String, String>,
    /// All values as they were sent.
    pub values: BTreeMap<&'a str, f64>,
    /// Alerts joined with this one.
    pub related: &'a [Related],
    /// Metrics now, with the last hour.
    pub now: &'a [NowValue],
    /// What the judge said of the worst answers.
    pub worst_answers: &'a [WorstAnswer],
    /// What it costs.
    pub cost: Option<WebhookCost>,
    /// Where to look, by name in lower case.
    pub links: BTreeMap<String, &'a str>,
    /// What could not be looked up.
    pub not_included: &'a [NotIncluded],
}

/// US dollars an hour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WebhookCost {
    /// The component's share, or the endpoint's bill.
    pub usd_per_hour: Option<f64>,
    /// What of the endpoint nobody uses.
    pub idle_usd_per_hour: Option<f64>,
}

/// Many alerts as one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WebhookStorm<'a> {
    /// [`STORM_SCHEMA`].
    pub schema: &'static str,
    /// The first line, for people.
    pub headline: String,
    /// All of it in plain text, for people.
    pub text: String,
    /// The route that got them.
    pub route: &'a str,
    /// When the first came.
    pub from: Timestamp,
    /// When this was said.
    pub until: Timestamp,
    /// How many.
    pub alerts: u64,
    /// On how many components.
    pub components: u32,
    /// How many of each severity.
    pub by_severity: &'a BTreeMap<Severity, u32>,
    /// Those with the most.
    pub top_components: BTreeMap<&'a str, u32>,
    /// The first lines of the worst.
    pub first_lines: &'a [String],
}

/// Of an alert.
pub fn notice(notice: &Notice) -> WebhookAlert<'_> {
    let alert = &notice.alert;
    let finite = |value: &f64| value.is_finite();
    let values = alert.values.iter().filter(|(_, value)| finite(value));
    WebhookAlert {
        schema: ALERT_SCHEMA,
        key: alert.key.as_str(),
        headline: headline(notice),
        text: text::notice(notice),
        occasion: notice.occasion,
        meaning: notice.standing(),
        severity: notice.classification.severity,
        severity_reason: &notice.classification.reason,
        family: alert.family,
        status: alert.status,
        state_reason: notice.state_reason(),
        rule: &alert.rule,
        endpoint: notice.endpoint.as_ref().map(EndpointName::as_str),
        component: notice.component.as_ref().map(ComponentName::as_str),
        metric: notice.reading.metric.as_deref(),
        value: notice.reading.value,
        fired_value: notice.fired.as_ref().and_then(|fired| fired.reading.value),
        threshold: notice.reading.threshold,
        firing_since: notice.firing_since,
        ended_at: notice.ended_at,
        duration_seconds: notice.duration().map(|length| length.as_secs()),
        sent_at: notice.as_of,
        repeats: notice.repeats,
        labels: &alert.labels,
        annotations: &alert.annotations,
        values: values.map(|(name, value)| (name.as_str(), *value)).collect(),
        related: &notice.related,
        now: &notice.enrichment.now,
        worst_answers: &notice.enrichment.worst,
        cost: notice.enrichment.cost.map(|Cost { per_hour, idle_per_hour }| WebhookCost {
            usd_per_hour: per_hour.map(MicroUsd::usd),
            idle_usd_per_hour: idle_per_hour.map(MicroUsd::usd),
        }),
        links: links(notice).into_iter().map(|(name, url)| (name.to_lowercase(), url)).collect(),
        not_included: &notice.enrichment.not_included,
    }
}

/// Of a storm.
pub fn storm(storm: &StormSummary) -> WebhookStorm<'_> {
    WebhookStorm {
        schema: STORM_SCHEMA,
        headline: text::storm_headline(storm),
        text: text::storm(storm),
        route: &storm.route,
        from: storm.from,
        until: storm.until,
        alerts: storm.alerts,
        components: storm.components,
        by_severity: &storm.by_severity,
        top_components: storm.top_components.iter().map(|(name, alerts)| (name.as_str(), *alerts)).collect(),
        first_lines: &storm.first_lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::tests::samples;
    use serde_json::{Value, to_value};

    const DOCUMENT: &str = include_str!("../../../../../docs/alert-webhook.md");

    /// First column of the table under `heading`.
    fn documented(heading: &str) -> Vec<&'static str> {
        let (_, section) = DOCUMENT.split_once(heading).unwrap();
        let rows = section
            .lines()
            .skip_while(|line| !line.starts_with("| `"))
            .take_while(|line| line.starts_with('|'));
        let mut fields: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
        fields.sort_unstable();
        fields
    }

    fn fields(message: &Value) -> Vec<&str> {
        let mut fields: Vec<&str> = message.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        fields
    }

    #[test]
    fn the_documented_fields_are_those_that_are_sent() {
        let alert = samples::recovered();
        let storm = samples::storm();
        assert_eq!(fields(&to_value(notice(&alert)).unwrap()), documented(ALERT_SCHEMA));
        assert_eq!(fields(&to_value(super::storm(&storm)).unwrap()), documented(STORM_SCHEMA));
    }
}
