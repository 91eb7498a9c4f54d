//! Records with a version: what several invocations change in turns. Each reads, decides, and
//! writes only if nobody else has written since.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{Item, StateTable, malformed, number, number_of, text, text_of};
use crate::Fault;

/// What a record is about. Makes the hash key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(String);

impl RecordKey {
    /// The lifecycle of one alert: `alert#<key>`.
    pub fn alert(key: &str) -> Self {
        Self(format!("alert#{key}"))
    }

    /// The alerts that are open on one component or endpoint: `scope#<scope>`.
    pub fn scope(scope: &str) -> Self {
        Self(format!("scope#{scope}"))
    }

    /// A storm on one route: `storm#<route>`.
    pub fn storm(route: &str) -> Self {
        Self(format!("storm#{route}"))
    }
}

/// A record as it was read, to be replaced by exactly who read it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The record.
    pub value: T,
    /// Counts the writes.
    pub version: i64,
}

/// Why a record was not written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotWritten {
    /// Another invocation has written since: read again, decide again.
    #[error("another invocation has written the record")]
    Conflict,
    /// DynamoDB failed.
    #[error(transparent)]
    Failed(#[from] Fault),
}

impl StateTable {
    /// The record as it is now, with all that was written before the call; `None` when there is
    /// none, or when it has expired and is only not deleted yet.
    ///
    /// # Errors
    /// Also when the record is not what this version of Assay writes: to guess would send
    /// everything again, or nothing.
    pub async fn record<T: DeserializeOwned>(
        &self,
        key: &RecordKey,
        now: Timestamp,
    ) -> Result<Option<Versioned<T>>, Fault> {
        let request = self.client.get_item().table_name(&self.table).key("pk", text(&key.0));
        let answer = request.consistent_read(true).send().await;
        let answer = answer.map_err(|error| Fault::of("GetItem", &error))?;
        let Some(item) = answer.item() else { return Ok(None) };
        let read = versioned(item).ok_or_else(|| malformed("GetItem", "record"))?;
        Ok(Some(read).filter(|_| !is_over(item, now)))
    }

    /// Writes a record in place of `replaces`, and keeps it for `kept` after this. Answers its
    /// version.
    pub async fn put_record<T: Serialize>(
        &self,
        key: &RecordKey,
        value: &T,
        replaces: Option<i64>,
        now: Timestamp,
        kept: SignedDuration,
    ) -> Result<i64, NotWritten> {
        let version = replaces.unwrap_or_default() + 1;
        let record = serde_json::to_string(value).map_err(|_| malformed("PutItem", "record"))?;
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(&key.0))
            .item("version", number(version))
            .item("record", text(record))
            .item("expires_at", number((now + kept).as_second()));
        let request = match replaces {
            // One that has expired is as good as gone, also while DynamoDB has not deleted it.
            None => request
                .condition_expression("attribute_not_exists(pk) OR expires_at < :now")
                .expression_attribute_values(":now", number(now.as_second())),
            Some(version) => request
                .condition_expression("version = :replaced")
                .expression_attribute_values(":replaced", number(version)),
        };
        match request.send().await {
            Ok(_) => Ok(version),
            Err(error) => Err(match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => NotWritten::Conflict,
                _ => NotWritten::Failed(Fault::of("PutItem", &error)),
            }),
        }
    }
}

fn versioned<T: DeserializeOwned>(item: &Item) -> Option<Versioned<T>> {
    let value = serde_json::from_str(text_of(item, "record")?).ok()?;
    Some(Versioned { value, version: number_of(item, "version")? })
}

fn is_over(item: &Item, now: Timestamp) -> bool {
    number_of(item, "expires_at").is_some_and(|expires_at| expires_at < now.as_second())
}
