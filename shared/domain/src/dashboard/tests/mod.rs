//! What is generated, looked at as a linter and a reader would.

mod alarms;
mod drawn;
mod generated;
mod lint;
mod metrics_page;
mod rule_lint;
mod runbooks;

use serde_json::Value;

use super::board::{Board, BoardKind};
use super::grafana::{self, PROMETHEUS, Routing, RuleScope, SeriesLabels, Wiring};
use super::rules::RuleBook;
use super::{Identity, RUNBOOKS, Settings, boards};
use crate::alert::rules::{self, Rules};
use crate::fleet::{self, Fleet};
use crate::rubric::{self, Rubric};

/// Everything that settings borrow.
pub(super) struct Given {
    pub(super) identity: Identity,
    fleet: Fleet,
    rubric: Rubric,
    pub(super) rules: Rules,
}

impl Given {
    pub(super) fn shipped() -> Self {
        Self {
            identity: Identity::default(),
            fleet: Fleet::from_toml("fleet.toml", fleet::SHIPPED).unwrap(),
            rubric: Rubric::from_toml("rubric.toml", rubric::SHIPPED).unwrap(),
            rules: Rules::from_toml("alerts.toml", rules::SHIPPED).unwrap(),
        }
    }

    /// Every dimension of the shipped rubric switched on.
    fn with_every_dimension() -> Self {
        let text = rubric::SHIPPED.replace("enabled = false", "enabled = true");
        Self { rubric: Rubric::from_toml("rubric.toml", &text).unwrap(), ..Self::shipped() }
    }

    /// Names, namespace and third dimension of the AWS sample, and a long stack name.
    fn renamed() -> Self {
        let fleet = "[metrics]\nnamespace = 'SageMaker/InferenceQuality'\nlabel_dimension = 'InferenceComponentLabel'\n\
                     [metrics.names]\nSafetyScore = 'safety_score'\n";
        Self {
            identity: "a-stack-with-a-name-that-is-much-too-long-for-grafana".parse().unwrap(),
            fleet: Fleet::from_toml("fleet.toml", fleet).unwrap(),
            ..Self::shipped()
        }
    }

    pub(super) fn settings(&self) -> Settings<'_> {
        Settings {
            identity: &self.identity,
            fleet: &self.fleet,
            rubric: &self.rubric,
            thresholds: self.rules.thresholds(),
            judge_model: Some("judge"),
            daily_budget_usd: Some(10.0),
            runbooks: RUNBOOKS,
        }
    }

    fn boards(&self) -> Vec<Board> {
        BoardKind::ALL.into_iter().map(|kind| boards::board(kind, &self.settings())).collect()
    }

    fn dashboards(&self) -> Vec<Value> {
        let boards = self.boards();
        let write = |board| grafana::dashboard(board, &self.settings(), &BoardKind::ALL, PROMETHEUS);
        boards.iter().map(write).collect()
    }

    fn book(&self) -> RuleBook {
        RuleBook::new(&self.settings())
    }

    /// All rules as Grafana takes them.
    fn rules(&self, scope: RuleScope) -> Vec<Value> {
        self.rules_of(&wiring(scope))
    }

    fn rules_of(&self, wiring: &Wiring) -> Vec<Value> {
        let groups = grafana::rule_groups(&self.book(), &self.boards(), &self.settings(), wiring);
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }
}

fn wiring(scope: RuleScope) -> Wiring {
    let (labels, routing) = (SeriesLabels::OfDimensions, Routing::ByPolicy);
    Wiring { data_source: "the-source".to_owned(), scope, labels, routing }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
