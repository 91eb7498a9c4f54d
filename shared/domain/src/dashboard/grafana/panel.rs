//! Panels as Grafana's own visualisations.

use serde_json::{Value, json};

use super::query::{self, Choice};
use crate::alert::Comparison;
use crate::alert::rules::Measure;
use crate::dashboard::Settings;
use crate::dashboard::board::{Origin, Panel, Row, Target, Unit, View};
use crate::dashboard::grid::Place;
use crate::dashboard::json::number;
use crate::dashboard::query::Statistic;
use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};

const CHOSEN: Choice = Choice { endpoint: "$endpoint", component: "$component" };
const SOURCE: &str = "${datasource}";

pub(super) fn heading(row: &Row, id: u32, place: Place) -> Value {
    json!({
        "id": id,
        "type": "row",
        "title": row.title,
        "collapsed": false,
        "gridPos": position(place),
        "panels": [],
    })
}

pub(super) fn panel(panel: &Panel, id: u32, place: Place, settings: &Settings, prometheus: &str) -> Value {
    let mut value = json!({
        "id": id,
        "type": kind(panel.view),
        "title": panel.title,
        "description": panel.description,
        "gridPos": position(place),
        "transparent": false,
    });
    if panel.view == View::Text {
        value["options"] = json!({"mode": "markdown", "content": panel.description});
        return value;
    }
    let is_prom = panel.targets.iter().any(|target| matches!(target.origin, Origin::Prom { .. }));
    value["datasource"] =
        if is_prom { json!({"type": prometheus, "uid": "${promql}"}) } else { query::data_source(SOURCE) };
    value["targets"] = panel.targets.iter().map(|one| target(one, prometheus)).collect::<Vec<_>>().into();
    let measure = panel.limits.as_deref().and_then(|name| settings.thresholds.find(name));
    value["fieldConfig"] = json!({
        "defaults": defaults(panel, measure),
        "overrides": panel.targets.iter().filter_map(name_override).collect::<Vec<_>>(),
    });
    value["options"] = options(panel);
    value
}

fn position(place: Place) -> Value {
    json!({"x": place.x, "y": place.y, "w": place.width, "h": place.height})
}

fn kind(view: View) -> &'static str {
    match view {
        View::Lines | View::Stacked | View::Columns => "timeseries",
        View::Number => "stat",
        View::Bars => "bargauge",
        View::Text => "text",
    }
}

fn target(target: &Target, prometheus: &str) -> Value {
    let mut value = match &target.origin {
        Origin::CloudWatch(question) => query::builder(question, target.id, SOURCE, CHOSEN, target.is_hidden),
        Origin::Reduced { of, by } => query::reduce(target.id, *of, *by),
        Origin::Formula { formula, .. } => query::math(target.id, formula),
        Origin::Prom { expression, legend } => json!({
            "refId": target.id.to_string(),
            "datasource": {"type": prometheus, "uid": "${promql}"},
            "expr": expression,
            "legendFormat": legend,
            "editorMode": "code",
            "range": true,
        }),
    };
    value["hide"] = target.is_hidden.into();
    value
}

/// Expressions lose CloudWatch's label and keep its dimensions.
fn name_override(target: &Target) -> Option<Value> {
    let Origin::Formula { suffix, is_of_component, .. } = &target.origin else { return None };
    let component = format!("${{__field.labels.{COMPONENT_DIMENSION}}}");
    let name = match (is_of_component, suffix.is_empty()) {
        (true, true) => component,
        (true, false) => format!("{component}: {suffix}"),
        (false, true) => format!("${{__field.labels.{ENDPOINT_DIMENSION}}}"),
        (false, false) => suffix.clone(),
    };
    Some(json!({
        "matcher": {"id": "byFrameRefID", "options": target.id.to_string()},
        "properties": [{"id": "displayName", "value": name}],
    }))
}

