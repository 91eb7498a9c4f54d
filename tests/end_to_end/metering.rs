//! The built capacity-meter over fleets that are known to the cent: what it answers, what it
//! publishes, and what it asks for.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

mod meter;

use domain::metric::CAPACITY_NAMESPACE;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::clients::Clients;
use tests::loopback::{Loopback, batch};
use tests::results;
use tests::runtime_api::Answer;
use tests::scenario::{Scenario, generated};
use tests::seed::{seed, seed_between};

use meter::{
    BLOG, MINUTE, UNCACHED, assert_not_published, assert_published, playing, run, schedule, scripted, shown,
};

#[tokio::test]
async fn the_fleet_of_the_blog_comes_out_to_the_cent() {
    let local = Loopback::start().await.unwrap();
    seed(&local.clients.cloudwatch, &local.stand_ins.scenario(), Timestamp::now()).await.unwrap();
    let mut function = local.meter(&[]).await.unwrap();

    let summary = run(&mut function).await;

    assert_eq!(shown(&summary, "support-chat"), BLOG);
    let sources = &summary["endpoints"][0]["sources"];
    let says = |source: &str, words: &str| {
        assert!(sources[source].to_string().contains(words), "{source}: {}", sources[source]);
    };
    says("usage", "enhanced metrics every 10 s");
    says("topology", "control plane, read ");
    says("prices", "5.752000 USD an hour, price_list, us-east-1");
    let logged = &function.entries("endpoint metered")[0];
    assert_eq!((&logged["prices"], &logged["oldest_price_days"]), (&json!("price_list"), &json!(0)));
    let metered = results::metered(&local.clients.cloudwatch, CAPACITY_NAMESPACE).await.unwrap();
    let of_endpoint = [
        ("Instances", 2.0),
        ("TotalGpus", 8.0),
        ("UsedGpus", 6.0),
        ("FreeGpus", 2.0),
        ("CostPerHour", 11.504),
        ("IdleCostPerHour", 2.876),
        ("MeterBlind", 0.0),
        ("TopologyMismatch", 0.0),
        ("PriceMissing", 0.0),
        ("PricesListed", 1.0),
    ];
    assert_published(&metered, "support-chat", None, &of_endpoint);
    let of_gpt = [
        ("Copies", 1.0),
        ("UsedGpus", 4.0),
        ("CostPerHour", 5.752),
        // 60 a minute are 3,600 an hour.
        ("CostPerThousandInvocations", 1.597_778),
    ];
    assert_published(&metered, "support-chat", Some("gpt-oss-20b"), &of_gpt);
    let of_qwen = [
        ("Copies", 2.0),
        ("UsedGpus", 2.0),
        ("CostPerHour", 2.876),
        ("CostPerThousandInvocations", 0.399_444),
    ];
    assert_published(&metered, "support-chat", Some("qwen-7b"), &of_qwen);
}

#[tokio::test]
async fn a_second_run_asks_neither_sagemaker_nor_the_price_list_and_says_the_same() {
    let local = Loopback::start().await.unwrap();
    seed(&local.clients.cloudwatch, &local.stand_ins.scenario(), Timestamp::now()).await.unwrap();
    let mut function = local.meter(&[]).await.unwrap();
    let first = run(&mut function).await;
    assert_eq!(first["read"], json!({"topologies": 1, "prices": 1}));
    // ListEndpoints, DescribeEndpoint, its config, ListInferenceComponents and two components.
    assert_eq!(local.received("sagemaker").await.unwrap().len(), 6);
    let asked = local.received("pricing").await.unwrap();
    assert!(!asked.is_empty());
    for field in ["regionCode", "instanceName"] {
        assert!(asked[0].body["Filters"].to_string().contains(field), "{}", asked[0].body);
    }
    local.forget().await.unwrap();

    // The same event once more, in a process that remembers nothing.
    let mut function = local.meter(&[]).await.unwrap();
    let second = run(&mut function).await;

    assert_eq!(second["read"], json!({"topologies": 0, "prices": 0}));
    assert!(local.received("sagemaker").await.unwrap().is_empty());
    assert!(local.received("pricing").await.unwrap().is_empty());
    assert_eq!(shown(&second, "support-chat"), BLOG);
    let metered = results::metered(&local.clients.cloudwatch, CAPACITY_NAMESPACE).await.unwrap();
    let twice = [("UsedGpus", 6.0), ("FreeGpus", 2.0), ("CostPerHour", 11.504), ("Instances", 2.0)];
    assert_published(&metered, "support-chat", None, &twice);
}

