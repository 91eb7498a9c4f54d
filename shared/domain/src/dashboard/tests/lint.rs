//! What a linter would ask of the dashboards' JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::grid::Place;
use super::super::{aws, json};
use super::{Given, list, text};
use crate::alert::Comparison;
use crate::capacity::publish;
use crate::capture::SkipReason;
use crate::check::Check;
use crate::metric::{self, CATALOGUE};
use crate::verdict::Outcome;

/// Every way in which dashboards are made.
fn all_dashboards() -> Vec<(Given, Vec<Value>)> {
    let given = [Given::shipped(), Given::with_every_dimension(), Given::renamed()];
    given.into_iter().map(|given| (given.dashboards(), given)).map(|(made, given)| (given, made)).collect()
}

fn each_panel(check: impl Fn(&Value, &Value)) {
    for (_, dashboards) in all_dashboards() {
        for dashboard in &dashboards {
            for panel in list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row") {
                check(dashboard, panel);
            }
        }
    }
}

/// Ids of `@grafana/data`'s value formats.
const UNITS: [&str; 12] = [
    "short",
    "locale",
    "percentunit",
    "percent",
    "ms",
    "\u{b5}s",
    "s",
    "currencyUSD",
    "suffix:days",
    "cps",
    "bool_yes_no",
    "none",
];

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    each_panel(|_, panel| {
        assert!(text(panel, "title").len() > 2 && !text(panel, "title").ends_with('.'), "{panel}");
        assert!(text(panel, "description").ends_with('.'), "{}", panel["title"]);
        if panel["type"] == "text" {
            return;
        }
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(UNITS.contains(&text(defaults, "unit")), "{defaults}");
        assert!(!text(defaults, "noValue").is_empty());
        assert!(!list(&panel["targets"]).is_empty(), "{}", panel["title"]);
    });
}

#[test]
fn titles_and_ids_are_unique_and_panels_do_not_overlap() {
    for (_, dashboards) in all_dashboards() {
        for dashboard in dashboards {
            let (mut ids, mut titles, mut places) = (BTreeSet::new(), BTreeSet::new(), Vec::<Place>::new());
            for panel in list(&dashboard["panels"]) {
                assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
                assert!(titles.insert(text(panel, "title").to_owned()), "{} stands twice", panel["title"]);
                let grid = |key: &str| u32::try_from(panel["gridPos"][key].as_u64().unwrap()).unwrap();
                let place = Place { x: grid("x"), y: grid("y"), width: grid("w"), height: grid("h") };
                assert!(place.x + place.width <= 24 && place.width > 0 && place.height > 0, "{place:?}");
                assert!(places.iter().all(|other| !place.overlaps(*other)), "{} overlaps", panel["title"]);
                places.push(place);
            }
        }
    }
}

#[test]
fn nothing_is_hard_coded_that_a_reader_would_choose() {
    each_panel(|_, panel| {
        for target in list(&panel["targets"]) {
            let source = &target["datasource"];
            match text(source, "type") {
                "cloudwatch" => {
                    assert_eq!(source["uid"], "${datasource}");
                    assert_eq!(target["region"], "default");
                    for (name, values) in target["dimensions"].as_object().unwrap() {
                        let wanted = match name.as_str() {
                            metric::ENDPOINT_DIMENSION => "$endpoint",
                            metric::COMPONENT_DIMENSION => "$component",
                            _ => "*",
                        };
                        assert_eq!(values, &serde_json::json!([wanted]), "{name} in {}", panel["title"]);
                    }
                }
                "prometheus" => {
                    assert_eq!(source["uid"], "${promql}");
                    assert!(
                        text(target, "expr").contains("\"$endpoint\"")
                            && text(target, "expr").contains("\"$component\"")
                    );
                }
                expression => assert_eq!(expression, "__expr__"),
            }
        }
    });
    for (given, dashboards) in all_dashboards() {
        for dashboard in dashboards {
            let whole = dashboard.to_string();
            for word in ["us-east-1", "arn:aws", "123456789012", "AllTraffic", "ml.g"] {
                assert!(!whole.contains(word), "{word} in {}", dashboard["title"]);
            }
            let uid = text(&dashboard, "uid");
            assert!(
                uid.len() <= 40 && uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
                "{uid}"
            );
            assert_eq!(dashboard["schemaVersion"], 39);
            assert_eq!(dashboard["editable"], false);
            assert_links(&given, &dashboard);
        }
    }
}

/// Links lead to the other dashboards, by uid, with time and variables.
fn assert_links(given: &Given, dashboard: &Value) {
    let uids: BTreeSet<String> = given.dashboards().iter().map(|one| text(one, "uid").to_owned()).collect();
    let links = list(&dashboard["links"]);
    assert_eq!(links.len(), uids.len() - 1);
    for link in links {
        let uid = text(link, "url").strip_prefix("/d/").unwrap();
        assert!(uids.contains(uid) && uid != text(dashboard, "uid"), "{uid}");
        assert!(link["keepTime"] == true && link["includeVars"] == true);
    }
}

