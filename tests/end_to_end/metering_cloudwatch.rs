//! capacity-meter and a CloudWatch that throttles, answers in part, in pages, late, or not at all:
//! what is not known is no number.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

mod meter;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::loopback::Loopback;
use tests::scenario::{Scenario, generated};
use tests::seed::seed_between;

use meter::{
    BLOG, GET, LIST, PUT, UNCACHED, assert_not_published, assert_published, conditions, playing, read_back,
    run, scripted, shown, source, throttled,
};

#[tokio::test]
async fn throttling_that_passes_changes_nothing() {
    let local = Loopback::start().await.unwrap();
    let mut replies = vec![throttled(LIST), throttled(GET), throttled(PUT)];
    for reply in &mut replies {
        reply["times"] = json!(1);
    }
    local.script(json!(replies)).await.unwrap();
    let mut function = scripted(&local, &[]).await;
    let summary = run(&mut function).await;
    assert_eq!(
        (shown(&summary, "support-chat"), summary.get("problems")),
        (BLOG.map(str::to_owned).to_vec(), None)
    );
}

#[tokio::test]
async fn an_answer_that_is_not_whole_makes_the_meter_blind_and_frees_no_gpu() {
    let local = Loopback::start().await.unwrap();
    let partial = json!({"MetricDataResults": [
        {"Id": "q0", "Label": "a", "StatusCode": "PartialData", "Timestamps": [], "Values": []},
        {"Id": "q1", "Label": "b", "StatusCode": "InternalError", "Timestamps": [], "Values": []},
    ]});
    let partial = json!({"match": {"path": GET}, "body": partial});
    let empty = json!({"match": {"path": GET}, "body": {"MetricDataResults": []}});
    let forbidden = json!({"match": {"path": GET}, "body": {"MetricDataResults": [
        {"Id": "q0", "Label": "a", "StatusCode": "Forbidden", "Timestamps": [], "Values": []},
    ]}});
    let unreadable = json!({"match": {"path": GET}, "body": "not CBOR"});
    for (reply, problem) in [
        (partial, None),
        (empty, None),
        (forbidden, None),
        (unreadable, Some("GetMetricData failed: unreadable response")),
        (throttled(GET), Some("GetMetricData failed: Throttling")),
        (json!({"match": {"path": GET}, "drop_connection": true}), Some("GetMetricData failed: connection")),
    ] {
        local.forget().await.unwrap();
        local.script(reply.clone()).await.unwrap();
        let mut function = scripted(&local, &[]).await;
        let summary = run(&mut function).await;
        assert_eq!(conditions(&summary), [("blind", Some("incomplete_answer"))], "{reply}: {summary}");
        let found = summary["problems"].to_string();
        assert!(problem.is_none_or(|problem| found.contains(problem)), "{reply}: {found}");
        local.forget().await.unwrap();
        let metered = read_back(&local).await;
        assert_not_published(&metered, "support-chat", &["FreeGpus", "UsedGpus", "IdleCostPerHour"]);
        // Instances and bill are those of the control plane, and said to be.
        assert_eq!(source(&summary, "instances"), "topology");
        let known = [("MeterBlind", 1.0), ("BlindIncompleteAnswer", 1.0), ("CostPerHour", 11.504)];
        assert_published(&metered, "support-chat", None, &known);
    }
}

#[tokio::test]
async fn pages_of_every_kind_are_read_to_the_end() {
    let mut scenario = Scenario::named("blog").unwrap();
    (scenario.listed_per_page, scenario.datapoints_per_page) = (7, 50);
    let local = playing(scenario).await;
    let mut function = scripted(&local, &[]).await;
    let summary = run(&mut function).await;
    assert_eq!(shown(&summary, "support-chat"), BLOG);
    let calls = |name: &str| summary["calls"][name].as_u64().unwrap();
    assert!(calls("list_metrics") > 7 && calls("get_metric_data") > 2, "{}", summary["calls"]);

    // More than 500 series: several calls, as AWS allows no more in one.
    local.stand_ins.play(generated(1, 80, 8)).unwrap();
    let mut function = scripted(&local, &[UNCACHED]).await;
    let summary = run(&mut function).await;
    assert_eq!(
        shown(&summary, "large-0")[0],
        "80 instances, 640 GPUs, 640 used, 0 free, 5063.68 of which 0.0 idle"
    );
    assert_eq!(summary["calls"]["get_metric_data"], 2);
}

#[tokio::test]
async fn a_series_that_stopped_is_not_counted_and_one_that_is_late_is() {
    let mut scenario = Scenario::named("blog").unwrap();
    scenario.component("qwen-7b").unwrap().stopped_minutes_ago = Some(12);
    let local = playing(scenario.clone()).await;
    let mut function = scripted(&local, &[]).await;
    let summary = run(&mut function).await;
    // Two copies should run: whether they do is not known, so nothing is free.
    assert_eq!(conditions(&summary), [("blind", Some("component_silent")), ("topology_mismatch", None)]);
    assert_eq!(summary["endpoints"][0]["gpus"].get("free"), None);
    assert_eq!(summary["endpoints"][0]["components"]["gpt-oss-20b"]["usd_per_hour"], 5.752);

    // A whole endpoint whose datapoints are three minutes late runs all the same.
    let late = Loopback::start().await.unwrap();
    let now = Timestamp::now();
    let from = now - SignedDuration::from_mins(20);
    let until = now - SignedDuration::from_mins(3);
    seed_between(&late.clients.cloudwatch, &late.stand_ins.scenario(), from, until).await.unwrap();
    let mut function = late.meter(&[]).await.unwrap();
    assert_eq!(shown(&run(&mut function).await, "support-chat"), BLOG);
}
