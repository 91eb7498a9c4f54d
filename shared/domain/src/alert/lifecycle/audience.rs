//! Whom an alert is told to, or why nobody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::rules::DestinationName;

/// Whom an alert is told to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// These destinations; at least one.
    Told(Vec<DestinationName>),
    /// Nobody is called. The alert is recorded and counted.
    Quiet(Quiet),
}

impl Audience {
    /// The destinations; none when it is quiet.
    pub fn destinations(&self) -> &[DestinationName] {
        match self {
            Self::Told(destinations) => destinations,
            Self::Quiet(_) => &[],
        }
    }
}

/// Why nobody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// In one word, to be counted.
    pub cause: QuietCause,
    /// For a person.
    pub reason: String,
    /// When it may be over although no message comes; `None` when something has to happen first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Why nobody is told, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuietCause {
    /// A mute window holds.
    Muted,
    /// An alert that explains it is told already.
    HeldBack,
    /// No route leads to a destination that is configured.
    Unrouted,
}
