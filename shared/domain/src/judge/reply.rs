//! From a judge's reply to scores, or to the name of what is wrong with it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::{Map, Value};
use thiserror::Error;

use super::strict_json::StrictJson;
use super::{Applicability, Sample};
use crate::rubric::{Dimension, Judged, NOT_APPLICABLE, Rubric, Score, Scores};

/// The longest reason that is kept, in characters; a longer one is cut.
const LONGEST_REASON: usize = 600;

/// What a judge sent back.
#[derive(Clone, Copy)]
pub enum JudgeReply<'a> {
    /// The arguments of the tool call that it was made to do.
    Structured(&'a Value),
    /// Text, from structured output or from a model without it.
    Text(&'a str),
}

impl fmt::Debug for JudgeReply<'_> {
    /// Names the kind only: a reply quotes the sample.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Structured(_) => "JudgeReply::Structured(..)",
            Self::Text(_) => "JudgeReply::Text(..)",
        })
    }
}

/// Why a reply gives no score. Never carries text of the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// The reply holds nothing: no text, no tool call.
    #[error("the reply is empty")]
    Empty,
    /// The service itself says that the model's output is malformed.
    #[error("the service reports malformed model output")]
    ReportedByService,
    /// The model stopped for a reason that we do not know.
    #[error("the model stopped for an unknown reason")]
    UnknownStopReason,
    /// The text holds no JSON object, or one with faults in its syntax.
    #[error("the reply is not JSON")]
    NotJson,
    /// The text ends inside the JSON.
    #[error("the reply ends inside its JSON")]
    IncompleteJson,
    /// There is other text before or after the JSON. It may quote the sample, JSON included, so
    /// nothing is picked out of it.
    #[error("the reply has text around its JSON")]
    ProseAroundJson,
    /// There is more than one JSON value.
    #[error("the reply holds more than one JSON value")]
    SeveralValues,
    /// A key stands twice in one object.
    #[error("a key stands twice")]
    DuplicateKey,
    /// The JSON is no object, or a dimension's entry is none.
    #[error("an object was expected")]
    NotAnObject,
    /// An enabled dimension has no entry.
    #[error("a dimension is missing")]
    MissingDimension,
    /// There is an entry that is no enabled dimension.
    #[error("there is an entry for no known dimension")]
    UnknownDimension,
    /// A dimension's entry lacks its reason or its score.
    #[error("a reason or a score is missing")]
    MissingField,
    /// A dimension's entry has a field beside reason and score.
    #[error("there is a field beside reason and score")]
    UnknownField,
    /// A reason or a score is of the wrong JSON type.
    #[error("a reason or a score has the wrong type")]
    WrongType,
    /// A reason has no letter and no digit.
    #[error("a reason is empty")]
    EmptyReason,
    /// A score is not on the scale of its dimension.
    #[error("a score is not on its scale")]
    OutOfScale,
    /// A dimension that always applies was answered with `n/a`.
    #[error("a dimension that always applies was answered n/a")]
    NotApplicableRefused,
}

impl Malformed {
    /// Every reason, in the order of this documentation.
    pub const ALL: [Self; 17] = [
        Self::Empty,
        Self::ReportedByService,
        Self::UnknownStopReason,
        Self::NotJson,
        Self::IncompleteJson,
        Self::ProseAroundJson,
        Self::SeveralValues,
        Self::DuplicateKey,
        Self::NotAnObject,
        Self::MissingDimension,
        Self::UnknownDimension,
        Self::MissingField,
        Self::UnknownField,
        Self::WrongType,
        Self::EmptyReason,
        Self::OutOfScale,
        Self::NotApplicableRefused,
    ];

    /// The word in a stored verdict's `detail` and in the log; the same as serde writes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ReportedByService => "reported_by_service",
            Self::UnknownStopReason => "unknown_stop_reason",
            Self::NotJson => "not_json",
            Self::IncompleteJson => "incomplete_json",
            Self::ProseAroundJson => "prose_around_json",
            Self::SeveralValues => "several_values",
            Self::DuplicateKey => "duplicate_key",
            Self::NotAnObject => "not_an_object",
            Self::MissingDimension => "missing_dimension",
            Self::UnknownDimension => "unknown_dimension",
            Self::MissingField => "missing_field",
            Self::UnknownField => "unknown_field",
            Self::WrongType => "wrong_type",
            Self::EmptyReason => "empty_reason",
            Self::OutOfScale => "out_of_scale",
            Self::NotApplicableRefused => "not_applicable_refused",
        }
    }
}

