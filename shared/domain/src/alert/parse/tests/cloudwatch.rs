//! Alarms in every state and of every kind.

use proptest::prelude::*;

use super::*;
use crate::alert::{Comparison, StateReason, Threshold};

const ARN: &str = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:gpu-memory";

fn alarm(name: &str, state: &str, before: &str, reason: &str) -> Value {
    json!({
        "AlarmName": name,
        "AlarmDescription": null,
        "AWSAccountId": "111122223333",
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": "2026-03-02T10:12:00.123+0000",
        "Region": "EU (Ireland)",
        "AlarmArn": format!("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}"),
        "OldStateValue": before,
        "Trigger": {
            "MetricName": "GPUMemoryUtilization",
            "Namespace": "/aws/sagemaker/InferenceComponents",
            "StatisticType": "Statistic",
            "Statistic": "AVERAGE",
            "Unit": null,
            "Dimensions": [
                {"name": "EndpointName", "value": "support-chat"},
                {"name": "InferenceComponentName", "value": "gpt-oss-20b"},
            ],
            "Period": 60,
            "EvaluationPeriods": 2,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 90.0,
            "TreatMissingData": "missing",
        },
    })
}

#[test]
fn an_alarm_of_one_metric_is_read_whole() {
    let reason = "Threshold Crossed: 2 out of the last 2 datapoints [97.25 (02/03/26 10:11:00), \
                  93.0 (02/03/26 10:10:00)] were greater than or equal to the threshold (90.0).";
    let alert = only(alarm("gpu-memory", "ALARM", "OK", reason).to_string());
    assert_eq!((alert.family, alert.status, alert.state_reason), (Family::CloudWatch, Status::Firing, None));
    assert_eq!((alert.component(), alert.endpoint()), (Some("gpt-oss-20b"), Some("support-chat")));
    assert_eq!((alert.metric(), alert.measured()), (Some("GPUMemoryUtilization"), Some(97.25)));
    assert_eq!(alert.threshold, Some(Threshold { comparison: Comparison::AtLeast, value: 90.0 }));
    assert_eq!(alert.starts_at.unwrap().to_string(), "2026-03-02T10:12:00.123Z");
    assert_eq!(
        (alert.ends_at, alert.annotation("reason"), alert.annotation("description")),
        (None, Some(reason), None)
    );
    assert_eq!(
        alert.links.source.as_deref(),
        Some(
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/gpu-memory"
        )
    );
}

#[test]
fn each_change_of_state_has_its_meaning() {
    use StateReason::NoData;
    use Status::{Firing, Resolved};
    let unseen =
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as";
    for (state, before, reason, expected) in [
        ("ALARM", "OK", "", (Firing, None)),
        ("ALARM", "INSUFFICIENT_DATA", "", (Firing, None)),
        ("ALARM", "OK", &format!("{unseen} [Breaching]."), (Firing, None)),
        ("OK", "ALARM", "", (Resolved, None)),
        ("OK", "ALARM", &format!("{unseen} [NonBreaching]."), (Resolved, Some(NoData))),
        ("INSUFFICIENT_DATA", "ALARM", "", (Resolved, Some(NoData))),
        ("INSUFFICIENT_DATA", "OK", "", (Firing, Some(NoData))),
        ("INSUFFICIENT_DATA", "", "", (Firing, Some(NoData))),
        ("SOMETHING_NEW", "OK", "", (Firing, None)),
    ] {
        let alert = only(alarm("gpu-memory", state, before, reason).to_string());
        assert_eq!((alert.status, alert.state_reason), expected, "{before} to {state}: {reason}");
        assert_eq!(alert.ends_at.is_some(), alert.status == Resolved);
    }
}

#[test]
fn an_alarm_is_the_same_by_every_way_and_in_every_state() {
    let sns = alarm("gpu-memory", "ALARM", "OK", "");
    let mut without_arn = alarm("gpu-memory", "OK", "ALARM", "");
    without_arn.as_object_mut().unwrap().remove("AlarmArn");
    let state = json!({"value": "ALARM", "reason": "", "timestamp": "2026-03-02T10:12:00.123+0000"});
    let data = json!({"alarmName": "gpu-memory", "state": state, "configuration": {}});
    let lambda = json!({"source": "aws.cloudwatch", "alarmArn": ARN, "accountId": "111122223333",
        "region": "eu-west-1", "time": "2026-03-02T10:12:00.123+0000", "alarmData": data});
    let event_bridge = json!({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
        "account": "111122223333", "region": "eu-west-1", "resources": [ARN], "detail": data});
    let key = only(sns.to_string()).key;
    for other in [&without_arn, &lambda, &event_bridge] {
        assert_eq!(only(other.to_string()).key, key);
    }
    let direct = open(lambda).remove(0).unwrap();
    assert_eq!(parse(&direct).alerts[0].key, key, "without a topic too");
    assert_ne!(only(alarm("other", "ALARM", "OK", "").to_string()).key, key);
}

