use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use domain::dashboard::provision::Request;
use serde_json::json;

use crate::Secret;
use crate::grafana::{Address, Grafana, GrafanaFault};
use crate::wire::{Reply, Wire};

const TOKEN: &str = "glsa_quokka";

fn grafana(wire: &Wire) -> Grafana {
    let address =
        Address::parse("https://g-0123456789.grafana-workspace.eu-central-1.amazonaws.com/").unwrap();
    Grafana::with(address, Secret::new(TOKEN), SharedHttpConnector::new(wire.clone()))
}

fn folder() -> Request {
    Request::post("api/folders", json!({"uid": "assay-folder"}))
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_the_token_and_says_whether_its_object_stays_editable() {
    let wire = Wire::new([Reply::json(&json!({"id": 1}))]);
    let grafana = grafana(&wire);
    let answered = grafana.done(&folder()).await.unwrap();
    assert_eq!((answered.status, &answered.body, answered.was_retried), (200, &json!({"id": 1}), false));
    grafana.done(&Request::put("api/v1/provisioning/policies", json!({})).editable(true)).await.unwrap();
    grafana.done(&Request::get("api/health")).await.unwrap();
    let sent = wire.sent();
    assert_eq!(sent[0].method, "POST");
    assert_eq!(sent[0].uri, "https://g-0123456789.grafana-workspace.eu-central-1.amazonaws.com/api/folders");
    assert_eq!(sent[0].header("authorization"), Some("Bearer glsa_quokka"));
    assert_eq!(sent[0].header("content-type"), Some("application/json"));
    assert_eq!(sent[0].json(), json!({"uid": "assay-folder"}));
    let editable: Vec<Option<&str>> = sent.iter().map(|one| one.header("x-disable-provenance")).collect();
    assert_eq!(editable, [None, Some("true"), None]);
    assert!(sent[2].body.is_empty() && sent[2].header("content-type").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again_and_told_in_the_answer() {
    let busy = Reply::new(429, "").header("retry-after", "1");
    let wire =
        Wire::new([busy, Reply::new(502, "<html>"), Reply::Reset, Reply::Silence, Reply::new(204, "")]);
    let answered = grafana(&wire).done(&folder()).await.unwrap();
    assert!(answered.was_retried && answered.body.is_null());
    assert_eq!(wire.sent().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_lasting_failure_is_told_with_advice_and_without_the_token() {
    let said = |status, message: &str| Reply::new(status, json!({"message": message}).to_string());
    for (reply, status, part, calls) in [
        (
            said(401, "Invalid token glsa_quokka"),
            401,
            "(Invalid token (the token)); the token was refused",
            1,
        ),
        (said(403, "Access denied"), 403, "needs the role Admin", 1),
        (said(409, "a folder with that name exists\n"), 409, "(a folder with that name exists)", 1),
        (Reply::new(412, "no json"), 412, "HTTP 412;", 1),
        (said(429, "slow down"), 429, "Grafana is busy", 5),
        (said(500, "database is locked"), 500, "(database is locked); Grafana itself failed", 5),
        (Reply::new(302, ""), 302, "HTTP 302", 1),
    ] {
        let wire = Wire::new([reply]);
        let fault = grafana(&wire).done(&folder()).await.unwrap_err();
        assert!(matches!(fault, GrafanaFault::Refused { status: told, .. } if told == status), "{fault:?}");
        let text = fault.to_string();
        assert!(
            text.contains(part) && text.starts_with("POST /api/folders was refused by https://g-0123456789."),
            "{text}"
        );
        assert!(!text.contains("quokka") && !format!("{fault:?}").contains("quokka"));
        assert_eq!(wire.sent().len(), calls, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_no_failure_to_a_reader() {
    let grafana_of = |reply| grafana(&Wire::new([reply]));
    let request = Request::get("api/folders/assay-folder?x=y");
    assert_eq!(grafana_of(Reply::new(404, "")).read(&request).await, Ok(None));
    assert_eq!(grafana_of(Reply::new(200, "[1]")).read(&request).await, Ok(Some(json!([1]))));
    let fault = grafana_of(Reply::new(403, "")).read(&request).await.unwrap_err();
    assert!(fault.to_string().starts_with("GET /api/folders/assay-folder was refused"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_grafana_is_told_apart() {
    let fault =
        grafana(&Wire::new([Reply::new(200, "<html>Sign in</html>")])).done(&folder()).await.unwrap_err();
    assert!(matches!(fault, GrafanaFault::NotGrafana { .. }), "{fault:?}");
    let fault = grafana(&Wire::new([Reply::NoConnection])).done(&folder()).await.unwrap_err();
    assert!(fault.to_string().contains("network access control"), "{fault}");
    let address = Address::parse("https://grafana.example.com").unwrap();
    let wire = SharedHttpConnector::new(Wire::new([Reply::new(200, "")]));
    let fault = Grafana::with(address, Secret::new("a\nb"), wire).done(&folder()).await.unwrap_err();
    assert_eq!(fault, GrafanaFault::BadToken);
}

#[tokio::test(start_paused = true)]
async fn a_warning_about_the_call_is_handed_on() {
    let warning = r#"299 - "deprecated""#;
    let wire = Wire::new([Reply::new(200, "[]").header("warning", warning)]);
    let answered = grafana(&wire).call(&Request::get("api/v1/provisioning/contact-points")).await.unwrap();
    assert_eq!(answered.warning.as_deref(), Some(warning));
}
