//! What Grafana takes: classic dashboards of schema 39, provisioned alert rules, the SNS contact
//! point and its route.
//!
//! Shapes: `@grafana/schema` 13 (dashboard, CloudWatch query) and the alerting provisioning API.

mod contact;
mod panel;
pub(in crate::dashboard) mod query;
mod rule;
mod variables;

use serde_json::{Value, json};

use super::Settings;
use super::board::{Board, BoardKind};
use super::grid::places;

pub use contact::{SnsShape, contact_point, route};
pub use rule::{Routing, RuleScope, SeriesLabels, Wiring, rule, rule_groups};

/// The schema that Grafana 9.4 to 13 all read.
pub const SCHEMA_VERSION: u32 = 39;

/// The type of the data source that `PromQL` is asked of, unless the workspace has Amazon's plugin.
pub const PROMETHEUS: &str = "prometheus";

/// A dashboard as `POST /api/dashboards/db` and the import page take it. `linked` are the boards
/// that are deployed beside it; `prometheus` is the plugin of the `PromQL` data source.
pub fn dashboard(board: &Board, settings: &Settings, linked: &[BoardKind], prometheus: &str) -> Value {
    let identity = settings.identity;
    let mut panels = Vec::new();
    let mut top = 0;
    for (row, number) in board.rows.iter().zip(1_u32..) {
        let (title, places, below) = places(row, top, 1);
        panels.push(panel::heading(row, number * 100, title));
        for ((one, place), id) in row.panels.iter().zip(places).zip(number * 100 + 1..) {
            panels.push(panel::panel(one, id, place, settings, prometheus));
        }
        top = below;
    }
    json!({
        "uid": identity.board_uid(board.kind),
        "title": format!("LLM {} - {}", board.kind.title().to_lowercase(), identity.as_str()),
        "description": board.description,
        "tags": ["assay", "llm", "sagemaker", identity.tag()],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": false,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "1m",
        "time": {"from": if board.kind == BoardKind::Quantity || board.kind == BoardKind::Engine { "now-6h" } else { "now-24h" }, "to": "now"},
        "annotations": {"list": []},
        "links": linked.iter().filter(|kind| **kind != board.kind).map(|kind| link(settings, *kind)).collect::<Vec<_>>(),
        "templating": {"list": variables::variables(board, prometheus)},
        "panels": panels,
    })
}

fn link(settings: &Settings, kind: BoardKind) -> Value {
    json!({
        "title": kind.title(),
        "type": "link",
        "url": format!("/d/{}", settings.identity.board_uid(kind)),
        "icon": "dashboard",
        "asDropdown": false,
        "includeVars": true,
        "keepTime": true,
        "tags": [],
        "targetBlank": false,
        "tooltip": format!("{}, same time range, endpoint and components", kind.title()),
    })
}
