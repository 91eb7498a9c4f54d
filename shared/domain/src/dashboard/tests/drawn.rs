//! What pictures of the dashboards must not say: that all is well where nothing is known, that a line
//! goes on where there are no points, that two bars are equal when they are not.

use serde_json::Value;

use super::{Given, list, text};

fn panels(kind: &str) -> Vec<Value> {
    let dashboards = Given::shipped().dashboards();
    let panels = dashboards.iter().flat_map(|one| list(&one["panels"]));
    let found: Vec<Value> = panels.filter(|panel| panel["type"] == kind).cloned().collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

#[test]
fn a_line_breaks_where_more_than_three_points_are_missing_and_a_score_after_three_hours() {
    for panel in panels("timeseries") {
        let custom = &panel["fieldConfig"]["defaults"]["custom"];
        if custom["drawStyle"] == "bars" {
            assert_eq!((&custom["spanNulls"], &custom["insertNulls"]), (&false.into(), &false.into()));
            continue;
        }
        let periods = list(&panel["targets"]).iter().filter_map(|target| target["period"].as_str());
        let Some(seconds) = periods.map(|period| period.parse::<u64>().unwrap()).max() else { continue };
        let is_score = !custom["axisSoftMin"].is_null();
        let longest = if is_score { 3 * 3_600_000 } else { 3000 * seconds };
        assert_eq!(custom["spanNulls"], longest, "{}", panel["title"]);
        assert_eq!(custom["insertNulls"], longest, "{}", panel["title"]);
    }
}

#[test]
fn bars_are_of_one_number_a_component_so_that_the_longest_is_the_greatest_of_them() {
    for panel in panels("bargauge") {
        let shown: Vec<&Value> =
            list(&panel["targets"]).iter().filter(|target| target["hide"] == false).collect();
        assert!(!shown.is_empty(), "{}", panel["title"]);
        for target in shown {
            assert_eq!(target["datasource"]["type"], "__expr__", "{}", panel["title"]);
            let named = list(&panel["fieldConfig"]["overrides"])
                .iter()
                .any(|one| one["matcher"]["options"] == target["refId"]);
            assert!(named, "{} would be called {}", panel["title"], target["refId"]);
        }
    }
}

#[test]
fn what_is_not_known_has_no_colour_of_health() {
    for panel in panels("stat") {
        let mapping = &panel["fieldConfig"]["defaults"]["mappings"][0];
        assert_eq!(text(&mapping["options"], "match"), "null+nan", "{}", panel["title"]);
        assert_eq!(mapping["options"]["result"]["color"], "text");
        assert_eq!(mapping["options"]["result"]["text"], panel["fieldConfig"]["defaults"]["noValue"]);
    }
}
