//! Every file in `events/`, sent as `make invoke` sends it; `events/README.md` shows what comes back.
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::environment::Environment;
use tests::local;
use tests::project;
use tests::stand_in::Options;

/// Stands in the README for what is another with each run.
const ANYTHING: &str = "...";

/// The events that the README shows the answers to, in its order, with what it shows.
fn shown() -> Vec<(String, Value)> {
    let text = fs::read_to_string(project::root().join("events/README.md")).unwrap();
    let answer = |part: &str| {
        let (name, rest) = part.split_once('`').unwrap();
        let json = rest.split("```json\n").nth(1).and_then(|rest| rest.split("\n```").next());
        let json = json.unwrap_or_else(|| panic!("events/README.md shows no answer to {name}"));
        (name.to_owned(), serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    text.split("\n### `").skip(1).map(answer).collect()
}

/// Where an answer is not what is shown: everything shown must be there, more may be.
fn differences(shown: &Value, answer: &Value, place: &str, found: &mut Vec<String>) {
    match (shown, answer) {
        (Value::String(text), _) if text == ANYTHING && !answer.is_null() => {}
        (Value::Object(shown), Value::Object(answer)) => {
            for (name, value) in shown {
                let answer = answer.get(name).unwrap_or(&Value::Null);
                differences(value, answer, &format!("{place}.{name}"), found);
            }
        }
        (Value::Array(shown), Value::Array(answer)) if shown.len() == answer.len() => {
            for (index, (shown, answer)) in shown.iter().zip(answer).enumerate() {
                differences(shown, answer, &format!("{place}[{index}]"), found);
            }
        }
        _ if shown == answer => {}
        _ => found.push(format!("{place}: shown {shown}, answered {answer}")),
    }
}

#[tokio::test]
async fn every_sample_event_is_answered_as_shown() {
    let environment = Environment::start(Options::default(), &[("MeterState", "DISABLED")]).await.unwrap();
    let endpoints = environment.endpoints();
    let mut found = Vec::new();
    for (name, shown) in shown() {
        let function = name.split('.').next().unwrap();
        match local::answer(&endpoints, function, &format!("events/{name}")).await {
            Ok(answer) => differences(&shown, &answer, &name, &mut found),
            Err(failure) => found.push(format!("{name}: {failure}")),
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_answer_to_every_event_is_shown() {
    let shown: BTreeSet<String> = shown().into_iter().map(|(name, _)| name).collect();
    let files = fs::read_dir(project::root().join("events")).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_event = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "json");
    assert_eq!(shown, names.filter(is_event).collect(), "left: events/README.md, right: the files");
}
