//! Dashboard bodies. Source: CloudWatch API reference, "Dashboard Body Structure and Syntax".

use serde_json::{Value, json};

use crate::alert::Comparison;
use crate::alert::rules::Measure;
use crate::dashboard::Settings;
use crate::dashboard::board::{Board, Origin, Panel, Unit, View};
use crate::dashboard::grafana::query::{label, search_terms};
use crate::dashboard::grid::{Place, places};
use crate::dashboard::query::{Query, Statistic};
use crate::dashboard::source::{Source, Values};
use crate::metric::ENDPOINT_DIMENSION;

/// What the reader's endpoint stands for in every expression: CloudWatch replaces it.
const ENDPOINT: &str = "CHOSENENDPOINT";

/// A dashboard, and the panels that CloudWatch cannot draw.
#[derive(Debug, Clone, PartialEq)]
pub struct DashboardBody {
    /// The `DashboardBody`, to be written as text.
    pub body: Value,
    /// What is not in it.
    pub left_out: Vec<LeftOut>,
}

/// A panel that only Grafana can draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its key.
    pub panel: String,
    /// Why.
    pub why: &'static str,
}

/// The board as a CloudWatch dashboard of the stack's own region. SEARCH finds components, so that
/// new ones appear by themselves.
pub fn dashboard(board: &Board, settings: &Settings, region: &str) -> DashboardBody {
    let introduction = format!("# {}\n{}", board.kind.title(), board.description);
    let mut widgets = vec![text(&introduction, Place { x: 0, y: 0, width: 24, height: 3 })];
    let mut left_out = Vec::new();
    let mut top = 3;
    for row in &board.rows {
        let mut drawn = row.clone();
        drawn.panels.retain(|panel| {
            let why = why_not(panel);
            left_out.extend(why.map(|why| LeftOut { panel: panel.key.clone(), why }));
            why.is_none()
        });
        if drawn.panels.is_empty() {
            continue;
        }
        let (title, places, below) = places(&drawn, top, 1);
        widgets.push(text(&format!("## {}", row.title), title));
        for (panel, place) in drawn.panels.iter().zip(places) {
            widgets.push(widget(panel, place, settings, region));
        }
        top = below;
    }
    let body = json!({
        "start": "-PT6H",
        "periodOverride": "inherit",
        "variables": [variable(&board.choices.endpoints)],
        "widgets": widgets,
    });
    DashboardBody { body, left_out }
}

fn why_not(panel: &Panel) -> Option<&'static str> {
    panel.targets.iter().find_map(|target| match target.origin {
        Origin::Formula { .. } | Origin::Reduced { .. } => {
            Some("metric math joins the series of two searches by their place, not by their component")
        }
        Origin::Prom { .. } => Some("it is asked in PromQL"),
        Origin::CloudWatch(_) => None,
    })
}

/// The list of endpoints, the first of which is shown at first.
fn variable(source: &Source) -> Value {
    json!({
        "type": "pattern",
        "pattern": ENDPOINT,
        "inputType": "select",
        "id": "endpoint",
        "label": "Endpoint",
        "defaultValue": "__FIRST",
        "visible": true,
        "search": search_terms(source, &format!("MetricName=\"{}\"", source.metric), "*"),
        "populateFrom": ENDPOINT_DIMENSION,
    })
}

fn text(markdown: &str, place: Place) -> Value {
    json!({
        "type": "text",
        "x": place.x,
        "y": place.y,
        "width": place.width,
        "height": place.height,
        "properties": {"markdown": markdown, "background": "transparent"},
    })
}

fn widget(panel: &Panel, place: Place, settings: &Settings, region: &str) -> Value {
    if panel.view == View::Text {
        return text(&format!("**{}** {}", panel.title, panel.description), place);
    }
    let questions = panel.targets.iter().filter_map(|target| match &target.origin {
        Origin::CloudWatch(question) if !target.is_hidden => Some((target.id, question)),
        _ => None,
    });
    let metrics: Vec<Value> = questions.clone().map(|(id, question)| metric(id, question)).collect();
    let is_count =
        questions.clone().any(|(_, one)| matches!(one.statistic, Statistic::Sum | Statistic::SampleCount));
    let period = questions.map(|(_, one)| one.period).max().unwrap_or(300);
    let measure = panel.limits.as_deref().and_then(|name| settings.thresholds.find(name));
    let mut axis = json!({"min": 0, "label": unit(panel.unit), "showUnits": false});
    if measure.is_some_and(|one| matches!(one.comparison, Comparison::Below | Comparison::AtMost)) {
        axis["max"] = 1.into();
    }
    let mut properties = json!({
        "title": panel.title,
        "region": region,
        "metrics": metrics,
        "view": view(panel.view),
        "stacked": panel.view == View::Stacked,
        "period": period,
        "stat": "Average",
        "yAxis": {"left": axis},
        "legend": {"position": "bottom"},
    });
    if panel.view == View::Bars || panel.view == View::Number {
        // One number for the whole range, not the newest.
        properties["setPeriodToTimeRange"] = (panel.view == View::Bars || is_count).into();
    }
    if let Some(measure) = measure {
        properties["annotations"] = json!({"horizontal": lines(measure)});
    }
    json!({
        "type": "metric",
        "x": place.x,
        "y": place.y,
        "width": place.width,
        "height": place.height,
        "properties": properties,
    })
}

fn view(view: View) -> &'static str {
    match view {
        View::Number => "singleValue",
        View::Bars => "bar",
        View::Lines | View::Stacked | View::Columns | View::Text => "timeSeries",
    }
}

fn metric(id: char, question: &Query) -> Value {
    let (statistic, period) = (question.statistic, question.period);
    let name = format!("MetricName=\"{}\"", question.source.metric);
    let is_of_endpoint = question.source.dimensions.iter().any(|one| one.values == Values::Endpoint);
    let endpoint = if is_of_endpoint { ENDPOINT } else { "*" };
    let search = search_terms(&question.source, &name, endpoint);
    json!([{
        "expression": format!("SEARCH('{search}', '{statistic}', {period})"),
        "id": format!("q{}", id.to_ascii_lowercase()),
        "label": label(&question.legend),
        "period": period,
    }])
}

fn lines(measure: &Measure) -> Value {
    let line = |name: &str, color: &str, value: f64| json!({"label": name, "color": color, "value": crate::dashboard::json::number(value)});
    let warning = measure.warning.map(|limit| line("warning", "#ff9900", limit));
    let critical = measure.critical.map(|limit| line("critical", "#d13212", limit));
    warning.into_iter().chain(critical).collect::<Vec<_>>().into()
}

/// CloudWatch's graphs know no unit of ours but by their label.
fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count | Unit::Nothing => "",
        Unit::Share => "0 to 1",
        Unit::Percent => "per cent",
        Unit::Milliseconds => "ms",
        Unit::Microseconds => "microseconds",
        Unit::Seconds => "s",
        Unit::Usd => "USD",
        Unit::Days => "days",
        Unit::PerSecond => "a second",
        Unit::Flag => "1 is yes",
    }
}
