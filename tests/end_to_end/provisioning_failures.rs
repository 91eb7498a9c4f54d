//! Whatever goes wrong, CloudFormation gets an answer that a person can act on, no token stays, and
//! nothing of anybody else is touched.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use serde_json::{Value, json};
use tests::loopback::{MARK, Provisioning};
use tests::stand_in::WORKSPACE;

const MADE: &str = "g-0123456789/assay";
const NOT_MADE: &str = "not-created";

/// Has a creation fail, checks what must hold then, and gives the reason.
async fn failed(provisioning: &mut Provisioning, properties: Value, physical_id: &str) -> String {
    let answer = provisioning.stack("Create", None, properties).await.unwrap();
    assert_eq!(answer["Status"], "FAILED", "{answer}");
    assert_eq!(answer["PhysicalResourceId"], physical_id, "{answer}");
    let reason = answer["Reason"].as_str().unwrap().to_owned();
    let log = provisioning.function.log().join("\n");
    assert!(!reason.contains(MARK) && !log.contains(MARK), "{reason}\n{log}");
    assert_eq!(provisioning.grafana(WORKSPACE)["live_tokens"], 0, "{reason}");
    reason
}

/// What CloudFormation does then: what was made is removed, and nothing else.
async fn rolled_back(provisioning: &mut Provisioning, physical_id: &str) -> Value {
    let answer = provisioning.stack("Delete", Some(physical_id), json!({})).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    let mut left = provisioning.grafana(WORKSPACE);
    assert_eq!(left["service_accounts"], json!([]), "{left}");
    for part in ["features", "service_accounts", "live_tokens"] {
        left.as_object_mut().unwrap().remove(part);
    }
    left
}

