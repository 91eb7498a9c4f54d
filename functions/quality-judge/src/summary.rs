//! What an invocation did, in counts: the line in the log and the answer of a local invoke.

use std::collections::BTreeMap;

use domain::money::MicroUsd;
use domain::verdict::{JudgeTokens, Outcome, Verdict};
use serde::Serialize;

/// Counts over the objects of an invocation.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    /// Objects by what became of them.
    pub(crate) objects: BTreeMap<&'static str, u64>,
    /// Lines read.
    pub(crate) lines: u64,
    /// Question and answer pairs found in them.
    pub(crate) exchanges: u64,
    /// Lines that were not read, by reason.
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// Records by what named their component.
    pub(crate) attributed_by: BTreeMap<&'static str, u64>,
    /// Exchanges by what a check found.
    pub(crate) checks: BTreeMap<&'static str, u64>,
    /// Exchanges that the sampling rate selected.
    pub(crate) selected: u64,
    /// Of those, had a verdict before.
    pub(crate) already_judged: u64,
    /// Of those, had one from a run on the same object that broke off.
    pub(crate) resumed: u64,
    /// Judged samples by outcome; one that comes back counts in each invocation.
    pub(crate) outcomes: BTreeMap<&'static str, u64>,
    /// By component and then dimension, with `composite` among them.
    pub(crate) scores: BTreeMap<String, BTreeMap<String, Mean>>,
    /// What the judge read and wrote.
    pub(crate) judge_tokens: Tokens,
    /// What the judge cost, in micro-dollars.
    #[serde(rename = "judge_cost_usd", serialize_with = "as_usd")]
    pub(crate) judge_cost: MicroUsd,
    /// Verdict files written.
    pub(crate) verdict_files: Vec<String>,
    /// Datums published.
    pub(crate) datums: u64,
    /// Datums outside the time that CloudWatch accepts.
    pub(crate) datums_out_of_range: u64,
}

/// A mean that remembers of how many.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Mean {
    /// The mean score, 0 to 1.
    pub(crate) mean: f64,
    /// Samples in it.
    pub(crate) samples: u32,
}

impl Mean {
    fn add(&mut self, score: f64) {
        self.samples += 1;
        self.mean += (score - self.mean) / f64::from(self.samples);
    }

    fn merge(&mut self, other: Self) {
        let samples = self.samples + other.samples;
        if samples > 0 {
            let sum = self.mean * f64::from(self.samples) + other.mean * f64::from(other.samples);
            *self = Self { mean: sum / f64::from(samples), samples };
        }
    }
}

/// Judge tokens, serialisable.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Tokens {
    /// Input, without what the prompt cache handled.
    pub(crate) input: u64,
    /// Output.
    pub(crate) output: u64,
    /// Read from the prompt cache.
    pub(crate) cache_read: u64,
    /// Written to the prompt cache.
    pub(crate) cache_write: u64,
}

impl Counts {
    /// Counts a verdict that was made now.
    pub(crate) fn judged(&mut self, verdict: &Verdict) {
        *self.outcomes.entry(verdict.outcome().as_str()).or_default() += 1;
        if let Some(call) = &verdict.judging().call {
            self.judge_cost += call.cost;
            let JudgeTokens { input, output, cache_read, cache_write } = call.tokens;
            self.judge_tokens.input += input;
            self.judge_tokens.output += output;
            self.judge_tokens.cache_read += cache_read;
            self.judge_tokens.cache_write += cache_write;
        }
        let Ok(scores) = verdict.ending() else { return };
        let component = self.scores.entry(verdict.subject().component.to_string()).or_default();
        component.entry("composite".to_owned()).or_default().add(scores.composite().get());
        for (dimension, judged) in scores.iter() {
            if let Some(score) = judged.score {
                component.entry(dimension.as_str().to_owned()).or_default().add(score.get());
            }
        }
    }

    /// Judged samples whose outcome `fits`.
    pub(crate) fn ended(&self, fits: impl Fn(Outcome) -> bool) -> u64 {
        let outcomes = Outcome::ALL.into_iter().filter(|outcome| fits(*outcome));
        outcomes.filter_map(|outcome| self.outcomes.get(outcome.as_str())).sum()
    }

    /// Adds the counts of another object.
    pub(crate) fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.exchanges += other.exchanges;
        self.selected += other.selected;
        self.already_judged += other.already_judged;
        self.resumed += other.resumed;
        self.judge_cost += other.judge_cost;
        self.judge_tokens.input += other.judge_tokens.input;
        self.judge_tokens.output += other.judge_tokens.output;
        self.judge_tokens.cache_read += other.judge_tokens.cache_read;
        self.judge_tokens.cache_write += other.judge_tokens.cache_write;
        self.datums += other.datums;
        self.datums_out_of_range += other.datums_out_of_range;
        self.verdict_files.extend(other.verdict_files);
        let maps = [
            (&mut self.objects, other.objects),
            (&mut self.skipped, other.skipped),
            (&mut self.attributed_by, other.attributed_by),
            (&mut self.checks, other.checks),
            (&mut self.outcomes, other.outcomes),
        ];
        for (into, from) in maps {
            for (name, count) in from {
                *into.entry(name).or_default() += count;
            }
        }
        for (component, dimensions) in other.scores {
            let into = self.scores.entry(component).or_default();
            for (dimension, mean) in dimensions {
                into.entry(dimension).or_default().merge(mean);
            }
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_usd<S: serde::Serializer>(amount: &MicroUsd, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(amount.usd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_quota_and_no_budget_are_no_failures_of_the_judge() {
        let outcomes = Outcome::ALL.into_iter().map(|outcome| (outcome.as_str(), 1)).collect();
        let counts = Counts { outcomes, ..Counts::default() };
        assert_eq!(counts.ended(|outcome| outcome == Outcome::Scored), 1);
        // All but scored, throttled, over the budget and over the cap.
        assert_eq!(counts.ended(Outcome::is_judge_failure), Outcome::ALL.len() as u64 - 4);
        assert_eq!(Counts::default().ended(Outcome::is_judge_failure), 0);
    }

    #[test]
    fn means_merge_by_their_samples() {
        let mut mean = Mean::default();
        mean.add(1.0);
        mean.add(0.0);
        mean.merge(Mean { mean: 1.0, samples: 2 });
        assert_eq!(mean.samples, 4);
        assert!((mean.mean - 0.75).abs() < 1e-12);
        mean.merge(Mean::default());
        assert_eq!(mean.samples, 4);
    }
}
