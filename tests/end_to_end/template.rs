//! `template.yaml` and what belongs to it: what no emulator checks.
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::fleet::{self, Fleet};
use domain::metric::{CAPACITY_NAMESPACE, QUALITY_NAMESPACE};
use serde_json::{Value, json};
use tests::project;
use tests::shown_answers::{PAGE, shown};
use tests::template::{Template, logical_id};

fn text(path: impl AsRef<Path>) -> String {
    let path = project::root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names_in(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(project::root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn template() -> Template {
    Template::load().unwrap()
}

#[test]
fn each_function_has_its_folder_package_binary_and_resource() {
    let template = template();
    let functions = names_in("functions");
    let expected: BTreeSet<String> = functions.iter().map(|name| logical_id(name)).collect();
    // Lambda's limit is 64, and a hyphen stands between the two names.
    let left = 63 - functions.iter().map(String::len).max().unwrap();
    let said = format!("at most {left} characters");
    assert!(text("docs/configuration.md").contains(&said), "the page does not say: {said}");
    let found: BTreeSet<String> =
        template.resources("AWS::Serverless::Function").into_iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(found, expected);
    for name in functions {
        let function = template.resource(&logical_id(&name));
        assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], name);
        assert_eq!(function["Properties"]["CodeUri"], format!("functions/{name}"));
        assert_eq!(function["Properties"]["FunctionName"]["Fn::Sub"], format!("${{AWS::StackName}}-{name}"));
        let manifest = text(format!("functions/{name}/Cargo.toml"));
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name}");
    }
    assert_eq!(template.all()["Parameters"]["Architecture"]["Default"], "arm64");
}

/// The variables that a `config.rs` names, each with the Rust text behind it.
fn variables(config: &str) -> Vec<(String, String)> {
    let code = config.split("#[cfg(test)]").next().unwrap();
    let is_name = |text: &str| {
        text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_uppercase() || b"_0123456789".contains(&byte))
    };
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let quoted = code.split('"').collect::<Vec<_>>();
    let with_rest = |index: usize| (quoted[index].to_owned(), quoted[index + 1..].join("\""));
    (1..quoted.len()).step_by(2).filter(|index| is_name(quoted[*index])).map(with_rest).collect()
}

#[test]
fn each_variable_that_a_function_reads_is_set_and_no_other() {
    let template = template();
    for name in names_in("functions") {
        let read = variables(&text(format!("functions/{name}/src/config.rs")));
        let read: BTreeSet<&str> = read.iter().map(|(variable, _)| variable.as_str()).collect();
        let function = &template.resource(&logical_id(&name))["Properties"];
        let set = function["Environment"]["Variables"].as_object().unwrap();
        let set: BTreeSet<&str> = set.keys().map(String::as_str).collect();
        assert_eq!(set, read, "left: the template, right: config.rs of {name}");
    }
}

/// `, 16 << 20, ...` as 16777216.
fn default_in_code(rest: &str) -> Option<f64> {
    let value = rest.strip_prefix(',')?.split(',').next()?.trim().replace('_', "");
    match value.split_once(" << ") {
        Some((number, shift)) => Some(number.parse::<f64>().ok()? * 2_f64.powi(shift.parse().ok()?)),
        None => value.parse().ok(),
    }
}

#[test]
fn defaults_are_the_same_in_template_and_code() {
    let template = template();
    let mut compared = 0;
    for name in names_in("functions") {
        let function = &template.resource(&logical_id(&name))["Properties"];
        for (variable, rest) in variables(&text(format!("functions/{name}/src/config.rs"))) {
            let Some(expected) = default_in_code(&rest) else { continue };
            let set = template.resolved(&function["Environment"]["Variables"][&variable]);
            let set = set.as_f64().or_else(|| set.as_str()?.parse().ok());
            assert_eq!(set, Some(expected), "{variable} of {name}");
            compared += 1;
        }
    }
    assert!(compared >= 6, "only {compared} defaults were recognised: did config.rs change its form?");
    assert_eq!(template.all()["Parameters"]["MetricNamespace"]["Default"], QUALITY_NAMESPACE);
    assert_eq!(template.all()["Parameters"]["CapacityNamespace"]["Default"], CAPACITY_NAMESPACE);
    let judge = template.all()["Parameters"]["JudgeModelId"]["Default"].as_str().unwrap();
    let fleet = Fleet::from_toml("config/fleet.toml", fleet::SHIPPED).unwrap();
    assert!(fleet.judge_price(judge).is_some(), "config/fleet.toml has no price for {judge}");
    let model = template.all()["Parameters"]["JudgeFoundationModel"]["Default"].as_str().unwrap();
    assert!(judge.ends_with(model), "{judge} is a profile of another model than {model}");
}

