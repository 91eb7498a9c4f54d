//! What the cap of an hour and the budget of a day let through, and that neither loses what was not used.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use serde_json::{Value, json};
use tests::loopback::{CAPTURES, Loopback, batch, key, notification, records};
use tests::runtime_api::Answer;
use tests::samples::ENDPOINT;

const MINUTE: Duration = Duration::from_mins(1);

fn summary(answer: Answer) -> Value {
    answer.response().unwrap()
}

#[tokio::test]
async fn concurrent_invocations_do_not_overrun_the_budget() {
    let local = Loopback::start().await.unwrap();
    // About 0.013 USD are reserved for a sample and 0.006 spent.
    let settings = [("DAILY_BUDGET_USD", "0.10"), ("JUDGE_CONCURRENCY", "4")];
    let mut functions = Vec::new();
    let mut events = Vec::new();
    for index in 0..6 {
        functions.push(local.function(&settings).await.unwrap());
        let key = key(&format!("budget-{index}"));
        let etag = local.put(&key, records(&format!("a{index}"), "gpt", 10)).await.unwrap();
        events.push(notification(CAPTURES, &key, Some(&etag)));
    }
    let running = functions.iter_mut().zip(&events).map(|(function, event)| function.invoke(event, MINUTE));
    let summaries: Vec<Value> = futures_util::future::join_all(running)
        .await
        .into_iter()
        .map(|answer| summary(answer.unwrap()))
        .collect();

    let sum =
        |name: &str| summaries.iter().filter_map(|summary| summary["outcomes"][name].as_u64()).sum::<u64>();
    let cost: f64 = summaries.iter().filter_map(|summary| summary["judge_cost_usd"].as_f64()).sum();
    assert_eq!(sum("scored") + sum("over_budget"), 60);
    assert!(sum("scored") > 0 && sum("over_budget") > 0, "{summaries:?}");
    assert!(cost <= 0.10, "{cost}");
    let over = local.sum("SamplesOverBudget", "gpt").await.unwrap();
    #[expect(clippy::cast_precision_loss, reason = "at most 60")]
    let expected = sum("over_budget") as f64;
    assert!((over - expected).abs() < 1e-9, "{over}");
    let warnings = functions.iter().flat_map(tests::runtime_api::Function::log);
    assert_eq!(warnings.filter(|line| line.contains("budget of the day is used up")).count(), 1);
}

#[tokio::test]
async fn money_that_others_have_only_reserved_is_waited_for() {
    let local = Loopback::start().await.unwrap();
    local.script(json!({"match": {"path": "/model/"}, "delay_ms": 1500})).await.unwrap();
    // About 0.013 USD are reserved for a sample and 0.006 spent.
    let settings = [("DAILY_BUDGET_USD", "0.10")];
    let mut functions = [local.function(&settings).await.unwrap(), local.function(&settings).await.unwrap()];
    let mut events = Vec::new();
    for (name, count) in [("first", 7), ("second", 5)] {
        let etag = local.put(&key(name), records(name, "gpt", count)).await.unwrap();
        events.push(notification(CAPTURES, &key(name), Some(&etag)));
    }

    let first = functions[0].send(&events[0], MINUTE).unwrap();
    while local.judge_calls().await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = summary(functions[1].invoke(&events[1], MINUTE).await.unwrap());

    assert_eq!(second["outcomes"], json!({"scored": 5}), "{second}");
    assert_eq!(summary(functions[0].answer(&first, MINUTE).await.unwrap())["outcomes"]["scored"], 7);
    assert_eq!(reserved(&local).await, "0");
}

#[tokio::test]
async fn what_is_over_the_budget_takes_no_slot_of_the_cap() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[("DAILY_BUDGET_USD", "0.03")]).await.unwrap();
    let etag = local.put(&key("poor"), records("poor", "gpt", 12)).await.unwrap();

    let summary =
        summary(function.invoke(&notification(CAPTURES, &key("poor"), Some(&etag)), MINUTE).await.unwrap());

    let scored = summary["outcomes"]["scored"].as_u64().unwrap();
    assert!(scored > 0 && summary["outcomes"]["over_budget"] == 12 - scored, "{summary}");
    let hour = jiff::Timestamp::now().strftime("%Y-%m-%dT%H");
    let taken = local.state(&format!("cap#{ENDPOINT}/gpt#{hour}"), "taken").await.unwrap();
    assert_eq!(taken, scored.to_string());
}

