//! What the alert rules cost, in Grafana or as alarms of CloudWatch.

use serde_json::Value;

use super::month::Item;
use super::price;
use super::workload::{DAYS, Workload};
use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};

/// The rules in Grafana, as [`crate::dashboard::grafana::rule_groups`] writes them: each evaluation
/// asks CloudWatch for each series of each query.
pub fn in_grafana(groups: &[Value], workload: &Workload) -> Item {
    let seconds = DAYS * 24 * 60 * 60;
    let of_group = |group: &Value| {
        let evaluations = seconds / group["interval"].as_u64().unwrap_or(60).max(1);
        let rules = group["rules"].as_array().into_iter().flatten();
        let queries = rules.flat_map(|rule| rule["data"].as_array().into_iter().flatten());
        evaluations * queries.map(|query| series(&query["model"], workload)).sum::<u64>()
    };
    let units = groups.iter().map(of_group).sum();
    Item { what: "alert rules in Grafana: GetMetricData", units, amount: price::METRIC_ASKED_FOR.of(units) }
}

/// The rules as alarms, as [`crate::dashboard::cloudwatch::alarms`] writes them: an alarm over a query
/// costs as much as one for each series that the query finds.
pub fn in_cloudwatch<'a>(alarms: impl Iterator<Item = &'a Value>, workload: &Workload) -> Item {
    let found = |alarm: &Value| {
        let query = alarm["Properties"]["Metrics"][0]["Expression"].as_str().unwrap_or_default();
        of_dimensions(query.contains(COMPONENT_DIMENSION), query.contains(ENDPOINT_DIMENSION), workload)
    };
    let units = alarms.map(found).sum();
    Item { what: "alert rules as CloudWatch alarms", units, amount: price::ALARM.of(units) }
}

/// How many series a query of a rule finds; none for what Grafana computes itself.
fn series(model: &Value, workload: &Workload) -> u64 {
    if model["datasource"]["type"] != "cloudwatch" {
        return 0;
    }
    let expression = model["expression"].as_str().unwrap_or_default();
    let searches = expression.matches("SEARCH(").count() as u64;
    if searches > 0 {
        return searches * workload.components;
    }
    let has = |name: &str| model["dimensions"].get(name).is_some();
    of_dimensions(has(COMPONENT_DIMENSION), has(ENDPOINT_DIMENSION), workload)
}

fn of_dimensions(has_component: bool, has_endpoint: bool, workload: &Workload) -> u64 {
    match (has_component, has_endpoint) {
        (true, _) => workload.components,
        (false, true) => workload.endpoints,
        (false, false) => 1,
    }
}
