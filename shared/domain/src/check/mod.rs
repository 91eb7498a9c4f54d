//! Free, deterministic checks that run on every record, judged or not.
//!
//! They are signals of their own, not a cheap stand-in for the judge: on human-labelled refusals
//! a plain phrase check agreed with people more often than a GPT-4 judge did (see the refusal check).
//! Each file holds one family and says what it finds and what it deliberately leaves alone. All
//! of them read the visible answer; reasoning that came apart from it is not looked at.
//!
//! Every check is linear in the length of the exchange, and is built to give up on ordinary text
//! quickly: what it looks for is prefiltered by a literal or a byte class, and tables are built
//! only when the first record needs them.

mod echo;
mod findings;
mod literals;
mod personal;
mod prompt_leak;
mod refusal;
mod repetition;
mod secret;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capture::{Answer, Exchange, FinishReason, Role};

pub use findings::Findings;

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

impl Check {
    /// Every check, in the order in which they are listed and published.
    pub const ALL: [Self; 8] = [
        Self::Empty,
        Self::Truncated,
        Self::Refusal,
        Self::RepetitionLoop,
        Self::ErrorReply,
        Self::LeakedSecret,
        Self::PersonalData,
        Self::PromptLeak,
    ];

    /// The name in a verdict: the same as its serialised form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::Refusal => "refusal",
            Self::RepetitionLoop => "repetition_loop",
            Self::ErrorReply => "error_reply",
            Self::LeakedSecret => "leaked_secret",
            Self::PersonalData => "personal_data",
            Self::PromptLeak => "prompt_leak",
        }
    }

    /// The name of its `CloudWatch` metric, which counts the answers that the check hit.
    pub const fn metric_name(self) -> &'static str {
        match self {
            Self::Empty => "EmptyReplies",
            Self::Truncated => "TruncatedReplies",
            Self::Refusal => "Refusals",
            Self::RepetitionLoop => "RepetitionLoops",
            Self::ErrorReply => "ErrorReplies",
            Self::LeakedSecret => "LeakedSecrets",
            Self::PersonalData => "PersonalDataReplies",
            Self::PromptLeak => "PromptLeaks",
        }
    }

    /// One sentence for the documentation and the dashboards.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Empty => "The answer has no visible text and is not a tool call.",
            Self::Truncated => "The reply says that generation stopped at a token limit.",
            Self::Refusal => "The opening of the answer declines the request, wholly or in part.",
            Self::RepetitionLoop => "The answer ends in a phrase that repeats over and over.",
            Self::ErrorReply => "The container or SageMaker answered with an error instead of a text.",
            Self::LeakedSecret => "The answer carries a credential that the user did not write.",
            Self::PersonalData => {
                "The answer carries an e-mail address, phone, card, social security or bank account number that is not in the request."
            }
            Self::PromptLeak => "The answer repeats a long passage of the system prompt.",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Runs every check on one exchange.
///
/// An error reply is only that: the other checks are about what a model wrote.
pub fn findings(exchange: &Exchange<'_>) -> Findings {
    let Answer::Text { text, finish, .. } = &exchange.answer else {
        return Check::ErrorReply.into();
    };
    let mut found = Findings::default();
    match finish {
        FinishReason::Error => found.insert(Check::ErrorReply),
        // Only the reply's own word counts. Guessing from a missing full stop would call every
        // list, code block and headline truncated.
        FinishReason::Length => found.insert(Check::Truncated),
        _ => {}
    }
    if !has_visible_text(text) {
        // A tool call needs no text, and a failed generation has a finding already.
        if !matches!(finish, FinishReason::ToolCall | FinishReason::Error) {
            found.insert(Check::Empty);
        }
        return found;
    }
    if *finish != FinishReason::ToolCall && refusal::declines(text) {
        found.insert(Check::Refusal);
    }
    if repetition::ends_in_loop(text) {
        found.insert(Check::RepetitionLoop);
    }
    if secret::leaks(text, turns(exchange, |role| role == Role::User)) {
        found.insert(Check::LeakedSecret);
    }
    if personal::appears(text, turns(exchange, |_| true)) {
        found.insert(Check::PersonalData);
    }
    if prompt_leak::repeats(
        text,
        turns(exchange, |role| role == Role::System),
        turns(exchange, |role| role != Role::System),
    ) {
        found.insert(Check::PromptLeak);
    }
    found
}

/// The texts of the turns whose speaker is wanted.
fn turns<'a>(
    exchange: &'a Exchange<'_>,
    wanted: impl Fn(Role) -> bool + Clone,
) -> impl Iterator<Item = &'a str> + Clone {
    exchange.turns.iter().filter(move |turn| wanted(turn.role)).map(|turn| turn.text.as_ref())
}

/// Whether a person would see anything: white space, zero-width and other invisible format
/// characters alone are nothing.
fn has_visible_text(text: &str) -> bool {
    text.chars().any(|character| {
        !(character.is_whitespace()
            || character.is_control()
            || matches!(
                character,
                '\u{ad}'
                    | '\u{34f}'
                    | '\u{115f}'..='\u{1160}'
                    | '\u{180e}'
                    | '\u{200b}'..='\u{200f}'
                    | '\u{202a}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}'
                    | '\u{2800}'
                    | '\u{3164}'
                    | '\u{fe00}'..='\u{fe0f}'
                    | '\u{feff}'
                    | '\u{ffa0}'
                    | '\u{e0000}'..='\u{e007f}'
            ))
    })
}

#[cfg(test)]
mod tests;
