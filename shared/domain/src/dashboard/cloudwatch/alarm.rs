//! Alarms as resources of a template. Each is a Metrics Insights query with a contributor for every
//! series, so that components come and go without a new deployment. Source: CloudWatch user guide,
//! "Create a CloudWatch alarm based on a Metrics Insights query": the last three hours count, and
//! there are at most 200 such alarms in a region.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::alert::Comparison;
use crate::dashboard::Settings;
use crate::dashboard::json::number;
use crate::dashboard::rules::{Alarm, Rule, RuleBook, relation};
use crate::dashboard::source::Source;

/// Alarms, and the rules that CloudWatch cannot hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alarms {
    /// Resources of type `AWS::CloudWatch::Alarm`, by logical id.
    pub resources: BTreeMap<String, Value>,
    /// Names of rules without an alarm, and why.
    pub left_out: Vec<(String, &'static str)>,
}

/// The alarms of a stack without Grafana. `topic` is what stands for the topic's ARN in the
/// template, such as `{"Ref": "AlertTopic"}`; `name` is what their names start with, such as
/// `${AWS::StackName}`. Names and descriptions are written for `Fn::Sub`.
pub fn alarms(book: &RuleBook, settings: &Settings, topic: &Value, name: &str) -> Alarms {
    let mut alarms = Alarms::default();
    for rule in &book.rules {
        match &rule.alarm {
            Alarm::EachSeries { function, source, period, periods } => {
                let query = insight(function, source);
                let properties = properties(rule, settings, (topic, name), &query, (*period, *periods));
                let resource = json!({"Type": "AWS::CloudWatch::Alarm", "Properties": properties});
                alarms.resources.insert(logical_id(&rule.name), resource);
            }
            Alarm::Nothing(why) => alarms.left_out.push((rule.name.clone(), why)),
        }
    }
    alarms
}

fn properties(
    rule: &Rule,
    settings: &Settings,
    (topic, name): (&Value, &str),
    query: &str,
    over: (u32, u32),
) -> Value {
    let (period, periods) = over;
    let comparison =
        settings.thresholds.find(&rule.measure).map_or(Comparison::Above, |measure| measure.comparison);
    let minutes = period * periods / 60;
    // A message about an alarm brings no labels: alert-router reads the measure from the query's label,
    // severity and runbook from the description.
    json!({
        "AlarmName": {"Fn::Sub": format!("{name}-{}", rule.name)},
        "AlarmDescription": {"Fn::Sub": format!(
            "{}. Severity {}. In force while the {} of {minutes} minutes is {} {}. Runbook: {}{}.md",
            rule.title, rule.band.as_str(), words(query), relation(comparison), number(rule.limit), settings.runbooks, rule.runbook,
        )},
        "Metrics": [{"Id": "q1", "Label": rule.measure, "Expression": query, "Period": period, "ReturnData": true}],
        "ComparisonOperator": operator(comparison),
        "Threshold": number(rule.limit),
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": periods,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
        "OKActions": [topic],
    })
}

/// `AVG(SafetyScore)` for people.
fn words(query: &str) -> &str {
    query.strip_prefix("SELECT ").and_then(|rest| rest.split(" FROM ").next()).unwrap_or(query)
}

fn insight(function: &str, source: &Source) -> String {
    let dimensions: Vec<&str> = source.dimension_names().collect();
    let dimensions = dimensions.join(", ");
    format!(
        "SELECT {function}({}) FROM SCHEMA(\"{}\", {dimensions}) GROUP BY {dimensions}",
        identifier(&source.metric),
        source.namespace
    )
}

/// A name with anything but letters, digits and `_` stands in double quotes.
fn identifier(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let starts_with_letter = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if is_plain && starts_with_letter { name.to_owned() } else { format!("\"{name}\"") }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Above => "GreaterThanThreshold",
        Comparison::AtLeast => "GreaterThanOrEqualToThreshold",
        Comparison::Below => "LessThanThreshold",
        Comparison::AtMost => "LessThanOrEqualToThreshold",
    }
}

/// `low-safety-critical` as `LowSafetyCriticalAlarm`.
fn logical_id(name: &str) -> String {
    let capital = |word: &str| {
        let (head, tail) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{tail}", head.to_ascii_uppercase())
    };
    let words: String = name.split(['-', '_']).map(capital).collect();
    format!("{words}Alarm")
}
