//! Rules in Grafana's provisioning model.

use std::fmt::Write;

use serde_json::{Value, json};

use super::contact::delivery;
use super::query::{self, Choice};
use crate::dashboard::Settings;
use crate::dashboard::board::Board;
use crate::dashboard::json::number;
use crate::dashboard::query::Step;
use crate::dashboard::rules::{About, CONDITION, Group, Rule, RuleBook, Shown, Timed, relation};
use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};
use crate::names::EndpointName;

/// Which endpoints rules watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleScope {
    /// All, those to come included. Two open dimensions need Grafana 11 or later, where each gets
    /// its own label.
    EveryEndpoint,
    /// One. Metrics that name no endpoint are of the components of all of them.
    Endpoint(EndpointName),
}

/// What the CloudWatch plugin makes labels of, by which the steps of a rule are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesLabels {
    /// Of each dimension, and beside them `Series`, of the name of the series: Grafana 11 and later
    /// (`cloudWatchNewLabelParsing`). Steps whose series have names of their own are never joined.
    OfDimensions,
    /// Of the name of the series alone, for the dimension that is open.
    OfName,
}

/// How alerts reach the contact point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// Each rule names it (`notification_settings`): Grafana 12 and later, touches no shared policy.
    ByRule,
    /// The label `managed_by` and a route of our own: see [`super::route`].
    ByPolicy,
}

/// Where rules are put.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// The uid of the CloudWatch data source.
    pub data_source: String,
    /// Which endpoints they watch.
    pub scope: RuleScope,
    /// What labels series have.
    pub labels: SeriesLabels,
    /// How alerts go out.
    pub routing: Routing,
}

/// All rules in their groups, for `PUT /api/v1/provisioning/folder/{folder}/rule-groups/{group}`.
/// `boards` are those that the rules' panels are on.
pub fn rule_groups(book: &RuleBook, boards: &[Board], settings: &Settings, wiring: &Wiring) -> Vec<Value> {
    let group = |group: Group| {
        let rules: Vec<Value> = book
            .rules
            .iter()
            .filter(|one| one.group == group)
            .map(|one| rule(one, boards, settings, wiring))
            .collect();
        json!({
            "title": group_title(group, settings),
            "folderUid": settings.identity.folder_uid(),
            "interval": group.interval(),
            "rules": rules,
        })
    };
    Group::ALL.into_iter().map(group).collect()
}

fn group_title(group: Group, settings: &Settings) -> String {
    settings.identity.uid(&format!("{}-rules", group.as_str()))
}

/// One rule.
pub fn rule(rule: &Rule, boards: &[Board], settings: &Settings, wiring: &Wiring) -> Value {
    let identity = settings.identity;
    let mut labels = json!({
        "severity": rule.band.as_str(),
        "metric": rule.measure,
        "runbook": rule.runbook,
        "managed_by": identity.as_str(),
    });
    if let Some(dimension) = &rule.dimension {
        labels["dimension"] = dimension.clone().into();
    }
    let mut value = json!({
        "uid": identity.uid(&rule.name),
        "orgID": 1,
        "title": rule.title,
        "ruleGroup": group_title(rule.group, settings),
        "folderUID": identity.folder_uid(),
        "condition": CONDITION.to_string(),
        "data": rule.steps.iter().map(|timed| step(timed, &rule.measure, wiring)).collect::<Vec<_>>(),
        "for": format!("{}s", rule.hold),
        // No samples is no news: nothing-judged and meter-silent are there for that.
        "noDataState": "OK",
        // A failed query is told as one, not as what the rule is about.
        "execErrState": "Error",
        "isPaused": false,
        "labels": labels,
        "annotations": annotations(rule, boards, settings),
    });
    if wiring.routing == Routing::ByRule {
        value["notification_settings"] = delivery(identity);
    }
    value
}

