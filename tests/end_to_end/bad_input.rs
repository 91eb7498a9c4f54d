//! Whatever lies in the bucket and whatever the event says: each fault has its name, its count and
//! its place, stops no neighbour, and no captured word gets out.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use serde_json::{Value, json};
use tests::loopback::{CAPTURES, Loopback, batch, created, key, notification, record};
use tests::runtime_api::{Answer, Function};
use tokio::io::AsyncWriteExt as _;

const MINUTE: Duration = Duration::from_mins(1);

/// Words that stand in every question and answer here, and nowhere else.
const MARKS: [&str; 2] = ["quokkaquestion", "axolotlanswer"];

/// A good record.
fn good(event_id: &str) -> String {
    record(
        event_id,
        "gpt",
        "How does the quokkaquestion reset a password?",
        "The axolotlanswer resets it in settings.",
    )
}

/// A record that is changed by `change` and no longer good.
fn spoilt(event_id: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(&good(event_id)).unwrap();
    change(&mut value);
    format!("{value}\n")
}

async fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = async_compression::tokio::write::GzipEncoder::new(Vec::new());
    encoder.write_all(text.as_bytes()).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

/// One S3 notification about several objects.
fn notifications(keys: &[&str]) -> Value {
    let records = keys.iter().map(|key| notification(CAPTURES, key, None)["Records"][0].take());
    json!({"Records": records.collect::<Vec<Value>>()})
}

fn assert_discreet(function: &Function, answers: &[&Value]) {
    let told = function.log().join("\n") + &answers.iter().map(ToString::to_string).collect::<String>();
    assert!(told.contains("invocation done"), "the log is not the function's: {told}");
    for mark in MARKS {
        assert!(!told.contains(mark), "{mark} got out: {told}");
    }
}

async fn assert_sum(local: &Loopback, metric: &str, component: &str, expected: f64) {
    let sum = local.sum(metric, component).await.unwrap();
    assert!((sum - expected).abs() < 1e-9, "{metric} of {component} is {sum}, not {expected}");
}

/// Lines that are no good, by the reason that names them. Whose they are can be told from the
/// record itself only after it was read.
fn bad_lines() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let metadata = |name: &'static str| {
        move |record: &mut Value| drop(record["eventMetadata"].as_object_mut().unwrap().remove(name))
    };
    let data = |side: &'static str, field: &'static str, value: Value| {
        move |record: &mut Value| record["captureData"][side][field] = value
    };
    let without = |side: &'static str| {
        move |record: &mut Value| drop(record["captureData"].as_object_mut().unwrap().remove(side))
    };
    let two_questions = json!({"inputs": ["quokkaquestion one", "quokkaquestion two"]}).to_string();
    let nobody = "unattributed";
    let texts = [
        ("truncated_line", nobody, good("cut")[..300].to_owned() + "\n"),
        ("invalid_json", nobody, "quokkaquestion, and no JSON\n".to_owned()),
        ("not_a_capture", nobody, json!({"question": MARKS[0], "answer": MARKS[1]}).to_string() + "\n"),
        ("missing_event_id", nobody, spoilt("m-1", metadata("eventId"))),
        ("missing_inference_time", nobody, spoilt("m-2", metadata("inferenceTime"))),
        (
            "invalid_inference_time",
            nobody,
            spoilt("m-3", |record| record["eventMetadata"]["inferenceTime"] = json!(MARKS[0])),
        ),
        ("unknown_encoding", "gpt", spoilt("e-1", data("endpointInput", "encoding", json!(MARKS[0])))),
        ("invalid_base64", "gpt", spoilt("e-2", data("endpointOutput", "encoding", json!("BASE64")))),
        ("no_input", "gpt", spoilt("s-1", without("endpointInput"))),
        ("no_output", "gpt", spoilt("s-2", without("endpointOutput"))),
        (
            "invalid_payload",
            "gpt",
            spoilt("p-1", data("endpointOutput", "data", json!("{\"choices\": [\"axolotlanswer"))),
        ),
        (
            "not_text_generation",
            "gpt",
            spoilt("p-2", data("endpointInput", "data", json!("1.0,2.0,quokkaquestion"))),
        ),
        ("no_output_text", "gpt", spoilt("p-3", data("endpointOutput", "data", json!("{\"usage\": {}}")))),
        (
            "batch_mismatch",
            "gpt",
            spoilt("p-4", |record| {
                record["captureData"]["endpointInput"]["data"] = json!(two_questions);
                record["captureData"]["endpointOutput"]["data"] =
                    json!(r#"[{"generated_text": "axolotlanswer"}]"#);
            }),
        ),
    ];
    let mut lines: Vec<_> =
        texts.into_iter().map(|(reason, whose, text)| (reason, whose, text.into_bytes())).collect();
    let mut not_utf8 = good("u-1").into_bytes();
    let middle = not_utf8.len() / 2;
    not_utf8[middle] = 0xff;
    lines.push(("invalid_utf8", nobody, not_utf8));
    lines
}

