//! What an alert says, how bad it is, whether it is new, and what people are told of it.
//!
//! A message that reaches the topic holds any number of [`Alert`]s, in one of five families that
//! have nothing in common but that. Everything after parsing works on [`Alert`] alone.

mod key;
pub mod lifecycle;
mod lookup;
pub mod message;
pub mod notice;
pub mod parse;
pub mod rules;
mod severity;
pub mod storm;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use key::{AlertKey, InvalidAlertKey};

/// One alert as its sender described it: nothing is decided yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What wrote the message.
    pub family: Family,
    /// Whether it fires.
    pub status: Status,
    /// Why the sender changed the status, when it was not the value: Grafana's
    /// `grafana_state_reason`, `DatasourceNoData`, `CloudWatch`'s `INSUFFICIENT_DATA`.
    pub state_reason: Option<StateReason>,
    /// The rule or alarm. For `DatasourceNoData` and `DatasourceError` the rule that went blind.
    pub rule: String,
    /// Labels as they were sent, `alertname` among them; without Grafana's hidden `__x__`. Of a
    /// `CloudWatch` alarm its dimensions, `namespace` and `metric`, and `severity` when its description
    /// states one.
    pub labels: BTreeMap<String, String>,
    /// Annotations. Of a `CloudWatch` alarm `description` and `reason`, of a composite one
    /// `alarm_rule` and `triggered_by` too; of an unknown message `text` and `subject`.
    pub annotations: BTreeMap<String, String>,
    /// What was measured, by Grafana's reference id or `CloudWatch`'s metric name. A value that
    /// stands for "no data" is left out.
    pub values: BTreeMap<String, f64>,
    /// What the value is held against, when the message says so.
    pub threshold: Option<Threshold>,
    /// Since when it fires; `None` when the message does not say.
    pub starts_at: Option<Timestamp>,
    /// When it ended; `None` while it fires.
    pub ends_at: Option<Timestamp>,
    /// Where to look.
    pub links: Links,
    /// What it is, the same however often and by whichever way it is sent.
    pub key: AlertKey,
}

/// Who writes alerts in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Grafana's default text.
    GrafanaText,
    /// Grafana's webhook JSON, also by template.
    GrafanaJson,
    /// Amazon Managed Grafana's own JSON or text.
    ManagedGrafana,
    /// Prometheus Alertmanager or Amazon Managed Prometheus.
    Alertmanager,
    /// A `CloudWatch` alarm.
    CloudWatch,
    /// Anything else: kept with its text.
    Unknown,
}

/// Whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It fires.
    Firing,
    /// It does not fire any more. Whether that is good news depends on [`StateReason`].
    Resolved,
}

/// Why a status changed when the value did not decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateReason {
    /// The query gave nothing.
    NoData,
    /// The query failed.
    Error,
    /// The series is gone.
    MissingSeries,
    /// Somebody paused the rule.
    Paused,
    /// Somebody deleted the rule.
    RuleDeleted,
    /// Somebody changed the rule.
    Updated,
    /// A reason that is none of these: still, the value did not decide.
    Other,
}

/// What a value is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// On which side of `value` it fires.
    pub comparison: Comparison,
    /// The limit.
    pub value: f64,
}

/// When a value is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Bad when above the limit.
    Above,
    /// Bad when at or above the limit.
    AtLeast,
    /// Bad when below the limit.
    Below,
    /// Bad when at or below the limit.
    AtMost,
}

/// Where to look. Only absolute `http` and `https` addresses get here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The rule or alarm itself.
    pub source: Option<String>,
    /// Where to silence it.
    pub silence: Option<String>,
    /// The dashboard.
    pub dashboard: Option<String>,
    /// The panel.
    pub panel: Option<String>,
    /// What to do: annotation `runbook_url`, or `Runbook:` in an alarm's description.
    pub runbook: Option<String>,
}

/// How bad it is, for people and for pagers. Later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it in working hours.
    Warning,
    /// Look at it today.
    Error,
    /// Wake somebody.
    Critical,
}

/// What a status means to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Something is wrong.
    Problem,
    /// Nobody can tell whether something is wrong.
    Blind,
    /// It is well again.
    Recovered,
    /// It does not fire any more because nothing is measured, or the rule was paused, changed or
    /// deleted: not good news.
    WentSilent,
}

/// How bad an alert is called, and why: people are shown the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    /// What its status means.
    pub meaning: Meaning,
    /// How bad it is.
    pub severity: Severity,
    /// Why, in one short sentence for the person who is paged.
    pub reason: String,
}
