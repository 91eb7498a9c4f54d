//! Every way in which a message can arrive.

use super::*;

const MESSAGE: &str = "**Firing**\n\nValue: B=0.5\nLabels:\n - alertname = a\nAnnotations:\n";

fn one(event: Value) -> Delivery {
    let mut found = open(event);
    assert_eq!(found.len(), 1);
    found.remove(0).unwrap()
}

fn queue_record(body: &str) -> Value {
    json!({
        "messageId": "queue-id",
        "receiptHandle": "r",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772446531123"},
        "messageAttributes": {"truncated": {"stringValue": "true", "dataType": "String"}},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:alerts",
    })
}

#[test]
fn a_notification_of_sns_tells_all_about_itself() {
    let delivery = one(sns_event(MESSAGE, &json!("[FIRING:1] a")));
    assert_eq!(delivery.place, "Records[0]");
    assert_eq!((delivery.topic_arn.as_deref(), delivery.queue_arn.as_deref()), (Some(TOPIC), None));
    assert_eq!(delivery.message_id.as_deref(), Some("5f9a2f1c-0000-4000-8000-000000000001"));
    assert_eq!((delivery.subject.as_deref(), delivery.message.as_str()), (Some("[FIRING:1] a"), MESSAGE));
    assert_eq!(delivery.attributes.get("severity").map(String::as_str), Some("critical"));
    assert_eq!(delivery.published_at.unwrap().to_string(), "2026-03-02T10:15:31.123Z");
    assert_eq!(delivery.region_and_account(), ("eu-west-1", "111122223333"));
}

#[test]
fn a_subject_may_be_null_blank_or_absent() {
    for subject in [Value::Null, json!(""), json!("  ")] {
        assert_eq!(one(sns_event(MESSAGE, &subject)).subject, None);
    }
    let mut event = sns_event(MESSAGE, &Value::Null);
    let sns = event["Records"][0]["Sns"].as_object_mut().unwrap();
    sns.retain(|name, _| name == "Message");
    let delivery = one(event);
    assert_eq!((delivery.subject, delivery.message.as_str()), (None, MESSAGE));
}

#[test]
fn a_queue_holds_notifications_raw_messages_and_whole_events() {
    let wrapped = notification(MESSAGE, &json!("s")).to_string();
    let event = sns_event(MESSAGE, &json!("s"));
    let failed = json!({
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responsePayload": {"errorType": "Delivery"},
    });
    let twice = sns_event(&failed.to_string(), &Value::Null).to_string();
    for body in [&wrapped, &event.to_string(), &failed.to_string(), &twice] {
        let delivery = one(json!({"Records": [queue_record(body)]}));
        assert_eq!((delivery.message.as_str(), delivery.subject.as_deref()), (MESSAGE, Some("s")), "{body}");
        assert_eq!(delivery.topic_arn.as_deref(), Some(TOPIC));
        assert_eq!(delivery.sqs_message_id.as_deref(), Some("queue-id"));
    }
    let raw = one(json!({"Records": [queue_record(MESSAGE)]}));
    assert_eq!((raw.message.as_str(), raw.topic_arn.as_deref()), (MESSAGE, None));
    assert_eq!(raw.attributes.get("truncated").map(String::as_str), Some("true"));
    assert_eq!(raw.published_at.unwrap().as_millisecond(), 1_772_446_531_123);
    assert_eq!(one(failed).message, MESSAGE);
}

#[test]
fn redriven_messages_are_the_same_alerts() {
    let direct = parse(&one(sns_event(MESSAGE, &Value::Null)));
    for body in [MESSAGE.to_owned(), notification(MESSAGE, &Value::Null).to_string()] {
        let redriven = parse(&one(json!({"Records": [queue_record(&body)]})));
        assert_eq!(keys(&redriven), keys(&direct));
    }
    let elsewhere = Delivery::bare(MESSAGE.to_owned(), String::new());
    assert_ne!(keys(&parse(&elsewhere)), keys(&direct), "another account's is another alert");
}

#[test]
fn a_bare_payload_is_its_own_message() {
    let payload = json!({"alerts": [{"status": "firing", "labels": {"alertname": "a"}}]});
    let delivery = one(payload.clone());
    assert_eq!(serde_json::from_str::<Value>(&delivery.message).unwrap(), payload);
    for event in [MESSAGE, "not JSON", "[1, 2", "7"] {
        let found = open_text(event);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].as_ref().unwrap().message, event);
    }
    assert_eq!(one(json!({"Records": "none", "a": 1})).message, r#"{"Records":"none","a":1}"#.to_owned());
    let quoted = open_text(&serde_json::to_string(MESSAGE).unwrap());
    assert_eq!(quoted[0].as_ref().unwrap().message, MESSAGE);
}

#[test]
fn a_broken_record_costs_none_of_its_neighbours() {
    let good = sns_event(MESSAGE, &Value::Null)["Records"][0].clone();
    let mut bad_body = queue_record("x");
    bad_body["body"] = Value::Null;
    let records = json!({"Records": [
        good, null, "text", {"Sns": {}}, {"Sns": null}, {"eventSource": "aws:s3", "s3": {}}, bad_body, {"Sns": {"Message": null}}, good,
    ]});
    let found = open(records);
    assert_eq!(found.len(), 9);
    assert!(found[0].is_ok() && found[8].is_ok());
    for (number, broken) in found.iter().enumerate().skip(1).take(7) {
        let broken = broken.as_ref().unwrap_err();
        assert_eq!(broken.place, format!("Records[{number}]"));
        assert_eq!(broken.sqs_message_id.as_deref(), (number == 6).then_some("queue-id"));
    }
    assert_eq!(
        found[1].as_ref().unwrap_err().to_string(),
        "Records[1] holds no message: expected `Sns.Message` as SNS sends it, or `body` as SQS does"
    );
}

#[test]
fn a_broken_record_inside_a_queue_is_answered_by_the_queues_id() {
    let body = json!({"Records": [{"Sns": {}}, {"Sns": notification(MESSAGE, &Value::Null)}]}).to_string();
    let found = open(json!({"Records": [queue_record(&body)]}));
    let broken = found[0].as_ref().unwrap_err();
    assert_eq!(
        (broken.place.as_str(), broken.sqs_message_id.as_deref()),
        ("Records[0].Records[0]", Some("queue-id"))
    );
    assert_eq!(found[1].as_ref().unwrap().place, "Records[0].Records[1]");
}

#[test]
fn events_inside_events_end_somewhere() {
    let mut event = json!({"Records": [queue_record(MESSAGE)]});
    for _ in 0..9 {
        event = json!({"Records": [queue_record(&event.to_string())]});
    }
    assert_eq!(parse(&one(event)).alerts.len(), 1);
}

#[test]
fn debug_shows_no_text() {
    let delivery = one(sns_event("secret words", &json!("secret subject")));
    assert!(!format!("{delivery:?}").contains("secret"));
}
