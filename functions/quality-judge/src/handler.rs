//! From an event to its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapters::judge::Judge;
use adapters::queue::Queue;
use adapters::settings_folder::{NoSettings, SettingsFiles};
use adapters::time_left;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse};
use domain::metric::{self, Tally, datums};
use domain::names::{ComponentName, EndpointName};
use domain::verdict::Outcome;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::event::{self, Arrival, Event, Message, NotAnEvent};
use crate::object::{Invocation, Tools, judge_object};
use crate::outcome::{Ended, ObjectOutcome, listed};
use crate::standards::Standards;
use crate::summary::Counts;

/// Objects of one invocation that are worked on at once. Most hold a few records only, so one at a
/// time would leave the judge idle.
const OBJECTS_AT_ONCE: usize = 8;
/// Kept free at the end of an invocation for storing and publishing.
const TO_FINISH: Duration = Duration::from_secs(5);

/// What an invocation did, as a local invoke prints it and the log has it.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// The judge's model id.
    pub(crate) judge_model: String,
    /// Id and version of the rubric in force.
    pub(crate) rubric: String,
    /// What was counted.
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// Objects that are to be tried again, and why.
    pub(crate) unsettled: Vec<String>,
    /// How long it took.
    pub(crate) duration_ms: u64,
}

/// The answer: which messages failed, or for a direct event the summary.
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
    /// There is no valid rubric or fleet file.
    #[error(transparent)]
    NoSettings(#[from] NoSettings),
    /// A direct event is to be tried again; a batch answers for each message instead.
    #[error("{} of {objects} objects are not judged yet; invoke again: {}", reasons.len(), reasons.join("; "))]
    Unsettled {
        /// Objects in the event.
        objects: usize,
        /// Where and why.
        reasons: Vec<String>,
    },
}

impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        let error_type = match error {
            HandlerError::NotAnEvent(_) => "NotAnEvent",
            HandlerError::NoSettings(_) => "BadConfiguration",
            HandlerError::Unsettled { .. } => "Unsettled",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// Everything that the process keeps between events.
#[derive(Debug)]
pub(crate) struct Function<J> {
    /// Settings, clients and the judge.
    pub(crate) tools: Arc<Tools<J>>,
    /// Where the rest of a long object goes.
    pub(crate) queue: Option<Queue>,
    /// Reads what `CONFIG_URI` names, when it names something.
    pub(crate) settings_files: Option<SettingsFiles>,
    /// Rubric and fleet file; read from `CONFIG_URI` by the first event.
    pub(crate) standards: OnceCell<Arc<Standards>>,
}

impl<J: Judge + Send + Sync + 'static> Function<J> {
    /// Answers one event.
    ///
    /// # Errors
    /// See [`HandlerError`]. One bad message or object never makes the whole batch fail.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, HandlerError> {
        let started = Instant::now();
        let standards = self.standards().await?;
        let invocation = self.invocation(&event.context);
        self.tools.bench.gate.open();
        match event::read(event.payload)? {
            Event::Direct(arrivals) => {
                let ended = self.judge_all(&standards, &invocation, arrivals.iter()).await;
                let summary = self.summarise(&standards, &ended, started);
                if summary.unsettled.is_empty() {
                    return Ok(Answer::Summary(Box::new(summary)));
                }
                Err(HandlerError::Unsettled { objects: ended.len(), reasons: summary.unsettled })
            }
            Event::Queue(messages) => {
                let arrivals = messages.iter().filter_map(|message| message.arrivals.as_ref().ok()).flatten();
                let ended = self.judge_all(&standards, &invocation, arrivals).await;
                self.summarise(&standards, &ended, started);
                let mut failures = Vec::new();
                for message in messages {
                    if !self.is_settled(&message, &ended).await {
                        let mut failure = BatchItemFailure::default();
                        failure.item_identifier = message.id;
                        failures.push(failure);
                    }
                }
                let mut response = SqsBatchResponse::default();
                response.batch_item_failures = failures;
                Ok(Answer::Batch(response))
            }
        }
    }

    async fn standards(&self) -> Result<Arc<Standards>, NoSettings> {
        let config = &self.tools.config;
        let read = || async {
            match &self.settings_files {
                Some(files) => Standards::from_folder(files, config).await.map(Arc::new),
                None => Standards::shipped(config).map(Arc::new),
            }
        };
        self.standards.get_or_try_init(read).await.cloned()
    }

    fn invocation(&self, context: &Context) -> Invocation {
        let left = time_left(context.deadline());
        let for_calls = left.saturating_sub(TO_FINISH);
        let for_starting = for_calls.saturating_sub(self.tools.config.judge_timeout);
        let now = Instant::now();
        let left = jiff::SignedDuration::try_from(left).unwrap_or_default();
        Invocation {
            id: context.request_id.clone(),
            last_start: now + for_starting,
            calls_end: now + for_calls,
            // Time stamps in the table are whole seconds.
            ends_at: Timestamp::now() + left + jiff::SignedDuration::from_secs(1),
        }
    }

    /// Works on each object once, however often it is named. Versions of one object follow one
    /// another, because they share a lease.
    async fn judge_all<'a>(
        &self,
        standards: &Arc<Standards>,
        invocation: &Invocation,
        arrivals: impl Iterator<Item = &'a Arrival>,
    ) -> BTreeMap<Arrival, Ended> {
        let mut by_object: BTreeMap<(&str, &str), Vec<&Arrival>> = BTreeMap::new();
        for arrival in arrivals {
            let versions = by_object.entry((&arrival.bucket, &arrival.key)).or_default();
            if !versions.contains(&arrival) {
                versions.push(arrival);
            }
        }
        let judge_versions = |versions: Vec<&'a Arrival>| async move {
            let mut ended = Vec::new();
            for arrival in versions {
                let end = judge_object(&self.tools, standards, invocation, arrival).await;
                self.note(arrival, &end).await;
                ended.push((arrival.clone(), end));
            }
            ended
        };
        let ended: Vec<Vec<(Arrival, Ended)>> = stream::iter(by_object.into_values().map(judge_versions))
            .buffer_unordered(OBJECTS_AT_ONCE)
            .collect()
            .await;
        ended.into_iter().flatten().collect()
    }

    /// Says what became of an object where a person may have to know.
    async fn note(&self, arrival: &Arrival, ended: &Ended) {
        let (object_key, outcome) = (&arrival.key, ended.outcome.as_str());
        if let Some((dropped, advice)) = ended.outcome.dropped() {
            tracing::warn!(bucket = %arrival.bucket, %object_key, outcome, advice, "object dropped");
            self.count_dropped(arrival, dropped).await;
        }
        if let Some(error) = &ended.error {
            tracing::warn!(%object_key, outcome, error, "object not judged; it is tried again");
        }
    }

    async fn count_dropped(&self, arrival: &Arrival, dropped: metric::Definition) {
        let endpoint = domain::capture::CaptureKey::parse(&arrival.key).map(|key| key.endpoint);
        let Ok(endpoint) = endpoint.or_else(|_| "unknown".parse::<EndpointName>()) else { return };
        let subject =
            metric::Subject { endpoint, component: ComponentName::unattributed(), at: Timestamp::now() };
        let mut tally = Tally::default();
        tally.row(&subject).observe(dropped, 1.into());
        let Some(standards) = self.standards.get() else { return };
        let naming = standards.fleet.metrics();
        if let Err(fault) = self.tools.metrics.publish(&naming.namespace, datums(&tally, naming)).await {
            tracing::warn!(metric = dropped.name, error = %fault, "metric not published");
        }
    }

    /// Whether a message can be forgotten. The rest of a long object is sent on at once: waiting
    /// for the visibility timeout would be slow and would count as a failed try.
    async fn is_settled(&self, message: &Message, ended: &BTreeMap<Arrival, Ended>) -> bool {
        let arrivals = match &message.arrivals {
            Ok(arrivals) => arrivals,
            Err(error) => {
                tracing::warn!(message_id = message.id, %error, "message not understood; it goes to the dead-letter queue");
                return false;
            }
        };
        let outcomes: Vec<ObjectOutcome> =
            arrivals.iter().filter_map(|arrival| ended.get(arrival)).map(|ended| ended.outcome).collect();
        if outcomes.iter().all(|outcome| outcome.is_settled()) {
            return true;
        }
        let is_rest =
            outcomes.iter().all(|outcome| outcome.is_settled() || *outcome == ObjectOutcome::Continues);
        let Some(queue) = self.queue.as_ref().filter(|_| is_rest) else { return false };
        match queue.send(&message.body).await {
            Ok(()) => true,
            Err(fault) => {
                tracing::warn!(message_id = message.id, error = %fault, "rest of a long object not sent on; it waits for the visibility timeout");
                false
            }
        }
    }

    fn summarise(
        &self,
        standards: &Standards,
        ended: &BTreeMap<Arrival, Ended>,
        started: Instant,
    ) -> Summary {
        let mut counts = Counts::default();
        let mut unsettled = Vec::new();
        for (arrival, ended) in ended {
            *counts.objects.entry(ended.outcome.as_str()).or_default() += 1;
            counts.merge(ended.counts.clone());
            if !ended.outcome.is_settled() {
                let why = ended.error.as_deref().unwrap_or("the time was up");
                unsettled.push(format!("{} ({}): {why}", arrival.key, ended.outcome.as_str()));
            }
        }
        let summary = Summary {
            judge_model: self.tools.bench.model.clone(),
            rubric: format!("{} {}", standards.stamp.id, standards.stamp.version),
            counts,
            unsettled,
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        log(&summary);
        summary
    }
}

fn log(summary: &Summary) {
    let counts = &summary.counts;
    tracing::info!(
        objects = listed(&counts.objects),
        lines = counts.lines,
        exchanges = counts.exchanges,
        skipped = listed(&counts.skipped),
        checks = listed(&counts.checks),
        selected = counts.selected,
        already_judged = counts.already_judged,
        outcomes = listed(&counts.outcomes),
        // Numbers of their own, because the template makes metrics of these.
        scored = counts.ended(|outcome| outcome == Outcome::Scored),
        failed = counts.ended(Outcome::is_judge_failure),
        throttled = counts.ended(|outcome| outcome == Outcome::Throttled),
        judge_model = summary.judge_model,
        rubric = summary.rubric,
        judge_cost_usd = counts.judge_cost.usd(),
        datums = counts.datums,
        verdict_files = counts.verdict_files.len(),
        unsettled = summary.unsettled.len(),
        duration_ms = summary.duration_ms,
        "invocation done"
    );
}
