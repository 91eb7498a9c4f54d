//! The real template, deployed with `sam deploy` into the emulator: what is wired to what.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

mod in_cloudwatch;

use std::fs;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;
use domain::verdict::Outcome;
use jiff::Timestamp;
use serde_json::json;
use tests::environment::Environment;
use tests::functions;
use tests::local;
use tests::loopback::records;
use tests::project;
use tests::results;
use tests::runtime_api::Function;
use tests::samples::{PREFIX, SAMPLES};
use tests::scenario::Scenario;
use tests::seed::seed;
use tests::shown_answers::{self, PAGE};
use tests::stand_in::{Options, WORKSPACE};

const PATIENCE: Duration = Duration::from_mins(2);

/// One deployment serves all: it is what takes the time.
#[tokio::test]
async fn captures_become_verdicts_and_the_fleet_is_metered() {
    let parameters = [("MeterSchedule", "rate(1 minute)")];
    let mut environment = Environment::start(Options::default(), &parameters).await.unwrap();
    a_message_that_failed_is_seen_again_at_once(&environment).await;
    dashboards_and_rules_are_deployed(&environment);
    in_cloudwatch::everything_is_as_the_templates_say(&environment).await;
    // Before the captures: what the events are about is judged once, whatever object it comes in.
    a_function_by_itself_answers_as_the_page_of_the_sample_events_shows(&environment).await;
    each_sample_event_is_answered_as_the_page_shows(&environment).await;
    samples_are_judged_once(&environment).await;
    a_throttled_judge_is_asked_again(&environment).await;
    a_message_that_is_no_event_ends_in_the_dead_letter_queue(&environment).await;
    the_schedule_meters_the_fleet(&environment).await;
    a_message_of_the_queue_meters_its_endpoint(&environment).await;
    an_update_that_changes_nothing_changes_nothing_in_grafana(&mut environment).await;
    without_a_workspace_nothing_of_ours_is_left_in_it(&mut environment).await;
    in_cloudwatch::everything_is_as_the_templates_say(&environment).await;
    in_cloudwatch::an_alarm_is_told_with_its_severity_and_told_when_it_is_over(&environment).await;
}

/// After a second instead of 18 minutes, which is less than Lambda takes for a function's queue.
async fn a_message_that_failed_is_seen_again_at_once(environment: &Environment) {
    let queue = environment.stack.output("CaptureQueueUrl").unwrap();
    let request = environment.clients.sqs.set_queue_attributes().queue_url(queue);
    request.attributes(QueueAttributeName::VisibilityTimeout, "1").send().await.unwrap();
}

/// The built binary with the variables that `make local` writes for `cargo lambda watch`, and an event
/// that leaves no traces.
async fn a_function_by_itself_answers_as_the_page_of_the_sample_events_shows(environment: &Environment) {
    let endpoints = environment.endpoints();
    for file in [
        "quality-judge.s3-test-event.json",
        "capacity-meter.schedule.json",
        "alert-router.dry-run.json",
        "grafana-provisioner.dry-run.json",
    ] {
        let shown = shown_answers::shown().unwrap().into_iter().find(|shown| shown.file == file).unwrap();
        let binary = functions::binary(shown.function()).unwrap();
        let variables = local::variables(&endpoints, shown.function()).await.unwrap();
        let mut function = Function::start(&binary, &variables).await.unwrap();
        let event = fs::read_to_string(project::root().join("events").join(file)).unwrap();
        let event = serde_json::from_str(&event).unwrap();
        let answer = function.invoke(&event, PATIENCE).await.unwrap().response().unwrap();
        assert_eq!(shown_answers::differences(&shown.answer, &answer), [""; 0], "{file}");
    }
}

