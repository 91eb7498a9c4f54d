//! Free, deterministic checks that run on every record, judged or not.

use serde::{Deserialize, Serialize};

/// What a check can find in one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The answer has no visible text.
    Empty,
    /// The answer ran into a token limit.
    Truncated,
    /// The model declines to answer.
    Refusal,
    /// The answer repeats itself without end.
    RepetitionLoop,
    /// The container answered with an error.
    ErrorReply,
    /// The answer carries what looks like a credential.
    LeakedSecret,
    /// The answer carries what looks like personal data.
    PersonalData,
    /// The answer repeats the operator's system prompt.
    PromptLeak,
}
