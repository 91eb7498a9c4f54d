//! Why nothing was done, or not all of it: sentences for the person who deploys.

use adapters::Fault;
use adapters::grafana::GrafanaFault;
use adapters::secrets::NoSecret;
use adapters::settings_folder::NoSettings;
use domain::dashboard::provision::{Object, Refusal, WorkspaceId};
use domain::settings::Mistakes;
use thiserror::Error;

/// AWS's word for a call that the function's role does not allow.
pub(crate) const DENIED: &str = "AccessDeniedException";

/// Why a task is not done.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The environment, or the event.
    #[error(transparent)]
    Mistaken(#[from] Mistakes),
    /// The settings files.
    #[error(transparent)]
    NoSettings(#[from] NoSettings),
    /// The Grafana is not one that can be changed, or holds what is somebody else's.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such workspace.
    #[error(
        "there is no workspace {0} in this region and account; `aws grafana list-workspaces` shows those that are there"
    )]
    NoWorkspace(WorkspaceId),
    /// AWS is at work on it.
    #[error(
        "the workspace {workspace} is {state} and did not become ACTIVE in time; deploy again when it is"
    )]
    Changing {
        /// Which.
        workspace: WorkspaceId,
        /// AWS's word.
        state: String,
    },
    /// It does not work.
    #[error("the workspace {workspace} is {state}: mend it, or use another one")]
    Broken {
        /// Which.
        workspace: WorkspaceId,
        /// AWS's word.
        state: String,
    },
    /// AWS.
    #[error("workspace {workspace}: {fault}{}", advice(fault))]
    Aws {
        /// Which.
        workspace: WorkspaceId,
        /// Why.
        fault: Fault,
    },
    /// An address that nobody has said to be one's own Grafana's.
    #[error(
        "url: {0} is not the stack's GrafanaUrl, and no token is sent to another address; deploy with \
         GrafanaUrl, or correct the event"
    )]
    OtherGrafana(String),
    /// The token of one's own Grafana.
    #[error(transparent)]
    NoToken(#[from] NoSecret),
    /// Grafana, while reading what is there.
    #[error(transparent)]
    Grafana(#[from] GrafanaFault),
    /// Grafana, half-way.
    #[error("{object}: {fault}. {done} of {steps} steps are done; deploying again goes on from here")]
    Step {
        /// What was to be changed.
        object: Object,
        /// Why it was not.
        fault: GrafanaFault,
        /// Steps before it.
        done: usize,
        /// Steps in all.
        steps: usize,
    },
    /// Lambda's time.
    #[error(
        "it took too long, and was broken off before the function's time was up; deploying again goes on from there"
    )]
    OutOfTime,
    /// A mistake of ours.
    #[error("grafana-provisioner has a defect; its log has the place. Deploying again may help")]
    Panicked,
}

impl Failure {
    /// Whether something may have been changed. What was not is not to be removed either: the
    /// removal would meet the same failure.
    pub(crate) const fn has_left_traces(&self) -> bool {
        matches!(self, Self::Step { .. } | Self::OutOfTime | Self::Panicked)
    }
}

fn advice(fault: &Fault) -> &'static str {
    match fault.code.as_str() {
        DENIED => "; the function's role must allow this on the workspace",
        "ServiceQuotaExceededException" => {
            "; the workspace has as many service accounts or tokens as it may have"
        }
        _ if fault.is_transient() => "; deploy again in some minutes",
        _ => "",
    }
}
