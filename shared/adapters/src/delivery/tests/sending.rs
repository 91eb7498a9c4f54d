//! What holds for every service: seen at the generic webhook.

use super::*;

const URL: &str = "https://hooks.example.com/in?key=quokka";

async fn post(wire: &Wire, token: Option<&Secret>) -> Answer {
    let answer = through(wire).webhook(&address(URL), token, &json!({"a": "ü"})).await;
    assert_discreet(&answer);
    answer
}

#[tokio::test(start_paused = true)]
async fn the_body_goes_as_json_to_the_address() {
    let wire = Wire::new([Reply::new(204, "")]);
    assert_eq!(post(&wire, Some(&token())).await, Answer::Delivered(Receipt::default()));
    let sent = wire.only();
    assert_eq!((sent.method.as_str(), sent.uri.as_str()), ("POST", URL));
    assert_eq!(sent.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(sent.header("authorization"), Some("Bearer token-quokka"));
    assert_eq!(sent.json(), json!({"a": "ü"}));
}

#[tokio::test(start_paused = true)]
async fn each_status_has_its_consequence() {
    let table = [
        (200, Answer::Delivered(Receipt::default())),
        (202, Answer::Delivered(Receipt::default())),
        (302, rejected("HTTP 302: redirects are not followed")),
        (400, malformed("HTTP 400")),
        (401, unauthorized("HTTP 401")),
        (403, unauthorized("HTTP 403")),
        (404, rejected("HTTP 404")),
        (408, transient("HTTP 408")),
        (410, rejected("HTTP 410")),
        (413, malformed("HTTP 413")),
        (422, malformed("HTTP 422")),
        (500, transient("HTTP 500")),
        (503, transient("HTTP 503")),
    ];
    for (status, expected) in table {
        let wire = Wire::new([Reply::new(status, SECRET).header("location", "https://quokka.example")]);
        assert_eq!(post(&wire, None).await, expected);
        assert_eq!(wire.sent().len(), 1, "nothing is tried again or followed here");
    }
}

#[tokio::test(start_paused = true)]
async fn patience_is_read_in_seconds_or_as_a_date_and_never_believed_beyond_an_hour() {
    let past = "Wed, 21 Oct 2015 07:28:00 GMT";
    for (header, seconds) in [
        (Some("7"), 7),
        (Some(" 0 "), 0),
        (Some("999999"), 3600),
        (Some(past), 0),
        (Some("soon"), 30),
        (None, 30),
    ] {
        let reply = Reply::new(429, "");
        let reply = header.map_or(reply.clone(), |header| reply.header("retry-after", header));
        let answer = post(&Wire::new([reply]), None).await;
        assert_eq!(answer, Answer::Wait(Duration::from_secs(seconds)), "{header:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_transient_and_ends() {
    for (reply, word) in [
        (Reply::Reset, "connection"),
        (Reply::NoConnection, "timeout"),
        (Reply::Silence, "timeout"),
        (Reply::new(200, "half").breaking_off(), "connection"),
        (Reply::After(Duration::from_mins(1), Box::new(Reply::new(200, ""))), "timeout"),
    ] {
        assert_eq!(post(&Wire::new([reply]), None).await, transient(word));
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_answer_is_cut() {
    let part = vec![b'x'; 60_000];
    let wire = Wire::new([Reply::parts(400, vec![part; 50]).breaking_off()]);
    assert_eq!(post(&wire, None).await, malformed("HTTP 400"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_no_header_can_hold_is_not_sent() {
    let wire = Wire::new([Reply::new(200, "")]);
    let broken = Secret::new("quokka\r\nx-other: 1");
    let answer = post(&wire, Some(&broken)).await;
    assert_eq!(answer, unauthorized("the secret holds characters that no header may hold"));
    assert!(wire.sent().is_empty());
}
