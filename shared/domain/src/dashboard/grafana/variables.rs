//! Data source, endpoint and components: chosen by the reader, so that nothing is hard-coded.

use serde_json::{Value, json};

use super::query::data_source;
use crate::dashboard::board::{Board, BoardKind};
use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};

/// "All components" has no value of its own and so stands for the endpoint's list: SageMaker's
/// metrics of a component name no endpoint, and a `*` would show those of every endpoint.
pub(super) fn variables(board: &Board, prometheus: &str) -> Vec<Value> {
    let mut list = vec![source("datasource", "CloudWatch", "cloudwatch")];
    if board.kind == BoardKind::Engine {
        list.push(source("promql", "PromQL", prometheus));
    }
    let mut endpoint = values(board, "endpoint", "Endpoint", ENDPOINT_DIMENSION, &json!({}));
    endpoint["includeAll"] = false.into();
    endpoint["multi"] = false.into();
    list.push(endpoint);
    let of_endpoint = json!({ENDPOINT_DIMENSION: "$endpoint"});
    let mut component = values(board, "component", "Components", COMPONENT_DIMENSION, &of_endpoint);
    component["includeAll"] = true.into();
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

fn values(board: &Board, name: &str, label: &str, dimension: &str, filters: &Value) -> Value {
    let source = &board.choices.source;
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
