//! Questions to the CloudWatch plugin and expressions over their answers, the same on panels and in
//! rules.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::dashboard::query::{Legend, Query, Reducer, Total};
use crate::dashboard::source::{Source, Values};

/// What stands for the values that a reader or a rule chooses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub endpoint: &'a str,
    pub component: &'a str,
}

/// A reference to a CloudWatch data source.
pub(super) fn data_source(uid: &str) -> Value {
    json!({"type": "cloudwatch", "uid": uid})
}

/// A reference to Grafana's own expressions.
pub(super) fn expressions() -> Value {
    json!({"type": "__expr__", "uid": "__expr__"})
}

/// A question of the builder: namespace, metric, every dimension, exact.
pub(super) fn builder(query: &Query, id: char, uid: &str, choice: Choice, is_hidden: bool) -> Value {
    let mut dimensions = Map::new();
    for dimension in &query.source.dimensions {
        let value = match dimension.values {
            Values::Endpoint => choice.endpoint,
            Values::Component => choice.component,
            Values::Any => "*",
        };
        dimensions.insert(dimension.name.clone(), json!([value]));
    }
    let mut model = common(id, uid, is_hidden);
    model["metricEditorMode"] = 0.into();
    model["namespace"] = query.source.namespace.clone().into();
    model["metricName"] = query.source.metric.clone().into();
    model["dimensions"] = dimensions.into();
    model["matchExact"] = true.into();
    model["statistic"] = query.statistic.to_string().into();
    model["period"] = query.period.to_string().into();
    model["label"] = label(&query.legend).into();
    model["expression"] = "".into();
    model
}

/// A question in CloudWatch's own words, which must not refer to another one.
pub(super) fn code(expression: &str, period: u32, label: &str, id: char, uid: &str) -> Value {
    let mut model = common(id, uid, false);
    model["metricEditorMode"] = 1.into();
    model["namespace"] = "".into();
    model["metricName"] = "".into();
    model["dimensions"] = json!({});
    model["matchExact"] = true.into();
    // The plugin wants a statistic in every question.
    model["statistic"] = "Average".into();
    model["period"] = period.to_string().into();
    model["label"] = label.into();
    model["expression"] = expression.into();
    model
}

fn common(id: char, uid: &str, is_hidden: bool) -> Value {
    json!({
        "refId": id.to_string(),
        "id": format!("q{}", id.to_ascii_lowercase()),
        "datasource": data_source(uid),
        "queryMode": "Metrics",
        "metricQueryType": 0,
        "region": "default",
        "hide": is_hidden,
    })
}

/// `SUM(SEARCH(...))` of a total.
pub(in crate::dashboard) fn total_expression(total: &Total, endpoint: &str) -> String {
    let (statistic, period) = (total.statistic, total.period);
    let names: Vec<String> = total.metrics().map(|name| format!("\"{name}\"")).collect();
    let names = if names.len() == 1 { names.concat() } else { format!("({})", names.join(" OR ")) };
    let search = search_terms(&total.source, &format!("MetricName={names}"), endpoint);
    format!("SUM(SEARCH('{search}', '{statistic}', {period}))")
}

/// The terms of a SEARCH over all series of a source. An endpoint of `*` is any.
pub(in crate::dashboard) fn search_terms(source: &Source, metric: &str, endpoint: &str) -> String {
    let dimensions: Vec<&str> = source.dimension_names().collect();
    let mut terms = format!("{{{},{}}} {metric}", quoted(&source.namespace), dimensions.join(","));
    for dimension in &source.dimensions {
        if dimension.values == Values::Endpoint && endpoint != "*" {
            let _ = write!(terms, " {}=\"{endpoint}\"", dimension.name);
        }
    }
    terms
}

/// Names with other characters than letters, digits and those that namespaces use are quoted.
fn quoted(namespace: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_".contains(&byte);
    if namespace.bytes().all(is_plain) { namespace.to_owned() } else { format!("\"{namespace}\"") }
}

/// CloudWatch's dynamic label.
pub(in crate::dashboard) fn label(legend: &Legend) -> String {
    let property = |name: &str| format!("${{PROP('Dim.{name}')}}");
    match legend {
        Legend::Dimensions(names) => names.iter().map(|name| property(name)).collect::<Vec<_>>().join(" "),
        Legend::Measured(name, what) => format!("{}: {what}", property(name)),
        Legend::Text(text) => text.clone(),
    }
}

/// One number of each series.
pub(super) fn reduce(id: char, of: char, by: Reducer) -> Value {
    let settings = match by {
        Reducer::LastOrZero => json!({"mode": "replaceNN", "replaceWithValue": 0}),
        _ => json!({"mode": "dropNN"}),
    };
    json!({
        "refId": id.to_string(),
        "type": "reduce",
        "datasource": expressions(),
        "expression": of.to_string(),
        "reducer": by.as_str(),
        "settings": settings,
        "hide": false,
    })
}

/// A formula.
pub(super) fn math(id: char, formula: &str) -> Value {
    json!({
        "refId": id.to_string(),
        "type": "math",
        "datasource": expressions(),
        "expression": formula,
        "hide": false,
    })
}

/// Even buckets; those without a point stay empty.
pub(super) fn resample(id: char, of: char, seconds: u32) -> Value {
    json!({
        "refId": id.to_string(),
        "type": "resample",
        "datasource": expressions(),
        "expression": of.to_string(),
        "window": format!("{seconds}s"),
        "downsampler": "sum",
        "upsampler": "fillna",
        "hide": false,
    })
}
