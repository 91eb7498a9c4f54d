//! The metrics of alert-router itself. They have no dimension: what matters is whether anything was
//! lost or is stuck.

use domain::alert::lifecycle::QuietCause;
use domain::metric::{self, Datum, Definition};
use jiff::Timestamp;

use crate::summary::Counts;

/// What was counted, as metrics; those that count failures also when they are zero, so that an
/// alarm can tell "none" from "nothing is known".
pub(crate) fn datums(counts: &Counts, unknown_form: u64, now: Timestamp) -> Vec<Datum> {
    let all = [
        (metric::ALERT_MESSAGES, counts.messages),
        (metric::ALERTS_RECEIVED, counts.alerts),
        (metric::ALERTS_LOST, counts.lost),
        (metric::ALERTS_UNKNOWN_FORM, unknown_form),
        (metric::ALERTS_UNKNOWN_SEVERITY, counts.unknown_severity),
        (metric::ALERTS_MUTED, counts.quiet(QuietCause::Muted)),
        (metric::ALERTS_HELD_BACK, counts.quiet(QuietCause::HeldBack)),
        (metric::ALERTS_UNROUTED, counts.quiet(QuietCause::Unrouted)),
        (metric::ENRICHMENT_MISSING, counts.enrichment_missing),
        (metric::NOTIFICATIONS_DELIVERED, counts.total(|counts| counts.delivered)),
        (metric::NOTIFICATIONS_FAILED, counts.total(|counts| counts.owed)),
        (metric::NOTIFICATIONS_PARKED, counts.total(|counts| counts.parked)),
        (metric::NOTIFICATIONS_PLAIN, counts.total(|counts| counts.plain)),
    ];
    all.into_iter().map(|(definition, count)| datum(definition, count, now)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of one invocation")]
fn datum(definition: Definition, count: u64, now: Timestamp) -> Datum {
    let minute = now.as_second().div_euclid(60) * 60;
    Datum {
        metric: definition.name.to_owned(),
        dimensions: Vec::new(),
        timestamp: Timestamp::from_second(minute).unwrap_or(now),
        unit: definition.unit,
        values: vec![count as f64],
        counts: vec![1.0],
    }
}
