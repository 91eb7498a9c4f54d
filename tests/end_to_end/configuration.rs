//! What an operator can get wrong, or change: told all at once, before any sample is judged.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use serde_json::{Value, json};
use tests::functions::QUALITY_JUDGE;
use tests::loopback::{CAPTURES, Loopback, batch, key, notification, record, records};

const MINUTE: Duration = Duration::from_mins(1);
const CONFIG: (&str, &str) = ("CONFIG_URI", "s3://captures/config/");

/// Starts a function that should refuse to, and gives its complaint.
async fn complaint(local: &Loopback, changes: &[(&str, &str)]) -> String {
    local.launch(QUALITY_JUDGE, changes).await.unwrap().refusal(MINUTE).await.unwrap()
}

fn assert_lists(text: &str, mistakes: &[&str]) {
    for mistake in mistakes {
        assert!(text.contains(mistake), "{mistake} is not in {text}");
    }
    let told = text.lines().filter(|line| line.trim_start().starts_with("- ")).count();
    assert_eq!(told, mistakes.len(), "{text}");
}

#[tokio::test]
async fn a_bad_environment_ends_the_start_with_every_mistake() {
    let local = Loopback::start().await.unwrap();
    let changes = [
        ("STATE_TABLE", ""),
        ("VERDICT_BUCKET", " "),
        ("VERDICT_PREFIX", "/verdicts"),
        ("CONFIG_URI", "ftp://captures/config"),
        ("JUDGE_CONCURRENCY", "0"),
        ("JUDGE_TIMEOUT_SECONDS", "soon"),
        ("SAMPLE_RATE", "5%"),
        ("SAMPLE_CAP_PER_HOUR", "-1"),
        ("DAILY_BUDGET_USD", "ten"),
        ("MAX_LINE_BYTES", "1"),
        ("MAX_SAMPLE_CHARS", "1e6"),
        ("STORE_SAMPLE_TEXT", "yes"),
    ];
    let complaint = complaint(&local, &changes).await;
    let mistakes = [
        "STATE_TABLE: is not set",
        "VERDICT_BUCKET: is not set",
        "VERDICT_PREFIX: must be a key prefix that ends with '/'",
        "CONFIG_URI: must be s3://bucket/prefix/, is \"ftp://captures/config\"",
        "JUDGE_CONCURRENCY: must be a whole number from 1 to 256, is \"0\"",
        "JUDGE_TIMEOUT_SECONDS: must be seconds from 1 to 600, is \"soon\"",
        "SAMPLE_RATE: must be a number from 0 to 1, is \"5%\"",
        "SAMPLE_CAP_PER_HOUR: must be a whole number, is \"-1\"",
        "DAILY_BUDGET_USD: must be US dollars, 0 or more, is \"ten\"",
        "MAX_LINE_BYTES: must be bytes from 1024 to 33554432, is \"1\"",
        "MAX_SAMPLE_CHARS: must be characters from 1000 to 400000, is \"1e6\"",
        "STORE_SAMPLE_TEXT: must be true or false, is \"yes\"",
    ];
    assert_lists(&complaint, &mistakes);
    assert_eq!(local.judge_calls().await.unwrap(), 0);
}

#[tokio::test]
async fn a_judge_whose_price_is_unknown_is_refused_at_the_start() {
    let local = Loopback::start().await.unwrap();
    let error = complaint(&local, &[("JUDGE_MODEL_ID", "acme.oracle-9")]).await;
    assert_lists(&error, &["judge_price: has no entry for the judge model \"acme.oracle-9\""]);
    assert!(error.starts_with("config/fleet.toml has 1 mistake:"), "{error}");
}

#[tokio::test]
async fn a_bad_settings_folder_fails_every_event_until_it_is_put_right() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[CONFIG]).await.unwrap();
    let key = key("one");
    local.put(&key, records("a", "gpt", 2)).await.unwrap();
    let event = notification(CAPTURES, &key, None);
    let rubric = domain::rubric::SHIPPED
        .replacen("version = \"1\"", "version = \"one and a half\"", 1)
        .replacen("weight = 3", "weight = 0", 1)
        .replacen("metric = \"RelevanceScore\"", "metric = \"Records\"", 1)
        .replacen("scale = \"0-5\"", "scale = \"1-10\"", 1)
        .replacen("id = \"professional_tone\"", "id = \"relevance\"", 1);
    local.put("config/rubric.toml", rubric).await.unwrap();
    local.put("config/fleet.toml", "attribution.order = [\"guess\"]\ntypo = 1\n").await.unwrap();

    let error = function.invoke(&event, MINUTE).await.unwrap().error().unwrap();

    assert_eq!(error["errorType"], "BadConfiguration");
    let text = error["errorMessage"].as_str().unwrap();
    assert!(
        text.starts_with(
            "s3://captures/config/rubric.toml and s3://captures/config/fleet.toml has 7 mistakes:"
        )
    );
    let mistakes = [
        "version: must be 1 to 40 of",
        "dimension[0].weight: must be a number above 0",
        "dimension[0].scale: must be \"yes/no\" or \"0-5\"",
        "dimension[1].metric: Records is published by Assay itself",
        "dimension[2].id: \"relevance\" is already the id of another dimension",
        "attribution.order: \"guess\" is none of custom_attributes",
        "typo: is not a setting",
    ];
    assert_lists(text, &mistakes);
    // A batch fails as a whole: its messages wait in the queue for somebody to put it right.
    let batch = batch(&[event.to_string()]);
    assert_eq!(
        function.invoke(&batch, MINUTE).await.unwrap().error().unwrap()["errorType"],
        "BadConfiguration"
    );
    assert_eq!(local.judge_calls().await.unwrap(), 0);

    for file in ["config/rubric.toml", "config/fleet.toml"] {
        local.clients.s3.delete_object().bucket(CAPTURES).key(file).send().await.unwrap();
    }
    let summary = function.invoke(&event, MINUTE).await.unwrap().response().unwrap();
    assert_eq!(summary["outcomes"], json!({"scored": 2}), "files that are not there mean the shipped ones");
}