/// In the order of the page, whose reader has a new environment too.
async fn each_sample_event_is_answered_as_the_page_shows(environment: &Environment) {
    let endpoints = environment.endpoints();
    let mut differences = Vec::new();
    for shown in shown_answers::shown().unwrap() {
        let file = format!("events/{}", shown.file);
        let (Ok(answer) | Err(answer)) = local::answer(&endpoints, shown.function(), &file).await.unwrap();
        let of_file = shown_answers::differences(&shown.answer, &answer);
        if !of_file.is_empty() {
            differences.push(format!("{file}: {}\nin {answer:#}", of_file.join("; ")));
        }
    }
    assert!(differences.is_empty(), "{PAGE} shows other answers:\n{}", differences.join("\n"));
}

/// What was there before the stack came.
const THEIRS: [(&str, usize); 5] =
    [("folders", 1), ("data_sources", 1), ("dashboards", 1), ("rules", 1), ("contact_points", 2)];

fn counts(environment: &Environment) -> Vec<(&'static str, usize)> {
    let grafana = environment.stand_ins.grafana(WORKSPACE).unwrap();
    THEIRS.iter().map(|(part, _)| (*part, grafana[*part].as_array().unwrap().len())).collect()
}

fn dashboards_and_rules_are_deployed(environment: &Environment) {
    let grafana = environment.stand_ins.grafana(WORKSPACE).unwrap();
    let topic = environment.stack.output("AlertTopicArn").unwrap();
    assert_eq!(grafana["contact_points"][2]["settings"]["topic"], topic);
    assert_eq!(grafana["dashboards"].as_array().unwrap().len(), 4);
    assert_eq!(grafana["live_tokens"], 0);
    let url = environment.stack.output("GrafanaFolderUrl").unwrap();
    assert!(url.ends_with("/dashboards/f/assay-folder"), "{url}");
}

async fn an_update_that_changes_nothing_changes_nothing_in_grafana(environment: &mut Environment) {
    let before = environment.stand_ins.grafana(WORKSPACE);
    let tokens_before = tokens(environment).await;
    environment.redeploy(&[("GrafanaRevision", "2")]).await.unwrap();
    assert_eq!(environment.stand_ins.grafana(WORKSPACE), before);
    assert_eq!(tokens(environment).await, tokens_before + 1, "the function was called again");
}

/// How many were asked for.
async fn tokens(environment: &Environment) -> usize {
    let asked = environment.stand_ins.received("grafana-workspaces").await.unwrap();
    asked.iter().filter(|call| !call.body["secondsToLive"].is_null()).count()
}