#[tokio::test]
async fn a_bad_line_has_a_name_a_count_and_a_place() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let bad = bad_lines();
    // Good lines between the bad ones. An object tells ten of its lines one by one.
    let mut keys = Vec::new();
    for (number, lines) in bad.chunks(8).enumerate() {
        let mut object = Vec::new();
        for (index, (_, _, line)) in lines.iter().enumerate() {
            object.extend_from_slice(line);
            object.extend_from_slice(good(&format!("good-{number}-{index}")).as_bytes());
        }
        let key = key(&format!("lines-{number}"));
        local.put(&key, object).await.unwrap();
        keys.push(key);
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();

    let summary = function.invoke(&notifications(&keys), MINUTE).await.unwrap().response().unwrap();

    assert_eq!(summary["objects"], json!({"judged": 2}));
    assert_eq!(summary["lines"], 2 * bad.len());
    assert_eq!(summary["exchanges"], bad.len());
    assert_eq!(summary["outcomes"], json!({"scored": bad.len()}));
    assert_eq!(summary["skipped"].as_object().unwrap().len(), bad.len(), "{summary}");
    let entries = function.entries("line skipped");
    assert_eq!(entries.len(), bad.len());
    for (index, (reason, whose, _)) in bad.iter().enumerate() {
        assert_eq!(summary["skipped"][reason], 1, "{reason}: {summary}");
        let (key, line) = (keys[index / 8], 2 * (index % 8) + 1);
        let entry = entries.iter().find(|entry| entry["reason"] == *reason).unwrap();
        assert_eq!((&entry["object_key"], &entry["line"]), (&json!(key), &json!(line)), "{reason}");
        assert!(entry["advice"].as_str().unwrap().ends_with('.'), "{entry}");
        let reason = domain::capture::SkipReason::ALL.iter().find(|known| known.as_str() == *reason).unwrap();
        assert_sum(&local, reason.metric_name(), whose, 1.0).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "fifteen")]
    let all = bad.len() as f64;
    assert_sum(&local, "SamplesScored", "gpt", all).await;
    assert_sum(&local, "Records", "gpt", all).await;
    assert_discreet(&function, &[&summary]);
}

#[tokio::test]
async fn an_object_full_of_rubbish_fills_no_log() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let key = key("rubbish");
    local.put(&key, "quokkaquestion\n".repeat(1000) + &good("last")).await.unwrap();

    let summary =
        function.invoke(&notification(CAPTURES, &key, None), MINUTE).await.unwrap().response().unwrap();

    assert_eq!(summary["skipped"], json!({"invalid_json": 1000}));
    assert_eq!(summary["outcomes"], json!({"scored": 1}));
    assert_eq!(function.entries("line skipped").len(), 10);
    assert_eq!(function.entries("further skipped lines of this object are only counted").len(), 1);
    assert_sum(&local, "SkippedInvalidJson", "unattributed", 1000.0).await;
    assert_discreet(&function, &[&summary]);
}

