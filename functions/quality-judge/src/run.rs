//! The work on one object in one invocation, and what happens beside it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use adapters::Fault;
use adapters::captures::{Lines, Reader};
use adapters::judge::Judge;
use adapters::state::{ComponentHour, Lease, Progress};
use backon::ExponentialBackoff;
use domain::metric::{self, Row, Tally};
use domain::verdict::Verdict;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::budget::{Ledger, patience};
use crate::checkpoint::{Stage, observe};
use crate::judging::{Calls, Ending, Finished};
use crate::object::{Invocation, Tools};
use crate::outcome::{Ended, ObjectOutcome, listed};
use crate::reading::LineReader;
use crate::standards::Standards;
use crate::summary::Counts;

/// Lines that may wait for the judge at once. Bounds memory.
const WINDOW: usize = 200;
/// Resolved verdicts, values of metrics and samples seen after which the progress is made safe. Each
/// bounds memory.
const MOST_RESOLVED: usize = 500;
const MOST_VALUES: usize = 10_000;
const MOST_SEEN: usize = 5_000;
/// Lines that a run leaves without a verdict before the judge is taken to be down. Bounds what the
/// progress has to remember of them.
const MOST_LEFT: usize = 1000;

/// Why the work on an object broke off.
#[derive(Debug, Error)]
pub(crate) enum Broken {
    /// A call to AWS failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// S3 ended the body early.
    #[error("the object's stream broke off")]
    Stream,
    /// The state table holds a verdict that is none.
    #[error("verdict {0} in the state table cannot be read back")]
    StoredVerdict(String),
    /// A task panicked.
    #[error("a judging task ended without an answer")]
    Task,
}

/// A line whose samples are not all resolved.
#[derive(Debug)]
pub(crate) struct OpenLine {
    pub(crate) subject: metric::Subject,
    pub(crate) row: Row,
    pub(crate) waiting: usize,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) has_failed: bool,
}

/// Something that happened beside the reading.
#[derive(Debug)]
pub(crate) enum Happened {
    Finished(Finished),
    /// The verdicts come back when they could not be stored.
    Saved(Result<(), (Fault, Vec<(String, String)>)>),
}

/// The work on one object in one invocation.
#[derive(Debug)]
pub(crate) struct ObjectRun<'a, J> {
    pub(crate) tools: &'a Arc<Tools<J>>,
    pub(crate) standards: &'a Arc<Standards>,
    pub(crate) invocation: &'a Invocation,
    pub(crate) lease: &'a Lease,
    pub(crate) reader: LineReader<'a>,
    /// Names the object's version in stored verdicts.
    pub(crate) source: String,
    pub(crate) progress: Progress,
    pub(crate) counts: Counts,
    /// Numbers that count since the last checkpoint, and the verdicts that go with them.
    pub(crate) tally: Tally,
    pub(crate) resolved: Vec<Verdict>,
    pub(crate) open: BTreeMap<u64, OpenLine>,
    /// The lines of the samples since the last checkpoint and of those still open, by verdict id: a
    /// record may stand in an object twice, and the state table does not know it yet.
    pub(crate) seen: HashMap<String, u64>,
    pub(crate) beside: JoinSet<Happened>,
    /// Verdicts as `(id, line)` that are not in the state table yet.
    pub(crate) unsaved: Vec<(String, String)>,
    pub(crate) is_saving: bool,
    /// When the judge may be asked about this object's samples.
    pub(crate) calls: Arc<Calls>,
    pub(crate) to_book: Ledger,
    /// Slots of the cap whose samples the judge was not asked about, or has not answered.
    pub(crate) unused_slots: BTreeMap<ComponentHour, u32>,
    /// Samples that were seen before the last checkpoint and are still open.
    pub(crate) seen_before: usize,
    /// Lines left without a verdict in this run.
    left: usize,
    /// What is still waited for when only calls of others hold the money.
    pub(crate) patience: ExponentialBackoff,
    /// Whether a line was settled in this run.
    pub(crate) has_advanced: bool,
    pub(crate) is_corrupt: bool,
    pub(crate) skips: u64,
}

