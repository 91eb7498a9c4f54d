//! What became of an object.

use std::collections::BTreeMap;

use domain::metric::{self, Definition};

use crate::summary::Counts;

/// How the work on one object ended in one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectOutcome {
    /// Read to its end, everything published.
    Judged,
    /// This version was judged before.
    Duplicate,
    /// It was written again since the event.
    Superseded,
    /// It is gone.
    Gone,
    /// Its key is not one that SageMaker writes captures under.
    NotACaptureKey,
    /// It is in a bucket that this function is not set up for.
    ForeignBucket,
    /// Its gzip is broken or cut; what could be read is published.
    Corrupt,
    /// The invocation's time is up; the rest goes on in another one.
    Continues,
    /// Another invocation works on it.
    Held,
    /// Samples are left that the judge did not answer.
    Unresolved,
    /// Assay may not read it.
    Forbidden,
    /// A service failed.
    Failed,
}

impl ObjectOutcome {
    /// The word in the summary and in logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Duplicate => "duplicate",
            Self::Superseded => "superseded",
            Self::Gone => "gone",
            Self::NotACaptureKey => "not_a_capture_key",
            Self::ForeignBucket => "foreign_bucket",
            Self::Corrupt => "corrupt",
            Self::Continues => "continues",
            Self::Held => "held",
            Self::Unresolved => "unresolved",
            Self::Forbidden => "forbidden",
            Self::Failed => "failed",
        }
    }

    /// Whether the event can be forgotten.
    pub(crate) fn is_settled(self) -> bool {
        !matches!(self, Self::Continues | Self::Held | Self::Unresolved | Self::Forbidden | Self::Failed)
    }

    /// The metric of an object that is settled without having been judged, and what to do.
    pub(crate) fn dropped(self) -> Option<(Definition, &'static str)> {
        match self {
            Self::Gone => Some((
                metric::OBJECTS_GONE,
                "keep captures longer than the queue keeps messages: check the bucket's lifecycle rules",
            )),
            Self::NotACaptureKey => Some((
                metric::OBJECTS_NOT_CAPTURES,
                "keys must end in <endpoint>/<variant>/yyyy/mm/dd/hh/<file>.jsonl: narrow the event rule",
            )),
            Self::ForeignBucket => {
                Some((metric::OBJECTS_FOREIGN, "the bucket is not CAPTURE_BUCKET: check the event rule"))
            }
            Self::Corrupt => {
                Some((metric::OBJECTS_CORRUPT, "write the object again, as plain text or whole gzip"))
            }
            _ => None,
        }
    }
}

/// An object's outcome with what was counted on the way.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) outcome: ObjectOutcome,
    /// What was done.
    pub(crate) counts: Counts,
    /// Why it is to be tried again.
    pub(crate) error: Option<String>,
}

impl Ended {
    /// There was nothing to do.
    pub(crate) fn without_work(outcome: ObjectOutcome) -> Self {
        Self { outcome, counts: Counts::default(), error: None }
    }

    /// It is to be tried again.
    pub(crate) fn failed(outcome: ObjectOutcome, error: String) -> Self {
        Self { outcome, counts: Counts::default(), error: Some(error) }
    }
}

/// Counts in words, for a message: `throttled 3, timeout 1`.
pub(crate) fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    let words: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    words.join(", ")
}