#[tokio::test]
async fn a_bad_object_has_a_name_a_count_and_a_place() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let records = |name: &str, count: usize| {
        (0..count).map(|index| good(&format!("{name}-{index}"))).collect::<String>()
    };
    let long =
        spoilt("long", |record| record["filler"] = json!(MARKS[0].repeat(20_000_000 / MARKS[0].len())));
    let whole = gzipped(&records("whole", 3)).await;
    let cut = gzipped(&records("cut", 200)).await;
    let [empty, gone, huge, binary, plain_name, gz_name, half, theirs] =
        ["empty", "gone", "huge", "binary", "plain-name", "gz-name", "half", "theirs"].map(key);
    let gz_name = gz_name + ".gz";
    local.put(&empty, "").await.unwrap();
    local.put(&huge, good("before") + &long + &good("after")).await.unwrap();
    local.put(&binary, (0..=255).cycle().take(1024).collect::<Vec<u8>>()).await.unwrap();
    local.put(&plain_name, whole.clone()).await.unwrap();
    local.put(&gz_name, gzipped(&records("other", 2)).await).await.unwrap();
    local.put(&half, &cut[..cut.len() / 2]).await.unwrap();
    let odd = "reports/quarter.csv";
    local.put(odd, "axolotlanswer").await.unwrap();
    let mut event = notifications(&[&empty, &gone, &huge, &binary, &plain_name, &gz_name, &half, odd]);
    let foreign = notification("someone-elses", &theirs, None)["Records"][0].take();
    event["Records"].as_array_mut().unwrap().push(foreign);

    let summary = function.invoke(&event, MINUTE).await.unwrap().response().unwrap();

    let objects = json!({"judged": 5, "gone": 1, "corrupt": 1, "not_a_capture_key": 1, "foreign_bucket": 1});
    assert_eq!(summary["objects"], objects);
    // Four line feeds cut 1024 bytes into five lines, of which the first is ASCII.
    assert_eq!(summary["skipped"], json!({"line_too_long": 1, "invalid_json": 1, "invalid_utf8": 4}));
    let verdicts = local.verdicts().await.unwrap();
    let scored = |key: &str| verdicts.iter().filter(|verdict| verdict["object_key"] == key).count();
    assert_eq!([&huge, &plain_name, &gz_name, &binary, &empty].map(|key| scored(key)), [2, 3, 2, 0, 0]);
    assert!((1..200).contains(&scored(&half)), "{} of 200 before the cut", scored(&half));
    assert_eq!(summary["outcomes"]["scored"], verdicts.len());
    let long_line = function.entries("line skipped");
    let long_line = long_line.iter().find(|entry| entry["reason"] == "line_too_long").unwrap();
    assert_eq!((&long_line["object_key"], &long_line["line"]), (&json!(huge), &json!(2)));
    let dropped = function.entries("object dropped");
    for (key, outcome) in
        [(gone.as_str(), "gone"), (&half, "corrupt"), (odd, "not_a_capture_key"), (&theirs, "foreign_bucket")]
    {
        let entry = dropped.iter().find(|entry| entry["object_key"] == key).unwrap();
        assert_eq!(entry["outcome"], outcome);
    }
    for (metric, endpoint) in [
        ("ObjectsGone", "support-chat"),
        ("ObjectsCorrupt", "support-chat"),
        ("ObjectsForeign", "support-chat"),
        ("ObjectsNotCaptures", "unknown"),
    ] {
        let sum = local.sum_at(endpoint, metric, "unattributed").await.unwrap();
        assert!((sum - 1.0).abs() < 1e-9, "{metric} is {sum}");
    }
    assert_sum(&local, "SkippedLineTooLong", "unattributed", 1.0).await;
    assert_discreet(&function, &[&summary]);
}

#[tokio::test]
async fn an_object_without_permission_comes_back_and_its_neighbours_do_not() {
    let local = Loopback::start().await.unwrap();
    // The emulator permits everything, so a script plays S3.
    let [secret, open] = ["secret", "open"].map(key);
    let path = |key: &str| format!("/{CAPTURES}/{key}");
    let refusal = "<Error><Code>AccessDenied</Code><Message>about quokkaquestion</Message></Error>";
    let replies = json!([
        {"match": {"method": "GET", "path": path(&secret)}, "status": 403, "body": refusal},
        {"match": {"method": "GET", "path": path(&open)}, "headers": {"etag": "\"1\""}, "body": good("open")},
        {"match": {"method": "PUT", "path": "/verdicts/"}, "headers": {"etag": "\"2\""}, "body": ""},
    ]);
    local.script(replies).await.unwrap();
    let stand_ins = local.stand_ins();
    let mut function = local.function(&[("AWS_ENDPOINT_URL_S3", &stand_ins)]).await.unwrap();
    let bodies = [&secret, &open].map(|key| notification(CAPTURES, key, None).to_string());

    let answer = function.invoke(&batch(&bodies), MINUTE).await.unwrap().response().unwrap();

    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]}));
    let done = &function.entries("invocation done")[0];
    assert_eq!((&done["objects"], &done["outcomes"]), (&json!("forbidden 1, judged 1"), &json!("scored 1")));
    let entries = function.entries("object not judged; it is tried again");
    assert_eq!((&entries[0]["object_key"], &entries[0]["outcome"]), (&json!(secret), &json!("forbidden")));
    assert!(entries[0]["error"].as_str().unwrap().contains("s3:GetObject"), "{entries:?}");
    // Sent directly, the same is an error.
    let error =
        function.invoke(&notification(CAPTURES, &secret, None), MINUTE).await.unwrap().error().unwrap();
    assert_eq!(error["errorType"], "Unsettled");
    assert!(error["errorMessage"].as_str().unwrap().contains("secret.jsonl (forbidden)"), "{error}");
    assert_discreet(&function, &[&answer, &error]);
}

