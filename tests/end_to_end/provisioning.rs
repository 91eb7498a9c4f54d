//! What grafana-provisioner puts into a Grafana, changes there and takes out again: the built binary
//! against a Grafana that keeps what it is given and holds another team's things.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use domain::dashboard::shipped_files;
use serde_json::{Value, json};
use tests::functions::ALERT_TOPIC;
use tests::loopback::{MARK, Provisioning, TOKEN_SECRET};
use tests::runtime_api::Answer;
use tests::stand_in::{OWN_GRAFANA, OWN_GRAFANA_TOKEN, WORKSPACE};

const MADE: &str = "g-0123456789/assay";
const OTHER: &str = "g-abcdef0123";

fn uids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["uid"].as_str().unwrap()).collect()
}

/// What is there without what Grafana counts by itself.
fn content(grafana: &Value) -> Value {
    let mut content = grafana.clone();
    for part in ["features", "service_accounts", "live_tokens"] {
        content.as_object_mut().unwrap().remove(part);
    }
    content
}

fn assert_clean(provisioning: &Provisioning, told: &[&Value]) {
    let log = provisioning.function.log().join("\n");
    assert!(log.contains("starting") && !log.contains(MARK), "{log}");
    for answer in told {
        assert!(!answer.to_string().contains(MARK), "{answer}");
    }
    assert_eq!(provisioning.grafana(WORKSPACE)["live_tokens"], 0);
}

async fn create(provisioning: &mut Provisioning, properties: Value) -> Value {
    let answer = provisioning.stack("Create", None, properties).await.unwrap();
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    answer
}

#[tokio::test]
async fn a_stack_puts_everything_in_changes_nothing_twice_and_takes_it_out_again() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let before = content(&provisioning.grafana(WORKSPACE));
    let created = create(&mut provisioning, json!({})).await;
    assert_eq!(created["PhysicalResourceId"], MADE);
    assert_eq!(created["RequestId"], "request-1");
    assert!(
        created["Data"]["FolderUrl"].as_str().unwrap().ends_with("/dashboards/f/assay-folder"),
        "{created}"
    );

    let there = provisioning.grafana(WORKSPACE);
    assert_eq!(uids(&there["folders"]), ["theirs", "assay-folder"]);
    assert_eq!(uids(&there["data_sources"]), ["their-prometheus", "assay-cloudwatch"]);
    assert_eq!(there["data_sources"][0]["isDefault"], true);
    assert_eq!(there["dashboards"].as_array().unwrap().len(), 4);
    assert_eq!(there["contact_points"][2]["settings"]["topic"], ALERT_TOPIC);
    assert_eq!(there["policies"], before["policies"], "from Grafana 12 on the shared policy is left alone");
    assert_eq!(there["service_accounts"], json!(["assay-provisioner"]));
    let shipped: Vec<Value> = shipped_rules();
    let rules = there["rules"].as_array().unwrap();
    assert_eq!(rules.len(), shipped.len() + 1);
    for rule in &shipped {
        let deployed = rules.iter().find(|one| one["uid"] == rule["uid"]).unwrap();
        assert_eq!(deployed["title"], rule["title"]);
        assert_eq!(deployed["provenance"], "");
        assert_eq!(deployed["notification_settings"]["receiver"], "assay-sns");
    }

    provisioning.forget().await.unwrap();
    let updated = provisioning.stack("Update", Some(MADE), json!({"Contents": "new"})).await.unwrap();
    assert_eq!((&updated["Status"], &updated["PhysicalResourceId"]), (&json!("SUCCESS"), &json!(MADE)));
    assert_eq!(provisioning.changes().await.unwrap(), [""; 0]);
    assert_eq!(content(&provisioning.grafana(WORKSPACE)), content(&there));

    let deleted = provisioning.stack("Delete", Some(MADE), json!({})).await.unwrap();
    assert_eq!((&deleted["Status"], &deleted["PhysicalResourceId"]), (&json!("SUCCESS"), &json!(MADE)));
    assert_eq!(content(&provisioning.grafana(WORKSPACE)), before);
    assert_eq!(provisioning.grafana(WORKSPACE)["service_accounts"], json!([]));
    // CloudFormation may ask again.
    let again = provisioning.stack("Delete", Some(MADE), json!({})).await.unwrap();
    assert_eq!(again["Status"], "SUCCESS");
    assert_clean(&provisioning, &[&created, &updated, &deleted, &again]);
}

