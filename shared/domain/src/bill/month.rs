//! The items of a month's bill.

use super::price::{self, DEAR_METRICS, FREE_DASHBOARDS, Price};
use super::workload::{DAYS, Volumes, Workload};
use crate::check::Check;
use crate::metric::{ALERT_LOSSES, CATALOGUE, Definition};
use crate::money::MicroUsd;

/// One line of the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// What is paid for, and to which service.
    pub what: &'static str,
    /// How much of it.
    pub units: u64,
    /// What that costs.
    pub amount: MicroUsd,
}

/// Memory of a function, of 1,024 MB.
const MEMORY_MB: u64 = 256;
/// Milliseconds of an invocation, assumed: reading an object, waiting for the judge as well, a run
/// of the meter, a message with alerts. Not measured on an account.
const READ_MS: u64 = 250;
const JUDGE_MS: u64 = 6_000;
const METER_MS: u64 = 2_000;
const ROUTE_MS: u64 = 1_500;
/// Bytes in the log of an invocation, assumed: what Lambda writes of it, and the summary.
const LOGGED_BYTES: u64 = 1_500;

/// Bytes of a captured exchange of 2,000 characters in its record, and of a stored verdict.
pub(super) const RECORD_BYTES: u64 = 4_000;
/// See [`RECORD_BYTES`].
pub(super) const VERDICT_BYTES: u64 = 2_500;
/// Bytes of an object's entry in the state table.
const PROGRESS_BYTES: u64 = 400;
/// Days that captures and verdicts are kept by default, and verdicts in the state table.
const CAPTURE_DAYS: u64 = 30;
const VERDICT_DAYS: u64 = 400;
const STATE_DAYS: u64 = 30;

/// Requests of Lambda for one queue: five long polls of 20 s at a time, whether anything comes or
/// not. An upper bound: Lambda polls less while a queue stays empty.
const POLLS: u64 = 5 * 3 * 60 * 24 * DAYS;
/// Queues that invoke a function.
const POLLED_QUEUES: u64 = 3;

/// Metrics of a component that have a value whenever answers are judged, without the dimensions.
const ALWAYS_METRICS: u64 = 12;
/// Metrics that alert-router looks up for an alert.
const LOOKED_UP: u64 = 8;
/// Ten minutes of worst answers, in three hours.
const WORST_SLICES: u64 = 19;
/// A topology is read again so often in a month: every 15 minutes.
const TOPOLOGY_READS: u64 = DAYS * 24 * 4;

/// The bill of a month, each item in its place also when it is nothing.
pub fn month(workload: &Workload) -> Vec<Item> {
    let v = workload.volumes();
    let judge = Item {
        what: "Bedrock: the judge",
        units: v.judged,
        amount: MicroUsd(
            i64::try_from(v.judged).unwrap_or(i64::MAX).saturating_mul(workload.sample.estimate.0),
        ),
    };
    let (first, further) = custom_metrics(workload);
    vec![
        judge,
        item(
            "CloudWatch: custom metrics",
            &[(price::CUSTOM_METRIC, first), (price::FURTHER_METRIC, further)],
        ),
        item("CloudWatch: PutMetricData", &[(price::PUT_METRIC_DATA, published(workload, &v))]),
        item("CloudWatch: GetMetricData, ListMetrics", &asked(workload)),
        item("CloudWatch: alarms and dashboards of the stack", &watched(workload)),
        item("CloudWatch Logs", &[(price::LOG_MB, invocations(workload, &v) * LOGGED_BYTES / 1_000_000)]),
        item("Lambda", &lambda(workload, &v)),
        item("S3: requests", &[(price::S3_WRITE, v.objects + v.objects_judged), (price::S3_READ, v.objects)]),
        item("S3: captures and verdicts kept", &[(price::S3_MB, stored_mb(&v))]),
        // The lifecycle's deletions are events of the bucket, too.
        item("EventBridge", &[(price::EVENT, 2 * v.objects)]),
        item("SQS", &[(price::SQS_REQUEST, 3 * v.objects + POLLED_QUEUES * POLLS)]),
        item("DynamoDB", &table(workload, &v)),
        item("Secrets Manager", &[(price::SECRET, workload.secrets)]),
    ]
}

/// What all items cost together.
pub fn sum(items: &[Item]) -> MicroUsd {
    items.iter().map(|item| item.amount).sum()
}

