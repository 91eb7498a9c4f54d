use super::*;

const FREE: &str = "(attribute_not_exists(lease_until) OR lease_until < :now OR lease_owner = :owner)";
const TARGET: &str = "DynamoDB_20120810.UpdateItem";

fn object() -> ObjectId {
    ObjectId { bucket: "bucket".to_owned(), key: "chat/a b.jsonl".to_owned() }
}

fn until() -> Timestamp {
    Timestamp::from_second(1_000_000_300).unwrap()
}

async fn lease(wire: &Wire, etag: Option<&str>) -> Result<Lease, LeaseRefused> {
    table(wire).lease(object(), etag, "me", now(), until()).await
}

fn stored(is_done: bool) -> Value {
    json!({
        "pk": s("object#bucket/chat/a b.jsonl"),
        "lease_owner": s("another"), "lease_until": n(1_000_000_200),
        "etag": s("e1"), "lines_read": n(40), "unresolved": s("7,39"), "checkpoints": n(2),
        "is_done": {"BOOL": is_done}, "expires_at": n(EXPIRY),
    })
}

fn progress() -> Progress {
    Progress {
        etag: "e1".to_owned(),
        lines_read: 40,
        unresolved: [7, 39].into(),
        checkpoints: 2,
        is_done: false,
    }
}

