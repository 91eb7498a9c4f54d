//! What ARCHITECTURE.md promises about the source, where a machine can see it.
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::capacity::publish::definitions;
use domain::capture::SkipReason;
use domain::check::Check;
use domain::metric::CATALOGUE;
use domain::rubric::{self, Rubric};
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
        let may_read = |path: &str| {
            path.ends_with("src/config.rs") || path.ends_with("adapters/src/aws.rs") || is_test_file(path)
        };
        assert_nowhere(folder, &["env::var", "env!("], may_read, "the environment is read in config.rs");
    }
}

#[test]
fn clients_are_built_in_main_only() {
    let is_main = |path: &str| path.ends_with("src/main.rs");
    let words = ["aws_config", "Client::new", "Client::builder", "SdkConfig"];
    assert_nowhere("functions", &words, is_main, "clients are built in main.rs");
    let words = ["aws_config", "load_defaults"];
    let may_load =
        |path: &str| is_test_file(path) || path.ends_with("src/aws.rs") || path.ends_with("src/lib.rs");
    assert_nowhere("shared/adapters", &words, may_load, "adapters are handed their configuration");
}

#[test]
fn each_metric_name_stands_once() {
    let names = CATALOGUE.iter().map(|metric| metric.name);
    let of_capacity = definitions().into_iter().map(|metric| metric.name);
    let names = names.chain(of_capacity).collect::<BTreeSet<_>>().into_iter();
    let names = names.chain(Check::ALL.into_iter().map(Check::metric_name));
    let names = names.chain(Outcome::ALL.into_iter().map(Outcome::metric_name));
    let names = names.chain(SkipReason::ALL.iter().map(|reason| reason.metric_name()));
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    // "Records" is also what AWS calls the list in its events.
    let reads_events = |path: &str| path.ends_with("src/event.rs") || path.ends_with("parse/envelope.rs");
    let all: String = sources("shared/domain/src")
        .into_iter()
        .filter(|(path, _)| !is_test_file(path) && !reads_events(path))
        .map(|(_, code)| code)
        .collect();
    for name in &quoted {
        assert_eq!(all.matches(name.as_str()).count(), 1, "{name} in shared/domain/src");
    }
    let words: Vec<&str> = quoted.iter().map(String::as_str).collect();
    let is_exempt = |path: &str| is_test_file(path) || reads_events(path);
    for folder in ["functions", "shared/adapters"] {
        assert_nowhere(folder, &words, is_exempt, "metric names stand in domain");
    }
}

