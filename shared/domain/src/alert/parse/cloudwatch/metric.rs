//! What an alarm watches: one metric, or an expression over several.

use std::collections::BTreeMap;

use serde_json::Value;

use super::measured;
use crate::alert::parse::member::{self, Object};
use crate::alert::{Comparison, Threshold};

/// Metric, dimensions and limit; empty is unknown.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The metric's name; of an expression over several its label, of a query the metric that it asks
    /// for when nobody gave it a label.
    pub(super) metric: String,
    pub(super) namespace: String,
    /// Of several metrics those on which all agree.
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) threshold: Option<Threshold>,
}

impl Watched {
    /// `Trigger` of a notification.
    pub(super) fn of_trigger(trigger: &Object) -> Self {
        let metrics = member::items(trigger, &["Metrics"]);
        let mut watched =
            if metrics.is_empty() { Self::of_metric(trigger) } else { Self::of_metrics(metrics) };
        let comparison = member::text(trigger, &["ComparisonOperator"]).and_then(comparison);
        let limit = member::number(trigger, &["Threshold"]);
        watched.threshold = comparison.zip(limit).map(|(comparison, value)| Threshold { comparison, value });
        watched
    }

    /// `configuration` of an event. The limit is not among it: only the reason's words have it.
    pub(super) fn of_configuration(configuration: &Object, reason: &str) -> Self {
        let watched = Self::of_metrics(member::items(configuration, &["metrics"]));
        Self { threshold: measured::threshold_in_words(reason), ..watched }
    }

    fn of_metric(metric: &Object) -> Self {
        let text = |names: &[&str]| member::text(metric, names).unwrap_or_default().to_owned();
        Self {
            metric: text(&["MetricName", "name"]),
            namespace: text(&["Namespace", "namespace"]),
            dimensions: dimensions(metric),
            threshold: None,
        }
    }

    fn of_metrics(metrics: &[Value]) -> Self {
        let metrics: Vec<&Object> = metrics.iter().filter_map(Value::as_object).collect();
        let stat = |entry: &&Object| {
            let stat = member::object(entry, &["MetricStat", "metricStat"])?;
            member::object(stat, &["Metric", "metric"]).map(Self::of_metric)
        };
        let mut watched =
            metrics.iter().filter_map(stat).reduce(|all, one| all.in_common(&one)).unwrap_or_default();
        let is_returned = |entry: &&&Object| {
            ["ReturnData", "returnData"].iter().any(|name| entry.get(*name) == Some(&Value::Bool(true)))
        };
        let returned = metrics.iter().find(is_returned).filter(|entry| stat(entry).is_none());
        if watched.metric.is_empty()
            && let Some(returned) = returned.or(metrics.first())
        {
            let text = |names: &[&str]| member::text(returned, names);
            let label = text(&["Label", "label"]).filter(|label| !is_of_the_console(label));
            let name = label.or_else(|| text(&["Expression", "expression"]).and_then(queried));
            let name = name.or_else(|| text(&["Label", "label", "Id", "id"]));
            name.unwrap_or_default().clone_into(&mut watched.metric);
        }
        watched
    }

    /// What two metrics have in common.
    fn in_common(mut self, other: &Self) -> Self {
        if self.metric != other.metric {
            self.metric.clear();
        }
        if self.namespace != other.namespace {
            self.namespace.clear();
        }
        self.dimensions.retain(|name, value| other.dimensions.get(name) == Some(value));
        self
    }
}

/// Whether a label is the number that the console gives to what has no name: `Query1`.
fn is_of_the_console(label: &str) -> bool {
    let number = ["Query", "Expression"].iter().find_map(|word| label.strip_prefix(word));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The metric of a Metrics Insights query: `SELECT AVG(SafetyScore) FROM ...`; a name with other
/// letters stands in double quotes.
fn queried(expression: &str) -> Option<&str> {
    let (keyword, rest) = expression.trim_start().split_at_checked(6)?;
    let (_, argument) = rest.split_once('(').filter(|_| keyword.eq_ignore_ascii_case("select"))?;
    let argument = argument.trim_start();
    let (name, _) = match argument.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => argument.split_once(')')?,
    };
    Some(name.trim()).filter(|name| !name.is_empty())
}

/// Notifications list `{name, value}`, events have an object.
fn dimensions(metric: &Object) -> BTreeMap<String, String> {
    if let Some(object) = member::object(metric, &["Dimensions", "dimensions"]) {
        return member::texts(object);
    }
    let pair = |item: &Value| {
        let item = item.as_object()?;
        let name = member::text(item, &["name", "Name"])?;
        Some((name.to_owned(), member::text(item, &["value", "Value"])?.to_owned()))
    };
    member::items(metric, &["Dimensions", "dimensions"]).iter().filter_map(pair).collect()
}

/// `CloudWatch`'s comparison with a fixed limit; `None` for one with a band.
fn comparison(operator: &str) -> Option<Comparison> {
    match operator {
        "GreaterThanThreshold" => Some(Comparison::Above),
        "GreaterThanOrEqualToThreshold" => Some(Comparison::AtLeast),
        "LessThanThreshold" => Some(Comparison::Below),
        "LessThanOrEqualToThreshold" => Some(Comparison::AtMost),
        _ => None,
    }
}
