//! All that a person is told of an alert, as plain data. [`super::message`] puts it into words.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Alert, AlertKey, Classification, Meaning, Severity, StateReason};
use crate::names::{ComponentName, EndpointName};

mod enrichment;
mod logs;
mod quantity;
mod reading;
mod storm;
mod trend;

pub use enrichment::{Cost, Enrichment, NotIncluded, NowValue, Part, WorstAnswer};
pub use logs::logs_url;
pub use quantity::Quantity;
pub use reading::Reading;
pub use storm::StormSummary;
pub use trend::Trend;

/// What a person is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The alert as its sender described it last.
    pub alert: Alert,
    /// How bad it is called, and why.
    pub classification: Classification,
    /// What was measured, as it was decided by: [`Reading::of`] where nothing else is known.
    pub reading: Reading,
    /// Why something is said now.
    pub occasion: Occasion,
    /// The endpoint that it is about.
    pub endpoint: Option<EndpointName>,
    /// The inference component that it is about.
    pub component: Option<ComponentName>,
    /// Since when it fires, or fired; `None` when nobody knows.
    pub firing_since: Option<Timestamp>,
    /// When it stopped; `None` while it fires.
    pub ended_at: Option<Timestamp>,
    /// The time at which this is said.
    pub as_of: Timestamp,
    /// How often the sender has repeated it.
    pub repeats: u32,
    /// What was said while it fired; for the message that it stopped.
    pub fired: Option<Fired>,
    /// Alerts that were joined with this one.
    pub related: Vec<Related>,
    /// What was looked up.
    pub enrichment: Enrichment,
}

/// Why something is said now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Occasion {
    /// It is new.
    Opened,
    /// It is worse than it was.
    Raised {
        /// How bad it was called before.
        from: Severity,
    },
    /// It is less bad than it was.
    Lowered {
        /// How bad it was called before.
        from: Severity,
    },
    /// It fires again.
    Reopened,
    /// It still fires.
    Repeated,
    /// It comes and goes; single changes are held back.
    Flapping {
        /// How often it changed.
        changes: u32,
        /// Within how many minutes.
        minutes: u32,
    },
    /// It does not come and go any more.
    Settled,
    /// It fired and is over, and only now is it known.
    Missed,
    /// It was joined with [`Notice::related`].
    Joined,
    /// It is well again.
    Recovered,
    /// It stopped without being well.
    WentSilent {
        /// Why, when the sender says so.
        why: Option<StateReason>,
    },
}

/// What was measured while it fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// The highest severity.
    pub severity: Severity,
    /// What was measured when that was last said.
    pub reading: Reading,
}

/// Another alert on the same component at the same time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Related {
    /// Its rule.
    pub rule: String,
    /// Its key.
    pub key: AlertKey,
    /// How bad it is by itself.
    pub severity: Severity,
    /// What it measured.
    pub reading: Reading,
    /// Since when it fires.
    pub firing_since: Option<Timestamp>,
}

impl Notice {
    /// What is the matter at the moment of telling: the occasion knows that it ended, else the
    /// classification.
    pub fn standing(&self) -> Meaning {
        match self.occasion {
            Occasion::Recovered => Meaning::Recovered,
            Occasion::WentSilent { .. } => Meaning::WentSilent,
            _ => self.classification.meaning,
        }
    }

    /// Why it stopped or went blind, when it was not the value.
    pub fn state_reason(&self) -> Option<StateReason> {
        match self.occasion {
            Occasion::WentSilent { why: Some(why) } => Some(why),
            _ => self.alert.state_reason,
        }
    }

    /// How long it has been firing, or did; `None` when the start is not known.
    pub fn duration(&self) -> Option<SignedDuration> {
        let until = self.ended_at.unwrap_or(self.as_of);
        Some(until.duration_since(self.firing_since?).max(SignedDuration::ZERO))
    }

    /// In which window the logs of the component are worth reading: from ten minutes before it
    /// fired until it ended or until now, and a day at most, because Logs Insights is paid by what
    /// it scans.
    pub fn log_window(&self) -> (Timestamp, Timestamp) {
        const LEAD: SignedDuration = SignedDuration::from_mins(10);
        const LONGEST: SignedDuration = SignedDuration::from_hours(24);
        let until = self.ended_at.unwrap_or(self.as_of);
        let since = self.firing_since.unwrap_or(until).min(until);
        let from = since.checked_sub(LEAD).unwrap_or(since);
        let earliest = until.checked_sub(LONGEST).unwrap_or(from);
        (from.max(earliest), until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::tests::samples;

    #[test]
    fn the_log_window_starts_before_the_alert_and_is_a_day_at_most() {
        let mut notice = samples::quality_warning();
        let (from, until) = notice.log_window();
        assert_eq!(until, notice.as_of);
        assert_eq!(notice.firing_since.unwrap().duration_since(from), SignedDuration::from_mins(10));
        notice.firing_since = Some(Timestamp::UNIX_EPOCH);
        let (from, until) = notice.log_window();
        assert_eq!(until.duration_since(from), SignedDuration::from_hours(24));
    }

    #[test]
    fn a_clock_that_is_behind_gives_no_negative_duration() {
        let mut notice = samples::quality_warning();
        notice.firing_since = Some(Timestamp::MAX);
        assert_eq!(notice.duration(), Some(SignedDuration::ZERO));
        let (from, until) = notice.log_window();
        assert!(from < until);
    }
}