fn shipped_rules() -> Vec<Value> {
    let files = shipped_files().unwrap();
    let (_, text) = files.iter().find(|(name, _)| name == "alert-rules.json").unwrap();
    let groups: Value = serde_json::from_str(text).unwrap();
    let groups = groups.as_array().unwrap().clone();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn what_a_person_changed_is_mended_and_what_a_person_added_stays() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    provisioning.set(WORKSPACE, json!({"version": "11.6"})).await.unwrap();
    create(&mut provisioning, json!({})).await;
    let right = content(&provisioning.grafana(WORKSPACE));
    assert_eq!(right["policies"]["routes"][0]["receiver"], "assay-sns");

    // Somebody edits a dashboard and a rule of ours, doubles a rule into our group, adds a route
    // and a dashboard, and takes our route to another place.
    let mut board = right["dashboards"][2]["dashboard"].clone();
    board["title"] = "Edited".into();
    let save = json!({"dashboard": board, "folderUid": "assay-folder", "overwrite": true});
    provisioning.by_hand("POST", "api/dashboards/db", save).await.unwrap();
    let own = json!({"dashboard": {"uid": "own", "title": "Own", "tags": []}, "folderUid": "assay-folder"});
    provisioning.by_hand("POST", "api/dashboards/db", own).await.unwrap();
    let group = "api/v1/provisioning/folder/assay-folder/rule-groups/assay-quality-rules";
    let mut rules = provisioning.by_hand("GET", group, Value::Null).await.unwrap();
    let mut copy = rules["rules"][0].clone();
    copy["uid"] = "ab12".into();
    copy["title"] = "A copy".into();
    rules["rules"][0]["for"] = "3h".into();
    rules["rules"].as_array_mut().unwrap().push(copy);
    provisioning.by_hand("PUT", group, rules).await.unwrap();
    let mut policies = right["policies"].clone();
    let routes = policies["routes"].as_array_mut().unwrap();
    routes[0]["receiver"] = "their-pager".into();
    routes.push(json!({"receiver": "their-pager", "object_matchers": [["managed_by", "=", "assay"], ["severity", "=", "critical"]]}));
    routes.swap(0, 1);
    provisioning.by_hand("PUT", "api/v1/provisioning/policies", policies).await.unwrap();

    provisioning.forget().await.unwrap();
    let updated = provisioning.stack("Update", Some(MADE), json!({})).await.unwrap();
    assert_eq!(updated["Status"], "SUCCESS", "{updated}");
    let changes = provisioning.changes().await.unwrap();
    let expected = ["POST /api/dashboards/db", "PUT /api/v1/provisioning/policies", &format!("PUT /{group}")];
    assert_eq!(changes, expected);
    let there = provisioning.grafana(WORKSPACE);
    let routes = there["policies"]["routes"].as_array().unwrap();
    let receivers: Vec<&Value> = routes.iter().map(|route| &route["receiver"]).collect();
    assert_eq!(receivers, ["their-pager", "assay-sns", "their-pager"]);
    let rule = |uid: &str| there["rules"].as_array().unwrap().iter().find(|rule| rule["uid"] == uid).cloned();
    assert_eq!(rule("ab12").unwrap()["title"], "A copy");
    let first =
        right["rules"].as_array().unwrap().iter().find(|rule| rule["ruleGroup"] == "assay-quality-rules");
    let first = first.unwrap();
    assert_eq!(rule(first["uid"].as_str().unwrap()).unwrap()["for"], first["for"]);

    let deleted = provisioning.stack("Delete", Some(MADE), json!({})).await.unwrap();
    assert_eq!(deleted["Status"], "SUCCESS", "{deleted}");
    let left = provisioning.grafana(WORKSPACE);
    assert_eq!(uids(&left["rules"]), ["their-rule", "ab12"]);
    assert_eq!(uids(&left["folders"]), ["theirs", "assay-folder"], "it holds what somebody put there");
    assert_eq!(left["dashboards"].as_array().unwrap().len(), 2);
    assert_eq!(left["policies"]["routes"].as_array().unwrap().len(), 2);
    assert_eq!(uids(&left["data_sources"]), ["their-prometheus"]);
    assert_clean(&provisioning, &[&updated, &deleted]);
}

