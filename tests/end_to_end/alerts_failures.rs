//! Whatever a destination answers: it is tried again, repaired or parked with its reason, nothing is
//! lost, and nobody else waits for it.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::functions::ALERT_ROUTER;
use tests::loopback::{GrafanaAlert, Loopback, MARK, Rules, batch, grafana, sns};
use tests::runtime_api::{Answer, Function};

const TIME: Duration = Duration::from_secs(50);

/// A scripted answer of a stand-in.
fn says(stand_in: &str, status: u16, body: &Value, times: u64) -> Value {
    json!({"match": {"stand_in": stand_in}, "status": status, "body": body, "times": times})
}

struct Scene {
    local: Loopback,
    rules: Rules,
    function: Function,
}

impl Scene {
    async fn new(replies: Value) -> Self {
        Self::with("", replies).await
    }

    /// With these rules before the destinations.
    async fn with(rules: &str, replies: Value) -> Self {
        let local = Loopback::start().await.unwrap();
        let rules = local.rules(rules).await.unwrap();
        let function = local.router(&rules, &[]).await.unwrap();
        local.script(replies).await.unwrap();
        Self { local, rules, function }
    }

    async fn send(&mut self, event: &Value) -> Answer {
        self.function.invoke(event, TIME).await.unwrap()
    }

    /// The status codes that a stand-in answered, oldest first.
    async fn statuses(&self, stand_in: &str) -> Vec<u16> {
        self.local.received(stand_in).await.unwrap().iter().map(|call| call.status).collect()
    }

    async fn bodies(&self, stand_in: &str) -> Vec<Value> {
        self.local.received(stand_in).await.unwrap().into_iter().map(|call| call.body).collect()
    }

    fn assert_discreet(&self) {
        let log = self.function.log().join("\n");
        assert!(log.contains("invocation done") && !log.contains(MARK), "{log}");
    }
}

fn event() -> Value {
    sns(&[grafana(&[GrafanaAlert::new("Safety low", "qwen-7b")])])
}