#[test]
fn a_direct_event_tells_value_limit_and_beginning() {
    let reason = "Threshold Crossed: 1 out of the last 1 datapoints [0.5 (02/03/26 10:11:00)] was less than the \
                  threshold (0.75) (minimum 1 datapoint for OK -> ALARM transition).";
    let points = r#"{"evaluatedDatapoints":[{"timestamp":"2026-03-02T10:11:00.000+0000","value":0.5125}]}"#;
    let dimensions = json!({"InferenceComponentName": "qwen-7b", "EndpointName": "support-chat"});
    let metric = json!({"name": "CompositeQualityScore", "namespace": "/aws/sagemaker/inference-quality/",
        "dimensions": dimensions});
    let event = json!({"source": "aws.cloudwatch", "account": "111122223333", "region": "eu-west-1",
    "resources": [ARN], "detail": {
        "alarmName": "gpu-memory",
        "configuration": {"description": "d", "metrics": [
            {"id": "m1", "metricStat": {"metric": metric, "stat": "Average"}, "returnData": true}]},
        "previousState": {"value": "OK", "timestamp": "2026-03-02T09:00:00.000+0000"},
        "state": {"value": "ALARM", "reason": reason, "reasonData": points,
            "timestamp": "2026-03-02T10:12:00.000+0000"},
    }});
    let alert = only(event.to_string());
    assert_eq!((alert.component(), alert.measured()), (Some("qwen-7b"), Some(0.5125)));
    assert_eq!(alert.threshold, Some(Threshold { comparison: Comparison::Below, value: 0.75 }));
    assert_eq!(alert.starts_at.unwrap().to_string(), "2026-03-02T10:12:00Z");
}

