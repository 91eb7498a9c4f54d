//! `local invoke`: sends an event file to a deployed function and shows what it answers.
//! `events/README.md` says what is done to the event first.

use std::io::{Write as _, stdout};

use serde_json::Value;

use super::event::made_true;
use crate::clients::Clients;
use crate::environment::{Endpoints, Environment};
use crate::failure::{During, Failure, Outcome};
use crate::project;
use crate::stack;
use crate::stand_in::Options;

/// Invokes `function` with the event in `file`. Uses the environment that is up, or starts one for
/// this call.
pub async fn invoke(function: &str, file: &str) -> Outcome<()> {
    check(function, file)?;
    let mut started = None;
    let endpoints = if let Some(endpoints) = Endpoints::of_running().await {
        endpoints
    } else {
        say("No environment is up (`make local` keeps one); starting one for this call.\n")?;
        let environment = Environment::start(Options::default(), &[]).await?;
        started.insert(environment).endpoints()
    };
    let answer = answer(&endpoints, function, file).await;
    drop(started);
    match answer? {
        Ok(response) => say(&format!("{response:#}\n")),
        Err(error) => Err(Failure(format!("{function} failed:\n{error:#}"))),
    }
}

/// What `function` of the environment at `endpoints` answers to the event in `file`: its response, or
/// its error.
pub async fn answer(endpoints: &Endpoints, function: &str, file: &str) -> Outcome<Result<Value, Value>> {
    let clients = Clients::of(&endpoints.aws_endpoint_url).await;
    let event = made_true(&clients, endpoints.output("CaptureBucketName")?, file).await?;
    stack::answer(&clients, function, &event).await
}

fn check(function: &str, file: &str) -> Outcome<()> {
    let names = project::functions().during("list the functions")?;
    if !names.iter().any(|name| name == function) {
        return Err(Failure(format!("FUNCTION={function} is none of: {}", names.join(", "))));
    }
    if file.is_empty() || !project::root().join(file).is_file() {
        return Err(Failure(format!("EVENT={file} is no file; events/README.md lists the samples")));
    }
    Ok(())
}

fn say(text: &str) -> Outcome<()> {
    stdout().write_all(text.as_bytes()).during("write to standard output")
}