#[test]
fn every_variable_that_is_used_is_defined_and_every_one_that_is_defined_is_used() {
    for (_, dashboards) in all_dashboards() {
        for dashboard in dashboards {
            let mut panels = dashboard["panels"].to_string();
            panels.push_str(&dashboard["templating"].to_string());
            for variable in list(&dashboard["templating"]["list"]) {
                let name = text(variable, "name");
                assert!(
                    panels.contains(&format!("${name}")) || panels.contains(&format!("${{{name}}}")),
                    "{name}"
                );
                if variable["type"] == "query" {
                    assert_eq!(variable["refresh"], 2, "{name} follows the time range");
                    assert_eq!(variable["datasource"]["uid"], "${datasource}");
                }
                panels = panels.replace(&format!("${name}"), "").replace(&format!("${{{name}}}"), "");
            }
            let rest = panels.replace("${PROP(", "").replace("${__field", "").replace("$__all", "");
            let unknown = rest.split('$').skip(1).find(|after| {
                // `$A` is a step of a formula.
                !after.starts_with(|first: char| first.is_ascii_uppercase())
            });
            assert_eq!(unknown.map(|text| &text[..text.len().min(20)]), None, "in {}", dashboard["title"]);
        }
    }
}

#[test]
fn targets_are_told_apart_and_formulas_use_targets_that_are_there() {
    each_panel(|_, panel| {
        let targets = list(&panel["targets"]);
        let ids: BTreeSet<&str> = targets.iter().map(|target| text(target, "refId")).collect();
        assert_eq!(ids.len(), targets.len(), "{}", panel["title"]);
        assert!(
            targets.is_empty() || targets.iter().any(|target| target["hide"] == false),
            "{}",
            panel["title"]
        );
        for target in targets.iter().filter(|target| target["datasource"]["type"] == "__expr__") {
            let expression = text(target, "expression");
            let used: Vec<&str> = match text(target, "type") {
                "reduce" => vec![expression],
                _ => expression.split('$').skip(1).map(|after| &after[..1]).collect(),
            };
            assert!(
                !used.is_empty() && used.iter().all(|one| ids.contains(one)),
                "{expression} in {}",
                panel["title"]
            );
        }
        for target in targets.iter().filter(|target| target["datasource"]["type"] == "cloudwatch") {
            assert_eq!(target["matchExact"], true);
            assert_eq!(target["queryMode"], "Metrics");
            assert!(!text(target, "statistic").is_empty() && !text(target, "label").is_empty());
            let period: u32 = text(target, "period").parse().unwrap();
            assert!(period > 0 && period.is_multiple_of(60), "{period}");
        }
    });
}

/// Namespace and metric with the sets of dimensions that they are published with.
pub(super) fn published(given: &Given) -> BTreeMap<(String, String), Vec<BTreeSet<String>>> {
    let mut known: BTreeMap<(String, String), Vec<BTreeSet<String>>> = BTreeMap::new();
    let mut add = |namespace: &str, name: &str, dimensions: &[&str]| {
        let set = dimensions.iter().map(|&name| name.to_owned()).collect();
        known.entry((namespace.to_owned(), name.to_owned())).or_default().push(set);
    };
    for metric in aws::PUBLISHED {
        for grain in metric.grains {
            add(metric.namespace, metric.name, grain.dimensions());
        }
    }
    let quality = given.fleet.metrics();
    let mut dimensions = vec![metric::ENDPOINT_DIMENSION, metric::COMPONENT_DIMENSION];
    dimensions.extend(quality.label_dimension.as_deref());
    let capacity_names: BTreeSet<&str> = publish::definitions().iter().map(|one| one.name).collect();
    let of_quality = CATALOGUE.iter().map(|one| one.name).filter(|name| !capacity_names.contains(name));
    let names = of_quality.chain(Check::ALL.into_iter().map(Check::metric_name));
    let names = names.chain(Outcome::ALL.into_iter().map(Outcome::metric_name));
    let names = names.chain(SkipReason::ALL.iter().map(|reason| reason.metric_name()));
    for name in names {
        add(&quality.namespace, quality.published_name(name), &dimensions);
    }
    for dimension in given.rubric.enabled() {
        add(&quality.namespace, quality.published_name(&dimension.metric), &dimensions);
    }
    let capacity = &given.fleet.capacity().metrics;
    let of_components = [
        metric::USED_GPUS,
        metric::COPIES,
        metric::COST_PER_HOUR,
        metric::COST_PER_THOUSAND_INVOCATIONS,
        metric::COST_PER_MILLION_TOKENS,
    ];
    for one in of_components {
        add(
            &capacity.namespace,
            capacity.published_name(one.name),
            &[metric::ENDPOINT_DIMENSION, metric::COMPONENT_DIMENSION],
        );
    }
    let only_of_components =
        [metric::COPIES, metric::COST_PER_THOUSAND_INVOCATIONS, metric::COST_PER_MILLION_TOKENS];
    for one in publish::definitions().iter().filter(|one| !only_of_components.contains(one)) {
        add(&capacity.namespace, capacity.published_name(one.name), &[metric::ENDPOINT_DIMENSION]);
    }
    known
}