#[test]
fn an_expression_has_the_dimensions_on_which_its_metrics_agree() {
    let metric = |id: &str, name: &str, component: &str| {
        json!({"Id": id, "ReturnData": false, "MetricStat": {"Period": 60, "Stat": "Sum", "Metric": {
            "MetricName": name, "Namespace": "AWS/SageMaker", "Dimensions": [
                {"name": "EndpointName", "value": "support-chat"},
                {"name": "InferenceComponentName", "value": component}]}}})
    };
    let expression = json!({"Id": "e1", "Expression": "m1/m2", "Label": "error rate", "ReturnData": true});
    let math = |metrics: Value| {
        let mut alarm =
            alarm("rate", "ALARM", "OK", "1 datapoint [0.2 (x)] was greater than the threshold (0.1).");
        alarm["Trigger"] =
            json!({"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.1, "Metrics": metrics});
        only(alarm.to_string())
    };
    let alert = math(json!([expression, metric("m1", "Errors", "a"), metric("m2", "Calls", "a")]));
    assert_eq!((alert.component(), alert.metric()), (Some("a"), Some("error rate")));
    assert_eq!(alert.values.get("error rate"), Some(&0.2));
    let alert = math(json!([expression, metric("m1", "Errors", "a"), metric("m2", "Errors", "b")]));
    assert_eq!(
        (alert.component(), alert.endpoint(), alert.metric()),
        (None, Some("support-chat"), Some("Errors"))
    );
    let anomaly = json!({"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "Label": "band", "ReturnData": true});
    let mut alarm = alarm("band", "ALARM", "OK", "");
    alarm["Trigger"] = json!({"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
        "ThresholdMetricId": "ad1", "Metrics": [anomaly, metric("m1", "Calls", "a")]});
    let alert = only(alarm.to_string());
    assert_eq!((alert.threshold, alert.metric()), (None, Some("Calls")));
}

#[test]
fn a_query_is_named_by_its_label_else_by_what_it_asks_for() {
    for (label, expression, metric) in [
        (
            None,
            "SELECT AVG(SafetyScore) FROM SCHEMA(\"n\", EndpointName) GROUP BY EndpointName",
            "SafetyScore",
        ),
        (None, "select max( \"tone (formal)\" ) from \"n\"", "tone (formal)"),
        (Some("Query1"), "SELECT AVG(SafetyScore) FROM \"n\"", "SafetyScore"),
        (Some("ErrorShare"), "SELECT AVG(Invocation5XXErrors) FROM \"n\"", "ErrorShare"),
        (Some("Expression1"), "m1 / m2", "Expression1"),
        (None, "SELECT", "q1"),
    ] {
        let mut query = json!({"Id": "q1", "Expression": expression, "ReturnData": true});
        if let Some(label) = label {
            query["Label"] = label.into();
        }
        let mut alarm = alarm("a", "ALARM", "OK", "");
        alarm["Trigger"] = json!({"Metrics": [query]});
        assert_eq!(only(alarm.to_string()).metric(), Some(metric));
    }
}

#[test]
fn a_description_states_severity_and_runbook() {
    for (description, severity, runbook) in [
        (
            "Low. Severity critical. Runbook: https://a.example/low.md",
            Some("critical"),
            Some("https://a.example/low.md"),
        ),
        ("Severity 1 incidents go to ops. Runbook: our wiki", None, None),
    ] {
        let mut alarm = alarm("a", "ALARM", "OK", "");
        alarm["AlarmDescription"] = description.into();
        let alert = only(alarm.to_string());
        assert_eq!((alert.label("severity"), alert.links.runbook.as_deref()), (severity, runbook));
    }
}

#[test]
fn a_composite_alarm_names_its_children() {
    let mut alarm = alarm("endpoint-bad", "ALARM", "OK", "arn:... transitioned to ALARM");
    let object = alarm.as_object_mut().unwrap();
    object.remove("Trigger");
    object.insert("AlarmRule".into(), "ALARM(gpu-memory) OR ALARM(latency)".into());
    object.insert("TriggeringChildren".into(), json!([{"Arn": ARN, "State": {"Value": "ALARM"}}]));
    object.insert("ActionsSuppressedBy".into(), "WaitPeriod".into());
    let alert = only(alarm.to_string());
    assert_eq!(alert.annotation("triggered_by"), Some("gpu-memory"));
    assert_eq!(alert.annotation("alarm_rule"), Some("ALARM(gpu-memory) OR ALARM(latency)"));
    assert_eq!(alert.annotation("suppressed_by"), Some("WaitPeriod"));
    assert!(alert.labels.is_empty() && alert.values.is_empty());
}

#[test]
fn each_contributor_of_an_alarm_is_an_alert_of_its_own() {
    let of = |component: &str, nested: bool| {
        let mut alarm = alarm("quality-fleet", "ALARM", "OK", "");
        alarm["Trigger"] =
            json!({"Metrics": [{"Id": "q1", "Expression": "SELECT AVG(x) ...", "ReturnData": true}]});
        let attributes = json!({"InferenceComponentName": component});
        if nested {
            alarm["AlarmContributor"] = json!({"ContributorAttributes": attributes});
        } else {
            alarm["AlarmContributorId"] = component.into();
            alarm["AlarmContributorAttributes"] = attributes;
        }
        only(alarm.to_string())
    };
    for nested in [false, true] {
        let (a, b) = (of("a", nested), of("b", nested));
        assert_eq!((a.component(), b.component()), (Some("a"), Some("b")));
        assert_ne!(a.key, b.key);
        assert_eq!(a.key, of("a", nested).key);
    }
}

#[test]
fn the_console_is_that_of_the_partition() {
    for (region, start) in [
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
        ("us-east-1", "https://us-east-1.console.aws.amazon.com/"),
    ] {
        let mut alarm = alarm("a", "ALARM", "OK", "");
        alarm["AlarmArn"] = format!("arn:aws:cloudwatch:{region}:111122223333:alarm:a b/c:d").into();
        alarm["AlarmName"] = "a b/c:d".into();
        let address = only(alarm.to_string()).links.source.unwrap();
        assert!(address.starts_with(start) && address.ends_with("alarm/a%20b%2Fc%3Ad"), "{address}");
    }
    let mut alarm = alarm("a", "ALARM", "OK", "");
    alarm["AlarmArn"] = "arn:aws:cloudwatch:evil.example.com/?-:1:alarm:a".into();
    assert_eq!(only(alarm.to_string()).links.source, None);
}

proptest! {
    #[test]
    fn whatever_fields_are_missing_or_odd_an_alarm_is_one_alert(
        name in "[ -~]{1,40}", odd in prop::sample::select(vec![Value::Null, json!(1), json!([]), json!({}), json!("")]),
        field in any::<prop::sample::Index>(), in_trigger in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!name.trim().is_empty());
        let mut alarm = alarm(&name, "ALARM", "OK", "");
        let fields: Vec<String> = alarm.as_object().unwrap().keys().filter(|name| *name != "AlarmName").cloned().collect();
        let fields_of_trigger: Vec<String> = alarm["Trigger"].as_object().unwrap().keys().cloned().collect();
        alarm["Trigger"][in_trigger.get(&fields_of_trigger)] = odd.clone();
        alarm[field.get(&fields)] = odd;
        let alert = only(alarm.to_string());
        prop_assert_eq!((alert.family, alert.status, &alert.rule), (Family::CloudWatch, Status::Firing, &name));
    }

    #[test]
    fn an_alarm_cut_anywhere_is_still_one_alert(at in any::<prop::sample::Index>()) {
        let message = alarm("gpu-memory", "ALARM", "OK", "a \"quoted\" reason").to_string();
        let parsed = parse(&cut(&message, 1 + at.index(message.len() - 1), Some("ALARM: \"gpu-memory\" in EU")));
        prop_assert_eq!((parsed.alerts.len(), parsed.lost, parsed.alerts[0].status), (1, 1, Status::Firing));
    }
}
