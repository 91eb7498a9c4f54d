mod delivery;
mod interleaving;
mod order;
mod told;
mod wild;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};

use super::{
    AlertRecord, Arrival, Audience, Change, Delivery, Quiet, QuietCause, Receipt, StepKind, advance,
};
use crate::alert::rules::{Damping, DestinationName, Rules};
use crate::alert::{Alert, AlertKey, Family, Links, Severity, StateReason, Status};

/// Noon of some day, and so many seconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

pub(super) fn rules() -> &'static Rules {
    static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::from_toml("alerts.toml", "").unwrap());
    &RULES
}

/// The shipped damping, which never finds that something flaps.
pub(super) fn without_flapping() -> Damping {
    Damping { flips: 100_000, ..*rules().damping() }
}

pub(super) fn name(text: &str) -> DestinationName {
    DestinationName::new(text).unwrap()
}

pub(super) fn to(names: &str) -> Audience {
    Audience::Told(names.split_whitespace().map(name).collect())
}

pub(super) fn muted() -> Audience {
    Audience::Quiet(Quiet {
        cause: QuietCause::Muted,
        reason: "muted by \"x\"".to_owned(),
        until: Some(at(500)),
    })
}

pub(super) fn firing(severity: Severity, start: impl Into<Option<i64>>) -> Alert {
    let labels = [("severity".to_owned(), severity.to_string()), ("alertname".to_owned(), "Slow".to_owned())];
    Alert {
        family: Family::GrafanaJson,
        status: Status::Firing,
        state_reason: None,
        rule: "Slow".to_owned(),
        labels: BTreeMap::from(labels),
        annotations: BTreeMap::new(),
        values: BTreeMap::from([("B".to_owned(), 7.0)]),
        threshold: None,
        starts_at: start.into().map(at),
        ends_at: None,
        links: Links::default(),
        key: AlertKey::of(["Slow"]),
    }
}

pub(super) fn ended(start: impl Into<Option<i64>>, end: impl Into<Option<i64>>) -> Alert {
    let mut alert = firing(Severity::Warning, start);
    alert.status = Status::Resolved;
    alert.ends_at = end.into().map(at);
    alert
}

pub(super) fn silent(start: i64, end: i64, reason: StateReason) -> Alert {
    Alert { state_reason: Some(reason), ..ended(start, end) }
}

/// One message of a history, with the time at which it was sent.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) alert: Alert,
    pub(super) sent: i64,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |time: Option<Timestamp>| time.map(|time| time.as_second() - at(0).as_second());
        let Self { alert, sent } = self;
        let (start, end) = (seconds(alert.starts_at), seconds(alert.ends_at));
        write!(f, "{:?} {} {start:?} to {end:?} sent {sent}", alert.status, alert.labels["severity"])
    }
}

/// An alert's life, whose messages are delivered at once unless somebody says otherwise.
pub(super) struct Life {
    pub(super) record: Option<AlertRecord>,
    pub(super) damping: Damping,
    pub(super) delivers: bool,
    attempts: u32,
}

impl Life {
    pub(super) fn new() -> Self {
        Self { record: None, damping: *rules().damping(), delivers: true, attempts: 0 }
    }

    pub(super) fn record(&self) -> &AlertRecord {
        self.record.as_ref().unwrap()
    }

    /// A message, sent at `now`; the change, and what was sent because of it.
    pub(super) fn take(&mut self, now: i64, alert: &Alert, audience: &Audience) -> (Change, Vec<String>) {
        self.take_sent(now, now, alert, audience)
    }

    pub(super) fn take_sent(
        &mut self,
        sent: i64,
        now: i64,
        alert: &Alert,
        audience: &Audience,
    ) -> (Change, Vec<String>) {
        let decision = rules().classify(alert, &BTreeMap::new(), at(now));
        let arrival = Arrival { alert, decision: &decision, audience, sent_at: at(sent), now: at(now) };
        let before = self.record.as_ref().map_or(0, |record| record.version);
        let (record, change) = advance(self.record.take(), &arrival, &self.damping);
        assert_eq!(record.version, before + 1);
        // What is stored is what is read.
        let stored: AlertRecord = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(stored, record);
        self.record = Some(record);
        (change, if self.delivers { self.deliver(now) } else { Vec::new() })
    }

    /// Sends everything that is owed; `destination action severity`, one a message.
    pub(super) fn deliver(&mut self, now: i64) -> Vec<String> {
        let mut sent = Vec::new();
        let record = self.record.as_mut().unwrap();
        loop {
            self.attempts += 1;
            let owner = self.attempts.to_string();
            let deliveries = record.outbox.claim(&owner, at(now), SignedDuration::from_secs(60));
            if deliveries.is_empty() {
                assert!(!record.outbox.is_owed());
                assert_eq!(record.outbox.steps().len(), 0);
                return sent;
            }
            for delivery in deliveries {
                sent.push(shown(&delivery));
                record.outbox.confirm(&delivery, Some(Receipt::Sent));
            }
        }
    }
}

pub(super) fn shown(delivery: &Delivery) -> String {
    let action = match delivery.action {
        StepKind::Open => "open",
        StepKind::Raise => "raise",
        StepKind::Flapping => "flapping",
        StepKind::Missed => "missed",
        StepKind::Edit => "edit",
        StepKind::Close => "close",
        StepKind::Silent => "silent",
    };
    format!("{} {action} {}", delivery.destination, delivery.step.severity)
}
