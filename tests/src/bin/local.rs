//! Assay on this machine: `make local`, `make seed`, `make invoke`, `make demo`,
//! `make check-config` and `make preview-alerts`.
#![expect(clippy::print_stderr, reason = "a command-line tool")]

use std::process::ExitCode;
use std::time::Duration;

use tests::failure::{Failure, Outcome};
use tests::local;
use tests::scenario::{self, Scenario};
use tests::stand_in::Options;

const USAGE: &str = "local up [--scenario NAME] [--judge-delay-ms N]   keep an environment up until Ctrl-C
local seed [NAME]                    publish the metrics of a fleet into the environment that is up
local invoke FUNCTION EVENT          send an event file to a deployed function, show its summary
local check-config [FOLDER [EVENT]]  say what is wrong with the settings files in FOLDER (config), and what
                                     the rules make of the alerts in an event
local preview-alerts                 write what Slack would show of the sample events into .local/previews
local demo [--scenario NAME] [--small-judge]   deploy, upload captures, seed metrics, show what comes out

NAME is one of tests/scenarios, without .toml, or the path of a file.";

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
        ["up", options @ ..] => local::up(read(options, "--judge-delay-ms")?.options()?).await,
        ["seed"] => local::seed(scenario::DEFAULT).await,
        ["seed", name] => local::seed(name).await,
        ["invoke", function, event] => local::invoke(function, event).await,
        ["check-config"] => local::check_config("config", None),
        ["check-config", folder] => local::check_config(folder, None),
        ["check-config", folder, event] => local::check_config(folder, Some(event)),
        ["preview-alerts"] => local::preview_alerts().await,
        ["demo", "--small-judge"] => local::demo_with_small_judge().await,
        ["demo", options @ ..] => local::demo(read(options, "")?.options()?).await,
        _ => Err(Failure(USAGE.to_owned())),
    }
}

/// What stands after a command.
#[derive(Default)]
struct Given {
    scenario: Option<String>,
    judge_delay: Duration,
}

/// Reads `--scenario NAME`, and the option `delay` with a number of milliseconds.
fn read(options: &[&str], delay: &str) -> Outcome<Given> {
    let mut given = Given::default();
    for pair in options.chunks(2) {
        match pair {
            ["--scenario", name] => given.scenario = Some((*name).to_owned()),
            [option, number] if *option == delay => {
                let wrong = |_| Failure(format!("{delay}: {number} is not a number"));
                given.judge_delay = Duration::from_millis(number.parse().map_err(wrong)?);
            }
            _ => return Err(Failure(USAGE.to_owned())),
        }
    }
    Ok(given)
}

impl Given {
    fn options(self) -> Outcome<Options> {
        let scenario = self.scenario.as_deref().map(Scenario::named).transpose()?;
        Ok(Options { judge_delay: self.judge_delay, scenario, ..Options::default() })
    }
}