/// The stand-in plays fleets of every kind; the function must not see a difference to AWS.
#[tokio::test]
async fn every_scenario_is_metered() {
    let expected: [(&str, &str, &[&str]); 6] = [
        ("blog", "support-chat", &BLOG),
        (
            "disagreeing",
            "support-chat",
            &[
                "1 instances, 4 GPUs, 2 used, 2 free, 5.752 of which 2.876 idle",
                "qwen-7b: 2 copies, 2 GPUs, 2.876",
                "topology_mismatch",
            ],
        ),
        (
            "mig",
            "search",
            &[
                "1 instances, 8 GPUs, 5.857142857142857 used, 2.142857142857143 free, 63.296 of which 16.954286 idle",
                "embedder: 2 copies, 0.8571428571428571 GPUs, 6.781714",
                "llama-70b: 1 copies, 4 GPUs, 31.648",
                "reranker: 7 copies, 1 GPUs, 7.912",
            ],
        ),
        (
            "mixed",
            "assistant",
            &[
                "3 instances, 6 GPUs, 5 used, 1 free, 8.006 of which 1.127 idle",
                "mistral-24b-legal: 0 copies, 0 GPUs, 0.0",
                "mistral-24b: 1 copies, 4 GPUs, 5.752",
                "phi-4: 1 copies, 1 GPUs, 1.127",
                "router: 2 copies, 0 GPUs, 0.0",
            ],
        ),
        (
            "mixed",
            "classifier",
            &[
                "1 instances, 0 GPUs, 0 used, 0 free, 0.857 of which 0.4285 idle",
                "intent: 2 copies, 0 GPUs, 0.4285",
            ],
        ),
        (
            "scaled-to-zero",
            "nightly-batch",
            &[
                "0 instances, 0 GPUs, 0 used, 0 free, 0.0 of which 0.0 idle",
                "gpt-oss-20b: 0 copies, 0 GPUs, 0.0",
                "qwen-7b: 0 copies, 0 GPUs, 0.0",
            ],
        ),
    ];
    let local = Loopback::start().await.unwrap();
    let cloudwatch = local.stand_ins();
    let mut function = local.meter(&[UNCACHED, ("AWS_ENDPOINT_URL_CLOUDWATCH", &cloudwatch)]).await.unwrap();
    for (name, endpoint, lines) in expected {
        local.stand_ins.play(Scenario::named(name).unwrap()).unwrap();
        let summary = run(&mut function).await;
        assert_eq!(shown(&summary, endpoint), lines, "{name}: {summary}");
        assert_eq!(summary.get("problems"), None, "{name}");
    }
}

#[tokio::test]
async fn every_publish_frequency_gives_the_same_numbers() {
    let local = Loopback::start().await.unwrap();
    let cloudwatch = local.stand_ins();
    let mut function = local.meter(&[UNCACHED, ("AWS_ENDPOINT_URL_CLOUDWATCH", &cloudwatch)]).await.unwrap();
    for frequency in [10, 30, 60, 120, 180, 240, 300] {
        let mut scenario = Scenario::named("blog").unwrap();
        scenario.endpoints[0].publish_frequency = frequency;
        local.stand_ins.play(scenario).unwrap();
        let summary = run(&mut function).await;
        assert_eq!(shown(&summary, "support-chat"), BLOG, "every {frequency} s");
        let usage = summary["endpoints"][0]["sources"]["usage"].as_str().unwrap();
        assert!(usage.contains(&format!("every {frequency} s")), "{usage}");
        let cost = &summary["endpoints"][0]["components"]["qwen-7b"]["usd_per_thousand_invocations"];
        assert_eq!(*cost, json!(0.399_444), "every {frequency} s");
    }
}

