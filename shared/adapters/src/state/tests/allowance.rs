use domain::money::MicroUsd;
use jiff::civil::date;

use super::*;

async fn take_slots(reply: Reply, wanted: u32) -> (Result<u32, Fault>, Wire) {
    let wire = Wire::new([reply]);
    let hour: Timestamp = "2026-11-24T05:59:59Z".parse().unwrap();
    let taken = table(&wire)
        .take_slots(&"chat".parse().unwrap(), &"llama".parse().unwrap(), hour, wanted, now())
        .await;
    (taken, wire)
}

#[tokio::test(start_paused = true)]
async fn slots_are_taken_by_one_addition() {
    let (before, wire) = take_slots(Reply::json(&json!({"Attributes": {"taken": n(12)}})), 5).await;
    assert_eq!(before, Ok(7));
    let sent = wire.only();
    assert_eq!(sent.header("x-amz-target"), Some("DynamoDB_20120810.UpdateItem"));
    assert_eq!(
        sent.json(),
        json!({
            "TableName": "state",
            "Key": {"pk": s("cap#chat/llama#2026-11-24T05")},
            "UpdateExpression": "ADD #counter :amount SET expires_at = :expiry",
            "ExpressionAttributeNames": {"#counter": "taken"},
            "ExpressionAttributeValues": {":amount": n(5), ":expiry": n(EXPIRY)},
            "ReturnValues": "UPDATED_NEW",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_is_none_is_a_fault_that_lasts() {
    for attributes in
        [json!({}), json!({"taken": s("12")}), json!({"taken": n("1.5")}), json!({"taken": n(3)})]
    {
        let reply = Reply::json(&json!({"Attributes": attributes}));
        let fault = take_slots(reply, 5).await.0.unwrap_err();
        assert!(fault.code.contains("is not what Assay wrote") && !fault.is_transient(), "{fault}");
    }
    assert!(take_slots(Reply::json(&json!({})), 5).await.0.is_err());
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
