//! From an event to its answer.

use std::time::Duration;

use adapters::settings_folder::{NoSettings, SettingsFiles};
use adapters::time_left;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse};
use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::event::{self, Event, Message, NotAnEvent};
use crate::run::{Run, RunFailed, Tools};
use crate::summary::Summary;
use crate::terms::Terms;

/// Kept free at the end of an invocation for publishing.
const TO_FINISH: Duration = Duration::from_secs(10);

/// The answer: which messages failed, or for a direct event the breakdown.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// To SQS. The template must set `ReportBatchItemFailures`.
    Batch(SqsBatchResponse),
    /// To whoever invoked the function.
    Summary(Box<Summary>),
}

/// Why an invocation fails as a whole.
#[derive(Debug, Error)]
pub(crate) enum HandlerError {
    /// The payload is none of the known events.
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
    /// There is no valid fleet file.
    #[error(transparent)]
    NoSettings(#[from] NoSettings),
    /// A direct event is to be tried again; a batch answers for each message instead.
    #[error(transparent)]
    RunFailed(#[from] RunFailed),
}

impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        let error_type = match error {
            HandlerError::NotAnEvent(_) => "NotAnEvent",
            HandlerError::NoSettings(_) => "BadConfiguration",
            HandlerError::RunFailed(_) => "RunFailed",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// Everything that the process keeps between events.
#[derive(Debug)]
pub(crate) struct Function {
    /// Settings and clients.
    pub(crate) tools: Tools,
    /// Reads what `CONFIG_URI` names, when it names something.
    pub(crate) settings_files: Option<SettingsFiles>,
    /// The fleet file; read from `CONFIG_URI` by the first event.
    pub(crate) terms: OnceCell<Terms>,
}

impl Function {
    /// Answers one event.
    ///
    /// # Errors
    /// See [`HandlerError`]. One bad message never makes the whole batch fail.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, HandlerError> {
        let started = Instant::now();
        let terms = self.terms().await?;
        match event::read(event.payload)? {
            Event::Direct(request) => {
                let summary = self.run(terms, &event.context).whole(&request).await?;
                Ok(Answer::Summary(Box::new(finished(summary, started))))
            }
            Event::Queue(messages) => {
                let mut response = SqsBatchResponse::default();
                // One after another: each may be as large as an invocation can hold.
                for message in messages {
                    if !self.is_metered(terms, &event.context, &message).await {
                        let mut failure = BatchItemFailure::default();
                        failure.item_identifier = message.id;
                        response.batch_item_failures.push(failure);
                    }
                }
                Ok(Answer::Batch(response))
            }
        }
    }

    async fn terms(&self) -> Result<&Terms, NoSettings> {
        let region = &self.tools.region;
        let read = || async {
            match &self.settings_files {
                Some(files) => Terms::from_folder(files, region).await,
                None => Terms::shipped(region),
            }
        };
        self.terms.get_or_try_init(read).await
    }

    fn run<'a>(&'a self, terms: &'a Terms, context: &Context) -> Run<'a> {
        let left = time_left(context.deadline());
        let now = Instant::now();
        Run {
            tools: &self.tools,
            terms,
            now: Timestamp::now(),
            topologies_until: now + left / 2,
            answers_until: now + left.saturating_sub(TO_FINISH),
        }
    }

    /// Whether a message can be forgotten.
    async fn is_metered(&self, terms: &Terms, context: &Context, message: &Message) -> bool {
        let started = Instant::now();
        let request = match &message.request {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(message_id = message.id, %error, "message not understood; it goes to the dead-letter queue");
                return false;
            }
        };
        match self.run(terms, context).part(request).await {
            Ok(summary) => {
                finished(summary, started);
                true
            }
            Err(error) => {
                tracing::warn!(message_id = message.id, %error, "endpoint not metered; it is tried again");
                false
            }
        }
    }
}

fn finished(mut summary: Summary, started: Instant) -> Summary {
    summary.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    summary.log();
    summary
}
