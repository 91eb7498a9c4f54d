//! Ids that are the same whenever a thing is judged again, so that a retry overwrites.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rubric::{RubricStamp, digest, hex};

/// The text is no id: 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an id: 32 lower-case hex digits")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The 32 hex digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                if text.len() == 32 && text.bytes().all(is_hex) { Ok(Self(text)) } else { Err(NotAnId) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One exchange: the first 128 bits of a SHA-256 over the inference's event id and the place
    /// in its batch.
    SampleId
);
id!(
    /// One verdict: the first 128 bits of a SHA-256 over the sample, the rubric and the judge.
    VerdictId
);

/// Names the verdict files of one version of an object: 32 hex digits.
pub fn object_digest(version: &str) -> String {
    hex(&digest("assay.object", &[version.as_bytes()])[..16])
}

impl SampleId {
    /// The id of exchange number `index` (0 for a plain request) of an inference.
    pub fn of(event_id: &str, index: u32) -> Self {
        Self(hex(&digest("assay.sample", &[event_id.as_bytes(), &index.to_be_bytes()])[..16]))
    }
}

impl VerdictId {
    /// The id of what `judge_model` says about `sample` by `rubric`. An edited rubric is another
    /// instrument and gives another verdict, even when its version was not raised.
    pub fn of(sample: &SampleId, rubric: &RubricStamp, judge_model: &str) -> Self {
        let fields = [sample.as_str(), &rubric.id, &rubric.version, rubric.fingerprint.as_str(), judge_model]
            .map(str::as_bytes);
        Self(hex(&digest("assay.verdict", &fields)[..16]))
    }
}
