//! Events come twice, late and in pieces; processes die. Nothing is judged twice, nothing is lost.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::functions::QUALITY_JUDGE;
use tests::loopback::{CAPTURES, Loopback, batch, key, notification, record, record_at, records};
use tests::runtime_api::Answer;

const MINUTE: Duration = Duration::from_mins(1);

fn summary(answer: Answer) -> Value {
    answer.response().unwrap()
}

fn ids(verdicts: &[Value]) -> BTreeSet<String> {
    verdicts.iter().map(|verdict| verdict["verdict_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_duplicate_event_costs_nothing() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let key = key("one");
    let etag = local.put(&key, records("a", "gpt", 3)).await.unwrap();
    let event = notification(CAPTURES, &key, Some(&etag));

    let first = summary(function.invoke(&event, MINUTE).await.unwrap());
    assert_eq!(first["outcomes"], json!({"scored": 3}));
    let second = summary(function.invoke(&event, MINUTE).await.unwrap());
    assert_eq!(second["objects"], json!({"duplicate": 1}));
    // Without an ETag in the event only the object itself can tell.
    let third = summary(function.invoke(&notification(CAPTURES, &key, None), MINUTE).await.unwrap());
    assert_eq!(third["objects"], json!({"duplicate": 1}));

    assert_eq!(local.judge_calls().await.unwrap(), 3);
    assert_eq!(local.verdicts().await.unwrap().len(), 3);
    let scored = local.sum("SamplesScored", "gpt").await.unwrap();
    assert!((scored - 3.0).abs() < 1e-9, "{scored}");
}

#[tokio::test]
async fn a_rewritten_object_pays_only_for_what_is_new() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let key = key("rewritten");
    let old = local.put(&key, records("a", "gpt", 3)).await.unwrap();
    summary(function.invoke(&notification(CAPTURES, &key, Some(&old)), MINUTE).await.unwrap());
    let longer = records("a", "gpt", 3) + &record("b-0", "gpt", "How do I pay?", "Pay by card.");
    let new = local.put(&key, longer).await.unwrap();

    // The older event comes again, after the object was written anew.
    let late = summary(function.invoke(&notification(CAPTURES, &key, Some("0ld")), MINUTE).await.unwrap());
    assert_eq!(late["objects"], json!({"superseded": 1}));
    let rewritten =
        summary(function.invoke(&notification(CAPTURES, &key, Some(&new)), MINUTE).await.unwrap());
    assert_eq!(rewritten["already_judged"], 3);
    assert_eq!(rewritten["outcomes"], json!({"scored": 1}));

    assert_eq!(local.judge_calls().await.unwrap(), 4);
    assert_eq!(ids(&local.verdicts().await.unwrap()).len(), 4);
}

#[tokio::test]
async fn a_crash_loses_no_verdict_and_pays_only_for_calls_in_flight() {
    const SAMPLES: usize = 40;
    const CONCURRENCY: usize = 4;
    let local = Loopback::start().await.unwrap();
    local.script(json!({"match": {"path": "/model/"}, "delay_ms": 60})).await.unwrap();
    let key = key("crash");
    let etag = local.put(&key, records("a", "gpt", SAMPLES)).await.unwrap();
    let event = notification(CAPTURES, &key, Some(&etag));
    let settings = [("JUDGE_CONCURRENCY", "4"), ("JUDGE_TIMEOUT_SECONDS", "1")];

    // Lambda's lease ends with the invocation: a short one keeps the test short.
    let short = Duration::from_secs(8);
    let mut crashes = 0;
    for _ in 0..2 {
        let mut function = local.function(&settings).await.unwrap();
        let before = local.judge_calls().await.unwrap();
        let id = function.send(&event, short).unwrap();
        while local.judge_calls().await.unwrap() < before + 12 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        function.kill();
        assert_eq!(function.answer(&id, MINUTE).await.unwrap(), Answer::Died);
        crashes += 1;
        tokio::time::sleep(short + Duration::from_secs(2)).await;
    }
    let mut function = local.function(&settings).await.unwrap();
    let last = summary(function.invoke(&event, MINUTE).await.unwrap());

    assert_eq!(last["objects"], json!({"judged": 1}));
    assert!(last["resumed"].as_u64().unwrap() >= 12, "{last}");
    assert_eq!(ids(&local.verdicts().await.unwrap()).len(), SAMPLES);
    let calls = local.judge_calls().await.unwrap();
    // In flight: asked, or answered and being written to the state table.
    let most = SAMPLES + crashes * 2 * CONCURRENCY;
    assert!((SAMPLES..=most).contains(&calls), "{calls} calls for {SAMPLES} samples");
    let scored = local.sum("SamplesScored", "gpt").await.unwrap();
    assert!((scored - 40.0).abs() < 1e-9, "{scored}");
}

#[tokio::test]
async fn what_does_not_fit_into_an_invocation_goes_back_to_the_queue_and_goes_on() {
    let local = Loopback::start().await.unwrap();
    local.script(json!({"match": {"path": "/model/"}, "delay_ms": 400})).await.unwrap();
    let queue = local.clients.sqs.create_queue().queue_name("rest").send().await.unwrap();
    let queue = queue.queue_url().unwrap();
    let settings = [("JUDGE_CONCURRENCY", "2"), ("JUDGE_TIMEOUT_SECONDS", "1"), ("CAPTURE_QUEUE_URL", queue)];
    let mut function = local.function(&settings).await.unwrap();
    let key = key("long");
    let etag = local.put(&key, records("a", "gpt", 20)).await.unwrap();
    let mut body = notification(CAPTURES, &key, Some(&etag)).to_string();

    // Two seconds for calls, five calls a second: it takes at least two invocations.
    let mut invocations = 0;
    loop {
        invocations += 1;
        let answer =
            function.invoke(&batch(std::slice::from_ref(&body)), Duration::from_secs(8)).await.unwrap();
        assert_eq!(answer, Answer::Response(json!({"batchItemFailures": []})));
        let received = local.clients.sqs.receive_message().queue_url(queue).send().await.unwrap();
        let Some(message) = received.messages().first() else { break };
        body = message.body().unwrap().to_owned();
        let handle = message.receipt_handle().unwrap();
        local.clients.sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await.unwrap();
    }

    assert!(invocations >= 2, "{invocations}");
    assert_eq!(local.judge_calls().await.unwrap(), 20);
    assert_eq!(ids(&local.verdicts().await.unwrap()).len(), 20);
    let scored = local.sum("SamplesScored", "gpt").await.unwrap();
    assert!((scored - 20.0).abs() < 1e-9, "{scored}");
    let records = local.sum("Records", "gpt").await.unwrap();
    assert!((records - 20.0).abs() < 1e-9, "{records}");
}

#[tokio::test]
async fn only_the_messages_that_failed_come_back() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let key = key("good");
    let etag = local.put(&key, records("a", "gpt", 2)).await.unwrap();
    let good = notification(CAPTURES, &key, Some(&etag)).to_string();
    let bodies = [
        "secret words that are no event".to_owned(),
        good.clone(),
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": CAPTURES}).to_string(),
        good,
    ];

    let answer = function.invoke(&batch(&bodies), MINUTE).await.unwrap();

    assert_eq!(answer, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]})));
    assert_eq!(local.judge_calls().await.unwrap(), 2);
    assert!(!function.log().join("\n").contains("secret words"));
}

