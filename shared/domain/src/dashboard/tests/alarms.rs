//! The version for CloudWatch: the same limits, the same metrics, and nothing left out in silence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::board::Origin;
use super::super::cloudwatch::{self, DashboardBody};
use super::super::grid::Place;
use super::super::{RUNBOOKS, json, shipped_files};
use super::{Given, list, text};

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
