//! Names of the measures in `[thresholds]` of `alerts.toml` that are not metrics but computed of
//! them. Measures that are metrics are called as those.

/// Samples without a score, of those selected.
pub const JUDGE_FAILING_SHARE: &str = "JudgeFailingShare";
/// What the judge cost in 24 hours, of what it may cost in a day.
pub const JUDGE_BUDGET_SHARE: &str = "JudgeBudgetShare";
/// What the composite score lost against last week.
pub const COMPOSITE_QUALITY_DROP: &str = "CompositeQualityDrop";
/// Idle cost, of the bill.
pub const IDLE_COST_SHARE: &str = "IdleCostShare";
/// Runs of the meter in half an hour.
pub const METER_RUNS: &str = "MeterRuns";
/// Latency as a multiple of last week's.
pub const MODEL_LATENCY_RISE: &str = "ModelLatencyRise";
/// 5xx answers, of all.
pub const ERROR_SHARE: &str = "ErrorShare";
/// Requests in flight per copy.
pub const REQUESTS_PER_COPY: &str = "RequestsPerCopy";
