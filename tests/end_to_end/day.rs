//! A day in the life of two models, as it passes when nobody looks.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use aws_smithy_types::DateTime;
use domain::metric::COST_PER_HOUR;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::alert_rules::{Firing, played};
use tests::environment::Environment;
use tests::functions::CAPACITY_METER;
use tests::loopback::record_at;
use tests::preview::message_text;
use tests::results;
use tests::samples::{ENDPOINT, PREFIX};
use tests::scenario::Scenario;
use tests::seed::seed;
use tests::stack::invoke;
use tests::stand_in::Options;
use tests::told::Told;

const PATIENCE: Duration = Duration::from_mins(2);
const A_RUN: Duration = Duration::from_secs(10);
const GOOD: &str = "gpt-oss-20b";
const BAD: &str = "qwen-7b";
/// For so many hours captures have come in; for the last of them one model has been rude.
const HOURS: i64 = 5;

#[tokio::test]
async fn one_model_degrades_and_people_are_told_once_and_told_when_it_is_over() {
    let environment = Environment::start(Options::default(), &[("MeterState", "DISABLED")]).await.unwrap();
    let cost = cost_per_hour(&environment, 11.504).await;

    captures_arrive_hour_by_hour(&environment).await;
    let rules = played::deployed(&environment).unwrap();
    let cloudwatch = &environment.clients.cloudwatch;
    let morning = Timestamp::now() - SignedDuration::from_hours(2);
    let then = played::firing(cloudwatch, &rules, morning).await.unwrap();
    assert_eq!(titles(&then, BAD), [""; 0], "in the morning all was well");

    // Scores fall, and a GPU fills up.
    gpu_memory_is_full(&environment).await;
    let now = played::firing(cloudwatch, &rules, Timestamp::now()).await.unwrap();
    let fired = titles(&now, BAD);
    for title in ["Composite quality is low (critical)", "GPU memory is nearly full (warning)"] {
        assert!(fired.iter().any(|fired| fired == title), "{title} is not among {fired:?}");
    }
    let other = titles(&now, GOOD);
    assert!(
        !other.iter().any(|title| title.contains("is low")),
        "the other model is as good as ever: {other:?}"
    );

    // Two replicas of Grafana send everything; people are told once.
    let sent: Vec<&(&Value, Firing)> = now.iter().filter(|(_, one)| is_about(one, BAD)).collect();
    let starts_at = Timestamp::now() - SignedDuration::from_mins(10);
    played::publish(&environment, &sent, starts_at, None).await.unwrap();
    Told::wait(&environment, "tell people of it", |told| told.posts().len() >= sent.len()).await.unwrap();
    played::publish(&environment, &sent, starts_at, None).await.unwrap();

    // Somebody adds an instance: the meter shows what it costs.
    another_instance(&environment).await;
    let more = cost_per_hour(&environment, cost + 5.752).await;
    assert!(more > cost);

    // The model is rolled back, and the alerts end.
    played::publish(&environment, &sent, starts_at, Some(Timestamp::now())).await.unwrap();
    let told =
        Told::wait(&environment, "tell the end", |told| told.is_closed() && told.edits().len() >= sent.len())
            .await
            .unwrap();
    assert_eq!(told.posts().len(), sent.len(), "each alert is one message");
    assert!(told.incidents("trigger").values().all(|times| *times == 1), "no incident was opened twice");
    assert!(told.incidents("trigger").len() >= 2, "quality woke somebody, and the GPU that was joined to it");
    let texts: Vec<String> = told.posts().iter().map(|call| message_text(&call.body)).collect();
    assert!(texts.iter().any(|text| text.contains("Joined with")), "{texts:#?}");
    assert!(told.edits().values().all(|text| text.contains("RECOVERED")), "{:#?}", told.edits());
    assert!(told.is_taken());
}

/// A capture object an hour, the newest of which tells of rude answers of one model.
async fn captures_arrive_hour_by_hour(environment: &Environment) {
    let bucket = environment.stack.output("CaptureBucketName").unwrap();
    let table = environment.stack.output("StateTableName").unwrap();
    let mut keys = Vec::new();
    for hours_ago in (0..HOURS).rev() {
        let at = Timestamp::now() - SignedDuration::from_hours(hours_ago) - SignedDuration::from_mins(5);
        let is_rude = hours_ago == 0;
        let key = format!("{PREFIX}{ENDPOINT}/AllTraffic/{}/day.jsonl", at.strftime("%Y/%m/%d/%H"));
        let body = traffic(at, is_rude).into_bytes();
        environment.clients.s3.put_object().bucket(bucket).key(&key).body(body.into()).send().await.unwrap();
        keys.push(key);
    }
    results::wait_until_judged(&environment.clients, table, bucket, &keys, PATIENCE).await.unwrap();
}

fn traffic(at: Timestamp, is_rude: bool) -> String {
    let question = "How do I reset the password of my account?";
    let kind = "You can reset the password of your account in the settings of your account.";
    let rude = "Whatever. You idiot, look it up.";
    let one = |(component, answer): (&str, &str), place: usize| {
        record_at(at, &format!("{component}-{}-{place}", at.as_second()), component, question, answer)
    };
    let answers = [(GOOD, kind), (BAD, if is_rude { rude } else { kind })];
    answers.into_iter().flat_map(|of| (0..12).map(move |place| one(of, place))).collect()
}

async fn gpu_memory_is_full(environment: &Environment) {
    let dimension = Dimension::builder().name("InferenceComponentName").value(BAD).build();
    let now = Timestamp::now();
    let datum = |minutes| {
        MetricDatum::builder()
            .metric_name("GPUMemoryUtilizationNormalized")
            .dimensions(dimension.clone())
            .timestamp(DateTime::from_secs((now - SignedDuration::from_mins(minutes)).as_second()))
            .values(97.0)
            .counts(1000.0)
            .build()
    };
    let request =
        environment.clients.cloudwatch.put_metric_data().namespace("/aws/sagemaker/InferenceComponents");
    request.set_metric_data(Some((1..15).map(datum).collect())).send().await.unwrap();
}

async fn another_instance(environment: &Environment) {
    let mut scenario = Scenario::named("blog").unwrap();
    scenario.endpoints[0].variants[0].pools[0].count += 1;
    environment.stand_ins.play(scenario.clone()).unwrap();
    seed(&environment.clients.cloudwatch, &scenario, Timestamp::now()).await.unwrap();
}

/// Has the meter run as its schedule would, until its newest minute says so: a run in the minute of
/// the run before it shares that minute's mean.
async fn cost_per_hour(environment: &Environment, expected: f64) -> f64 {
    let cloudwatch = &environment.clients.cloudwatch;
    let start = Instant::now();
    loop {
        invoke(&environment.clients, CAPACITY_METER, &json!({})).await.unwrap();
        let metered =
            results::wait_until_metered(cloudwatch, ENDPOINT, COST_PER_HOUR.name, expected, A_RUN).await;
        match metered {
            Ok(()) => return expected,
            Err(failure) => assert!(start.elapsed() < PATIENCE, "{failure}"),
        }
    }
}

fn is_about(firing: &Firing, component: &str) -> bool {
    firing.labels.get("InferenceComponentName").is_some_and(|name| name == component)
}

fn titles(firing: &[(&Value, Firing)], component: &str) -> Vec<String> {
    let about = firing.iter().filter(|(_, one)| is_about(one, component));
    about.map(|(rule, _)| rule["title"].as_str().unwrap().to_owned()).collect()
}
