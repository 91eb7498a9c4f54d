//! Assay on this machine: `make local`, `make invoke` and `make demo`.
#![expect(clippy::print_stderr, reason = "a command-line tool")]

use std::process::ExitCode;
use std::time::Duration;

use tests::failure::{Failure, Outcome};
use tests::local;

const USAGE: &str = "local up [--judge-delay-ms N]     keep an environment up until Ctrl-C
local invoke FUNCTION EVENT       send an event file to a deployed function, show its summary
local demo [--small-judge]        deploy, upload sample captures, show what comes out";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["up"] => local::up(Duration::ZERO).await,
        ["up", "--judge-delay-ms", delay] => {
            let wrong = |_| Failure(format!("--judge-delay-ms: {delay} is not a number"));
            local::up(Duration::from_millis(delay.parse().map_err(wrong)?)).await
        }
        ["invoke", function, event] => local::invoke(function, event).await,
        ["demo"] => local::demo().await,
        ["demo", "--small-judge"] => local::demo_with_small_judge().await,
        _ => Err(Failure(USAGE.to_owned())),
    }
}