fn defaults(panel: &Panel, measure: Option<&Measure>) -> Value {
    // Lines keep a colour of their own; what is one number has that of its band.
    let color = if panel.view.is_over_time() { "palette-classic" } else { "thresholds" };
    let mut value = json!({
        "color": {"mode": color},
        "unit": panel.unit.grafana_id(),
        "noValue": panel.nothing,
        "mappings": [],
        "thresholds": {"mode": "absolute", "steps": steps(measure)},
    });
    match panel.unit {
        Unit::Share if measure.is_some_and(is_score) => {
            value["min"] = 0.into();
            value["max"] = 1.into();
        }
        Unit::Percent => {
            value["min"] = 0.into();
            value["max"] = 100.into();
        }
        _ => value["min"] = 0.into(),
    }
    if panel.unit == Unit::Usd {
        value["decimals"] = 2.into();
    }
    if panel.view.is_over_time() {
        value["custom"] = custom(panel.view, measure.is_some());
    }
    value
}

fn is_score(measure: &Measure) -> bool {
    matches!(measure.comparison, Comparison::Below | Comparison::AtMost)
}

/// Colours from the least value up. A score is bad when low, most others when high.
fn steps(measure: Option<&Measure>) -> Value {
    let step = |color: &str, value: Option<f64>| json!({"color": color, "value": value.map(number)});
    let Some(measure) = measure else { return json!([step("green", None)]) };
    let (warning, critical) = (measure.warning, measure.critical);
    let mut steps = Vec::new();
    if is_score(measure) {
        steps.push(step(if critical.is_some() { "red" } else { "orange" }, None));
        if warning.is_some() && critical.is_some() {
            steps.push(step("orange", critical));
        }
        steps.push(step("green", warning.or(critical)));
    } else {
        steps.push(step("green", None));
        steps.extend(warning.map(|limit| step("orange", Some(limit))));
        steps.extend(critical.map(|limit| step("red", Some(limit))));
    }
    steps.into()
}

fn custom(view: View, has_limits: bool) -> Value {
    let is_columns = view == View::Columns;
    json!({
        "drawStyle": if is_columns { "bars" } else { "line" },
        "lineInterpolation": "linear",
        "lineWidth": if is_columns { 0 } else { 2 },
        "fillOpacity": if is_columns { 70 } else if view == View::Stacked { 30 } else { 5 },
        "showPoints": if is_columns { "never" } else { "auto" },
        "pointSize": 4,
        // Scores are sparse: without this they would be dots.
        "spanNulls": !is_columns,
        "stacking": {"mode": if view == View::Lines { "none" } else { "normal" }, "group": "A"},
        "axisPlacement": "auto",
        "axisLabel": "",
        "thresholdsStyle": {"mode": if has_limits { "dashed" } else { "off" }},
    })
}

/// Whether the numbers of a time range add up.
fn is_count(panel: &Panel) -> bool {
    panel.targets.iter().filter(|target| !target.is_hidden).any(|target| {
        let Origin::CloudWatch(question) = &target.origin else { return false };
        matches!(question.statistic, Statistic::Sum | Statistic::SampleCount)
    })
}

fn options(panel: &Panel) -> Value {
    let view = panel.view;
    let one = |calculation: &str| json!({"calcs": [calculation], "fields": "", "values": false});
    match view {
        View::Lines | View::Stacked | View::Columns => json!({
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": true,
                "calcs": if view == View::Columns { json!(["sum", "max"]) } else { json!(["lastNotNull", "mean", "max"]) },
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        View::Number => json!({
            "reduceOptions": one("lastNotNull"),
            "orientation": "auto",
            "textMode": "value",
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
        }),
        View::Bars => json!({
            "reduceOptions": one(if is_count(panel) { "sum" } else { "mean" }),
            "orientation": "horizontal",
            "displayMode": "basic",
            "showUnfilled": true,
            "minVizWidth": 0,
            "minVizHeight": 10,
        }),
        View::Text => json!({}),
    }
}
