//! Least privilege, both ways. Every end-to-end test on loopback runs its functions behind a gate
//! (`tests::permission`) that refuses what `template.yaml` does not allow, and fails when it had to.
//! Here: what the template allows is used, or has a reason.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::functions::{ALERT_ROUTER, CAPACITY_METER, GRAFANA_PROVISIONER, QUALITY_JUDGE};
use tests::loopback::{
    CAPTURES, GrafanaAlert, Loopback, MARK, Provisioning, Rules, TOKEN_SECRET, batch, grafana, key,
    notification, records, sns,
};
use tests::permission::Grant;
use tests::runtime_api::Function;
use tests::scenario::generated;
use tests::seed::seed;
use tests::stand_in::{OWN_GRAFANA, OWN_GRAFANA_TOKEN, WORKSPACE};

const MINUTE: Duration = Duration::from_mins(1);

/// Permissions that no run uses, as a function, the start of the permission, and why it is there.
const UNUSED: &[(&str, &str, &str)] = &[
    (QUALITY_JUDGE, "WriteLog: ", "Lambda writes what the function prints"),
    (CAPACITY_METER, "WriteLog: ", "the same"),
    (ALERT_ROUTER, "WriteLog: ", "the same"),
    (GRAFANA_PROVISIONER, "WriteLog: ", "the same"),
    (QUALITY_JUDGE, "TakeMessages: ", "Lambda takes the messages that invoke the function"),
    (CAPACITY_METER, "TakeMessages: ", "the same"),
    (ALERT_ROUTER, "TakeMessages: ", "the same"),
    (CAPACITY_METER, "KeepFailedRuns: ", "Lambda sends the runs that failed"),
    (
        QUALITY_JUDGE,
        "TellGoneFromForbidden: s3:ListBucket",
        "S3 asks for it when an object is not there: 404 with it, 403 without",
    ),
    (
        QUALITY_JUDGE,
        "AskTheJudge: bedrock:InvokeModel on arn:aws:bedrock:*::foundation-model/",
        "Bedrock asks for it behind the inference profile that is called",
    ),
    (
        QUALITY_JUDGE,
        "DecryptCaptures: kms:Decrypt",
        "S3 asks for it when the captures have a key of their own",
    ),
    (
        QUALITY_JUDGE,
        "UseTheStacksKey: ",
        "S3, SQS and DynamoDB ask for it when the stack has a key of its own",
    ),
    (CAPACITY_METER, "UseTheStacksKey: ", "SQS and DynamoDB ask for it when the stack has a key of its own"),
    (ALERT_ROUTER, "UseTheStacksKey: ", "SQS and DynamoDB ask for it when the stack has a key of its own"),
    (
        ALERT_ROUTER,
        "DecryptSecrets: kms:Decrypt",
        "Secrets Manager asks for it when secrets have a key of their own",
    ),
    (QUALITY_JUDGE, "DecryptSettings: ", "S3 asks for it when the settings have a key of their own"),
    (CAPACITY_METER, "DecryptSettings: ", "the same"),
    (ALERT_ROUTER, "DecryptSettings: ", "the same"),
    (GRAFANA_PROVISIONER, "DecryptSettings: ", "the same"),
    (
        GRAFANA_PROVISIONER,
        "DecryptGrafanaToken: ",
        "Secrets Manager asks for it when the token has a key of its own",
    ),
];

/// An ARN is that of a secret or of a parameter: the other service's action finds nothing under it.
fn is_for_another_kind(grant: &Grant) -> bool {
    let service = grant.action.split(':').next();
    let kind = grant.resource.split(':').nth(2);
    ["secretsmanager", "ssm"].map(Some).contains(&service) && kind.is_some() && kind != service
}

