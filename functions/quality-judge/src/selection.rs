//! Which of the selected samples the judge is asked about: those without a verdict, within the
//! component's cap for the hour and within the day's budget.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapters::Fault;
use adapters::judge::Judge;
use adapters::state::{ComponentHour, Spending};
use domain::judge::{Nonce, input_tokens_at_most, user_text};
use domain::metric;
use domain::money::MicroUsd;
use domain::verdict::{Outcome, SampleId, Verdict, VerdictId};
use jiff::Timestamp;

use crate::budget::{Reservation, day};
use crate::reading::Candidate;
use crate::run::{Broken, Happened, ObjectRun};

/// A sample on its way to the judge.
#[derive(Debug)]
pub(crate) struct Priced {
    /// The sample.
    pub(crate) candidate: Candidate,
    /// What the judge is shown.
    pub(crate) text: String,
    /// What one call can cost.
    pub(crate) at_most: MicroUsd,
}

/// What the day's budget was enough for.
struct Round {
    affordable: Vec<(Reservation, Priced)>,
    over: Vec<Priced>,
    /// What calls of other objects may still give back.
    reserved_by_others: MicroUsd,
}

impl<J: Judge + Send + Sync + 'static> ObjectRun<'_, J> {
    /// Starts the judging of what is to be judged among `candidates`. Costs one read for each 100,
    /// one write for each component and hour, and one for the budget.
    pub(crate) async fn select(&mut self, candidates: Vec<Candidate>) -> Result<(), Broken> {
        let new = self.without_known(candidates).await?;
        if !self.may_judge() {
            for candidate in new {
                self.leave(candidate.subject.line);
            }
            return Ok(());
        }
        let within_cap = self.within_cap(new).await?;
        let mut waiting: Vec<Priced> =
            within_cap.into_iter().map(|candidate| self.priced(candidate)).collect();
        while !waiting.is_empty() {
            let had_bookings = !self.to_book.is_empty();
            let Round { affordable, over, reserved_by_others } = self.reserve(waiting).await?;
            for (reservation, priced) in affordable {
                self.start(priced, reservation);
            }
            if over.is_empty() {
                return Ok(());
            }
            // A reservation is an upper bound: what calls under way leave of theirs may do.
            if !self.beside.is_empty() {
                while !self.beside.is_empty() {
                    self.next_happening().await?;
                }
            } else if !had_bookings {
                let pause = self.patience.next().filter(|_| reserved_by_others > MicroUsd::default());
                let Some(pause) = pause else { return self.pass_over_budget(over).await };
                tokio::time::sleep(pause).await;
            }
            self.to_book.book(self.tools).await?;
            if !self.may_judge() {
                for priced in over {
                    self.leave(priced.candidate.subject.line);
                }
                return Ok(());
            }
            waiting = over;
        }
        Ok(())
    }

    fn start(&mut self, priced: Priced, reservation: Reservation) {
        self.use_slot(&priced.candidate);
        let (tools, standards) = (Arc::clone(self.tools), Arc::clone(self.standards));
        let calls = Arc::clone(&self.calls);
        self.beside.spawn(async move {
            Happened::Finished(tools.judge(&standards, priced, reservation, &calls).await)
        });
    }

