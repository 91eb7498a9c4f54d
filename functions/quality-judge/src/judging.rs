//! One sample, one verdict: asks the judge at the common pace, again where that helps, and never
//! so late that the answer could not be kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::judge::{Answered, Brief, Content, Judge, Unanswered};
use backon::{BackoffBuilder, ExponentialBuilder};
use domain::judge::{JudgeReply, prompt_hash, read_reply};
use domain::money::MicroUsd;
use domain::pacing::Pace;
use domain::verdict::{Failure, JudgeCall, Judging, Outcome, Verdict};
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::budget::{Ledger, Reservation};
use crate::object::Tools;
use crate::reading::Candidate;
use crate::selection::Priced;
use crate::standards::Standards;

/// Tries of one sample in one invocation, those that were throttled not counted. What still fails goes
/// back to the queue.
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

/// An ending and what is to be booked for it.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The line of the sample.
    pub(crate) line: u64,
    /// How it ended.
    pub(crate) ending: Ending,
    /// A call that broke off may have been paid for, so it costs all that was set aside.
    pub(crate) bookings: Ledger,
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

    fn note(&self, call: &Result<Answered, Unanswered>) {
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

/// When the samples of one object may be asked about.
#[derive(Debug)]
pub(crate) struct Calls {
    last_start: Instant,
    end: Instant,
    are_over: AtomicBool,
}

impl Calls {
    /// No call starts after `last_start`, and none is waited for after `end`.
    pub(crate) fn new(last_start: Instant, end: Instant) -> Self {
        Self { last_start, end, are_over: AtomicBool::new(false) }
    }

    /// Lets no further call start. Those under way go on.
    pub(crate) fn stop(&self) {
        self.are_over.store(true, Ordering::Relaxed);
    }

    fn may_start_at(&self, at: Instant) -> bool {
        at <= self.last_start && !self.are_over.load(Ordering::Relaxed)
    }
}

/// What the judging of every sample needs.
#[derive(Debug)]
pub(crate) struct Bench<J> {
    /// The judge.
    pub(crate) judge: J,
    /// Its model id, for verdicts.
    pub(crate) model: String,
    /// How long it may take to answer.
    pub(crate) timeout: Duration,
    /// Whether it has ever answered in this process.
    pub(crate) has_answered: AtomicBool,
    /// The common pace.
    pub(crate) gate: Gate,
}

impl<J: Judge> Bench<J> {
    /// Asks once. A judge that has not answered anybody yet may take until the end of `calls`: Bedrock
    /// compiles a schema that it sees for the first time, and that can take minutes.
    async fn ask(&self, brief: &Brief, text: &str, calls: &Calls) -> Result<Answered, Unanswered> {
        let patience = async {
            tokio::time::sleep(self.timeout).await;
            if !self.has_answered.load(Ordering::Relaxed) {
                tokio::time::sleep_until(calls.end).await;
            }
        };
        tokio::select! {
            biased;
            call = self.judge.ask(brief, text) => {
                self.has_answered.fetch_or(call.is_ok(), Ordering::Relaxed);
                call
            }
            () = patience => Err(Unanswered::too_late()),
        }
    }
}

impl<J: Judge> Tools<J> {
    /// Judges one sample with the money in `reservation`, and sets aside more for a call that follows
    /// one which may have been paid for.
    pub(crate) async fn judge(
        &self,
        standards: &Standards,
        priced: Priced,
        mut reservation: Reservation,
        calls: &Calls,
    ) -> Finished {
        let Priced { candidate, text, at_most } = priced;
        let line = candidate.subject.line;
        let hash = prompt_hash(&standards.brief.system, &text);
        let mut pauses = pauses();
        let mut failures = 0;
        let mut given_up = Ending::NotAsked;
        let mut bookings = Ledger::default();
        loop {
            let place = self.bench.gate.enter().await;
            let Some(place) = place.filter(|_| calls.may_start_at(Instant::now())) else {
                bookings.note(&reservation.unused());
                return Finished { line, ending: given_up, bookings };
            };
            let started = Instant::now();
            let call = self.bench.ask(&standards.brief, &text, calls).await;
            self.bench.gate.note(&call);
            drop(place);
            let Unanswered { failure, may_cost, .. } = match call {
                Ok(answered) => {
                    let verdict = self.bench.verdict(standards, candidate, answered, hash);
                    let cost = verdict.judging().call.as_ref().map(|call| call.cost).unwrap_or_default();
                    bookings.note(&reservation.settled(cost));
                    return Finished { line, ending: Ending::Judged(Box::new(verdict)), bookings };
                }
                Err(unanswered) => unanswered,
            };
            let spent = if may_cost { reservation.amount } else { MicroUsd::default() };
            let outcome = failure.outcome();
            if !outcome.is_retryable() && outcome != Outcome::ConfigError {
                let call = JudgeCall {
                    latency_ms: millis(started.elapsed()),
                    prompt_hash: hash,
                    cost: spent,
                    ..JudgeCall::default()
                };
                let judging = self.bench.judging(standards, call);
                let verdict = Verdict::new(candidate.subject, judging, Err(failure));
                bookings.note(&reservation.settled(spent));
                return Finished { line, ending: Ending::Judged(Box::new(verdict)), bookings };
            }
            given_up = Ending::Unanswered(outcome);
            // A throttled sample only waits for its turn, however long the others take theirs.
            failures += usize::from(outcome != Outcome::Throttled);
            let pause = pauses.next().filter(|_| outcome.is_retryable() && failures < TRIES);
            let Some(pause) = pause.filter(|pause| calls.may_start_at(Instant::now() + *pause)) else {
                bookings.note(&reservation.settled(spent));
                return Finished { line, ending: given_up, bookings };
            };
            tokio::time::sleep(pause).await;
            if may_cost {
                bookings.note(&reservation.settled(spent));
                match self.set_aside(at_most).await {
                    Ok(Ok(again)) => reservation = again,
                    Ok(Err(_)) => return Finished { line, ending: given_up, bookings },
                    Err(fault) => {
                        tracing::warn!(line, error = %fault, "no money set aside for another try; the sample comes back");
                        return Finished { line, ending: given_up, bookings };
                    }
                }
            }
        }
    }
}

impl<J> Bench<J> {
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
        .without_max_times()
        .with_jitter()
        .build()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use domain::verdict::JudgeTokens;

    use super::*;

    /// Answers after a while.
    struct Slow(Duration);

    impl Judge for Slow {
        async fn ask(&self, _: &Brief, _: &str) -> Result<Answered, Unanswered> {
            tokio::time::sleep(self.0).await;
            let (content, stop_reason) = (Ok(Content::Text("{}".to_owned())), "end_turn".to_owned());
            Ok(Answered { content, stop_reason, tokens: JudgeTokens::default(), latency: self.0 })
        }
    }

    fn bench(answers_after: u64) -> Bench<Slow> {
        Bench {
            judge: Slow(Duration::from_secs(answers_after)),
            model: "m".to_owned(),
            timeout: Duration::from_secs(45),
            has_answered: AtomicBool::new(false),
            gate: Gate::new(16),
        }
    }

    /// Asks at the start of an invocation that waits 175 seconds for calls; answers how long it took.
    async fn ask(bench: &Bench<Slow>) -> (u64, Result<Answered, Unanswered>) {
        let brief =
            Brief { system: String::new(), schema: String::new(), instruction: String::new(), max_tokens: 1 };
        let started = Instant::now();
        let calls = Calls::new(started + Duration::from_secs(130), started + Duration::from_secs(175));
        let call = bench.ask(&brief, "the sample", &calls).await;
        (started.elapsed().as_secs(), call)
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_judge_that_has_answered_nobody_may_take_longer_than_its_timeout() {
        let bench = bench(120);
        let (seconds, call) = ask(&bench).await;
        assert!(seconds == 120 && call.is_ok(), "{seconds} s: {call:?}");
        let (seconds, call) = ask(&bench).await;
        let unanswered = call.unwrap_err();
        assert_eq!((seconds, &unanswered.failure, unanswered.may_cost), (45, &Failure::Timeout, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_judge_that_never_answers_is_given_up_when_the_invocation_has_to_end() {
        let (seconds, call) = ask(&bench(10_000)).await;
        assert_eq!((seconds, call.unwrap_err().failure), (175, Failure::Timeout));
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_starts_too_late_or_after_a_stop() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let calls = Calls::new(now + second, now + 2 * second);
        assert!(calls.may_start_at(now + second) && !calls.may_start_at(now + 2 * second));
        calls.stop();
        assert!(!calls.may_start_at(now));
    }
}
