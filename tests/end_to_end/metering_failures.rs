//! Whatever fails beside capacity-meter: it is named, nothing unknown becomes a number that looks
//! healthy, and no endpoint and no message pays for another.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

mod meter;

use domain::metric::CAPACITY_NAMESPACE;
use jiff::Timestamp;
use serde_json::json;
use tests::functions::CAPACITY_METER;
use tests::loopback::{CAPTURES, Loopback, batch};
use tests::results;
use tests::runtime_api::Answer;
use tests::scenario::{InstanceType, Scenario, generated};
use tests::seed::seed;

use meter::{
    BLOG, LIST, MINUTE, PUT, UNCACHED, assert_not_published, assert_published, conditions, denied, playing,
    read_back, run, schedule, scripted, shown, source, throttled,
};

/// A settings folder of one's own.
const CONFIG: (&str, &str) = ("CONFIG_URI", "s3://captures/config/");
/// The blog's fleet as an operator writes it down who grants no permission to ask SageMaker.
const FLEET_FILE: &str = r#"
[[endpoint]]
name = "support-chat"
components = ["gpt-oss-20b", "qwen-7b"]
enhanced_metrics = true
publish_frequency = 10
[[endpoint.variant]]
instance_type = "ml.g6.12xlarge"
instance_count = 2
[[endpoint.component]]
name = "gpt-oss-20b"
accelerators = 4
[[endpoint.component]]
name = "qwen-7b"
accelerators = 1
"#;

// --- SageMaker ------------------------------------------------------------------------------------

