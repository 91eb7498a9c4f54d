//! quality-judge: scores captured LLM traffic.
//!
//! 1. S3 data-capture objects come in through a queue.
//! 2. Every record is read, attributed to an inference component and checked for free.
//! 3. A sample of them is scored by a judge on Amazon Bedrock against a versioned rubric.
//! 4. Verdicts are stored as JSON lines, metrics are published per inference component.
//!
//! The start reads the environment and builds clients; it calls nothing.

mod budget;
mod checkpoint;
mod config;
mod event;
mod handler;
mod judging;
mod object;
mod outcome;
mod reading;
mod run;
mod selection;
mod standards;
mod summary;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adapters::aws_config;
use adapters::captures::Captures;
use adapters::judge::BedrockJudge;
use adapters::metrics::Metrics;
use adapters::queue::Queue;
use adapters::settings_folder::SettingsFiles;
use adapters::state::StateTable;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::handler::Function;
use crate::judging::{Bench, Gate};
use crate::object::Tools;
use crate::standards::Standards;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config =
        Config::from_env().inspect_err(|mistakes| tracing::error!(%mistakes, "bad configuration"))?;
    // Files compiled in are checked here; those of CONFIG_URI when the first event fetches them.
    let standards = match &config.settings_folder {
        None => {
            let shipped = Standards::shipped(&config);
            OnceCell::from(Arc::new(
                shipped.inspect_err(|error| tracing::error!(%error, "bad configuration"))?,
            ))
        }
        Some(_) => OnceCell::new(),
    };
    tracing::info!(config = %serde_json::to_string(&config)?, "starting");
    let aws = aws_config().await;
    let queue = config.capture_queue_url.as_ref().map(|url| Queue::new(&aws, url));
    let settings_files = config.settings_folder.clone().map(|folder| SettingsFiles::new(&aws, folder));
    let bench = Bench {
        judge: BedrockJudge::new(&aws, &config.judge_model_id),
        model: config.judge_model_id.clone(),
        timeout: config.judge_timeout,
        has_answered: AtomicBool::new(false),
        gate: Gate::new(config.judge_concurrency),
    };
    let tools = Tools {
        captures: Captures::new(&aws),
        state: StateTable::new(&aws, &config.state_table),
        metrics: Metrics::new(&aws),
        bench,
        config,
    };
    let function = Function { tools: Arc::new(tools), queue, settings_files, standards };
    run(service_fn(|event: LambdaEvent<serde_json::Value>| function.handle(event))).await
}
