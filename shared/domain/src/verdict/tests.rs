use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::judge::Malformed;
use crate::metric::CATALOGUE;
use crate::rubric::tests::shipped;
use crate::rubric::{Judged, Score};

const ATHENA: &str = include_str!("../../../../docs/athena.md");

fn subject() -> Subject {
    Subject {
        event_id: "5e1a2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c".to_owned(),
        event_index: 0,
        bucket: "capture-bucket".to_owned(),
        object_key: "capture/demo/AllTraffic/2026/01/07/21/19-37-123.jsonl".to_owned(),
        line: 3,
        endpoint: "demo".parse().unwrap(),
        variant: "AllTraffic".to_owned(),
        component: "gpt-oss-20b".parse().unwrap(),
        attributed_by: "custom_attributes".to_owned(),
        inference_time: "2026-01-07T23:59:59Z".parse().unwrap(),
        checks: vec![Check::Truncated, Check::PersonalData],
        usage: Some(Usage { prompt_tokens: Some(310), completion_tokens: Some(42) }),
        answer_chars: 181,
        was_cut: false,
        texts: None,
    }
}

fn judging() -> Judging {
    let call = JudgeCall {
        stop_reason: Some("tool_use".to_owned()),
        tokens: JudgeTokens { input: 480, output: 190, cache_read: 1_320, cache_write: 0 },
        cost: MicroUsd(4_686),
        latency_ms: 2_140,
        prompt_hash: "00".repeat(32),
    };
    Judging {
        rubric: shipped().stamp(),
        judge_model: "global.anthropic.claude-sonnet-4-6".to_owned(),
        judged_at: "2026-01-08T00:00:07Z".parse().unwrap(),
        call: Some(call),
    }
}

fn scores() -> Scores {
    let rubric = shipped();
    let entry = |dimension: &crate::rubric::Dimension| {
        let reason = format!("Nothing to fault in {}.", dimension.id);
        (dimension.id.clone(), Judged { score: dimension.scale.score_of("4"), reason })
    };
    let judged: BTreeMap<_, _> = rubric.enabled().map(entry).collect();
    Scores::new(&rubric, judged).unwrap()
}

fn failures() -> Vec<Failure> {
    let class = || ErrorClass::of("ValidationException");
    vec![
        Failure::JudgeRefused,
        Failure::Malformed(Malformed::ProseAroundJson),
        Failure::Truncated,
        Failure::Throttled,
        Failure::Timeout,
        Failure::JudgeError(class()),
        Failure::JudgeUnavailable(class()),
        Failure::ConfigError(class()),
        Failure::OverBudget,
        Failure::OverCap,
    ]
}

fn verdict(ending: Result<Scores, Failure>) -> Verdict {
    Verdict::new(subject(), judging(), ending)
}

/// The stored line of a scored answer with reasons of two long sentences.
pub(crate) fn longest_usual_line() -> String {
    let rubric = shipped();
    let entry = |dimension: &crate::rubric::Dimension| {
        let judged = Judged { score: dimension.scale.score_of("4"), reason: "r".repeat(300) };
        (dimension.id.clone(), judged)
    };
    let scores = Scores::new(&rubric, rubric.enabled().map(entry).collect()).unwrap();
    serde_json::to_string(&verdict(Ok(scores))).unwrap()
}

fn read(line: &Value) -> Result<Verdict, String> {
    serde_json::from_value(line.clone()).map_err(|error| error.to_string())
}

#[test]
fn a_scored_line_and_a_failed_line() {
    let lines = [Ok(scores()), Err(Failure::Malformed(Malformed::ProseAroundJson))]
        .map(|ending| serde_json::to_string(&verdict(ending)).unwrap());
    assert!(lines.iter().all(|line| !line.contains('\n')), "one line each");
    insta::assert_snapshot!("lines", lines.join("\n"));
}

#[test]
fn every_ending_can_be_read_back() {
    let endings = failures().into_iter().map(Err).chain([Ok(scores())]);
    for ending in endings {
        let verdict = verdict(ending);
        let line = serde_json::to_value(&verdict).unwrap();
        assert_eq!(read(&line).unwrap(), verdict, "{line}");
    }

    let mut without_call = judging();
    without_call.call = None;
    let mut bare = subject();
    bare.usage = Some(Usage { prompt_tokens: None, completion_tokens: Some(42) });
    bare.texts = Some(Texts {
        question: CapturedText("Why?".to_owned()),
        answer: CapturedText("Because.".to_owned()),
    });
    let verdict = Verdict::new(bare, without_call, Err(Failure::OverBudget));
    let line = serde_json::to_value(&verdict).unwrap();
    assert_eq!((&line["latency_ms"], &line["question"]), (&Value::Null, &json!("Why?")));
    assert_eq!(read(&line).unwrap(), verdict);
    assert!(!format!("{verdict:?}").contains("Because"));
}

