//! capacity-meter: how many GPUs an endpoint has, which inference component holds them, and what
//! each costs an hour.
//!
//! 1. A schedule starts a run over all watched endpoints; one that is too large is split over a queue.
//! 2. CloudWatch says which GPUs, copies and instances are alive, SageMaker what there should be.
//! 3. The price of each instance is divided over who holds its GPUs and what stands idle.
//! 4. The result is published as metrics, logged, and answered as a breakdown.
//!
//! Configuration, prices and clients are made while the first event is asked for. That calls
//! nothing.

mod config;
mod event;
mod handler;
mod prices;
mod run;
mod summary;
mod terms;
mod topologies;
mod usage;

use adapters::control_plane::ControlPlane;
use adapters::metrics::Metrics;
use adapters::price_list::PriceList;
use adapters::queue::Queue;
use adapters::settings_folder::{NoSettings, SettingsFiles};
use adapters::state::StateTable;
use adapters::{Prepared, aws_config};
use domain::capacity::price::price_list_home;
use domain::settings::Mistakes;
use lambda_runtime::{Error, run, service_fn, tracing};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::handler::Function;
use crate::run::Tools;
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
    let region = aws.region().map(ToString::to_string).ok_or_else(|| Mistakes {
        source_name: "the function's environment".to_owned(),
        list: vec!["AWS_REGION: is not set".to_owned()],
    })?;
    let settings_files = config.settings_folder.clone().map(|folder| SettingsFiles::new(&aws, folder));
    // The file compiled in is checked here; that of CONFIG_URI when the first event fetches it.
    let terms = match &settings_files {
        None => OnceCell::from(Terms::shipped(&region)?),
        Some(_) => OnceCell::new(),
    };
    let price_list_home = price_list_home(&region).filter(|_| config.read_prices);
    let tools = Tools {
        metrics: Metrics::new(&aws),
        state: StateTable::new(&aws, &config.state_table),
        control_plane: config.read_topology.then(|| ControlPlane::new(&aws)),
        price_list: price_list_home.map(|home| PriceList::new(&aws, home)),
        queue: config.meter_queue_url.as_ref().map(|url| Queue::new(&aws, url)),
        region,
        config,
    };
    Ok(Function { tools, settings_files, terms })
}