fn error(answer: Answer) -> String {
    match answer {
        Answer::Error(error) => {
            assert_eq!(error["errorType"], "Undelivered", "{error}");
            error["errorMessage"].as_str().unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_short_wait_that_slack_asks_for_is_kept_within_the_invocation() {
    let mut limited = says("slack", 429, &json!({"ok": false, "error": "rate_limited"}), 1);
    limited["headers"] = json!({"retry-after": "2"});
    let mut scene = Scene::new(json!([limited])).await;

    let started = Instant::now();
    let summary = scene.send(&event()).await.response().unwrap();

    assert!(started.elapsed() >= Duration::from_secs(2));
    assert_eq!(summary["destinations"]["slack"]["delivered"], 1, "{summary}");
    assert_eq!(scene.statuses("slack").await, [429, 200]);
    scene.assert_discreet();
}

#[tokio::test]
async fn a_long_wait_fails_the_event_and_its_retry_sends_only_what_is_missing() {
    let mut limited = says("slack", 429, &json!({"ok": false, "error": "rate_limited"}), 1);
    limited["headers"] = json!({"retry-after": "8"});
    let mut scene = Scene::new(json!([limited])).await;
    let event = event();

    let message = error(scene.send(&event).await);
    assert!(message.contains("slack: asks to wait 8 s"), "{message}");
    assert_eq!(scene.statuses("pagerduty").await, [202]);
    // The retry keeps the pause that was asked for.
    let started = Instant::now();
    let summary = scene.send(&event).await.response().unwrap();
    assert!(started.elapsed() > Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(summary["destinations"]["slack"]["delivered"], 1, "{summary}");
    assert_eq!(scene.statuses("pagerduty").await, [202]);
    assert_eq!(scene.statuses("webhook").await, [200]);
    scene.assert_discreet();
}

#[tokio::test]
async fn a_dead_slack_keeps_nobody_else_waiting_and_is_told_when_it_is_back() {
    let mut scene = Scene::new(json!([says("slack", 503, &json!("down"), 3)])).await;
    let event = event();

    let message = error(scene.send(&event).await);
    assert!(message.contains("slack: HTTP 503") && !message.contains(MARK), "{message}");
    assert_eq!(scene.statuses("pagerduty").await, [202]);
    let summary = scene.send(&event).await.response().unwrap();
    assert_eq!(summary["destinations"]["slack"]["delivered"], 1, "{summary}");
    assert_eq!(scene.statuses("slack").await, [503, 503, 503, 200]);
    assert_eq!(scene.statuses("pagerduty").await, [202]);
    scene.assert_discreet();
}

#[tokio::test]
async fn a_time_out_after_the_service_accepted_pages_with_the_same_key_again() {
    let accepted = json!({"status": "success", "message": "Event processed", "dedup_key": "k"});
    let mut slow = says("pagerduty", 202, &accepted, 1);
    slow["delay_ms"] = json!(9_500);
    let mut scene = Scene::new(json!([slow])).await;
    let event = event();

    let message = error(scene.send(&event).await);
    assert!(message.contains("pagerduty: timeout"), "{message}");
    scene.send(&event).await.response().unwrap();
    let events = scene.bodies("pagerduty").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
    assert_eq!(scene.statuses("slack").await, [200]);
    scene.assert_discreet();
}

#[tokio::test]
async fn what_is_refused_for_its_form_is_sent_plainer() {
    let invalid = json!({"status": "invalid event", "errors": ["'payload.severity' is invalid"]});
    let replies = json!([
        says("slack", 200, &json!({"ok": false, "error": "invalid_blocks"}), 1),
        says("pagerduty", 400, &invalid, 1),
        says("opsgenie", 422, &json!({"errors": {"details": "too long"}}), 1),
    ]);
    let mut scene = Scene::new(replies).await;

    let summary = scene.send(&event()).await.response().unwrap();

    for name in ["slack", "pagerduty", "opsgenie"] {
        let counts = &summary["destinations"][name];
        assert_eq!((&counts["delivered"], &counts["plain"]), (&json!(1), &json!(1)), "{name}: {summary}");
    }
    let posts = scene.bodies("slack").await;
    assert_eq!((&posts[1]["blocks"], &posts[1]["text"]), (&json!([]), &posts[0]["text"]));
    let events = scene.bodies("pagerduty").await;
    assert_eq!(events[1]["payload"]["severity"], "critical");
    assert!(events[1]["payload"]["custom_details"].is_null(), "{}", events[1]);
    assert_eq!(scene.local.dead_letters(&scene.rules).await.unwrap(), Vec::<String>::new());
    scene.assert_discreet();
}

#[tokio::test]
async fn what_is_refused_for_good_is_parked_with_its_reason_and_told_when_it_is_redriven() {
    let archived = says("slack", 200, &json!({"ok": false, "error": "is_archived"}), 1);
    let mut scene = Scene::new(json!([archived])).await;
    let alert = GrafanaAlert::new("Safety low", "qwen-7b");

    let summary = scene.send(&sns(&[grafana(std::slice::from_ref(&alert))])).await.response().unwrap();
    assert_eq!(summary["destinations"]["slack"]["parked"], 1, "{summary}");
    let parked = scene.local.dead_letters(&scene.rules).await.unwrap();
    assert_eq!(parked.len(), 1);
    let letter: Value = serde_json::from_str(&parked[0]).unwrap();
    assert_eq!((&letter["destination"], &letter["reason"]), (&json!("slack"), &json!("is_archived")));
    assert_eq!(letter["rule"], "Safety low");
    // A repetition does not try it again by itself.
    scene.send(&sns(&[grafana(&[alert])])).await.response().unwrap();
    assert_eq!(scene.statuses("slack").await.len(), 1);

    let answer = scene.send(&batch(&parked)).await.response().unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let posts = scene.bodies("slack").await;
    assert_eq!((posts.len(), scene.statuses("slack").await[1]), (2, 200));
    assert!(posts[1]["text"].as_str().unwrap().contains("Safety low"));
    assert_eq!(scene.statuses("pagerduty").await, [202]);
    scene.assert_discreet();
}

#[tokio::test]
async fn a_refusal_that_cannot_be_parked_is_owed_and_nobody_else_is_told_twice() {
    let archived = says("slack", 200, &json!({"ok": false, "error": "is_archived"}), 2);
    let mut scene = Scene::new(json!([archived])).await;
    scene.local.forbid("ParkAndPostpone");
    let event = event();

    for _ in 0..2 {
        let message = error(scene.send(&event).await);
        assert!(message.contains("slack: is_archived; Send"), "{message}");
    }
    assert!(!scene.local.refused(ALERT_ROUTER).is_empty());
    assert_eq!(scene.statuses("webhook").await, [200]);
    assert_eq!(scene.statuses("pagerduty").await, [202]);
}

#[tokio::test]
async fn a_summary_that_is_refused_for_good_is_parked_alert_by_alert_and_told_when_redriven() {
    let archived = says("slack", 200, &json!({"ok": false, "error": "is_archived"}), 2);
    let mut scene = Scene::with("[storm]\nnew_alerts_per_minute = 1", json!([archived])).await;
    let alerts: Vec<GrafanaAlert> =
        (0..4).map(|number| GrafanaAlert::new(&format!("Rule {number}"), "qwen-7b")).collect();

    let summary = scene.send(&sns(&[grafana(&alerts)])).await.response().unwrap();

    assert_eq!(summary["summarised"], 3, "{summary}");
    let parked = scene.local.dead_letters(&scene.rules).await.unwrap();
    let letters: Vec<Value> = parked.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let alerts: std::collections::BTreeSet<&str> =
        letters.iter().filter_map(|letter| letter["alert"].as_str()).collect();
    assert_eq!((letters.len(), alerts.len()), (4, 4), "{letters:?}");
    assert!(letters.iter().all(|letter| letter["destination"] == "slack"), "{letters:?}");
    // A letter that comes twice is told once.
    for _ in 0..2 {
        scene.send(&batch(&parked)).await.response().unwrap();
        assert_eq!(scene.statuses("slack").await.len(), 2 + 4);
    }
    scene.assert_discreet();
}

#[tokio::test]
async fn pages_for_which_a_minute_has_no_turn_left_come_back_by_the_queue() {
    // One at once, the next in two minutes: more than an invocation waits.
    let mut scene = Scene::with("[storm]\nincidents_per_minute = 1", json!([])).await;
    let alerts: Vec<GrafanaAlert> =
        (0..3).map(|number| GrafanaAlert::new(&format!("Rule {number}"), "qwen-7b")).collect();

    let summary = scene.send(&sns(&[grafana(&alerts)])).await.response().unwrap();

    assert_eq!(summary["destinations"]["pagerduty"]["later"], 2, "{summary}");
    assert_eq!(summary["destinations"]["slack"]["delivered"], 3, "{summary}");
    assert_eq!(scene.statuses("pagerduty").await, [202]);
    assert_eq!(scene.local.dead_letters(&scene.rules).await.unwrap(), Vec::<String>::new());
    assert!(scene.local.returning(&scene.rules).await.unwrap() >= 2);
    scene.assert_discreet();
}

#[tokio::test]
async fn an_event_that_was_given_up_is_redriven_through_the_queue() {
    let mut scene = Scene::new(json!([says("slack", 503, &json!("down"), 4)])).await;
    let event = event();
    error(scene.send(&event).await);
    error(scene.send(&event).await);
    // As Lambda writes it to an on-failure destination.
    let given_up = json!({
        "version": "1.0", "timestamp": "2026-11-24T09:00:00.000Z",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event, "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
    });

    let answer = scene.send(&batch(&[given_up.to_string(), "not JSON".to_owned()])).await.response().unwrap();

    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(scene.statuses("slack").await, [503, 503, 503, 503, 200, 200]);
    assert_eq!(scene.statuses("pagerduty").await, [202, 202]);
    scene.assert_discreet();
}

#[tokio::test]
async fn a_message_of_the_queue_that_cannot_be_delivered_fails_alone() {
    let mut down = says("slack", 503, &json!("down"), 2);
    down["match"]["contains"] = json!("Rule two");
    let mut scene = Scene::new(json!([down])).await;
    let bodies: Vec<String> =
        ["Rule one", "Rule two"].iter().map(|rule| grafana(&[GrafanaAlert::new(rule, "qwen-7b")])).collect();

    let answer = scene.send(&batch(&bodies)).await.response().unwrap();

    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "message-1"}]}));
}