#[tokio::test]
async fn the_cap_holds_for_component_and_hour() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[("SAMPLE_CAP_PER_HOUR", "5")]).await.unwrap();
    let mut outcomes = Vec::new();
    for name in ["one", "two"] {
        let key = key(name);
        let body = records(name, "gpt", 4) + &records(&format!("{name}-other"), "qwen", 1);
        let etag = local.put(&key, body).await.unwrap();
        let summary =
            summary(function.invoke(&notification(CAPTURES, &key, Some(&etag)), MINUTE).await.unwrap());
        outcomes.push(summary["outcomes"].clone());
    }
    // An hour that turns between the two objects gives the second one a new cap.
    let turned = json!({"scored": 5});
    assert!(outcomes[1] == json!({"scored": 2, "over_cap": 3}) || outcomes[1] == turned, "{outcomes:?}");
}

#[tokio::test]
async fn a_sample_that_was_not_answered_has_its_slot_of_the_cap_when_it_comes_again() {
    let local = Loopback::start().await.unwrap();
    let headers = json!({"x-amzn-errortype": "ThrottlingException"});
    let throttled = json!({"match": {"path": "/model/"}, "status": 429, "headers": headers, "body": {}});
    local.script(throttled).await.unwrap();
    let settings = [("SAMPLE_CAP_PER_HOUR", "5"), ("JUDGE_TIMEOUT_SECONDS", "1")];
    let mut function = local.function(&settings).await.unwrap();
    let key = key("throttled");
    let etag = local.put(&key, records("a", "gpt", 7)).await.unwrap();
    let event = batch(&[notification(CAPTURES, &key, Some(&etag)).to_string()]);

    let failed = function.invoke(&event, Duration::from_secs(8)).await.unwrap();

    assert_eq!(failed, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]})));
    assert_eq!(function.entries("invocation done")[0]["outcomes"], "over_cap 2, throttled 5");

    local.forget().await.unwrap();
    let finished = function.invoke(&event, MINUTE).await.unwrap();

    assert_eq!(finished, Answer::Response(json!({"batchItemFailures": []})));
    assert_eq!(function.entries("invocation done")[1]["outcomes"], "scored 5");
    let counts = [("SamplesScored", 5.0), ("SamplesOverCap", 2.0), ("SamplesSelected", 7.0)];
    for (metric, expected) in counts {
        let sum = local.sum(metric, "gpt").await.unwrap();
        assert!((sum - expected).abs() < 1e-9, "{metric} is {sum}");
    }
}

/// What the state table says was spent today, in US dollars.
async fn booked(local: &Loopback) -> f64 {
    local.state(&today(), "spent").await.unwrap().parse::<f64>().unwrap() / 1e6
}

async fn reserved(local: &Loopback) -> String {
    local.state(&today(), "reserved").await.unwrap()
}

fn today() -> String {
    jiff::Timestamp::now().strftime("budget#%Y-%m-%d").to_string()
}

#[tokio::test]
async fn every_call_that_may_have_been_paid_for_is_booked_and_no_other() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[("JUDGE_TIMEOUT_SECONDS", "1")]).await.unwrap();
    let mut judge = async |name: &str, count| {
        let key = key(name);
        let etag = local.put(&key, records(name, "gpt", count)).await.unwrap();
        let event = notification(CAPTURES, &key, Some(&etag));
        summary(function.invoke(&event, MINUTE).await.unwrap())["judge_cost_usd"].as_f64().unwrap()
    };
    let calm = judge("calm", 3).await;
    assert!((booked(&local).await - calm).abs() < 1e-9);

    // Twice too late, then in time.
    local.script(json!({"match": {"path": "/model/"}, "delay_ms": 2500, "times": 2})).await.unwrap();
    let troubled = judge("troubled", 1).await;

    // About 0.013 USD are set aside for a call.
    let unanswered = booked(&local).await - calm - troubled;
    assert!(unanswered > 0.02, "{unanswered} USD booked for two calls without an answer");
    assert_eq!(local.judge_calls().await.unwrap(), 6);
    assert_eq!(reserved(&local).await, "0");
}
