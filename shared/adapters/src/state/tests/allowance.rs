use domain::money::MicroUsd;
use jiff::civil::date;

use super::*;

fn hour() -> ComponentHour {
    let at = "2026-11-24T05:59:59Z".parse().unwrap();
    ComponentHour::of(&"chat".parse().unwrap(), &"llama".parse().unwrap(), at)
}

/// The answer when fewer slots are left than were wanted.
fn full(taken: &Value) -> Reply {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": SECRET,
        "Item": {"pk": s("cap#chat/llama#2026-11-24T05"), "taken": taken},
    });
    Reply::new(400, body.to_string())
}

#[tokio::test(start_paused = true)]
async fn slots_are_taken_by_one_addition() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    assert_eq!(table(&wire).take_slots(&hour(), 5, 60, now()).await, Ok(5));
    let sent = wire.only();
    assert_eq!(sent.header("x-amz-target"), Some("DynamoDB_20120810.UpdateItem"));
    assert_eq!(
        sent.json(),
        json!({
            "TableName": "state",
            "Key": {"pk": s("cap#chat/llama#2026-11-24T05")},
            "UpdateExpression": "ADD taken :wanted SET expires_at = :expiry",
            "ConditionExpression": "attribute_not_exists(taken) OR taken <= :room",
            "ExpressionAttributeValues": {":wanted": n(5), ":room": n(55), ":expiry": n(EXPIRY)},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_slots_are_taken_than_are_left() {
    for (replies, taken) in [
        (vec![full(&n(57)), Reply::json(&json!({}))], 3),
        // Others took some, or gave some back, between two calls.
        (vec![full(&n(57)), full(&n(59)), Reply::json(&json!({}))], 1),
        (vec![full(&n(57)), full(&n(10)), Reply::json(&json!({}))], 2),
        (vec![full(&n(60))], 0),
        (vec![full(&n(64))], 0),
    ] {
        let wire = Wire::new(replies);
        assert_eq!(table(&wire).take_slots(&hour(), 5, 60, now()).await, Ok(taken));
    }
    // Whoever has no cap to speak of asks nobody.
    let wire = Wire::new([Reply::json(&json!({}))]);
    assert_eq!(table(&wire).take_slots(&hour(), 5, 0, now()).await, Ok(0));
    assert!(wire.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn slots_that_were_not_used_are_given_back() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    assert_eq!(table(&wire).return_slots(&hour(), 3, now()).await, Ok(()));
    let request = wire.only().json();
    assert_eq!(request["Key"], json!({"pk": s("cap#chat/llama#2026-11-24T05")}));
    assert_eq!(request["UpdateExpression"], "ADD taken :unused SET expires_at = :expiry");
    assert_eq!(request["ExpressionAttributeValues"], json!({":unused": n(-3), ":expiry": n(EXPIRY)}));
}

/// The answer when a reservation would pass the budget.
fn used_up(item: &Value) -> Reply {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": SECRET,
        "Item": item,
    });
    Reply::new(400, body.to_string())
}

fn spending(spent: i64, reserved: i64) -> Spending {
    Spending { spent: MicroUsd(spent), reserved: MicroUsd(reserved) }
}

async fn reserve(wire: &Wire, amount: i64) -> Result<Result<(), Spending>, Fault> {
    table(wire).reserve(date(2026, 11, 24), MicroUsd(amount), MicroUsd(100_000), now()).await
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_is_none_is_a_fault_that_lasts() {
    for counter in [s("12"), n("1.5")] {
        let wire = Wire::new([full(&counter)]);
        let fault = table(&wire).take_slots(&hour(), 5, 60, now()).await.unwrap_err();
        assert!(fault.code.contains("is not what Assay wrote") && !fault.is_transient(), "{fault}");
        let wire = Wire::new([used_up(&json!({"spent": counter}))]);
        assert!(reserve(&wire, 5).await.is_err());
    }
    assert!(reserve(&Wire::new([used_up(&json!({}))]), 5).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn money_is_reserved_within_the_budget_only() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    assert_eq!(reserve(&wire, 8_400).await, Ok(Ok(())));
    let request = wire.only().json();
    assert_eq!(request["Key"], json!({"pk": s("budget#2026-11-24")}));
    assert_eq!(request["ConditionExpression"], "attribute_not_exists(#spent) OR #spent <= :room");
    assert_eq!(request["ExpressionAttributeNames"], json!({"#spent": "spent", "#reserved": "reserved"}));
    let change = json!({":spent": n(8_400), ":reserved": n(8_400), ":room": n(91_600), ":expiry": n(EXPIRY)});
    assert_eq!(request["ExpressionAttributeValues"], change);

    for (item, used_for) in [
        (json!({"spent": n(95_000), "reserved": n(40_000)}), spending(95_000, 40_000)),
        // As an earlier release wrote it.
        (json!({"spent": n(95_000)}), spending(95_000, 0)),
    ] {
        assert_eq!(reserve(&Wire::new([used_up(&item)]), 8_400).await, Ok(Err(used_for)));
    }
    let wire = Wire::new([]);
    assert_eq!(reserve(&wire, 100_001).await, Ok(Err(spending(0, 0))));
    assert!(wire.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_calls_have_left_of_their_reservation_is_given_back() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    assert_eq!(table(&wire).settle(date(2026, 11, 24), spending(-400, -8_400), now()).await, Ok(()));
    let request = wire.only().json();
    assert_eq!(request["ConditionExpression"], Value::Null);
    let change = json!({":spent": n(-400), ":reserved": n(-8_400), ":expiry": n(EXPIRY)});
    assert_eq!(request["ExpressionAttributeValues"], change);
}

#[tokio::test(start_paused = true)]
async fn only_the_first_notes_an_exhausted_budget() {
    let replies = [
        (json!({}), true),
        (json!({"Attributes": {}}), true),
        (json!({"Attributes": {"is_noted": {"BOOL": true}}}), false),
    ];
    for (reply, is_first) in replies {
        let wire = Wire::new([Reply::json(&reply)]);
        assert_eq!(table(&wire).first_to_note_exhaustion(date(2026, 11, 24)).await, Ok(is_first));
        assert_eq!(wire.only().json()["ReturnValues"], "UPDATED_OLD");
    }
}