#[tokio::test]
async fn a_token_that_was_replaced_is_read_again() {
    let refused = says("slack", 200, &json!({"ok": false, "error": "invalid_auth"}), 1);
    let mut scene = Scene::new(json!([])).await;
    scene.send(&event()).await.response().unwrap();
    scene.local.script(json!([refused])).await.unwrap();

    let other = sns(&[grafana(&[GrafanaAlert::new("Relevance low", "qwen-7b")])]);
    let summary = scene.send(&other).await.response().unwrap();

    assert_eq!(summary["destinations"]["slack"]["delivered"], 1, "{summary}");
    assert_eq!(scene.statuses("slack").await, [200, 200, 200]);
    scene.assert_discreet();
}

#[tokio::test]
async fn a_refused_token_of_a_webhook_is_read_again_beside_its_address() {
    let local = Loopback::start().await.unwrap();
    let secrets = &local.clients.secrets;
    let token = secrets.create_secret().name("slack-hook").secret_string(MARK).send().await;
    let token = token.unwrap().arn.unwrap();
    let own = format!(
        "[[route]]\nname = \"all\"\ndestinations = [\"hook\"]\n\
         [[destination]]\nname = \"hook\"\nkind = \"webhook\"\ntoken = \"{token}\"\n\
         url = \"arn:aws:ssm:us-east-1:000000000000:parameter/assay/webhook\"\n"
    );
    let rules = local.rules(&own).await.unwrap();
    let function = local.router(&rules, &[]).await.unwrap();
    let mut scene = Scene { local, rules, function };
    scene.send(&event()).await.response().unwrap();
    assert_eq!(scene.bodies("webhook").await.len(), 1);
    // Whether it was read again shows where there is nothing to read any more.
    let gone = scene.local.clients.secrets.delete_secret().secret_id("slack-hook");
    gone.force_delete_without_recovery(true).send().await.unwrap();
    let refused = says("webhook", 401, &json!({"ok": false}), 1);
    scene.local.script(json!([refused])).await.unwrap();

    let other = sns(&[grafana(&[GrafanaAlert::new("Relevance low", "qwen-7b")])]);
    let message = error(scene.send(&other).await);

    assert!(message.contains(&format!("hook: {token} could not be read")), "{message}");
    assert_eq!(scene.statuses("webhook").await, [200, 401]);
    assert!(!message.contains(MARK), "{message}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named_by_its_arn() {
    let mut scene = Scene::new(json!([])).await;
    scene
        .local
        .clients
        .secrets
        .delete_secret()
        .secret_id("slack")
        .force_delete_without_recovery(true)
        .send()
        .await
        .unwrap();

    let message = error(scene.send(&event()).await);

    assert!(message.contains("arn:aws:secretsmanager:us-east-1:000000000000:secret:slack"), "{message}");
    assert_eq!(scene.statuses("pagerduty").await, [202]);
}

#[tokio::test]
async fn mistakes_in_the_rules_are_listed_and_nothing_is_lost() {
    let local = Loopback::start().await.unwrap();
    let rules = local.rules("[[rule]]\nname = \"x\"\nseverity = \"terrible\"\nmetrik = \"a\"").await.unwrap();
    let mut function = local.router(&rules, &[]).await.unwrap();

    let Answer::Error(error) = function.invoke(&event(), TIME).await.unwrap() else { panic!("no error") };

    assert_eq!(error["errorType"], "BadConfiguration");
    let message = error["errorMessage"].as_str().unwrap();
    for mistake in ["s3://settings/alerts.toml has 2 mistakes", "rule[0].severity", "rule[0].metrik"] {
        assert!(message.contains(mistake), "{message}");
    }
    let changes = [("PAGERDUTY_REGION", "mars"), ("SLACK_TOKEN_ARN", "xoxb-quokka")];
    let mut function = local.launch_router(&rules, &changes).await.unwrap();
    let refusal = function.refusal(TIME).await.unwrap();
    assert!(refusal.contains("PAGERDUTY_REGION: must be us or eu"), "{refusal}");
    assert!(!function.log().join("\n").contains(MARK), "{refusal}");
}