#[tokio::test]
async fn a_settings_folder_that_cannot_be_read_is_named() {
    let local = Loopback::start().await.unwrap();
    let stand_ins = local.stand_ins();
    local.script(json!({"match": {"path": "/captures/config/"}, "status": 403, "body": ""})).await.unwrap();
    let mut function = local.function(&[CONFIG, ("AWS_ENDPOINT_URL_S3", &stand_ins)]).await.unwrap();
    let event = notification(CAPTURES, &key("any"), None);
    let error = function.invoke(&event, MINUTE).await.unwrap().error().unwrap();
    assert_eq!(error["errorType"], "BadConfiguration");
    let told = "CONFIG_URI could not be read: GetObject failed";
    assert!(error["errorMessage"].as_str().unwrap().contains(told), "{error}");
}

#[tokio::test]
async fn a_rubric_of_ones_own_is_what_answers_are_measured_against() {
    let local = Loopback::start().await.unwrap();
    let (before, after) = domain::rubric::SHIPPED.split_once("id = \"completeness\"").unwrap();
    let rubric =
        format!("{before}id = \"completeness\"{}", after.replacen("enabled = false", "enabled = true", 1))
            .replacen("version = \"1\"", "version = \"2-ours\"", 1);
    local.put("config/rubric.toml", rubric).await.unwrap();
    // The prefix works without its slash, too.
    let mut function = local.function(&[("CONFIG_URI", "s3://captures/config")]).await.unwrap();
    let key = key("one");
    local.put(&key, records("a", "gpt", 2)).await.unwrap();

    let summary =
        function.invoke(&notification(CAPTURES, &key, None), MINUTE).await.unwrap().response().unwrap();

    assert_eq!(summary["rubric"], "assistant-quality 2-ours");
    assert_eq!(summary["scores"]["gpt"]["completeness"]["samples"], 2);
    for verdict in local.verdicts().await.unwrap() {
        assert_eq!(
            (&verdict["rubric_id"], &verdict["rubric_version"]),
            (&json!("assistant-quality"), &json!("2-ours"))
        );
        assert_eq!(verdict["scores"].as_object().unwrap().len(), 4);
        assert!(
            verdict["scores"]["completeness"].is_number() && verdict["reasons"]["completeness"].is_string()
        );
    }
    let observed = local.observations("CompletenessScore", "gpt").await.unwrap();
    assert!((observed - 2.0).abs() < 1e-9, "{observed}");
    let request = &local.judge_requests().await.unwrap()[0];
    let schema = request["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"].as_str().unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert!(schema["properties"]["completeness"].is_object(), "{schema}");
}

#[tokio::test]
async fn a_fleet_file_of_ones_own_attributes_samples_and_names() {
    let local = Loopback::start().await.unwrap();
    let fleet = domain::fleet::SHIPPED
        .replacen(
            "[attribution.models]\n",
            "[attribution.models]\n\"Qwen/Qwen2.5-7B-Instruct\" = \"qwen-7b\"\n",
            1,
        )
        .replacen("[sampling]\n", "[sampling]\n[sampling.component.quiet]\nrate = 0.0\n", 1)
        .replacen(
            "[metrics.names]\n",
            "[metrics.names]\nCompositeQualityScore = \"composite_quality_score\"\n",
            1,
        );
    local.put("config/fleet.toml", fleet).await.unwrap();
    let mut function = local.function(&[CONFIG]).await.unwrap();
    let of_model = |event_id: &str, model: &str| {
        let mut record: Value =
            serde_json::from_str(&record(event_id, "gpt", "How do I pay?", "Pay by card.")).unwrap();
        drop(record["eventMetadata"].as_object_mut().unwrap().remove("customAttributes"));
        let input = &mut record["captureData"]["endpointInput"]["data"];
        let mut request: Value = serde_json::from_str(input.as_str().unwrap()).unwrap();
        request["model"] = json!(model);
        *input = json!(request.to_string());
        format!("{record}\n")
    };
    let key = key("one");
    let object = of_model("a", "Qwen/Qwen2.5-7B-Instruct")
        + &of_model("b", "unknown/model")
        + &records("c", "quiet", 3);
    local.put(&key, object).await.unwrap();

    let summary =
        function.invoke(&notification(CAPTURES, &key, None), MINUTE).await.unwrap().response().unwrap();

    assert_eq!(summary["attributed_by"], json!({"model": 1, "unattributed": 1, "custom_attributes": 3}));
    assert_eq!((&summary["selected"], &summary["exchanges"]), (&json!(2), &json!(5)));
    let verdicts = local.verdicts().await.unwrap();
    let qwen = verdicts.iter().find(|verdict| verdict["event_id"] == "a").unwrap();
    assert_eq!((&qwen["inference_component"], &qwen["attributed_by"]), (&json!("qwen-7b"), &json!("model")));
    for (metric, component, expected) in [
        ("composite_quality_score", "qwen-7b", 1.0),
        ("composite_quality_score", "unattributed", 1.0),
        ("CompositeQualityScore", "qwen-7b", 0.0),
        ("Records", "quiet", 3.0),
        ("SamplesSelected", "quiet", 0.0),
    ] {
        let observed = local.observations(metric, component).await.unwrap();
        assert!((observed - expected).abs() < 1e-9, "{observed} observations of {metric} of {component}");
    }
}