    /// Takes out what has a verdict. One of this very line was made by a run that broke off before it
    /// was published, and counts now; one of another line or object is published already.
    async fn without_known(&mut self, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, Broken> {
        let id_of = |candidate: &Candidate| {
            let sample = SampleId::of(&candidate.subject.event_id, candidate.subject.event_index);
            VerdictId::of(&sample, &self.standards.stamp, &self.tools.bench.model).as_str().to_owned()
        };
        let mut fresh = Vec::new();
        for candidate in candidates {
            let id = id_of(&candidate);
            if self.seen.contains_key(&id) {
                self.already_judged(candidate.subject.line);
            } else {
                self.seen.insert(id.clone(), candidate.subject.line);
                fresh.push((id, candidate));
            }
        }
        let ids: Vec<String> = fresh.iter().map(|(id, _)| id.clone()).collect();
        let known = self.tools.state.known_verdicts(&ids).await?;
        let mut new = Vec::new();
        for (id, candidate) in fresh {
            let line = candidate.subject.line;
            let Some(known) = known.get(&id) else {
                new.push(candidate);
                continue;
            };
            let of_this_object = (known.source == self.source).then(|| serde_json::from_str(&known.line));
            let verdict: Option<Verdict> =
                of_this_object.transpose().map_err(|_| Broken::StoredVerdict(id))?;
            match verdict.filter(|verdict| verdict.subject().line == line) {
                Some(verdict) => {
                    self.counts.resumed += 1;
                    self.resolve(line, Some(verdict));
                }
                None => self.already_judged(line),
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
        let mut by_hour: BTreeMap<ComponentHour, Vec<Candidate>> = BTreeMap::new();
        for candidate in candidates {
            let subject = &candidate.subject;
            let hour = ComponentHour::of(&subject.endpoint, &subject.component, subject.inference_time);
            by_hour.entry(hour).or_default().push(candidate);
        }
        let mut within = Vec::new();
        for (hour, mut candidates) in by_hour {
            let policy = self.standards.fleet.sampling(hour.component());
            let cap = policy.cap_per_hour.unwrap_or(self.tools.config.sample_cap_per_hour);
            let wanted = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
            let taken = self.tools.state.take_slots(&hour, wanted, cap, Timestamp::now()).await?;
            *self.unused_slots.entry(hour).or_default() += taken;
            let over =
                candidates.split_off(usize::try_from(taken).unwrap_or(usize::MAX).min(candidates.len()));
            self.pass_over(over, Outcome::OverCap);
            within.append(&mut candidates);
        }
        Ok(within)
    }

    /// A sample is on its way to the judge. Slots of those that never get so far go back.
    fn use_slot(&mut self, candidate: &Candidate) {
        let subject = &candidate.subject;
        let hour = ComponentHour::of(&subject.endpoint, &subject.component, subject.inference_time);
        if let Some(unused) = self.unused_slots.get_mut(&hour) {
            *unused = unused.saturating_sub(1);
        }
    }

    /// Sets the money for these aside, as far as the day's budget goes.
    async fn reserve(&self, mut affordable: Vec<Priced>) -> Result<Round, Broken> {
        let mut over = Vec::new();
        let mut reserved_by_others = MicroUsd::default();
        while !affordable.is_empty() {
            let wanted = affordable.iter().map(|priced| priced.at_most).sum();
            let Spending { spent, reserved } = match self.tools.set_aside(wanted).await? {
                Ok(Reservation { day, .. }) => {
                    let of = |priced: &Priced| Reservation { day, amount: priced.at_most };
                    let affordable = affordable.into_iter().map(|priced| (of(&priced), priced)).collect();
                    return Ok(Round { affordable, over, reserved_by_others });
                }
                Err(spending) => spending,
            };
            reserved_by_others = reserved;
            // Fewer in each round, whatever others take and give back meanwhile.
            let fit = how_many(&affordable, self.tools.config.daily_budget - spent);
            let mut rest = affordable.split_off(fit.min(affordable.len() - 1));
            rest.append(&mut over);
            over = rest;
        }
        Ok(Round { affordable: Vec::new(), over, reserved_by_others })
    }

    async fn pass_over_budget(&mut self, over: Vec<Priced>) -> Result<(), Broken> {
        if self.tools.state.first_to_note_exhaustion(day(Timestamp::now())).await? {
            let daily_budget = self.tools.config.daily_budget;
            tracing::warn!(%daily_budget, "the judge's budget of the day is used up; samples are counted as SamplesOverBudget until midnight UTC");
        }
        self.pass_over(over.into_iter().map(|priced| priced.candidate).collect(), Outcome::OverBudget);
        Ok(())
    }

    /// Gives back the slots of samples that the judge has not answered: the hour is to have them when
    /// they come again.
    pub(crate) async fn return_slots(&mut self) -> Result<(), Fault> {
        while let Some((hour, unused)) = self.unused_slots.pop_first() {
            if unused == 0 {
                continue;
            }
            if let Err(fault) = self.tools.state.return_slots(&hour, unused, Timestamp::now()).await {
                self.unused_slots.insert(hour, unused);
                return Err(fault);
            }
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

/// The first of these that `money` is enough for.
fn how_many(priced: &[Priced], mut money: MicroUsd) -> usize {
    let is_enough = |priced: &&Priced| {
        money = money - priced.at_most;
        money >= MicroUsd::default()
    };
    priced.iter().take_while(is_enough).count()
}

/// Bytes that no captured text can guess. An operating system without randomness has no secure
/// TLS either, so a zero is never seen in practice and only widens what text could imitate.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes
}
