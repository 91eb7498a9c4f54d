//! The named endings of an evaluation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::judge::Malformed;

/// How the evaluation of one sample ended. Each has its own metric; only [`Outcome::Scored`]
/// enters a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The judge gave a complete, legal reply.
    Scored,
    /// The judge's service or guardrail refused to judge.
    JudgeRefused,
    /// The judge's reply is not what the rubric asks for.
    Malformed,
    /// The judge ran into a token limit.
    Truncated,
    /// The judge's service wants fewer calls.
    Throttled,
    /// The judge did not answer in time.
    Timeout,
    /// The judge's service failed and would fail again.
    JudgeError,
    /// The judge's service failed or could not be reached, and may work later.
    JudgeUnavailable,
    /// The judge cannot be called as it is configured.
    ConfigError,
    /// The day's budget is spent.
    OverBudget,
    /// The component's cap for the hour is reached.
    OverCap,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 11] = [
        Self::Scored,
        Self::JudgeRefused,
        Self::Malformed,
        Self::Truncated,
        Self::Throttled,
        Self::Timeout,
        Self::JudgeError,
        Self::JudgeUnavailable,
        Self::ConfigError,
        Self::OverBudget,
        Self::OverCap,
    ];

    /// The word in verdicts and logs; the same as serde writes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::JudgeRefused => "judge_refused",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::JudgeError => "judge_error",
            Self::JudgeUnavailable => "judge_unavailable",
            Self::ConfigError => "config_error",
            Self::OverBudget => "over_budget",
            Self::OverCap => "over_cap",
        }
    }

    /// The metric that counts it.
    pub fn metric_name(self) -> &'static str {
        match self {
            Self::Scored => "SamplesScored",
            Self::JudgeRefused => "JudgeRefused",
            Self::Malformed => "JudgeMalformed",
            Self::Truncated => "JudgeTruncated",
            Self::Throttled => "JudgeThrottled",
            Self::Timeout => "JudgeTimeouts",
            Self::JudgeError => "JudgeErrors",
            Self::JudgeUnavailable => "JudgeUnavailable",
            Self::ConfigError => "JudgeConfigErrors",
            Self::OverBudget => "SamplesOverBudget",
            Self::OverCap => "SamplesOverCap",
        }
    }

    /// Whether the same call may succeed later: such a sample goes back to the queue.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Throttled | Self::Timeout | Self::JudgeUnavailable)
    }

    /// Whether the judge was asked and gave no score, other than for want of quota.
    pub fn is_judge_failure(self) -> bool {
        !matches!(self, Self::Scored | Self::Throttled | Self::OverBudget | Self::OverCap)
    }

    /// What it means, for an operator who sees its metric move.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Scored => "The judge gave a complete reply; its scores are in the means.",
            Self::JudgeRefused => "The judge's content filter or guardrail would not judge the sample.",
            Self::Malformed => "The judge's reply broke the required form; it was not interpreted.",
            Self::Truncated => "The judge ran into a token limit before its reply was complete.",
            Self::Throttled => "The judge's quota is used up; the sample is tried again.",
            Self::Timeout => "The judge did not answer in time; the sample is tried again.",
            Self::JudgeError => "The judge's service rejected the call and would reject it again.",
            Self::JudgeUnavailable => {
                "The judge's service failed or was not reached; the sample is tried again."
            }
            Self::ConfigError => "The judge cannot be called as configured: model access, id or form.",
            Self::OverBudget => "The budget of the day for judging is spent; the sample was skipped.",
            Self::OverCap => "The component has had its samples of the hour; the sample was skipped.",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An outcome other than [`Outcome::Scored`], with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// See [`Outcome::JudgeRefused`].
    JudgeRefused,
    /// See [`Outcome::Malformed`].
    Malformed(Malformed),
    /// See [`Outcome::Truncated`].
    Truncated,
    /// See [`Outcome::Throttled`].
    Throttled,
    /// See [`Outcome::Timeout`].
    Timeout,
    /// See [`Outcome::JudgeError`].
    JudgeError(ErrorClass),
    /// See [`Outcome::JudgeUnavailable`].
    JudgeUnavailable(ErrorClass),
    /// See [`Outcome::ConfigError`].
    ConfigError(ErrorClass),
    /// See [`Outcome::OverBudget`].
    OverBudget,
    /// See [`Outcome::OverCap`].
    OverCap,
}

impl Failure {
    /// The outcome that counts it; never [`Outcome::Scored`].
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::JudgeRefused => Outcome::JudgeRefused,
            Self::Malformed(_) => Outcome::Malformed,
            Self::Truncated => Outcome::Truncated,
            Self::Throttled => Outcome::Throttled,
            Self::Timeout => Outcome::Timeout,
            Self::JudgeError(_) => Outcome::JudgeError,
            Self::JudgeUnavailable(_) => Outcome::JudgeUnavailable,
            Self::ConfigError(_) => Outcome::ConfigError,
            Self::OverBudget => Outcome::OverBudget,
            Self::OverCap => Outcome::OverCap,
        }
    }

    /// The named cause within the outcome, where there is one.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Malformed(malformed) => Some(malformed.as_str()),
            Self::JudgeError(class) | Self::JudgeUnavailable(class) | Self::ConfigError(class) => {
                Some(class.as_str())
            }
            _ => None,
        }
    }

    /// The failure with this outcome and detail; `None` when they do not go together.
    pub(super) fn stored(outcome: Outcome, detail: Option<&str>) -> Option<Self> {
        let class = || detail.map(ErrorClass::of);
        let failure = match outcome {
            Outcome::Scored => return None,
            Outcome::JudgeRefused => Self::JudgeRefused,
            Outcome::Malformed => {
                let is_named = |malformed: &Malformed| Some(malformed.as_str()) == detail;
                Self::Malformed(Malformed::ALL.into_iter().find(is_named)?)
            }
            Outcome::Truncated => Self::Truncated,
            Outcome::Throttled => Self::Throttled,
            Outcome::Timeout => Self::Timeout,
            Outcome::JudgeError => Self::JudgeError(class()?),
            Outcome::JudgeUnavailable => Self::JudgeUnavailable(class()?),
            Outcome::ConfigError => Self::ConfigError(class()?),
            Outcome::OverBudget => Self::OverBudget,
            Outcome::OverCap => Self::OverCap,
        };
        (failure.detail() == detail).then_some(failure)
    }
}

/// The class of a service's error, such as `ValidationException`: a word, never a message, which
/// could quote the prompt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorClass(String);

impl ErrorClass {
    /// The class named `name`; `unnamed` when that is not 1 to 64 of `a-z A-Z 0-9 _`.
    pub fn of(name: &str) -> Self {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_word = (1..=64).contains(&name.len()) && name.bytes().all(is_allowed);
        Self(if is_word { name } else { "unnamed" }.to_owned())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
