//! `CloudWatch` alarms: as SNS carries them, and as Lambda and EventBridge get them directly.
//!
//! | state | before | here |
//! |---|---|---|
//! | `ALARM` | any | firing |
//! | `OK` | any | resolved; without data when missing data was treated as good |
//! | `INSUFFICIENT_DATA` | `ALARM` | resolved, no data: it went silent |
//! | `INSUFFICIENT_DATA` | any other | firing, no data: nobody sees anything |
//!
//! Every field may be missing: older messages lack the ARN, composite alarms the metric, and the
//! message of one contributor of a many-series alarm is documented nowhere.

mod direct;
mod measured;
mod metric;
mod notification;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Context, Note, Reading, identity, link, time};
use crate::alert::{Alert, Family, Links, Severity, StateReason, Status};
use metric::Watched;

/// Reads an alarm in either form; `None` for another document.
pub(super) fn read(document: &Value, context: Context<'_>) -> Option<Reading> {
    let object = document.as_object()?;
    let alarm = notification::read(object).or_else(|| direct::read(object))?;
    let mut notes = Vec::new();
    let alert = alarm.into_alert(context, &mut notes);
    let mut reading = Reading::whole(Family::CloudWatch, vec![alert], notes);
    reading.is_cut = context.is_cut;
    reading.whole -= usize::from(context.is_cut);
    Some(reading)
}

/// What both forms tell; empty is absent.
#[derive(Debug, Default)]
struct Alarm<'a> {
    name: &'a str,
    arn: &'a str,
    account: &'a str,
    /// The code, such as `us-east-1`. SNS messages have a display name instead.
    region: &'a str,
    description: &'a str,
    state: &'a str,
    state_before: &'a str,
    reason: &'a str,
    reason_data: Option<Value>,
    changed_at: &'a str,
    changed_before: &'a str,
    watched: Watched,
    /// Of a composite alarm.
    rule: &'a str,
    triggered_by: Vec<String>,
    suppressed_by: &'a str,
    contributor: String,
    contributor_attributes: BTreeMap<String, String>,
}

impl Alarm<'_> {
    fn into_alert(self, context: Context<'_>, notes: &mut Vec<Note>) -> Alert {
        let arn = Arn::read(self.arn);
        let first = |candidates: [&str; 3]| {
            candidates.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
        };
        let region = first([&arn.region, self.region, context.region]);
        let account = first([&arn.account, self.account, context.account]);
        let name = first([self.name, &arn.name, "alarm without a name"]);
        let (status, state_reason) = self.status();
        let changed_at = time_of(self.changed_at, notes);
        let changed_before = time_of(self.changed_before, notes).filter(|_| self.state_before == "ALARM");
        let (starts_at, ends_at) = match status {
            // An alarm can change in ALARM, as composite ones do: it began before.
            Status::Firing => (changed_before.or(changed_at), None),
            Status::Resolved => (changed_before, changed_at),
        };
        let source = console(&region, &name);
        let runbook = stated(self.description, "Runbook: ").and_then(|address| link::checked(address, notes));
        Alert {
            family: Family::CloudWatch,
            status,
            state_reason,
            key: identity::of_alarm(&region, &account, &name, &self.contributor),
            rule: name,
            labels: self.labels(),
            annotations: self.annotations(),
            values: self.values(state_reason),
            threshold: self.watched.threshold,
            starts_at,
            ends_at,
            links: Links { source, runbook, ..Links::default() },
        }
    }

    /// A state that nobody knows, or none, fires: better once too often.
    fn status(&self) -> (Status, Option<StateReason>) {
        match self.state {
            "OK" if measured::is_without_data(self.reason) => (Status::Resolved, Some(StateReason::NoData)),
            "OK" => (Status::Resolved, None),
            "INSUFFICIENT_DATA" if self.state_before == "ALARM" => {
                (Status::Resolved, Some(StateReason::NoData))
            }
            "INSUFFICIENT_DATA" => (Status::Firing, Some(StateReason::NoData)),
            _ => (Status::Firing, None),
        }
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.watched.dimensions.clone();
        labels.extend(self.contributor_attributes.clone());
        let (namespace, metric) = (self.watched.namespace.as_str(), self.watched.metric.as_str());
        for (name, value) in [("namespace", namespace), ("metric", metric), ("severity", self.severity())] {
            if !value.is_empty() {
                labels.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        labels
    }

    /// The severity that the description states; empty when it states none.
    fn severity(&self) -> &str {
        let word = stated(self.description, "Severity ").map(|word| word.trim_end_matches('.'));
        word.filter(|word| Severity::ALL.iter().any(|severity| severity.as_str() == *word))
            .unwrap_or_default()
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let triggered_by = self.triggered_by.join(", ");
        [
            ("description", self.description),
            ("reason", self.reason),
            ("alarm_rule", self.rule),
            ("triggered_by", &triggered_by),
            ("suppressed_by", self.suppressed_by),
        ]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
    }

    fn values(&self, state_reason: Option<StateReason>) -> BTreeMap<String, f64> {
        if state_reason.is_some() {
            return BTreeMap::new();
        }
        let from_data = self.reason_data.as_ref().and_then(measured::in_data);
        let value = from_data.or_else(|| measured::in_words(self.reason));
        let name = if self.watched.metric.is_empty() { "value" } else { &self.watched.metric };
        value.map(|value| (name.to_owned(), value)).into_iter().collect()
    }
}

/// The word behind `name` in a description. Alarms have no labels: Assay's own, which
/// [`crate::dashboard::cloudwatch`] writes, say in it `Severity critical.` and `Runbook: <address>`.
fn stated<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    description.split_once(name)?.1.split_whitespace().next()
}

fn time_of(text: &str, notes: &mut Vec<Note>) -> Option<Timestamp> {
    let time = time::read(text);
    if time.is_none() && !time::is_none(text) {
        notes.push(Note::UnreadableTime);
    }
    time
}

/// `arn:aws:cloudwatch:us-east-1:123456789012:alarm:name`; fixtures have blanks in it.
#[derive(Debug, Default)]
struct Arn {
    region: String,
    account: String,
    name: String,
}

impl Arn {
    fn read(text: &str) -> Self {
        let mut parts = text.splitn(7, ':').map(str::trim);
        let is_alarm = parts.next() == Some("arn") && parts.nth(1) == Some("cloudwatch");
        let mut next = || parts.next().filter(|_| is_alarm).unwrap_or_default().to_owned();
        let (region, account) = (next(), next());
        let (_, name) = (next(), next());
        Self { region, account, name }
    }
}

/// The alarm's page in the console, when the region is a code.
fn console(region: &str, name: &str) -> Option<String> {
    let is_code = region.contains('-')
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let domain = match region {
        _ if region.starts_with("cn-") => "console.amazonaws.cn",
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ if region.starts_with("eusc-") => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    };
    let name = link::segment(name);
    is_code
        .then(|| format!("https://{region}.{domain}/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"))
}

/// The alarm's name in an ARN; the text itself when it is none.
fn name_in(arn: &str) -> String {
    let name = Arn::read(arn).name;
    if name.is_empty() { arn.to_owned() } else { name }
}
