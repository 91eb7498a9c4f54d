//! The way into a Grafana: a workspace that works, alerting that is on, and a token that ends with
//! the invocation.

use std::time::Duration;

use adapters::Fault;
use adapters::grafana::{Grafana, State, Token, Workspace, Workspaces};
use domain::dashboard::Identity;
use domain::dashboard::provision::WorkspaceId;
use domain::dashboard::provision::alerting::{Alerting, alerting};
use tokio::time::{Instant, sleep};

use crate::event::{Action, Task};
use crate::failure::{DENIED, Failure};
use crate::summary::Summary;

/// A token that could not be deleted ends by itself after so many seconds.
const TOKEN_SECONDS: i32 = 600;
/// Between two looks at a workspace that AWS changes.
const PAUSE: Duration = Duration::from_secs(5);

/// The role's policy may be seconds old, and IAM takes a while to spread it. Whoever invokes the function
/// by the command line waits a minute for its answer.
const PERMISSION: Duration = Duration::from_secs(45);

/// A workspace that works, with a token.
#[derive(Debug)]
pub(crate) struct Access<'a> {
    workspaces: &'a Workspaces,
    id: WorkspaceId,
    account: String,
    /// Whether the account was not there before.
    is_new_account: bool,
    token: Token,
    pub(crate) workspace: Workspace,
}

/// The workspace as soon as it works; `None` when it is gone or going.
///
/// # Errors
/// AWS does not let it work in time, or at all.
pub(crate) async fn reach(
    workspaces: &Workspaces,
    id: &WorkspaceId,
    until: Instant,
) -> Result<Option<Workspace>, Failure> {
    let permitted = until.min(Instant::now() + PERMISSION);
    loop {
        let workspace = match workspaces.describe(id).await {
            Ok(Some(workspace)) => workspace,
            Ok(None) => return Ok(None),
            Err(fault) if fault.code == DENIED && Instant::now() + PAUSE < permitted => {
                sleep(PAUSE).await;
                continue;
            }
            Err(fault) => return Err(aws(id, fault)),
        };
        match &workspace.state {
            State::Ready => return Ok(Some(workspace)),
            State::Going => return Ok(None),
            State::Broken(state) => {
                return Err(Failure::Broken { workspace: id.clone(), state: state.clone() });
            }
            State::Changing(state) if Instant::now() + PAUSE >= until => {
                return Err(Failure::Changing { workspace: id.clone(), state: state.clone() });
            }
            State::Changing(_) => sleep(PAUSE).await,
        }
    }
}

/// Makes sure that rules would be evaluated.
pub(crate) async fn ready_to_alert(
    workspaces: &Workspaces,
    id: &WorkspaceId,
    workspace: Workspace,
    task: &Task,
    until: Instant,
    summary: &mut Summary,
) -> Result<Workspace, Failure> {
    if task.action == Action::Remove || !workspace.version.can_lack_alerting() {
        return Ok(workspace);
    }
    let configuration = workspaces.configuration(id).await.map_err(|fault| aws(id, fault))?;
    match alerting(workspace.version, &configuration, task.may_enable_alerting)? {
        Alerting::Ready => Ok(workspace),
        Alerting::SwitchOn(_) if task.is_dry_run => {
            summary.notes.push("unified alerting is off, and would be switched on".to_owned());
            Ok(workspace)
        }
        Alerting::SwitchOn(configuration) => {
            tracing::warn!(workspace = %id, "switching on unified alerting; the workspace restarts");
            workspaces.configure(id, &configuration).await.map_err(|fault| aws(id, fault))?;
            summary.notes.push("unified alerting was off and is switched on".to_owned());
            // It goes on being ACTIVE for a moment.
            sleep(PAUSE).await;
            let reached = reach(workspaces, id, until).await?;
            reached.ok_or_else(|| Failure::NoWorkspace(id.clone()))
        }
    }
}

impl<'a> Access<'a> {
    /// Gets a token, and a service account for it where there is none. `name` tells tokens apart.
    pub(crate) async fn open(
        workspaces: &'a Workspaces,
        id: &WorkspaceId,
        workspace: Workspace,
        identity: &Identity,
        name: &str,
    ) -> Result<Self, Failure> {
        let own = account_name(identity);
        let failed = |fault| aws(id, fault);
        let found = workspaces.service_account(id, &own).await.map_err(failed)?;
        let is_new_account = found.is_none();
        let account = match found {
            Some(account) => account,
            None => workspaces.create_service_account(id, &own).await.map_err(failed)?,
        };
        match workspaces.create_token(id, &account, name, TOKEN_SECONDS).await {
            Ok(token) => Ok(Self { workspaces, id: id.clone(), account, is_new_account, token, workspace }),
            Err(fault) => {
                if is_new_account {
                    // The first fault is the one to tell.
                    let _ = workspaces.delete_service_account(id, &account).await;
                }
                Err(failed(fault))
            }
        }
    }

    /// The Grafana, opened with the token.
    pub(crate) fn grafana(&self) -> Grafana {
        Grafana::open(self.workspace.address.clone(), self.token.key.clone())
    }

    /// Deletes the token, and the account when nothing else of ours is there.
    pub(crate) async fn close(self, task: &Task, done: &Result<(), Failure>) -> Result<(), Failure> {
        let (workspaces, id) = (self.workspaces, &self.id);
        let token = workspaces.delete_token(id, &self.account, &self.token.id).await;
        let has_traces = done.as_ref().err().is_none_or(Failure::has_left_traces);
        let is_last = task.action == Action::Remove && done.is_ok() && !task.is_dry_run;
        let is_left_over = self.is_new_account && (task.is_dry_run || !has_traces);
        let account = if is_last || is_left_over {
            workspaces.delete_service_account(id, &self.account).await
        } else {
            Ok(())
        };
        token.and(account).map_err(|fault| aws(id, fault))
    }
}

/// One a stack; its name has at most 128 characters, and so has a stack's.
fn account_name(identity: &Identity) -> String {
    identity.uid("provisioner")
}

fn aws(workspace: &WorkspaceId, fault: Fault) -> Failure {
    Failure::Aws { workspace: workspace.clone(), fault }
}
