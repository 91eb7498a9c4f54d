//! The notification of an alarm on a query.
//!
//! AWS shows the notification of an alarm, and says that one about a contributor has other content,
//! which it does not show. The names of what is added here are those of `DescribeAlarmContributors`.

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, MetricDataQuery};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Contributor;

/// What CloudWatch tells when the contributor comes into its state.
pub(super) fn message(alarm: &MetricAlarm, contributor: &Contributor, at: Timestamp) -> Value {
    let arn = alarm.alarm_arn().unwrap_or_default();
    let (state, before) = if contributor.is_in_alarm { ("ALARM", "OK") } else { ("OK", "ALARM") };
    let attributes = contributor.attributes.iter().map(|(name, value)| format!("{name}={value}"));
    json!({
        "AlarmName": alarm.alarm_name(),
        "AlarmDescription": alarm.alarm_description(),
        "AWSAccountId": arn.split(':').nth(4),
        "AlarmConfigurationUpdatedTimestamp": time(at),
        "NewStateValue": state,
        "NewStateReason": reason(alarm, contributor),
        "StateChangeTime": time(at),
        "Region": "US East (N. Virginia)",
        "AlarmArn": arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions(),
        "AlarmActions": alarm.alarm_actions(),
        "InsufficientDataActions": alarm.insufficient_data_actions(),
        "AlarmContributorId": attributes.collect::<Vec<_>>().join(","),
        "AlarmContributorAttributes": contributor.attributes,
        "Trigger": {
            "EvaluationPeriods": alarm.evaluation_periods(),
            "DatapointsToAlarm": alarm.datapoints_to_alarm(),
            "ComparisonOperator": alarm.comparison_operator().map(ComparisonOperator::as_str),
            "Threshold": alarm.threshold(),
            "TreatMissingData": alarm.treat_missing_data(),
            "EvaluateLowSampleCountPercentile": "",
            "Metrics": alarm.metrics().iter().map(metric).collect::<Vec<_>>(),
        },
    })
}

fn metric(query: &MetricDataQuery) -> Value {
    let mut metric = json!({
        "Id": query.id(),
        "Expression": query.expression(),
        "Period": query.period(),
        "ReturnData": query.return_data().unwrap_or(true),
    });
    if let Some(label) = query.label() {
        metric["Label"] = label.into();
    }
    metric
}

fn reason(alarm: &MetricAlarm, contributor: &Contributor) -> String {
    let relation = match alarm.comparison_operator() {
        Some(ComparisonOperator::GreaterThanThreshold) => "greater than",
        Some(ComparisonOperator::GreaterThanOrEqualToThreshold) => "greater than or equal to",
        Some(ComparisonOperator::LessThanThreshold) => "less than",
        _ => "less than or equal to",
    };
    let datapoint = |(at, value): &(i64, f64)| {
        let at = Timestamp::from_second(*at).unwrap_or_default();
        format!("{value:?} ({})", at.strftime("%d/%m/%y %H:%M:%S"))
    };
    let datapoints: Vec<String> = contributor.datapoints.iter().map(datapoint).collect();
    let (count, shown) = (datapoints.len(), datapoints.join(", "));
    let limit = alarm.threshold().unwrap_or_default();
    if !contributor.is_in_alarm {
        return format!(
            "Threshold Crossed: {count} datapoint [{shown}] was not {relation} the threshold ({limit:?})."
        );
    }
    format!(
        "Threshold Crossed: {count} out of the last {} datapoints [{shown}] were {relation} the threshold ({limit:?}) \
         (minimum {} datapoints for OK -> ALARM transition).",
        alarm.evaluation_periods().unwrap_or(1),
        alarm.datapoints_to_alarm().unwrap_or(1),
    )
}

/// With an offset that RFC 3339 does not know.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}