/// What is linked, one `name vVERSION` a line. Asked of cargo, because Cargo.lock also names what
/// no feature switches on.
fn linked(packages: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(project::root()).arg("tree").args(packages);
    command.args(["--edges", "normal", "--prefix", "none", "--locked", "--offline"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn domain_links_no_client_and_no_runtime() {
    let tree = linked(&["--package", "domain"]);
    assert!(tree.starts_with("domain v"), "{tree}");
    for package in tree.lines() {
        let name = package.split(' ').next().unwrap();
        let is_unwanted = name.starts_with("aws-") || ["tokio", "hyper", "reqwest"].contains(&name);
        assert!(!is_unwanted, "domain links {package}: move what needs it to shared/adapters");
    }
}

#[test]
fn one_stack_of_tls_and_http_is_linked() {
    let tree = linked(&["--workspace"]);
    assert!(tree.contains("\nrustls v0.23"));
    for unwanted in ["ring v", "openssl v", "aws-sdk-sso v", "rustls v0.21", "hyper v0.14"] {
        let is_linked = tree.lines().any(|line| line.starts_with(unwanted));
        assert!(!is_linked, "{unwanted} is linked: check the features of the SDK in Cargo.toml");
    }
}

/// `sam build` builds one function after another. What two of them link with other features is
/// compiled again for each, minutes for one client of AWS.
#[test]
fn functions_share_what_is_compiled() {
    let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
    for function in project::functions().unwrap() {
        for line in linked(&["--package", &function, "--format", "{p}|{f}"]).lines() {
            let Some((package, features)) = line.trim_end_matches(" (*)").split_once('|') else { continue };
            if package.contains(" (") {
                continue;
            }
            let (other, others) =
                seen.entry(package.to_owned()).or_insert_with(|| (function.clone(), features.to_owned()));
            assert_eq!(features, *others, "features of {package} in {function} and in {other}");
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for folder in ["functions", "shared", "tests"] {
        let mut files = Vec::new();
        collect(&project::root().join(folder), &mut files);
        for path in files {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

/// The first cells, without backticks, and the other cells of every row in the tables of a page
/// whose first column is called `title`.
fn rows(page: &str, title: &str) -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(project::root().join(page)).unwrap();
    let mut rows = Vec::new();
    let mut is_wanted = false;
    let mut is_in_table = false;
    for line in text.lines() {
        let cells = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
        let Some(cells) = cells else {
            is_in_table = false;
            continue;
        };
        let cells: Vec<String> = cells.split('|').map(|cell| cell.trim().to_owned()).collect();
        if !is_in_table {
            is_in_table = true;
            is_wanted = cells[0] == title;
        } else if is_wanted && !cells[0].starts_with("---") {
            rows.push((cells[0].trim_matches('`').to_owned(), cells[1..].to_vec()));
        }
    }
    assert!(!rows.is_empty(), "{page} has no table whose first column is called {title:?}");
    rows
}

/// The rows by their first cell, of which none may stand twice.
fn unique_rows(page: &str, title: &str) -> BTreeMap<String, Vec<String>> {
    let mut unique = BTreeMap::new();
    for (name, cells) in rows(page, title) {
        assert!(unique.insert(name.clone(), cells).is_none(), "{page}: {name} stands twice; drop one row");
    }
    unique
}

fn assert_same_names<'a>(
    page: &str,
    documented: impl Iterator<Item = &'a String>,
    real: impl Iterator<Item = &'a String>,
) {
    let documented: BTreeSet<&String> = documented.collect();
    let real: BTreeSet<&String> = real.collect();
    let missing: Vec<_> = real.difference(&documented).collect();
    assert!(missing.is_empty(), "add rows to {page}: {missing:?}");
    let stale: Vec<_> = documented.difference(&real).collect();
    assert!(stale.is_empty(), "not there any more, drop their rows from {page}: {stale:?}");
}

#[test]
fn every_metric_is_documented() {
    const PAGE: &str = "docs/metrics.md";
    // Unit, and what the third cell starts with.
    let mut real: BTreeMap<String, (&str, String)> = BTreeMap::new();
    let mut add = |name: &str, unit, meaning: &str| {
        // A sentence may go on behind its last word.
        real.insert(name.to_owned(), (unit, meaning.trim_end_matches('.').to_owned()));
    };
    for metric in CATALOGUE.iter().copied().chain(definitions()) {
        add(metric.name, metric.unit.as_str(), metric.meaning);
    }
    for check in Check::ALL {
        add(check.metric_name(), "Count", check.meaning());
    }
    for outcome in Outcome::ALL {
        add(outcome.metric_name(), "Count", outcome.meaning());
    }
    for reason in SkipReason::ALL {
        add(reason.metric_name(), "Count", reason.advice());
    }
    let rubric = Rubric::from_toml("config/rubric.toml", rubric::SHIPPED).unwrap();
    for dimension in rubric.dimensions() {
        add(&dimension.metric, "None", &format!("`{}`", dimension.id));
    }
    let documented = unique_rows(PAGE, "metric");
    assert_same_names(PAGE, documented.keys(), real.keys());
    for (name, (unit, meaning)) in &real {
        let cells = &documented[name];
        assert_eq!(&cells[0], unit, "correct the unit of {name} in {PAGE}");
        assert!(cells[1].starts_with(meaning), "start the row of {name} in {PAGE} with: {meaning}");
    }
}

/// The entries of one block of `template.yaml`, in which tags do not matter: the lines below
/// `heading` that are indented by `indent`, as name and what follows the colon. The first block
/// after the line `after`.
fn block(after: &str, heading: &str, indent: usize) -> Vec<(String, String)> {
    let template = fs::read_to_string(project::root().join("template.yaml")).unwrap();
    let below = template.split(&format!("\n{after}\n")).nth(1);
    let below = below.unwrap_or_else(|| panic!("template.yaml has no line {after:?}"));
    let below = format!("\n{below}");
    let below = below.split(&format!("\n{heading}\n")).nth(1);
    let below = below.unwrap_or_else(|| panic!("template.yaml has no line {heading:?} after {after:?}"));
    let margin = " ".repeat(indent);
    let entries = below.lines().take_while(|line| line.is_empty() || line.starts_with(&margin));
    entries.filter_map(|line| entry(line.strip_prefix(&margin)?)).collect()
}

/// `Name: value`, unless it is indented, a comment or no entry.
fn entry(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name.to_owned(), value.trim().trim_matches('"').to_owned()))
}

/// Every parameter with its default.
fn parameters() -> BTreeMap<String, String> {
    let template = fs::read_to_string(project::root().join("template.yaml")).unwrap();
    let names = block("Metadata:", "Parameters:", 2).into_iter().map(|(name, _)| name);
    let with_default = names.map(|name| {
        let own = template.split(&format!("\n  {name}:\n")).nth(1).unwrap();
        let mut lines = own.lines().take_while(|line| line.starts_with("    "));
        let default = lines.find_map(|line| line.strip_prefix("    Default:"));
        let default = default.unwrap_or_else(|| panic!("give the parameter {name} a Default"));
        (name, default.trim().trim_matches('"').to_owned())
    });
    with_default.collect()
}

/// A default as a cell of a table has it.
fn cell(default: &str, empty: &str) -> String {
    if default.is_empty() { empty.to_owned() } else { format!("`{default}`") }
}

const SETTINGS: &str = "docs/configuration.md";

#[test]
fn every_parameter_is_documented() {
    let real = parameters();
    let documented = unique_rows(SETTINGS, "parameter");
    assert_same_names(SETTINGS, documented.keys(), real.keys());
    for (name, default) in &real {
        let expected = cell(default, "empty");
        assert_eq!(documented[name][0], expected, "correct the default of {name} in {SETTINGS}");
    }
    // The README shows some of them.
    for (name, cells) in rows("README.md", "parameter") {
        let default = real.get(&name).unwrap_or_else(|| panic!("README.md: {name} is no parameter"));
        assert_eq!(cells[0], cell(default, "empty"), "correct the default of {name} in README.md");
    }
}

/// `quality-judge` as `QualityJudgeFunction`.
fn logical_id(function: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(capitalized).collect::<String>() + "Function"
}

#[test]
fn every_variable_is_documented() {
    let parameters = parameters();
    for function in project::functions().unwrap() {
        let resource = format!("  {}:", logical_id(&function));
        let set: BTreeMap<String, String> = block(&resource, "        Variables:", 10).into_iter().collect();
        let documented = unique_rows(SETTINGS, &format!("variable of {function}"));
        assert_same_names(SETTINGS, documented.keys(), set.keys());
        let config = project::root().join(format!("functions/{function}/src/config.rs"));
        let config = fs::read_to_string(config).unwrap();
        for (name, value) in &set {
            assert!(config.contains(&format!("\"{name}\"")), "config.rs does not read {name}: drop it");
            let default = value.strip_prefix("!Ref ").and_then(|target| parameters.get(target));
            let expected = default.map_or("set by the template".to_owned(), |default| cell(default, "none"));
            assert_eq!(documented[name][0], expected, "correct the default of {name} in {SETTINGS}");
        }
    }
}