#[tokio::test]
async fn two_processes_at_once_judge_an_object_once() {
    let local = Loopback::start().await.unwrap();
    local.script(json!({"match": {"path": "/model/"}, "delay_ms": 100})).await.unwrap();
    let mut one = local.function(&[]).await.unwrap();
    let mut other = local.function(&[]).await.unwrap();
    let key = key("contested");
    let etag = local.put(&key, records("a", "gpt", 20)).await.unwrap();
    let body = notification(CAPTURES, &key, Some(&etag)).to_string();
    let event = batch(&[body]);

    // The Runtime API stand-ins number their invocations alike; Lambda's ids are unique.
    other.invoke(&json!({"Event": "s3:TestEvent"}), MINUTE).await.unwrap();
    let answers = tokio::join!(one.invoke(&event, MINUTE), other.invoke(&event, MINUTE));

    let failed = |answer: &Answer| matches!(answer, Answer::Response(answer) if answer["batchItemFailures"][0] != Value::Null);
    let both = [answers.0.unwrap(), answers.1.unwrap()];
    assert_eq!(both.iter().filter(|answer| failed(answer)).count(), 1, "{both:?}");
    assert_eq!(local.judge_calls().await.unwrap(), 20);
    assert_eq!(ids(&local.verdicts().await.unwrap()).len(), 20);
}

#[tokio::test]
async fn after_a_fault_of_the_state_table_no_further_call_is_made() {
    const CONCURRENCY: usize = 2;
    let local = Loopback::start().await.unwrap();
    local.script(json!({"match": {"path": "/model/"}, "delay_ms": 300})).await.unwrap();
    let mut function = local.function(&[("JUDGE_CONCURRENCY", "2")]).await.unwrap();
    let key = key("fault");
    let etag = local.put(&key, records("a", "gpt", 40)).await.unwrap();
    let event = batch(&[notification(CAPTURES, &key, Some(&etag)).to_string()]);

    let id = function.send(&event, MINUTE).unwrap();
    while local.judge_calls().await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    local.forbid("KeepState");
    let failed = function.answer(&id, MINUTE).await.unwrap();

    assert_eq!(failed, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]})));
    assert!(!local.refused(QUALITY_JUDGE).is_empty());
    // The first verdict finds out; until then others take its place.
    let calls = local.judge_calls().await.unwrap();
    assert!(calls <= 3 * CONCURRENCY, "{calls} calls");
}

#[tokio::test]
async fn a_long_object_without_samples_is_saved_on_the_way() {
    const LINES: i64 = 10_500;
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[("SAMPLE_RATE", "0")]).await.unwrap();
    // A minute of its own for each line, so long ago that nothing is published.
    let minute = |line: i64| jiff::Timestamp::from_second(1_700_000_000 + line * 60).unwrap();
    let body: String =
        (0..LINES).map(|line| record_at(minute(line), &format!("e{line}"), "gpt", "Why?", "So.")).collect();
    let key = key("minutes");
    let etag = local.put(&key, body).await.unwrap();

    let summary = summary(function.invoke(&notification(CAPTURES, &key, Some(&etag)), MINUTE).await.unwrap());

    assert_eq!((&summary["objects"], &summary["lines"]), (&json!({"judged": 1}), &json!(LINES)), "{summary}");
    // Three numbers a line, and some 10,000 are held at most.
    let checkpoints = local.state(&format!("object#{CAPTURES}/{key}"), "checkpoints").await.unwrap();
    assert_eq!(checkpoints, "3", "{summary}");
}
