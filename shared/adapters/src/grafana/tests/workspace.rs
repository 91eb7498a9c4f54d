use domain::dashboard::provision::WorkspaceId;
use serde_json::{Value, json};

use crate::grafana::{State, Workspaces};
use crate::wire::{Reply, Wire};

fn id() -> WorkspaceId {
    "g-0123456789".parse().unwrap()
}

fn workspace(status: &str, endpoint: &str, version: &str) -> Value {
    json!({"workspace": {
        "authentication": {"providers": ["AWS_SSO"]}, "created": 1_764_000_000, "modified": 1_764_000_000,
        "dataSources": [], "endpoint": endpoint, "grafanaVersion": version, "id": "g-0123456789", "status": status,
    }})
}

const HOST: &str = "g-0123456789.grafana-workspace.eu-central-1.amazonaws.com";

#[tokio::test(start_paused = true)]
async fn a_workspace_is_described_with_its_address_version_and_state() {
    for (status, state) in [
        ("ACTIVE", State::Ready),
        ("DEGRADED", State::Ready),
        ("VERSION_UPDATING", State::Changing("VERSION_UPDATING".to_owned())),
        ("DELETING", State::Going),
        ("FAILED", State::Broken("FAILED".to_owned())),
        ("SOMETHING_NEW", State::Broken("SOMETHING_NEW".to_owned())),
    ] {
        let wire = Wire::new([Reply::json(&workspace(status, HOST, "12.4"))]);
        let found = Workspaces::new(&wire.config()).describe(&id()).await.unwrap().unwrap();
        assert_eq!(found.state, state);
        assert_eq!(found.address.origin(), format!("https://{HOST}"));
        assert_eq!(found.version.to_string(), "12.4");
        assert!(wire.only().uri.ends_with("/workspaces/g-0123456789"));
    }
    let wire = Wire::new([Reply::json(&workspace("ACTIVE", "http://127.0.0.1:9/grafana", "10.4"))]);
    let found = Workspaces::new(&wire.config()).describe(&id()).await.unwrap().unwrap();
    assert_eq!(found.address.origin(), "http://127.0.0.1:9");
    let wire = Wire::new([Reply::json(&workspace("ACTIVE", "http://grafana.example.com", "10.4"))]);
    let fault = Workspaces::new(&wire.config()).describe(&id()).await.unwrap_err();
    assert_eq!(fault.to_string(), "DescribeWorkspace failed: no address of a Grafana");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_no_failure_and_what_is_refused_is_one() {
    let workspaces = |code| Workspaces::new(&Wire::new([Reply::error(404, code)]).config());
    let gone = workspaces("ResourceNotFoundException");
    assert!(gone.describe(&id()).await.unwrap().is_none());
    gone.delete_token(&id(), "1", "2").await.unwrap();
    gone.delete_service_account(&id(), "1").await.unwrap();
    let refused = Workspaces::new(&Wire::new([Reply::error(403, "AccessDeniedException")]).config());
    let fault = refused.describe(&id()).await.unwrap_err();
    assert_eq!(fault.to_string(), "DescribeWorkspace failed: AccessDeniedException (HTTP 403)");
    assert!(refused.delete_token(&id(), "1", "2").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_service_account_is_found_on_any_page() {
    let account =
        |id: &str, name: &str| json!({"id": id, "name": name, "isDisabled": "false", "grafanaRole": "ADMIN"});
    let page = |accounts: Value, next: Value| {
        Reply::json(&json!({"serviceAccounts": accounts, "nextToken": next, "workspaceId": "g-0123456789"}))
    };
    let pages = || {
        [
            page(json!([account("1", "other")]), "more".into()),
            page(json!([account("2", "assay-provisioner")]), Value::Null),
        ]
    };
    let workspaces = Workspaces::new(&Wire::new(pages()).config());
    assert_eq!(workspaces.service_account(&id(), "assay-provisioner").await.unwrap().as_deref(), Some("2"));
    let workspaces = Workspaces::new(&Wire::new(pages()).config());
    assert_eq!(workspaces.service_account(&id(), "assay").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_made_for_ten_minutes_and_shown_to_nobody() {
    let answer = json!({"serviceAccountId": "2", "workspaceId": "g-0123456789",
                        "serviceAccountToken": {"id": "7", "name": "n", "key": "glsa_quokka"}});
    let wire = Wire::new([Reply::error(429, "ThrottlingException"), Reply::json(&answer)]);
    let token = Workspaces::new(&wire.config()).create_token(&id(), "2", "n", 600).await.unwrap();
    assert_eq!((token.id.as_str(), token.key.reveal()), ("7", "glsa_quokka"));
    assert!(!format!("{token:?}").contains("quokka"));
    let sent = wire.sent().pop().unwrap();
    assert_eq!(sent.json(), json!({"name": "n", "secondsToLive": 600}));
    assert!(sent.uri.ends_with("/workspaces/g-0123456789/serviceaccounts/2/tokens"));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_is_read_and_written_as_text() {
    let text = r#"{"unifiedAlerting":{"enabled":false}}"#;
    let wire = Wire::new([
        Reply::json(&json!({"configuration": text, "grafanaVersion": "10.4"})),
        Reply::new(202, "{}"),
    ]);
    let workspaces = Workspaces::new(&wire.config());
    assert_eq!(workspaces.configuration(&id()).await.unwrap(), text);
    workspaces.configure(&id(), "{}").await.unwrap();
    assert_eq!(wire.sent()[1].json()["configuration"], "{}");
}
