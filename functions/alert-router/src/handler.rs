//! From an event to its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use adapters::delivery::Outbound;
use adapters::metrics::Metrics;
use adapters::queue::Queue;
use adapters::secrets::Secrets;
use adapters::settings_folder::{NoSettings, SettingsFiles};
use adapters::state::StateTable;
use adapters::time_left;
use adapters::topic::Topics;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse};
use domain::alert::parse::parse;
use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::config::Config;
use crate::event::{self, Event, Item, Returned};
use crate::looking_up::{Found, Places, look_up};
use crate::preparing::Case;
use crate::summary::{Summary, decision, shown};
use crate::terms::Terms;
use crate::work::Work;

/// Kept free at the end of an invocation for what is remembered and counted.
const TO_FINISH: Duration = Duration::from_secs(3);
/// Reasons that an error names.
const NAMED: usize = 10;

/// Settings and clients.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) config: Config,
    pub(crate) state: StateTable,
    pub(crate) metrics: Metrics,
    pub(crate) secrets: Secrets,
    pub(crate) topics: Topics,
    pub(crate) dead_letters: Queue,
    /// What comes back to the function later.
    pub(crate) returns: Queue,
    /// Where the function runs; empty when nobody says.
    pub(crate) region: String,
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
    /// There are no valid rules.
    #[error(transparent)]
    NoSettings(#[from] NoSettings),
    /// Somebody is not told yet: Lambda comes back, and sends only what is missing.
    #[error("{failed} of {alerts} alerts are not delivered to everybody yet: {}", reasons.join("; "))]
    Undelivered {
        /// How many.
        failed: usize,
        /// Of how many.
        alerts: usize,
        /// Why, a few of them.
        reasons: Vec<String>,
    },
}

impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        let error_type = match error {
            HandlerError::NoSettings(_) => "BadConfiguration",
            HandlerError::Undelivered { .. } => "Undelivered",
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
    /// The rules; read from `CONFIG_URI` by the first event.
    pub(crate) terms: OnceCell<Terms>,
}

impl Function {
    /// Answers one event.
    ///
    /// # Errors
    /// See [`HandlerError`]. One bad message of a queue never makes the whole batch fail.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Answer, HandlerError> {
        let started = Instant::now();
        let terms = self.terms().await?;
        let Event { is_dry_run, is_queue, items } = event::read(event.payload);
        let mut work = self.work(terms, &event.context, is_dry_run);
        let ids: Vec<Option<String>> = items.iter().map(sqs_message_id).collect();
        let mut failures: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let (mut cases, returned) = read(&work, items, is_queue, &mut failures);
        let (waiting, told) = work.recall(&returned, &mut failures).await;
        cases.extend(waiting);
        let tools = &self.tools;
        let budget = tools.config.enrichment;
        let places = places(terms, cases.iter().chain(&told));
        work.found = look_up(&tools.metrics, &tools.state, terms, &places, budget, work.now).await;
        let mut prepared = work.prepare(&cases).await;
        work.count(&prepared);
        let decisions = if is_dry_run {
            work.dry(&cases, &prepared).await
        } else {
            Box::pin(work.deliver_all(&cases, &mut prepared, &returned, &mut failures)).await;
            shown(prepared.decided.iter().map(|(case, decided)| decision(&cases[*case], decided, &[])))
        };
        let summary = work.finish(decisions, started).await;
        for (case, why) in prepared.failed {
            failures.entry(cases[case].item).or_default().push(why);
        }
        if is_queue && !is_dry_run {
            return Ok(Answer::Batch(batch(&ids, &failures)));
        }
        if failures.is_empty() {
            return Ok(Answer::Summary(Box::new(summary)));
        }
        let failed = failures.values().map(Vec::len).sum();
        let reasons: BTreeSet<String> = failures.into_values().flatten().collect();
        let reasons = reasons.into_iter().take(NAMED).collect();
        Err(HandlerError::Undelivered { failed, alerts: cases.len(), reasons })
    }

    async fn terms(&self) -> Result<&Terms, NoSettings> {
        let config = &self.tools.config;
        let read = || async {
            match &self.settings_files {
                Some(files) => Terms::from_folder(files, config).await,
                None => Terms::shipped(config),
            }
        };
        self.terms.get_or_try_init(read).await
    }

    fn work<'a>(&'a self, terms: &'a Terms, context: &Context, is_dry_run: bool) -> Work<'a> {
        let left = time_left(context.deadline());
        let mut random = [0_u8; 8];
        // Without randomness a retry could take the claims of the attempt before it for its own.
        let _ = getrandom::fill(&mut random);
        Work {
            tools: &self.tools,
            terms,
            found: Found::default(),
            outbound: Outbound::open(),
            owner: format!("{}/{:x}", context.request_id, u64::from_be_bytes(random)),
            now: Timestamp::now(),
            is_dry_run,
            ends_at: Instant::now() + left.saturating_sub(TO_FINISH),
            counts: Mutex::default(),
        }
    }
}

fn sqs_message_id(item: &Item) -> Option<String> {
    match item {
        Item::Message(delivery) => delivery.sqs_message_id.clone(),
        Item::Returned { sqs_message_id, .. } => sqs_message_id.clone(),
        Item::Unreadable(unreadable) => unreadable.sqs_message_id.clone(),
    }
}

/// The alerts of an event, and what comes back by the queue.
fn read(
    work: &Work<'_>,
    items: Vec<Item>,
    is_queue: bool,
    failures: &mut BTreeMap<usize, Vec<String>>,
) -> (Vec<Case>, Vec<(usize, Returned)>) {
    let mut cases = Vec::new();
    let mut returned = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        match item {
            Item::Message(delivery) => {
                let parsed = parse(&delivery);
                if !parsed.notes.is_empty() || parsed.lost > 0 {
                    let notes: Vec<&str> = parsed.notes.iter().map(|note| note.as_str()).collect();
                    let message_id = delivery.message_id.as_deref().unwrap_or_default();
                    tracing::warn!(
                        place = delivery.place,
                        message_id,
                        lost = parsed.lost,
                        notes = notes.join(" "),
                        "message not as expected"
                    );
                }
                work.counts().parsed(&parsed);
                let sent_at = delivery.published_at.unwrap_or(work.now);
                let case = |alert| Case { lost: parsed.lost, ..Case::new(work, place, alert, sent_at) };
                cases.extend(parsed.alerts.into_iter().map(case));
            }
            Item::Returned { returned: one, .. } => {
                work.counts().redriven += u64::from(matches!(one, Returned::Parked(_)));
                returned.push((place, one));
            }
            Item::Unreadable(unreadable) => {
                work.counts().unreadable += 1;
                tracing::error!(place = unreadable.place, error = %unreadable, "record without a message");
                if is_queue {
                    failures.entry(place).or_default().push(unreadable.to_string());
                }
            }
        }
    }
    (cases, returned)
}

/// What the alerts are about, each with the measures that they name.
fn places<'a>(terms: &Terms, cases: impl Iterator<Item = &'a Case>) -> Places {
    let mut places = Places::new();
    for case in cases {
        let named = places.entry(case.place.clone()).or_default();
        let measure = case.alert.metric().and_then(|metric| terms.rules.thresholds().find(metric));
        named.extend(measure.map(|measure| measure.name.clone()));
    }
    places
}

fn batch(ids: &[Option<String>], failures: &BTreeMap<usize, Vec<String>>) -> SqsBatchResponse {
    let failed: BTreeSet<&String> = failures.keys().filter_map(|place| ids.get(*place)?.as_ref()).collect();
    let failure = |id: &String| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier.clone_from(id);
        failure
    };
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    response
}