#[tokio::test]
async fn what_is_no_event_is_refused_by_name_and_not_repeated() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let mut answers = Vec::new();
    let nested = json!({"Records": [{"eventSource": "aws:sqs", "body": {"not": "quokkaquestion"}}]});
    let detail = json!({"detail-type": "Object Created", "detail": {"bucket": "quokkaquestion"}});
    let ill = json!({"Records": [{"eventSource": "aws:s3", "s3": "axolotlanswer"}]});
    for other in [
        json!({"hello": "quokkaquestion"}),
        json!("axolotlanswer"),
        json!([]),
        json!(null),
        nested,
        detail,
        ill,
    ] {
        let error = function.invoke(&other, MINUTE).await.unwrap().error().unwrap();
        assert_eq!(error["errorType"], "NotAnEvent", "{other}: {error}");
        assert!(error["errorMessage"].as_str().unwrap().contains("SQS batch"), "{error}");
        answers.push(error);
    }
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": CAPTURES});
    let summary = function.invoke(&test, MINUTE).await.unwrap().response().unwrap();
    assert_eq!((&summary["objects"], &summary["lines"]), (&json!({}), &json!(0)));
    assert_discreet(&function, &answers.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn events_in_any_order_end_with_the_newest_version_judged_once() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let key = key("order");
    let old = local.put(&key, good("old")).await.unwrap();
    let new = local.put(&key, good("old") + &good("new")).await.unwrap();
    let [newer, older] = [&new, &old].map(|etag| notification(CAPTURES, &key, Some(etag)).to_string());
    let mut removed = notification(CAPTURES, &key, None);
    removed["Records"][0]["eventName"] = json!("ObjectRemoved:Delete");
    let bodies = [newer.clone(), removed.to_string(), older.clone()];

    let together = function.invoke(&batch(&bodies), MINUTE).await.unwrap();
    let late = function.invoke(&batch(&[older, newer]), MINUTE).await.unwrap();

    for answer in [together, late] {
        assert_eq!(answer, Answer::Response(json!({"batchItemFailures": []})));
    }
    let objects: Vec<Value> =
        function.entries("invocation done").iter().map(|entry| entry["objects"].clone()).collect();
    assert_eq!(objects, ["judged 1, superseded 1", "duplicate 1, superseded 1"]);
    assert_eq!(local.verdicts().await.unwrap().len(), 2);
    assert_eq!(local.judge_calls().await.unwrap(), 2);
}

#[tokio::test]
async fn keys_with_spaces_plus_signs_and_letters_of_any_script_are_found() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let names = ["a b", "a+b", "a%2Bb", "größe 日本 ✓", "a&b=c;(d)!"];
    let keys = names.map(key);
    let mut bodies = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let etag = local.put(key, good(&format!("key-{index}"))).await.unwrap();
        // S3 writes a space in a notification as '+', and leaves EventBridge's keys as they are.
        let mut event = notification(CAPTURES, key, Some(&etag));
        let encoded = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().replace("%20", "+");
        event["Records"][0]["s3"]["object"]["key"] = json!(encoded);
        bodies.extend([event.to_string(), created(CAPTURES, key, Some(&etag)).to_string()]);
    }

    let answer = function.invoke(&batch(&bodies), MINUTE).await.unwrap();

    assert_eq!(answer, Answer::Response(json!({"batchItemFailures": []})));
    let verdicts = local.verdicts().await.unwrap();
    let mut judged: Vec<&str> =
        verdicts.iter().map(|verdict| verdict["object_key"].as_str().unwrap()).collect();
    judged.sort_unstable();
    let mut expected: Vec<&str> = keys.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(judged, expected);
    assert_eq!(local.judge_calls().await.unwrap(), names.len());
}
