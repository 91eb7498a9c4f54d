//! From an event to its answer.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use adapters::grafana::Workspaces;
use adapters::secrets::Secrets;
use adapters::settings_folder::SettingsFiles;
use adapters::stack_answer::{NotAResponseUrl, Unheard};
use adapters::time_left;
use domain::settings::Mistakes;
use futures_util::FutureExt as _;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::answer::{answer, reason};
use crate::config::Config;
use crate::event::{self, Action, Event, StackRequest, Target, Task};
use crate::failure::Failure;
use crate::job::Job;
use crate::summary::Summary;
use crate::terms::Terms;

/// Kept free at the end of an invocation to delete the token and to answer.
const TO_FINISH: Duration = Duration::from_secs(30);

/// Clients.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) workspaces: Workspaces,
    pub(crate) secrets: Secrets,
    pub(crate) settings_files: Option<SettingsFiles>,
    /// Where the function runs; empty when nobody says.
    pub(crate) region: String,
}

/// Everything that the process keeps between events.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) tools: Tools,
    /// The settings, or what every event is answered.
    pub(crate) config: Result<Config, Mistakes>,
}

/// The answer to Lambda.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// What was done.
    Done(Box<Summary>),
    /// CloudFormation was told why nothing was done, or not all. No error to Lambda, which would
    /// come back with the same event.
    Told {
        /// Why.
        reason: String,
    },
}

/// Why an invocation fails: Lambda comes back when CloudFormation waits.
#[derive(Debug, Error)]
pub(crate) enum HandlerError {
    /// Nobody is answered.
    #[error(transparent)]
    NotAResponseUrl(#[from] NotAResponseUrl),
    /// The answer did not get through.
    #[error(transparent)]
    Unheard(#[from] Unheard),
    /// For whoever invoked the function.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        let error_type = match error {
            HandlerError::NotAResponseUrl(_) => "NotAResponseUrl",
            HandlerError::Unheard(_) => "Unheard",
            HandlerError::Failed(_) => "Failed",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// Until when what may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    started: Instant,
    /// Grafana is changed.
    pub(crate) work: Instant,
    /// The token is deleted.
    token: Instant,
}

impl Function {
    /// Answers one event.
    ///
    /// # Errors
    /// See [`HandlerError`].
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, HandlerError> {
        let times = Times::of(&event.context);
        let name = token_name(&event.context);
        match event::read(&event.payload) {
            Event::Stack(request) => Box::pin(self.stack(&request, times, &name)).await,
            Event::Direct(task) => {
                let task = task.map_err(Failure::Mistaken)?;
                let summary = guarded(times.token, Box::pin(self.carry(&task, times, &name))).await?;
                Ok(Answer::Done(Box::new(summary)))
            }
        }
    }

    async fn stack(&self, request: &StackRequest, times: Times, name: &str) -> Result<Answer, HandlerError> {
        let Some(url) = &request.response_url else { return Err(NotAResponseUrl.into()) };
        let outcome = match &request.task {
            Ok(Some(task)) => guarded(times.token, Box::pin(self.carry(task, times, name))).await,
            Ok(None) => Ok(Summary { notes: vec!["nothing was made".to_owned()], ..Summary::default() }),
            Err(mistakes) => Err(Failure::Mistaken(mistakes.clone())),
        };
        url.answer(&answer(request, self.config.as_ref().ok(), &outcome)).await?;
        match outcome {
            Ok(summary) => Ok(Answer::Done(Box::new(summary))),
            Err(failure) => {
                tracing::error!(error = %failure, "not provisioned; CloudFormation is told");
                Ok(Answer::Told { reason: reason(&failure) })
            }
        }
    }

    async fn carry(&self, task: &Task, times: Times, name: &str) -> Result<Summary, Failure> {
        let refused = |mistakes: &Mistakes| Failure::Mistaken(mistakes.clone());
        let identity = match (&task.identity, &self.config) {
            (Some(identity), _) => identity,
            (None, Ok(config)) => &config.identity,
            (None, Err(mistakes)) => return Err(refused(mistakes)),
        };
        // The token goes where the stack's owner says, not where the event says.
        if let Target::Url(address, _) = &task.target {
            let config = self.config.as_ref().map_err(refused)?;
            if !config.own_grafana.as_ref().is_some_and(|own| own.is_at(address)) {
                return Err(Failure::OtherGrafana(address.origin().to_owned()));
            }
        }
        let terms;
        let mut job = Job { tools: &self.tools, task, identity, apply: None, times };
        // A removal needs no settings: they may be what is wrong.
        if task.action == Action::Apply {
            let config = self.config.as_ref().map_err(refused)?;
            terms = Terms::read(self.tools.settings_files.as_ref()).await?;
            let topic_arn = task.topic_arn.as_deref().unwrap_or(&config.topic_arn);
            job.apply = Some((terms.settings(identity, config), topic_arn));
        }
        let mut summary = job.run(name).await?;
        summary.duration_ms = u64::try_from(times.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        summary.log();
        Ok(summary)
    }
}

/// Lambda comes back after a killed invocation with the same request id, while the token of before lives
/// on: the deadline tells the two apart.
fn token_name(context: &Context) -> String {
    format!("assay-{}-{}", context.request_id, context.deadline)
}

impl Times {
    fn of(context: &Context) -> Self {
        let left = time_left(context.deadline());
        let started = Instant::now();
        let kept = TO_FINISH.min(left / 2);
        let ends = started + left;
        Self { started, work: ends - kept, token: ends - kept / 2 }
    }
}

/// Does some work, and comes back in time and after a panic too.
pub(crate) async fn guarded<T>(
    until: Instant,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match timeout_at(until, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(_) => Err(Failure::OutOfTime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_invocation_names_its_token_otherwise() {
        let mut context = Context::default();
        context.request_id = "00000000-0000-0000-0000-000000000000".to_owned();
        context.deadline = 1_800_000_000_000;
        let first = token_name(&context);
        context.deadline += 60_000;
        assert_ne!(token_name(&context), first);
        assert!(first.len() <= 128, "what AWS takes: {first}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_or_never_ends_is_a_failure_like_any_other() {
        let until = Instant::now() + Duration::from_secs(1);
        let result =
            guarded(until, async { if until > Instant::now() { panic!("a defect") } else { Ok(()) } }).await;
        assert!(matches!(result, Err(Failure::Panicked)));
        let result = guarded(until, std::future::pending::<Result<(), Failure>>()).await;
        assert!(matches!(result, Err(Failure::OutOfTime)));
        assert!(guarded(until + Duration::from_secs(1), async { Ok(()) }).await.is_ok());
    }
}