#[test]
fn each_queue_gives_up_late_and_keeps_what_it_gives_up() {
    let template = template();
    let number = |value: &Value| template.resolved(value).as_i64().unwrap();
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let properties = &function["Properties"];
        for (name, event) in properties["Events"].as_object().into_iter().flatten() {
            if event["Type"] != "SQS" {
                continue;
            }
            let event = &event["Properties"];
            assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id} {name}");
            assert!(number(&event["ScalingConfig"]["MaximumConcurrency"]) >= 2, "{id} {name}");
            let queue = event["Queue"]["Fn::GetAtt"][0].as_str().unwrap();
            let queue = &template.resource(queue)["Properties"];
            // A message whose deliveries outlast the queue's memory never gets to the dead letters.
            let deliveries =
                number(&queue["VisibilityTimeout"]) * number(&queue["RedrivePolicy"]["maxReceiveCount"]);
            assert!(number(&queue["MessageRetentionPeriod"]) > deliveries, "{id} {name}");
            // Less, and a message is handed out again while it is still being worked on.
            assert!(number(&queue["VisibilityTimeout"]) >= 6 * number(&properties["Timeout"]), "{id} {name}");
            // Lambda takes no queue with less than the function's time-out.
            if let Some(parameter) = queue["VisibilityTimeout"]["Ref"].as_str() {
                let least = template.all()["Parameters"][parameter]["MinValue"].as_i64();
                assert!(least >= properties["Timeout"].as_i64(), "{parameter} takes what Lambda refuses");
            }
            assert!(number(&queue["RedrivePolicy"]["maxReceiveCount"]) >= 5, "{id} {name}");
            let dead = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str().unwrap();
            let dead = &template.resource(dead)["Properties"];
            assert_eq!(number(&dead["MessageRetentionPeriod"]), 14 * 24 * 60 * 60, "{id} {name}");
        }
    }
}

/// All statements that allow something, also those inside of an `!If`.
fn allowing<'a>(node: &'a Value, found: &mut Vec<&'a Value>) {
    match node {
        Value::Object(fields) => {
            if fields.get("Effect").is_some_and(|effect| effect == "Allow") {
                found.push(node);
            }
            fields.values().for_each(|value| allowing(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| allowing(item, found)),
        _ => {}
    }
}

/// Actions for which no resource can be named (service authorization reference). All of them read.
const WITHOUT_RESOURCES: &[&str] = &[
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "pricing:GetProducts",
    "sagemaker:ListEndpoints",
    "sagemaker:ListInferenceComponents",
];

#[test]
fn no_policy_allows_everything() {
    let template = template();
    let mut statements = Vec::new();
    allowing(&template.all()["Resources"], &mut statements);
    assert!(statements.len() > 5);
    for statement in statements {
        let actions = match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            action => vec![action.clone()],
        };
        let knows_none = |action: &Value| WITHOUT_RESOURCES.contains(&action.as_str().unwrap());
        let can_be_limited = !actions.iter().all(knows_none);
        for action in actions {
            assert!(!action.as_str().unwrap().contains('*'), "{statement}");
        }
        let is_limited =
            statement["Resource"] != "*" || statement["Condition"].is_object() || !can_be_limited;
        assert!(is_limited, "{statement}");
        assert_ne!(statement["Principal"], "*", "{statement}");
    }
}

#[test]
fn each_bucket_is_private_encrypted_kept_and_refuses_plain_http() {
    let template = template();
    let policies = template.resources("AWS::S3::BucketPolicy");
    for (id, bucket) in template.resources("AWS::S3::Bucket") {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(bucket[policy], "Retain", "{id}");
        }
        let blocked = bucket["Properties"]["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(blocked.len() == 4 && blocked.values().all(|value| value == true), "{id}");
        assert!(bucket["Properties"]["BucketEncryption"].is_object(), "{id}");
        let policy = policies.iter().find(|(_, policy)| policy["Properties"]["Bucket"]["Ref"] == **id);
        let statement = &policy.unwrap().1["Properties"]["PolicyDocument"]["Statement"][0];
        assert_eq!(statement["Effect"], "Deny", "{id}");
        assert_eq!(statement["Condition"]["Bool"]["aws:SecureTransport"], false, "{id}");
    }
}

#[test]
fn everything_says_what_it_is_for() {
    let template = template();
    for section in ["Parameters", "Outputs"] {
        for (name, entry) in template.all()[section].as_object().unwrap() {
            assert!(entry["Description"].as_str().is_some_and(|text| text.len() > 10), "{section} {name}");
        }
    }
    let text = text("template.yaml");
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| *line == "Resources:").unwrap();
    let end = lines.iter().position(|line| *line == "Outputs:").unwrap();
    for pair in lines[start..end].windows(2) {
        let is_resource = pair[1].ends_with(':') && pair[1].starts_with("  ") && !pair[1].starts_with("   ");
        assert!(!is_resource || pair[0].starts_with("  # "), "no comment above {}", pair[1]);
    }
    // CloudFormation reads YAML without anchors and aliases.
    let is_alias = |line: &&str| line.contains(": &") || line.contains(": *");
    assert_eq!(lines.iter().find(|line| is_alias(line)), None);
    let settings = self::text("samconfig.toml");
    let is_set = |line: &str| line.starts_with("cached") || line.starts_with("parallel");
    assert!(!settings.lines().any(is_set), "sam's cache does not know what cargo reads");
}

#[test]
fn each_event_file_is_json_belongs_to_a_function_is_explained_and_has_its_answer_shown() {
    let functions = names_in("functions");
    let explained = text(PAGE);
    let events = project::events().unwrap();
    for name in &events {
        let _: Value = serde_json::from_str(&text(format!("events/{name}"))).unwrap();
        assert!(functions.contains(name.split('.').next().unwrap()), "{name}");
        assert!(explained.contains(&format!("`{name}`")), "{PAGE} does not explain {name}");
    }
    let shown: BTreeSet<String> = shown().unwrap().into_iter().map(|shown| shown.file).collect();
    // deployed_stack compares the answers with those that come.
    assert_eq!(shown, events.iter().cloned().collect(), "{PAGE} shows an answer to each event");
    for function in functions {
        assert!(events.iter().any(|name| name.starts_with(&format!("{function}."))), "{function}");
    }
}