/// The scores in a reply about `sample`.
///
/// A text must be one JSON object and nothing else, but for white space or one code fence around
/// it. A dimension that does not apply to the sample gets no score, whatever the judge says
/// ([`Sample::applicability`]).
///
/// # Errors
/// [`Malformed`] for everything that is not exactly what the rubric asks for.
pub fn read_reply(rubric: &Rubric, sample: &Sample, reply: JudgeReply<'_>) -> Result<Scores, Malformed> {
    match reply {
        JudgeReply::Structured(value) => read_value(rubric, sample, value),
        JudgeReply::Text(text) => read_value(rubric, sample, &parse(text)?),
    }
}

fn parse(text: &str) -> Result<Value, Malformed> {
    let text = without_fence(text.trim());
    if text.is_empty() {
        return Err(Malformed::Empty);
    }
    if !text.starts_with(['{', '[']) {
        let has_json = text.contains('{');
        return Err(if has_json { Malformed::ProseAroundJson } else { Malformed::NotJson });
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<StrictJson>();
    let value = match values.next() {
        Some(Ok(StrictJson(value))) => value,
        Some(Err(error)) => {
            return Err(match error.classify() {
                Category::Data => Malformed::DuplicateKey,
                Category::Eof => Malformed::IncompleteJson,
                Category::Syntax | Category::Io => Malformed::NotJson,
            });
        }
        None => return Err(Malformed::Empty),
    };
    let rest = text[values.byte_offset()..].trim();
    if rest.is_empty() {
        return Ok(value);
    }
    let is_json = rest.starts_with(['{', '[']);
    Err(if is_json { Malformed::SeveralValues } else { Malformed::ProseAroundJson })
}

/// The inside of a code fence that encloses all of `text`; else `text`. A fence inside stays, and
/// is no JSON.
fn without_fence(text: &str) -> &str {
    let inside = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let Some(inside) = inside else { return text };
    inside.strip_prefix("json").unwrap_or(inside).trim()
}

fn read_value(rubric: &Rubric, sample: &Sample, value: &Value) -> Result<Scores, Malformed> {
    let entries = value.as_object().ok_or(Malformed::NotAnObject)?;
    let is_known = |key: &String| rubric.enabled().any(|dimension| dimension.id.as_str() == key);
    if !entries.keys().all(is_known) {
        return Err(Malformed::UnknownDimension);
    }
    let mut judged = BTreeMap::new();
    for dimension in rubric.enabled() {
        let entry = entries.get(dimension.id.as_str()).ok_or(Malformed::MissingDimension)?;
        let entry = entry.as_object().ok_or(Malformed::NotAnObject)?;
        judged.insert(dimension.id.clone(), read_entry(dimension, sample, entry)?);
    }
    // The loop above has checked all that `Scores` asks for, but for one case: every dimension was
    // answered n/a. A rubric whose dimensions may all be n/a cannot be made.
    Scores::new(rubric, judged).map_err(|_| Malformed::MissingDimension)
}

fn read_entry(
    dimension: &Dimension,
    sample: &Sample,
    entry: &Map<String, Value>,
) -> Result<Judged, Malformed> {
    let (Some(reason), Some(score)) = (entry.get("reason"), entry.get("score")) else {
        return Err(Malformed::MissingField);
    };
    if entry.len() > 2 {
        return Err(Malformed::UnknownField);
    }
    let reason = read_reason(reason)?;
    let score = read_score(dimension, score)?;
    let applies = sample.applicability(dimension.applies_to) == Applicability::Applies;
    Ok(Judged { score: score.filter(|_| applies), reason })
}

fn read_reason(reason: &Value) -> Result<String, Malformed> {
    let reason = reason.as_str().ok_or(Malformed::WrongType)?.trim();
    if !reason.contains(char::is_alphanumeric) {
        return Err(Malformed::EmptyReason);
    }
    let kept: String = reason.chars().take(LONGEST_REASON).collect();
    Ok(if kept.len() < reason.len() { format!("{kept}...") } else { kept })
}

/// The schema asks for the level as a text; the same level as a whole JSON number says the same
/// thing, and models without structured output write it so. 4.0 and 4.5 are neither.
fn read_score(dimension: &Dimension, score: &Value) -> Result<Option<Score>, Malformed> {
    let number;
    let label = match score {
        Value::String(text) => text.as_str(),
        Value::Number(value) if value.is_u64() || value.is_i64() => {
            number = value.to_string();
            &number
        }
        _ => return Err(Malformed::WrongType),
    };
    if label == NOT_APPLICABLE {
        let may = dimension.applies_to.may_not_apply();
        return if may { Ok(None) } else { Err(Malformed::NotApplicableRefused) };
    }
    dimension.scale.score_of(label).map(Some).ok_or(Malformed::OutOfScale)
}
