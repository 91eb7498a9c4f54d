//! What is held against a limit: one rule a metric and severity, for every endpoint and component
//! at once, before it is written for Grafana or CloudWatch.
//!
//! Every rule takes a window, not a single sample, and where a mean could rest on a few samples it
//! asks for a least number of them. Steps: `B` is the measured value, `C` the condition.

mod capacity;
mod quality;
mod recipe;
mod serving;

use super::Settings;
use super::board::BoardKind;
use super::query::Step;
use super::source::Source;
use crate::alert::Comparison;
use crate::alert::rules::{Band, Measure};

/// The step whose value is the measured one.
pub const MEASURED: char = 'B';
/// The step that is above zero while the rule fires.
pub const CONDITION: char = 'C';

/// Rules that are evaluated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Scores, findings, the judge.
    Quality,
    /// Latency, errors, GPUs under load.
    Serving,
    /// The meter and money.
    Capacity,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quality, Self::Serving, Self::Capacity];

    /// The word in the group's title.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Serving => "serving",
            Self::Capacity => "capacity",
        }
    }

    /// Seconds between evaluations. Each asks CloudWatch, which bills by the metric: slow things
    /// are asked slowly.
    pub const fn interval(self) -> u32 {
        match self {
            Self::Serving => 120,
            Self::Quality | Self::Capacity => 300,
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name: the end of its uid.
    pub name: String,
    /// The page in `docs/runbooks/`, without `.md`: the name without the severity.
    pub runbook: &'static str,
    /// For people, unique in the folder.
    pub title: String,
    /// Where it is evaluated.
    pub group: Group,
    /// The measure of `alerts.toml` whose limit it holds values against.
    pub measure: String,
    /// Which of the measure's limits.
    pub band: Band,
    /// The limit.
    pub limit: f64,
    /// The dimension of quality, or `composite`; none for rules about anything else.
    pub dimension: Option<String>,
    /// From questions to the condition.
    pub steps: Vec<Timed>,
    /// Seconds for which the condition must hold.
    pub hold: u32,
    /// The board and the key of the panel that shows the measure.
    pub panel: (BoardKind, String),
    /// What is bad, about one endpoint or component: `the mean composite score of an hour`.
    pub what: String,
    /// How the value is written.
    pub shown: Shown,
    /// What its instances are of.
    pub about: About,
    /// What a stack without Grafana alarms on instead.
    pub alarm: Alarm,
}

/// A step and the stretch of time that it looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    /// `A`, `B` ...
    pub id: char,
    /// What it does.
    pub step: Step,
    /// Seconds before now at which it starts.
    pub from: u32,
    /// Seconds before now at which it ends.
    pub to: u32,
}

/// How a value is written for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// 0 to 1 with three digits.
    Score,
    /// 0 to 1 as per cent.
    Share,
    /// 0 to 100.
    Percent,
    /// Microseconds.
    Microseconds,
    /// A number of things.
    Count,
    /// A factor: 1.5 times.
    Factor,
}

/// What the instances of a rule are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A component of an endpoint.
    Component,
    /// A component; its metric names no endpoint.
    ComponentOnly,
    /// An endpoint.
    Endpoint,
    /// The judge as a whole.
    Judge,
}

/// What CloudWatch can alarm on, for a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Alarm {
    /// A Metrics Insights query with one contributor for each series.
    EachSeries {
        /// `AVG`, `SUM`, `MAX`, `MIN` or `COUNT`.
        function: &'static str,
        /// The series.
        source: Source,
        /// Seconds in a period.
        period: u32,
        /// Periods in a row that must be bad.
        periods: u32,
    },
    /// Nothing, and why.
    Nothing(&'static str),
}

/// The rules, and the measures that give none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleBook {
    /// All rules, in groups' order.
    pub rules: Vec<Rule>,
    /// Measures that `alerts.toml` has no limit for, so that nothing watches them.
    pub without_limit: Vec<String>,
}

impl RuleBook {
    /// All rules that the settings give.
    pub fn new(settings: &Settings) -> Self {
        let mut book = Self::default();
        quality::add(&mut book, settings);
        serving::add(&mut book, settings);
        capacity::add(&mut book, settings);
        book
    }

    /// Adds a rule for each limit of a measure.
    fn watch(&mut self, settings: &Settings, measure: &str, rule: impl Fn(&Measure, f64) -> Draft) {
        let Some(measure) = settings.thresholds.find(measure) else {
            self.without_limit.push(measure.to_owned());
            return;
        };
        for band in [Band::Warning, Band::Critical] {
            if let Some(limit) = measure.limit(band) {
                self.rules.push(rule(measure, limit).finish(measure, band, limit));
            }
        }
    }
}

/// A rule without what follows from its measure.
struct Draft {
    name: String,
    runbook: &'static str,
    title: String,
    group: Group,
    dimension: Option<String>,
    steps: Vec<Timed>,
    hold: u32,
    panel: (BoardKind, String),
    what: String,
    shown: Shown,
    about: About,
    alarm: Alarm,
}

impl Draft {
    fn finish(self, measure: &Measure, band: Band, limit: f64) -> Rule {
        Rule {
            name: format!("{}-{}", self.name, band.as_str()),
            runbook: self.runbook,
            title: format!("{} ({})", self.title, band.as_str()),
            group: self.group,
            measure: measure.name.clone(),
            band,
            limit,
            dimension: self.dimension,
            steps: self.steps,
            hold: self.hold,
            panel: self.panel,
            what: self.what,
            shown: self.shown,
            about: self.about,
            alarm: self.alarm,
        }
    }
}

/// `below 0.85`.
pub fn relation(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Above => "above",
        Comparison::AtLeast => "at or above",
        Comparison::Below => "below",
        Comparison::AtMost => "at or below",
    }
}

/// The sign in a formula.
const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Above => ">",
        Comparison::AtLeast => ">=",
        Comparison::Below => "<",
        Comparison::AtMost => "<=",
    }
}
