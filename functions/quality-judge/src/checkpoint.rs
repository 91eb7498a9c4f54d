//! Makes the progress on an object safe and visible.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use adapters::judge::Judge;
use adapters::state::Progress;
use domain::alert::notice::WorstAnswer;
use domain::metric::{self, MetricValue, Row, Unit, datums, split_by_age};
use domain::names::ComponentName;
use domain::rubric::Rubric;
use domain::verdict::{Verdict, object_digest};
use jiff::Timestamp;

use crate::run::{Broken, Happened, ObjectRun};

/// Where the work on an object is at a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It goes on.
    UnderWay,
    /// It goes on in another invocation.
    Stopped,
    /// The object was read to its end.
    AtEnd,
}

impl<J: Judge + Send + Sync + 'static> ObjectRun<'_, J> {
    /// Stores finished verdicts in the state table while the judge works on. One write at a time
    /// takes all that have come since the last.
    pub(crate) fn save_beside(&mut self) {
        if self.is_saving || self.unsaved.is_empty() {
            return;
        }
        self.is_saving = true;
        let verdicts = std::mem::take(&mut self.unsaved);
        let (tools, source) = (Arc::clone(self.tools), self.source.clone());
        self.beside.spawn(async move {
            let saved = tools.state.remember_verdicts(&source, &verdicts, Timestamp::now()).await;
            Happened::Saved(saved.map_err(|fault| (fault, verdicts)))
        });
    }

    /// Waits until every finished verdict is in the state table.
    async fn save_all(&mut self) -> Result<(), Broken> {
        self.save_beside();
        while self.is_saving {
            self.next_happening().await?;
        }
        Ok(())
    }

    /// After a failure: starts no further call, waits for those under way, stores their verdicts, books
    /// their cost and lets the object go, so that the retry pays for none of them.
    pub(crate) async fn keep_what_is_paid(&mut self) {
        self.calls.stop();
        while let Some(happened) = self.beside.join_next().await {
            match happened {
                Ok(Happened::Finished(finished)) => self.finish(finished),
                Ok(Happened::Saved(Err((_, verdicts)))) => self.unsaved.extend(verdicts),
                Ok(Happened::Saved(Ok(()))) | Err(_) => {}
            }
        }
        let object_key = &self.lease.object.key;
        let verdicts = std::mem::take(&mut self.unsaved);
        let (state, now) = (&self.tools.state, Timestamp::now());
        let kept = state.remember_verdicts(&self.source, &verdicts, now).await;
        let booked = self.to_book.book(self.tools).await;
        let returned = self.return_slots().await;
        let released = state.release(self.lease).await;
        let steps = [
            ("verdicts not stored", kept),
            ("cost not booked", booked),
            ("slots of the cap not given back", returned),
            ("lease not released", released),
        ];
        for (what, result) in steps {
            if let Err(fault) = result {
                tracing::error!(%object_key, error = %fault, "{what}");
            }
        }
    }

    /// Verdict files, then metrics, then budget and cap, then the progress. A crash in between repeats
    /// the steps from the first: files are overwritten by the same content, metrics are published
    /// again, and no judge is called.
    pub(crate) async fn checkpoint(&mut self, stage: Stage) -> Result<(), Broken> {
        self.save_all().await?;
        self.note_worst().await;
        self.write_verdict_files().await?;
        self.publish_metrics().await?;
        self.to_book.book(self.tools).await?;
        self.return_slots().await?;
        self.progress.checkpoints += 1;
        let mut unresolved = self.progress.unresolved.clone();
        unresolved.extend(self.open.keys());
        let is_done = stage == Stage::AtEnd && unresolved.is_empty();
        let progress = Progress { is_done, unresolved, ..self.progress.clone() };
        let release = stage != Stage::UnderWay;
        self.tools.state.save_progress(self.lease, &progress, release, Timestamp::now()).await?;
        self.seen.retain(|_, line| self.open.contains_key(line));
        self.seen_before = self.seen.len();
        Ok(())
    }

    /// Keeps the worst answers at hand for alerts. They are a help, not a result: an alert without
    /// them says so, and a failure holds nothing up.
    async fn note_worst(&self) {
        for ((component, _), answer) in worst(&self.resolved) {
            if let Err(fault) = self.tools.state.note_worst(component, &answer, Timestamp::now()).await {
                let object_key = &self.lease.object.key;
                tracing::warn!(%object_key, error = %fault, "worst answers not noted; alerts go without them");
                return;
            }
        }
    }