#[tokio::test]
async fn what_grafana_refuses_half_way_is_told_and_rolled_back() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let before = rolled_back(&mut provisioning, NOT_MADE).await;
    let groups = format!(
        "/grafana/{WORKSPACE}/api/v1/provisioning/folder/assay-folder/rule-groups/assay-serving-rules"
    );
    for (status, said, part) in [
        (401, "Invalid API key", "the token was refused"),
        (403, "no permission", "needs the role Admin"),
        (403, "quota has been exceeded", "drop limits in alerts.toml"),
        (409, "conflict", "somebody else has an object of this name"),
        (429, "slow down", "Grafana is busy"),
        (500, "database is locked", "Grafana itself failed"),
    ] {
        let refuse =
            json!({"match": {"path": groups, "method": "PUT"}, "status": status, "body": {"message": said}});
        provisioning.script(refuse).await.unwrap();
        let reason = failed(&mut provisioning, json!({}), MADE).await;
        for part in [part, said, "rules assay-serving-rules", "of 9 steps are done"] {
            assert!(reason.contains(part), "{part} is not in {reason}");
        }
        provisioning.forget().await.unwrap();
        assert_eq!(rolled_back(&mut provisioning, MADE).await, before, "{status}");
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_not_noticed() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let path = format!("/grafana/{WORKSPACE}/api/");
    let once = |method: &str, path: &str, reply: Value| {
        let mut reply = reply;
        reply["match"] = json!({"path": path, "method": method});
        reply["times"] = 1.into();
        reply
    };
    let replies = json!([
        // A permission that is seconds old.
        once(
            "GET",
            &format!("/workspaces/{WORKSPACE}"),
            json!({"status": 403, "headers": {"x-amzn-errortype": "AccessDeniedException"}, "body": {}})
        ),
        once("GET", &path, json!({"status": 503, "body": ""})),
        once(
            "POST",
            &format!("{path}dashboards/db"),
            json!({"status": 429, "body": "", "headers": {"retry-after": "0"}})
        ),
        once("POST", &format!("{path}datasources"), json!({"drop_connection": true})),
        once(
            "POST",
            &format!("/workspaces/{WORKSPACE}/serviceaccounts"),
            json!({"status": 429, "headers": {"x-amzn-errortype": "ThrottlingException"}, "body": {}})
        ),
    ]);
    provisioning.script(replies).await.unwrap();
    let answer = provisioning.stack("Create", None, json!({})).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    assert_eq!(provisioning.grafana(WORKSPACE)["dashboards"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn alerting_that_is_off_is_never_switched_on_in_silence() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let old = json!({"version": "10.4", "has_unified_alerting": false});
    provisioning.set(WORKSPACE, old).await.unwrap();
    let reason = failed(&mut provisioning, json!({"AlertEndpoint": "chat"}), NOT_MADE).await;
    assert!(reason.contains("unified alerting is off") && reason.contains("DELETES"), "{reason}");
    let there = provisioning.grafana(WORKSPACE);
    assert_eq!(there["features"]["has_unified_alerting"], false);
    assert_eq!(there["rules"].as_array().unwrap().len(), 1);

    let asked = json!({"AlertEndpoint": "chat", "EnableUnifiedAlerting": "true"});
    let answer = provisioning.stack("Create", None, asked).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    let there = provisioning.grafana(WORKSPACE);
    assert_eq!(there["features"]["has_unified_alerting"], true);
    assert!(there["rules"].as_array().unwrap().len() > 20);
    let told = provisioning.function.entries("switching on unified alerting; the workspace restarts");
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn a_workspace_that_cannot_be_used_is_told_by_its_state() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    for (features, part) in [
        (json!({"version": "8.4"}), "Grafana 8.4 is too old"),
        (json!({"status": "CREATION_FAILED"}), "is CREATION_FAILED: mend it"),
        (json!({"status": "DELETING"}), "there is no workspace g-0123456789"),
    ] {
        provisioning.set(WORKSPACE, features).await.unwrap();
        let reason = failed(&mut provisioning, json!({}), NOT_MADE).await;
        assert!(reason.contains(part), "{part} is not in {reason}");
    }
    provisioning.set(WORKSPACE, json!({"status": "VERSION_UPDATING"})).await.unwrap();
    let time = Duration::from_secs(8);
    let answer = provisioning.stack_within(time, "Create", None, json!({})).await.unwrap();
    assert!(
        answer["Reason"].as_str().unwrap().contains("is VERSION_UPDATING and did not become ACTIVE"),
        "{answer}"
    );
    // One that is done in time is waited for.
    provisioning.set(WORKSPACE, json!({"status": "UPDATING", "changing_for": 1})).await.unwrap();
    let answer = provisioning.stack("Create", None, json!({})).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    // Nobody gets into a broken one to take things out.
    provisioning.set(WORKSPACE, json!({"status": "FAILED"})).await.unwrap();
    let answer = provisioning.stack("Delete", Some(MADE), json!({})).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
}

#[tokio::test]
async fn aws_and_roles_that_say_no_are_told_with_what_to_allow() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let denied = |path: &str, method: &str, part: &str| {
        json!({"match": {"path": path, "method": method, "contains": part}, "status": 403,
               "headers": {"x-amzn-errortype": "AccessDeniedException"}, "body": {"message": "quokka is not authorized"}})
    };
    let workspace = format!("/workspaces/{WORKSPACE}");
    let accounts = format!("{workspace}/serviceaccounts");
    // A permission that never comes is waited for, and told in time.
    provisioning.script(denied(&workspace, "GET", "")).await.unwrap();
    let time = Duration::from_secs(12);
    let answer = provisioning.stack_within(time, "Create", None, json!({})).await.unwrap();
    assert!(
        answer["Reason"].as_str().unwrap().contains("DescribeWorkspace failed: AccessDenied"),
        "{answer}"
    );
    provisioning.forget().await.unwrap();
    for (path, method, part, operation) in [
        (&accounts, "GET", "", "ListWorkspaceServiceAccounts"),
        (&accounts, "POST", "grafanaRole", "CreateWorkspaceServiceAccount"),
        (&accounts, "POST", "secondsToLive", "CreateWorkspaceServiceAccountToken"),
    ] {
        let mut denied = denied(path, method, part);
        denied["times"] = 1.into();
        provisioning.script(denied).await.unwrap();
        let reason = failed(&mut provisioning, json!({}), NOT_MADE).await;
        let expected =
            format!("{operation} failed: AccessDeniedException (HTTP 403); the function's role must allow");
        assert!(reason.contains(&expected), "{expected} is not in {reason}");
        assert_eq!(provisioning.grafana(WORKSPACE)["service_accounts"], json!([]), "{operation}");
    }
    // A token with too little a role sees enough, and may write nothing.
    provisioning.set(WORKSPACE, json!({"role": "EDITOR"})).await.unwrap();
    let reason = failed(&mut provisioning, json!({}), MADE).await;
    assert!(
        reason.contains("data source assay-cloudwatch") && reason.contains("needs the role Admin"),
        "{reason}"
    );
    provisioning.set(WORKSPACE, json!({})).await.unwrap();
    rolled_back(&mut provisioning, MADE).await;
}

#[tokio::test]
async fn what_is_somebody_elses_is_named_and_survives_the_rollback() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let theirs = json!({"dashboard": {"uid": "assay-quality", "title": "Mine", "tags": ["assay"]}});
    provisioning.by_hand("POST", "api/dashboards/db", theirs).await.unwrap();
    let point = json!({"uid": "x", "name": "assay-sns", "type": "sns",
                       "settings": {"topic": "arn:aws:sns:us-east-1:1:x", "authProvider": "default"}});
    provisioning.by_hand("POST", "api/v1/provisioning/contact-points", point).await.unwrap();
    let before = rolled_back(&mut provisioning, NOT_MADE).await;
    provisioning.forget().await.unwrap();
    let reason = failed(&mut provisioning, json!({}), NOT_MADE).await;
    for part in ["dashboard assay-quality (\"Mine\")", "contact point assay-sns (sns)", "left alone"] {
        assert!(reason.contains(part), "{part} is not in {reason}");
    }
    assert_eq!(provisioning.changes().await.unwrap(), [""; 0]);
    assert_eq!(rolled_back(&mut provisioning, MADE).await, before);
}