fn refused(item: &Value) -> Reply {
    let body = json!({"__type": "ConditionalCheckFailedException", "message": SECRET, "Item": item});
    Reply::new(400, body.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_fresh_object_is_taken_on_condition_that_nobody_has_it() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    let taken = lease(&wire, Some("e1")).await.unwrap();
    assert_eq!(taken, Lease { object: object(), owner: "me".to_owned(), progress: None });
    let sent = wire.only();
    assert_eq!(sent.header("x-amz-target"), Some(TARGET));
    let condition =
        format!("{FREE} AND (attribute_not_exists(is_done) OR is_done = :false OR etag <> :etag)");
    assert_eq!(
        sent.json(),
        json!({
            "TableName": "state",
            "Key": {"pk": s("object#bucket/chat/a b.jsonl")},
            "UpdateExpression": "SET lease_owner = :owner, lease_until = :until, expires_at = :expiry",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":owner": s("me"), ":now": n(1_000_000_000), ":until": n(1_000_000_300),
                ":expiry": n(EXPIRY), ":etag": s("e1"), ":false": {"BOOL": false},
            },
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_without_a_version_asks_only_for_a_free_object() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    lease(&wire, None).await.unwrap();
    let request = wire.only().json();
    assert_eq!(request["ConditionExpression"], FREE);
    let values: Vec<&String> = request["ExpressionAttributeValues"].as_object().unwrap().keys().collect();
    assert_eq!(values, [":expiry", ":now", ":owner", ":until"]);
}

#[tokio::test(start_paused = true)]
async fn an_expired_lease_leaves_its_progress_whichever_version_it_was() {
    for etag in ["e1", "e2"] {
        let wire = Wire::new([Reply::json(&json!({"Attributes": stored(false)}))]);
        assert_eq!(lease(&wire, Some(etag)).await.unwrap().progress, Some(progress()));
    }
    // A worker that died before its first checkpoint leaves a lease and no progress.
    let wire = Wire::new([Reply::json(&json!({"Attributes": {"lease_owner": s("x"), "lease_until": n(1)}}))]);
    assert_eq!(lease(&wire, Some("e1")).await.unwrap().progress, None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_why() {
    let held = || LeaseRefused::Held(Timestamp::from_second(1_000_000_200).unwrap());
    let table = [
        (stored(false), Some("e1"), held()),
        (stored(true), Some("e1"), LeaseRefused::Done),
        // Done is the version before; another worker reads this one.
        (stored(true), Some("e2"), held()),
        (stored(true), None, held()),
        (json!({"lease_until": n(1_000_000_200)}), Some("e1"), held()),
    ];
    for (item, etag, refusal) in table {
        let wire = Wire::new([refused(&item)]);
        assert_eq!(lease(&wire, etag).await.unwrap_err(), refusal, "{item} {etag:?}");
        assert_eq!(wire.sent().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_progress_is_a_fault_not_a_fresh_start() {
    for (name, value) in [
        ("lines_read", s("40")),
        ("lines_read", n(-1)),
        ("unresolved", s("7,x")),
        ("unresolved", s(",7")),
        ("unresolved", n(7)),
        ("checkpoints", Value::Null),
        ("is_done", s("true")),
        ("etag", n(1)),
    ] {
        let mut item = stored(false);
        match value {
            Value::Null => drop(item.as_object_mut().unwrap().remove(name)),
            value => item[name] = value,
        }
        for reply in [Reply::json(&json!({"Attributes": item})), refused(&item)] {
            let refusal = lease(&Wire::new([reply]), Some("e1")).await.unwrap_err();
            let LeaseRefused::Failed(fault) = refusal else { panic!("{name}: {refusal}") };
            assert_eq!(fault.code, "the state table's progress is not what Assay wrote");
            assert!(!fault.is_transient());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_table_is_no_refusal() {
    let wire = Wire::new([throttled()]);
    let LeaseRefused::Failed(fault) = lease(&wire, None).await.unwrap_err() else { panic!() };
    assert!(fault.is_transient() && !format!("{fault:?}").contains(SECRET), "{fault}");
    // The SDK's own tries are spent.
    assert_eq!(wire.sent().len(), 3);
}

async fn save(progress: &Progress, release: bool) -> Value {
    let wire = Wire::new([Reply::json(&json!({}))]);
    let lease = Lease { object: object(), owner: "me".to_owned(), progress: None };
    table(&wire).save_progress(&lease, progress, release, now()).await.unwrap();
    wire.only().json()
}

#[tokio::test(start_paused = true)]
async fn progress_is_saved_by_the_owner_who_keeps_or_gives_up_the_lease() {
    let set = "SET etag = :etag, lines_read = :read, unresolved = :unresolved, checkpoints = :checkpoints, \
               is_done = :done, expires_at = :expiry";
    for (release, set) in [(false, set.to_owned()), (true, format!("{set}, lease_until = :zero"))] {
        let mut values = json!({
            ":owner": s("me"), ":etag": s("e1"), ":read": n(40), ":unresolved": s("7,39"),
            ":checkpoints": n(2), ":done": {"BOOL": false}, ":expiry": n(EXPIRY),
        });
        // DynamoDB refuses a value that no expression uses.
        if release {
            values[":zero"] = n(0);
        }
        assert_eq!(
            save(&progress(), release).await,
            json!({
                "TableName": "state",
                "Key": {"pk": s("object#bucket/chat/a b.jsonl")},
                "UpdateExpression": set,
                "ConditionExpression": "lease_owner = :owner",
                "ExpressionAttributeValues": values,
            })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn progress_comes_back_as_it_was_saved() {
    for progress in [
        progress(),
        Progress { etag: "e".to_owned(), is_done: true, ..Progress::default() },
        Progress { lines_read: 1 << 53, unresolved: (1..=1000).collect(), ..progress() },
    ] {
        let values = save(&progress, true).await["ExpressionAttributeValues"].clone();
        let item = json!({
            "etag": values[":etag"], "lines_read": values[":read"], "unresolved": values[":unresolved"],
            "checkpoints": values[":checkpoints"], "is_done": values[":done"],
        });
        let wire = Wire::new([Reply::json(&json!({"Attributes": item}))]);
        assert_eq!(lease(&wire, Some("e")).await.unwrap().progress, Some(progress));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_is_noticed() {
    let lost = Lease { object: object(), owner: "me".to_owned(), progress: None };
    let wire = Wire::new([refused(&stored(false))]);
    let fault = table(&wire).save_progress(&lost, &progress(), false, now()).await.unwrap_err();
    assert_eq!((fault.code.as_str(), fault.is_transient()), ("ConditionalCheckFailedException", false));
    assert_eq!(table(&wire).release(&lost).await.unwrap_err(), fault);
}

#[tokio::test(start_paused = true)]
async fn a_release_changes_nothing_else() {
    let wire = Wire::new([Reply::json(&json!({}))]);
    let held = Lease { object: object(), owner: "me".to_owned(), progress: Some(progress()) };
    table(&wire).release(&held).await.unwrap();
    assert_eq!(
        wire.only().json(),
        json!({
            "TableName": "state",
            "Key": {"pk": s("object#bucket/chat/a b.jsonl")},
            "UpdateExpression": "SET lease_until = :zero",
            "ConditionExpression": "lease_owner = :owner",
            "ExpressionAttributeValues": {":owner": s("me"), ":zero": n(0)},
        })
    );
}
