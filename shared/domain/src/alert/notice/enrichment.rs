//! What was looked up for an alert, and what could not be.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Quantity, Trend};
use crate::money::MicroUsd;
use crate::rubric::{DimensionId, Score};
use crate::verdict::{Verdict, VerdictId};

/// What was looked up. Each part may be missing; a part that was wanted and could not be had is in
/// `not_included`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Enrichment {
    /// The component's metrics now, the most telling first.
    pub now: Vec<NowValue>,
    /// The worst recent answers, the worst first.
    pub worst: Vec<WorstAnswer>,
    /// What it costs.
    pub cost: Option<Cost>,
    /// The component's logs in the window of the alert: [`super::logs_url`].
    pub logs: Option<String>,
    /// What could not be looked up.
    pub not_included: Vec<NotIncluded>,
}

/// A metric now, and how it came there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NowValue {
    /// The metric's name in CloudWatch.
    pub metric: String,
    /// What its numbers are of.
    pub quantity: Quantity,
    /// The newest value; `None` when nothing was measured lately.
    pub current: Option<f64>,
    /// The last hour.
    pub hour: Trend,
}

/// What the judge said of one bad answer. Neither prompt nor answer is here.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstAnswer {
    /// Where the verdict is found.
    pub verdict_id: VerdictId,
    /// SageMaker's id of the inference.
    pub event_id: String,
    /// When the answer was given.
    pub at: Timestamp,
    /// On which dimension it did worst.
    pub dimension: DimensionId,
    /// How well it did.
    pub score: Score,
    /// The judge's reason.
    pub reason: String,
}

/// The longest reason that is kept, in characters: a judge is asked for one or two sentences.
const LONGEST_REASON: usize = 500;

impl WorstAnswer {
    /// What `verdict` says about the dimension that the answer did worst on; `None` when it has no
    /// score, or the best on all.
    pub fn of(verdict: &Verdict) -> Option<Self> {
        let judged =
            verdict.ending().ok()?.iter().filter_map(|(id, judged)| Some((id, judged.score?, judged)));
        let (dimension, score, judged) =
            judged.min_by(|(_, one, _), (_, other, _)| one.get().total_cmp(&other.get()))?;
        (score < Score::BEST).then(|| Self {
            verdict_id: verdict.id().clone(),
            event_id: verdict.subject().event_id.clone(),
            at: verdict.subject().inference_time,
            dimension: dimension.clone(),
            score,
            reason: judged.reason.chars().take(LONGEST_REASON).collect(),
        })
    }
}

// A judge may quote what it judged: the reason goes to people, not into a log.
impl fmt::Debug for WorstAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorstAnswer")
            .field("verdict_id", &self.verdict_id)
            .field("dimension", &self.dimension)
            .field("score", &self.score)
            .finish_non_exhaustive()
    }
}

/// What the component and its endpoint cost in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// The component's share; of an alert on an endpoint, the endpoint's bill.
    pub per_hour: Option<MicroUsd>,
    /// What of the endpoint nobody uses.
    pub idle_per_hour: Option<MicroUsd>,
}

/// A part that is missing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotIncluded {
    /// Which.
    pub part: Part,
    /// Why, in a few words: "timed out".
    pub why: String,
}

/// What is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// [`Enrichment::now`].
    Values,
    /// [`Enrichment::worst`].
    WorstAnswers,
    /// [`Enrichment::cost`].
    Cost,
    /// [`Enrichment::logs`].
    Logs,
    /// [`super::Notice::related`].
    RelatedAlerts,
    /// Alerts that came in the same message and were cut off or broken.
    OtherAlerts,
}

impl Part {
    /// As a person is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Values => "values now",
            Self::WorstAnswers => "worst answers",
            Self::Cost => "cost",
            Self::Logs => "logs",
            Self::RelatedAlerts => "related alerts",
            Self::OtherAlerts => "other alerts",
        }
    }
}