#[tokio::test]
async fn time_that_runs_out_is_told_before_it_is_out() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let slow =
        json!({"match": {"path": format!("/grafana/{WORKSPACE}/api/dashboards/db")}, "delay_ms": 60_000});
    provisioning.script(slow).await.unwrap();
    let answer = provisioning.stack_within(Duration::from_secs(10), "Create", None, json!({})).await.unwrap();
    assert_eq!((&answer["Status"], &answer["PhysicalResourceId"]), (&json!("FAILED"), &json!(MADE)));
    assert!(answer["Reason"].as_str().unwrap().contains("it took too long"), "{answer}");
    assert_eq!(provisioning.grafana(WORKSPACE)["live_tokens"], 0);
    provisioning.forget().await.unwrap();
    rolled_back(&mut provisioning, MADE).await;
}

#[tokio::test]
async fn settings_and_properties_with_mistakes_are_answered_too() {
    let wrong = [("STACK_NAME", "not a name"), ("ALERT_TOPIC_ARN", "")];
    let mut provisioning = Provisioning::start(&wrong).await.unwrap();
    let reason = failed(&mut provisioning, json!({}), NOT_MADE).await;
    for part in ["has 2 mistakes", "STACK_NAME", "ALERT_TOPIC_ARN: is not set"] {
        assert!(reason.contains(part), "{part} is not in {reason}");
    }
    // What was made before can be removed all the same.
    rolled_back(&mut provisioning, MADE).await;
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let properties = json!({"WorkspaceId": "my-workspace", "EnableUnifiedAlerting": "maybe"});
    let reason = failed(&mut provisioning, properties, NOT_MADE).await;
    assert!(
        reason.contains("\"my-workspace\" is no id of a workspace")
            && reason.contains("EnableUnifiedAlerting"),
        "{reason}"
    );
    let answer =
        provisioning.stack("Delete", Some(NOT_MADE), json!({"WorkspaceId": "my-workspace"})).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS");
}

#[tokio::test]
async fn an_answer_that_does_not_get_through_is_sent_again_and_then_fails_the_invocation() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let refuse =
        |times: u64| json!({"match": {"path": "/stack-answers/"}, "status": 503, "body": "", "times": times});
    provisioning.script(refuse(2)).await.unwrap();
    let answer = provisioning.stack("Create", None, json!({})).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS");
    provisioning.script(refuse(20)).await.unwrap();
    let (event, _) = provisioning.request("Update", Some(MADE), json!({})).unwrap();
    // Lambda comes back then, and nothing is done twice.
    let error = provisioning.direct(event).await.unwrap().error().unwrap();
    assert_eq!(error["errorType"], "Unheard", "{error}");
    assert!(!error.to_string().contains(MARK));
    // Nobody but CloudFormation and this machine is answered.
    let (mut event, _) = provisioning.request("Create", None, json!({})).unwrap();
    event["ResponseURL"] = "https://example.com/quokka".into();
    let error = provisioning.direct(event).await.unwrap().error().unwrap();
    assert_eq!(error["errorType"], "NotAResponseUrl", "{error}");
    assert!(!error.to_string().contains(MARK));
}

#[tokio::test]
async fn a_token_that_cannot_be_deleted_ends_by_itself_and_is_told() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let accounts = format!("/workspaces/{WORKSPACE}/serviceaccounts/");
    let denied = json!({"match": {"path": accounts, "method": "DELETE"}, "status": 403,
                        "headers": {"x-amzn-errortype": "AccessDeniedException"}, "body": {}});
    provisioning.script(denied).await.unwrap();
    let answer = provisioning.stack("Create", None, json!({})).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS", "what was to be done is done");
    let told = provisioning.function.entries("token or service account not deleted");
    assert_eq!(told.len(), 1);
    let asked = provisioning.received("grafana-workspaces").await.unwrap();
    let token = asked.iter().find(|call| call.path.ends_with("/tokens")).unwrap();
    assert_eq!(token.body["secondsToLive"], 600);
}
