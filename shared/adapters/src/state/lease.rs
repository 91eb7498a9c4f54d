//! One worker at a time on an object, and a place to go on from.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use thiserror::Error;

use super::{Item, StateTable, expiry, malformed, number, number_of, text, text_of};
use crate::Fault;

/// An S3 object, whatever its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Its bucket.
    pub bucket: String,
    /// Its key, decoded.
    pub key: String,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket, self.key)
    }
}

/// How far the work on one version of an object got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The version, by its entity tag.
    pub etag: String,
    /// Lines that were read; the next one is `lines_read + 1`.
    pub lines_read: u64,
    /// Lines among them whose samples still wait for a verdict. Nothing of them was published.
    pub unresolved: BTreeSet<u64>,
    /// How often progress was saved: names the next verdict file.
    pub checkpoints: u64,
    /// Whether all of it is published.
    pub is_done: bool,
}

/// The right to work on an object until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The object.
    pub object: ObjectId,
    /// Who holds the lease: the invocation's request id.
    pub owner: String,
    /// What an earlier worker left, of whichever version it read.
    pub progress: Option<Progress>,
}

/// Why an object is not to be worked on now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeaseRefused {
    /// This version was read to its end before: the event is a duplicate.
    #[error("this version of the object was judged before")]
    Done,
    /// Another invocation works on it.
    #[error("another invocation works on the object until {0}")]
    Held(Timestamp),
    /// DynamoDB failed.
    #[error(transparent)]
    Failed(#[from] Fault),
}

impl StateTable {
    /// Takes the object for `owner` until `until`, unless another worker has it or the version
    /// `etag` is done. An expired lease is anybody's.
    pub async fn lease(
        &self,
        object: ObjectId,
        etag: Option<&str>,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, LeaseRefused> {
        let free = "(attribute_not_exists(lease_until) OR lease_until < :now OR lease_owner = :owner)";
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("object#{object}")))
            .update_expression("SET lease_owner = :owner, lease_until = :until, expires_at = :expiry")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":until", number(until.as_second()))
            .expression_attribute_values(":expiry", expiry(now))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match etag {
            None => request.condition_expression(free),
            Some(etag) => request
                .condition_expression(format!(
                    "{free} AND (attribute_not_exists(is_done) OR is_done = :false OR etag <> :etag)"
                ))
                .expression_attribute_values(":etag", text(etag))
                .expression_attribute_values(":false", AttributeValue::Bool(false)),
        };
        match request.send().await {
            Ok(answer) => {
                let progress = answer.attributes().map(progress_of).transpose()?.flatten();
                Ok(Lease { object, owner: owner.to_owned(), progress })
            }
            Err(error) => {
                let refused = error.as_service_error().and_then(|error| match error {
                    UpdateItemError::ConditionalCheckFailedException(refused) => {
                        Some(refused.item().cloned().unwrap_or_default())
                    }
                    _ => None,
                });
                Err(match refused {
                    Some(item) => refusal(&item, etag),
                    None => LeaseRefused::Failed(Fault::of("UpdateItem", &error)),
                })
            }
        }
    }

    /// Stores how far the work got, and keeps the lease or, with `release`, gives it up.
    ///
    /// # Errors
    /// A fault with code `ConditionalCheckFailedException` when the lease was lost to another
    /// worker: that worker's progress is kept.
    pub async fn save_progress(
        &self,
        lease: &Lease,
        progress: &Progress,
        release: bool,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let lines: Vec<String> = progress.unresolved.iter().map(u64::to_string).collect();
        let releasing = if release { ", lease_until = :zero" } else { "" };
        let set = format!(
            "SET etag = :etag, lines_read = :read, unresolved = :unresolved, checkpoints = :checkpoints, \
             is_done = :done, expires_at = :expiry{releasing}"
        );
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("object#{}", lease.object)))
            .update_expression(set)
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":etag", text(&progress.etag))
            .expression_attribute_values(":read", number(progress.lines_read))
            .expression_attribute_values(":unresolved", text(lines.join(",")))
            .expression_attribute_values(":checkpoints", number(progress.checkpoints))
            .expression_attribute_values(":done", AttributeValue::Bool(progress.is_done))
            .expression_attribute_values(":expiry", expiry(now));
        let request = if release { request.expression_attribute_values(":zero", number(0)) } else { request };
        request.send().await.map(drop).map_err(|error| Fault::of("UpdateItem", &error))
    }

    /// Gives the object up without having done anything to it.
    pub async fn release(&self, lease: &Lease) -> Result<(), Fault> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("object#{}", lease.object)))
            .update_expression("SET lease_until = :zero")
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":zero", number(0));
        request.send().await.map(drop).map_err(|error| Fault::of("UpdateItem", &error))
    }
}

/// The progress in an item; `None` when it holds only a lease. An item that is half one is a fault:
/// guessing would count lines twice, or never.
fn progress_of(item: &Item) -> Result<Option<Progress>, Fault> {
    if !item.contains_key("etag") {
        return Ok(None);
    }
    let count = |name| number_of(item, name).and_then(|number| u64::try_from(number).ok());
    let lines = |text: &str| -> Option<BTreeSet<u64>> {
        text.split_terminator(',').map(|line| line.parse().ok()).collect()
    };
    let read = || {
        Some(Progress {
            etag: text_of(item, "etag")?.to_owned(),
            lines_read: count("lines_read")?,
            unresolved: lines(text_of(item, "unresolved")?)?,
            checkpoints: count("checkpoints")?,
            is_done: *item.get("is_done")?.as_bool().ok()?,
        })
    };
    read().map(Some).ok_or_else(|| malformed("UpdateItem", "progress"))
}

/// Reads from the item that stood in the way why it did.
fn refusal(item: &Item, etag: Option<&str>) -> LeaseRefused {
    match progress_of(item) {
        Err(fault) => LeaseRefused::Failed(fault),
        Ok(Some(progress)) if progress.is_done && Some(progress.etag.as_str()) == etag => LeaseRefused::Done,
        _ => {
            let until = number_of(item, "lease_until").and_then(|second| Timestamp::from_second(second).ok());
            LeaseRefused::Held(until.unwrap_or(Timestamp::UNIX_EPOCH))
        }
    }
}
