//! One question and one answer, whatever the payload looked like on the wire.

use std::borrow::Cow;

use serde::Serialize;

/// Who speaks in a [`Turn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The operator's instructions to the model.
    System,
    /// The person.
    User,
    /// The model, in an earlier turn.
    Assistant,
    /// What a tool or a retriever returned: the context a RAG answer must be grounded in.
    Tool,
}

/// One message that the model saw before it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Who said it.
    pub role: Role,
    /// What was said; several text parts are joined with a newline, an image is `[image]`.
    pub text: Cow<'a, str>,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FinishReason {
    /// It came to an end by itself (`stop`, `eos_token`, `stop_sequence`, `end_turn`).
    Stop,
    /// It ran into a token limit (`length`, `max_tokens`).
    Length,
    /// The server's filter cut it (`content_filter`).
    Filtered,
    /// The server says that generation failed (`error`).
    Error,
    /// It calls a tool (`tool_calls`, `function_call`).
    ToolCall,
    /// The reply does not say, or says something unknown.
    #[default]
    Unknown,
}

impl FinishReason {
    /// Reads the word of a reply.
    pub(super) fn from_wire(word: &str) -> Self {
        match word {
            "stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn" => Self::Stop,
            "length" | "max_tokens" => Self::Length,
            "content_filter" => Self::Filtered,
            "error" => Self::Error,
            "tool_calls" | "function_call" | "tool_use" => Self::ToolCall,
            _ => Self::Unknown,
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Text of the model, possibly empty.
    Text {
        /// The visible answer, without reasoning. Tool calls are rendered as one line of JSON each.
        text: Cow<'a, str>,
        /// Reasoning that the model returned apart from its answer.
        reasoning: Option<Cow<'a, str>>,
        /// Why it stopped.
        finish: FinishReason,
    },
    /// The container or SageMaker answered with an error instead of a text.
    Error {
        /// The code in the reply, such as 424; `None` when it carries none.
        code: Option<i64>,
    },
}

/// Tokens of the observed model, as its reply counts them. A count that the reply does not carry
/// is `None`, never 0. The counts of a whole batch stand on its first exchange, so that sums are
/// right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Usage {
    /// Tokens in the request. TGI tells them only when asked for `decoder_input_details`.
    pub prompt_tokens: Option<u64>,
    /// Tokens in the answer, reasoning included.
    pub completion_tokens: Option<u64>,
}

/// One question and its answer. A batch request yields several from one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// Everything the model saw, oldest first; the last turn is what it answered. A plain
    /// `inputs` text is a single user turn.
    pub turns: Vec<Turn<'a>>,
    /// What it answered.
    pub answer: Answer<'a>,
    /// Token counts, when the reply carries them.
    pub usage: Option<Usage>,
}

impl Exchange<'_> {
    /// The visible text of the answer; empty for an error reply.
    pub fn answer_text(&self) -> &str {
        match &self.answer {
            Answer::Text { text, .. } => text,
            Answer::Error { .. } => "",
        }
    }

    /// The texts of one role, oldest first.
    pub fn said_by(&self, role: Role) -> impl Iterator<Item = &str> {
        self.turns.iter().filter(move |turn| turn.role == role).map(|turn| turn.text.as_ref())
    }

    /// Whether the person spoke more than once.
    pub fn is_multi_turn(&self) -> bool {
        self.said_by(Role::User).nth(1).is_some()
    }
}
