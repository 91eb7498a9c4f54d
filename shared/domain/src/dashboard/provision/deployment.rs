//! Which stack in which Grafana.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::dashboard::Identity;

/// The id of a workspace of Amazon Managed Grafana (API reference: `g-` and ten hexadecimal digits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceId(String);

/// Why a text is no id of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no id of a workspace: it is g- and ten of 0-9 and a-f, as `aws grafana list-workspaces` shows it"
)]
pub struct NotAWorkspaceId(pub String);

impl FromStr for WorkspaceId {
    type Err = NotAWorkspaceId;

    fn from_str(text: &str) -> Result<Self, NotAWorkspaceId> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let digits = text.strip_prefix("g-").filter(|rest| rest.len() == 10 && rest.bytes().all(is_hex));
        digits.map(|_| Self(text.to_owned())).ok_or_else(|| NotAWorkspaceId(text.to_owned()))
    }
}

impl WorkspaceId {
    /// The id itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stack's objects in one workspace: what CloudFormation knows the custom resource by. Another
/// workspace is another resource, so that CloudFormation has the old one removed after the new one
/// is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Where.
    pub workspace: WorkspaceId,
    /// Whose.
    pub identity: Identity,
}

impl Deployment {
    /// The deployment that [`fmt::Display`] wrote; `None` for the name of one that was never made.
    pub fn read(physical_id: &str) -> Option<Self> {
        let (workspace, identity) = physical_id.split_once('/')?;
        Some(Self { workspace: workspace.parse().ok()?, identity: identity.parse().ok()? })
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.workspace, self.identity.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_read_as_it_was_written() {
        let deployment =
            Deployment { workspace: "g-0123456789".parse().unwrap(), identity: "assay".parse().unwrap() };
        assert_eq!(deployment.to_string(), "g-0123456789/assay");
        assert_eq!(Deployment::read("g-0123456789/assay"), Some(deployment));
        for other in ["not-created", "", "g-0123456789", "g-0123456789/", "g-012345678X/assay", "x/y"] {
            assert_eq!(Deployment::read(other), None, "{other}");
        }
    }

    #[test]
    fn only_ids_of_workspaces_are_taken() {
        for wrong in
            ["", "g-", "g-012345678", "g-01234567890", "G-0123456789", "g-012345678G", "g-0123/45678"]
        {
            assert!(wrong.parse::<WorkspaceId>().is_err(), "{wrong}");
        }
    }
}
