//! What `make deploy` hands to `sam`: the region, the stack, the processor, and parameters with spaces in them.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tests::project;

/// Notes the region and its arguments in a file of its own for each subcommand.
const NOTES: &str = r#"#!/bin/sh
printf '%s\n' "$AWS_DEFAULT_REGION" "$@" > "$0.$1"
"#;

/// Reads parameters as `sam deploy` does.
const AS_SAM: &str = "
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert(tuple(sys.argv[1:]), None, None)))
";

/// `make deploy` with a `sam` and a `rustup` that note what they are told.
struct Deployment {
    folder: PathBuf,
}

impl Deployment {
    fn new(name: &str) -> Self {
        let folder = project::local().join("make-deploy").join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        for program in ["sam", "rustup"] {
            let path = folder.join(program);
            fs::write(&path, NOTES).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn run(&self, settings: &[&str], answers: &str) -> Output {
        let path = format!("{}:{}", self.folder.display(), std::env::var("PATH").unwrap());
        let mut make = Command::new("make")
            .current_dir(project::root())
            // What it needs is there, and compiles nothing here.
            .args(["--old-file=setup", "--old-file=dashboards", "deploy", &format!("PATH={path}")])
            .args(settings)
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_DEFAULT_REGION", "us-west-2")
            .env("ARCH", "of whoever runs this")
            .env_remove("STACK")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that refuses does not read what it would have asked for.
        drop(make.stdin.take().unwrap().write_all(answers.as_bytes()));
        make.wait_with_output().unwrap()
    }

    /// The region of a call, and its parameters.
    fn noted(&self, call: &str) -> (String, BTreeMap<String, String>) {
        let text = fs::read_to_string(self.folder.join(call)).unwrap();
        let mut lines = text.lines();
        let region = lines.next().unwrap().to_owned();
        assert!(lines.any(|line| line == "--parameter-overrides"), "{text}");
        let python = Command::new(project::build_tools().join("python"))
            .args(["-c", AS_SAM])
            .args(lines)
            .output()
            .unwrap();
        assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
        (region, serde_json::from_slice(&python.stdout).unwrap())
    }

    /// The stack that a call names.
    fn stack(&self, call: &str) -> Option<String> {
        let text = fs::read_to_string(self.folder.join(call)).unwrap();
        let mut lines = text.lines().skip_while(|line| *line != "--stack-name");
        lines.nth(1).map(str::to_owned)
    }
}

fn parameters<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[test]
fn values_with_spaces_and_the_region_arrive() {
    let deployment = Deployment::new("values");
    let more = r#"PARAMETERS=SampleRate=0.2 MeterSchedule="rate(15 minutes)" WatchedEndpoints="a, b""#;
    let output = deployment.run(&[more], "captures-of-mine\nops@example.com\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let built = deployment.noted("sam.build");
    assert_eq!(built, ("eu-central-1".to_owned(), parameters([("Architecture", "arm64")])));
    let (region, deployed) = deployment.noted("sam.deploy");
    assert_eq!(region, "eu-central-1");
    let expected = parameters([
        ("Architecture", "arm64"),
        ("CaptureBucketName", "captures-of-mine"),
        ("OperatorsEmail", "ops@example.com"),
        ("SampleRate", "0.2"),
        ("MeterSchedule", "rate(15 minutes)"),
        ("WatchedEndpoints", "a, b"),
    ]);
    assert_eq!(deployed, expected);
    assert!(deployment.folder.join("rustup.target").exists(), "nobody fetched Rust's target");
}

#[test]
fn functions_are_built_for_the_processor_that_they_are_deployed_to() {
    let deployment = Deployment::new("processor");
    let output = deployment.run(&["PARAMETERS=Architecture=x86_64"], "\n\n");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("ARCH=x86_64"), "{output:?}");
    assert!(!deployment.folder.join("sam.build").exists() && !deployment.folder.join("sam.deploy").exists());

    let output = deployment.run(&["ARCH=x86_64"], "\n\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = parameters([("Architecture", "x86_64")]);
    assert_eq!(deployment.noted("sam.build").1, expected);
    assert_eq!(deployment.noted("sam.deploy").1, expected);
}

/// Whoever tries another rubric beside the stack of now must not update that one.
#[test]
fn another_stack_is_the_one_that_is_named() {
    let deployment = Deployment::new("stack");
    let output = deployment.run(&[], "\n\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(deployment.stack("sam.deploy"), None, "samconfig.toml names it");

    let output = deployment.run(&["STACK=assay-new", "PARAMETERS=MeterState=DISABLED"], "\n\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(deployment.stack("sam.deploy").as_deref(), Some("assay-new"));
    let expected = parameters([("Architecture", "arm64"), ("MeterState", "DISABLED")]);
    assert_eq!(deployment.noted("sam.deploy").1, expected);
}
