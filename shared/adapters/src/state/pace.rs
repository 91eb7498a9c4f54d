//! A common pace of concurrent invocations: a token bucket that is one number, the moment at which
//! it is full again (the generic cell rate algorithm, ITU-T I.371, annex A).

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use thiserror::Error;

use super::{Item, StateTable, expiry, malformed, number, number_of, text};
use crate::Fault;

/// How often an invocation meets another one between its two calls before it gives up.
const TRIES: u32 = 4;

/// How many calls a service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// One call for each of these.
    pub interval: Duration,
    /// So many at once after a rest; at least 1.
    pub burst: u32,
}

/// Why nothing may be sent now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoTurn {
    /// The next turn is further away than the caller waits. Nothing was taken.
    #[error("the next turn is in {} ms", .0.as_millis())]
    In(Duration),
    /// DynamoDB failed.
    #[error(transparent)]
    Failed(#[from] Fault),
}

impl StateTable {
    /// Takes a turn of `subject`, and answers how long to wait for it: at most `patience`.
    pub async fn take_turn(
        &self,
        subject: &str,
        pace: Pace,
        now: Timestamp,
        patience: Duration,
    ) -> Result<Duration, NoTurn> {
        let interval = millis(pace.interval);
        let leeway = interval.saturating_mul(i64::from(pace.burst.max(1) - 1));
        let now_ms = now.as_millisecond();
        for _ in 0..TRIES {
            let full_at =
                match self.move_on(subject, interval, now, now_ms + leeway + millis(patience)).await? {
                    Moved::To(full_at) => full_at,
                    Moved::Busy(full_at) => return Err(NoTurn::In(wait(full_at - leeway - now_ms))),
                    Moved::Rested => match self.start_at(subject, now_ms + interval, now).await? {
                        Some(full_at) => full_at,
                        // Another invocation has started it in between.
                        None => continue,
                    },
                };
            return Ok(wait(full_at - interval - leeway - now_ms));
        }
        Err(NoTurn::In(pace.interval))
    }

    /// Keeps everybody from taking a turn for `pause`, as a service asked for.
    pub async fn hold_turns(
        &self,
        subject: &str,
        pace: Pace,
        now: Timestamp,
        pause: Duration,
    ) -> Result<(), Fault> {
        let leeway = millis(pace.interval).saturating_mul(i64::from(pace.burst.max(1) - 1));
        let full_at = now.as_millisecond() + leeway + millis(pause);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("pace#{subject}")))
            .update_expression("SET full_at = :full, expires_at = :expiry")
            .condition_expression("attribute_not_exists(full_at) OR full_at < :full")
            .expression_attribute_values(":full", number(full_at))
            .expression_attribute_values(":expiry", expiry(now));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // It is held for longer already.
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(Fault::of("UpdateItem", &error)),
            },
        }
    }

    /// Moves a bucket that is not full by one interval, unless it is emptied beyond `latest`.
    async fn move_on(
        &self,
        subject: &str,
        interval: i64,
        now: Timestamp,
        latest: i64,
    ) -> Result<Moved, Fault> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("pace#{subject}")))
            .update_expression("SET full_at = full_at + :interval, expires_at = :expiry")
            .condition_expression("full_at >= :now AND full_at <= :latest")
            .expression_attribute_values(":interval", number(interval))
            .expression_attribute_values(":expiry", expiry(now))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":latest", number(latest))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(answer) => {
                full_at(answer.attributes()).map(Moved::To).ok_or_else(|| malformed("UpdateItem", "pace"))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(match full_at(failed.item()) {
                        Some(full_at) if full_at > latest => Moved::Busy(full_at),
                        _ => Moved::Rested,
                    })
                }
                _ => Err(Fault::of("UpdateItem", &error)),
            },
        }
    }

    /// Starts a bucket that is full, unless another invocation has.
    async fn start_at(&self, subject: &str, full_at: i64, now: Timestamp) -> Result<Option<i64>, Fault> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("pace#{subject}")))
            .update_expression("SET full_at = :full, expires_at = :expiry")
            .condition_expression("attribute_not_exists(full_at) OR full_at < :now")
            .expression_attribute_values(":full", number(full_at))
            .expression_attribute_values(":expiry", expiry(now))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        match request.send().await {
            Ok(_) => Ok(Some(full_at)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(Fault::of("UpdateItem", &error)),
            },
        }
    }
}

/// What became of a bucket.
enum Moved {
    /// It is full again then.
    To(i64),
    /// It is so empty that nobody may wait; full again then.
    Busy(i64),
    /// It is full, or there is none.
    Rested,
}

fn full_at(item: Option<&Item>) -> Option<i64> {
    number_of(item?, "full_at")
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

fn wait(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
