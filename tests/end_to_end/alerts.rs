//! What people are told: each alert once, its changes where it was told, nothing of a secret.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::slice::from_ref;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::loopback::{GrafanaAlert, Loopback, MARK, grafana, sns};
use tests::runtime_api::Function;

const TIME: Duration = Duration::from_secs(50);

async fn invoke(function: &mut Function, event: &Value) -> Value {
    function.invoke(event, TIME).await.unwrap().response().unwrap()
}

/// The bodies of the calls to a stand-in whose path ends in `end`.
async fn calls(local: &Loopback, stand_in: &str, end: &str) -> Vec<Value> {
    let received = local.received(stand_in).await.unwrap();
    for call in &received {
        assert!((200..300).contains(&call.status), "{} {}", call.path, call.status);
    }
    received.into_iter().filter(|call| call.path.ends_with(end)).map(|call| call.body).collect()
}

fn assert_discreet(function: &Function, told: &[&Value]) {
    let log = function.log().join("\n");
    assert!(log.contains("invocation done") && !log.contains(MARK), "{log}");
    assert!(!log.contains("/webhook/"), "{log}");
    for answer in told {
        assert!(!answer.to_string().contains(MARK), "{answer}");
    }
}

#[tokio::test]
async fn an_alert_is_told_once_edited_raised_and_closed() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[lifecycle]\nduplicate_seconds = 0").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let alert = GrafanaAlert { severity: String::new(), ..GrafanaAlert::new("Safety low", "qwen-7b") };
    let warning = GrafanaAlert { value: 0.9, ..alert };

    let first = invoke(&mut function, &sns(&[grafana(from_ref(&warning))])).await;
    assert_eq!(first["changes"], json!({"new": 1}), "{first}");
    assert_eq!(first["families"], json!({"grafana_json": 1}));
    assert_eq!(first["severities"], json!({"warning": 1}));
    let posts = calls(&local, "slack", "chat.postMessage").await;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0]["channel"], "alerts");
    assert!(posts[0]["text"].as_str().unwrap().contains("Safety low"), "{}", posts[0]);
    assert_eq!(calls(&local, "pagerduty", "enqueue").await, Vec::<Value>::new());
    assert_eq!(calls(&local, "webhook", MARK).await.len(), 1);

    // Nothing new: an edit of what was said, where it was said.
    let again = invoke(&mut function, &sns(&[grafana(from_ref(&warning))])).await;
    assert_eq!(again["changes"], json!({"repeated": 1}), "{again}");
    let updates = calls(&local, "slack", "chat.update").await;
    assert_eq!((updates[0]["channel"].as_str(), updates.len()), (Some("CALERTS"), 1));
    assert_eq!(calls(&local, "slack", "chat.postMessage").await.len(), 1);

    // Worse: people are called, in the thread and by the pagers.
    let critical = GrafanaAlert { value: 0.42, ..warning.clone() };
    let raised = invoke(&mut function, &sns(&[grafana(from_ref(&critical))])).await;
    assert_eq!(raised["changes"], json!({"raised": 1}), "{raised}");
    let posts = calls(&local, "slack", "chat.postMessage").await;
    assert_eq!((&posts[1]["thread_ts"], &posts[1]["reply_broadcast"]), (&updates[0]["ts"], &json!(true)));
    let events = calls(&local, "pagerduty", "enqueue").await;
    assert_eq!(events[0]["event_action"], "trigger");
    assert_eq!(events[0]["payload"]["severity"], "critical");
    let created = calls(&local, "opsgenie", "/alerts").await;
    assert_eq!((&created[0]["priority"], &created[0]["alias"]), (&json!("P1"), &events[0]["dedup_key"]));

    // Over: the incident is closed, the message says so and keeps what was measured.
    let ended = invoke(&mut function, &sns(&[grafana(&[critical.ended()])])).await;
    assert_eq!(ended["changes"], json!({"resolved": 1}), "{ended}");
    let events = calls(&local, "pagerduty", "enqueue").await;
    assert_eq!(
        (&events[1]["event_action"], &events[1]["dedup_key"]),
        (&json!("resolve"), &events[0]["dedup_key"])
    );
    assert_eq!(events[1]["routing_key"], events[0]["routing_key"]);
    let last = calls(&local, "slack", "chat.update").await.pop().unwrap();
    let text = last["text"].as_str().unwrap();
    assert!(text.contains("0.97") && text.contains("0.90"), "{text}");
    let reply = calls(&local, "slack", "chat.postMessage").await.pop().unwrap();
    assert_eq!(reply["thread_ts"], last["ts"]);
    let received = local.received("opsgenie").await.unwrap();
    assert!(received.last().unwrap().path.ends_with("/close"), "{received:?}");
    assert_discreet(&function, &[&first, &again, &raised, &ended]);
}