#[tokio::test]
async fn an_old_grafana_gets_one_endpoint_a_route_and_the_words_it_knows() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    provisioning.set(WORKSPACE, json!({"version": "10.4"})).await.unwrap();
    let refused = provisioning.stack("Create", None, json!({})).await.unwrap();
    assert_eq!(
        (&refused["Status"], &refused["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("not-created"))
    );
    assert!(refused["Reason"].as_str().unwrap().contains("name the endpoint to watch"), "{refused}");
    assert_eq!(provisioning.grafana(WORKSPACE)["service_accounts"], json!([]));

    create(&mut provisioning, json!({"AlertEndpoint": "chat"})).await;
    let there = provisioning.grafana(WORKSPACE);
    assert_eq!(there["policies"]["routes"][0]["receiver"], "assay-sns");
    let rule = there["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["labels"]["managed_by"] == "assay")
        .unwrap();
    assert_eq!(rule["data"][0]["model"]["dimensions"]["EndpointName"], json!(["chat"]));

    // After an upgrade the rules name the contact point, and the shared policy is as it was.
    provisioning.set(WORKSPACE, json!({"version": "13.0"})).await.unwrap();
    let updated = provisioning.stack("Update", Some(MADE), json!({"AlertEndpoint": "chat"})).await.unwrap();
    assert_eq!(updated["Status"], "SUCCESS", "{updated}");
    let there = provisioning.grafana(WORKSPACE);
    assert_eq!(there["policies"]["routes"].as_array().unwrap().len(), 1);
    let warned = provisioning.function.entries("provisioned");
    assert!(warned[1]["warnings"].as_str().unwrap().contains("deprecated"), "{warned:?}");
    assert_clean(&provisioning, &[&refused, &updated]);
}

#[tokio::test]
async fn another_workspace_is_filled_before_the_first_is_emptied() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    provisioning.set(OTHER, json!({"version": "13.0"})).await.unwrap();
    let before = content(&provisioning.grafana(WORKSPACE));
    create(&mut provisioning, json!({})).await;
    let moved = provisioning.stack("Update", Some(MADE), json!({"WorkspaceId": OTHER})).await.unwrap();
    assert_eq!(moved["PhysicalResourceId"], "g-abcdef0123/assay", "{moved}");
    assert_ne!(content(&provisioning.grafana(WORKSPACE)), before);
    // CloudFormation removes what had the old name.
    let removed = provisioning.stack("Delete", Some(MADE), json!({})).await.unwrap();
    assert_eq!(removed["Status"], "SUCCESS", "{removed}");
    assert_eq!(content(&provisioning.grafana(WORKSPACE)), before);
    assert_eq!(provisioning.grafana(OTHER)["dashboards"].as_array().unwrap().len(), 4);
    // A workspace that is gone has nothing left to remove.
    provisioning.delete(OTHER).await.unwrap();
    let removed = provisioning.stack("Delete", Some("g-abcdef0123/assay"), json!({})).await.unwrap();
    assert_eq!(removed["Status"], "SUCCESS", "{removed}");
    assert_clean(&provisioning, &[&moved, &removed]);
}

#[tokio::test]
async fn a_grafana_of_ones_own_is_filled_by_hand_with_its_own_settings_of_sns() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let kept = json!({"match": {"path": "/", "contains": "grafana-token"},
                      "body": {"ARN": TOKEN_SECRET, "Name": "grafana-token", "SecretString": OWN_GRAFANA_TOKEN}});
    provisioning.script(kept).await.unwrap();
    let url = format!("{}/grafana/{OWN_GRAFANA}", provisioning.stand_ins.url());
    let event = json!({"url": url, "token_secret_arn": TOKEN_SECRET, "prometheus_uid": "their-prometheus"});
    let before = content(&provisioning.grafana(OWN_GRAFANA));

    // Whoever may invoke the function and not read the token does not get it sent.
    let mut elsewhere = event.clone();
    elsewhere["url"] = format!("{}/quokka", provisioning.stand_ins.url()).into();
    elsewhere["action"] = "remove".into();
    let error = provisioning.direct(elsewhere).await.unwrap().error().unwrap();
    assert!(error["errorMessage"].as_str().unwrap().contains("is not the stack's GrafanaUrl"), "{error}");
    assert!(!error.to_string().contains(MARK), "{error}");
    assert!(provisioning.received("grafana").await.unwrap().is_empty(), "nobody was called");

    let mut dry = event.clone();
    dry["dry_run"] = true.into();
    let shown = provisioning.direct(dry).await.unwrap().response().unwrap();
    assert_eq!(shown["created"].as_array().unwrap().len(), 10, "{shown}");
    assert_eq!(content(&provisioning.grafana(OWN_GRAFANA)), before);

    let done = provisioning.direct(event.clone()).await.unwrap().response().unwrap();
    assert_eq!(done["created"], shown["created"]);
    let there = provisioning.grafana(OWN_GRAFANA);
    assert_eq!(
        there["contact_points"][2]["settings"],
        json!({"topic_arn": ALERT_TOPIC, "sigv4": {"region": "us-east-1"}})
    );
    assert_eq!(there["dashboards"].as_array().unwrap().len(), 5, "with the one about the engine");
    let again = provisioning.direct(event.clone()).await.unwrap().response().unwrap();
    assert_eq!((again["created"].clone(), again["updated"].clone()), (json!([]), json!([])));

    let mut remove = event;
    remove["action"] = "remove".into();
    let removed = provisioning.direct(remove).await.unwrap().response().unwrap();
    assert!(removed["deleted"].as_array().unwrap().len() > 20, "{removed}");
    assert_eq!(content(&provisioning.grafana(OWN_GRAFANA)), before);
    assert_clean(&provisioning, &[&shown, &done, &again, &removed]);
}

