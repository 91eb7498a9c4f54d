//! Panels as Grafana's own visualisations.

use serde_json::{Value, json};

use super::query::{self, Choice};
use crate::alert::Comparison;
use crate::alert::rules::Measure;
use crate::dashboard::Settings;
use crate::dashboard::board::{Origin, Panel, Row, Target, Unit, View};
use crate::dashboard::grid::Place;
use crate::dashboard::json::number;
use crate::dashboard::query::{Legend, Query, Reducer, Statistic};
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
    let panel = &comparable(panel);
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
        "overrides": panel.targets.iter().filter_map(|one| overrides(panel, one)).collect::<Vec<_>>(),
    });
    value["options"] = options(panel);
    if let Some(range) = panel.range {
        value["timeFrom"] = range.into();
    }
    value
}

/// Grafana makes the longest bar as long as the greatest point of the series, however the points are
/// summed up: bars are of one number a component before they are drawn.
fn comparable(panel: &Panel) -> Panel {
    let mut panel = panel.clone();
    if panel.view != View::Bars {
        return panel;
    }
    let by = if is_count(&panel) { Reducer::Sum } else { Reducer::Mean };
    for at in 0..panel.targets.len() {
        let of = panel.targets[at].id;
        if matches!(panel.targets[at].origin, Origin::CloudWatch(_)) && !panel.targets[at].is_hidden {
            panel.targets[at].is_hidden = true;
            panel = panel.target(Origin::Reduced { of, by }, false);
        }
    }
    panel
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

/// Expressions lose CloudWatch's label and keep its dimensions. What no component uses is grey.
fn overrides(panel: &Panel, target: &Target) -> Option<Value> {
    let component = format!("${{__field.labels.{COMPONENT_DIMENSION}}}");
    let (property, value) = match &target.origin {
        Origin::Formula { suffix, is_of_component, .. } => {
            let name = match (is_of_component, suffix.is_empty()) {
                (true, true) => component,
                (true, false) => format!("{component}: {suffix}"),
                (false, true) => format!("${{__field.labels.{ENDPOINT_DIMENSION}}}"),
                (false, false) => suffix.clone(),
            };
            ("displayName", name.into())
        }
        Origin::Reduced { .. } if !target.is_hidden => ("displayName", component.into()),
        Origin::CloudWatch(Query { legend: Legend::Text(_), .. }) if panel.view == View::Stacked => {
            ("color", json!({"mode": "fixed", "fixedColor": "#6e7079"}))
        }
        _ => return None,
    };
    Some(json!({
        "matcher": {"id": "byFrameRefID", "options": target.id.to_string()},
        "properties": [{"id": property, "value": value}],
    }))
}

fn defaults(panel: &Panel, measure: Option<&Measure>) -> Value {
    // Lines keep a colour of their own; what is one number has that of its band.
    let color = if panel.view.is_over_time() { "palette-classic" } else { "thresholds" };
    // Counts are whole numbers, and are compared with each other: 2,404 rather than 2.4 K.
    let is_whole = panel.unit == Unit::Count && panel.view == View::Columns;
    let mut value = json!({
        "color": {"mode": color},
        "unit": if is_whole { "locale" } else { panel.unit.grafana_id() },
        "noValue": panel.nothing,
        "mappings": mappings(panel),
        "thresholds": {"mode": "absolute", "steps": steps(measure, panel.view)},
    });
    match panel.unit {
        Unit::Share if measure.is_some_and(is_score) => {
            value["max"] = 1.into();
            if !panel.view.is_over_time() {
                value["min"] = 0.into();
            }
        }
        Unit::Flag => {
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
    } else if is_whole {
        value["decimals"] = 0.into();
    }
    if panel.view.is_over_time() {
        value["custom"] = custom(panel, measure);
    }
    value
}

/// Nothing known has the colour of text: that of the lowest band would say that all is well.
fn mappings(panel: &Panel) -> Value {
    if panel.view != View::Number {
        return json!([]);
    }
    let unknown = json!({"text": panel.nothing, "color": "text", "index": 0});
    json!([{"type": "special", "options": {"match": "null+nan", "result": unknown}}])
}

fn is_score(measure: &Measure) -> bool {
    matches!(measure.comparison, Comparison::Below | Comparison::AtMost)
}

/// Colours from the least value up. A score is bad when low, most others when high. Over time the
/// steps are lines, which have the colour of the alert that begins there; elsewhere they are bands.
fn steps(measure: Option<&Measure>, view: View) -> Value {
    let step = |color: &str, value: Option<f64>| json!({"color": color, "value": value.map(number)});
    // Green says that something is good, which a number without a limit is not.
    let Some(measure) = measure else {
        return json!([step(if view == View::Number { "text" } else { "blue" }, None)]);
    };
    let (warning, critical) = (measure.warning, measure.critical);
    if !is_score(measure) {
        let limits =
            [("orange", warning), ("red", critical)].into_iter().filter(|(_, limit)| limit.is_some());
        return [("green", None)]
            .into_iter()
            .chain(limits)
            .map(|(color, limit)| step(color, limit))
            .collect();
    }
    let colors = match (view.is_over_time(), critical.is_some()) {
        (true, _) => ["transparent", "red", "orange"],
        (false, true) => ["red", "orange", "green"],
        (false, false) => ["orange", "orange", "green"],
    };
    let limits =
        [(colors[1], critical), (colors[2], warning)].into_iter().filter(|(_, limit)| limit.is_some());
    [(colors[0], None)].into_iter().chain(limits).map(|(color, limit)| step(color, limit)).collect()
}

fn custom(panel: &Panel, measure: Option<&Measure>) -> Value {
    let view = panel.view;
    let is_columns = view == View::Columns;
    let gap = longest_gap(panel, measure);
    let mut value = json!({
        "drawStyle": if is_columns { "bars" } else { "line" },
        "lineInterpolation": "linear",
        "lineWidth": if is_columns { 0 } else { 2 },
        "fillOpacity": match view { View::Columns => 70, View::Stacked => 30, _ => 0 },
        "showPoints": if is_columns { "never" } else { "auto" },
        "pointSize": 4,
        // The one is for points that are null, the other for points that are not there.
        "insertNulls": if gap.is_number() { gap.clone() } else { false.into() },
        "spanNulls": gap,
        "stacking": {"mode": if view == View::Lines { "none" } else { "normal" }, "group": "A"},
        "axisPlacement": "auto",
        "axisLabel": "",
        "thresholdsStyle": {"mode": if measure.is_some() { "dashed" } else { "off" }},
    });
    if is_columns {
        // CloudWatch names a period by its beginning. A lone column would fill the panel.
        value["barAlignment"] = 1.into();
        value["barMaxWidth"] = 32.into();
    }
    if measure.is_some_and(is_score) && panel.unit == Unit::Share {
        // What is bad lies far above 0; a worse score still moves the axis down.
        value["axisSoftMin"] = number(0.5);
    }
    value
}

/// The milliseconds over which a line goes on without a point: three periods. A longer gap is shown
/// as what it is. Scores are sparse where little is asked.
fn longest_gap(panel: &Panel, measure: Option<&Measure>) -> Value {
    let periods = panel.targets.iter().filter_map(|target| match &target.origin {
        Origin::CloudWatch(question) => Some(question.period),
        _ => None,
    });
    match periods.max() {
        _ if panel.view == View::Columns => false.into(),
        Some(seconds) if measure.is_some_and(is_score) => (seconds.max(3600) * 3000).into(),
        Some(seconds) => (seconds * 3000).into(),
        None => true.into(),
    }
}

/// Whether the numbers of a time range add up.
fn is_count(panel: &Panel) -> bool {
    panel.targets.iter().any(|target| {
        let Origin::CloudWatch(question) = &target.origin else { return false };
        matches!(question.statistic, Statistic::Sum | Statistic::SampleCount)
    })
}

fn options(panel: &Panel) -> Value {
    let view = panel.view;
    let one = |calculation: &str| json!({"calcs": [calculation], "fields": "", "values": false});
    match view {
        View::Lines | View::Stacked | View::Columns => json!({
            "legend": legend(panel),
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        View::Number => json!({
            "reduceOptions": one("lastNotNull"),
            "orientation": "auto",
            "textMode": "value",
            "colorMode": "value",
            // Behind a number of this height it would only hide it.
            "graphMode": "none",
            "justifyMode": "auto",
            "wideLayout": true,
            "showPercentChange": false,
            "percentChangeColorMode": "standard",
        }),
        View::Bars => json!({
            "reduceOptions": one("lastNotNull"),
            "orientation": "horizontal",
            "displayMode": "basic",
            "showUnfilled": true,
            // Names of components are long: above the bar where Grafana can, else small beside it.
            "namePlacement": "top",
            "text": {"titleSize": 13, "valueSize": 16},
            "valueMode": "text",
            "sizing": "manual",
            "minVizWidth": 8,
            // Less, and Grafana leaves out the names; with it many components are scrolled.
            "minVizHeight": 32,
            "maxVizHeight": 40,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []},
        }),
        View::Text => json!({}),
    }
}

/// Numbers beside a wide plot; below a narrow one they would take its place.
fn legend(panel: &Panel) -> Value {
    let is_wide = panel.width >= 12;
    let calculations = match (panel.view, is_wide) {
        (View::Columns, true) => json!(["sum", "max"]),
        (View::Columns, false) => json!(["sum"]),
        (_, true) => json!(["lastNotNull", "mean", "max"]),
        (_, false) => json!(["lastNotNull"]),
    };
    json!({
        "displayMode": if is_wide { "table" } else { "list" },
        "placement": if is_wide { "right" } else { "bottom" },
        "showLegend": true,
        "calcs": calculations,
    })
}
