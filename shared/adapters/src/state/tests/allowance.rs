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
    let wire = Wire::new([Reply::json(&json!({"Attributes": {"taken": n(57)}}))]);
    assert_eq!(table(&wire).return_slots(&hour(), 3, now()).await, Ok(()));
    let request = wire.only().json();
    assert_eq!(request["Key"], json!({"pk": s("cap#chat/llama#2026-11-24T05")}));
    assert_eq!(request["ExpressionAttributeNames"], json!({"#counter": "taken"}));
    assert_eq!(request["ExpressionAttributeValues"], json!({":amount": n(-3), ":expiry": n(EXPIRY)}));
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_is_none_is_a_fault_that_lasts() {
    for counter in [s("12"), n("1.5")] {
        let wire = Wire::new([full(&counter)]);
        let fault = table(&wire).take_slots(&hour(), 5, 60, now()).await.unwrap_err();
        assert!(fault.code.contains("is not what Assay wrote") && !fault.is_transient(), "{fault}");
        let wire = Wire::new([Reply::json(&json!({"Attributes": {"spent": counter}}))]);
        assert!(table(&wire).move_budget(date(2026, 11, 24), MicroUsd(5), now()).await.is_err());
    }
    let wire = Wire::new([Reply::json(&json!({}))]);
    assert!(table(&wire).move_budget(date(2026, 11, 24), MicroUsd(5), now()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_budget_moves_both_ways_and_says_what_it_was() {
    for (amount, after, before) in [(8_400, 108_400, 100_000), (-400, 99_600, 100_000), (5, 5, 0)] {
        let wire = Wire::new([Reply::json(&json!({"Attributes": {"spent": n(after)}}))]);
        let moved = table(&wire).move_budget(date(2026, 11, 24), MicroUsd(amount), now()).await;
        assert_eq!(moved, Ok(MicroUsd(before)));
        let request = wire.only().json();
        assert_eq!(request["Key"], json!({"pk": s("budget#2026-11-24")}));
        assert_eq!(request["ExpressionAttributeNames"], json!({"#counter": "spent"}));
        assert_eq!(request["ExpressionAttributeValues"], json!({":amount": n(amount), ":expiry": n(EXPIRY)}));
    }
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
