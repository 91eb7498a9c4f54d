//! The version for CloudWatch: the same limits, the same metrics, and nothing left out in silence.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::board::Origin;
use super::super::cloudwatch::{self, DashboardBody};
use super::super::grid::Place;
use super::super::{RUNBOOKS, json, shipped_files};
use super::{Given, list, text};
use crate::alert::Family;
use crate::alert::parse::{open_text, parse};
use crate::alert::rules::Signal;
use crate::dashboard::rules::About;

fn bodies(given: &Given) -> Vec<DashboardBody> {
    given.boards().iter().map(|board| cloudwatch::dashboard(board, &given.settings(), "REGION")).collect()
}

#[test]
fn every_rule_is_an_alarm_with_the_same_limit_or_is_named_with_a_reason() {
    for given in [Given::shipped(), Given::with_every_dimension(), Given::renamed()] {
        let book = given.book();
        let alarms = cloudwatch::alarms(&book, &given.settings(), &json!({"Ref": "Topic"}), "${Name}");
        assert_eq!(alarms.resources.len() + alarms.left_out.len(), book.rules.len());
        for rule in &book.rules {
            let name = format!("${{Name}}-{}", rule.name);
            let alarm =
                alarms.resources.values().find(|one| one["Properties"]["AlarmName"]["Fn::Sub"] == name);
            let left_out = alarms.left_out.iter().find(|(left_out, _)| *left_out == rule.name);
            assert!(alarm.is_some() != left_out.is_some(), "{name}");
            let Some(alarm) = alarm else { continue };
            let properties = &alarm["Properties"];
            assert_eq!(properties["Threshold"], json::number(rule.limit));
            assert_eq!(properties["AlarmActions"], json!([{"Ref": "Topic"}]));
            assert!(text_of(&properties["AlarmDescription"]).ends_with(&format!("/{}.md", rule.runbook)));
            let metric = &properties["Metrics"][0];
            let query = text(metric, "Expression");
            assert!(query.contains("GROUP BY") && query.contains("FROM SCHEMA("), "{query}");
            // Three hours are all that such an alarm sees.
            let span = metric["Period"].as_u64().unwrap() * properties["EvaluationPeriods"].as_u64().unwrap();
            assert!(span <= 3 * 3600, "{span}");
        }
        assert!(alarms.resources.keys().all(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric())));
        assert!(alarms.resources.len() <= 200);
    }
}

/// The message of an alarm for one series of its query, as SNS carries it: no label says anything.
fn message(alarm: &Value) -> String {
    let query = &alarm["Metrics"][0];
    let (_, dimensions) = text(query, "Expression").split_once("GROUP BY ").unwrap();
    let attributes: BTreeMap<&str, &str> = dimensions.split(", ").map(|name| (name, "chat-1")).collect();
    let mut trigger = alarm.clone();
    let trigger_fields = trigger.as_object_mut().unwrap();
    trigger_fields.retain(|name, _| ["Metrics", "ComparisonOperator", "Threshold"].contains(&name.as_str()));
    json!({
        "AlarmName": text_of(&alarm["AlarmName"]),
        "AlarmDescription": text_of(&alarm["AlarmDescription"]).replace("${RunbookBaseUrl}", RUNBOOKS),
        "NewStateValue": "ALARM",
        "OldStateValue": "OK",
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": "2026-03-02T10:12:00.123+0000",
        "Trigger": trigger,
        "AlarmContributorAttributes": attributes,
    })
    .to_string()
}

#[test]
fn alert_router_understands_every_alarm_of_the_template() {
    let files: BTreeMap<String, String> = shipped_files().unwrap().into_iter().collect();
    let template: Value = serde_json::from_str(&files["cloudwatch.template.json"]).unwrap();
    let given = Given::shipped();
    let mut signals: BTreeMap<String, Signal> = BTreeMap::new();
    for rule in given.book().rules {
        let name = format!("${{Name}}-{}", rule.name);
        let resources = template["Resources"].as_object().unwrap().values();
        let mut alarms = resources.map(|one| &one["Properties"]);
        let Some(alarm) = alarms.find(|one| one["AlarmName"]["Fn::Sub"] == name) else { continue };
        let parsed = parse(&open_text(&message(alarm)).remove(0).unwrap());
        assert_eq!((parsed.family, parsed.lost, parsed.notes.as_slice()), (Family::CloudWatch, 0, &[][..]));
        let alert = &parsed.alerts[0];
        let decision = given.rules.classify(alert, &BTreeMap::new(), Timestamp::UNIX_EPOCH);
        assert_eq!(decision.metric.as_ref(), Some(&rule.measure), "{name}");
        assert_eq!((Some(decision.severity()), &decision.unknown_severity), (rule.band.severity(), &None));
        assert_eq!(alert.threshold.map(|of| of.value), Some(rule.limit));
        assert!(alert.links.runbook.as_ref().unwrap().ends_with(&format!("/{}.md", rule.runbook)), "{name}");
        let about = [decision.subject.component, decision.subject.endpoint].map(|name| name.is_some());
        let named = match rule.about {
            About::Component => [true, true],
            About::ComponentOnly => [true, false],
            About::Endpoint => [false, true],
            About::Judge => [decision.signal == Signal::Other, true],
        };
        assert_eq!(about, named, "{name}");
        signals.insert(rule.measure, decision.signal);
    }
    let quality =
        |measure: &str| measure.ends_with("Score") || ["LeakedSecrets", "PromptLeaks"].contains(&measure);
    for (measure, signal) in &signals {
        let expected = match measure.as_str() {
            score if quality(score) => Signal::Quality,
            "MeterBlind" | "SamplesOverBudget" => Signal::Other,
            _ => Signal::Quantity,
        };
        assert_eq!(*signal, expected, "{measure}");
    }
    assert!(signals.len() > 8, "{signals:?}");
}