fn item(what: &'static str, parts: &[(Price, u64)]) -> Item {
    Item {
        what,
        units: parts.iter().map(|(_, units)| units).sum(),
        amount: parts.iter().map(|(price, units)| price.of(*units)).sum(),
    }
}

/// One for each object, run and message: batches are not counted on.
fn invocations(workload: &Workload, v: &Volumes) -> u64 {
    v.objects + workload.meter_runs + workload.alerts
}

fn lambda(workload: &Workload, v: &Volumes) -> [(Price, u64); 2] {
    let milliseconds = v.objects * READ_MS
        + v.objects_judged * JUDGE_MS
        + workload.meter_runs * METER_MS
        + workload.alerts * ROUTE_MS;
    let gb_seconds = milliseconds * MEMORY_MB / 1_024 / 1_000;
    [(price::LAMBDA_REQUEST, invocations(workload, v)), (price::LAMBDA_GB_SECOND, gb_seconds)]
}

/// Custom metrics, as if each component had each of them in every hour: those that are always there,
/// the rubric's dimensions and all checks. Rare outcomes are not counted.
fn custom_metrics(workload: &Workload) -> (u64, u64) {
    let of_component = ALWAYS_METRICS + workload.dimensions + Check::ALL.len() as u64;
    // A metric is billed by the hours in which it was published.
    let hours = 24 * DAYS;
    let of_alerts = alert_metrics() * workload.alerts.min(hours) / hours;
    let all =
        workload.components * of_component + workload.meter_metrics + workload.metrics_of_logs + of_alerts;
    (all.min(DEAR_METRICS), all.saturating_sub(DEAR_METRICS))
}

/// Those that alert-router publishes each time.
fn alert_metrics() -> u64 {
    let is_of_alerts = |name: &str| {
        name.starts_with("Alert") || name.starts_with("Notifications") || name.starts_with("Enrichment")
    };
    let is_each_time = |metric: &&Definition| is_of_alerts(metric.name) && !ALERT_LOSSES.contains(*metric);
    CATALOGUE.iter().filter(is_each_time).count() as u64
}

/// One call for each object: an object holds few minutes of few components.
fn published(workload: &Workload, v: &Volumes) -> u64 {
    v.objects + workload.meter_calls.put_metric_data as u64 * workload.meter_runs + workload.alerts
}

fn asked(workload: &Workload) -> [(Price, u64); 2] {
    let calls = workload.meter_calls;
    let metrics = calls.metrics_requested as u64 * workload.meter_runs + LOOKED_UP * workload.alerts;
    let pages = calls.list_metrics as u64 * workload.meter_runs;
    [(price::METRIC_ASKED_FOR, metrics), (price::PUT_METRIC_DATA, pages)]
}

fn watched(workload: &Workload) -> [(Price, u64); 2] {
    let dashboards = workload.dashboards.saturating_sub(FREE_DASHBOARDS);
    let alarms = workload.alarms + workload.alarms_of_endpoints * workload.endpoints;
    [(price::ALARM, alarms), (price::DASHBOARD, dashboards)]
}

fn stored_mb(v: &Volumes) -> u64 {
    let captures = v.exchanges / DAYS * CAPTURE_DAYS * RECORD_BYTES;
    let verdicts = v.judged / DAYS * VERDICT_DAYS * VERDICT_BYTES;
    (captures + verdicts) / 1_000_000
}

/// Of an object: lease and progress; with a selected exchange, cap and reservation; with a judged one,
/// settlement and worst answer. Of a verdict: a read, and a write unit for each KB. Of a run of the
/// meter: what is kept, read each time and written with each new topology. Of an alert: two records,
/// read and written, a turn, and the worst answers.
fn table(workload: &Workload, v: &Volumes) -> [(Price, u64); 3] {
    let writes = 2 * v.objects
        + 2 * v.objects_selected
        + 2 * v.objects_judged
        + v.judged * VERDICT_BYTES.div_ceil(1_024)
        + TOPOLOGY_READS * (workload.endpoints + 1)
        + 3 * workload.alerts;
    let reads =
        v.selected + workload.meter_runs * (workload.endpoints + 2) + workload.alerts * (2 + WORST_SLICES);
    let kept = (v.judged * VERDICT_BYTES + v.objects * PROGRESS_BYTES) / DAYS * STATE_DAYS / 1_000_000;
    [(price::TABLE_WRITE, writes), (price::TABLE_READ, reads), (price::TABLE_MB, kept)]
}
