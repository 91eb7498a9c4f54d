//! What came of one sampled answer, and the form in which it is kept.
//!
//! A [`Verdict`] is either scored or failed. A failure has a named [`Outcome`] and no score at all:
//! there is no way to make one with scores, and none to read one back.

mod ids;
mod line;
mod outcome;
#[cfg(test)]
pub(crate) mod tests;

use jiff::Timestamp;

use crate::capture::Usage;
use crate::check::Check;
use crate::judge::CapturedText;
use crate::money::MicroUsd;
use crate::names::{ComponentName, EndpointName};
use crate::rubric::{RubricStamp, Score, Scores};

pub use ids::{NotAnId, SampleId, VerdictId, object_digest};
pub use line::BadLine;
pub use outcome::{ErrorClass, Failure, Outcome};

/// What was judged: one exchange of one captured record.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The id that the captured record gives to the inference.
    pub event_id: String,
    /// The place of the exchange in a batch request; 0 for a plain one.
    pub event_index: u32,
    /// The bucket of the captured object.
    pub bucket: String,
    /// The key of the captured object, URL-decoded.
    pub object_key: String,
    /// The line of the record in the object, from 1.
    pub line: u64,
    /// The endpoint that answered.
    pub endpoint: EndpointName,
    /// The production variant that answered.
    pub variant: String,
    /// The inference component that answered.
    pub component: ComponentName,
    /// Which rule of the attribution chain named the component.
    pub attributed_by: String,
    /// When the endpoint answered.
    pub inference_time: Timestamp,
    /// What the free checks found.
    pub checks: Vec<Check>,
    /// Tokens of the observed model, when its reply carries them.
    pub usage: Option<Usage>,
    /// The length of the whole answer in characters: judges like long answers, so it stands beside
    /// every score.
    pub answer_chars: u64,
    /// Whether the judge did not see everything (see [`crate::judge::Sample::was_cut`]).
    pub was_cut: bool,
    /// The texts, only when the operator has switched their storage on.
    pub texts: Option<Texts>,
}

/// The captured texts of a verdict, as the judge saw them: the excerpts of the
/// [`crate::judge::Sample`], whose length is bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// What the person asked last.
    pub question: CapturedText,
    /// What the model answered.
    pub answer: CapturedText,
}

/// How it was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judging {
    /// The rubric.
    pub rubric: RubricStamp,
    /// The model id of the judge, as it was called.
    pub judge_model: String,
    /// When the verdict was made.
    pub judged_at: Timestamp,
    /// The last call to the judge; `None` when there was none (over budget, over the cap).
    pub call: Option<JudgeCall>,
}

/// One call to the judge.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JudgeCall {
    /// Why the judge stopped, in the service's word; `None` when there was no reply.
    pub stop_reason: Option<String>,
    /// What the service counted.
    pub tokens: JudgeTokens,
    /// What that costs.
    pub cost: MicroUsd,
    /// How long the call took, in milliseconds.
    pub latency_ms: u64,
    /// [`crate::judge::prompt_hash`] of what the judge was sent.
    pub prompt_hash: String,
}

/// Tokens of a judge call. The service counts input apart from what the prompt cache read and
/// wrote: the four add up to everything that is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JudgeTokens {
    /// Input that was neither read from nor written to the cache.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Input read from the cache.
    pub cache_read: u64,
    /// Input written to the cache.
    pub cache_write: u64,
}

/// What came of one sampled answer. It serialises to one line of JSON (see `docs/athena.md`).
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    id: VerdictId,
    subject: Subject,
    judging: Judging,
    ending: Result<Scores, Failure>,
}

impl Verdict {
    /// A verdict: with the scores that the judge gave, or with the reason why there are none.
    pub fn new(subject: Subject, judging: Judging, ending: Result<Scores, Failure>) -> Self {
        let sample = SampleId::of(&subject.event_id, subject.event_index);
        let id = VerdictId::of(&sample, &judging.rubric, &judging.judge_model);
        Self { id, subject, judging, ending }
    }

    /// The same for the same sample, rubric and judge, whenever and however often it is made.
    pub fn id(&self) -> &VerdictId {
        &self.id
    }

    /// What was judged.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// How it was judged.
    pub fn judging(&self) -> &Judging {
        &self.judging
    }

    /// The scores, or why there are none.
    pub fn ending(&self) -> Result<&Scores, &Failure> {
        self.ending.as_ref()
    }

    /// The named outcome, which has its own metric.
    pub fn outcome(&self) -> Outcome {
        self.ending.as_ref().map_or_else(Failure::outcome, |_| Outcome::Scored)
    }

    /// The composite score; `None` unless scored, so that a failure cannot enter a mean.
    pub fn composite(&self) -> Option<Score> {
        self.ending.as_ref().ok().map(Scores::composite)
    }

    /// The partition of the verdict store that it belongs to, `date=2026-01-07/component=<name>`:
    /// the UTC day of the inference, so that a verdict that is made again later overwrites itself.
    pub fn partition(&self) -> String {
        let day = self.subject.inference_time.strftime("%Y-%m-%d");
        format!("date={day}/component={}", self.subject.component)
    }
}
