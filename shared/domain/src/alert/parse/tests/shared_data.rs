//! Messages from the wild. They are not part of this repository: where the folder `../shared/data`
//! is missing, these tests say so and pass.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::alert::StateReason;

fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let found = Some(root.join("shared/data/alerts")).filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: ../shared is not here");
    }
    found
}

fn text(name: &str) -> Option<String> {
    Some(fs::read_to_string(folder()?.join(name)).unwrap())
}

fn opened(name: &str) -> Option<Vec<Parsed>> {
    let deliveries = open_text(&text(name)?);
    Some(deliveries.into_iter().map(|delivery| parse(&delivery.unwrap())).collect())
}

/// Family, then status and reason of each alert, its rule and component.
type Told<'a> = (Family, Status, Option<StateReason>, &'a str, Option<&'a str>);

fn told(parsed: &Parsed) -> Told<'_> {
    assert_eq!((parsed.alerts.len(), parsed.lost), (1, 0), "{parsed:?}");
    let alert = &parsed.alerts[0];
    assert_eq!(alert.family, parsed.family);
    (alert.family, alert.status, alert.state_reason, &alert.rule, alert.component())
}

#[test]
fn rendered_messages_say_the_same_as_text_and_as_json() {
    use Family::{GrafanaJson, GrafanaText};
    use Status::{Firing, Resolved};
    let gpt = Some("gpt-oss-20b");
    let (safety, composite) = ("Low Safety Score Alert", "Low Composite Quality Score Alert");
    for (name, status, reason, rule, component, value) in [
        ("llm_quality_firing", Firing, None, safety, gpt, Some(0.712)),
        ("llm_quality_resolved", Resolved, None, safety, gpt, Some(0.91)),
        ("llm_resolved_missing_series", Resolved, Some(StateReason::MissingSeries), composite, gpt, None),
        ("llm_datasource_no_data", Firing, Some(StateReason::NoData), composite, None, None),
    ] {
        let file = |suffix: &str| opened(&format!("rendered/{name}.{suffix}"));
        let Some(as_text) = file("sns_text.event.json") else { return };
        let as_json = file("sns_json.event.json").unwrap();
        assert_eq!(told(&as_text[0]), (GrafanaText, status, reason, rule, component), "{name}");
        assert_eq!(told(&as_json[0]), (GrafanaJson, status, reason, rule, component), "{name}");
        let (text, json) = (&as_text[0].alerts[0], &as_json[0].alerts[0]);
        assert_eq!(text.measured(), value, "{name}");
        let mut expected = json.clone();
        expected.family = GrafanaText;
        if json.links.dashboard.is_none() {
            expected.starts_at = None; // a text tells the start in the dashboard's address only
        }
        assert_eq!(text, &expected, "{name}");

        // The bare message and payload differ in the topic alone.
        let message = file("message.txt").unwrap();
        let payload = file("payload.json").unwrap();
        assert_eq!(message[0].alerts[0].key, payload[0].alerts[0].key, "{name}");
        assert_eq!(message[0].alerts[0].labels, text.labels);
        assert_eq!(payload[0].alerts[0].values, json.values);
    }
}

#[test]
fn a_rule_that_sees_nothing_is_another_alert_than_its_series_and_resolves_by_its_key() {
    let Some(firing) = opened("rendered/llm_quality_firing.sns_text.event.json") else { return };
    let resolved = opened("rendered/llm_quality_resolved.sns_json.event.json").unwrap();
    let silent = opened("rendered/llm_resolved_missing_series.sns_json.event.json").unwrap();
    let blind = opened("rendered/llm_datasource_no_data.sns_text.event.json").unwrap();
    assert_eq!(keys(&firing[0]), keys(&resolved[0]));
    assert_ne!(keys(&silent[0]), keys(&blind[0]));
    let threshold = firing[0].alerts[0].threshold.unwrap();
    assert_eq!((threshold.comparison, threshold.value), (crate::alert::Comparison::Below, 0.8));
    let ends_at = resolved[0].alerts[0].ends_at.unwrap().to_string();
    assert_eq!(ends_at, "2026-03-02T10:35:00Z");
}

#[test]
fn the_broken_bodies_of_grafana_11_1_give_an_alert_each() {
    let Some(bodies) = text("grafana_docs/grafana_11_1_broken_sns_message.json") else { return };
    let bodies: Vec<String> = serde_json::from_str(&bodies).unwrap();
    let subjects = ["[FIRING:1] Low Score (gpt)", "[RESOLVED] Low Score (gpt)"];
    let parsed: Vec<Parsed> = bodies
        .iter()
        .zip(subjects)
        .map(|(body, subject)| parse(&delivered(body.clone(), Some(subject))))
        .collect();
    assert_eq!(told(&parsed[0]), (Family::GrafanaText, Status::Firing, None, "Low Score", None));
    assert_eq!(told(&parsed[1]), (Family::GrafanaText, Status::Resolved, None, "Low Score", None));
    assert_eq!(keys(&parsed[0]), keys(&parsed[1]));
    assert_eq!(parsed[0].notes, [Note::SubjectOnly]);
}

#[test]
fn what_managed_grafana_documents_is_read() {
    let Some(json) = text("amg/legacy_json_message.json") else { return };
    let (json, plain) = (parsed(json), parsed(text("amg/legacy_text_message.txt").unwrap()));
    for one in [&json, &plain] {
        assert_eq!(told(one), (Family::ManagedGrafana, Status::Resolved, None, "alert text body", None));
        assert_eq!(one.alerts[0].annotation("text").map(str::trim), Some("alert text body"));
    }
    assert_eq!(keys(&json), keys(&plain));
    let settings = parsed(text("amg/notification_channel_api_example.json").unwrap());
    assert_eq!(told(&settings), (Family::Unknown, Status::Firing, None, "test", None));
}

