//! Whether an alert is new, repeated, worse, over or flapping, and what follows for each
//! destination. [`advance`] takes what is remembered of an alert and one message, and gives what is
//! to be remembered from now on. Whatever order messages come in, and however often, the record ends
//! up the same, and every firing is told once.
//!
//! | a message | is |
//! |---|---|
//! | fires, and nothing is known or it ended before | new or fires again: people are called |
//! | fires as before | a repetition: messages are edited. Within moments: a duplicate |
//! | fires worse than people were told | raised: people are called again |
//! | fires, but a later end is known | late: ignored when that firing was told, else told as missed |
//! | ends the firing that is known | its messages are closed, or say that it went silent |
//! | says that it recovered, and was told to have gone silent | what stayed open is closed |
//! | ends a firing that nobody told of | told as missed, when it says since when it fired |
//! | ends, and nothing is known, nor since when it fired | noted: alarms say OK when they are made |
//! | changes again and again | flapping: people are called once, then messages are edited until calm |

mod audience;
mod change;
mod outbox;
mod record;
mod step_kind;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rules::{Damping, Decision, DestinationName};
use super::{Alert, Meaning, Severity, Status};
use record::cut_values;
use timeline::Place;

pub use audience::{Audience, Quiet, QuietCause};
pub use change::Change;
pub use outbox::{Delivery, Outbox, Receipt, Step, Told};
pub use record::{AlertRecord, Condition, Counts};
pub use step_kind::StepKind;

/// One message about an alert, with what was decided about it.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The message.
    pub alert: &'a Alert,
    /// How bad it is.
    pub decision: &'a Decision,
    /// Whom it is told to.
    pub audience: &'a Audience,
    /// When it was sent, by its envelope: the same for every redelivery. `now` when nobody knows.
    pub sent_at: Timestamp,
    /// The time now.
    pub now: Timestamp,
}

/// What is remembered of an alert after a message, and what the message changed. The record's
/// version is one higher: store it only over the version that was read.
///
/// What the record's [`Outbox`] is owed must be delivered whatever the change is: a duplicate may
/// be the retry of a message whose delivery failed.
pub fn advance(record: Option<AlertRecord>, arrival: &Arrival, damping: &Damping) -> (AlertRecord, Change) {
    let known = record.is_some();
    let mut record = record.unwrap_or_else(|| AlertRecord::new(arrival));
    record.version += 1;
    record.counts.messages += 1;
    record.last_seen = record.last_seen.max(arrival.now);
    if record.settles_at(damping).is_some_and(|at| at <= arrival.now) {
        record.settle(arrival.now);
    }
    let change = match arrival.alert.status {
        Status::Firing => record.on_firing(arrival, damping, known),
        Status::Resolved => record.on_end(arrival, damping, known),
    };
    match &change {
        Change::Repeated => record.counts.repeats += 1,
        Change::Duplicate => record.counts.duplicates += 1,
        Change::Late { .. } => record.counts.late += 1,
        Change::Quiet(_) => record.counts.quiet += 1,
        _ => {}
    }
    (record, change)
}

/// The record after a look without a message, due at [`AlertRecord::settles_at`]: an alert that has
/// not changed for long enough does not flap any more. `None` when nothing changes.
pub fn settle(record: &AlertRecord, damping: &Damping, now: Timestamp) -> Option<(AlertRecord, Change)> {
    if record.settles_at(damping).is_none_or(|at| at > now) {
        return None;
    }
    let mut record = record.clone();
    record.version += 1;
    record.settle(now);
    Some((record, Change::CalmedDown))
}

/// The record after somebody mended what a destination refused for good: what holds now is told to
/// it, also when that has changed since. `None` when it has been told meanwhile.
pub fn tell_again(
    record: &AlertRecord,
    destination: &DestinationName,
    now: Timestamp,
) -> Option<AlertRecord> {
    if record.outbox.has_told(destination) {
        return None;
    }
    let mut record = record.clone();
    record.version += 1;
    let kind = match record.condition {
        Condition::Firing => StepKind::Open,
        _ if !record.outbox.is_open_at(destination) => StepKind::Missed,
        Condition::Resolved => StepKind::Close,
        Condition::Silent => StepKind::Silent,
    };
    record.push(kind, BTreeSet::from([destination.clone()]), now);
    Some(record)
}