#[tokio::test]
async fn two_hundred_and_sixty_alerts_in_one_message_are_few_messages_and_as_many_incidents() {
    let local = Loopback::start().await.unwrap();
    let rules = local
        .rules("[storm]\nnew_alerts_per_minute = 5\nslack_per_second = 1\nincidents_per_minute = 120")
        .await
        .unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let alerts: Vec<GrafanaAlert> = (0..260)
        .map(|number| GrafanaAlert {
            severity: if number < 40 { "critical" } else { "warning" }.to_owned(),
            ..GrafanaAlert::new(&format!("Rule {number}"), &format!("component-{}", number % 30))
        })
        .collect();

    let summary = invoke(&mut function, &sns(&[grafana(&alerts)])).await;

    assert_eq!((&summary["alerts"], &summary["lost"]), (&json!(260), &json!(0)), "{summary}");
    assert_eq!(summary["changes"], json!({"new": 260}));
    assert_eq!(summary["summarised"], 255);
    let posts = calls(&local, "slack", "chat.postMessage").await;
    assert_eq!(posts.len(), 6);
    assert!(posts[5]["text"].as_str().unwrap().contains("255"), "{}", posts[5]["text"]);
    let mut keys: Vec<Value> = calls(&local, "pagerduty", "enqueue")
        .await
        .into_iter()
        .map(|event| event["dedup_key"].clone())
        .collect();
    keys.sort_by_key(ToString::to_string);
    keys.dedup();
    assert_eq!(keys.len(), 40);
    // The same event again: everybody has been told.
    let again = invoke(&mut function, &sns(&[grafana(&alerts)])).await;
    assert_eq!(again["destinations"], json!({}), "{again}");
    assert_eq!(calls(&local, "slack", "chat.postMessage").await.len(), 6);
}

#[tokio::test]
async fn an_end_that_comes_first_calls_no_pager_and_its_late_start_calls_nobody() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let alert = GrafanaAlert::new("Safety low", "qwen-7b");

    let end = invoke(&mut function, &sns(&[grafana(&[alert.ended()])])).await;
    let start = invoke(&mut function, &sns(&[grafana(from_ref(&alert))])).await;

    assert_eq!((&end["changes"], &start["changes"]), (&json!({"missed": 1}), &json!({"late": 1})));
    assert_eq!(calls(&local, "slack", "chat.postMessage").await.len(), 1);
    assert_eq!(calls(&local, "pagerduty", "enqueue").await.len(), 0);
    // The next firing is new.
    let later = GrafanaAlert { starts_at: alert.starts_at + SignedDuration::from_mins(10), ..alert };
    let next = invoke(&mut function, &sns(&[grafana(&[later])])).await;
    assert_eq!(next["changes"], json!({"reopened": 1}));
    assert_eq!(calls(&local, "pagerduty", "enqueue").await.len(), 1);
}

#[tokio::test]
async fn a_dry_run_decides_shows_and_does_nothing() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let mut event = sns(&[grafana(&[GrafanaAlert::new("Safety low", "qwen-7b")])]);
    event["dry_run"] = json!(true);

    for _ in 0..2 {
        let summary = invoke(&mut function, &event).await;
        assert_eq!((&summary["dry_run"], &summary["changes"]), (&json!(true), &json!({"new": 1})));
        let would_send = summary["decisions"][0]["would_send"].as_array().unwrap();
        let names: Vec<&Value> = would_send.iter().map(|one| &one["destination"]).collect();
        assert_eq!(names, ["opsgenie", "pagerduty", "slack", "webhook"]);
        assert!(would_send[2]["messages"][0]["body"]["text"].is_string(), "{}", would_send[2]);
        assert_discreet(&function, &[&summary]);
    }
    for stand_in in ["slack", "pagerduty", "opsgenie", "webhook"] {
        assert_eq!(local.received(stand_in).await.unwrap().len(), 0, "{stand_in}");
    }
}

#[tokio::test]
async fn every_body_becomes_an_alert() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let bodies =
        ["the disk is full", "{\"some\": \"object\"}", "[1, 2", "", "{\"alerts\": [{\"status\": \"fir"];

    let summary = invoke(&mut function, &sns(&bodies.map(str::to_owned))).await;

    assert_eq!(summary["messages"], 5, "{summary}");
    assert!(summary["alerts"].as_u64().unwrap() >= 5);
    let told: String =
        calls(&local, "slack", "chat.postMessage").await.iter().map(Value::to_string).collect();
    assert!(told.contains("the disk is full"), "{told}");
    assert!(told.contains("at least 1 of the same message did not arrive whole"), "{told}");
}