impl<'a, J: Judge + Send + Sync + 'static> ObjectRun<'a, J> {
    /// Starts where `progress` ends.
    pub(crate) fn new(
        tools: &'a Arc<Tools<J>>,
        standards: &'a Arc<Standards>,
        invocation: &'a Invocation,
        lease: &'a Lease,
        reader: LineReader<'a>,
        progress: Progress,
    ) -> Self {
        Self {
            tools,
            standards,
            invocation,
            lease,
            reader,
            source: format!("{}@{}", lease.object, progress.etag),
            progress,
            counts: Counts::default(),
            tally: Tally::default(),
            resolved: Vec::new(),
            open: BTreeMap::new(),
            seen: HashMap::new(),
            beside: JoinSet::new(),
            unsaved: Vec::new(),
            is_saving: false,
            calls: Arc::new(Calls::new(invocation.last_start, invocation.calls_end)),
            to_book: Ledger::default(),
            unused_slots: BTreeMap::new(),
            seen_before: 0,
            left: 0,
            patience: patience(),
            has_advanced: false,
            is_corrupt: false,
            skips: 0,
        }
    }

    /// Works as far as the invocation's time allows.
    pub(crate) async fn finish_object(mut self, lines: &mut Lines<Reader>) -> Ended {
        let is_at_end = match self.work(lines).await {
            Ok(is_at_end) => is_at_end,
            Err(broken) => {
                self.keep_what_is_paid().await;
                return Ended {
                    outcome: ObjectOutcome::Failed,
                    counts: self.counts,
                    error: Some(broken.to_string()),
                };
            }
        };
        let outcome = match (is_at_end, self.progress.unresolved.is_empty()) {
            (true, true) if self.is_corrupt => ObjectOutcome::Corrupt,
            (true, true) => ObjectOutcome::Judged,
            _ if self.ran_out_of_time() && self.has_advanced => ObjectOutcome::Continues,
            _ => ObjectOutcome::Unresolved,
        };
        let error = (outcome == ObjectOutcome::Unresolved).then(|| self.why_unresolved());
        Ended { outcome, counts: self.counts, error }
    }

    /// Reads and judges; answers whether the object was read to its end.
    async fn work(&mut self, lines: &mut Lines<Reader>) -> Result<bool, Broken> {
        let is_at_end = loop {
            let (candidates, is_at_end) = self.read_chunk(lines).await?;
            self.select(candidates).await?;
            while self.open.len() >= WINDOW {
                self.next_happening().await?;
            }
            if !is_at_end && self.is_full() {
                self.checkpoint(Stage::UnderWay).await?;
            }
            if is_at_end || self.must_stop() {
                break is_at_end;
            }
        };
        while !self.open.is_empty() {
            self.next_happening().await?;
        }
        self.checkpoint(if is_at_end { Stage::AtEnd } else { Stage::Stopped }).await?;
        Ok(is_at_end)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.resolved.len() >= MOST_RESOLVED
            || self.seen.len() >= self.seen_before + MOST_SEEN
            || self.tally.values() >= MOST_VALUES
    }

    fn ran_out_of_time(&self) -> bool {
        Instant::now() > self.invocation.last_start
    }

    pub(crate) fn must_stop(&self) -> bool {
        self.ran_out_of_time() || self.left > MOST_LEFT
    }

    /// Whether the judge is to be asked. When it cannot be called, records are checked all the same.
    pub(crate) fn may_judge(&self) -> bool {
        !self.must_stop() && self.tools.bench.gate.closed().is_none()
    }

    fn why_unresolved(&self) -> String {
        if let Some(reason) = self.tools.bench.gate.closed() {
            return format!("the judge cannot be called: {reason}");
        }
        if self.ran_out_of_time() {
            return "no judge call could start in the time left: raise the function's timeout or lower \
                    JUDGE_TIMEOUT_SECONDS"
                .to_owned();
        }
        let (lines, outcomes) = (self.progress.unresolved.len(), listed(&self.counts.outcomes));
        format!("{lines} lines have no verdict yet ({outcomes}); they are tried again")
    }

    /// Takes in what happened meanwhile, without waiting.
    pub(crate) fn catch_up(&mut self) -> Result<(), Broken> {
        while let Some(happened) = self.beside.try_join_next() {
            self.take_in(happened.map_err(|_| Broken::Task)?)?;
        }
        Ok(())
    }

    /// Waits for the next thing to happen.
    pub(crate) async fn next_happening(&mut self) -> Result<(), Broken> {
        match self.beside.join_next().await {
            Some(happened) => self.take_in(happened.map_err(|_| Broken::Task)?),
            None => Err(Broken::Task),
        }
    }

    fn take_in(&mut self, happened: Happened) -> Result<(), Broken> {
        match happened {
            Happened::Finished(finished) => self.finish(finished),
            Happened::Saved(saved) => {
                self.is_saving = false;
                if let Err((fault, verdicts)) = saved {
                    self.unsaved.extend(verdicts);
                    return Err(fault.into());
                }
            }
        }
        self.save_beside();
        Ok(())
    }

    pub(crate) fn finish(&mut self, finished: Finished) {
        self.to_book.append(finished.bookings);
        match finished.ending {
            Ending::Judged(verdict) => {
                self.counts.judged(&verdict);
                let line = serde_json::to_string(&*verdict).unwrap_or_default();
                self.unsaved.push((verdict.id().as_str().to_owned(), line));
                self.resolve(finished.line, Some(*verdict));
            }
            Ending::Unanswered(outcome) => {
                *self.counts.outcomes.entry(outcome.as_str()).or_default() += 1;
                if let Some(open) = self.open.get(&finished.line) {
                    self.tally.row(&open.subject).count(outcome.metric_name());
                }
                self.leave_judging(finished.line);
            }
            Ending::NotAsked => self.leave_judging(finished.line),
        }
    }

    /// One sample of a line needs no more work: it has a verdict, or is not to be judged.
    pub(crate) fn resolve(&mut self, line: u64, verdict: Option<Verdict>) {
        if let Some(open) = self.open.get_mut(&line) {
            open.verdicts.extend(verdict);
            open.waiting -= 1;
        }
        self.close(line);
    }

    /// A sample that had a slot of the cap stays without a verdict in this run.
    fn leave_judging(&mut self, line: u64) {
        if let Some(metric::Subject { endpoint, component, at }) =
            self.open.get(&line).map(|open| &open.subject)
        {
            *self.unused_slots.entry(ComponentHour::of(endpoint, component, *at)).or_default() += 1;
        }
        self.leave(line);
    }

    /// One sample of a line stays without a verdict in this run.
    pub(crate) fn leave(&mut self, line: u64) {
        if let Some(open) = self.open.get_mut(&line) {
            open.has_failed = true;
            open.waiting -= 1;
        }
        self.close(line);
    }

    /// Counts a line when none of its samples is waited for. One that has failed counts later, as
    /// a whole.
    fn close(&mut self, line: u64) {
        if self.open.get(&line).is_none_or(|open| open.waiting > 0) {
            return;
        }
        let Some(mut open) = self.open.remove(&line) else { return };
        if open.has_failed {
            self.progress.unresolved.insert(line);
            self.left += 1;
            return;
        }
        self.progress.unresolved.remove(&line);
        self.has_advanced = true;
        for verdict in &open.verdicts {
            observe(verdict, &self.standards.rubric, &mut open.row);
        }
        self.tally.add_row(&open.subject, open.row);
        self.resolved.append(&mut open.verdicts);
    }
}
