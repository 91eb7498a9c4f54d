//! What a message changed about an alert.

use serde::Serialize;

use super::Quiet;
use crate::alert::Severity;
use crate::alert::rules::DestinationName;

/// What a message changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The first firing.
    New,
    /// It fires again.
    Reopened,
    /// It is worse than anybody was told.
    Raised {
        /// What people were told.
        from: Severity,
    },
    /// It is less bad than before.
    Lowered {
        /// Before.
        from: Severity,
    },
    /// It still fires.
    Repeated,
    /// It still fires, and more destinations are told now.
    Widened {
        /// Which.
        to: Vec<DestinationName>,
    },
    /// The same again within moments.
    Duplicate,
    /// It recovered.
    Resolved,
    /// It does not fire any more, which is no good news.
    WentSilent,
    /// It fired and is over, and only now is it known.
    Missed,
    /// An older message than those that are known: ignored.
    Late {
        /// Why.
        reason: &'static str,
    },
    /// The end of something that nobody knows.
    EndOfUnknown,
    /// It flaps from now on.
    StartedFlapping,
    /// It changed while it flaps.
    Flapped,
    /// It stopped flapping.
    CalmedDown,
    /// People would be called, and are not.
    Quiet(Quiet),
}

impl Change {
    /// Whether people are called.
    pub fn is_loud(&self) -> bool {
        let loud = [Self::New, Self::Reopened, Self::Missed, Self::StartedFlapping];
        loud.contains(self) || matches!(self, Self::Raised { .. } | Self::Widened { .. })
    }

    /// Whether it counts as a new alert in a storm.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::New | Self::Reopened | Self::Missed | Self::Widened { .. })
    }
}
