//! The boards that Assay ships.

mod engine;
mod models;
mod quality;
mod quantity;

pub(super) use quality::score_key;

use super::Settings;
use super::aws::{self, Grain};
use super::board::{Board, BoardKind, Choices, Origin, Panel, Target, Unit, View};
use super::query::{Legend, Query, Reducer, Statistic};
use super::source::{Source, Sources};
use crate::capacity::condition::ConditionKind;
use crate::metric::COMPONENT_DIMENSION;

/// The boards that are made of CloudWatch metrics.
pub fn all(settings: &Settings) -> Vec<Board> {
    BoardKind::ALL
        .into_iter()
        .filter(|kind| *kind != BoardKind::Engine)
        .map(|kind| board(kind, settings))
        .collect()
}

/// One board. [`BoardKind::Engine`] needs a workspace that has a data source for `PromQL`.
pub fn board(kind: BoardKind, settings: &Settings) -> Board {
    match kind {
        BoardKind::Quantity => quantity::board(settings),
        BoardKind::Quality => quality::board(settings),
        BoardKind::Models => models::board(settings),
        BoardKind::Engine => engine::board(settings),
    }
}

/// Five minutes: capacity-meter's rhythm, and enough for judged samples to gather.
const PERIOD: u32 = 300;
const HOUR: u32 = 3600;
const DAY: u32 = 86_400;

const BY_COMPONENT: Legend = Legend::Dimensions(&[COMPONENT_DIMENSION]);

impl Panel {
    fn new(key: &str, title: &str, description: &str, unit: Unit, view: View) -> Self {
        let nothing = if view.is_over_time() { "no data in this time range" } else { "no data" };
        Self {
            key: key.to_owned(),
            title: title.to_owned(),
            description: description.to_owned(),
            unit,
            view,
            targets: Vec::new(),
            limits: None,
            nothing,
            width: 8,
            range: None,
        }
    }

    fn over(mut self, range: &'static str) -> Self {
        self.range = Some(range);
        self
    }

    fn width(mut self, columns: u32) -> Self {
        self.width = columns;
        self
    }

    fn limits(mut self, measure: &str) -> Self {
        self.limits = Some(measure.to_owned());
        self
    }

    fn nothing(mut self, text: &'static str) -> Self {
        self.nothing = text;
        self
    }

    /// One more target, called by the next letter.
    pub(super) fn target(mut self, origin: Origin, is_hidden: bool) -> Self {
        let id = ('A'..='Z').nth(self.targets.len()).unwrap_or('Z');
        self.targets.push(Target { id, is_hidden, origin });
        self
    }

    /// Shows series, one line each.
    fn show(self, query: Query) -> Self {
        self.target(Origin::CloudWatch(query), false)
    }

    /// Asks for series that formulas use.
    fn with(self, query: Query) -> Self {
        self.target(Origin::CloudWatch(query), true)
    }

    /// Makes one number of each series of a target.
    fn reduced(self, of: char, by: Reducer) -> Self {
        self.target(Origin::Reduced { of, by }, true)
    }

    /// Shows a formula whose series are of components.
    fn formula(self, formula: &str, suffix: &str) -> Self {
        let (formula, suffix) = (formula.to_owned(), suffix.to_owned());
        self.target(Origin::Formula { formula, suffix, is_of_component: true }, false)
    }

    /// Shows a formula whose series are of the endpoint.
    fn endpoint_formula(self, formula: &str, name: &str) -> Self {
        let (formula, suffix) = (formula.to_owned(), name.to_owned());
        self.target(Origin::Formula { formula, suffix, is_of_component: false }, false)
    }
}

/// Endpoints that capacity-meter watches, for it says of each whether it is blind, and components that
/// had requests. What only enhanced metrics tell, such as copies, would leave both lists empty where they
/// are off.
fn watched(own: &Sources) -> Choices {
    Choices {
        endpoints: own.endpoint_named(ConditionKind::Blind.metric_name()),
        components: Source::aws(aws::INVOCATIONS, Grain::Component),
    }
}

fn ask(source: Source, statistic: Statistic, legend: Legend) -> Query {
    Query { source, statistic, period: PERIOD, legend }
}

/// The same, each series called by its component.
fn each(source: Source, statistic: Statistic) -> Query {
    ask(source, statistic, BY_COMPONENT)
}

/// The same, each series called by its component and what is measured.
fn measured(source: Source, statistic: Statistic, what: &str) -> Query {
    ask(source, statistic, Legend::Measured(COMPONENT_DIMENSION, what.to_owned()))
}

/// The same, called by a text: for what exists once in an endpoint.
fn called(source: Source, statistic: Statistic, name: &str) -> Query {
    ask(source, statistic, Legend::Text(name.to_owned()))
}

impl Query {
    fn every(mut self, seconds: u32) -> Self {
        self.period = seconds;
        self
    }
}

/// `professional_tone` as a heading: Professional tone.
pub(super) fn heading(dimension: &str) -> String {
    let words = dimension.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
