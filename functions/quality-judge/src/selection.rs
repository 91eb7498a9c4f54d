//! Which of the selected samples the judge is asked about: those without a verdict, within the
//! component's cap for the hour and within the day's budget.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters::judge::Judge;
use domain::judge::{Nonce, input_tokens_at_most, user_text};
use domain::metric;
use domain::money::MicroUsd;
use domain::names::ComponentName;
use domain::verdict::{Outcome, SampleId, Verdict, VerdictId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::reading::Candidate;
use crate::run::{Broken, Happened, ObjectRun};

/// A sample on its way to the judge.
struct Priced {
    candidate: Candidate,
    /// What the judge is shown.
    text: String,
    at_most: MicroUsd,
}

/// The UTC day that a judge call is paid on.
pub(crate) fn day(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

impl<J: Judge + Send + Sync + 'static> ObjectRun<'_, J> {
    /// Starts the judging of what is to be judged among `candidates`. Costs one read for each 100,
    /// one write for each component and hour, and one for the budget.
    pub(crate) async fn select(&mut self, candidates: Vec<Candidate>) -> Result<(), Broken> {
        let new = self.without_known(candidates).await?;
        let within_cap = self.within_cap(new).await?;
        let mut waiting: Vec<Priced> =
            within_cap.into_iter().map(|candidate| self.priced(candidate)).collect();
        while !waiting.is_empty() {
            let (affordable, over) = self.reserve(waiting).await?;
            for priced in affordable {
                self.start(priced);
            }
            if over.is_empty() {
                return Ok(());
            }
            if self.beside.is_empty() {
                return self.pass_over_budget(over).await;
            }
            // A reservation is an upper bound: what the calls under way leave of theirs may do.
            while !self.beside.is_empty() {
                self.next_happening().await?;
            }
            self.book().await?;
            waiting = over;
        }
        Ok(())
    }

    fn start(&mut self, priced: Priced) {
        let (tools, standards) = (Arc::clone(self.tools), Arc::clone(self.standards));
        let last_start = self.invocation.last_start;
        self.beside.spawn(async move {
            let Priced { candidate, text, at_most } = priced;
            Happened::Finished(tools.bench.judge(&standards, candidate, &text, at_most, last_start).await)
        });
    }

    /// Takes out what has a verdict. One of this very object was made by a run that broke off
    /// before it was published, and counts now; one of another object is published already.
    async fn without_known(&mut self, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, Broken> {
        let id_of = |candidate: &Candidate| {
            let sample = SampleId::of(&candidate.subject.event_id, candidate.subject.event_index);
            VerdictId::of(&sample, &self.standards.stamp, &self.tools.bench.model).as_str().to_owned()
        };
        let mut fresh = Vec::new();
        for candidate in candidates {
            let id = id_of(&candidate);
            if self.seen.insert(id.clone()) {
                fresh.push((id, candidate));
            } else {
                self.already_judged(candidate.subject.line);
            }
        }
        let ids: Vec<String> = fresh.iter().map(|(id, _)| id.clone()).collect();
        let known = self.tools.state.known_verdicts(&ids).await?;
        let mut new = Vec::new();
        for (id, candidate) in fresh {
            match known.get(&id) {
                None => new.push(candidate),
                Some(verdict) if verdict.source == self.source => {
                    let verdict: Verdict =
                        serde_json::from_str(&verdict.line).map_err(|_| Broken::StoredVerdict(id))?;
                    self.counts.resumed += 1;
                    self.resolve(candidate.subject.line, Some(verdict));
                }
                Some(_) => self.already_judged(candidate.subject.line),
            }
        }
        Ok(new)
    }

    fn already_judged(&mut self, line: u64) {
        self.counts.already_judged += 1;
        if let Some(open) = self.open.get_mut(&line) {
            open.row.observe(metric::ALREADY_JUDGED, 1.into());
        }
        self.resolve(line, None);
    }

    async fn within_cap(&mut self, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, Broken> {
        let mut by_hour: BTreeMap<(ComponentName, i64), Vec<Candidate>> = BTreeMap::new();
        for candidate in candidates {
            let hour = candidate.subject.inference_time.as_second().div_euclid(3600) * 3600;
            by_hour.entry((candidate.subject.component.clone(), hour)).or_default().push(candidate);
        }
        let mut within = Vec::new();
        for ((component, hour), mut candidates) in by_hour {
            let policy = self.standards.fleet.sampling(&component);
            let cap = policy.cap_per_hour.unwrap_or(self.tools.config.sample_cap_per_hour);
            let wanted = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
            let hour = Timestamp::from_second(hour).unwrap_or(Timestamp::UNIX_EPOCH);
            let endpoint = candidates[0].subject.endpoint.clone();
            let taken =
                self.tools.state.take_slots(&endpoint, &component, hour, wanted, Timestamp::now()).await?;
            let free = usize::try_from(cap.saturating_sub(taken)).unwrap_or(usize::MAX);
            let over = candidates.split_off(free.min(candidates.len()));
            self.pass_over(over, Outcome::OverCap);
            within.append(&mut candidates);
        }
        Ok(within)
    }

    /// Sets the money for these aside, as far as the day's budget goes, and answers those that it
    /// is enough for and the rest.
    async fn reserve(&mut self, mut priced: Vec<Priced>) -> Result<(Vec<Priced>, Vec<Priced>), Broken> {
        let wanted: MicroUsd = priced.iter().map(|priced| priced.at_most).sum();
        let now = Timestamp::now();
        let before = self.tools.state.move_budget(day(now), wanted, now).await?;
        let mut left = self.tools.config.daily_budget - before;
        let affordable = priced.iter().take_while(|priced| {
            left = left - priced.at_most;
            left >= MicroUsd::default()
        });
        let over = priced.split_off(affordable.count());
        self.to_book = self.to_book - over.iter().map(|priced| priced.at_most).sum();
        Ok((priced, over))
    }

    async fn pass_over_budget(&mut self, over: Vec<Priced>) -> Result<(), Broken> {
        if self.tools.state.first_to_note_exhaustion(day(Timestamp::now())).await? {
            let daily_budget = self.tools.config.daily_budget;
            tracing::warn!(%daily_budget, "the judge's budget of the day is used up; samples are counted as SamplesOverBudget until midnight UTC");
        }
        self.pass_over(over.into_iter().map(|priced| priced.candidate).collect(), Outcome::OverBudget);
        Ok(())
    }

    /// Moves the day's spending by what was reserved and not used, or used beyond it.
    pub(crate) async fn book(&mut self) -> Result<(), Broken> {
        let now = Timestamp::now();
        let amount = std::mem::take(&mut self.to_book);
        if amount != MicroUsd::default() {
            self.tools.state.move_budget(day(now), amount, now).await?;
        }
        Ok(())
    }

    fn priced(&self, candidate: Candidate) -> Priced {
        let brief = &self.standards.brief;
        let text = user_text(&candidate.sample, &Nonce::new(random()));
        let tokens = input_tokens_at_most(&brief.system, &brief.schema, &text);
        let at_most = self.standards.price.at_most(tokens, u64::from(brief.max_tokens));
        Priced { candidate, text, at_most }
    }

    fn pass_over(&mut self, candidates: Vec<Candidate>, outcome: Outcome) {
        for candidate in candidates {
            let line = candidate.subject.line;
            *self.counts.outcomes.entry(outcome.as_str()).or_default() += 1;
            if let Some(open) = self.open.get_mut(&line) {
                open.row.count(outcome.metric_name());
            }
            self.resolve(line, None);
        }
    }
}

/// Bytes that no captured text can guess. An operating system without randomness has no secure
/// TLS either, so a zero is never seen in practice and only widens what text could imitate.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes
}
