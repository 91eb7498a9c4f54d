//! What is told later than its event: by the return queue, with as much as at once; and ends that come long
//! after.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use domain::metric::COMPONENT_DIMENSION;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::loopback::{GrafanaAlert, Loopback, batch, grafana, sns};

const TIME: Duration = Duration::from_secs(50);
const DAY: i64 = 24 * 3600;

async fn bodies(local: &Loopback, stand_in: &str) -> Vec<Value> {
    local.received(stand_in).await.unwrap().into_iter().map(|call| call.body).collect()
}

async fn measure_latency(local: &Loopback, component: &str) {
    let dimension = Dimension::builder().name(COMPONENT_DIMENSION).value(component).build();
    let at = DateTime::from_secs(Timestamp::now().as_second() - 60);
    let datum = MetricDatum::builder().metric_name("ModelLatency").dimensions(dimension).timestamp(at);
    let datum = datum.value(2_400_000.0).build();
    let request = local.clients.cloudwatch.put_metric_data().namespace("AWS/SageMaker").metric_data(datum);
    request.send().await.unwrap();
}

#[tokio::test]
async fn what_comes_back_is_told_with_its_numbers_and_its_neighbours() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    measure_latency(&local, "qwen-7b").await;
    let gone = json!({"match": {"stand_in": "webhook", "contains": "GPU memory high"}, "status": 410,
                      "body": {"ok": false}, "times": 1});
    local.script(json!([gone])).await.unwrap();
    let quality = grafana(&[GrafanaAlert::new("Safety low", "qwen-7b")]);
    let quantity = GrafanaAlert {
        metric: "GPUMemoryUtilizationNormalized".to_owned(),
        ..GrafanaAlert::new("GPU memory high", "qwen-7b")
    };
    let event = sns(&[quality, grafana(&[quantity])]);
    let summary = function.invoke(&event, TIME).await.unwrap().response().unwrap();
    assert_eq!(summary["destinations"]["webhook"]["parked"], 1, "{summary}");
    let refused = bodies(&local, "webhook").await.into_iter().find(|body| body["rule"] == "GPU memory high");
    let refused = refused.unwrap();

    let letters = local.dead_letters(&rules).await.unwrap();
    function.invoke(&batch(&letters), TIME).await.unwrap().response().unwrap();

    let told = bodies(&local, "webhook").await.pop().unwrap();
    assert_eq!(told["rule"], "GPU memory high", "{told}");
    for told in [&refused, &told] {
        let metrics: Vec<&Value> = told["now"].as_array().unwrap().iter().map(|now| &now["metric"]).collect();
        assert!(metrics.contains(&&json!("ModelLatency")), "{told}");
        assert_eq!(told["related"][0]["rule"], "Safety low", "{told}");
    }
}

#[tokio::test]
async fn a_reply_for_which_no_turn_is_left_comes_back_by_the_queue() {
    let local = Loopback::start().await.unwrap();
    // Four calls at once, the next in twenty seconds.
    let rules = local.rules("[storm]\nslack_per_second = 0.05").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let alerts: Vec<GrafanaAlert> =
        (0..3).map(|number| GrafanaAlert::new(&format!("Rule {number}"), "qwen-7b")).collect();
    function.invoke(&sns(&[grafana(&alerts)]), TIME).await.unwrap().response().unwrap();

    // More than an invocation waits that has less time than that.
    let ended = sns(&[grafana(&[alerts[0].ended()])]);
    let summary = function.invoke(&ended, Duration::from_secs(22)).await.unwrap().response().unwrap();

    let slack = &summary["destinations"]["slack"];
    assert_eq!((&slack["later"], &slack["owed"]), (&json!(1), &json!(0)), "{summary}");
    let calls = bodies(&local, "slack").await;
    assert_eq!(calls.len(), 4, "{calls:?}");
    tokio::time::sleep(Duration::from_secs(23)).await;
    let looks = local.returned(&rules).await.unwrap();
    assert_eq!(looks.len(), 1, "{looks:?}");
    let answer = function.invoke(&batch(&looks), TIME).await.unwrap().response().unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let calls = bodies(&local, "slack").await;
    assert_eq!(calls.last().unwrap()["thread_ts"], calls[3]["ts"], "{calls:?}");
}

#[tokio::test]
async fn an_alert_that_is_not_over_is_remembered_a_year_longer() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[lifecycle]\nkeep_days = 1").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let alert = GrafanaAlert::new("Safety low", "qwen-7b");
    for (message, days) in [(alert.clone(), 366), (alert.ended(), 1)] {
        function.invoke(&sns(&[grafana(&[message])]), TIME).await.unwrap().response().unwrap();
        let key = bodies(&local, "pagerduty").await[0]["dedup_key"].as_str().unwrap().to_owned();
        let expires_at = local.state(&format!("alert#{key}"), "expires_at").await.unwrap();
        let kept = expires_at.parse::<i64>().unwrap() - Timestamp::now().as_second();
        assert!((days * DAY - 120..=days * DAY).contains(&kept), "{kept} s, wanted {days} days");
    }
}

#[tokio::test]
async fn more_steps_than_are_kept_are_counted_as_left_out() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[lifecycle]\nflips = 100").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();
    let alert = GrafanaAlert::new("Safety low", "qwen-7b");
    let mut messages = Vec::new();
    for firing in 0..25 {
        let starts_at = alert.starts_at - SignedDuration::from_mins(10 * (25 - firing));
        let ends_at = Some(starts_at + SignedDuration::from_mins(5));
        let firing = GrafanaAlert { starts_at, ..alert.clone() };
        messages.push(grafana(std::slice::from_ref(&firing)));
        messages.push(grafana(&[GrafanaAlert { ends_at, ..firing }]));
    }
    let mut event = sns(&messages);
    event["dry_run"] = json!(true);

    let summary = function.invoke(&event, TIME).await.unwrap().response().unwrap();

    assert_eq!(summary["changes"], json!({"new": 1, "reopened": 24, "resolved": 25}), "{summary}");
    assert_eq!(summary["left_out"], 10, "{summary}");
}
