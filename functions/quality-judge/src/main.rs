//! quality-judge: scores captured LLM traffic.
//!
//! 1. S3 data-capture objects come in through a queue.
//! 2. Every record is read, attributed to an inference component and checked for free.
//! 3. A sample of them is scored by a judge on Amazon Bedrock against a versioned rubric.
//! 4. Verdicts are stored as JSON lines, metrics are published per inference component.
//!
//! Configuration, settings and clients are made while the first event is asked for. That calls
//! nothing.

mod budget;
mod checkpoint;
mod config;
mod event;
mod handler;
mod judging;
mod lines;
mod object;
mod outcome;
mod reading;
mod run;
mod selection;
mod standards;
mod summary;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adapters::captures::Captures;
use adapters::judge::BedrockJudge;
use adapters::metrics::Metrics;
use adapters::queue::Queue;
use adapters::settings_folder::{NoSettings, SettingsFiles};
use adapters::state::StateTable;
use adapters::{Prepared, aws_config};
use lambda_runtime::{Error, run, service_fn, tracing};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::handler::Function;
use crate::judging::{Bench, Gate};
use crate::object::Tools;
use crate::standards::Standards;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let function = Prepared::by(function);
    let answer = |event| async { function.get().await?.handle(event).await };
    function.serve(Box::pin(run(service_fn(answer)))).await
}

fn function() -> Result<Function<BedrockJudge>, NoSettings> {
    let config = Config::from_env()?;
    tracing::info!(config = %serde_json::to_string(&config).unwrap_or_default(), "starting");
    let aws = aws_config();
    let queue = config.capture_queue_url.as_ref().map(|url| Queue::new(&aws, url));
    let settings_files = config.settings_folder.clone().map(|folder| SettingsFiles::new(&aws, folder));
    // Files compiled in are checked here; those of CONFIG_URI when the first event fetches them.
    let standards = match &settings_files {
        None => OnceCell::from(Arc::new(Standards::shipped(&config)?)),
        Some(_) => OnceCell::new(),
    };
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
    Ok(Function { tools: Arc::new(tools), queue, settings_files, standards })
}
