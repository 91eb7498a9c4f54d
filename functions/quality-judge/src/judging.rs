//! One sample, one verdict: asks the judge at the common pace, again where that helps, and never
//! so late that the answer could not be kept.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::judge::{Answered, Content, Judge};
use backon::{BackoffBuilder, ExponentialBuilder};
use domain::judge::{JudgeReply, prompt_hash, read_reply};
use domain::money::MicroUsd;
use domain::pacing::Pace;
use domain::verdict::{Failure, JudgeCall, Judging, Outcome, Verdict};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::reading::Candidate;
use crate::standards::Standards;

/// Tries of one sample in one invocation. What still fails goes back to the queue.
const TRIES: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How one sample ended in this invocation.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It has its verdict, scored or finally failed.
    Judged(Box<Verdict>),
    /// It has none and may get one later; counted under its outcome.
    Unanswered(Outcome),
    /// It was not asked about: too late, or the judge cannot be called at all.
    NotAsked,
}

/// An ending and what it used of the budget that was reserved for it.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The line of the sample.
    pub(crate) line: u64,
    /// How it ended.
    pub(crate) ending: Ending,
    /// What is to be booked for it. A call that broke off may have been paid for, so it costs all
    /// that was reserved.
    pub(crate) spent: MicroUsd,
    /// What was reserved for it.
    pub(crate) reserved: MicroUsd,
}

/// Lets as many judge calls run at once as the pace allows, over all objects of the process.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Notify,
}

#[derive(Debug)]
struct GateState {
    pace: Pace,
    under_way: usize,
    /// The one message of a judge that cannot be called, until the next invocation.
    closed: Option<String>,
}

impl Gate {
    /// At most `most` calls at once.
    pub(crate) fn new(most: u16) -> Self {
        let state = GateState { pace: Pace::new(most), under_way: 0, closed: None };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Opens the gate for a new invocation.
    pub(crate) fn open(&self) {
        self.lock().closed = None;
    }

    /// Why the judge cannot be called, once that is known.
    pub(crate) fn closed(&self) -> Option<String> {
        self.lock().closed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place; `None` when the gate is closed.
    async fn enter(&self) -> Option<Place<'_>> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if state.closed.is_some() {
                    return None;
                }
                if state.under_way < state.pace.limit() {
                    state.under_way += 1;
                    return Some(Place(self));
                }
            }
            changed.await;
        }
    }

    fn note(&self, call: &Result<Answered, adapters::judge::Unanswered>) {
        let mut state = self.lock();
        match call {
            Err(unanswered) if unanswered.failure == Failure::Throttled => {
                let others = state.under_way.saturating_sub(1);
                state.pace.throttled(others);
            }
            Err(unanswered) if unanswered.failure.outcome() == Outcome::ConfigError => {
                state.closed.get_or_insert_with(|| unanswered.to_string());
            }
            _ => state.pace.calm(),
        }
    }
}

/// A call under way.
struct Place<'a>(&'a Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.under_way -= 1;
        if state.closed.is_some() {
            return self.0.changed.notify_waiters();
        }
        // A call that ends makes room for one, and for two when the pace has risen by it.
        self.0.changed.notify_one();
        self.0.changed.notify_one();
    }
}

/// What the judging of every sample needs.
#[derive(Debug)]
pub(crate) struct Bench<J> {
    /// The judge.
    pub(crate) judge: J,
    /// Its model id, for verdicts.
    pub(crate) model: String,
    /// The common pace.
    pub(crate) gate: Gate,
}

impl<J: Judge> Bench<J> {
    /// Judges one sample, `text` being what the judge is shown of it. No call starts after
    /// `last_start`.
    pub(crate) async fn judge(
        &self,
        standards: &Standards,
        candidate: Candidate,
        text: &str,
        reserved: MicroUsd,
        last_start: Instant,
    ) -> Finished {
        let line = candidate.subject.line;
        let hash = prompt_hash(&standards.brief.system, text);
        let mut pauses = pauses();
        let mut spent = MicroUsd::default();
        loop {
            let Some(place) = self.gate.enter().await else {
                return Finished { line, ending: Ending::NotAsked, spent, reserved };
            };
            if Instant::now() > last_start {
                return Finished { line, ending: Ending::NotAsked, spent, reserved };
            }
            let started = Instant::now();
            let call = self.judge.ask(&standards.brief, text).await;
            self.gate.note(&call);
            drop(place);
            let failure = match call {
                Ok(answered) => {
                    let verdict = self.verdict(standards, candidate, answered, hash);
                    let cost = verdict.judging().call.as_ref().map(|call| call.cost).unwrap_or_default();
                    return Finished {
                        line,
                        ending: Ending::Judged(Box::new(verdict)),
                        spent: spent + cost,
                        reserved,
                    };
                }
                Err(unanswered) => {
                    if unanswered.may_cost {
                        spent = reserved;
                    }
                    unanswered.failure
                }
            };
            let outcome = failure.outcome();
            let pause = outcome.is_retryable().then(|| pauses.next()).flatten();
            let ending = match pause {
                Some(pause) if Instant::now() + pause <= last_start => {
                    tokio::time::sleep(pause).await;
                    continue;
                }
                _ if outcome.is_retryable() || outcome == Outcome::ConfigError => Ending::Unanswered(outcome),
                _ => {
                    let call = JudgeCall {
                        latency_ms: millis(started.elapsed()),
                        prompt_hash: hash,
                        cost: spent,
                        ..JudgeCall::default()
                    };
                    let judging = self.judging(standards, call);
                    Ending::Judged(Box::new(Verdict::new(candidate.subject, judging, Err(failure))))
                }
            };
            return Finished { line, ending, spent, reserved };
        }
    }

    fn verdict(
        &self,
        standards: &Standards,
        candidate: Candidate,
        answered: Answered,
        hash: String,
    ) -> Verdict {
        let ending = answered.content.and_then(|content| {
            let reply = match &content {
                Content::Structured(value) => JudgeReply::Structured(value),
                Content::Text(text) => JudgeReply::Text(text),
            };
            read_reply(&standards.rubric, &candidate.sample, reply).map_err(Failure::Malformed)
        });
        let call = JudgeCall {
            stop_reason: Some(answered.stop_reason),
            tokens: answered.tokens,
            cost: standards.price.cost(&answered.tokens),
            latency_ms: millis(answered.latency),
            prompt_hash: hash,
        };
        Verdict::new(candidate.subject, self.judging(standards, call), ending)
    }

    fn judging(&self, standards: &Standards, call: JudgeCall) -> Judging {
        Judging {
            rubric: standards.stamp.clone(),
            judge_model: self.model.clone(),
            judged_at: Timestamp::now(),
            call: Some(call),
        }
    }
}

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(TRIES - 1)
        .with_jitter()
        .build()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
