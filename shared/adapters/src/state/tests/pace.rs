use std::time::Duration;

use super::*;

/// One a second, three at once.
const PACE: Pace = Pace { interval: Duration::from_secs(1), burst: 3 };
const PATIENCE: Duration = Duration::from_secs(2);

fn moved(full_at: i64) -> Reply {
    Reply::json(&json!({"Attributes": {"full_at": n(full_at)}}))
}

fn stands_at(full_at: Option<i64>) -> Reply {
    let item = full_at.map_or(json!({}), |full_at| json!({"full_at": n(full_at)}));
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let body = json!({"__type": code, "message": SECRET, "Item": item});
    Reply::new(400, body.to_string()).header("x-amzn-errortype", code)
}

fn now_ms() -> i64 {
    now().as_millisecond()
}

async fn turn(replies: Vec<Reply>) -> (Result<Duration, NoTurn>, Vec<Value>) {
    let wire = Wire::new(replies);
    let turn = table(&wire).take_turn("slack", PACE, now(), PATIENCE).await;
    (turn, wire.sent().iter().map(crate::wire::Sent::json).collect())
}

#[tokio::test(start_paused = true)]
async fn the_first_goes_at_once() {
    for rested in [None, Some(now_ms() - 1)] {
        let (turn, sent) = turn(vec![stands_at(rested), Reply::json(&json!({}))]).await;
        assert_eq!(turn, Ok(Duration::ZERO));
        assert_eq!(sent[1]["ExpressionAttributeValues"][":full"], n(now_ms() + 1000));
        assert_eq!(sent[1]["ConditionExpression"], "attribute_not_exists(full_at) OR full_at < :now");
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_then_one_for_each_interval() {
    for (full_after, wait) in [(2_000, 0), (3_000, 0), (4_000, 1_000), (5_000, 2_000)] {
        let (turn, sent) = turn(vec![moved(now_ms() + full_after)]).await;
        assert_eq!(turn, Ok(Duration::from_millis(wait)), "{full_after}");
        let values = &sent[0]["ExpressionAttributeValues"];
        assert_eq!((&values[":interval"], &values[":latest"]), (&n(1000), &n(now_ms() + 4000)));
        assert_eq!(sent[0]["Key"], json!({"pk": s("pace#slack")}));
    }
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_takes_nothing_and_learns_when() {
    let (turn, sent) = turn(vec![stands_at(Some(now_ms() + 4_500))]).await;
    assert_eq!(turn, Err(NoTurn::In(Duration::from_millis(2_500))));
    assert_eq!(sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_that_start_it_together_both_get_a_turn() {
    let (turn, sent) = turn(vec![stands_at(None), stands_at(None), moved(now_ms() + 2_000)]).await;
    assert_eq!(turn, Ok(Duration::ZERO));
    assert_eq!(sent.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_asks_for_patience_gets_it_from_everybody() {
    let wire = Wire::new([Reply::json(&json!({})), stands_at(Some(now_ms() + 60_000))]);
    let table = table(&wire);
    for _ in 0..2 {
        table.hold_turns("slack", PACE, now(), Duration::from_secs(5)).await.unwrap();
    }
    let sent = wire.sent()[0].json();
    assert_eq!(sent["ExpressionAttributeValues"][":full"], n(now_ms() + 7_000));
    assert_eq!(sent["ConditionExpression"], "attribute_not_exists(full_at) OR full_at < :full");
}