#[test]
fn the_nested_template_asks_for_what_it_needs_and_holds_every_dashboard_and_alarm() {
    let files: BTreeMap<String, String> = shipped_files().unwrap().into_iter().collect();
    let template: Value = serde_json::from_str(&files["cloudwatch.template.json"]).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    let kinds = |kind: &str| resources.values().filter(|one| one["Type"] == kind).count();
    assert_eq!(kinds("AWS::CloudWatch::Dashboard"), 3);
    let given = Given::shipped();
    let alarms = cloudwatch::alarms(&given.book(), &given.settings(), &json!({}), "");
    assert_eq!(kinds("AWS::CloudWatch::Alarm"), alarms.resources.len());
    assert!(resources.len() > 15, "{}", resources.len());
    assert_eq!(template["Parameters"]["RunbookBaseUrl"]["Default"], RUNBOOKS);
    for alarm in resources.values().filter(|one| one["Type"] == "AWS::CloudWatch::Alarm") {
        let description = text_of(&alarm["Properties"]["AlarmDescription"]);
        assert!(description.contains("Runbook: ${RunbookBaseUrl}"), "{description}");
    }
    // What is to be replaced is a parameter, or known to CloudFormation.
    let text = template.to_string().replace("${!", "");
    for part in text.split("${").skip(1) {
        let name = part.split('}').next().unwrap();
        assert!(name == "AWS::Region" || template["Parameters"][name].is_object(), "{name}");
    }
    for kind in ["quantity", "quality", "models"] {
        let id = format!("{}{}Dashboard", kind[..1].to_uppercase(), &kind[1..]);
        let body: Value =
            serde_json::from_str(text_of(&resources[&id]["Properties"]["DashboardBody"])).unwrap();
        let alone: Value = serde_json::from_str(&files[&format!("cloudwatch-{kind}.json")]).unwrap();
        assert_eq!(body, alone);
    }
}

fn text_of(sub: &Value) -> &str {
    super::text(sub, "Fn::Sub")
}

#[test]
fn cloudwatch_draws_every_panel_that_needs_no_join_with_the_same_lines() {
    let given = Given::with_every_dimension();
    for (board, drawn) in given.boards().iter().zip(bodies(&given)) {
        let needs_join: BTreeSet<&str> = board
            .panels()
            .filter(|(_, panel)| {
                panel.targets.iter().any(|target| !matches!(target.origin, Origin::CloudWatch(_)))
            })
            .map(|(_, panel)| panel.key.as_str())
            .collect();
        assert_eq!(drawn.left_out.iter().map(|one| one.panel.as_str()).collect::<BTreeSet<_>>(), needs_join);
        let widgets = list(&drawn.body["widgets"]);
        for (_, panel) in board
            .panels()
            .filter(|(_, panel)| !needs_join.contains(panel.key.as_str()) && !panel.targets.is_empty())
        {
            let widget = widgets.iter().find(|one| one["properties"]["title"] == panel.title.as_str());
            let widget = widget.unwrap_or_else(|| panic!("{} is not drawn", panel.title));
            let measure = panel.limits.as_deref().and_then(|name| given.rules.thresholds().find(name));
            let limits = measure
                .map(|one| [one.warning, one.critical])
                .into_iter()
                .flatten()
                .flatten()
                .map(json::number);
            let lines = list(&widget["properties"]["annotations"]["horizontal"])
                .iter()
                .map(|line| line["value"].clone());
            assert_eq!(lines.collect::<Vec<_>>(), limits.collect::<Vec<_>>(), "{}", panel.title);
        }
    }
}

#[test]
fn a_search_names_all_dimensions_and_is_short_enough() {
    for given in [Given::with_every_dimension(), Given::renamed()] {
        for drawn in bodies(&given) {
            let widgets = list(&drawn.body["widgets"]);
            assert!(widgets.len() <= 500);
            let mut places: Vec<Place> = Vec::new();
            for widget in widgets {
                let at = |key: &str| u32::try_from(widget[key].as_u64().unwrap()).unwrap();
                let place = Place { x: at("x"), y: at("y"), width: at("width"), height: at("height") };
                assert!(
                    place.x + place.width <= 24 && places.iter().all(|other| !place.overlaps(*other)),
                    "{widget}"
                );
                places.push(place);
                let metrics = list(&widget["properties"]["metrics"]);
                assert!(metrics.len() <= 100);
                for metric in metrics {
                    let expression = text(&metric[0], "expression");
                    assert!(expression.starts_with("SEARCH('{") && expression.len() < 1024, "{expression}");
                    let schema = expression.split(['{', '}']).nth(1).unwrap();
                    let names_endpoint = schema.split(',').any(|name| name == "EndpointName");
                    assert_eq!(
                        names_endpoint,
                        expression.contains("EndpointName=\"CHOSENENDPOINT\""),
                        "{expression}"
                    );
                }
            }
            let body = drawn.body.to_string();
            let variable = &drawn.body["variables"][0];
            assert_eq!(
                (&variable["pattern"], &variable["defaultValue"]),
                (&json!("CHOSENENDPOINT"), &json!("__FIRST"))
            );
            assert!(!text(variable, "search").contains("CHOSENENDPOINT"));
            assert!(body.len() < 500_000);
        }
    }
}
