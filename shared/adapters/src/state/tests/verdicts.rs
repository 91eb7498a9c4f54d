use std::collections::BTreeSet;

use super::*;

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("id{id:03}")).collect()
}

fn item(id: &str) -> Value {
    json!({"pk": s(format!("verdict#{id}")), "source": s("bucket/key@e1"), "verdict": s(format!("line of {id}"))})
}

fn key(id: &str) -> Value {
    json!({"pk": s(format!("verdict#{id}"))})
}

fn keys(ids: &[String]) -> Value {
    ids.iter().map(|id| key(id)).collect()
}

fn found(items: &[Value]) -> Reply {
    Reply::json(&json!({"Responses": {"state": items}, "UnprocessedKeys": {}}))
}

fn found_partly(items: &[Value], rest: &Value) -> Reply {
    let rest = json!({"state": {"Keys": rest, "ConsistentRead": true}});
    Reply::json(&json!({"Responses": {"state": items}, "UnprocessedKeys": rest}))
}

fn known_ids(known: &HashMap<String, KnownVerdict>) -> BTreeSet<&str> {
    known.keys().map(String::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn no_ids_cost_no_call() {
    let wire = Wire::new([]);
    assert_eq!(table(&wire).known_verdicts(&[]).await, Ok(HashMap::new()));
    assert_eq!(table(&wire).remember_verdicts("source", &[], now()).await, Ok(()));
    assert!(wire.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn known_verdicts_are_read_consistently_a_hundred_at_a_time() {
    let wire = Wire::new([found(&[item("id000"), item("id099")]), found(&[]), found(&[item("id200")])]);
    let ids = ids(201);
    let known = table(&wire).known_verdicts(&ids).await.unwrap();
    assert_eq!(known_ids(&known), ["id000", "id200", "id099"].into());
    let verdict = KnownVerdict { source: "bucket/key@e1".to_owned(), line: "line of id000".to_owned() };
    assert_eq!(known["id000"], verdict);
    let sent = wire.sent();
    assert_eq!(sent.len(), 3);
    for (request, ids) in sent.iter().zip(ids.chunks(100)) {
        assert_eq!(request.header("x-amz-target"), Some("DynamoDB_20120810.BatchGetItem"));
        let wanted = json!({"state": {"Keys": keys(ids), "ConsistentRead": true}});
        assert_eq!(request.json(), json!({"RequestItems": wanted}));
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_asked_for_twice_is_read_once() {
    let wire = Wire::new([found(&[item("a")])]);
    let twice = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
    table(&wire).known_verdicts(&twice).await.unwrap();
    // DynamoDB refuses a batch that names a key twice.
    assert_eq!(wire.only().json()["RequestItems"]["state"]["Keys"], json!([key("a"), key("b")]));
}

#[tokio::test(start_paused = true)]
async fn keys_left_over_are_asked_for_again() {
    let rest = keys(&["id001".to_owned()]);
    let wire = Wire::new([found_partly(&[item("id000")], &rest), found(&[item("id001")])]);
    let known = table(&wire).known_verdicts(&ids(2)).await.unwrap();
    assert_eq!(known_ids(&known), ["id000", "id001"].into());
    let wanted = json!({"state": {"Keys": rest, "ConsistentRead": true}});
    assert_eq!(wire.sent()[1].json(), json!({"RequestItems": wanted}));
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_is_none_is_a_fault() {
    for (name, value) in [("verdict", n(1)), ("source", Value::Null), ("pk", n(1))] {
        let mut item = item("id000");
        match value {
            Value::Null => drop(item.as_object_mut().unwrap().remove(name)),
            value => item[name] = value,
        }
        let fault = table(&Wire::new([found(&[item])])).known_verdicts(&ids(1)).await.unwrap_err();
        assert_eq!(fault.code, "the state table's verdict is not what Assay wrote");
    }
}

fn verdicts(count: usize) -> Vec<(String, String)> {
    ids(count).into_iter().map(|id| (id.clone(), format!("line of {id}"))).collect()
}

fn put(id: &str) -> Value {
    let mut item = item(id);
    item["expires_at"] = n(EXPIRY);
    json!({"PutRequest": {"Item": item}})
}

#[tokio::test(start_paused = true)]
async fn verdicts_are_written_twenty_five_at_a_time() {
    let wire = Wire::new([Reply::json(&json!({"UnprocessedItems": {}}))]);
    table(&wire).remember_verdicts("bucket/key@e1", &verdicts(51), now()).await.unwrap();
    let sent = wire.sent();
    assert_eq!(sent.len(), 3);
    for (request, ids) in sent.iter().zip(ids(51).chunks(25)) {
        assert_eq!(request.header("x-amz-target"), Some("DynamoDB_20120810.BatchWriteItem"));
        let puts: Vec<Value> = ids.iter().map(|id| put(id)).collect();
        assert_eq!(request.json(), json!({"RequestItems": {"state": puts}}));
    }
}

#[tokio::test(start_paused = true)]
async fn items_left_over_are_written_again() {
    let rest = json!({"state": [put("id001")]});
    let wire = Wire::new([
        Reply::json(&json!({"UnprocessedItems": rest})),
        Reply::json(&json!({"UnprocessedItems": {}})),
    ]);
    table(&wire).remember_verdicts("bucket/key@e1", &verdicts(2), now()).await.unwrap();
    let sent = wire.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].json(), json!({"RequestItems": rest}));
}

#[tokio::test(start_paused = true)]
async fn left_overs_without_end_are_a_throttle() {
    let started = tokio::time::Instant::now();
    let reading = Wire::new([found_partly(&[], &keys(&ids(1)))]);
    let read = table(&reading).known_verdicts(&ids(1)).await.unwrap_err();
    let writing = Wire::new([Reply::json(&json!({"UnprocessedItems": {"state": [put("id000")]}}))]);
    let written = table(&writing).remember_verdicts("source", &verdicts(1), now()).await.unwrap_err();
    for (fault, wire) in [(read, reading), (written, writing)] {
        assert_eq!((fault.code.as_str(), fault.is_transient()), ("ThrottlingException", true));
        assert_eq!(wire.sent().len(), 7);
    }
    let waited = started.elapsed().as_secs_f64();
    assert!((2.0..8.0).contains(&waited), "{waited} s: six growing pauses each");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_table_is_tried_three_times() {
    let wire = Wire::new([throttled()]);
    let fault = table(&wire).known_verdicts(&ids(1)).await.unwrap_err();
    assert_eq!(wire.sent().len(), 3);
    assert_eq!(fault.to_string(), "BatchGetItem failed: ProvisionedThroughputExceededException (HTTP 400)");
    assert!(fault.is_transient() && !format!("{fault:?}").contains(SECRET));
    let wire = Wire::new([throttled(), Reply::Reset, found(&[item("id000")])]);
    assert_eq!(table(&wire).known_verdicts(&ids(1)).await.unwrap().len(), 1);
}
