//! How Assay watches itself: alarms, the dashboard of its health and the saved queries in
//! `template.yaml`, against the names in code.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;

use domain::alert::rules::{self, Band, Rules};
use domain::capacity::publish;
use domain::metric::{ALERT_NAMESPACE, CATALOGUE, OPERATIONS_NAMESPACE};
use domain::verdict::Outcome;
use serde_json::Value;
use tests::project;
use tests::template::Template;

/// What AWS publishes about the parts of the stack, as far as it is watched.
const OF_AWS: &[(&str, &[&str])] = &[
    ("AWS/Lambda", &["Duration", "Errors", "Invocations", "Throttles"]),
    ("AWS/SQS", &["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]),
];

/// A namespace as the template writes it, and what is published there.
fn is_published(namespace: &str, metric: &str) -> bool {
    let in_catalogue = CATALOGUE.iter().any(|one| one.name == metric);
    let is_outcome = Outcome::ALL.iter().any(|outcome| outcome.metric_name() == metric);
    if let Some((_, known)) = OF_AWS.iter().find(|(name, _)| *name == namespace) {
        return known.contains(&metric);
    }
    match namespace {
        "${CapacityNamespace}" => publish::definitions().iter().any(|one| one.name == metric),
        ALERT_NAMESPACE => in_catalogue,
        other => {
            other == format!("{OPERATIONS_NAMESPACE}${{AWS::StackName}}") && (in_catalogue || is_outcome)
        }
    }
}

fn strings<'a>(node: &'a Value, found: &mut Vec<&'a str>) {
    match node {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// Namespace and name of everything that a metric, an alarm or a filter names.
fn metrics<'a>(node: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match node {
        Value::Object(fields) => {
            let namespace = fields.get("Namespace").or_else(|| fields.get("MetricNamespace"));
            if let (Some(namespace), Some(name)) = (namespace, fields.get("MetricName")) {
                let namespace = namespace["Fn::Sub"].as_str().or(namespace.as_str());
                found.push((namespace.unwrap(), name.as_str().unwrap()));
            }
            fields.values().for_each(|value| metrics(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| metrics(item, found)),
        _ => {}
    }
}

/// The dashboard as CloudWatch gets it with all that may be left out, but for the `${...}`.
fn dashboard(template: &Template) -> Value {
    let body = &template.resource("HealthDashboard")["Properties"]["DashboardBody"]["Fn::Sub"];
    let mut text = body[0].as_str().unwrap().to_owned();
    for (name, part) in body[1].as_object().unwrap() {
        let branches = &part["Fn::If"];
        assert_eq!(branches[2], "", "{name}");
        text = text.replace(&format!("${{{name}}}"), branches[1]["Fn::Sub"].as_str().unwrap());
    }
    // JSON knows no number like 05.
    let budget = &template.all()["Parameters"]["DailyBudgetUsd"]["AllowedPattern"];
    assert_eq!(budget, r"^(0|[1-9][0-9]*)(\.[0-9]+)?$");
    let text = text.replace("\"value\": ${DailyBudgetUsd}", "\"value\": 10");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_metric_that_is_watched_is_one_that_is_published() {
    let template = Template::load().unwrap();
    let mut found = Vec::new();
    for kind in ["AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter"] {
        template.resources(kind).into_iter().for_each(|(_, resource)| metrics(resource, &mut found));
    }
    assert!(found.len() > 15, "{found:?}");
    let dashboard = dashboard(&template);
    let mut searches = 0;
    for widget in dashboard["widgets"].as_array().unwrap() {
        for row in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            if let (Some(namespace), Some(name)) = (row[0].as_str(), row[1].as_str()) {
                found.push((namespace, name));
            } else {
                let expression = row[0]["expression"].as_str().unwrap();
                let quoted: Vec<&str> = expression.split('"').collect();
                found.push((quoted[1], quoted[3]));
                searches += 1;
            }
        }
    }
    assert!(searches >= 3);
    for (namespace, metric) in found {
        assert!(is_published(namespace, metric), "nobody publishes {metric} in {namespace}");
    }
    let blind = &template.resource("MeterBlindAlarm")["Properties"]["Metrics"][0]["Expression"]["Fn::Sub"];
    assert_eq!(blind, "SELECT MAX(MeterBlind) FROM \"${CapacityNamespace}\"");
    assert!(is_published("${CapacityNamespace}", "MeterBlind"));
}

#[test]
fn every_alarm_tells_somebody_and_those_of_operators_stand_on_the_dashboard() {
    let template = Template::load().unwrap();
    let shown = dashboard(&template)["widgets"][0]["properties"]["alarms"].clone();
    let body = &template.resource("HealthDashboard")["Properties"]["DashboardBody"]["Fn::Sub"];
    let mut operators = 0;
    for (id, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let (condition, alarm) = (&alarm["Condition"], &alarm["Properties"]);
        assert!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.len() > 30), "{id}");
        assert!(alarm["TreatMissingData"].is_string(), "{id} does not say what a gap means");
        for state in ["AlarmActions", "OKActions"] {
            let topic = alarm[state][0]["Ref"].as_str().unwrap_or_default();
            assert!(["OperatorsTopic", "AlertTopic"].contains(&topic), "{id} tells nobody: {state}");
        }
        if alarm["AlarmActions"][0]["Ref"] == "OperatorsTopic" {
            operators += 1;
            let arn = Value::from(format!("${{{id}.Arn}}"));
            assert!(shown.as_array().unwrap().contains(&arn), "{id} is not on the dashboard");
            // A dashboard that names an alarm which is not there cannot be deployed.
            let mut parts = body[1].as_object().unwrap().values().map(|part| &part["Fn::If"]);
            let part = parts.find(|part| part[1].to_string().contains(&format!("${{{id}.Arn}}")));
            assert_eq!(part.map_or(&Value::Null, |part| &part[0]), condition, "{id} on the dashboard");
        }
    }
    assert_eq!(shown.as_array().unwrap().len(), operators, "the dashboard shows alarms that there are not");
}

/// A star marks those that `Observability` leaves out.
#[test]
fn every_alarm_is_explained_to_operators() {
    let template = Template::load().unwrap();
    let page = fs::read_to_string(project::root().join("docs/operations.md")).unwrap();
    let (_, section) = page.split_once("\n## Alarms\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let explained: BTreeSet<String> = rows.filter(|cell| cell.starts_with('`')).map(str::to_owned).collect();
    let alarms = template.resources("AWS::CloudWatch::Alarm").into_iter();
    let expected = alarms.map(|(id, alarm)| {
        let mark = if alarm["Condition"] == "IsWatchedFully" { " *" } else { "" };
        format!("`{id}`{mark}")
    });
    assert_eq!(explained, expected.collect(), "left: docs/operations.md, right: the template");
}

/// An alarm on failures is still when nothing runs. A run is due in each of its periods.
#[test]
fn an_alarm_tells_when_the_schedule_starts_no_run() {
    let template = Template::load().unwrap();
    let alarm = template.resource("MeterSilentAlarm");
    assert_eq!(alarm["Condition"], "MetersOnSchedule");
    let alarm = &alarm["Properties"];
    assert_eq!(alarm["TreatMissingData"], "breaching");
    assert_eq!(alarm["Dimensions"][0]["Value"]["Ref"], "CapacityMeterFunction");
    let rarest = template.all()["Parameters"]["MeterSchedule"]["ConstraintDescription"].as_str().unwrap();
    assert!(rarest.contains("at most 15 minutes"), "{rarest}");
    assert_eq!(alarm["Period"], 15 * 60);
}

#[test]
fn every_function_and_every_dead_letter_queue_has_an_alarm() {
    let template = Template::load().unwrap();
    let mut watched = BTreeSet::new();
    for (_, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let alarm = &alarm["Properties"];
        let name = alarm["MetricName"].as_str().unwrap_or_default();
        let of = &alarm["Dimensions"][0]["Value"];
        let of = of["Ref"].as_str().or(of["Fn::GetAtt"][0].as_str());
        watched.extend(of.map(|of| format!("{name} {of}")));
        for query in alarm["Metrics"].as_array().into_iter().flatten() {
            let metric = &query["MetricStat"]["Metric"];
            let name = metric["MetricName"].as_str().unwrap_or_default();
            watched.extend(metric["Dimensions"][0]["Value"]["Ref"].as_str().map(|of| format!("{name} {of}")));
        }
    }
    // Whoever deploys is told by CloudFormation what grafana-provisioner could not do.
    let functions = template.resources("AWS::Serverless::Function").into_iter();
    for (id, _) in functions.filter(|(id, _)| *id != "GrafanaProvisionerFunction") {
        for metric in ["Errors", "Throttles"] {
            assert!(watched.contains(&format!("{metric} {id}")), "no alarm on the {metric} of {id}");
        }
    }
    for (id, _) in
        template.resources("AWS::SQS::Queue").into_iter().filter(|(id, _)| id.contains("DeadLetter"))
    {
        let wanted = format!("ApproximateNumberOfMessagesVisible {id}");
        assert!(watched.contains(&wanted), "no alarm on what waits in {id}");
    }
}

#[test]
fn the_limits_of_alarms_are_those_of_the_alerts_file() {
    let template = Template::load().unwrap();
    let rules = Rules::from_toml("config/alerts.toml", rules::SHIPPED).unwrap();
    for (alarm, measure, band) in [
        ("JudgeFailuresAlarm", "JudgeFailingShare", Band::Critical),
        ("JudgeSpendAlarm", "JudgeBudgetShare", Band::Warning),
        ("MeterBlindAlarm", "MeterBlind", Band::Warning),
    ] {
        let limit = rules.thresholds().find(measure).unwrap().limit(band);
        let threshold = template.resource(alarm)["Properties"]["Threshold"].as_f64();
        assert_eq!(threshold, limit, "{alarm} and {measure} in config/alerts.toml");
    }
}

/// What filters and queries read of a log line is what a function writes into it.
#[test]
fn every_field_that_is_read_from_a_log_is_written() {
    let template = Template::load().unwrap();
    let sources: String = ["quality-judge", "capacity-meter", "alert-router"]
        .into_iter()
        .flat_map(|name| fs::read_dir(project::root().join("functions").join(name).join("src")).unwrap())
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok())
        .collect();
    let mut texts = Vec::new();
    for kind in ["AWS::Logs::MetricFilter", "AWS::Logs::QueryDefinition", "AWS::CloudWatch::Dashboard"] {
        template.resources(kind).into_iter().for_each(|(_, resource)| strings(resource, &mut texts));
    }
    let mut read = BTreeSet::new();
    for text in texts {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let fields = text.split("fields.").skip(1);
        read.extend(fields.map(|rest| rest.split(|letter| !is_name(letter)).next().unwrap()));
    }
    assert!(read.len() > 15, "{read:?}");
    for field in read {
        let is_written =
            [format!("{field} ="), format!("%{field},"), format!(" {field},\n"), format!("{field}, ")]
                .iter()
                .any(|form| sources.contains(form));
        assert!(is_written || field == "message", "no function logs a field {field}");
    }
    for message in ["invocation done", "endpoint metered", "object not judged", "object dropped"] {
        assert!(sources.contains(&format!("\"{message}")), "no function logs {message:?}");
    }
}
