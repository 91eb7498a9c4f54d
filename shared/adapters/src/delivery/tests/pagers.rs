use super::*;

async fn page(wire: &Wire) -> Answer {
    let base = address("https://events.eu.pagerduty.com");
    let event = json!({"event_action": "trigger", "dedup_key": "k", "routing_key": "token-quokka"});
    let answer = through(wire).pagerduty(&base, &event).await;
    assert_discreet(&answer);
    answer
}

#[tokio::test(start_paused = true)]
async fn pagerduty_gets_the_event_as_it_is() {
    let accepted = json!({"status": "success", "message": "Event processed", "dedup_key": "k"});
    let wire = Wire::new([Reply::new(202, accepted.to_string())]);
    assert_eq!(page(&wire).await, Answer::Delivered(Receipt::default()));
    let sent = wire.only();
    assert_eq!(sent.uri, "https://events.eu.pagerduty.com/v2/enqueue");
    let event = json!({"event_action": "trigger", "dedup_key": "k", "routing_key": "token-quokka"});
    assert_eq!(sent.json(), event);
}

#[tokio::test(start_paused = true)]
async fn what_pagerduty_refuses_is_named_by_its_fields() {
    let refused = |errors: serde_json::Value| {
        Reply::new(400, json!({"status": "invalid event", "message": SECRET, "errors": errors}).to_string())
    };
    let severity = format!("'payload.severity' is invalid (must be one of ...): {SECRET}");
    let key = "Length of 'routing_key' is incorrect (should be 32 characters)";
    let table = [
        (refused(json!([severity])), malformed("HTTP 400: severity")),
        (
            refused(json!([key, "'event.payload.summary' is missing or blank"])),
            unauthorized("HTTP 400: routing_key, summary"),
        ),
        (refused(json!([])), malformed("HTTP 400")),
        (Reply::new(400, "quokka"), malformed("HTTP 400")),
        (Reply::new(429, ""), Answer::Wait(Duration::from_secs(30))),
        (Reply::new(500, ""), transient("HTTP 500")),
    ];
    for (reply, expected) in table {
        assert_eq!(page(&Wire::new([reply])).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn opsgenie_creates_closes_and_notes_by_alias() {
    let wire = Wire::new([Reply::new(202, r#"{"result": "Request will be processed", "requestId": "r"}"#)]);
    let outbound = through(&wire);
    let base = address("https://api.atlassian.com/jsm/ops/integration/v2/alerts");
    let alias = "a/b c";
    for call in [OpsgenieCall::Create, OpsgenieCall::Close { alias }, OpsgenieCall::Note { alias }] {
        let answer = outbound.opsgenie(&base, call, &token(), &json!({})).await;
        assert_eq!(answer, Answer::Delivered(Receipt::default()));
    }
    let sent = wire.sent();
    assert_eq!(sent[0].uri, "https://api.atlassian.com/jsm/ops/integration/v2/alerts");
    let expected =
        "https://api.atlassian.com/jsm/ops/integration/v2/alerts/a%2Fb%20c/close?identifierType=alias";
    assert_eq!(sent[1].uri, expected);
    assert_eq!(sent[2].uri, expected.replace("close", "notes"));
    assert_eq!(sent[0].header("authorization"), Some("GenieKey token-quokka"));
}

#[tokio::test(start_paused = true)]
async fn opsgenie_has_nothing_left_to_close_or_names_the_fields() {
    let missing = Reply::new(404, r#"{"message": "Alert does not exist"}"#);
    let unprocessable = json!({"message": SECRET, "errors": {"message": "must not be empty", "a b": SECRET}});
    let close = OpsgenieCall::Close { alias: "k" };
    let table = [
        (close, missing.clone(), Answer::Delivered(Receipt::default())),
        (OpsgenieCall::Create, missing, rejected("HTTP 404")),
        (OpsgenieCall::Create, Reply::new(422, unprocessable.to_string()), malformed("HTTP 422: message")),
        (OpsgenieCall::Create, Reply::new(401, ""), unauthorized("HTTP 401")),
        (close, Reply::new(503, ""), transient("HTTP 503")),
        (
            close,
            Reply::new(429, "").header("x-ratelimit-state", "THROTTLED"),
            Answer::Wait(Duration::from_secs(30)),
        ),
    ];
    for (call, reply, expected) in table {
        let wire = Wire::new([reply]);
        let answer = through(&wire)
            .opsgenie(&address("https://api.opsgenie.com/v2/alerts"), call, &token(), &json!({}))
            .await;
        assert_discreet(&answer);
        assert_eq!(answer, expected);
    }
}
