//! capacity-meter over 1,000 components on 8 GPUs each: its own time, memory and calls. CloudWatch,
//! SageMaker and the price list are the stand-ins, which compute their answers; the state table is
//! that of [`super::services`].

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::services::Services;
use super::table::{Figures, Measure, Target};
use super::{megabytes, start};
use crate::failure::{During, Failure, Outcome};
use crate::functions::{self, CAPACITY_METER};
use crate::progress::Step;
use crate::runtime_api::{Answer, Function};
use crate::scenario::generated;
use crate::stand_in::{Options, Server};

const ENDPOINTS: u32 = 10;
const COMPONENTS: u32 = 100;
const GPUS: u32 = 8;
/// Runs after the first, of which the median counts.
const RUNS: usize = 5;
const LONG: Duration = Duration::from_mins(5);

pub(super) async fn measure(
    binary: &Path,
    empty: &Path,
    services: &Services,
    figures: &mut Figures,
) -> Outcome<()> {
    let step = Step::start("meter 1,000 components");
    let scenario = generated(ENDPOINTS, COMPONENTS, GPUS);
    let options = Options { scenario: Some(scenario), ..Options::default() };
    let fleet = Server::start(options).during("start the stand-ins")?;
    let (aws, fleet) = (services.url(), fleet_variables(&fleet));
    let changes: Vec<(&str, &str)> = fleet.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let variables = functions::variables(CAPACITY_METER, &aws, &aws, &changes);

    start::to_first_poll("meter: start to first poll", (binary, &variables), empty, figures).await?;
    let mut function = Function::start(binary, &variables).await?;
    let first = run(&mut function).await?;
    let mut later = Vec::new();
    for _ in 0..RUNS {
        later.push(run(&mut function).await?);
    }
    later.sort_by_key(|run| run.processor);
    let Some(kept) = later.into_iter().nth(RUNS / 2) else { return Ok(()) };
    let what = "meter: own time, 1,000 components x 8 GPUs";
    for (run, when) in [(&first, "all of SageMaker read"), (&kept, "topology kept")] {
        let own = Measure::new(run.processor.as_secs_f64(), 2, " s");
        figures.add(format!("{what}, {when}"), own, Target::AtMost(2.0));
        let clock = Measure::new(run.time.as_secs_f64(), 2, " s");
        figures.add("  by the clock, services on the same cores", clock, Target::None);
    }
    let peak = megabytes(function.peak_memory()?);
    figures.add("meter: peak memory, the same", peak, Target::AtMost(128.0));
    add_calls(&kept.summary, figures);
    step.done("");
    Ok(())
}

fn fleet_variables(server: &Server) -> Vec<(&'static str, String)> {
    let names = ["AWS_ENDPOINT_URL_CLOUDWATCH", "AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL_PRICING"];
    names.map(|name| (name, server.url())).into()
}

struct Run {
    time: Duration,
    processor: Duration,
    summary: Value,
}

/// Has the function meter everything, and makes sure that it did.
async fn run(function: &mut Function) -> Outcome<Run> {
    let (started, ticks) = (Instant::now(), function.processor_ticks()?);
    let answer = function.invoke(&json!({}), LONG).await?;
    let time = started.elapsed();
    let processor = Duration::from_millis((function.processor_ticks()? - ticks) * 10);
    let Answer::Response(summary) = answer else {
        return Err(Failure(format!("the fleet was not metered: {answer:?}")));
    };
    let used = |one: &Value| one.pointer("/gpus/used").and_then(Value::as_u64).unwrap_or_default();
    let endpoints = summary["endpoints"].as_array().map(Vec::as_slice).unwrap_or_default();
    let gpus: u64 = endpoints.iter().map(used).sum();
    if gpus != u64::from(ENDPOINTS * COMPONENTS * GPUS) || summary.get("problems").is_some() {
        let problems = &summary["problems"];
        return Err(Failure(format!("{gpus} GPUs were counted, with the problems {problems}")));
    }
    Ok(Run { time, processor, summary })
}

fn add_calls(summary: &Value, figures: &mut Figures) {
    let calls = |name: &str| summary["calls"][name].as_u64().unwrap_or_default();
    let wanted = calls("metrics_requested");
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = |number: u64| Measure::new(number as f64, 0, "");
    let least = Target::AtMost(f64::from(u32::try_from(wanted.div_ceil(500)).unwrap_or(u32::MAX)));
    figures.add(
        format!("meter: GetMetricData calls for {wanted} series"),
        count(calls("get_metric_data")),
        least,
    );
    for (operation, name) in [("ListMetrics", "list_metrics"), ("PutMetricData", "put_metric_data")] {
        figures.add(format!("meter: {operation} calls"), count(calls(name)), Target::None);
    }
}
