//! What is shown: boards of rows of panels, before they are written for Grafana or CloudWatch.

use super::query::{Query, Reducer};
use super::source::Source;

/// The boards that Assay ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BoardKind {
    /// Latency, traffic, GPUs, cost.
    Quantity,
    /// Scores, findings, the judge.
    Quality,
    /// Models side by side: quality, cost, speed.
    Models,
    /// Inside the inference engine, through `PromQL`.
    Engine,
}

impl BoardKind {
    /// All of them, in the order of their links.
    pub const ALL: [Self; 4] = [Self::Quantity, Self::Quality, Self::Models, Self::Engine];

    /// The word in uids and names of files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quantity => "quantity",
            Self::Quality => "quality",
            Self::Models => "models",
            Self::Engine => "engine",
        }
    }

    /// The short title, as links show it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Quantity => "Quantity",
            Self::Quality => "Quality",
            Self::Models => "Models side by side",
            Self::Engine => "Engine",
        }
    }
}

/// A dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// Which.
    pub kind: BoardKind,
    /// What it answers, in one or two sentences.
    pub description: &'static str,
    /// What there is to choose from.
    pub choices: Choices,
    /// From the general to the particular.
    pub rows: Vec<Row>,
}

/// The series whose dimensions give the lists to choose from: such as are there whatever else is
/// switched on, since without a choice nothing is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Series of endpoints.
    pub endpoints: Source,
    /// Series of components: those of the chosen endpoint where they name it.
    pub components: Source,
}

impl Board {
    /// All panels with their ids. An id stays as it is when rows or panels are added behind it.
    pub fn panels(&self) -> impl Iterator<Item = (u32, &Panel)> {
        let rows = self.rows.iter().zip(1_u32..);
        rows.flat_map(|(row, number)| {
            row.panels.iter().zip(number * 100 + 1..).map(|(panel, id)| (id, panel))
        })
    }

    /// The id of the panel with this key.
    pub fn panel_id(&self, key: &str) -> Option<u32> {
        self.panels().find(|(_, panel)| panel.key == key).map(|(id, _)| id)
    }
}

/// Panels under a heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The heading.
    pub title: &'static str,
    /// From left to right; a panel that does not fit goes below.
    pub panels: Vec<Panel>,
}

/// One picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its name within the board, for rules that point to it.
    pub key: String,
    /// The heading.
    pub title: String,
    /// What it shows, and what to make of it.
    pub description: String,
    /// What its numbers are.
    pub unit: Unit,
    /// How it is drawn.
    pub view: View,
    /// What it shows.
    pub targets: Vec<Target>,
    /// The measure of `alerts.toml` whose limits are drawn.
    pub limits: Option<String>,
    /// What is shown where there is nothing to show.
    pub nothing: &'static str,
    /// Columns, of 24.
    pub width: u32,
    /// The time that it shows up to now, as `14d`, whatever the reader chose for the others. Grafana
    /// only.
    pub range: Option<&'static str>,
}

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Lines over time.
    Lines,
    /// Areas over time that add up.
    Stacked,
    /// Bars over time that add up: counts.
    Columns,
    /// The newest number, large.
    Number,
    /// One horizontal bar a component, over the whole time range.
    Bars,
    /// Text; the panel's description is its content.
    Text,
}

impl View {
    /// Rows of the grid.
    pub const fn height(self) -> u32 {
        match self {
            Self::Number => 4,
            Self::Text => 3,
            Self::Bars => 6,
            Self::Lines | Self::Stacked | Self::Columns => 8,
        }
    }

    /// Whether it shows series over time.
    pub const fn is_over_time(self) -> bool {
        matches!(self, Self::Lines | Self::Stacked | Self::Columns)
    }
}

/// What numbers are, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// 0 to 1, shown as per cent.
    Share,
    /// 0 to 100.
    Percent,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Seconds.
    Seconds,
    /// US dollars.
    Usd,
    /// Days.
    Days,
    /// Things a second.
    PerSecond,
    /// 0 or 1, shown as no and yes.
    Flag,
    /// Nothing: text.
    Nothing,
}

impl Unit {
    /// Grafana's id (`@grafana/data`, value formats). Microseconds begin with U+00B5.
    pub const fn grafana_id(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::Share => "percentunit",
            Self::Percent => "percent",
            Self::Milliseconds => "ms",
            Self::Microseconds => "\u{b5}s",
            Self::Seconds => "s",
            Self::Usd => "currencyUSD",
            Self::Days => "suffix:days",
            Self::PerSecond => "cps",
            Self::Flag => "bool_yes_no",
            Self::Nothing => "none",
        }
    }
}

/// One set of series of a panel, or what is computed of others.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// `A`, `B` ... of the panel.
    pub id: char,
    /// Whether it is only an ingredient of others.
    pub is_hidden: bool,
    /// Where its numbers come from.
    pub origin: Origin,
}

/// Where the numbers of a target come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// CloudWatch.
    CloudWatch(Query),
    /// One number of each series of another target.
    Reduced {
        /// The other target.
        of: char,
        /// How.
        by: Reducer,
    },
    /// A formula over other targets: `$A / $B`.
    Formula {
        /// In Grafana's words.
        formula: String,
        /// What its series are called behind the component; the component alone when empty.
        suffix: String,
        /// Whether the series are of components, or of the endpoint.
        is_of_component: bool,
    },
    /// `PromQL`.
    Prom {
        /// The query.
        expression: String,
        /// What its series are called, in Grafana's words.
        legend: String,
    },
}
