//! The stored form of a verdict: one flat JSON object on one line, for Athena.
//!
//! Every field is always there, `null` where it has no value. The columns of `docs/athena.md` are
//! these fields; a test compares them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{Failure, JudgeCall, JudgeTokens, Judging, Outcome, Subject, Texts, Verdict, VerdictId};
use crate::capture::Usage;
use crate::check::Check;
use crate::judge::CapturedText;
use crate::money::MicroUsd;
use crate::names::{ComponentName, EndpointName};
use crate::rubric::{DimensionId, Fingerprint, Judged, RubricStamp, Score, Scores};

#[derive(Serialize, Deserialize)]
struct StoredLine {
    verdict_id: VerdictId,
    event_id: String,
    event_index: u32,
    bucket: String,
    object_key: String,
    line: u64,
    endpoint: EndpointName,
    variant: String,
    // Not `component`: that is the partition, and Athena allows a name once.
    inference_component: ComponentName,
    attributed_by: String,
    inference_time: Timestamp,
    judged_at: Timestamp,
    rubric_id: String,
    rubric_version: String,
    rubric_fingerprint: Fingerprint,
    judge_model: String,
    outcome: Outcome,
    detail: Option<String>,
    composite: Option<Score>,
    scores: BTreeMap<DimensionId, Score>,
    reasons: BTreeMap<DimensionId, String>,
    checks: Vec<Check>,
    stop_reason: Option<String>,
    judge_input_tokens: u64,
    judge_output_tokens: u64,
    judge_cache_read_tokens: u64,
    judge_cache_write_tokens: u64,
    cost_usd: f64,
    latency_ms: Option<u64>,
    prompt_hash: Option<String>,
    was_cut: bool,
    answer_chars: u64,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    question: Option<CapturedText>,
    answer: Option<CapturedText>,
}

/// Why a stored line is no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadLine {
    /// The id is not the one of this sample, rubric and judge.
    #[error("the verdict id does not belong to the rest of the line")]
    Id,
    /// A scored verdict without composite or scores, or with a score that has no reason.
    #[error("a scored verdict needs a composite, scores and a reason for each")]
    Scores,
    /// A failure with a composite, a score or a reason.
    #[error("a {0} verdict must not carry scores")]
    ScoredFailure(Outcome),
    /// A detail that does not belong to the outcome.
    #[error("the detail does not belong to outcome {0}")]
    Detail(Outcome),
    /// A cost that is no amount.
    #[error("cost_usd is not an amount of money")]
    Cost,
    /// A call of which a part is missing.
    #[error("latency_ms and prompt_hash must both be there or both be null")]
    Call,
    /// Only one of the two texts.
    #[error("question and answer must both be there or both be null")]
    Texts,
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredLine::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredLine::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl From<&Verdict> for StoredLine {
    fn from(verdict: &Verdict) -> Self {
        let Verdict { id, subject, judging, ending } = verdict;
        let failure = ending.as_ref().err();
        let call = judging.call.as_ref();
        let tokens = call.map(|call| call.tokens).unwrap_or_default();
        let judged = || ending.iter().flat_map(Scores::iter);
        let scored = |(id, entry): (&DimensionId, &Judged)| Some((id.clone(), entry.score?));
        Self {
            verdict_id: id.clone(),
            event_id: subject.event_id.clone(),
            event_index: subject.event_index,
            bucket: subject.bucket.clone(),
            object_key: subject.object_key.clone(),
            line: subject.line,
            endpoint: subject.endpoint.clone(),
            variant: subject.variant.clone(),
            inference_component: subject.component.clone(),
            attributed_by: subject.attributed_by.clone(),
            inference_time: subject.inference_time,
            judged_at: judging.judged_at,
            rubric_id: judging.rubric.id.clone(),
            rubric_version: judging.rubric.version.clone(),
            rubric_fingerprint: judging.rubric.fingerprint.clone(),
            judge_model: judging.judge_model.clone(),
            outcome: verdict.outcome(),
            detail: failure.and_then(Failure::detail).map(str::to_owned),
            composite: verdict.composite(),
            scores: judged().filter_map(scored).collect(),
            reasons: judged().map(|(id, entry)| (id.clone(), entry.reason.clone())).collect(),
            checks: subject.checks.clone(),
            stop_reason: call.and_then(|call| call.stop_reason.clone()),
            judge_input_tokens: tokens.input,
            judge_output_tokens: tokens.output,
            judge_cache_read_tokens: tokens.cache_read,
            judge_cache_write_tokens: tokens.cache_write,
            cost_usd: call.map(|call| call.cost).unwrap_or_default().usd(),
            latency_ms: call.map(|call| call.latency_ms),
            prompt_hash: call.map(|call| call.prompt_hash.clone()),
            was_cut: subject.was_cut,
            answer_chars: subject.answer_chars,
            prompt_tokens: subject.usage.and_then(|usage| usage.prompt_tokens),
            completion_tokens: subject.usage.and_then(|usage| usage.completion_tokens),
            question: subject.texts.as_ref().map(|texts| texts.question.clone()),
            answer: subject.texts.as_ref().map(|texts| texts.answer.clone()),
        }
    }
}