async fn without_a_workspace_nothing_of_ours_is_left_in_it(environment: &mut Environment) {
    let defaults = [("GrafanaWorkspaceId", ""), ("ShowInCloudWatch", "without-grafana")];
    environment.redeploy(&defaults).await.unwrap();
    let start = Instant::now();
    // CloudFormation cleans up after the update.
    while counts(environment) != THEIRS {
        assert!(start.elapsed() < PATIENCE, "{:?}", counts(environment));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(environment.stand_ins.grafana(WORKSPACE).unwrap()["service_accounts"], json!([]));
}

async fn judge_calls(environment: &Environment) -> u64 {
    environment.stand_ins.stats().await.unwrap()["bedrock"].calls
}

async fn samples_are_judged_once(environment: &Environment) {
    let clients = &environment.clients;
    let captures = environment.stack.output("CaptureBucketName").unwrap();
    let table = environment.stack.output("StateTableName").unwrap();
    let now = Timestamp::now();
    let mut keys = Vec::new();
    for sample in SAMPLES {
        let key = sample.key(now);
        sample.upload(clients, captures, &key, now).await.unwrap();
        keys.push(key);
    }
    // Neither a capture by its name nor under the prefix: the rule lets neither through.
    for other in ["data-capture/notes.txt", "elsewhere/support-chat/AllTraffic/2026/01/01/00/a.jsonl"] {
        clients.s3.put_object().bucket(captures).key(other).body(b"x".to_vec().into()).send().await.unwrap();
    }
    results::wait_until_judged(clients, table, captures, &keys, PATIENCE).await.unwrap();

    let bucket = environment.stack.output("VerdictBucketName").unwrap();
    let verdicts = results::verdicts(clients, bucket).await.unwrap();
    assert!(verdicts.iter().all(|(_, verdict)| verdict.outcome() == Outcome::Scored));
    assert!(verdicts.iter().all(|(key, verdict)| key.contains(&verdict.partition())));
    assert_eq!(judge_calls(environment).await, verdicts.len() as u64);
    let published = results::published(&clients.cloudwatch).await.unwrap();
    let scored: f64 = published
        .iter()
        .filter(|((_, name), _)| name == "SamplesScored")
        .map(|(_, numbers)| numbers.sum)
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let expected = verdicts.len() as f64;
    assert!((scored - expected).abs() < 0.5, "{scored} of {expected}");
    // The settings folder of the local stack names a model: no record of it is unattributed.
    assert!(verdicts.iter().any(|(_, verdict)| verdict.subject().attributed_by == "model"));
}

async fn a_throttled_judge_is_asked_again(environment: &Environment) {
    let clients = &environment.clients;
    let captures = environment.stack.output("CaptureBucketName").unwrap();
    let table = environment.stack.output("StateTableName").unwrap();
    let throttle = json!({
        "match": {"path": "/model/"}, "status": 429, "times": 6,
        "body": {"__type": "ThrottlingException", "message": "slow down"},
    });
    environment.stand_ins.script(&throttle).await.unwrap();
    let hour = Timestamp::now().strftime("%Y/%m/%d/%H").to_string();
    let key = format!("{PREFIX}throttled/AllTraffic/{hour}/throttled.jsonl");
    let body = records("throttled", "gpt-oss-20b", 3).into_bytes();
    clients.s3.put_object().bucket(captures).key(&key).body(body.into()).send().await.unwrap();
    results::wait_until_judged(clients, table, captures, &[key], PATIENCE).await.unwrap();
}

async fn a_message_that_is_no_event_ends_in_the_dead_letter_queue(environment: &Environment) {
    let sqs = &environment.clients.sqs;
    let queue = environment.stack.output("CaptureQueueUrl").unwrap();
    let dead = environment.stack.output("CaptureDeadLetterQueueUrl").unwrap();
    sqs.send_message().queue_url(queue).message_body("no event at all").send().await.unwrap();
    let start = Instant::now();
    loop {
        let received = sqs.receive_message().queue_url(dead).send().await.unwrap();
        if let Some(message) = received.messages().first() {
            assert_eq!(message.body(), Some("no event at all"));
            break;
        }
        assert!(start.elapsed() < PATIENCE, "nothing in the dead-letter queue");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let left =
        sqs.get_queue_attributes().queue_url(queue).attribute_names(name.clone()).send().await.unwrap();
    assert_eq!(left.attributes().unwrap()[&name], "0");
}

async fn the_schedule_meters_the_fleet(environment: &Environment) {
    for (metric, expected) in [
        ("UsedGpus", 6.0),
        ("FreeGpus", 2.0),
        ("CostPerHour", 11.504),
        ("IdleCostPerHour", 2.876),
        ("PricesListed", 1.0),
    ] {
        results::wait_until_metered(
            &environment.clients.cloudwatch,
            "support-chat",
            metric,
            expected,
            PATIENCE,
        )
        .await
        .unwrap();
    }
}

/// The endpoints that the schedule knows are kept for a while: this one is metered for the message.
async fn a_message_of_the_queue_meters_its_endpoint(environment: &Environment) {
    let scenario = Scenario::named("mig").unwrap();
    environment.stand_ins.play(scenario.clone()).unwrap();
    seed(&environment.clients.cloudwatch, &scenario, Timestamp::now()).await.unwrap();
    let queue = environment.stack.output("MeterQueueUrl").unwrap();
    let message = json!({"endpoints": ["search"]}).to_string();
    environment.clients.sqs.send_message().queue_url(queue).message_body(message).send().await.unwrap();
    results::wait_until_metered(&environment.clients.cloudwatch, "search", "CostPerHour", 63.296, PATIENCE)
        .await
        .unwrap();
    results::wait_until_metered(&environment.clients.cloudwatch, "search", "UsedGpus", 41.0 / 7.0, PATIENCE)
        .await
        .unwrap();
}
