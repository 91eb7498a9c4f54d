//! alert-router: every alert understood, classified, enriched, delivered once.
//!
//! 1. Messages of Grafana, CloudWatch, Alertmanager and others come in through one SNS topic.
//! 2. Each alert in them is looked up in CloudWatch and the state table, and classified.
//! 3. What is remembered of it decides whether it is new, worse, over or just repeated.
//! 4. Slack, PagerDuty, Opsgenie, Amazon Q and webhooks are told, each once; what cannot be
//!    delivered fails the event, so that Lambda comes back.
//!
//! Configuration, rules and clients are made while the first event is asked for. That calls
//! nothing.

mod config;
mod delivering;
mod event;
mod handler;
mod looking_up;
mod measures;
mod preparing;
mod records;
mod returning;
mod sending;
mod storms;
mod summary;
mod telling;
mod terms;
mod wording;
mod work;

use adapters::metrics::Metrics;
use adapters::queue::Queue;
use adapters::secrets::Secrets;
use adapters::settings_folder::{NoSettings, SettingsFiles};
use adapters::state::StateTable;
use adapters::topic::Topics;
use adapters::{Prepared, aws_config};
use lambda_runtime::{Error, run, service_fn, tracing};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::handler::{Function, Tools};
use crate::terms::Terms;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let function = Prepared::by(function);
    let answer = |event| async { function.get().await?.handle(event).await };
    function.serve(Box::pin(run(service_fn(answer)))).await
}

fn function() -> Result<Function, NoSettings> {
    let config = Config::from_env()?;
    tracing::info!(config = %serde_json::to_string(&config).unwrap_or_default(), "starting");
    let aws = aws_config();
    let settings_files = config.settings_folder.clone().map(|folder| SettingsFiles::new(&aws, folder));
    // Files compiled in are checked here; those of CONFIG_URI when the first event fetches them.
    let terms = match &settings_files {
        None => OnceCell::from(Terms::shipped(&config)?),
        Some(_) => OnceCell::new(),
    };
    let dead_letters = Queue::new(&aws, &config.dead_letter_queue_url);
    let tools = Tools {
        state: StateTable::new(&aws, &config.state_table),
        metrics: Metrics::new(&aws),
        secrets: Secrets::new(&aws, config.secrets_kept_for),
        topics: Topics::new(&aws),
        returns: dead_letters.beside(&config.return_queue_url),
        dead_letters,
        region: aws.region().map(ToString::to_string).unwrap_or_default(),
        config,
    };
    Ok(Function { tools, settings_files, terms })
}
