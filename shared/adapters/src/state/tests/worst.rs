use std::collections::BTreeSet;

use domain::alert::notice::WorstAnswer;
use domain::names::ComponentName;
use domain::rubric::Score;

use super::*;

fn component() -> ComponentName {
    "qwen-7b".parse().unwrap()
}

fn answer(minute: i64, score: f64) -> WorstAnswer {
    WorstAnswer {
        verdict_id: "0".repeat(32).try_into().unwrap(),
        event_id: "e".to_owned(),
        at: now() + jiff::SignedDuration::from_mins(minute),
        dimension: "safety".parse().unwrap(),
        score: Score::new(score).unwrap(),
        reason: "It tells how.".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_replaces_a_better_one_only() {
    let refused = Reply::error(400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException");
    let wire = Wire::new([Reply::json(&json!({})), refused, throttled()]);
    let table = table(&wire);
    for _ in 0..2 {
        table.note_worst(&component(), &answer(0, 0.2), now()).await.unwrap();
    }
    assert!(table.note_worst(&component(), &answer(0, 0.2), now()).await.unwrap_err().is_transient());
    let sent = wire.sent()[0].json();
    assert_eq!(sent["ConditionExpression"], "attribute_not_exists(score) OR score > :score");
    assert_eq!(sent["ExpressionAttributeValues"][":score"], n("0.2"));
    // 01:46:40 belongs to the ten minutes from 01:40.
    assert_eq!(sent["Key"], json!({"pk": s("worst#qwen-7b#2001-09-09T01:40")}));
}

#[tokio::test(start_paused = true)]
async fn the_worst_of_a_time_come_first() {
    let item = |minute, score: f64| {
        let answer = serde_json::to_string(&answer(minute, score)).unwrap();
        json!({"pk": s(format!("worst#qwen-7b#{minute}")), "answer": s(answer), "score": n(score)})
    };
    let items = [item(-20, 0.4), item(-10, 0.0), item(0, 0.4)];
    let wire = Wire::new([Reply::json(&json!({"Responses": {"state": items}, "UnprocessedKeys": {}}))]);
    let since = now() - jiff::SignedDuration::from_mins(20);
    let components = BTreeSet::from([component()]);
    let found = table(&wire).worst_answers(&components, since, now()).await.unwrap();
    let expected = [answer(-10, 0.0), answer(0, 0.4), answer(-20, 0.4)];
    assert_eq!(found, expected.map(|answer| (component(), answer)));
    let keys = wire.only().json()["RequestItems"]["state"]["Keys"].clone();
    let times = ["01:20", "01:30", "01:40"];
    assert_eq!(keys, json!(times.map(|time| json!({"pk": s(format!("worst#qwen-7b#2001-09-09T{time}"))}))));
}
