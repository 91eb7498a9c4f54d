//! grafana-provisioner: this stack's dashboards, alert rules, contact point and route, in a Grafana.
//!
//! 1. CloudFormation says that the stack comes, changes or goes; or somebody invokes it.
//! 2. What is in the Grafana is read, with a token that lives as long as the invocation.
//! 3. The steps from there to what should be are taken, and nothing else is touched.
//! 4. CloudFormation is answered, whatever happened.
//!
//! The start reads the environment and builds clients; it calls nothing. It does not fail either:
//! CloudFormation would wait an hour for an answer.

mod answer;
mod carrying_out;
mod config;
mod connecting;
mod event;
mod failure;
mod handler;
mod job;
mod reading;
mod summary;
mod terms;

use std::time::Duration;

use adapters::aws_config;
use adapters::grafana::Workspaces;
use adapters::secrets::Secrets;
use adapters::settings_folder::SettingsFiles;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};

use crate::config::Config;
use crate::handler::{Function, Tools};

/// A token of one's own Grafana may have been replaced between two invocations.
const SECRETS_KEPT_FOR: Duration = Duration::from_mins(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = Config::from_env();
    match &config {
        Ok(config) => tracing::info!(config = %serde_json::to_string(config)?, "starting"),
        Err(mistakes) => tracing::error!(error = %mistakes, "bad configuration"),
    }
    let aws = aws_config();
    let folder = config.as_ref().ok().and_then(|config| config.settings_folder.clone());
    let tools = Tools {
        workspaces: Workspaces::new(&aws),
        secrets: Secrets::new(&aws, SECRETS_KEPT_FOR),
        settings_files: folder.map(|folder| SettingsFiles::new(&aws, folder)),
        region: aws.region().map(ToString::to_string).unwrap_or_default(),
    };
    let function = Function { tools, config };
    run(service_fn(|event: LambdaEvent<serde_json::Value>| function.handle(event))).await
}
