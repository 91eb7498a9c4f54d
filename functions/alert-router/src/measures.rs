//! The metrics of alert-router itself. They have no dimension: what matters is whether anything was
//! lost or is stuck.

use domain::alert::lifecycle::QuietCause;
use domain::metric::{self, Datum, Definition};
use jiff::Timestamp;

use crate::summary::Counts;

/// What was counted, as metrics; all but [`metric::ALERT_LOSSES`] also when they are zero, so that an
/// alarm can tell "none" from "nothing is known".
pub(crate) fn datums(counts: &Counts, unknown_form: u64, now: Timestamp) -> Vec<Datum> {
    let all = [
        (metric::ALERT_MESSAGES, counts.messages),
        (metric::ALERT_MESSAGES_UNREADABLE, counts.unreadable),
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
        (metric::NOTIFICATIONS_LEFT_OUT, counts.left_out),
    ];
    let is_published =
        |(definition, count): &(Definition, u64)| *count > 0 || !metric::ALERT_LOSSES.contains(definition);
    all.into_iter().filter(is_published).map(|(definition, count)| datum(definition, count, now)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_is_published_when_there_is_any_and_the_rest_each_time() {
        let losses = |counts: Counts| -> Vec<(String, f64)> {
            let all = datums(&counts, 0, Timestamp::UNIX_EPOCH);
            assert!(all.iter().any(|datum| datum.metric == metric::ALERTS_LOST.name));
            let is_loss = |name: &str| metric::ALERT_LOSSES.iter().any(|loss| loss.name == name);
            let losses = all.into_iter().filter(|datum| is_loss(&datum.metric));
            losses.map(|datum| (datum.metric, datum.values[0])).collect()
        };
        assert_eq!(losses(Counts::default()), []);
        let counts = Counts { unreadable: 2, left_out: 3, ..Counts::default() };
        let named = [(metric::ALERT_MESSAGES_UNREADABLE, 2.0), (metric::NOTIFICATIONS_LEFT_OUT, 3.0)];
        assert_eq!(losses(counts), named.map(|(definition, count)| (definition.name.to_owned(), count)));
    }
}