#[test]
fn alertmanagers_default_text_is_read() {
    let Some(message) = text("alertmanager/sns_default_message_firing.txt") else { return };
    let parsed = parsed(message);
    assert_eq!(
        told(&parsed),
        (Family::Alertmanager, Status::Firing, None, "HighLatency", Some("gpt-oss-20b"))
    );
    let alert = &parsed.alerts[0];
    assert_eq!(alert.annotation("summary"), Some("p99 > 10s"));
    assert_eq!(alert.links.source.as_deref(), Some("http://prom/graph?g0.expr=x"));
}

#[test]
fn alarms_are_read_from_sns_from_lambda_and_from_eventbridge() {
    use Status::{Firing, Resolved};
    for (name, count, status, rule, metric, value) in [
        (
            "lambda_rust_fixtures/example-cloudwatch-alarm-sns-payload-single-metric.json",
            1,
            Firing,
            "EXAMPLE",
            Some("NetworkOut"),
            Some(1234.0),
        ),
        (
            "lambda_rust_fixtures/example-cloudwatch-alarm-sns-payload-multiple-metrics.json",
            2,
            Firing,
            "EXAMPLE",
            Some("NetworkOut"),
            Some(1234.0),
        ),
        (
            "terraform_notify_slack/messages_cloudwatch_alarm.json",
            1,
            Resolved,
            "DBMigrationRequired",
            Some("DBMigrationRequired"),
            Some(1.0),
        ),
        ("terraform_notify_slack/events_cloudwatch_alarm.json", 1, Firing, "Example", None, None),
        (
            "lambda_rust_fixtures/example-cloudwatch-alarm-metric.json",
            1,
            Firing,
            "lambda-demo-metric-alarm",
            Some("CallCount"),
            None,
        ),
        (
            "lambda_rust_fixtures/example-cloudwatch-alarm-composite.json",
            1,
            Firing,
            "CompositeDemo.Main",
            None,
            None,
        ),
        (
            "lambda_rust_fixtures/example-cloudwatch-alarm-composite-with-suppressor-alarm.json",
            1,
            Firing,
            "ServiceAggregatedAlarm",
            None,
            None,
        ),
    ] {
        let Some(parsed) = opened(name) else { return };
        assert_eq!(parsed.len(), count, "{name}");
        for one in &parsed {
            assert_eq!(told(one), (Family::CloudWatch, status, None, rule, None), "{name}");
            assert_eq!((one.alerts[0].metric(), one.alerts[0].measured()), (metric, value), "{name}");
            assert!(one.notes.is_empty(), "{name}: {:?}", one.notes);
            assert!(one.alerts[0].starts_at.or(one.alerts[0].ends_at).is_some(), "{name}");
        }
    }
    let composite = opened("lambda_rust_fixtures/example-cloudwatch-alarm-composite.json").unwrap();
    assert_eq!(composite[0].alerts[0].annotation("triggered_by"), Some("CompositeDemo.FirstChild"));
    assert_eq!(composite[0].alerts[0].starts_at.unwrap().to_string(), "2023-08-04T12:54:46.138Z");
}

#[test]
fn imitations_of_alarms_are_read_as_alarms() {
    let Some(mock) = text("keep/cloudwatch_alerts_mock.json") else { return };
    let mock: Value = serde_json::from_str(&mock).unwrap();
    for alarm in mock.as_object().unwrap().values() {
        let message = alarm["payload"]["Message"].to_string();
        let parsed = parsed(message);
        assert_eq!(parsed.family, Family::CloudWatch);
        let alert = &parsed.alerts[0];
        assert_eq!(Value::from(alert.rule.as_str()), alarm["payload"]["Message"]["AlarmName"]);
        assert_eq!(alert.threshold.map(|of| of.value), alarm["payload"]["Message"]["Threshold"].as_f64());
    }
}

#[test]
fn what_is_no_alert_comes_out_as_its_text() {
    for (name, count, rule) in [
        ("terraform_notify_slack/messages_backup.json", 4, "Notification from AWS Backup"),
        ("terraform_notify_slack/messages_text_message.json", 1, "All Fine"),
        ("terraform_notify_slack/messages_glue_notification.json", 1, "Glue Job State Change"),
        ("terraform_notify_slack/events_aws_health_event.json", 1, "AWS Health Event"),
        ("lambda_rust_fixtures/example-sns-event.json", 1, "Greetings"),
        ("lambda_rust_fixtures/example-sns-event-obj.json", 1, "Greetings"),
        ("lambda_rust_fixtures/example-sns-event-pascal-case.json", 1, "Greetings"),
    ] {
        let Some(parsed) = opened(name) else { return };
        assert_eq!(parsed.len(), count, "{name}");
        for one in &parsed {
            assert_eq!(told(one), (Family::Unknown, Status::Firing, None, rule, None), "{name}");
            assert!(one.alerts[0].annotation("text").is_some());
        }
    }
    let Some(glue) = opened("terraform_notify_slack/messages_glue_notification.json") else { return };
    assert_eq!(glue[0].alerts[0].label("severity"), Some("ERROR"));
}

#[test]
fn every_file_is_looked_at() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for group in
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        for file in fs::read_dir(group).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            for delivery in open_text(&text) {
                let parsed = parse(&delivery.unwrap());
                assert!(!parsed.alerts.is_empty());
            }
            count += 1;
        }
    }
    assert_eq!(count, 43, "a file came or went: these tests must know it");
}