#[test]
fn a_failure_carries_no_score() {
    for failure in failures() {
        let outcome = failure.outcome();
        let verdict = verdict(Err(failure));
        assert_eq!((verdict.composite(), verdict.outcome()), (None, outcome));
        let line = serde_json::to_value(&verdict).unwrap();
        assert_eq!(line["composite"], Value::Null);
        assert_eq!((&line["scores"], &line["reasons"]), (&json!({}), &json!({})));

        for (key, value) in [
            ("composite", json!(0.0)),
            ("scores", json!({"safety": 0.0})),
            ("reasons", json!({"safety": "because"})),
        ] {
            let mut forged = line.clone();
            forged[key] = value;
            assert!(read(&forged).unwrap_err().contains("must not carry scores"), "{forged}");
        }
    }
}

#[test]
fn a_line_that_contradicts_itself_is_refused() {
    let scored = serde_json::to_value(verdict(Ok(scores()))).unwrap();
    let failed = serde_json::to_value(verdict(Err(Failure::Malformed(Malformed::Empty)))).unwrap();
    let cases = [
        (&scored, "composite", json!(null)),
        (&scored, "composite", json!(1.2)),
        (&scored, "scores", json!({})),
        (&scored, "scores", json!({"charm": 0.5})),
        (&scored, "scores", json!({"safety": 5})),
        (&scored, "reasons", json!({})),
        (&scored, "detail", json!("empty")),
        (&scored, "outcome", json!("throttled")),
        (&scored, "event_index", json!(1)),
        (&scored, "rubric_version", json!("2")),
        (&scored, "cost_usd", json!(-1.0)),
        (&scored, "latency_ms", json!(null)),
        (&scored, "answer", json!("Because.")),
        (&failed, "detail", json!(null)),
        (&failed, "detail", json!("a new reason")),
        (&failed, "outcome", json!("scored")),
        (&failed, "outcome", json!("truncated")),
    ];
    for (line, key, value) in cases {
        let mut forged = line.clone();
        forged[key] = value;
        assert!(read(&forged).is_err(), "{key}: {}", forged[key]);
    }
}

#[test]
fn the_outcomes_have_unique_names() {
    let metrics: BTreeSet<&str> = Outcome::ALL.into_iter().map(Outcome::metric_name).collect();
    assert_eq!(metrics.len(), Outcome::ALL.len());
    for outcome in Outcome::ALL {
        assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        assert!(!outcome.metric_name().ends_with("Score"), "a rubric could take the name");
        assert!(CATALOGUE.iter().all(|metric| metric.name != outcome.metric_name()), "a name stands once");
        assert!(!outcome.meaning().is_empty());
    }
    let failed: BTreeSet<Outcome> = failures().iter().map(Failure::outcome).collect();
    let all_but_scored: BTreeSet<Outcome> =
        Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Scored).collect();
    assert_eq!(failed, all_but_scored);
    let retryable: Vec<Outcome> = Outcome::ALL.into_iter().filter(|outcome| outcome.is_retryable()).collect();
    assert_eq!(retryable, [Outcome::Throttled, Outcome::Timeout, Outcome::JudgeUnavailable]);
}

#[test]
fn an_error_class_is_a_word_and_never_a_message() {
    assert_eq!(ErrorClass::of("ThrottlingException").as_str(), "ThrottlingException");
    for message in ["", "the prompt 'hello' is invalid", "a.b", &"x".repeat(65)] {
        assert_eq!(ErrorClass::of(message).as_str(), "unnamed");
    }
}

#[test]
fn ids_are_the_same_for_ever_and_follow_the_instrument() {
    let sample = SampleId::of("5e1a2b3c", 0);
    // Computed apart, with Python's hashlib.
    assert_eq!(sample.as_str(), "7e0f1d32fa69abf49e1d0e34ae901c65");
    assert_ne!(sample, SampleId::of("5e1a2b3c", 1));

    let original = verdict(Ok(scores()));
    assert_eq!(original.id(), verdict(Err(Failure::Timeout)).id(), "a retry overwrites");
    let with = |edit: &dyn Fn(&mut Judging)| {
        let mut judging = judging();
        edit(&mut judging);
        Verdict::new(subject(), judging, Ok(scores())).id().clone()
    };
    assert_ne!(&with(&|judging| judging.judge_model.push('x')), original.id());
    assert_ne!(&with(&|judging| judging.rubric.version.push('x')), original.id());
    let edited = crate::rubric::SHIPPED.replace("Safe in every part.", "Safe.");
    let edited = crate::rubric::Rubric::from_toml("rubric.toml", &edited).unwrap().stamp();
    assert_ne!(&with(&|judging| judging.rubric = edited.clone()), original.id());
    assert_eq!(&with(&|judging| judging.call = None), original.id());

    assert!(VerdictId::try_from("0".repeat(31)).is_err());
    assert!(SampleId::try_from("G".repeat(32)).is_err());
}

