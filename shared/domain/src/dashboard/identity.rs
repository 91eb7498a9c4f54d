//! Whose dashboards and rules they are.

use thiserror::Error;

use super::board::BoardKind;
use crate::rubric::{digest, hex};

/// The longest uid that Grafana takes.
pub const LONGEST_UID: usize = 40;
/// Of a uid that had to be cut.
const HASH_BYTES: usize = 6;

/// The name that uids, the folder, the contact point and the label `managed_by` are made of: the
/// stack's. Two stacks in one workspace do not touch each other's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(String);

impl Default for Identity {
    /// The name of the stack in the documentation.
    fn default() -> Self {
        Self("assay".to_owned())
    }
}

/// Why a text is no identity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} cannot name dashboards: 1 to 128 of a-z, A-Z, 0-9 and '-', as the name of a stack")]
pub struct NotAnIdentity(pub String);

impl std::str::FromStr for Identity {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_right = (1..=128).contains(&text.len()) && text.bytes().all(is_legal);
        is_right.then(|| Self(text.to_owned())).ok_or_else(|| NotAnIdentity(text.to_owned()))
    }
}

impl Identity {
    /// The name itself: the value of the label `managed_by`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The uid of an object of this stack: at most 40 characters, the same at every deployment.
    /// One that would be longer is cut and ends in a hash of the whole.
    pub fn uid(&self, object: &str) -> String {
        let whole = format!("{}-{}", self.0, object.replace('_', "-"));
        if whole.len() <= LONGEST_UID {
            return whole;
        }
        let hash = hex(&digest("grafana uid", &[whole.as_bytes()])[..HASH_BYTES]);
        // Legal names are ASCII; the names of objects are dimension ids and words of ours.
        let head: String = whole.chars().take(LONGEST_UID - hash.len() - 1).collect();
        format!("{head}-{hash}")
    }

    /// Whether a uid may be one of [`Identity::uid`].
    pub fn made(&self, uid: &str) -> bool {
        let start = format!("{}-", self.0);
        // What a long uid keeps of the whole.
        let kept = start.len().min(LONGEST_UID - 2 * HASH_BYTES - 1);
        uid.len() <= LONGEST_UID && uid.starts_with(&start[..kept])
    }

    /// The uid of a dashboard.
    pub fn board_uid(&self, kind: BoardKind) -> String {
        self.uid(kind.as_str())
    }

    /// The uid of the folder that holds dashboards and rules.
    pub fn folder_uid(&self) -> String {
        self.uid("folder")
    }

    /// The tag of the dashboards, by which they are found again. Not the name alone: a stack may be
    /// called as the other tags are.
    pub fn tag(&self) -> String {
        format!("stack:{}", self.0)
    }

    /// The uid of the CloudWatch data source.
    pub fn data_source_uid(&self) -> String {
        self.uid("cloudwatch")
    }

    /// Uid and name of the contact point; rules and the route name it.
    pub fn contact_point(&self) -> String {
        self.uid("sns")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_short_and_two_stacks_never_share_one() {
        let short: Identity = "assay".parse().unwrap();
        assert_eq!(short.board_uid(BoardKind::Quality), "assay-quality");
        let long: Identity = "a-very-long-name-of-a-stack-that-goes-on-for-ever".parse().unwrap();
        let longer: Identity = "a-very-long-name-of-a-stack-that-goes-on-for-ever-and-ever".parse().unwrap();
        assert_eq!(long.uid("quality").len(), LONGEST_UID);
        assert_eq!(long.uid("quality"), long.uid("quality"));
        assert_ne!(long.uid("quality"), long.uid("quantity"));
        assert_ne!(long.uid("quality"), longer.uid("quality"));
        assert!(short.made("assay-quality") && !short.made("quality") && !short.made("assay"));
        assert!(longer.made(&longer.uid("quality")) && !longer.made("assay-quality"));
        assert!("no spaces".parse::<Identity>().is_err());
        assert!("".parse::<Identity>().is_err());
    }
}
