//! The stand-ins by themselves, to point a function or a tool at. Ends with Ctrl-C.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::process::ExitCode;
use std::time::Duration;

use tests::scenario::Scenario;
use tests::stand_in::{Options, Server};

const USAGE: &str = "stand-ins [--port N] [--judge-delay-ms N] [--scenario NAME]

Answers for Amazon Bedrock (Converse), SageMaker, the Price List API and CloudWatch on 127.0.0.1.
Prints its address on the first line. NAME is one of tests/scenarios or a file.
What it received: GET /_requests; what to answer instead: POST /_replies; another fleet: PUT /_scenario.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let port = options.port;
    let server = match Server::start(options) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("cannot start on 127.0.0.1:{port}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", server.url());
    match tests::process::asked_to_stop().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot wait for a signal: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
        let mut number = || {
            let value = value()?;
            value.parse::<u64>().map_err(|_| format!("{name}: {value} is not a number"))
        };
        match name.as_str() {
            "--port" => {
                let port = number()?;
                options.port = port.try_into().map_err(|_| format!("--port: {port} is not a port"))?;
            }
            "--judge-delay-ms" => options.judge_delay = Duration::from_millis(number()?),
            "--scenario" => {
                let scenario = Scenario::named(&value()?).map_err(|failure| failure.0)?;
                options.scenario = Some(scenario);
            }
            _ => return Err(format!("{name} is not an option")),
        }
    }
    Ok(options)
}
