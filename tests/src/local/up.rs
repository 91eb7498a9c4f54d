//! `local up`: keeps an environment running until it is asked to stop.

use std::fs;
use std::io::{Write as _, stdout};
use std::time::Duration;

use super::alone;
use crate::environment::{Endpoints, Environment};
use crate::failure::{During, Failure, Outcome};
use crate::process;
use crate::stand_in::{Options, WORKSPACE};

/// From one datapoint of the fleet to the next.
const PUBLISHING: Duration = Duration::from_mins(1);

/// Starts an environment, writes where it is, and waits for Ctrl-C.
pub async fn up(options: Options) -> Outcome<()> {
    if let Some(running) = Endpoints::of_running().await {
        return Err(Failure(format!("an environment is up already at {}", running.aws_endpoint_url)));
    }
    let mut environment = tokio::select! {
        environment = Environment::start(options, &[]) => environment?,
        stop = process::asked_to_stop() => return stop.during("wait for Ctrl-C"),
    };
    let endpoints = environment.endpoints();
    endpoints.write()?;
    alone::write(&endpoints).await?;
    say(&endpoints)?;
    let stop = tokio::select! {
        stop = process::asked_to_stop() => stop.during("wait for Ctrl-C"),
        failure = keep_publishing(&mut environment) => failure,
    };
    drop(fs::remove_file(Endpoints::path()));
    stop
}

/// The fleet goes on publishing as long as it is up.
async fn keep_publishing(environment: &mut Environment) -> Outcome<()> {
    loop {
        tokio::time::sleep(PUBLISHING).await;
        environment.keep_publishing().await?;
    }
}

fn say(endpoints: &Endpoints) -> Outcome<()> {
    let bucket = endpoints.output("CaptureBucketName")?;
    let text = format!(
        "\nAssay is up. Everything listens on 127.0.0.1 only; Ctrl-C ends it.\n\n  \
         AWS emulator   {aws}   (region {region}, keys test / test)\n  \
         stand-ins      {stand_ins}\n  \
         captures go to s3://{bucket}\n  \
         logs           {log}\n  \
         variables      .local/<function>.env, for a function by itself: events/README.md\n  \
         all addresses  {file}\n\nTry, in another terminal:\n  \
         make invoke FUNCTION=quality-judge EVENT=events/quality-judge.s3-put.json\n  \
         make invoke FUNCTION=capacity-meter EVENT=events/capacity-meter.schedule.json\n  \
         make invoke FUNCTION=alert-router EVENT=events/alert-router.grafana-quality.json\n  \
         make invoke FUNCTION=grafana-provisioner EVENT=events/grafana-provisioner.dry-run.json\n  \
         make seed SCENARIO=mixed                        # another fleet, from tests/scenarios\n  \
         curl {stand_ins}/_requests?last=1        # the last call: to the judge, Slack ...\n  \
         curl {stand_ins}/_grafana/{WORKSPACE}  # what is in Grafana\n  \
         curl {stand_ins}/_replies -d '{{\"status\": 429, \"body\": {{\"message\": \"slow down\"}}, \"times\": 3}}'\n",
        aws = endpoints.aws_endpoint_url,
        region = endpoints.aws_region,
        stand_ins = endpoints.stand_ins,
        log = endpoints.log.display(),
        file = Endpoints::path().display(),
    );
    stdout().write_all(text.as_bytes()).during("write to standard output")
}