#[tokio::test]
async fn whoever_may_not_ask_sagemaker_has_what_is_measured_or_the_fleet_file() {
    let local = Loopback::start().await.unwrap();
    local.script(denied("sagemaker")).await.unwrap();
    let mut function = scripted(&local, &[]).await;

    let summary = run(&mut function).await;

    // CloudWatch alone names the endpoint and the GPUs in use; nobody knows the type of an instance.
    assert_eq!(source(&summary, "topology"), "none");
    assert!(summary["problems"].to_string().contains("ListEndpoints failed: AccessDenied"), "{summary}");
    assert_eq!(conditions(&summary), [("instance_type_unknown", None)]);
    assert_eq!(summary["endpoints"][0]["gpus"], json!({"total": 8, "used": 6, "free": 2}));
    let metered = read_back(&local).await;
    assert_not_published(&metered, "support-chat", &["CostPerHour", "IdleCostPerHour"]);
    assert_published(&metered, "support-chat", None, &[("UsedGpus", 6.0), ("InstanceTypeUnknown", 1.0)]);

    local.put("config/fleet.toml", domain::fleet::SHIPPED.to_owned() + FLEET_FILE).await.unwrap();
    let mut function = scripted(&local, &[CONFIG]).await;
    let summary = run(&mut function).await;
    assert_eq!(shown(&summary, "support-chat"), BLOG);
    assert_eq!(source(&summary, "topology"), "fleet.toml");

    // Whoever says so from the start is not even denied.
    local.forget().await.unwrap();
    let mut function = scripted(&local, &[CONFIG, ("READ_TOPOLOGY", "false")]).await;
    let summary = run(&mut function).await;
    assert_eq!(
        (shown(&summary, "support-chat"), summary.get("problems")),
        (BLOG.map(str::to_owned).to_vec(), None)
    );
    assert!(local.received("sagemaker").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_topology_that_has_become_old_is_used_and_said_to_be_old() {
    let blog = Scenario::named("blog").unwrap();
    let local = playing(blog.clone()).await;
    let mut function = scripted(&local, &[UNCACHED]).await;
    assert_eq!(shown(&run(&mut function).await, "support-chat"), BLOG);

    // A third copy comes, and SageMaker does not answer any more.
    let mut grown = blog;
    grown.component("qwen-7b").unwrap().copies = 3;
    local.stand_ins.play(grown).unwrap();
    local.script(denied("sagemaker")).await.unwrap();
    let summary = run(&mut function).await;
    let lines = [
        "2 instances, 8 GPUs, 7 used, 1 free, 11.504 of which 1.438 idle",
        "gpt-oss-20b: 1 copies, 4 GPUs, 5.752",
        "qwen-7b: 3 copies, 3 GPUs, 4.314",
        "topology_mismatch",
    ];
    assert_eq!(shown(&summary, "support-chat"), lines);
    let qwen = &summary["endpoints"][0]["components"]["qwen-7b"];
    assert_eq!((&qwen["topology_says_copies"], &qwen["topology_says_gpus"]), (&json!(2), &json!(2)));
    assert!(source(&summary, "topology").starts_with("control plane, read 20"), "{summary}");
    assert!(summary["problems"].to_string().contains("AccessDenied"), "{summary}");
    let metered = read_back(&local).await;
    let key = ("support-chat".to_owned(), None, "TopologyMismatch".to_owned());
    let (sum, runs) = (metered[&key].sum, metered[&key].samples);
    assert!((sum - 1.0).abs() < 1e-9 && (runs - 2.0).abs() < 1e-9, "{sum} in {runs} runs");

    local.forget().await.unwrap();
    let summary = run(&mut function).await;
    assert_eq!(shown(&summary, "support-chat"), lines[..3]);
}

#[tokio::test]
async fn what_is_measured_and_what_should_be_are_both_shown_where_they_differ() {
    let scenario = Scenario::named("disagreeing").unwrap();
    let local = playing(scenario.clone()).await;
    seed(&local.clients.cloudwatch, &scenario, Timestamp::now()).await.unwrap();
    let mut function = local.meter(&[]).await.unwrap();
    let summary = run(&mut function).await;
    let says = &summary["endpoints"][0]["topology_says"];
    assert_eq!(*says, json!({"instances": 2, "total_gpus": 8, "usd_per_hour": 11.504}));
    let detail = summary["endpoints"][0]["conditions"][0]["detail"].as_str().unwrap();
    for part in
        ["measured 1 x ml.g6.12xlarge, topology says 2 x ml.g6.12xlarge", "qwen-7b: measured 2 copies"]
    {
        assert!(detail.contains(part), "{detail}");
    }
    let metered = results::metered(&local.clients.cloudwatch, CAPACITY_NAMESPACE).await.unwrap();
    assert_published(&metered, "support-chat", None, &[("TopologyMismatch", 1.0), ("Instances", 1.0)]);
}

#[tokio::test]
async fn what_does_not_fit_is_asked_about_once_and_again_when_something_else_is_measured() {
    let mut scenario = Scenario::named("disagreeing").unwrap();
    let local = playing(scenario.clone()).await;
    let mut function = scripted(&local, &[]).await;
    for (copies, reads) in [(2, 1), (2, 0), (2, 0), (1, 1), (1, 0)] {
        scenario.component("qwen-7b").unwrap().measured_copies = Some(copies);
        local.stand_ins.play(scenario.clone()).unwrap();
        let summary = run(&mut function).await;
        assert_eq!(conditions(&summary), [("topology_mismatch", None)]);
        assert_eq!(summary["read"]["topologies"], reads, "{copies} copies");
    }
}

#[tokio::test]
async fn a_component_that_is_being_deleted_is_asked_about_until_it_is_gone() {
    let mut scenario = Scenario::named("blog").unwrap();
    scenario.component("qwen-7b").unwrap().measured_copies = Some(0);
    let local = playing(scenario.clone()).await;
    let deleting = json!({
        "InferenceComponentName": "qwen-7b",
        "InferenceComponentStatus": "Deleting",
        "Specification": {"ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 1.0, "MinMemoryRequiredInMb": 1024}},
        "RuntimeConfig": {"DesiredCopyCount": 0, "CurrentCopyCount": 2},
    });
    let asked = json!({"stand_in": "sagemaker", "contains": "\"InferenceComponentName\":\"qwen-7b\""});
    local.script(json!([{"match": asked, "body": deleting}])).await.unwrap();
    let mut function = scripted(&local, &[]).await;
    for _ in 0..2 {
        let summary = run(&mut function).await;
        assert_eq!(conditions(&summary), [("blind", Some("component_silent"))]);
        assert_eq!(summary["read"]["topologies"], 1);
    }

    scenario.endpoints[0].components.retain(|component| component.name != "qwen-7b");
    local.forget().await.unwrap();
    local.stand_ins.play(scenario).unwrap();
    let summary = run(&mut function).await;
    assert_eq!(conditions(&summary), []);
    assert_eq!(summary["read"]["topologies"], 1);
}

#[tokio::test]
async fn an_endpoint_that_turns_to_components_is_metered_as_soon_as_they_publish() {
    let local = Loopback::start().await.unwrap();
    let variants =
        json!([{"VariantName": "AllTraffic", "ModelName": "one", "InstanceType": "ml.g6.12xlarge"}]);
    local
        .script(json!([
            {"match": {"stand_in": "sagemaker", "contains": "EndpointConfigName"},
             "body": {"EndpointConfigName": "support-chat", "ProductionVariants": variants}},
            {"match": {"stand_in": "sagemaker", "contains": "EndpointNameEquals"},
             "body": {"InferenceComponents": []}},
        ]))
        .await
        .unwrap();
    let mut function = scripted(&local, &[]).await;
    let summary = run(&mut function).await;
    assert_eq!(summary["skipped"], json!({"support-chat": "no_inference_components"}));

    local.forget().await.unwrap();
    let summary = run(&mut function).await;
    assert_eq!(
        (shown(&summary, "support-chat"), summary.get("skipped")),
        (BLOG.map(str::to_owned).to_vec(), None)
    );
}

// --- Prices ---------------------------------------------------------------------------------------

#[tokio::test]
async fn a_type_that_nobody_has_a_price_of_has_no_cost() {
    let mut scenario = Scenario::named("blog").unwrap();
    "ml.p4de.24xlarge".clone_into(&mut scenario.endpoints[0].variants[0].pools[0].instance_type);
    let kind = InstanceType {
        name: "ml.p4de.24xlarge".to_owned(),
        gpus: 8,
        per_hour: None,
        ..scenario.instances[0].clone()
    };
    scenario.instances = vec![kind];
    let local = playing(scenario).await;
    let mut function = scripted(&local, &[]).await;
    let summary = run(&mut function).await;
    assert_eq!(conditions(&summary), [("price_missing", None)]);
    assert!(
        summary["endpoints"][0]["conditions"][0]["detail"].as_str().unwrap().contains("ml.p4de.24xlarge")
    );
    let metered = read_back(&local).await;
    assert_not_published(&metered, "support-chat", &["CostPerHour", "IdleCostPerHour", "PriceAgeDays"]);
    let known = [("PriceMissing", 1.0), ("TotalGpus", 16.0), ("UsedGpus", 6.0), ("FreeGpus", 10.0)];
    assert_published(&metered, "support-chat", None, &known);
}

#[tokio::test]
async fn without_the_price_list_the_dated_table_is_used_and_named() {
    let local = Loopback::start().await.unwrap();
    local.script(denied("pricing")).await.unwrap();
    let mut function = scripted(&local, &[]).await;
    let summary = run(&mut function).await;
    assert_eq!(shown(&summary, "support-chat"), BLOG);
    assert!(summary["problems"].to_string().contains("GetProducts failed: AccessDenied"), "{summary}");
    let price = summary["endpoints"][0]["sources"]["prices"]["ml.g6.12xlarge"].as_str().unwrap();
    assert!(price.contains("shipped, us-east-1, of 2026-08-01, "), "{price}");
    let logged = &function.entries("endpoint metered")[0];
    let age = logged["oldest_price_days"].as_u64().unwrap();
    assert_eq!(logged["prices"], "shipped");
    assert!(price.ends_with(&format!(", {age} days old")), "{price}");
    let metered = read_back(&local).await;
    assert_published(&metered, "support-chat", None, &[("PricesShipped", 1.0), ("CostPerHour", 11.504)]);

    local.forget().await.unwrap();
    let mut function = scripted(&local, &[("READ_PRICES", "false")]).await;
    assert_eq!(shown(&run(&mut function).await, "support-chat"), BLOG);
    assert!(local.received("pricing").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_operators_price_beats_the_list() {
    let local = Loopback::start().await.unwrap();
    let own = "\n[[instance]]\ntype = \"ml.g6.12xlarge\"\nper_hour = 4.0\nas_of = \"2026-09-01\"\n";
    local.put("config/fleet.toml", domain::fleet::SHIPPED.to_owned() + own).await.unwrap();
    let mut function = scripted(&local, &[CONFIG]).await;
    let summary = run(&mut function).await;
    assert_eq!(
        shown(&summary, "support-chat")[0],
        "2 instances, 8 GPUs, 6 used, 2 free, 8.0 of which 2.0 idle"
    );
    assert!(local.received("pricing").await.unwrap().is_empty(), "a price of one's own is asked of nobody");
}

// --- A run and its neighbours ---------------------------------------------------------------------

#[tokio::test]
async fn a_run_that_cannot_list_or_publish_fails_and_says_so() {
    let local = Loopback::start().await.unwrap();
    for (path, told) in [
        (LIST, "no series listed: ListMetrics failed: Throttling"),
        (PUT, "metrics not published: PutMetricData failed: Throttling"),
    ] {
        local.forget().await.unwrap();
        local.script(throttled(path)).await.unwrap();
        let mut function = scripted(&local, &[]).await;
        let error = function.invoke(&schedule(), MINUTE).await.unwrap().error().unwrap();
        assert_eq!(error["errorType"], "RunFailed");
        assert!(error["errorMessage"].as_str().unwrap().starts_with(told), "{error}");
        let messages = [json!({"endpoints": ["support-chat"]}).to_string()];
        let answer = function.invoke(&batch(&messages), MINUTE).await.unwrap();
        assert_eq!(answer, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]})));
    }
}

#[tokio::test]
async fn no_message_pays_for_its_neighbours() {
    let local = playing(generated(3, 4, 2)).await;
    // Whatever asks about the second endpoint fails for good.
    let mut refusal = throttled(LIST);
    refusal["match"]["contains"] = json!("large-1");
    local.script(refusal).await.unwrap();
    let mut function = scripted(&local, &[]).await;
    let bodies =
        ["large-0", "large-1", "large-2", "nobody"].map(|name| json!({"endpoints": [name]}).to_string());
    let mut bodies = bodies.to_vec();
    bodies.push("private words".to_owned());

    let answer = function.invoke(&batch(&bodies), MINUTE).await.unwrap();

    let failed = ["message-1", "message-4"].map(|id| json!({"itemIdentifier": id}));
    assert_eq!(answer, Answer::Response(json!({"batchItemFailures": failed})));
    assert!(!function.log().join("\n").contains("private words"));
    let metered = read_back(&local).await;
    for endpoint in ["large-0", "large-2"] {
        assert_published(&metered, endpoint, None, &[("UsedGpus", 8.0), ("FreeGpus", 0.0)]);
    }
    assert_not_published(&metered, "large-1", &["MeterBlind", "Instances"]);
    assert_not_published(&metered, "nobody", &["MeterBlind", "Instances"]);
}

#[tokio::test]
async fn without_its_memory_the_meter_asks_and_goes_on() {
    let local = Loopback::start().await.unwrap();
    let nowhere = local.stand_ins();
    let mut function = scripted(&local, &[("AWS_ENDPOINT_URL_DYNAMODB", &nowhere)]).await;
    for _ in 0..2 {
        let summary = run(&mut function).await;
        assert_eq!(shown(&summary, "support-chat"), BLOG);
        assert_eq!(summary["read"], json!({"topologies": 1, "prices": 1}));
        assert!(summary["problems"].to_string().contains("BatchGetItem failed"), "{summary}");
    }
}

// --- Configuration --------------------------------------------------------------------------------

#[tokio::test]
async fn a_bad_configuration_ends_the_start_with_every_mistake() {
    let local = Loopback::start().await.unwrap();
    let changes = [
        ("STATE_TABLE", ""),
        ("CONFIG_URI", "ftp://here"),
        ("ENDPOINTS", "chat,a_b"),
        ("READ_TOPOLOGY", "maybe"),
        ("READ_PRICES", "1"),
        ("TOPOLOGY_MAX_AGE_MINUTES", "a day"),
        ("MAX_SERIES_PER_RUN", "499"),
    ];
    let mut function = local.launch(CAPACITY_METER, &changes).await.unwrap();
    let mistakes = function.refusal(MINUTE).await.unwrap();
    for (variable, _) in changes {
        assert!(mistakes.contains(&format!("- {variable}: ")), "{variable} is not in {mistakes}");
    }

    // A fleet file of one's own is read by the first event.
    local.put("config/fleet.toml", "typo = 1\n[capacity]\ndiscount_percent = 101\n").await.unwrap();
    let mut function = local.meter(&[CONFIG]).await.unwrap();
    let error = function.invoke(&schedule(), MINUTE).await.unwrap().error().unwrap();
    assert_eq!(error["errorType"], "BadConfiguration");
    for mistake in ["typo: is not a setting", "capacity.discount_percent: must be"] {
        assert!(error["errorMessage"].as_str().unwrap().contains(mistake), "{error}");
    }
    local.clients.s3.delete_object().bucket(CAPTURES).key("config/fleet.toml").send().await.unwrap();
    run(&mut function).await;
}

#[tokio::test]
async fn what_is_no_event_is_refused_with_what_would_be_right() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.meter(&[]).await.unwrap();
    let error = function.invoke(&json!({"endpoint": "support-chat"}), MINUTE).await.unwrap().error().unwrap();
    assert_eq!(error["errorType"], "NotAnEvent");
    assert!(error["errorMessage"].as_str().unwrap().contains("{\"endpoints\": [\"name\"]}"), "{error}");
}
