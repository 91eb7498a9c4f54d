//! What a linter would ask of the rules' JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::grafana::{self, Routing, RuleScope, SeriesLabels, SnsShape, Wiring};
use super::super::json;
use super::super::query::Step;
use super::super::rules::{Group, Timed};
use super::{Given, list, text, wiring};
use crate::alert::rules::Band;

fn all_rules() -> Vec<(Given, Vec<Value>)> {
    let given = [Given::shipped(), Given::with_every_dimension(), Given::renamed()];
    given
        .into_iter()
        .map(|given| (given.rules(RuleScope::EveryEndpoint), given))
        .map(|(rules, given)| (given, rules))
        .collect()
}

#[test]
fn a_workspace_takes_all_rules_even_with_every_dimension_on() {
    for (_, rules) in all_rules() {
        assert!(rules.len() <= 100, "{}", rules.len());
        let unique = |key: &str| rules.iter().map(|rule| text(rule, key)).collect::<BTreeSet<_>>().len();
        assert_eq!((unique("uid"), unique("title")), (rules.len(), rules.len()));
        for rule in &rules {
            assert!(text(rule, "uid").len() <= 40 && text(rule, "title").len() <= 190);
        }
    }
}

#[test]
fn every_limit_in_alerts_toml_has_its_rule_with_exactly_that_limit() {
    let given = Given::with_every_dimension();
    let book = given.book();
    assert_eq!(book.without_limit, Vec::<String>::new());
    for measure in given.rules.thresholds().iter() {
        for band in [Band::Warning, Band::Critical] {
            let found = book.rules.iter().find(|rule| rule.measure == measure.name && rule.band == band);
            assert_eq!(
                found.map(|rule| rule.limit),
                measure.limit(band),
                "{} {}",
                measure.name,
                band.as_str()
            );
        }
    }
    let rules = given.rules(RuleScope::EveryEndpoint);
    for (rule, written) in book.rules.iter().zip(ordered(&book.rules, &rules)) {
        let condition = list(&written["data"]).iter().find(|step| step["refId"] == "C").unwrap();
        let formula = text(&condition["model"], "expression");
        assert!(formula.starts_with("$B "), "{formula}");
        assert_eq!(formula.split(' ').nth(2).unwrap(), json::number(rule.limit).to_string(), "{formula}");
        assert!(text(&written["annotations"], "description").contains(" the limit of "));
    }
}

/// The written rules in the order of the described ones.
fn ordered(described: &[super::super::rules::Rule], written: &[Value]) -> Vec<Value> {
    let find =
        |name: &str| written.iter().find(|rule| rule["uid"] == format!("assay-{name}")).unwrap().clone();
    described.iter().map(|rule| find(&rule.name)).collect()
}

#[test]
fn a_measure_without_a_limit_is_named_and_has_no_rule() {
    let mut given = Given::shipped();
    let text = "[thresholds]\nSafetyScore = { comparison = 'below', critical = 0.5 }\n";
    given.rules = crate::alert::rules::Rules::from_toml("alerts.toml", text).unwrap();
    let book = given.book();
    assert_eq!(book.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["low-safety-critical"]);
    assert!(book.without_limit.contains(&"CompositeQualityScore".to_owned()));
    assert!(!book.without_limit.contains(&"SafetyScore".to_owned()));
}

#[test]
fn every_rule_says_who_what_and_where_to_look() {
    for (given, rules) in all_rules() {
        let dashboards = given.dashboards();
        for rule in rules {
            let labels = &rule["labels"];
            assert!(["warning", "critical"].contains(&text(labels, "severity")));
            assert_eq!(text(labels, "managed_by"), given.identity.as_str());
            assert!(given.rules.thresholds().find(text(labels, "metric")).is_some(), "{labels}");
            let notes = &rule["annotations"];
            assert!(text(notes, "runbook_url").ends_with(&format!("/{}.md", text(labels, "runbook"))));
            assert!(
                text(notes, "summary").contains("$values.B.Value")
                    && text(notes, "description").contains("$values.B.Value")
            );
            let dashboard = dashboards.iter().find(|one| one["uid"] == notes["__dashboardUid__"]);
            let dashboard = dashboard.unwrap_or_else(|| panic!("no dashboard for {}", rule["uid"]));
            let id: u64 = text(notes, "__panelId__").parse().unwrap();
            assert!(
                list(&dashboard["panels"]).iter().any(|panel| panel["id"] == id && panel["type"] != "row")
            );
            assert_eq!((&rule["noDataState"], &rule["execErrState"]), (&json!("OK"), &json!("Error")));
        }
    }
}

#[test]
fn every_step_comes_after_what_it_uses_and_every_question_stands_alone() {
    for (_, rules) in all_rules() {
        for rule in rules {
            let mut seen = BTreeSet::new();
            for step in list(&rule["data"]) {
                let model = &step["model"];
                let used: Vec<&str> = match model["type"].as_str() {
                    None => Vec::new(),
                    Some("math") => {
                        text(model, "expression").split('$').skip(1).map(|after| &after[..1]).collect()
                    }
                    Some(_) => vec![text(model, "expression")],
                };
                assert!(used.iter().all(|one| seen.contains(*one)), "{} of {}", step["refId"], rule["uid"]);
                assert!(seen.insert(text(step, "refId").to_owned()));
                assert_eq!(step["refId"], model["refId"]);
                assert_eq!(step["datasourceUid"], model["datasource"]["uid"]);
                let range = &step["relativeTimeRange"];
                assert!(range["from"].as_u64() > range["to"].as_u64(), "{range}");
                if model["metricEditorMode"] == 0 {
                    assert_eq!(model["matchExact"], true);
                    assert!(!text(model, "label").is_empty());
                }
            }
            assert!(seen.contains("B") && seen.contains(text(&rule, "condition")));
        }
    }
}