#[tokio::test]
async fn an_endpoint_scales_to_zero_and_back() {
    let blog = Scenario::named("blog").unwrap();
    let mut zero = blog.clone();
    zero.endpoints[0].variants[0].pools[0].count = 0;
    for component in &mut zero.endpoints[0].components {
        component.copies = 0;
    }
    let local = playing(zero.clone()).await;
    let cloudwatch = &local.clients.cloudwatch;
    let now = Timestamp::now();
    // All of its series are still listed, and stopped ten minutes ago.
    let gone = now - SignedDuration::from_mins(10);
    seed_between(cloudwatch, &blog, now - SignedDuration::from_mins(25), gone).await.unwrap();
    let mut function = local.meter(&[]).await.unwrap();
    let summary = run(&mut function).await;
    let lines = [
        "0 instances, 0 GPUs, 0 used, 0 free, 0.0 of which 0.0 idle",
        "gpt-oss-20b: 0 copies, 0 GPUs, 0.0",
        "qwen-7b: 0 copies, 0 GPUs, 0.0",
    ];
    assert_eq!(shown(&summary, "support-chat"), lines);
    let metered = results::metered(cloudwatch, CAPACITY_NAMESPACE).await.unwrap();
    assert_published(&metered, "support-chat", None, &[("MeterBlind", 0.0), ("CostPerHour", 0.0)]);

    // It comes back within the time that the topology is kept: what is measured casts doubt on it.
    local.stand_ins.play(blog.clone()).unwrap();
    seed_between(cloudwatch, &blog, now - SignedDuration::from_mins(4), now).await.unwrap();
    let summary = run(&mut function).await;
    assert_eq!(shown(&summary, "support-chat"), BLOG);
    assert_eq!(summary["read"]["topologies"], 1);
}

#[tokio::test]
async fn without_enhanced_metrics_nothing_is_said_to_be_free() {
    let mut scenario = Scenario::named("blog").unwrap();
    scenario.endpoints[0].enhanced_metrics = false;
    let local = playing(scenario.clone()).await;
    seed(&local.clients.cloudwatch, &scenario, Timestamp::now()).await.unwrap();
    let mut function = local.meter(&[]).await.unwrap();
    let summary = run(&mut function).await;
    let one = &summary["endpoints"][0];
    assert_eq!(one["conditions"][0]["reason"], "enhanced_metrics_off");
    assert!(one["conditions"][0]["meaning"].as_str().unwrap().contains("EnableEnhancedMetrics"));
    assert_eq!((one["gpus"].get("free"), one["gpus"].get("used")), (None, None));
    let metered = results::metered(&local.clients.cloudwatch, CAPACITY_NAMESPACE).await.unwrap();
    assert_not_published(&metered, "support-chat", &["FreeGpus", "UsedGpus", "IdleCostPerHour"]);
    // What the control plane and the price list know is known all the same.
    let known = [
        ("MeterBlind", 1.0),
        ("BlindEnhancedMetricsOff", 1.0),
        ("Instances", 2.0),
        ("TotalGpus", 8.0),
        ("CostPerHour", 11.504),
    ];
    assert_published(&metered, "support-chat", None, &known);
    assert!(metered.keys().all(|(_, component, _)| component.is_none()), "{metered:?}");
}

