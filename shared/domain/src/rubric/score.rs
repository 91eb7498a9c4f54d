//! Scores from 0 to 1, and how they make one composite.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{DimensionId, Rubric};

/// A quality score: 0 is the worst, 1 the best that its scale knows. Never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Score(f64);

/// The number is no [`Score`].
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{0} is not a score: a number from 0 to 1")]
pub struct NotAScore(pub f64);

impl Score {
    /// The worst score.
    pub const WORST: Self = Self(0.0);
    /// The best score.
    pub const BEST: Self = Self(1.0);

    /// A score of `value`.
    ///
    /// # Errors
    /// [`NotAScore`] for NaN and for what is outside 0 to 1.
    pub fn new(value: f64) -> Result<Self, NotAScore> {
        // Adding 0 turns -0.0 into 0.0, so that it does not print with a sign.
        if (0.0..=1.0).contains(&value) { Ok(Self(value + 0.0)) } else { Err(NotAScore(value)) }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Place `place` (0 is the worst) on a scale of `places` levels.
    #[expect(clippy::cast_precision_loss, reason = "a scale has at most six levels")]
    pub(super) fn of_place(place: usize, places: usize) -> Self {
        let best = places.saturating_sub(1).max(1);
        Self(place.min(best) as f64 / best as f64)
    }

    fn min(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }
}

impl TryFrom<f64> for Score {
    type Error = NotAScore;

    fn try_from(value: f64) -> Result<Self, NotAScore> {
        Self::new(value)
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        score.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a judge said about one dimension.
#[derive(Clone, PartialEq)]
pub struct Judged {
    /// The score; `None` when the dimension does not apply to the sample.
    pub score: Option<Score>,
    /// Why, in the judge's words. May quote the sample: it belongs into the verdict store and
    /// into an alert, never into a log.
    pub reason: String,
}

impl fmt::Debug for Judged {
    /// Leaves the reason out, so that it cannot get into a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged").field("score", &self.score).finish_non_exhaustive()
    }
}

/// A complete set of scores: one entry for each enabled dimension of the rubric that it was made
/// with, and their composite.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    composite: Score,
    judged: BTreeMap<DimensionId, Judged>,
}

/// Why a set of judgements is no complete set of [`Scores`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WrongScores {
    /// An enabled dimension has no entry.
    #[error("dimension {0} is missing")]
    Missing(DimensionId),
    /// An entry belongs to no enabled dimension.
    #[error("dimension {0} is not enabled in the rubric")]
    Unknown(DimensionId),
    /// A dimension that always applies was left out.
    #[error("dimension {0} always applies, so it needs a score")]
    NotApplicable(DimensionId),
    /// A stored set holds no score at all.
    #[error("no dimension has a score")]
    Empty,
}

impl Scores {
    /// The scores of one sample, with their composite.
    ///
    /// # Errors
    /// [`WrongScores`] unless there is exactly one entry per enabled dimension, with a score
    /// wherever the dimension always applies.
    pub fn new(rubric: &Rubric, judged: BTreeMap<DimensionId, Judged>) -> Result<Self, WrongScores> {
        for dimension in rubric.enabled() {
            match judged.get(&dimension.id) {
                None => return Err(WrongScores::Missing(dimension.id.clone())),
                Some(Judged { score: None, .. }) if !dimension.applies_to.may_not_apply() => {
                    return Err(WrongScores::NotApplicable(dimension.id.clone()));
                }
                Some(_) => {}
            }
        }
        let is_enabled = |id: &DimensionId| rubric.enabled().any(|dimension| dimension.id == *id);
        if let Some(unknown) = judged.keys().find(|id| !is_enabled(id)) {
            return Err(WrongScores::Unknown(unknown.clone()));
        }
        let composite = composite(rubric, &judged).ok_or(WrongScores::Empty)?;
        Ok(Self { composite, judged })
    }

    /// Scores read back from a stored verdict, whose rubric may no longer exist.
    pub(crate) fn stored(
        composite: Score,
        judged: BTreeMap<DimensionId, Judged>,
    ) -> Result<Self, WrongScores> {
        if judged.values().any(|entry| entry.score.is_some()) {
            Ok(Self { composite, judged })
        } else {
            Err(WrongScores::Empty)
        }
    }

    /// The weighted mean of the dimensions that applied, capped by every closed gate.
    pub fn composite(&self) -> Score {
        self.composite
    }

    /// Each dimension with what was said about it, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (&DimensionId, &Judged)> {
        self.judged.iter()
    }

    /// The score of one dimension; `None` when it did not apply or is not in the set.
    pub fn score(&self, id: &DimensionId) -> Option<Score> {
        self.judged.get(id).and_then(|entry| entry.score)
    }
}

/// `sum(weight x score) / sum(weight)` over the dimensions that have a score, then the smallest of
/// that and the caps of all closed gates. `None` when no dimension has a score.
fn composite(rubric: &Rubric, judged: &BTreeMap<DimensionId, Judged>) -> Option<Score> {
    let mut weighted = 0.0;
    let mut weights = 0.0;
    let mut cap = Score::BEST;
    for dimension in rubric.enabled() {
        let Some(score) = judged.get(&dimension.id).and_then(|entry| entry.score) else { continue };
        weighted += dimension.weight * score.get();
        weights += dimension.weight;
        if let Some(gate) = dimension.gate.filter(|gate| score < gate.below) {
            cap = cap.min(gate.caps_composite_at);
        }
    }
    // Nine digits, so that scores of 0.8 throughout give 0.8 and not a hair less, which a threshold
    // of 0.8 would take for a failure. The mean of all-best scores cannot end above 1 either.
    let mean = Score::new((weighted / weights * 1e9).round() / 1e9).ok()?;
    Some(mean.min(cap))
}
