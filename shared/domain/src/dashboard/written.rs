//! Everything as files, for import by hand and for the template.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::board::BoardKind;
use super::grafana::{self, PROMETHEUS, Routing, RuleScope, SeriesLabels, SnsShape, Wiring};
use super::json::text;
use super::rules::RuleBook;
use super::{Identity, Settings, boards, cloudwatch};
use crate::alert::rules::{self, Rules};
use crate::fleet::{self, Fleet};
use crate::rubric::{self, Rubric};
use crate::settings::Mistakes;

/// Where the runbooks of a released Assay are: the default of the stack's parameter `RunbookBaseUrl`.
pub const RUNBOOKS: &str = "https://github.com/assay/assay/blob/main/docs/runbooks/";
/// The default of the stack's parameter `DailyBudgetUsd`.
const DAILY_BUDGET_USD: f64 = 10.0;

/// What is to be replaced where nothing is known yet.
const DATA_SOURCE: &str = "DATA_SOURCE_UID";
const TOPIC: &str = "TOPIC_ARN";
const REGION: &str = "REGION";

/// The files of the folder `dashboards/`, by name: the same text at every call.
///
/// Dashboards can be imported as they are. In `alert-rules.json` and `contact-point.json`,
/// `DATA_SOURCE_UID`, `TOPIC_ARN` and `REGION` are to be replaced. The files of CloudWatch are for
/// `Fn::Sub`, which knows `${AWS::Region}`.
pub fn files(settings: &Settings) -> Vec<(String, String)> {
    let boards: Vec<_> = BoardKind::ALL.into_iter().map(|kind| boards::board(kind, settings)).collect();
    let book = RuleBook::new(settings);
    let linked = [BoardKind::Quantity, BoardKind::Quality, BoardKind::Models];
    let mut files = Vec::new();
    let mut bodies = BTreeMap::new();
    for board in &boards {
        let name = board.kind.as_str();
        let dashboard = grafana::dashboard(board, settings, &linked, PROMETHEUS);
        files.push((format!("{name}.json"), text(&dashboard)));
        if board.kind != BoardKind::Engine {
            let drawn = cloudwatch::dashboard(board, settings, "${AWS::Region}");
            let body = substitutable(&drawn.body);
            files.push((format!("cloudwatch-{name}.json"), text(&body)));
            bodies.insert(board.kind, body);
        }
    }
    let wiring = Wiring {
        data_source: DATA_SOURCE.to_owned(),
        scope: RuleScope::EveryEndpoint,
        labels: SeriesLabels::OfDimensions,
        routing: Routing::ByPolicy,
    };
    let groups = grafana::rule_groups(&book, &boards, settings, &wiring);
    files.push(("alert-rules.json".to_owned(), text(&groups.into())));
    let contact = grafana::contact_point(settings.identity, TOPIC, REGION, SnsShape::Both);
    files.push(("contact-point.json".to_owned(), text(&contact)));
    files.push(("notification-route.json".to_owned(), text(&grafana::route(settings.identity))));
    let topic = json!({"Ref": cloudwatch::template::TOPIC});
    let named = |parameter: &str| format!("${{{parameter}}}");
    let runbooks = named(cloudwatch::template::RUNBOOKS);
    let linked = Settings { runbooks: &runbooks, ..*settings };
    let alarms = cloudwatch::alarms(&book, &linked, &topic, &named(cloudwatch::template::NAME));
    let template = cloudwatch::template::template(&bodies, &alarms, settings.runbooks);
    files.push(("cloudwatch.template.json".to_owned(), text(&template)));
    files.sort();
    files
}

/// The files as they are committed: of the settings that Assay ships, for a stack called `assay`.
///
/// # Errors
/// The mistakes in a shipped settings file, which tests keep free of them.
pub fn shipped_files() -> Result<Vec<(String, String)>, Mistakes> {
    let fleet = Fleet::from_toml("config/fleet.toml", fleet::SHIPPED)?;
    let rubric = Rubric::from_toml("config/rubric.toml", rubric::SHIPPED)?;
    let rules = Rules::from_toml("config/alerts.toml", rules::SHIPPED)?;
    Ok(files(&Settings {
        identity: &Identity::default(),
        fleet: &fleet,
        rubric: &rubric,
        thresholds: rules.thresholds(),
        judge_model: None,
        daily_budget_usd: Some(DAILY_BUDGET_USD),
        runbooks: RUNBOOKS,
    }))
}

/// CloudWatch's own `${PROP(...)}` escaped from `Fn::Sub`.
fn substitutable(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace("${PROP", "${!PROP").into(),
        Value::Array(items) => items.iter().map(substitutable).collect::<Vec<_>>().into(),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), substitutable(value)));
            entries.collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}