#[tokio::test]
async fn a_run_that_is_too_large_is_split_by_endpoint_and_loses_nothing() {
    // 3 endpoints with 20 components on 8 GPUs each: 200 series an endpoint. The copies of one do not
    // say where they are.
    let mut scenario = generated(3, 20, 8);
    scenario.endpoints[1].copies_name_endpoint = false;
    let local = playing(scenario).await;
    let queue = local.clients.sqs.create_queue().queue_name("endpoints").send().await.unwrap();
    let queue = queue.queue_url().unwrap();
    let cloudwatch = local.stand_ins();
    let changes = [
        ("METER_QUEUE_URL", queue),
        ("MAX_SERIES_PER_RUN", "500"),
        ("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.as_str()),
    ];
    let mut function = local.meter(&changes).await.unwrap();

    let summary = run(&mut function).await;

    let listed = async || {
        let received = local.received("cloudwatch").await.unwrap();
        received.iter().filter(|call| call.path == meter::LIST).count()
    };
    let by_whole = listed().await;
    assert_eq!(summary["handed_on"], json!(["large-0", "large-1", "large-2"]));
    assert_eq!((&summary["endpoints"], &summary["datums"]), (&json!([]), &json!(0)));
    let mut bodies = Vec::new();
    while bodies.len() < 3 {
        let sqs = &local.clients.sqs;
        let received =
            sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await.unwrap();
        assert!(!received.messages().is_empty(), "{bodies:?}");
        bodies.extend(received.messages().iter().map(|message| message.body().unwrap().to_owned()));
    }
    for body in bodies {
        let answer = function.invoke(&batch(&[body]), MINUTE).await.unwrap();
        assert_eq!(answer, Answer::Response(json!({"batchItemFailures": []})));
    }
    // The pages of two endpoints by their name, and of the third with one for each component.
    assert_eq!(listed().await - by_whole, 3 + 3 + 2 + 20);
    let metered =
        results::metered(&Clients::of(&cloudwatch).await.cloudwatch, CAPACITY_NAMESPACE).await.unwrap();
    for endpoint in ["large-0", "large-1", "large-2"] {
        let expected =
            [("UsedGpus", 160.0), ("FreeGpus", 0.0), ("CostPerHour", 1265.92), ("MeterBlind", 0.0)];
        assert_published(&metered, endpoint, None, &expected);
        let part = [("UsedGpus", 8.0), ("CostPerHour", 63.296)];
        assert_published(
            &metered,
            endpoint,
            Some(&format!("{}-7", endpoint.replace("large", "model"))),
            &part,
        );
    }
    // Whoever has room for it meters it in one run, to the same numbers.
    let mut roomy = local.meter(&[("AWS_ENDPOINT_URL_CLOUDWATCH", &cloudwatch), changes[0]]).await.unwrap();
    let summary = run(&mut roomy).await;
    assert_eq!(summary.get("handed_on"), None);
    let first = "20 instances, 160 GPUs, 160 used, 0 free, 1265.92 of which 0.0 idle";
    assert!(
        ["large-0", "large-1", "large-2"].iter().all(|name| shown(&summary, name)[0] == first),
        "{summary}"
    );
}

/// The limit of series in a run as it is deployed, and the memory that one takes just below it.
#[tokio::test]
async fn a_run_at_the_limit_of_series_is_one_and_fits_into_memory() {
    // 999 components of 8 GPUs: 10 series each with that of the instance and of the invocations.
    let local = playing(generated(2, 999, 8)).await;
    let queue = local.clients.sqs.create_queue().queue_name("endpoints").send().await.unwrap();
    let changes = [("METER_QUEUE_URL", queue.queue_url().unwrap())];
    let mut function = scripted(&local, &changes).await;
    let summary = function.invoke(&schedule(), 5 * MINUTE).await.unwrap().response().unwrap();
    assert_eq!((&summary["series"]["wanted"], summary.get("handed_on")), (&json!(19_980), None));
    let gpus: Vec<&Value> =
        summary["endpoints"].as_array().unwrap().iter().map(|one| &one["gpus"]["used"]).collect();
    assert_eq!(gpus, [7992, 7992]);
    let peak = function.peak_memory().unwrap();
    println!(
        "{peak} bytes for {} listed series in {} ms",
        summary["series"]["listed"], summary["duration_ms"]
    );
    assert!(peak < 256_000_000, "{peak} bytes");

    local.stand_ins.play(generated(2, 1_001, 8)).unwrap();
    let summary = function.invoke(&schedule(), 5 * MINUTE).await.unwrap().response().unwrap();
    assert_eq!(summary["handed_on"], json!(["large-0", "large-1"]));
}
