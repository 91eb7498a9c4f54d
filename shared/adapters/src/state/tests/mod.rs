use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::wire::{Reply, SECRET, Wire};

mod allowance;
mod documents;
mod lease;
mod pace;
mod record;
mod verdicts;
mod worst;

fn table(wire: &Wire) -> StateTable {
    StateTable::new(&wire.config(), "state")
}

fn now() -> Timestamp {
    Timestamp::from_second(1_000_000_000).unwrap()
}

/// 30 days later.
const EXPIRY: &str = "1002592000";

fn s(text: impl Into<String>) -> Value {
    json!({"S": text.into()})
}

fn n(number: impl ToString + Copy) -> Value {
    json!({"N": number.to_string()})
}

/// DynamoDB throttles with status 400.
fn throttled() -> Reply {
    Reply::error(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
}
