//! Workspaces: `DescribeWorkspace`, their configuration, service accounts and tokens.

use aws_sdk_grafana::Client;
use aws_sdk_grafana::types::{Role, WorkspaceStatus};
use aws_smithy_types::retry::RetryConfig;
use domain::dashboard::provision::{GrafanaVersion, WorkspaceId};

use crate::fault::UNREADABLE;
use crate::patience::limited;
use crate::{Fault, Secret};

use super::Address;

/// Most of this API takes one call a second (Amazon Managed Grafana user guide, "Service quotas").
const ATTEMPTS: u32 = 7;

/// Amazon Managed Grafana.
#[derive(Debug, Clone)]
pub struct Workspaces {
    client: Client,
}

/// A workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Where its Grafana is.
    pub address: Address,
    /// Which Grafana it is.
    pub version: GrafanaVersion,
    /// Whether it can be worked on.
    pub state: State,
}

/// Whether a workspace can be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It can.
    Ready,
    /// Not now: AWS changes it. The word is AWS's, such as `UPDATING`.
    Changing(String),
    /// It is being deleted.
    Going,
    /// It cannot, until somebody mends it.
    Broken(String),
}

/// A token that was just made.
#[derive(Debug)]
pub struct Token {
    /// Its id, to delete it by.
    pub id: String,
    /// The token.
    pub key: Secret,
}

impl Workspaces {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let config = limited(config).into_builder().retry_config(retries).build();
        Self { client: Client::new(&config) }
    }

    /// The workspace; `None` when there is none.
    pub async fn describe(&self, id: &WorkspaceId) -> Result<Option<Workspace>, Fault> {
        const OPERATION: &str = "DescribeWorkspace";
        let answer = match self.client.describe_workspace().workspace_id(id.as_str()).send().await {
            Ok(answer) => answer,
            Err(error) => return unless_missing(Fault::of(OPERATION, &error), None),
        };
        let workspace = answer.workspace.ok_or_else(|| Fault::here(OPERATION, UNREADABLE))?;
        // AWS leaves the scheme out.
        let endpoint = workspace.endpoint();
        let endpoint =
            if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
        let address =
            Address::parse(&endpoint).map_err(|_| Fault::here(OPERATION, "no address of a Grafana"))?;
        let version = workspace.grafana_version().parse();
        let version = version.map_err(|_| Fault::here(OPERATION, "no version of Grafana"))?;
        Ok(Some(Workspace { address, version, state: state(workspace.status()) }))
    }

    /// The workspace's configuration, a JSON text.
    pub async fn configuration(&self, id: &WorkspaceId) -> Result<String, Fault> {
        let request = self.client.describe_workspace_configuration().workspace_id(id.as_str());
        let answer = request.send().await;
        answer
            .map(|answer| answer.configuration)
            .map_err(|error| Fault::of("DescribeWorkspaceConfiguration", &error))
    }

    /// Gives the workspace a configuration. It restarts for it.
    pub async fn configure(&self, id: &WorkspaceId, configuration: &str) -> Result<(), Fault> {
        let request = self.client.update_workspace_configuration().workspace_id(id.as_str());
        let answer = request.configuration(configuration).send().await;
        answer.map(drop).map_err(|error| Fault::of("UpdateWorkspaceConfiguration", &error))
    }

    /// The id of the service account of this name.
    pub async fn service_account(&self, id: &WorkspaceId, name: &str) -> Result<Option<String>, Fault> {
        let request = self.client.list_workspace_service_accounts().workspace_id(id.as_str());
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Fault::of("ListWorkspaceServiceAccounts", &error))?;
            let found = page.service_accounts().iter().find(|account| account.name() == name);
            if let Some(account) = found {
                return Ok(Some(account.id().to_owned()));
            }
        }
        Ok(None)
    }

    /// Makes a service account that may change everything inside of the workspace, and says its id.
    pub async fn create_service_account(&self, id: &WorkspaceId, name: &str) -> Result<String, Fault> {
        let request = self.client.create_workspace_service_account().workspace_id(id.as_str()).name(name);
        let answer = request.grafana_role(Role::Admin).send().await;
        answer.map(|answer| answer.id).map_err(|error| Fault::of("CreateWorkspaceServiceAccount", &error))
    }

    /// Deletes a service account and its tokens. One that is not there is as good.
    pub async fn delete_service_account(&self, id: &WorkspaceId, account: &str) -> Result<(), Fault> {
        let request = self.client.delete_workspace_service_account().workspace_id(id.as_str());
        let answer = request.service_account_id(account).send().await;
        let fault = |error| Fault::of("DeleteWorkspaceServiceAccount", &error);
        answer.map(drop).map_err(fault).or_else(|fault| unless_missing(fault, ()))
    }

    /// Makes a token that ends by itself after so many seconds.
    pub async fn create_token(
        &self,
        id: &WorkspaceId,
        account: &str,
        name: &str,
        seconds: i32,
    ) -> Result<Token, Fault> {
        const OPERATION: &str = "CreateWorkspaceServiceAccountToken";
        let request = self.client.create_workspace_service_account_token().workspace_id(id.as_str());
        let request = request.service_account_id(account).name(name).seconds_to_live(seconds);
        let answer = request.send().await.map_err(|error| Fault::of(OPERATION, &error))?;
        let token = answer.service_account_token.ok_or_else(|| Fault::here(OPERATION, UNREADABLE))?;
        Ok(Token { id: token.id, key: Secret::new(&token.key) })
    }

    /// Deletes a token. One that is not there is as good.
    pub async fn delete_token(&self, id: &WorkspaceId, account: &str, token: &str) -> Result<(), Fault> {
        let request = self.client.delete_workspace_service_account_token().workspace_id(id.as_str());
        let answer = request.service_account_id(account).token_id(token).send().await;
        let fault = |error| Fault::of("DeleteWorkspaceServiceAccountToken", &error);
        answer.map(drop).map_err(fault).or_else(|fault| unless_missing(fault, ()))
    }
}

fn unless_missing<T>(fault: Fault, missing: T) -> Result<T, Fault> {
    if fault.code == "ResourceNotFoundException" { Ok(missing) } else { Err(fault) }
}

fn state(status: &WorkspaceStatus) -> State {
    let word = status.as_str().to_owned();
    match status {
        // What failed was a change: the workspace is as it was before, and its Grafana says whether it
        // works.
        WorkspaceStatus::Active
        | WorkspaceStatus::Degraded
        | WorkspaceStatus::LicenseRemovalFailed
        | WorkspaceStatus::UpdateFailed
        | WorkspaceStatus::UpgradeFailed
        | WorkspaceStatus::VersionUpdateFailed => State::Ready,
        WorkspaceStatus::Creating
        | WorkspaceStatus::Updating
        | WorkspaceStatus::Upgrading
        | WorkspaceStatus::VersionUpdating => State::Changing(word),
        WorkspaceStatus::Deleting => State::Going,
        _ => State::Broken(word),
    }
}