#[tokio::test]
async fn the_settings_of_sns_that_were_refused_are_followed_by_the_others() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    // It does not say which settings it has, and has not those that are usual.
    provisioning.set(WORKSPACE, json!({"has_amazon_sns": false, "lists_sns": false})).await.unwrap();
    create(&mut provisioning, json!({})).await;
    let statuses: Vec<u16> = provisioning
        .received("grafana")
        .await
        .unwrap()
        .iter()
        .filter(|call| call.path.ends_with("/contact-points") && call.method == "POST")
        .map(|call| call.status)
        .collect();
    assert_eq!(statuses, [400, 202]);
    assert_eq!(provisioning.grafana(WORKSPACE)["contact_points"][2]["settings"]["topic_arn"], ALERT_TOPIC);
    provisioning.forget().await.unwrap();
    provisioning.stack("Update", Some(MADE), json!({})).await.unwrap();
    assert_eq!(provisioning.changes().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_dry_run_in_a_workspace_leaves_no_trace() {
    let mut provisioning = Provisioning::start(&[]).await.unwrap();
    let before = provisioning.grafana(WORKSPACE);
    let event = json!({"workspace_id": WORKSPACE, "dry_run": true});
    let shown = provisioning.direct(event).await.unwrap().response().unwrap();
    assert_eq!(shown["created"].as_array().unwrap().len(), 9, "{shown}");
    assert_eq!(shown["is_dry_run"], true);
    assert_eq!(provisioning.grafana(WORKSPACE), before);
    assert_eq!(provisioning.changes().await.unwrap(), [""; 0]);
    let Answer::Error(error) = provisioning.direct(json!({"workspace": WORKSPACE})).await.unwrap() else {
        panic!("an unknown field is taken");
    };
    assert!(error["errorMessage"].as_str().unwrap().contains("workspace: is not known"), "{error}");
}