/// Fails when a function has a permission that is neither used nor listed, or a listed one is used.
fn assert_all_used(function: &str, used: &BTreeSet<Grant>, unused: &BTreeSet<Grant>) {
    let listed = || UNUSED.iter().filter(|(of, ..)| *of == function).map(|(_, start, _)| *start);
    let used: Vec<String> = used.iter().map(ToString::to_string).collect();
    let unused = unused.iter().filter(|grant| !is_for_another_kind(grant));
    let unused: Vec<String> = unused.map(ToString::to_string).collect();
    assert!(used.len() >= 8, "{used:#?}");
    let superfluous: Vec<&String> =
        unused.iter().filter(|grant| !listed().any(|start| grant.starts_with(start))).collect();
    assert!(superfluous.is_empty(), "{function} may and does not: {superfluous:#?}; it used {used:#?}");
    for start in listed() {
        assert!(unused.iter().any(|grant| grant.starts_with(start)), "not unused, or not there: {start}");
        assert!(!used.iter().any(|grant| grant.starts_with(start)), "used: {start}");
    }
}

async fn send(function: &mut Function, event: &Value) -> Value {
    function.invoke(event, MINUTE).await.unwrap().response().unwrap()
}

async fn queue(local: &Loopback, name: &str) -> String {
    local.clients.sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

#[tokio::test]
async fn quality_judge_uses_all_that_it_may() {
    let local = Loopback::start().await.unwrap();
    for file in ["rubric.toml", "fleet.toml"] {
        let text = std::fs::read(tests::project::root().join("config").join(file)).unwrap();
        local.put(&format!("config/{file}"), text).await.unwrap();
    }
    local.script(json!({"match": {"path": "/model/"}, "delay_ms": 400})).await.unwrap();
    let queue = queue(&local, "captures").await;
    let settings = [
        ("CONFIG_URI", "s3://captures/config/"),
        ("CAPTURE_QUEUE_URL", &queue),
        ("JUDGE_CONCURRENCY", "2"),
        ("JUDGE_TIMEOUT_SECONDS", "1"),
    ];
    let mut function = local.function(&settings).await.unwrap();
    let key = key("long");
    let etag = local.put(&key, records("a", "gpt", 20)).await.unwrap();

    // Two seconds for calls, five calls a second: the rest goes back to the queue.
    let event = batch(&[notification(CAPTURES, &key, Some(&etag)).to_string()]);
    let answer = function.invoke(&event, Duration::from_secs(8)).await.unwrap().response().unwrap();

    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_all_used(QUALITY_JUDGE, &local.used(QUALITY_JUDGE), &local.unused(QUALITY_JUDGE));
}

#[tokio::test]
async fn capacity_meter_uses_all_that_it_may() {
    let local = Loopback::start().await.unwrap();
    seed(&local.clients.cloudwatch, &local.stand_ins.scenario(), Timestamp::now()).await.unwrap();
    let fleet = std::fs::read(tests::project::root().join("config/fleet.toml")).unwrap();
    local.put("config/fleet.toml", fleet).await.unwrap();
    let queue = queue(&local, "endpoints").await;
    let settings = [("CONFIG_URI", "s3://captures/config/"), ("METER_QUEUE_URL", queue.as_str())];
    let mut function = local.meter(&settings).await.unwrap();
    send(&mut function, &json!({})).await;

    // A fleet that is too large for one run: its metrics are the stand-in's.
    local.stand_ins.play(generated(3, 20, 8)).unwrap();
    let cloudwatch = local.stand_ins();
    let large = [
        ("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.as_str()),
        ("MAX_SERIES_PER_RUN", "500"),
        ("TOPOLOGY_MAX_AGE_MINUTES", "0"),
    ];
    let mut function = local.meter(&[&settings[..], &large[..]].concat()).await.unwrap();
    let summary = send(&mut function, &json!({})).await;

    assert_eq!(summary["handed_on"].as_array().map(Vec::len), Some(3), "{summary}");
    assert_all_used(CAPACITY_METER, &local.used(CAPACITY_METER), &local.unused(CAPACITY_METER));
}

#[tokio::test]
async fn alert_router_uses_all_that_it_may() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[lifecycle]\nflips = 3\ncalm_minutes = 1\nduplicate_seconds = 0").await.unwrap();
    let topic = local.clients.sns.create_topic().name("chat").send().await.unwrap().topic_arn.unwrap();
    let settings = [("AMAZON_Q_TOPIC_ARN", topic.as_str())];
    let mut function = local.router(&rules, &settings).await.unwrap();
    // One that Slack refuses for good is parked.
    let archived = json!({"ok": false, "error": "is_archived"});
    local
        .script(json!({"match": {"stand_in": "slack"}, "status": 200, "body": archived, "times": 1}))
        .await
        .unwrap();
    send(&mut function, &sns(&[grafana(&[GrafanaAlert::new("Latency", "gpt-oss-20b")])])).await;
    assert_eq!(local.dead_letters(&rules).await.unwrap().len(), 1);
    // One that does not say of which endpoint it is makes the function look for it.
    let mut homeless: Value =
        serde_json::from_str(&grafana(&[GrafanaAlert::new("Refusals", "qwen-7b")])).unwrap();
    homeless["alerts"][0]["labels"].as_object_mut().unwrap().remove("EndpointName");
    send(&mut function, &sns(&[homeless.to_string()])).await;
    // One that flaps is looked at again later.
    let alert = GrafanaAlert::new("Safety low", "qwen-7b");
    for minute in 0..3 {
        let starts_at = alert.starts_at + SignedDuration::from_mins(5 * minute - 20);
        let firing = GrafanaAlert { starts_at, ..alert.clone() };
        let ended =
            GrafanaAlert { ends_at: Some(starts_at + SignedDuration::from_mins(2)), ..firing.clone() };
        for message in [firing, ended] {
            send(&mut function, &sns(&[grafana(&[message])])).await;
        }
    }
    a_secret_that_a_parameter_names_is_read(&local, &rules).await;

    assert_all_used(ALERT_ROUTER, &local.used(ALERT_ROUTER), &local.unused(ALERT_ROUTER));
}

/// Destinations of the stack's parameters, and none of `alerts.toml`.
async fn a_secret_that_a_parameter_names_is_read(local: &Loopback, rules: &Rules) {
    let slack = format!("{}/slack/services/T/B/{MARK}", local.stand_ins());
    let slack = secret(local, "chat", &json!({"url": slack})).await;
    let opsgenie = secret(local, "incidents", &json!({"key": format!("{MARK}-key")})).await;
    let settings = [
        ("CONFIG_URI", ""),
        ("SLACK_WEBHOOK_ARN", &format!("{slack}#url")),
        ("OPSGENIE_API_KEY_ARN", &format!("{opsgenie}#key")),
        ("OPSGENIE_BASE_URL", &format!("{}/opsgenie/v2/alerts", local.stand_ins())),
        ("WEBHOOK_URL_ARN", "arn:aws:ssm:us-east-1:000000000000:parameter/assay/webhook"),
    ];
    let mut function = local.router(rules, &settings).await.unwrap();
    local.forget().await.unwrap();
    let summary =
        send(&mut function, &sns(&[grafana(&[GrafanaAlert::new("By parameter", "gpt-oss-20b")])])).await;
    for told in ["slack", "opsgenie", "webhook"] {
        let calls = local.received(told).await.unwrap();
        assert!(calls.len() == 1 && calls[0].status < 300, "{told}: {calls:?} {summary}");
    }

    // The addresses of these are fixed, and not here: their secrets are read, and hold no such value.
    let empty = secret(local, "calls", &json!({"other": MARK})).await;
    let settings = [
        ("CONFIG_URI", ""),
        ("SLACK_TOKEN_ARN", &format!("{empty}#token")),
        ("SLACK_CHANNEL", "alerts"),
        ("PAGERDUTY_ROUTING_KEY_ARN", &format!("{empty}#key")),
    ];
    let mut function = local.router(rules, &settings).await.unwrap();
    let event = sns(&[grafana(&[GrafanaAlert::new("By parameter too", "gpt-oss-20b")])]);
    let error = function.invoke(&event, MINUTE).await.unwrap().error().unwrap();
    assert!(error["errorMessage"].as_str().is_some_and(|told| !told.contains(MARK)), "{error}");
}

async fn secret(local: &Loopback, name: &str, value: &Value) -> String {
    let made = local.clients.secrets.create_secret().name(name).secret_string(value.to_string());
    made.send().await.unwrap().arn.unwrap()
}

#[tokio::test]
async fn grafana_provisioner_uses_all_that_it_may() {
    let mut provisioning = Provisioning::start(&[("CONFIG_URI", "s3://settings/assay/")]).await.unwrap();
    for file in ["alerts.toml", "fleet.toml", "rubric.toml"] {
        let text = std::fs::read_to_string(tests::project::root().join("config").join(file)).unwrap();
        let kept = json!({"match": {"path": format!("/settings/assay/{file}")}, "body": text});
        provisioning.script(kept).await.unwrap();
    }
    // A workspace that is filled, alerting switched on for it, and emptied again.
    let old = json!({"version": "10.4", "has_unified_alerting": false});
    provisioning.set(WORKSPACE, old).await.unwrap();
    let properties = json!({"AlertEndpoint": "chat", "EnableUnifiedAlerting": "true"});
    for (kind, made) in [("Create", None), ("Delete", Some("g-0123456789/assay"))] {
        let answer = provisioning.stack(kind, made, properties.clone()).await.unwrap();
        assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    }
    // A Grafana of one's own.
    let kept = json!({"match": {"path": "/", "contains": "grafana-token"},
                      "body": {"ARN": TOKEN_SECRET, "SecretString": OWN_GRAFANA_TOKEN}});
    provisioning.script(kept).await.unwrap();
    let url = format!("{}/grafana/{OWN_GRAFANA}", provisioning.stand_ins.url());
    let event = json!({"url": url, "token_secret_arn": TOKEN_SECRET, "dry_run": true});
    provisioning.direct(event).await.unwrap().response().unwrap();

    assert_all_used(GRAFANA_PROVISIONER, &provisioning.used(), &provisioning.unused());
}

/// A gate that lets everything through would make all of this worthless.
#[tokio::test]
async fn what_is_not_allowed_is_refused_and_noted() {
    let local = Loopback::start().await.unwrap();
    // Without the parameter that names them, the function may not read settings.
    let elsewhere = local.clients.s3.create_bucket().bucket("elsewhere").send().await;
    elsewhere.unwrap();
    let mut function = local.meter(&[("CONFIG_URI", "s3://elsewhere/")]).await.unwrap();
    local.forbid("ReadSettings");
    let answer = function.invoke(&json!({}), MINUTE).await.unwrap().error().unwrap();
    assert_eq!(answer["errorType"], "BadConfiguration", "{answer}");
    let refused = local.refused(CAPACITY_METER);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(
        refused.iter().all(|one| one == "s3:GetObject on arn:aws:s3:::elsewhere/fleet.toml"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn grafana_provisioner_gets_into_no_other_workspace_and_changes_none_unasked() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let old = json!({"version": "10.4", "has_unified_alerting": false});
    for workspace in [WORKSPACE, "g-abcdef0123"] {
        provisioning.set(workspace, old.clone()).await.unwrap();
    }
    for (workspace, operation) in
        [("g-abcdef0123", "DescribeWorkspace"), (WORKSPACE, "UpdateWorkspaceConfiguration")]
    {
        let event =
            json!({"workspace_id": workspace, "alert_endpoint": "chat", "enable_unified_alerting": true});
        let error = provisioning.direct(event).await.unwrap().error().unwrap();
        let told = error["errorMessage"].as_str().unwrap();
        assert!(told.contains(&format!("{operation} failed: AccessDeniedException")), "{told}");
        let resource = format!("arn:aws:grafana:us-east-1:000000000000:/workspaces/{workspace}");
        let refused = BTreeSet::from([format!("grafana:{operation} on {resource}")]);
        assert_eq!(provisioning.refused(), refused);
    }
}