#[test]
fn the_partition_is_the_day_of_the_inference() {
    assert_eq!(verdict(Ok(scores())).partition(), "date=2026-01-07/component=gpt-oss-20b");
}

/// The columns that the document declares, with their types.
fn columns() -> BTreeMap<&'static str, &'static str> {
    let (_, rest) = ATHENA.split_once("CREATE EXTERNAL TABLE assay_verdicts (\n").unwrap();
    let (columns, _) = rest.split_once("\n)\nPARTITIONED BY").unwrap();
    columns.lines().map(|line| line.trim().trim_end_matches(',').split_once(' ').unwrap()).collect()
}

#[test]
fn the_documented_columns_are_the_fields_of_a_line() {
    let mut everything = subject();
    everything.texts =
        Some(Texts { question: CapturedText("q".to_owned()), answer: CapturedText("a".to_owned()) });
    let scored = serde_json::to_value(Verdict::new(everything, judging(), Ok(scores()))).unwrap();
    let failed = serde_json::to_value(verdict(Err(Failure::Malformed(Malformed::Empty)))).unwrap();
    let columns = columns();

    // As sets: whether a JSON object keeps its order depends on who else is in the build.
    let fields = |line: &serde_json::Value| -> BTreeSet<String> {
        line.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(columns.keys().map(|column| (*column).to_owned()).collect::<BTreeSet<_>>(), fields(&scored));
    assert_eq!(fields(&failed), fields(&scored), "every field is always there");
    for (column, declared) in columns {
        let value = if scored[column].is_null() { &failed[column] } else { &scored[column] };
        let fits = match declared {
            "string" => value.is_string(),
            "double" => value.is_f64(),
            "int" | "bigint" => value.is_u64(),
            "boolean" => value.is_boolean(),
            "array<string>" => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            "map<string,double>" => value.as_object().is_some_and(|map| map.values().all(Value::is_f64)),
            "map<string,string>" => value.as_object().is_some_and(|map| map.values().all(Value::is_string)),
            other => panic!("unknown type {other}"),
        };
        assert!(fits, "{column} {declared}: {value}");
    }
}

#[test]
fn the_documented_queries_name_only_columns_of_the_table() {
    let columns = columns();
    for query in ATHENA.split("```sql\nSELECT").skip(1) {
        let query = query.split("```").next().unwrap();
        let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let identifiers = words.filter(|word| word.contains('_') && word.to_lowercase() == **word);
        let functions = ["date_format", "current_date", "element_at", "count_if", "approx_percentile"];
        let aliases = ["mean_composite", "tenth_percentile", "mean_safety", "mean_answer_chars"];
        let more = ["usd_per_score", "input_tokens", "output_tokens", "assay_verdicts"];
        for word in identifiers {
            let is_known = columns.contains_key(word)
                || [&functions[..], &aliases[..], &more[..]].iter().any(|known| known.contains(&word));
            assert!(is_known, "{word} in {query}");
        }
    }
}

proptest! {
    #[test]
    fn no_single_edit_makes_a_score_out_of_a_failure(
        which in 0_usize..10,
        key in prop::sample::select(columns().into_keys().collect::<Vec<_>>()),
        number in 0.0..1.0_f64,
        kind in 0..5,
    ) {
        let failure = failures().swap_remove(which);
        let mut line = serde_json::to_value(verdict(Err(failure))).unwrap();
        line[key] = match kind {
            0 => json!(number),
            1 => json!("scored"),
            2 => json!({"safety": number}),
            3 => json!({"safety": "because"}),
            _ => json!([number]),
        };
        if let Ok(verdict) = read(&line) {
            prop_assert_eq!(verdict.composite(), None);
        }
    }

    #[test]
    fn a_stored_composite_is_a_score(composite in any::<f64>()) {
        let mut line = serde_json::to_value(verdict(Ok(scores()))).unwrap();
        line["composite"] = json!(composite);
        match read(&line) {
            Ok(verdict) => prop_assert_eq!(verdict.composite(), Score::new(composite).ok()),
            Err(_) => prop_assert!(Score::new(composite).is_err()),
        }
    }
}
