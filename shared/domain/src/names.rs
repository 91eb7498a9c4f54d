//! Names that SageMaker gives: parsed once, so that every later use is known to be a legal
//! CloudWatch dimension value and a legal path segment.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The dimension value of what cannot be traced to an inference component.
pub const UNATTRIBUTED: &str = "unattributed";

/// The longest name that SageMaker accepts for an endpoint or an inference component.
pub const LONGEST: usize = 63;

/// Why a text is no SageMaker name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a SageMaker name: 1 to 63 of a-z, A-Z, 0-9 and '-', not starting or ending with '-'")]
pub struct NotAName(pub String);

fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as SageMaker and CloudWatch write it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(NotAName(text.to_owned())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<Self, NotAName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a SageMaker endpoint.
    EndpointName
);
name!(
    /// The name of an inference component: one model deployed on an endpoint. May be
    /// [`UNATTRIBUTED`].
    ComponentName
);

impl ComponentName {
    /// What stands for the component when a record does not say which one answered.
    pub fn unattributed() -> Self {
        Self(UNATTRIBUTED.to_owned())
    }

    /// Whether this is the stand-in of [`ComponentName::unattributed`].
    pub fn is_unattributed(&self) -> bool {
        self.0 == UNATTRIBUTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_sagemaker_accepts() {
        for name in
            ["a", "gpt-oss-20b", "jumpstart-dft-llama-3-2-1b-instruct-20260107-211937", &"x".repeat(63)]
        {
            assert!(name.parse::<EndpointName>().is_ok(), "{name}");
        }
        for name in ["", "-a", "a-", "a_b", "a/b", "ä", "a b", &"x".repeat(64)] {
            assert!(name.parse::<ComponentName>().is_err(), "{name}");
        }
    }
}
