//! How much there is to do in a month, and how often what is called for it.

use super::sample::SampleCost;
use crate::capacity::plan::ApiCalls;
use crate::money::MicroUsd;

/// Days of the month that is billed.
pub const DAYS: u64 = 30;
/// SageMaker writes a capture object for each instance about this often, when there is traffic; seen
/// in public captures: one object holds up to 36 s.
const OBJECT_SECONDS: u64 = 30;

/// A fleet, its traffic and the settings that decide about costs.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Endpoints that capacity-meter watches.
    pub endpoints: u64,
    /// Inference components on them.
    pub components: u64,
    /// Instances that write captures.
    pub instances: u64,
    /// Captured exchanges, over all components.
    pub exchanges_a_day: u64,
    /// `SampleRate` times 1,000.
    pub sampled_of_thousand: u64,
    /// `SampleCapPerHour`.
    pub cap_per_hour: u64,
    /// `DailyBudgetUsd`.
    pub daily_budget: MicroUsd,
    /// What one sample costs.
    pub sample: SampleCost,
    /// The rubric's enabled dimensions: a custom metric each.
    pub dimensions: u64,
    /// Runs of capacity-meter.
    pub meter_runs: u64,
    /// The calls of such a run.
    pub meter_calls: ApiCalls,
    /// Custom metrics that such a run publishes.
    pub meter_metrics: u64,
    /// Messages with alerts.
    pub alerts: u64,
    /// Secrets of destinations.
    pub secrets: u64,
    /// Metrics in the alarms of the template, which are billed by the metric; and its dashboards.
    pub alarms: u64,
    /// See [`Workload::alarms`].
    pub dashboards: u64,
    /// Custom metrics that the template makes out of logs.
    pub log_metrics: u64,
}

/// What happens in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volumes {
    /// Exchanges that are read and checked.
    pub exchanges: u64,
    /// Capture objects.
    pub objects: u64,
    /// Exchanges that the rate selects.
    pub selected: u64,
    /// Those of them that are judged: within the caps and the budget.
    pub judged: u64,
    /// Objects with a selected exchange, at most.
    pub objects_selected: u64,
    /// Objects with a judged exchange, at most.
    pub objects_judged: u64,
}

impl Workload {
    /// What happens in a month, with the same traffic at all hours.
    pub fn volumes(&self) -> Volumes {
        let a_day = self.instances * 24 * 60 * 60 / OBJECT_SECONDS;
        let objects = DAYS * a_day.min(self.exchanges_a_day);
        let selected_a_day = self.exchanges_a_day * self.sampled_of_thousand / 1_000;
        let capped_a_day = self.cap_per_hour * 24 * self.components;
        let paid_a_day = self.daily_budget.0 / self.sample.estimate.0.max(1);
        let paid_a_day = u64::try_from(paid_a_day).unwrap_or_default();
        let judged = DAYS * selected_a_day.min(capped_a_day).min(paid_a_day);
        let selected = DAYS * selected_a_day;
        Volumes {
            exchanges: DAYS * self.exchanges_a_day,
            objects,
            selected,
            judged,
            objects_selected: objects.min(selected),
            objects_judged: objects.min(judged),
        }
    }
}
