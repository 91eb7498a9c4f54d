//! The real `template.yaml`, built with `sam build` and deployed with `sam deploy`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::EnvironmentResponse;
use serde_json::Value;
use tokio::process::Command;

use crate::clients::Clients;
use crate::emulator::REGION;
use crate::failure::{During, Failure, Outcome};
use crate::progress::Step;
use crate::project;

/// The name of the stack.
pub const NAME: &str = "assay";

/// A deployed stack: what CloudFormation says about it.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its outputs by name.
    pub outputs: BTreeMap<String, String>,
}

impl Stack {
    /// Its output `name`.
    pub fn output(&self, name: &str) -> Outcome<&str> {
        let missing = || Failure(format!("the stack has no output {name}"));
        self.outputs.get(name).map(String::as_str).ok_or_else(missing)
    }
}

/// What is shipped is optimised, which takes most of the time of a build and changes nothing that a
/// function does.
const QUICK: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// Builds the functions for this machine. The result is the folder to deploy.
pub async fn build() -> Outcome<PathBuf> {
    // SAM builds one function after another. What they share is compiled before, on all cores.
    let mut together = tool("cargo")?;
    together.args(["lambda", "build", "--release", "--x86-64"]).envs(QUICK.iter().copied());
    for function in project::functions().during("list the functions")? {
        together.args(["--package", &function]);
    }
    run(together, "compile the functions (cargo lambda build)", "cargo-lambda.log").await?;
    let folder = project::local().join("build");
    let mut command = tool("sam")?;
    command
        .args(["build", "--template-file", "template.yaml", "--build-dir"])
        .arg(&folder)
        // arm64 would make rustup fetch a target that this machine cannot run anyway.
        .args(["--parameter-overrides", "Architecture=x86_64"])
        .envs(QUICK.iter().copied());
    run(command, "build the functions (sam build)", "sam-build.log").await?;
    Ok(folder)
}

/// Deploys what [`build`] made, with these parameters beside the architecture.
pub async fn deploy(clients: &Clients, folder: &Path, parameters: &[(&str, &str)]) -> Outcome<Stack> {
    let mut command = tool("sam")?;
    command
        .arg("deploy")
        .arg("--template-file")
        .arg(folder.join("template.yaml"))
        .args(["--stack-name", NAME, "--region", REGION, "--resolve-s3", "--no-confirm-changeset"])
        .args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        .args(["--no-progressbar", "--no-fail-on-empty-changeset"])
        .args(["--parameter-overrides", "Architecture=x86_64"])
        // In quotes: a value may hold spaces.
        .args(parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")))
        .env("AWS_ENDPOINT_URL", clients.endpoint());
    run(command, "deploy template.yaml (sam deploy)", "sam-deploy.log").await?;
    describe(clients).await
}

/// The stack as CloudFormation has it.
pub async fn describe(clients: &Clients) -> Outcome<Stack> {
    let request = clients.cloudformation.describe_stacks().stack_name(NAME);
    let answer = request.send().await.during("describe the stack")?;
    let outputs = answer.stacks().iter().flat_map(aws_sdk_cloudformation::types::Stack::outputs);
    let pair = |output: &aws_sdk_cloudformation::types::Output| {
        Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
    };
    Ok(Stack { outputs: outputs.filter_map(pair).collect() })
}

/// What the deployed `function` answers to `event`.
pub async fn invoke(clients: &Clients, function: &str, event: &Value) -> Outcome<Value> {
    let failed = |error| Failure(format!("{NAME}-{function} failed:\n{error:#}"));
    answer(clients, function, event).await?.map_err(failed)
}

/// The same for whom the function's error is an answer too: `{"errorType": ..., "errorMessage": ...}`.
pub async fn answer(clients: &Clients, function: &str, event: &Value) -> Outcome<Result<Value, Value>> {
    let name = format!("{NAME}-{function}");
    let step = Step::start(format!("invoke {name}"));
    let request = clients.lambda.invoke().function_name(&name);
    let request = request.payload(Blob::new(event.to_string().into_bytes()));
    let answer = request.send().await.during(format!("invoke {name}"))?;
    let payload = answer.payload().map(|blob| blob.as_ref().to_vec()).unwrap_or_default();
    let payload = serde_json::from_slice(&payload)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&payload).into_owned()));
    match answer.function_error() {
        None => {
            step.done("");
            Ok(Ok(payload))
        }
        Some(error) => {
            step.failed(error);
            Ok(Err(payload))
        }
    }
}

/// The variables that the deployed `function` has.
pub async fn variables(clients: &Clients, function: &str) -> Outcome<BTreeMap<String, String>> {
    let name = format!("{NAME}-{function}");
    let request = clients.lambda.get_function_configuration().function_name(&name);
    let configuration = request.send().await.during(format!("read the variables of {name}"))?;
    let variables = configuration.environment().and_then(EnvironmentResponse::variables);
    Ok(variables.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// `sam`, or `cargo` with the pinned `cargo lambda`.
fn tool(program: &str) -> Outcome<Command> {
    let tools = project::build_tools();
    let sam = tools.join("sam");
    if !sam.exists() {
        return Err(Failure(format!("{} is missing: run `make setup`", sam.display())));
    }
    // cargo-lambda and the Python that carries its linker must be found before all others.
    let mut path = tools.into_os_string();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    let mut command = Command::new(program);
    command
        .current_dir(project::root())
        .env("PATH", path)
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        // A template's own build profile must not depend on how these tests were started.
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

/// Runs a command with its output in a log, and shows that log's end when it fails.
async fn run(mut command: Command, title: &str, log_name: &str) -> Outcome<()> {
    let mut step = Step::start(title);
    let path = project::local().join(log_name);
    fs::create_dir_all(project::local()).during("create .local")?;
    let log = File::create(&path).during(format!("create {}", path.display()))?;
    let errors = log.try_clone().during(format!("open {}", path.display()))?;
    let mut child = command.stdout(log).stderr(errors).spawn().during(title)?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.during(title)?,
            () = tokio::time::sleep(Duration::from_millis(200)) => step.tick(last_line(&path)),
        }
    };
    if status.success() {
        step.done("");
        return Ok(());
    }
    step.failed(status);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(25)..].join("\n");
    Err(Failure(format!("{title} failed; the end of {}:\n{end}", path.display())))
}

fn last_line(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().filter(|letter| !letter.is_control()).take(60).collect()
}
