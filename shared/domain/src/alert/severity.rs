//! The words for severities and meanings.

use std::fmt;

use super::{Meaning, Severity};

impl Severity {
    /// All of them, least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word in `alerts.toml`, in messages, and that PagerDuty knows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// One step worse; the worst stays as it is.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Info => Self::Warning,
            Self::Warning => Self::Error,
            Self::Error | Self::Critical => Self::Critical,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Meaning {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Problem, Self::Blind, Self::Recovered, Self::WentSilent];

    /// The word in `alerts.toml` and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Blind => "blind",
            Self::Recovered => "recovered",
            Self::WentSilent => "went_silent",
        }
    }
}