#[test]
fn series_of_a_rule_have_one_name_where_names_are_labels() {
    for (given, _) in all_rules() {
        for scope in [RuleScope::EveryEndpoint, RuleScope::Endpoint("chat".parse().unwrap())] {
            for rule in given.rules(scope) {
                let asked = list(&rule["data"]).iter().map(|step| &step["model"]);
                let names: BTreeSet<&str> =
                    asked.filter(|model| model["type"].is_null()).map(|model| text(model, "label")).collect();
                assert_eq!(names, BTreeSet::from([text(&rule["labels"], "metric")]), "{}", rule["uid"]);
            }
        }
    }
}

#[test]
fn one_endpoint_leaves_exactly_one_dimension_open_and_before_grafana_11_names_tell_it() {
    let given = Given::shipped();
    let one = wiring(RuleScope::Endpoint("chat".parse().unwrap()));
    for rule in given.rules_of(&Wiring { labels: SeriesLabels::OfName, ..one }) {
        for step in list(&rule["data"]).iter().filter(|step| step["model"]["metricEditorMode"] == 0) {
            let dimensions = step["model"]["dimensions"].as_object().unwrap();
            let open = dimensions.values().filter(|values| **values == json!(["*"])).count();
            let is_of_component = dimensions.contains_key("InferenceComponentName");
            assert_eq!(open, usize::from(is_of_component), "{dimensions:?}");
            let named = if is_of_component { "InferenceComponentName" } else { "EndpointName" };
            assert_eq!(text(&step["model"], "label"), format!("${{PROP('Dim.{named}')}}"));
        }
        for step in list(&rule["data"]).iter().filter(|step| step["model"]["metricEditorMode"] == 1) {
            let expression = text(&step["model"], "expression");
            assert_eq!(
                expression.matches("SEARCH(").count(),
                expression.matches("EndpointName=\"chat\"").count()
            );
            assert!(expression.len() < 2048, "{}", expression.len());
        }
    }
}

const PAGE: &str = include_str!("../../../../../docs/grafana.md");

#[test]
fn the_rules_that_one_endpoint_does_not_narrow_are_named_in_the_documentation() {
    let book = Given::shipped().book();
    let is_open = |timed: &Timed| matches!(&timed.step, Step::Ask(query) if query.source.has("EndpointName"));
    let open = book.rules.iter().filter(|rule| {
        let is_total = rule.steps.iter().any(|timed| matches!(timed.step, Step::AskTotal { .. }));
        !is_total && !rule.steps.iter().any(is_open)
    });
    let open: BTreeSet<&str> = open.map(|rule| rule.runbook).collect();
    let (_, section) = PAGE.split_once("### One endpoint").unwrap();
    let (named, _) = section.split_once("SageMaker's metrics").unwrap();
    let named: BTreeSet<&str> = named.split('`').skip(3).step_by(2).collect();
    assert_eq!(open, named);
}

#[test]
fn the_contact_point_has_the_settings_of_its_kind_and_the_route_is_ours_alone() {
    let given = Given::shipped();
    let point = |shape| grafana::contact_point(&given.identity, "arn", "region", shape);
    let keys =
        |shape| point(shape)["settings"].as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(keys(SnsShape::Managed), set(&["topic", "authProvider", "messageFormat"]));
    assert_eq!(keys(SnsShape::OpenSource), set(&["topic_arn", "sigv4"]));
    assert_eq!(keys(SnsShape::Both).len(), 5);
    let route = grafana::route(&given.identity);
    assert_eq!(route["receiver"], point(SnsShape::Both)["name"]);
    assert_eq!(route["object_matchers"], json!([["managed_by", "=", "assay"]]));
    assert_eq!(route["continue"], false);
    let wiring = Wiring { routing: Routing::ByRule, ..wiring(RuleScope::EveryEndpoint) };
    let rule = grafana::rule(&given.book().rules[0], &given.boards(), &given.settings(), &wiring);
    let in_rule = rule["notification_settings"].as_object().unwrap();
    for key in ["receiver", "group_by", "group_wait", "group_interval", "repeat_interval"] {
        assert!(in_rule.get(key).is_some_and(|value| *value == route[key]), "{key}");
    }
    assert_eq!(list(&route["group_by"])[..2], ["alertname", "grafana_folder"], "Grafana wants both");
}

#[test]
fn a_group_holds_its_rules_and_is_evaluated_in_multiples_of_ten_seconds() {
    let given = Given::shipped();
    let wiring = wiring(RuleScope::EveryEndpoint);
    let groups = grafana::rule_groups(&given.book(), &given.boards(), &given.settings(), &wiring);
    assert_eq!(groups.len(), Group::ALL.len());
    for group in groups {
        assert_eq!(group["interval"].as_u64().unwrap() % 10, 0);
        assert!(!list(&group["rules"]).is_empty());
        for rule in list(&group["rules"]) {
            assert_eq!((&rule["ruleGroup"], &rule["folderUID"]), (&group["title"], &group["folderUid"]));
        }
    }
}
