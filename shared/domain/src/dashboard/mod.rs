//! Dashboards and alert rules: one description in code of what is shown and what is held against a
//! limit, written for Grafana and for CloudWatch.
//!
//! 1. [`source`] and [`aws`] are the series: metrics of [`crate::metric`] and of SageMaker, each
//!    with all its dimensions.
//! 2. [`boards`] are the pictures, [`rules`] the alerts. The limits of both are those of
//!    `[thresholds]` in `alerts.toml`.
//! 3. [`grafana`] writes them as classic dashboards (schema 39, Grafana 9.4 to 13) and as
//!    provisioned alert rules; [`cloudwatch`] as dashboard bodies and alarms, for a stack without
//!    Grafana.
//! 4. [`files`] is all of it as text; [`provision`] is how it gets into a Grafana and out again.

pub mod aws;
pub mod board;
pub mod boards;
pub mod cloudwatch;
pub mod grafana;
pub mod grid;
pub mod identity;
pub mod json;
pub mod measure;
pub mod provision;
pub mod query;
pub mod rules;
pub mod source;

mod written;

#[cfg(test)]
mod tests;

use crate::alert::rules::Thresholds;
use crate::fleet::Fleet;
use crate::rubric::Rubric;

pub use identity::Identity;
pub use written::{RUNBOOKS, files, shipped_files};

/// Everything that decides what the dashboards and rules say.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Whose they are: the stack's.
    pub identity: &'a Identity,
    /// What the metrics are called.
    pub fleet: &'a Fleet,
    /// Which dimensions are judged.
    pub rubric: &'a Rubric,
    /// The limits.
    pub thresholds: &'a Thresholds,
    /// The judge, for the panel that names it; `None` where it is not known.
    pub judge_model: Option<&'a str>,
    /// US dollars that the judge may cost a day; `None` gives no rule about the budget.
    pub daily_budget_usd: Option<f64>,
    /// The address of the folder of runbooks, ending in a slash.
    pub runbooks: &'a str,
}
