//! Data source, endpoint and components: chosen by the reader, so that nothing is hard-coded.

use serde_json::{Value, json};

use super::query::data_source;
use crate::dashboard::board::{Board, BoardKind, Choices};
use crate::dashboard::source::Source;
use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};

/// "All components" is one value that stands for each: a list of them all would not fit into a SEARCH,
/// which takes 1,024 characters. SageMaker's metrics of a component name no endpoint, so that it is those
/// of every endpoint there.
pub(super) fn variables(board: &Board, prometheus: &str) -> Vec<Value> {
    let mut list = vec![source("datasource", "CloudWatch", "cloudwatch")];
    let is_prom = board.kind == BoardKind::Engine;
    if is_prom {
        list.push(source("promql", "PromQL", prometheus));
    }
    let Choices { endpoints, components } = &board.choices;
    let mut endpoint = values(endpoints, "endpoint", "Endpoint", ENDPOINT_DIMENSION, &json!({}));
    endpoint["includeAll"] = false.into();
    endpoint["multi"] = false.into();
    list.push(endpoint);
    let filters =
        if components.has(ENDPOINT_DIMENSION) { json!({ENDPOINT_DIMENSION: "$endpoint"}) } else { json!({}) };
    let mut component = values(components, "component", "Components", COMPONENT_DIMENSION, &filters);
    component["includeAll"] = true.into();
    component["allValue"] = if is_prom { ".+" } else { "*" }.into();
    component["multi"] = true.into();
    component["current"] = json!({"selected": true, "text": ["All"], "value": ["$__all"]});
    list.push(component);
    list
}

fn source(name: &str, label: &str, plugin: &str) -> Value {
    json!({
        "name": name,
        "label": label,
        "type": "datasource",
        "query": plugin,
        "hide": 0,
        "includeAll": false,
        "multi": false,
        "options": [],
        "refresh": 1,
        "regex": "",
        "skipUrlSync": false,
    })
}

fn values(source: &Source, name: &str, label: &str, dimension: &str, filters: &Value) -> Value {
    json!({
        "name": name,
        "label": label,
        "type": "query",
        "datasource": data_source("${datasource}"),
        "hide": 0,
        "options": [],
        "regex": "",
        "refresh": 2,
        "sort": 1,
        "skipUrlSync": false,
        "query": {
            "queryType": "dimensionValues",
            "region": "default",
            "namespace": source.namespace,
            "metricName": source.metric,
            "dimensionKey": dimension,
            "dimensionFilters": filters,
            "refId": format!("variable-{name}"),
        },
    })
}
