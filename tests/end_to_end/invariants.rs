//! What ARCHITECTURE.md promises about the source, where a machine can see it.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::capture::SkipReason;
use domain::check::Check;
use domain::metric::CATALOGUE;
use domain::verdict::Outcome;
use tests::project;

/// The Rust files below `folder`: the path from the root, and the text without its unit tests and
/// comments.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&project::root().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder}");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code: Vec<&str> = shipped.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let name = path.strip_prefix(project::root()).unwrap().to_string_lossy().into_owned();
        (name, code.join("\n"))
    };
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Fails with every place where one of `words` stands.
fn assert_nowhere(folder: &str, words: &[&str], is_exempt: impl Fn(&str) -> bool, why: &str) {
    let mut found = Vec::new();
    for (path, code) in sources(folder) {
        for word in words.iter().filter(|word| !is_exempt(&path) && code.contains(**word)) {
            found.push(format!("{path}: {word}"));
        }
    }
    assert!(found.is_empty(), "{why}:\n{}", found.join("\n"));
}

/// Test modules in files of their own.
fn is_test_file(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/")
}

#[test]
fn domain_does_no_io_and_reads_no_clock() {
    let words = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "Timestamp::now",
        "Zoned::now",
        "println!",
    ];
    assert_nowhere("shared/domain/src", &words, is_test_file, "domain is pure");
    let manifest = fs::read_to_string(project::root().join("shared/domain/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for client in ["aws", "tokio", "reqwest", "hyper", "tracing"] {
        assert!(!dependencies.contains(client), "domain must not depend on {client}");
    }
}

#[test]
fn the_environment_is_read_in_config_only() {
    for folder in ["functions", "shared"] {
        let is_config = |path: &str| path.ends_with("src/config.rs") || is_test_file(path);
        assert_nowhere(folder, &["env::var", "env!("], is_config, "the environment is read in config.rs");
    }
}

#[test]
fn clients_are_built_in_main_only() {
    let is_main = |path: &str| path.ends_with("src/main.rs");
    let words = ["aws_config", "Client::new", "Client::builder", "SdkConfig"];
    assert_nowhere("functions", &words, is_main, "clients are built in main.rs");
    let words = ["aws_config", "load_defaults"];
    assert_nowhere("shared/adapters", &words, is_test_file, "adapters are handed their configuration");
}

#[test]
fn each_metric_name_stands_once() {
    let names = CATALOGUE.iter().map(|metric| metric.name);
    let names = names.chain(Check::ALL.into_iter().map(Check::metric_name));
    let names = names.chain(Outcome::ALL.into_iter().map(Outcome::metric_name));
    let names = names.chain(SkipReason::ALL.iter().map(|reason| reason.metric_name()));
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    let all: String = sources("shared/domain/src")
        .into_iter()
        .filter(|(path, _)| !is_test_file(path))
        .map(|(_, code)| code)
        .collect();
    for name in &quoted {
        assert_eq!(all.matches(name.as_str()).count(), 1, "{name} in shared/domain/src");
    }
    let words: Vec<&str> = quoted.iter().map(String::as_str).collect();
    // "Records" is also what AWS calls the list in its events.
    let is_exempt = |path: &str| is_test_file(path) || path.ends_with("src/event.rs");
    for folder in ["functions", "shared/adapters"] {
        assert_nowhere(folder, &words, is_exempt, "metric names stand in domain");
    }
}

/// Asked of cargo, because Cargo.lock also names what no feature switches on.
#[test]
fn one_stack_of_tls_and_http_is_linked() {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(project::root());
    command.args(["tree", "--workspace", "--edges", "normal", "--prefix", "none", "--locked", "--offline"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("\nrustls v0.23"));
    for unwanted in ["ring v", "openssl v", "aws-sdk-sso v", "rustls v0.21", "hyper v0.14"] {
        let is_linked = tree.lines().any(|line| line.starts_with(unwanted));
        assert!(!is_linked, "{unwanted} is linked: check the features of the SDK in Cargo.toml");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for folder in ["functions", "shared", "tests"] {
        let mut files = Vec::new();
        collect(&project::root().join(folder), &mut files);
        for path in files {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines < 500, "{} has {lines} lines", path.display());
        }
    }
}