#[test]
fn every_metric_that_is_asked_for_is_published_with_exactly_these_dimensions() {
    for (given, dashboards) in all_dashboards() {
        let known = published(&given);
        let asked =
            dashboards.iter().flat_map(|one| list(&one["panels"])).flat_map(|panel| list(&panel["targets"]));
        let questions = asked.filter(|target| target["datasource"]["type"] == "cloudwatch").cloned();
        let rules = given.rules(super::RuleScope::EveryEndpoint);
        let in_rules = rules.iter().flat_map(|rule| list(&rule["data"])).map(|step| step["model"].clone());
        let in_rules = in_rules.filter(|model| model["metricEditorMode"] == 0);
        let mut count = 0;
        for target in questions.chain(in_rules) {
            let name = (text(&target, "namespace").to_owned(), text(&target, "metricName").to_owned());
            let set: BTreeSet<String> = target["dimensions"].as_object().unwrap().keys().cloned().collect();
            let sets = known.get(&name).unwrap_or_else(|| panic!("nobody publishes {name:?}"));
            assert!(sets.contains(&set), "{name:?} has {sets:?}, not {set:?}");
            count += 1;
        }
        assert!(count > 100, "{count}");
        for dashboard in &dashboards {
            for variable in list(&dashboard["templating"]["list"]).iter().filter(|one| one["type"] == "query")
            {
                let query = &variable["query"];
                let name = (text(query, "namespace").to_owned(), text(query, "metricName").to_owned());
                let key = text(query, "dimensionKey");
                assert!(known[&name].iter().any(|set| set.contains(key)), "{name:?} has no {key}");
            }
        }
    }
}

/// What is published whatever is switched on: by SageMaker of each component, by capacity-meter of each
/// endpoint, by quality-judge of each captured answer.
const ALWAYS_THERE: [&str; 3] = ["Invocations", "MeterBlind", "Records"];

#[test]
fn the_lists_to_choose_from_need_no_enhanced_metrics_and_all_of_them_are_one_value() {
    for (_, dashboards) in all_dashboards() {
        for dashboard in dashboards {
            let is_prom = dashboard.to_string().contains("${promql}");
            let lists = list(&dashboard["templating"]["list"]).iter().filter(|one| one["type"] == "query");
            for variable in lists {
                assert!(ALWAYS_THERE.contains(&text(&variable["query"], "metricName")), "{variable}");
                // As a list a hundred names would be longer than a SEARCH may be.
                let all = if is_prom { ".+" } else { "*" };
                assert!(variable["includeAll"] == false || variable["allValue"] == all, "{variable}");
            }
        }
    }
}

#[test]
fn the_lines_are_the_limits_of_alerts_toml() {
    let given = Given::with_every_dimension();
    let mut seen = BTreeSet::new();
    for (board, dashboard) in given.boards().iter().zip(given.dashboards()) {
        for (id, panel) in board.panels() {
            let drawn = list(&dashboard["panels"]).iter().find(|one| one["id"] == id).unwrap();
            let steps = list(&drawn["fieldConfig"]["defaults"]["thresholds"]["steps"]);
            let Some(name) = &panel.limits else { continue };
            let measure =
                given.rules.thresholds().find(name).unwrap_or_else(|| panic!("no limits for {name}"));
            let limits: BTreeSet<String> = [measure.warning, measure.critical]
                .into_iter()
                .flatten()
                .map(|limit| json::number(limit).to_string())
                .collect();
            let lines: BTreeSet<String> = steps
                .iter()
                .filter(|step| !step["value"].is_null())
                .map(|step| step["value"].to_string())
                .collect();
            assert_eq!(lines, limits, "{name}");
            assert!(steps[0]["value"].is_null() && steps.len() == limits.len() + 1, "{steps:?}");
            let color = |limit: Option<f64>| {
                let limit = limit.map(json::number);
                steps
                    .iter()
                    .find(|step| step["value"] == serde_json::json!(limit))
                    .map(|step| step["color"].clone())
            };
            let is_bad_below = matches!(measure.comparison, Comparison::Below | Comparison::AtMost);
            if panel.view.is_over_time() || !is_bad_below {
                // A line, or the band that begins at it, has the colour of its alert.
                assert!(measure.warning.is_none() || color(measure.warning).unwrap() == "orange", "{name}");
                assert!(measure.critical.is_none() || color(measure.critical).unwrap() == "red", "{name}");
            } else {
                let worst = if measure.critical.is_some() { "red" } else { "orange" };
                assert_eq!(
                    (&steps[0]["color"], &steps[limits.len()]["color"]),
                    (&worst.into(), &"green".into()),
                    "{name}"
                );
            }
            if panel.view.is_over_time() {
                assert_eq!(drawn["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"], "dashed");
            }
            seen.insert(measure.name.clone());
        }
    }
    // One a dimension, the composite, and those of quantity.
    assert!(seen.len() >= 20, "{seen:?}");
}