fn step(timed: &Timed, measure: &str, wiring: &Wiring) -> Value {
    let endpoint = match &wiring.scope {
        RuleScope::EveryEndpoint => "*",
        RuleScope::Endpoint(name) => name.as_str(),
    };
    let uid = wiring.data_source.as_str();
    let id = timed.id;
    let (source, mut model) = match &timed.step {
        Step::Ask(question) => {
            (uid, query::builder(question, id, uid, Choice { endpoint, component: "*" }, false))
        }
        Step::AskTotal { counted, per } => {
            let mut expression = query::total_expression(counted, endpoint);
            if let Some(per) = per {
                let _ = write!(expression, " / {}", query::total_expression(per, endpoint));
            }
            (uid, query::code(&expression, counted.period, "total", id, uid))
        }
        Step::Reduce { of, by } => ("__expr__", query::reduce(id, *of, *by)),
        Step::Buckets { of, seconds } => ("__expr__", query::resample(id, *of, *seconds)),
        Step::Math(formula) => ("__expr__", query::math(id, formula)),
    };
    if wiring.labels == SeriesLabels::OfDimensions && source == uid {
        model["label"] = measure.into();
    }
    model["intervalMs"] = 1000.into();
    model["maxDataPoints"] = 43_200.into();
    json!({
        "refId": id.to_string(),
        "queryType": "",
        "relativeTimeRange": {"from": timed.from, "to": timed.to},
        "datasourceUid": source,
        "model": model,
    })
}

fn annotations(rule: &Rule, boards: &[Board], settings: &Settings) -> Value {
    let limit = limit(rule, settings);
    let value = shown(rule.shown);
    let who = who(rule.about);
    let mut value = json!({
        "summary": format!("{who}: {} ({value}, {limit})", rule.title),
        "description": format!("For {who}, {} is {value}: {limit}.", rule.what),
        "runbook_url": format!("{}{}.md", settings.runbooks, rule.runbook),
    });
    let (kind, key) = &rule.panel;
    let board = boards.iter().find(|board| board.kind == *kind);
    if let Some(id) = board.and_then(|board| board.panel_id(key)) {
        value["__dashboardUid__"] = settings.identity.board_uid(*kind).into();
        value["__panelId__"] = id.to_string().into();
    }
    value
}

fn limit(rule: &Rule, settings: &Settings) -> String {
    let comparison = settings.thresholds.find(&rule.measure).map(|measure| measure.comparison);
    let relation = comparison.map_or("past", relation);
    let limit = match rule.shown {
        Shown::Microseconds => format!("{} s", number(rule.limit / 1e6)),
        Shown::Percent => format!("{} %", number(rule.limit)),
        Shown::Share => format!("{} %", number((rule.limit * 1e4).round() / 100.0)),
        Shown::Score | Shown::Count | Shown::Factor => number(rule.limit).to_string(),
    };
    format!("{relation} the limit of {limit}")
}

/// The value in Grafana's template language, which has no arithmetic.
fn shown(shown: Shown) -> &'static str {
    match shown {
        Shown::Score => "{{ printf \"%.3f\" $values.B.Value }}",
        Shown::Share => "{{ humanizePercentage $values.B.Value }}",
        Shown::Percent => "{{ printf \"%.0f\" $values.B.Value }} %",
        Shown::Microseconds => "{{ printf \"%.0f\" $values.B.Value }} µs",
        Shown::Count => "{{ printf \"%.0f\" $values.B.Value }}",
        Shown::Factor => "{{ printf \"%.2f\" $values.B.Value }} times",
    }
}

fn who(about: About) -> String {
    let label = |name: &str| format!("{{{{ $labels.{name} }}}}");
    match about {
        About::Component => format!("{} on {}", label(COMPONENT_DIMENSION), label(ENDPOINT_DIMENSION)),
        About::ComponentOnly => label(COMPONENT_DIMENSION),
        About::Endpoint => label(ENDPOINT_DIMENSION),
        About::Judge => "the judge".to_owned(),
    }
}
