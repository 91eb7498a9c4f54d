use super::*;

async fn post(reply: Reply) -> Answer {
    let wire = Wire::new([reply]);
    let base = address("https://slack.com/api");
    let answer = through(&wire).slack(&base, SlackCall::Post, &token(), &json!({"channel": "C1"})).await;
    assert_discreet(&answer);
    answer
}

fn said(error: &str) -> Reply {
    Reply::json(&json!({"ok": false, "error": error, "response_metadata": {"messages": [SECRET]}}))
}

#[tokio::test(start_paused = true)]
async fn a_message_is_found_again_by_channel_and_ts() {
    let reply = Reply::json(&json!({"ok": true, "channel": "C0123", "ts": "1503435956.000247"}));
    let wire = Wire::new([reply]);
    let outbound = through(&wire);
    let base = address("https://slack.com/api/");
    let receipt = Receipt { channel: Some("C0123".to_owned()), ts: Some("1503435956.000247".to_owned()) };
    for call in [SlackCall::Post, SlackCall::Update] {
        let answer = outbound.slack(&base, call, &token(), &json!({"channel": "C1"})).await;
        assert_eq!(answer, Answer::Delivered(receipt.clone()));
    }
    let sent = wire.sent();
    assert_eq!(sent[0].uri, "https://slack.com/api/chat.postMessage");
    assert_eq!(sent[1].uri, "https://slack.com/api/chat.update");
    assert_eq!(sent[0].header("authorization"), Some("Bearer token-quokka"));
}

#[tokio::test(start_paused = true)]
async fn success_of_http_is_not_success_of_slack() {
    let table = [
        ("channel_not_found", rejected("channel_not_found")),
        ("not_in_channel", rejected("not_in_channel")),
        ("is_archived", rejected("is_archived")),
        ("invalid_auth", unauthorized("invalid_auth")),
        ("token_revoked", unauthorized("token_revoked")),
        ("invalid_blocks", malformed("invalid_blocks")),
        ("msg_blocks_too_long", malformed("msg_blocks_too_long")),
        ("message_not_found", Answer::Gone("message_not_found".to_owned())),
        ("edit_window_closed", Answer::Gone("edit_window_closed".to_owned())),
        ("internal_error", transient("internal_error")),
        ("a sentence about quokka", transient("unknown error")),
    ];
    for (error, expected) in table {
        assert_eq!(post(said(error)).await, expected);
    }
    assert_eq!(post(Reply::new(200, "<html>quokka")).await, transient("unreadable answer"));
}

#[tokio::test(start_paused = true)]
async fn slack_asks_for_patience_in_three_ways() {
    let seconds = |seconds| Answer::Wait(Duration::from_secs(seconds));
    let body = json!({"retry_after": 3, "ok": false, "error": "rate_limited"});
    assert_eq!(post(Reply::new(429, body.to_string()).header("retry-after", "5")).await, seconds(5));
    assert_eq!(post(Reply::json(&body)).await, seconds(3));
    assert_eq!(post(said("ratelimited").header("retry-after", "4")).await, seconds(4));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_speaks_in_plain_words() {
    let table = [
        (200, "ok", Answer::Delivered(Receipt::default())),
        (400, "invalid_blocks", malformed("invalid_blocks")),
        (400, "no_text", malformed("no_text")),
        (403, "action_prohibited", rejected("action_prohibited")),
        (403, "invalid_token", unauthorized("invalid_token")),
        (404, "no_service", unauthorized("no_service")),
        (404, "channel_not_found", rejected("channel_not_found")),
        (410, "channel_is_archived", rejected("channel_is_archived")),
        (500, "rollup_error", transient("HTTP 500")),
        (403, "<html>quokka</html>", unauthorized("HTTP 403")),
    ];
    let url = address("https://hooks.slack.com/services/T0/B0/quokka");
    for (status, body, expected) in table {
        let wire = Wire::new([Reply::new(status, body)]);
        let answer = through(&wire).slack_webhook(&url, &json!({"text": "x"})).await;
        assert_discreet(&answer);
        assert_eq!(answer, expected, "{body}");
    }
    let wire = Wire::new([Reply::new(429, "rate_limited").header("retry-after", "2")]);
    let answer = through(&wire).slack_webhook(&url, &json!({"text": "x"})).await;
    assert_eq!(answer, Answer::Wait(Duration::from_secs(2)));
}
