use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Firing {
    since: String,
}

fn firing() -> Firing {
    Firing { since: "09:00".to_owned() }
}

fn key() -> RecordKey {
    RecordKey::alert("k")
}

fn stored(expires_at: i64) -> Reply {
    let item = json!({"pk": s("alert#k"), "version": n(7), "record": s(r#"{"since":"09:00"}"#), "expires_at": n(expires_at)});
    Reply::json(&json!({"Item": item}))
}

#[tokio::test(start_paused = true)]
async fn a_record_is_read_consistently_with_its_version() {
    let wire = Wire::new([stored(now().as_second())]);
    let read = table(&wire).record::<Firing>(&key(), now()).await.unwrap();
    assert_eq!(read, Some(Versioned { value: firing(), version: 7 }));
    let request = json!({"TableName": "state", "Key": {"pk": s("alert#k")}, "ConsistentRead": true});
    assert_eq!(wire.only().json(), request);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_missing_or_expired_is_none() {
    for reply in [Reply::json(&json!({})), stored(now().as_second() - 1)] {
        let wire = Wire::new([reply]);
        assert_eq!(table(&wire).record::<Firing>(&key(), now()).await, Ok(None));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_understood_is_a_fault_and_not_a_new_alert() {
    for item in [
        json!({"pk": s("alert#k"), "version": n(1), "record": s("{}")}),
        json!({"pk": s("alert#k"), "record": s(r#"{"since":"09:00"}"#)}),
        json!({"pk": s("alert#k")}),
    ] {
        let wire = Wire::new([Reply::json(&json!({"Item": item}))]);
        let fault = table(&wire).record::<Firing>(&key(), now()).await.unwrap_err();
        assert_eq!(fault.code, "the state table's record is not what Assay wrote");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_record_replaces_none() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    assert_eq!(table(&wire).put_record(&key(), &firing(), None, now(), DAY).await, Ok(1));
    let expected = json!({
        "TableName": "state",
        "Item": {"pk": s("alert#k"), "version": n(1), "record": s(r#"{"since":"09:00"}"#), "expires_at": n(1_000_086_400)},
        "ConditionExpression": "attribute_not_exists(pk) OR expires_at < :now",
        "ExpressionAttributeValues": {":now": n(1_000_000_000)},
    });
    assert_eq!(wire.only().json(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_later_record_replaces_the_one_that_was_read_or_is_a_conflict() {
    let refused = Reply::error(400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException");
    let wire = Wire::new([Reply::json(&json!({})), refused]);
    let table = table(&wire);
    assert_eq!(table.put_record(&key(), &firing(), Some(7), now(), DAY).await, Ok(8));
    let sent = wire.only().json();
    assert_eq!(sent["ConditionExpression"], "version = :replaced");
    assert_eq!(sent["ExpressionAttributeValues"], json!({":replaced": n(7)}));
    assert_eq!(sent["Item"]["version"], n(8));
    let late = table.put_record(&key(), &firing(), Some(7), now(), DAY).await;
    assert_eq!(late, Err(NotWritten::Conflict));
}

#[tokio::test(start_paused = true)]
async fn a_throttle_is_a_fault_that_passes() {
    let wire = Wire::new([throttled()]);
    let error = table(&wire).put_record(&key(), &firing(), None, now(), DAY).await.unwrap_err();
    assert!(matches!(error, NotWritten::Failed(fault) if fault.is_transient()));
}
