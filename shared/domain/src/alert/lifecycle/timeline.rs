//! Whether an alert fires, from messages that come in any order and any number.
//!
//! Only the latest of each kind of time is kept. Maxima do not depend on the order in which they
//! are taken, nor on repetitions; so neither does the answer.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The latest times that messages told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Timeline {
    /// The latest start of a firing.
    pub(super) started: Option<Timestamp>,
    /// The latest start of a firing that ended, and the latest end of those.
    ended: Option<(Timestamp, Timestamp)>,
    /// The latest end whose message did not say when the firing had started (`CloudWatch`).
    ended_without_start: Option<Timestamp>,
}

impl Timeline {
    /// Whether the firing that began at `start` has ended.
    ///
    /// An end ends every firing that began before the one that it names. A replica's start may
    /// be a little later than the one that is named, by up to `tolerance`; but a start after the
    /// end is a new firing, however close.
    pub(super) fn is_over(&self, start: Timestamp, tolerance: SignedDuration) -> bool {
        let by_start = self.ended.is_some_and(|(ended_start, end)| {
            start <= ended_start || (start <= later(ended_start, tolerance) && start <= end)
        });
        by_start || self.ended_without_start.is_some_and(|end| start <= end)
    }

    /// Whether a firing is known and has not ended.
    pub(super) fn fires(&self, tolerance: SignedDuration) -> bool {
        self.started.is_some_and(|start| !self.is_over(start, tolerance))
    }

    /// When the last firing that ended did so.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        self.ended.map(|(_, end)| end).max(self.ended_without_start)
    }

    pub(super) fn note_start(&mut self, start: Timestamp) {
        self.started = self.started.max(Some(start));
    }

    pub(super) fn note_end(&mut self, start: Option<Timestamp>, end: Timestamp) {
        let Some(start) = start else {
            self.ended_without_start = self.ended_without_start.max(Some(end));
            return;
        };
        let (latest_start, latest_end) = self.ended.unwrap_or((start, end));
        self.ended = Some((latest_start.max(start), latest_end.max(end)));
    }

    /// How `start` stands to the latest start that is known.
    pub(super) fn place(&self, start: Timestamp, tolerance: SignedDuration) -> Place {
        match self.started {
            Some(known) if later(start, tolerance) < known => Place::Earlier,
            Some(known) if start <= later(known, tolerance) => Place::Same,
            _ => Place::Later,
        }
    }
}

/// How a firing stands to the latest that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Earlier,
    Same,
    /// Later, or the first.
    Later,
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}