impl TryFrom<StoredLine> for Verdict {
    type Error = BadLine;

    fn try_from(line: StoredLine) -> Result<Self, BadLine> {
        let ending = line.ending()?;
        let call = line.call()?;
        let usage = Usage { prompt_tokens: line.prompt_tokens, completion_tokens: line.completion_tokens };
        let usage = (usage != Usage::default()).then_some(usage);
        let texts = match (line.question, line.answer) {
            (Some(question), Some(answer)) => Some(Texts { question, answer }),
            (None, None) => None,
            _ => return Err(BadLine::Texts),
        };
        let subject = Subject {
            event_id: line.event_id,
            event_index: line.event_index,
            bucket: line.bucket,
            object_key: line.object_key,
            line: line.line,
            endpoint: line.endpoint,
            variant: line.variant,
            component: line.inference_component,
            attributed_by: line.attributed_by,
            inference_time: line.inference_time,
            checks: line.checks,
            usage,
            answer_chars: line.answer_chars,
            was_cut: line.was_cut,
            texts,
        };
        let rubric = RubricStamp {
            id: line.rubric_id,
            version: line.rubric_version,
            fingerprint: line.rubric_fingerprint,
        };
        let judging = Judging { rubric, judge_model: line.judge_model, judged_at: line.judged_at, call };
        let verdict = Verdict::new(subject, judging, ending);
        if verdict.id == line.verdict_id { Ok(verdict) } else { Err(BadLine::Id) }
    }
}

impl StoredLine {
    fn ending(&self) -> Result<Result<Scores, Failure>, BadLine> {
        if self.outcome == Outcome::Scored {
            return self.stored_scores().map(Ok);
        }
        if self.composite.is_some() || !self.scores.is_empty() || !self.reasons.is_empty() {
            return Err(BadLine::ScoredFailure(self.outcome));
        }
        let failure = Failure::stored(self.outcome, self.detail.as_deref());
        failure.map(Err).ok_or(BadLine::Detail(self.outcome))
    }

    fn stored_scores(&self) -> Result<Scores, BadLine> {
        if self.detail.is_some() {
            return Err(BadLine::Detail(self.outcome));
        }
        let has_reason = |id: &DimensionId| self.reasons.contains_key(id);
        let composite = self.composite.filter(|_| self.scores.keys().all(has_reason));
        let judged = |(id, reason): (&DimensionId, &String)| {
            let entry = Judged { score: self.scores.get(id).copied(), reason: reason.clone() };
            (id.clone(), entry)
        };
        let judged = self.reasons.iter().map(judged).collect();
        Scores::stored(composite.ok_or(BadLine::Scores)?, judged).map_err(|_| BadLine::Scores)
    }

    fn call(&self) -> Result<Option<JudgeCall>, BadLine> {
        let cost = MicroUsd::from_usd(self.cost_usd).ok_or(BadLine::Cost)?;
        let (latency_ms, prompt_hash) = match (self.latency_ms, &self.prompt_hash) {
            (Some(latency_ms), Some(prompt_hash)) => (latency_ms, prompt_hash.clone()),
            (None, None) => return Ok(None),
            _ => return Err(BadLine::Call),
        };
        let tokens = JudgeTokens {
            input: self.judge_input_tokens,
            output: self.judge_output_tokens,
            cache_read: self.judge_cache_read_tokens,
            cache_write: self.judge_cache_write_tokens,
        };
        Ok(Some(JudgeCall { stop_reason: self.stop_reason.clone(), tokens, cost, latency_ms, prompt_hash }))
    }
}