    /// One file for each partition, named by the object version, rubric, judge and checkpoint, so
    /// that a repeated checkpoint overwrites itself and another rubric does not.
    async fn write_verdict_files(&mut self) -> Result<(), Broken> {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for verdict in self.resolved.drain(..) {
            let line = serde_json::to_string(&verdict).unwrap_or_default();
            let _ = writeln!(files.entry(verdict.partition()).or_default(), "{line}");
        }
        let config = &self.tools.config;
        let fingerprint = self.standards.stamp.fingerprint.as_str();
        let digest = object_digest(&format!("{} {fingerprint} {}", self.source, self.tools.bench.model));
        for (partition, lines) in files {
            let name = format!("{digest}-{}.jsonl", self.progress.checkpoints);
            let key = format!("{}{partition}/{name}", config.verdict_prefix);
            self.tools.captures.put_verdicts(&config.verdict_bucket, &key, lines).await?;
            self.counts.verdict_files.push(format!("s3://{}/{key}", config.verdict_bucket));
        }
        Ok(())
    }

    async fn publish_metrics(&mut self) -> Result<(), Broken> {
        let naming = self.standards.fleet.metrics();
        let dated = split_by_age(datums(&std::mem::take(&mut self.tally), naming), Timestamp::now());
        if !dated.out_of_range.is_empty() {
            let (object_key, datums) = (&self.lease.object.key, dated.out_of_range.len());
            self.counts.datums_out_of_range += datums as u64;
            tracing::warn!(%object_key, datums, "inferences older than two weeks or more than two hours ahead: CloudWatch takes no metrics for them; verdicts are stored");
        }
        self.counts.datums += dated.publishable.len() as u64;
        self.tools.metrics.publish(&naming.namespace, dated.publishable).await?;
        Ok(())
    }
}

/// The worst answer of each component and ten minutes.
fn worst(verdicts: &[Verdict]) -> BTreeMap<(&ComponentName, i64), WorstAnswer> {
    let mut worst: BTreeMap<(&ComponentName, i64), WorstAnswer> = BTreeMap::new();
    for verdict in verdicts {
        let Some(answer) = WorstAnswer::of(verdict) else { continue };
        let place = (&verdict.subject().component, answer.at.as_second().div_euclid(600));
        let is_worse = worst.get(&place).is_none_or(|known| answer.score < known.score);
        if is_worse {
            worst.insert(place, answer);
        }
    }
    worst
}

/// Adds what a verdict says to the numbers of its component and minute.
pub(crate) fn observe(verdict: &Verdict, rubric: &Rubric, row: &mut Row) {
    row.count(verdict.outcome().metric_name());
    if verdict.subject().was_cut {
        row.observe(metric::INPUT_TRUNCATED, 1.into());
    }
    if let Some(call) = &verdict.judging().call {
        let tokens = call.tokens;
        let input = tokens.input + tokens.cache_read + tokens.cache_write;
        row.observe(metric::EVALUATION_LATENCY, MetricValue::count(call.latency_ms));
        row.observe(metric::JUDGE_INPUT_TOKENS, MetricValue::count(input));
        row.observe(metric::JUDGE_CACHED_TOKENS, MetricValue::count(tokens.cache_read));
        row.observe(metric::JUDGE_OUTPUT_TOKENS, MetricValue::count(tokens.output));
        observe_number(row, metric::JUDGE_COST.name, call.cost.usd());
    }
    let Ok(scores) = verdict.ending() else { return };
    row.observe(metric::ANSWER_CHARACTERS, MetricValue::count(verdict.subject().answer_chars));
    observe_number(row, metric::COMPOSITE_QUALITY_SCORE.name, scores.composite().get());
    for dimension in rubric.enabled() {
        if let Some(score) = scores.score(&dimension.id) {
            observe_number(row, dimension.metric.clone(), score.get());
        }
    }
}

fn observe_number(row: &mut Row, metric: impl Into<std::borrow::Cow<'static, str>>, number: f64) {
    if let Ok(value) = MetricValue::try_from(number) {
        row.add(metric, Unit::None, value);
    }
}