impl AlertRecord {
    fn on_firing(&mut self, arrival: &Arrival, damping: &Damping, known: bool) -> Change {
        let tolerance = damping.same_firing;
        let alert = arrival.alert;
        let fired = self.timeline.fires(tolerance);
        let assumed = self.timeline.started.filter(|_| fired).unwrap_or(arrival.sent_at);
        let start = alert.starts_at.unwrap_or(assumed);
        let place = self.timeline.place(start, tolerance);
        let is_over = self.timeline.is_over(start, tolerance);
        let before = self.severity;
        let is_newest = self.take_if_newest(arrival);

        if is_over {
            if place != Place::Later || alert.starts_at.is_none() {
                return Change::Late { reason: "this firing has ended, and that is known" };
            }
            self.timeline.note_start(start);
            return self.tell_missed(arrival, Some(start));
        }
        if fired && place == Place::Earlier {
            return Change::Late { reason: "a later firing is known" };
        }
        self.timeline.note_start(start);
        if fired && place == Place::Same {
            return self.on_repetition(arrival, damping, is_newest, before);
        }
        self.condition = Condition::Firing;
        self.started_at = Some(start);
        self.ended_at = None;
        self.firing_values = cut_values(&alert.values);
        if !known || self.episode == 0 {
            return self.tell_new(arrival, StepKind::Open, Change::New);
        }
        match self.flip(arrival.now, damping) {
            Flip::Ordinary => self.tell_new(arrival, StepKind::Open, Change::Reopened),
            Flip::Begins => self.tell_flapping(arrival),
            Flip::Damped => match self.on_repetition(arrival, damping, is_newest, before) {
                loud if loud.is_loud() => loud,
                _ => {
                    self.edit(arrival.now);
                    Change::Flapped
                }
            },
        }
    }

    fn on_end(&mut self, arrival: &Arrival, damping: &Damping, known: bool) -> Change {
        let tolerance = damping.same_firing;
        let alert = arrival.alert;
        let fired = self.timeline.fires(tolerance);
        let end = alert.ends_at.unwrap_or(arrival.sent_at);
        let is_unknown_firing =
            alert.starts_at.is_some_and(|start| self.timeline.place(start, tolerance) == Place::Later);
        let is_newest = self.timeline.ended_at().is_none_or(|known| end > known);
        self.timeline.note_end(alert.starts_at, end);
        if fired && self.timeline.fires(tolerance) {
            return Change::Late { reason: "this is the end of an earlier firing" };
        }
        let was_silent = self.condition == Condition::Silent;
        if is_newest || fired {
            self.condition = match arrival.decision.meaning() {
                Meaning::WentSilent => Condition::Silent,
                _ => Condition::Resolved,
            };
            self.closes_incidents = arrival.decision.closes_incidents;
            self.end_reason.clone_from(&arrival.decision.classification.reason);
            self.ended_at = self.timeline.ended_at();
            self.end_values = cut_values(&alert.values);
        }
        if is_unknown_firing && let Some(start) = alert.starts_at {
            self.timeline.note_start(start);
        }
        if !fired {
            if is_unknown_firing {
                self.take_if_newest(arrival);
                return self.tell_missed(arrival, alert.starts_at);
            }
            // CloudWatch goes from no data to OK. While it flaps, the end is told when it is calm.
            if was_silent && self.condition == Condition::Resolved && !self.is_flapping() {
                return self.tell_end(arrival.now);
            }
            let is_noted = known || alert.starts_at.is_some();
            return if is_noted { Change::Duplicate } else { Change::EndOfUnknown };
        }
        match self.flip(arrival.now, damping) {
            // The end of the firing that was told is lost, and so is the start of the one that ends.
            Flip::Ordinary if is_unknown_firing => {
                self.ended_at = None;
                self.tell_end(arrival.now);
                self.tell_missed(arrival, alert.starts_at)
            }
            Flip::Ordinary => self.tell_end(arrival.now),
            Flip::Begins => self.tell_flapping(arrival),
            Flip::Damped => {
                self.edit(arrival.now);
                Change::Flapped
            }
        }
    }

