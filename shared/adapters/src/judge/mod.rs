//! The judge: a language model on Amazon Bedrock, asked through Converse.
//!
//! One call is one attempt. Retrying, pacing, budgets and how long to wait are the caller's, because
//! they concern all calls together; what this module repeats by itself is only a request that the model's
//! family does not understand (see [`form`]).

use std::future::Future;
use std::time::Duration;

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{Builder, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::types::ConverseOutput::Message;
use aws_sdk_bedrockruntime::types::{ContentBlock, StopReason, TokenUsage};
use domain::judge::Malformed;
use domain::verdict::{Failure, JudgeTokens};
use tokio::time::Instant;

mod document;
mod failure;
mod form;
#[cfg(test)]
mod tests;
mod verbatim;

pub use failure::Unanswered;
use form::Forms;

/// How long a connection may take. A region that does not answer is found out long before the
/// judge's own time-out.
const CONNECT: Duration = Duration::from_secs(3);

/// What stays the same over all samples of a rubric: the part of a request that a prompt cache
/// can keep.
#[derive(Debug, Clone)]
pub struct Brief {
    /// Role, rules and rubric.
    pub system: String,
    /// The JSON Schema of a verdict, as one byte-stable text: Bedrock caches its compilation.
    pub schema: String,
    /// Asks for the same JSON in words, for a model without structured output.
    pub instruction: String,
    /// The longest verdict, in tokens. Bedrock reserves quota for all of them.
    pub max_tokens: u32,
}

/// What the judge said.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Its verdict, or the failure that its stop reason stands for.
    pub content: Result<Content, Failure>,
    /// The stop reason as Bedrock spells it.
    pub stop_reason: String,
    /// What it costs.
    pub tokens: JudgeTokens,
    /// From sending the request to the whole answer.
    pub latency: Duration,
}

/// A verdict before it is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// The arguments of the tool that the judge had to call. Of two equal keys one is left: the SDK
    /// reads them into a map.
    Structured(serde_json::Value),
    /// Text that should be one JSON object.
    Text(String),
}

/// Somebody who can be asked for a verdict. Bedrock in production.
pub trait Judge {
    /// Asks once about one sample. Whoever waits no longer drops the call: see
    /// [`Unanswered::too_late`].
    fn ask(&self, brief: &Brief, sample: &str) -> impl Future<Output = Result<Answered, Unanswered>> + Send;
}

/// A model on Bedrock.
#[derive(Debug)]
pub struct BedrockJudge {
    client: Client,
    model: String,
    forms: Forms,
}

impl BedrockJudge {
    /// Asks `model` (a model id, an inference profile id or its ARN) with the region, credentials
    /// and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig, model: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).build();
        // The SDK's own retries would hide the throttles that the pace is set by.
        let config =
            Builder::from(config).retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), model: model.into(), forms: Forms::default() }
    }
}

impl Judge for BedrockJudge {
    async fn ask(&self, brief: &Brief, sample: &str) -> Result<Answered, Unanswered> {
        loop {
            let form = self.forms.current();
            let started = Instant::now();
            match form.send(self.client.converse().model_id(&self.model), brief, sample).await {
                Ok(answer) => return read(answer, started.elapsed()),
                Err(error) => {
                    let is_simpler = failure::refused_form(&error)
                        .is_some_and(|message| self.forms.simplify(form, message));
                    if !is_simpler {
                        return Err(Unanswered::of(&error));
                    }
                    tracing::info!(form = %self.forms.current(), "the judge model refused a request form; using a simpler one");
                }
            }
        }
    }
}

fn read(answer: ConverseOutput, latency: Duration) -> Result<Answered, Unanswered> {
    let tokens = answer.usage().map(tokens_of).unwrap_or_default();
    // Every answer of a model has read its input: this is a good status without an answer.
    if !matches!(answer.output(), Some(Message(_))) && tokens == JudgeTokens::default() {
        return Err(Unanswered::empty());
    }
    let stop_reason = answer.stop_reason().as_str().to_owned();
    let content = match failure_of(answer.stop_reason()) {
        Some(failure) => Err(failure),
        None => content_of(answer).map_err(Failure::Malformed),
    };
    Ok(Answered { content, stop_reason, tokens, latency })
}

/// The failure that a stop reason stands for; `None` when there should be a verdict to read.
fn failure_of(stop: &StopReason) -> Option<Failure> {
    match stop {
        StopReason::EndTurn | StopReason::ToolUse | StopReason::StopSequence => None,
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Some(Failure::Truncated),
        StopReason::ContentFiltered | StopReason::GuardrailIntervened => Some(Failure::JudgeRefused),
        StopReason::MalformedModelOutput | StopReason::MalformedToolUse => {
            Some(Failure::Malformed(Malformed::ReportedByService))
        }
        _ => Some(Failure::Malformed(Malformed::UnknownStopReason)),
    }
}

/// The arguments of the only tool call, else all text. Reasoning blocks are left out; two tool
/// calls are no verdict.
fn content_of(answer: ConverseOutput) -> Result<Content, Malformed> {
    let Some(Message(message)) = answer.output else { return Err(Malformed::Empty) };
    let mut arguments = Vec::new();
    let mut text = String::new();
    for block in message.content {
        match block {
            ContentBlock::ToolUse(call) => arguments.push(document::to_json(call.input)),
            ContentBlock::Text(part) => text.push_str(&part),
            _ => {}
        }
    }
    match arguments.len() {
        0 => Ok(Content::Text(text)),
        1 => arguments.pop().flatten().map(Content::Structured).ok_or(Malformed::NotJson),
        _ => Err(Malformed::SeveralValues),
    }
}

fn tokens_of(usage: &TokenUsage) -> JudgeTokens {
    let tokens = |count: i32| u64::try_from(count).unwrap_or_default();
    JudgeTokens {
        input: tokens(usage.input_tokens()),
        output: tokens(usage.output_tokens()),
        cache_read: usage.cache_read_input_tokens().map(tokens).unwrap_or_default(),
        cache_write: usage.cache_write_input_tokens().map(tokens).unwrap_or_default(),
    }
}
