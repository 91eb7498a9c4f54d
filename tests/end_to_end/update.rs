//! An update from the previous release's template, with a capture bucket that exists: what was there
//! goes on, nothing is judged twice. The functions are those of now before and after: that old code gets
//! on with what the new one keeps is not shown. Then the end: what `sam delete` takes away, and what it leaves.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sdk_s3::types::{EventBridgeConfiguration, NotificationConfiguration};
use jiff::Timestamp;
use tests::alarms;
use tests::clients::Clients;
use tests::emulator::Emulator;
use tests::project;
use tests::results;
use tests::samples::{self, PREFIX, SAMPLES};
use tests::stack::{self, NAME, Stack};
use tests::stand_in::{Options, Server};
use tests::template::{Template, logical_id};

const PATIENCE: Duration = Duration::from_mins(1);
const BUCKET: &str = "captures-of-before";

/// The newest template that was released before, with the functions of now.
fn previous_release(build: &Path) -> PathBuf {
    let releases = fs::read_dir(project::root().join("tests/releases")).unwrap();
    let newest = releases.map(|entry| entry.unwrap().path()).max_by_key(|path| version(path)).unwrap();
    let text = fs::read_to_string(newest.join("template.yaml")).unwrap();
    let moved = |line: &str| match line.trim().strip_prefix("CodeUri: functions/") {
        Some(name) => format!("      CodeUri: {}\n", build.join(logical_id(name)).display()),
        None => format!("{line}\n"),
    };
    let folder = project::local().join("previous-release");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("template.yaml"), text.lines().map(moved).collect::<String>()).unwrap();
    folder
}

fn version(path: &Path) -> Vec<u64> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    name.split('.').map(|number| number.parse().unwrap()).collect()
}

/// Uploads a sample and waits until it is judged.
async fn judge(clients: &Clients, stack: &Stack, sample: usize) {
    let now = Timestamp::now();
    let key = SAMPLES[sample].key(now);
    SAMPLES[sample].upload(clients, BUCKET, &key, now).await.unwrap();
    let table = stack.output("StateTableName").unwrap();
    results::wait_until_judged(clients, table, BUCKET, &[key], PATIENCE).await.unwrap();
}

async fn verdict_ids(clients: &Clients, stack: &Stack) -> BTreeSet<String> {
    let verdicts = results::verdicts(clients, stack.output("VerdictBucketName").unwrap()).await.unwrap();
    verdicts.iter().map(|(_, verdict)| verdict.id().to_string()).collect()
}

#[tokio::test]
async fn the_previous_release_is_updated_and_goes_on_and_deleting_keeps_captures_and_verdicts() {
    let build = stack::build().await.unwrap();
    let stand_ins = Server::start(Options::default()).unwrap();
    let emulator = Emulator::start(&stand_ins.url()).await.unwrap();
    let clients = Clients::of(&emulator.url()).await;
    clients.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    let events = EventBridgeConfiguration::builder().build();
    let events = NotificationConfiguration::builder().event_bridge_configuration(events).build();
    let request = clients.s3.put_bucket_notification_configuration().bucket(BUCKET);
    request.notification_configuration(events).send().await.unwrap();
    let settings = samples::upload_settings(&clients, "").await.unwrap();
    let parameters = [
        ("CaptureBucketName", BUCKET),
        ("CapturePrefix", PREFIX),
        ("ConfigUri", &settings),
        ("SampleRate", "1"),
        ("SampleCapPerHour", "1000"),
    ];

    let before = stack::deploy(&clients, &previous_release(&build), &parameters).await.unwrap();
    judge(&clients, &before, 0).await;
    let first = verdict_ids(&clients, &before).await;
    assert!(!first.is_empty());

    let after = stack::deploy(&clients, &build, &parameters).await.unwrap();
    assert!(!alarms::of_alerts(&clients.cloudwatch, &after).await.unwrap().is_empty());
    for output in before.outputs.keys() {
        assert!(after.outputs.contains_key(output), "the output {output} is gone");
    }
    for output in ["CaptureBucketName", "StateTableName", "VerdictBucketName", "CaptureQueueUrl"] {
        assert_eq!(before.outputs[output], after.outputs[output], "{output} was replaced");
    }
    judge(&clients, &after, 1).await;
    let all = verdict_ids(&clients, &after).await;
    assert!(all.is_superset(&first) && all.len() > first.len(), "{} of {}", all.len(), first.len());

    clients.cloudformation.delete_stack().stack_name(NAME).send().await.unwrap();
    let started = Instant::now();
    while clients.sqs.list_queues().send().await.unwrap().queue_urls.is_some_and(|urls| !urls.is_empty()) {
        assert!(started.elapsed() < PATIENCE, "queues are left behind");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(verdict_ids(&clients, &after).await, all);
    let kept = clients.s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(kept.contents().len(), 2);
    assert_eq!(clients.dynamodb.list_tables().send().await.unwrap().table_names(), [""; 0]);
    let functions = clients.lambda.list_functions().send().await.unwrap();
    assert!(functions.functions().is_empty());
    assert!(alarms::deployed(&clients.cloudwatch).await.unwrap().is_empty());
    let dashboard = clients.cloudwatch.get_dashboard().dashboard_name("assay-quality").send().await;
    assert!(dashboard.is_err(), "a dashboard is left behind");
}

/// An update that takes away or renames a parameter fails for whoever has set it.
#[test]
fn every_parameter_of_a_release_is_still_there() {
    let now = Template::load().unwrap();
    for release in fs::read_dir(project::root().join("tests/releases")).unwrap() {
        let release = release.unwrap().path();
        let before = Template::of(&release.join("template.yaml")).unwrap();
        for (name, parameter) in before.section("Parameters") {
            let kept = &now.all()["Parameters"][name];
            assert_eq!(kept["Type"], parameter["Type"], "{name} of {}", release.display());
        }
        // What is kept by name would be made anew and empty under another one.
        for kind in ["AWS::S3::Bucket", "AWS::DynamoDB::Table"] {
            for (id, _) in before.resources(kind) {
                assert_eq!(now.resource(id)["Type"], kind, "{id} of {}", release.display());
            }
        }
    }
}