    /// It fires as before: what is new about it?
    fn on_repetition(
        &mut self,
        arrival: &Arrival,
        damping: &Damping,
        is_newest: bool,
        before: Severity,
    ) -> Change {
        let destinations = arrival.audience.destinations();
        let strangers = self.outbox.strangers(destinations, self.episode);
        let is_worse = is_newest && self.notified.is_some_and(|notified| self.severity > notified);
        if is_worse && !destinations.is_empty() {
            let from = self.notified.unwrap_or(before);
            let audience = self.outbox.members(self.episode).into_iter().chain(destinations.iter().cloned());
            self.edited_as_of = arrival.sent_at;
            self.tell(StepKind::Raise, audience.collect(), arrival.now);
            return Change::Raised { from };
        }
        if !strangers.is_empty() {
            self.edited_as_of = self.edited_as_of.max(arrival.sent_at);
            self.tell(StepKind::Open, strangers.iter().cloned().collect(), arrival.now);
            return Change::Widened { to: strangers };
        }
        if is_newest
            && let Audience::Quiet(quiet) = arrival.audience
            && (is_worse || self.notified.is_none())
        {
            self.quiet = Some(quiet.clone());
            self.edit(arrival.now);
            return Change::Quiet(quiet.clone());
        }
        let pause = arrival.sent_at.duration_since(self.edited_as_of);
        let says_something = self.severity != before || pause >= damping.duplicate;
        if !is_newest || !says_something {
            return Change::Duplicate;
        }
        self.edited_as_of = arrival.sent_at;
        self.edit(arrival.now);
        if self.severity < before { Change::Lowered { from: before } } else { Change::Repeated }
    }

    /// A firing that people do not know of yet.
    fn tell_new(&mut self, arrival: &Arrival, kind: StepKind, change: Change) -> Change {
        self.begin_episode();
        self.edited_as_of = arrival.sent_at;
        match arrival.audience {
            Audience::Told(destinations) => {
                self.tell(kind, destinations.iter().cloned().collect(), arrival.now);
                change
            }
            Audience::Quiet(quiet) => {
                self.quiet = Some(quiet.clone());
                Change::Quiet(quiet.clone())
            }
        }
    }

    fn tell_missed(&mut self, arrival: &Arrival, start: Option<Timestamp>) -> Change {
        self.started_at = start;
        self.ended_at = self.timeline.ended_at();
        self.firing_values = cut_values(&arrival.alert.values);
        if self.is_flapping() {
            self.edit(arrival.now);
            return Change::Flapped;
        }
        self.tell_new(arrival, StepKind::Missed, Change::Missed)
    }

    fn tell_flapping(&mut self, arrival: &Arrival) -> Change {
        if let Audience::Quiet(quiet) = arrival.audience
            && quiet.cause != QuietCause::Unrouted
        {
            self.quiet = Some(quiet.clone());
            self.edit(arrival.now);
            return Change::Quiet(quiet.clone());
        }
        let mut audience: BTreeSet<DestinationName> = self.outbox.members(self.episode);
        if arrival.alert.status == Status::Firing {
            audience.extend(arrival.audience.destinations().iter().cloned());
        }
        self.tell(StepKind::Flapping, audience, arrival.now);
        Change::StartedFlapping
    }

    fn tell_end(&mut self, now: Timestamp) -> Change {
        let (kind, change) = match self.condition {
            Condition::Silent => (StepKind::Silent, Change::WentSilent),
            _ => (StepKind::Close, Change::Resolved),
        };
        let audience = self.outbox.members(self.episode);
        self.push(kind, audience, now);
        change
    }

    fn settle(&mut self, now: Timestamp) {
        self.flapping_since = None;
        self.recent_flips.clear();
        if self.condition == Condition::Firing {
            self.edit(now);
        } else {
            self.tell_end(now);
        }
    }

    /// Notes a change between firing and not.
    fn flip(&mut self, now: Timestamp, damping: &Damping) -> Flip {
        self.counts.flips += 1;
        self.recent_flips.push(now);
        self.recent_flips.retain(|flip| now.duration_since(*flip) <= damping.flap_window);
        if self.flapping_since.is_some() {
            // Only the last matters for when it is calm.
            let excess = self.recent_flips.len().saturating_sub(damping.flips);
            self.recent_flips.drain(..excess);
            return Flip::Damped;
        }
        if self.recent_flips.len() < damping.flips {
            return Flip::Ordinary;
        }
        self.flapping_since = Some(now);
        Flip::Begins
    }
}

enum Flip {
    Ordinary,
    /// This one makes it flapping.
    Begins,
    /// It flaps already.
    Damped,
}
