//! What was answered in one piece: LMI and TGI `generated_text`, OpenAI `choices`, dynamic batch
//! `outputs`, error replies.
//!
//! Formats: DJL Serving `lmi_input_output_schema` and `chat_input_output_schema` (v0.31), the
//! OpenAI chat and completions schemas, and SageMaker's `ModelError`.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::message::Message;
use super::shape::{Scalar, Shape};
use crate::capture::exchange::{FinishReason, Usage};

/// A reply, one item of an array reply, or one chunk of a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reply<'a> {
    #[serde(borrow)]
    pub(super) generated_text: Scalar<'a>,
    #[serde(borrow)]
    pub(super) details: Shape<'a, Details<'a>>,
    #[serde(borrow)]
    pub(super) choices: Shape<'a, IgnoredAny, Shape<'a, Choice<'a>>>,
    #[serde(borrow)]
    pub(super) outputs: Shape<'a, IgnoredAny, Scalar<'a>>,
    #[serde(borrow)]
    pub(super) token: Shape<'a, Token<'a>>,
    #[serde(borrow)]
    pub(super) usage: Shape<'a, RawUsage<'a>>,
    #[serde(borrow)]
    pub(super) model: Scalar<'a>,
    #[serde(borrow)]
    error: Shape<'a, ErrorBody<'a>>,
    #[serde(borrow)]
    code: Scalar<'a>,
    #[serde(borrow)]
    message: Scalar<'a>,
    /// SageMaker's own spelling.
    #[serde(borrow, rename = "ErrorCode")]
    sagemaker_code: Scalar<'a>,
    #[serde(borrow, rename = "OriginalStatusCode")]
    sagemaker_status: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody<'a> {
    #[serde(borrow)]
    code: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    pub(super) index: Scalar<'a>,
    #[serde(borrow)]
    pub(super) message: Shape<'a, Box<Message<'a>>>,
    #[serde(borrow)]
    pub(super) delta: Shape<'a, Box<Message<'a>>>,
    #[serde(borrow)]
    pub(super) text: Scalar<'a>,
    #[serde(borrow)]
    pub(super) finish_reason: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Token<'a> {
    #[serde(borrow)]
    pub(super) text: Scalar<'a>,
    #[serde(borrow)]
    pub(super) special: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawUsage<'a> {
    #[serde(borrow)]
    prompt_tokens: Scalar<'a>,
    #[serde(borrow)]
    completion_tokens: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Details<'a> {
    #[serde(borrow)]
    finish_reason: Scalar<'a>,
    /// The spelling of the LMI documentation's example.
    #[serde(borrow, rename = "finish reason")]
    finish_reason_spaced: Scalar<'a>,
    #[serde(borrow)]
    generated_tokens: Scalar<'a>,
    /// One item a prompt token; empty unless the request asked for it.
    #[serde(borrow)]
    prefill: Scalar<'a>,
}

/// One answer, not yet matched to its question.
#[derive(Debug, Default)]
pub(super) struct Reading<'a> {
    /// `None` when the reply has no place for a text at all.
    pub(super) text: Option<Cow<'a, str>>,
    pub(super) reasoning: Option<Cow<'a, str>>,
    pub(super) finish: FinishReason,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<Failure>,
}

/// The reply is an error, with its code when it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: Option<i64>,
}

impl<'a> Reply<'a> {
    /// Every answer of the reply, in the order of the questions.
    pub(super) fn into_readings(mut self) -> Vec<Reading<'a>> {
        let usage = self.usage();
        let error = self.error();
        let finish = self.finish();
        let mut readings: Vec<Reading<'a>> = if matches!(self.choices, Shape::List(_)) {
            choices(std::mem::take(&mut self.choices).into_items())
        } else if let Some(text) = self.generated_text.into_text() {
            vec![Reading { text: Some(text), finish, ..Reading::default() }]
        } else {
            let texts = self.outputs.into_items().into_iter().filter_map(Shape::into_text);
            texts.map(|text| Reading { text: Some(text), finish, ..Reading::default() }).collect()
        };
        if readings.is_empty() {
            readings.push(Reading { finish, ..Reading::default() });
        }
        // What is counted once for a whole batch stands on its first answer, so that sums are right.
        readings[0].usage = usage;
        readings[0].error = error;
        readings
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = match (self.usage.object(), self.details.object()) {
            (Some(usage), _) => Usage {
                prompt_tokens: usage.prompt_tokens.count(),
                completion_tokens: usage.completion_tokens.count(),
            },
            (None, Some(details)) => Usage {
                prompt_tokens: Some(details.prefill.items().len() as u64).filter(|count| *count > 0),
                completion_tokens: details.generated_tokens.count(),
            },
            (None, None) => Usage::default(),
        };
        (usage != Usage::default()).then_some(usage)
    }

    pub(super) fn finish(&self) -> FinishReason {
        let details = self.details.object();
        let named = details.and_then(|it| it.finish_reason.text().or_else(|| it.finish_reason_spaced.text()));
        named.map_or(FinishReason::Unknown, FinishReason::from_wire)
    }

    /// `Some` when the reply says that it is an error: `{"error": ..}`, `{"code": .., "message": ..}`
    /// or SageMaker's `{"ErrorCode": ..}`.
    pub(super) fn error(&self) -> Option<Failure> {
        let says_so = match &self.error {
            Shape::Missing | Shape::Flag(false) => false,
            Shape::Text(text) => !text.is_empty(),
            _ => true,
        };
        let is_error = says_so
            || (self.code.is_present() && self.message.is_present())
            || self.sagemaker_code.is_present();
        let nested = self.error.object().and_then(|error| error.code.code());
        let code = self.code.code().or(nested).or_else(|| self.sagemaker_status.code());
        is_error.then_some(Failure { code })
    }
}

fn choices<'a>(choices: Vec<Shape<'a, Choice<'a>>>) -> Vec<Reading<'a>> {
    let mut choices: Vec<Choice<'a>> = choices.into_iter().filter_map(Shape::into_object).collect();
    // Stable: choices without an index keep their order.
    choices.sort_by_key(|choice| choice.index.count().unwrap_or(0));
    choices.into_iter().map(choice).collect()
}

fn choice(choice: Choice<'_>) -> Reading<'_> {
    let finish = choice.finish_reason.text().map_or(FinishReason::Unknown, FinishReason::from_wire);
    let message = choice.message.into_object().or_else(|| choice.delta.into_object());
    let Some(mut message) = message else {
        return Reading { text: choice.text.into_text(), finish, ..Reading::default() };
    };
    let reasoning = message.take_reasoning();
    // Null content is an answer without words, not an answer that was not captured.
    let text = message.take_text().unwrap_or_default();
    Reading { text: Some(text), reasoning, finish, ..Reading::default() }
}
