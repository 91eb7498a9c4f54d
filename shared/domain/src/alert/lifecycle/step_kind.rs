//! What there is to tell of an alert.

use serde::{Deserialize, Serialize};

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// It fires: people are called.
    Open,
    /// It is worse than people were told: they are called again.
    Raise,
    /// It changes between firing and not: people are called once.
    Flapping,
    /// It fired and is over before anybody was told.
    Missed,
    /// What was told is brought up to date. Nobody is called.
    Edit,
    /// It recovered.
    Close,
    /// It does not fire any more, and nobody knows whether it recovered.
    Silent,
}

impl StepKind {
    /// Whether people are called.
    pub const fn is_loud(self) -> bool {
        self.is_first() || matches!(self, Self::Raise | Self::Flapping)
    }

    /// Whether people hear of a firing by it.
    pub(super) const fn is_first(self) -> bool {
        matches!(self, Self::Open | Self::Missed)
    }
}
