//! Crashes and invocations at the same time: each alert is still told once to each destination.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use serde_json::{Value, json};
use tests::loopback::{GrafanaAlert, Loopback, grafana, sns};
use tests::runtime_api::{Answer, Function};

const TIME: Duration = Duration::from_secs(50);

fn event() -> Value {
    sns(&[grafana(&[GrafanaAlert::new("Safety low", "qwen-7b")])])
}

async fn calls(local: &Loopback, stand_in: &str) -> usize {
    local.received(stand_in).await.unwrap().len()
}

#[tokio::test]
async fn the_same_event_five_times_at_once_is_sent_once() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("").await.unwrap();
    let mut functions: Vec<Function> = Vec::new();
    for _ in 0..5 {
        functions.push(local.router(&rules, &[]).await.unwrap());
    }
    let event = event();
    let ids: Vec<String> =
        functions.iter_mut().map(|function| function.send(&event, TIME).unwrap()).collect();
    let mut delivered = 0;
    for (function, id) in functions.iter_mut().zip(&ids) {
        match function.answer(id, TIME).await.unwrap() {
            Answer::Response(_) => delivered += 1,
            // It found the claim of another and must come back, because that one may have crashed.
            Answer::Error(error) => {
                assert!(error["errorMessage"].as_str().unwrap().contains("another invocation"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(delivered >= 1);
    for function in &mut functions {
        function.invoke(&event, TIME).await.unwrap().response().unwrap();
    }
    for stand_in in ["slack", "pagerduty", "opsgenie", "webhook"] {
        assert_eq!(calls(&local, stand_in).await, 1, "{stand_in}");
    }
}

#[tokio::test]
async fn a_crash_between_two_destinations_sends_again_only_what_was_under_way() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[lifecycle]\nclaim_seconds = 51").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    // Slack takes longer than the function lives.
    local.script(json!({"match": {"stand_in": "slack"}, "delay_ms": 4000, "times": 1})).await.unwrap();
    let event = event();
    function.send(&event, TIME).unwrap();
    for _ in 0..100 {
        if calls(&local, "pagerduty").await == 1 && calls(&local, "slack").await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    function.kill();

    let mut next = local.router(&rules, &[]).await.unwrap();
    // While the claim of the crashed one holds, nobody sends; the event must come back.
    let Answer::Error(error) = next.invoke(&event, TIME).await.unwrap() else { panic!("no error") };
    assert!(error["errorMessage"].as_str().unwrap().contains("another invocation"), "{error}");
    tokio::time::sleep(Duration::from_secs(51)).await;
    next.invoke(&event, TIME).await.unwrap().response().unwrap();
    let received = local.received("pagerduty").await.unwrap();
    let keys: Vec<&Value> = received.iter().map(|call| &call.body["dedup_key"]).collect();
    // What was not noted before the crash is sent again, which the dedup key makes harmless.
    assert!(keys.len() <= 2 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(next.invoke(&event, TIME).await.unwrap().response().unwrap()["destinations"], json!({}));
}

#[tokio::test]
async fn a_quality_and_a_quantity_alert_that_come_together_are_joined() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let quality =
        GrafanaAlert { severity: "warning".to_owned(), ..GrafanaAlert::new("Safety low", "qwen-7b") };
    let quantity = grafana(&[GrafanaAlert {
        severity: "warning".to_owned(),
        ..GrafanaAlert::new("GPU memory high", "qwen-7b")
    }])
    .replace("SafetyScore", "GPUMemoryUtilizationNormalized");

    let summary =
        function.invoke(&sns(&[grafana(&[quality]), quantity]), TIME).await.unwrap().response().unwrap();

    assert_eq!(summary["severities"], json!({"error": 1, "warning": 1}), "{summary}");
    let posts = local.received("slack").await.unwrap();
    let joined = posts.iter().find(|call| call.body["text"].as_str().unwrap().contains("GPU memory high"));
    assert!(joined.unwrap().body["text"].as_str().unwrap().contains("Safety low"), "{posts:?}");
    assert_eq!(calls(&local, "pagerduty").await, 1);
}

#[tokio::test]
async fn a_flapping_alert_is_told_once_and_again_when_it_is_calm() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[lifecycle]\nflips = 3\ncalm_minutes = 1\nduplicate_seconds = 0").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let alert = GrafanaAlert::new("Safety low", "qwen-7b");
    let mut changes = Vec::new();
    for minute in 0..3 {
        let starts_at = alert.starts_at + jiff::SignedDuration::from_mins(5 * minute - 20);
        let firing = GrafanaAlert { starts_at, ..alert.clone() };
        let ended =
            GrafanaAlert { ends_at: Some(starts_at + jiff::SignedDuration::from_mins(2)), ..firing.clone() };
        for message in [firing, ended] {
            let event = sns(&[grafana(&[message])]);
            let summary = function.invoke(&event, TIME).await.unwrap().response().unwrap();
            changes.extend(summary["changes"].as_object().unwrap().keys().cloned());
        }
    }
    assert_eq!(changes, ["new", "resolved", "reopened", "started_flapping", "flapped", "flapped"]);

    // A look waits in the queue for each change; a minute after the last one it finds the alert calm.
    assert_eq!(local.returning(&rules).await.unwrap(), 3);
    let key = local.received("pagerduty").await.unwrap()[0].body["dedup_key"].clone();
    let look = json!({"schema": "assay.look-again.v1", "alert": key}).to_string();
    let posts = calls(&local, "slack").await;
    function
        .invoke(&tests::loopback::batch(std::slice::from_ref(&look)), TIME)
        .await
        .unwrap()
        .response()
        .unwrap();
    assert_eq!(calls(&local, "slack").await, posts);
    tokio::time::sleep(Duration::from_secs(61)).await;
    function.invoke(&tests::loopback::batch(&[look]), TIME).await.unwrap().response().unwrap();
    assert!(calls(&local, "slack").await > posts);
    let last = local.received("pagerduty").await.unwrap().pop().unwrap();
    assert_eq!(last.body["event_action"], "resolve");
}

#[tokio::test]
async fn what_a_mute_or_a_dead_endpoint_held_back_is_told_when_that_is_over() {
    let local = Loopback::start().await.unwrap();
    let over = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(45);
    let mute = format!("[[mute]]\nname = \"load test\"\nalert = \"Safety low\"\nuntil = \"{over}\"\n");
    let rules = local.rules(&mute).await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let down = GrafanaAlert::new("Endpoint support-chat is down", "qwen-7b");
    let blind = GrafanaAlert::new("DatasourceNoData", "qwen-7b");
    let muted = GrafanaAlert::new("Safety low", "qwen-7b");
    let event = sns(&[grafana(&[down.clone(), blind, muted])]);
    let summary = function.invoke(&event, TIME).await.unwrap().response().unwrap();
    assert_eq!(summary["quiet"], json!({"held_back": 1, "muted": 1}), "{summary}");
    assert_eq!(calls(&local, "slack").await, 1);

    // The endpoint is up: a look at what it held back is due, not before that is surely written.
    function.invoke(&sns(&[grafana(&[down.ended()])]), TIME).await.unwrap().response().unwrap();
    let before = calls(&local, "slack").await;
    assert_eq!(local.returned(&rules).await.unwrap(), Vec::<String>::new());
    tokio::time::sleep(Duration::from_secs(13)).await;
    let looks = local.returned(&rules).await.unwrap();
    let answer = function.invoke(&tests::loopback::batch(&looks), TIME).await.unwrap().response().unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let told = local.received("slack").await.unwrap().pop().unwrap().body.to_string();
    assert!(calls(&local, "slack").await == before + 1 && told.contains("DatasourceNoData"), "{told}");

    // The mute is over.
    let left = over.duration_since(jiff::Timestamp::now()) + jiff::SignedDuration::from_secs(2);
    tokio::time::sleep(left.try_into().unwrap_or_default()).await;
    let looks = local.returned(&rules).await.unwrap();
    assert_eq!(looks.len(), 1, "{looks:?}");
    for _ in 0..2 {
        function.invoke(&tests::loopback::batch(&looks), TIME).await.unwrap().response().unwrap();
        let told = local.received("slack").await.unwrap().pop().unwrap().body.to_string();
        assert!(calls(&local, "slack").await == before + 2 && told.contains("Safety low"), "{told}");
    }
}

#[tokio::test]
async fn where_a_summary_cannot_be_edited_the_rest_of_the_minute_is_told_at_its_end() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[storm]\nnew_alerts_per_minute = 1").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    // Two events of one minute.
    let into_minute = || jiff::Timestamp::now().as_second().rem_euclid(60);
    if into_minute() > 45 {
        tokio::time::sleep(Duration::from_secs(16)).await;
    }
    for numbers in [0..3, 3..6] {
        let alerts: Vec<GrafanaAlert> =
            numbers.map(|number| GrafanaAlert::new(&format!("Rule {number}"), "qwen-7b")).collect();
        function.invoke(&sns(&[grafana(&alerts)]), TIME).await.unwrap().response().unwrap();
    }
    assert_eq!(calls(&local, "webhook").await, 2, "one alone, and the summary when the storm begins");
    assert_eq!(local.returning(&rules).await.unwrap(), 1);
    let left = u64::try_from(62 - into_minute()).unwrap();
    tokio::time::sleep(Duration::from_secs(left)).await;
    let looks = local.returned(&rules).await.unwrap();
    for _ in 0..2 {
        function.invoke(&tests::loopback::batch(&looks), TIME).await.unwrap().response().unwrap();
        let last = local.received("webhook").await.unwrap().pop().unwrap().body;
        assert_eq!((calls(&local, "webhook").await, &last["alerts"]), (3, &json!(5)), "{last}");
    }
}
