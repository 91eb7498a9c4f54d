//! What a judge is asked: dimensions, each with a scale whose levels are described in words.
//!
//! 1. [`Rubric::from_toml`] reads the operator's file and lists every mistake in it at once.
//! 2. [`crate::judge`] turns the rubric into a prompt and a reply into [`Scores`].
//! 3. [`Scores::composite`] is the weighted mean of the dimensions that applied, capped by the
//!    gates.
//!
//! A rubric is an instrument: a score means something only together with the rubric's id, version
//! and [`Fingerprint`], which is why every verdict carries its [`RubricStamp`].

use std::fmt;

use serde::{Deserialize, Serialize};

mod fingerprint;
mod read;
mod score;
#[cfg(test)]
pub(crate) mod tests;

pub use fingerprint::Fingerprint;
pub(crate) use fingerprint::{digest, hex};
pub use score::{Judged, NotAScore, Score, Scores, WrongScores};

/// The rubric that Assay ships, `config/rubric.toml`: used when no other is configured.
pub const SHIPPED: &str = include_str!("../../../../config/rubric.toml");

/// The reply value of a dimension that does not apply to a sample.
pub const NOT_APPLICABLE: &str = "n/a";

/// A rubric whose every part has been checked: ids and metric names are unique, and at least one
/// enabled dimension always applies, so that every judged sample has a composite.
#[derive(Debug, Clone, PartialEq)]
pub struct Rubric {
    id: String,
    version: String,
    dimensions: Vec<Dimension>,
}

impl Rubric {
    /// The rubric's name, 1 to 40 of `a-z A-Z 0-9 . _ -`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The operator's version of it, same alphabet.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All dimensions in file order, the disabled ones included.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The dimensions that the judge is asked about, in file order; never empty.
    pub fn enabled(&self) -> impl Iterator<Item = &Dimension> {
        self.dimensions.iter().filter(|dimension| dimension.enabled)
    }

    /// Which instrument a score was measured with.
    pub fn stamp(&self) -> RubricStamp {
        RubricStamp { id: self.id.clone(), version: self.version.clone(), fingerprint: self.fingerprint() }
    }

    /// A hash of everything that reaches the judge or the composite: an edited rubric whose
    /// version was not raised can be told apart. Comments and disabled dimensions do not count.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}

/// Identifies the rubric that a verdict was given with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RubricStamp {
    /// [`Rubric::id`].
    pub id: String,
    /// [`Rubric::version`].
    pub version: String,
    /// [`Rubric::fingerprint`].
    pub fingerprint: Fingerprint,
}

/// One question to the judge, with a scale of its own. It looks for one way to fail.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Its key in the judge's reply and in stored verdicts.
    pub id: DimensionId,
    /// The metric that publishes its score, such as `SafetyScore`.
    pub metric: String,
    /// Its share of the composite, relative to the others; above 0.
    pub weight: f64,
    /// What the judge can answer.
    pub scale: Scale,
    /// What the judge should look at, in the operator's words.
    pub instructions: String,
    /// Whether the judge is asked about it.
    pub enabled: bool,
    /// Which samples it can be asked about.
    pub applies_to: AppliesTo,
    /// What a low score does to the composite.
    pub gate: Option<Gate>,
}

impl Dimension {
    /// Every reply value that the judge may give, worst level first, `n/a` last where allowed.
    pub fn allowed_replies(&self) -> Vec<&'static str> {
        let mut allowed = self.scale.labels().to_vec();
        if self.applies_to.may_not_apply() {
            allowed.push(NOT_APPLICABLE);
        }
        allowed
    }
}

/// The id of a dimension: a lower-case letter, then up to 39 of `a-z 0-9 _`. Lower case because
/// Athena's JSON reader folds the case of keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DimensionId(String);

impl DimensionId {
    /// The id as it stands in the rubric, the reply and the verdict.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no [`DimensionId`]. It does not carry the text, which may come from a judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a dimension id: a letter a-z, then up to 39 of a-z, 0-9 and _")]
pub struct NotADimensionId;

impl std::str::FromStr for DimensionId {
    type Err = NotADimensionId;

    fn from_str(text: &str) -> Result<Self, NotADimensionId> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let starts_with_a_letter = text.starts_with(|first: char| first.is_ascii_lowercase());
        if starts_with_a_letter && text.len() <= 40 && text.bytes().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotADimensionId)
        }
    }
}

impl TryFrom<String> for DimensionId {
    type Error = NotADimensionId;

    fn try_from(text: String) -> Result<Self, NotADimensionId> {
        text.parse()
    }
}

impl From<DimensionId> for String {
    fn from(id: DimensionId) -> Self {
        id.0
    }
}

impl fmt::Display for DimensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of levels of a graded scale: 0 to 5, on which judges agree best with people
/// (arXiv 2601.03444).
pub const LEVELS: usize = 6;

const LEVEL_LABELS: [&str; LEVELS] = ["0", "1", "2", "3", "4", "5"];
const YES_NO_LABELS: [&str; 2] = ["no", "yes"];

/// What a judge can answer about a dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scale {
    /// A question whose good answer is always "yes" (score 1; "no" is score 0).
    YesNo {
        /// When the answer is "yes".
        yes: String,
        /// When the answer is "no".
        no: String,
    },
    /// Level 0 (worst, score 0) to level 5 (best, score 1), each with its description.
    Levels([String; LEVELS]),
}

impl Scale {
    /// The reply values, worst first.
    pub fn labels(&self) -> &'static [&'static str] {
        match self {
            Scale::YesNo { .. } => &YES_NO_LABELS,
            Scale::Levels(_) => &LEVEL_LABELS,
        }
    }

    /// Each reply value with its description, worst first.
    pub fn described(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = match self {
            Scale::YesNo { yes, no } => vec![no.as_str(), yes.as_str()],
            Scale::Levels(levels) => levels.iter().map(String::as_str).collect(),
        };
        self.labels().iter().copied().zip(texts)
    }

    /// The score of a reply value, normalised over this scale's own range; `None` when the value
    /// is not on the scale.
    pub fn score_of(&self, label: &str) -> Option<Score> {
        let labels = self.labels();
        let place = labels.iter().position(|&known| known == label)?;
        Some(Score::of_place(place, labels.len()))
    }
}

/// Which samples a dimension can be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppliesTo {
    /// Every sample.
    Always,
    /// Samples in which the person spoke more than once.
    MultiTurn,
    /// Samples with text of a tool or a retriever.
    WithContext,
    /// Samples of which nothing was cut.
    Whole,
}

impl AppliesTo {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Always, Self::MultiTurn, Self::WithContext, Self::Whole];

    /// The word in the rubric file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::MultiTurn => "multi-turn",
            Self::WithContext => "with-context",
            Self::Whole => "whole",
        }
    }

    /// Whether [`NOT_APPLICABLE`] is a legal reply.
    pub fn may_not_apply(self) -> bool {
        self != Self::Always
    }
}

/// A failure in one dimension that no strength in the others may outweigh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// The gate closes when the dimension's score is below this.
    pub below: Score,
    /// The composite is at most this while the gate is closed.
    pub caps_composite_at: Score,
}
