//! Finished verdicts by their id: what makes a retry free.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};
use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;

use super::{StateTable, expiry, malformed, text, text_of};
use crate::Fault;

/// Keys in one `BatchGetItem` and items in one `BatchWriteItem`.
const MOST_READ: usize = 100;
const MOST_WRITTEN: usize = 25;

/// A verdict that was stored before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVerdict {
    /// The object version that it came from, as the writer named it.
    pub source: String,
    /// The verdict as its JSON line.
    pub line: String,
}

impl StateTable {
    /// The stored verdicts among `ids`, by id. Costs one call for each 100.
    pub async fn known_verdicts(&self, ids: &[String]) -> Result<HashMap<String, KnownVerdict>, Fault> {
        let mut known = HashMap::new();
        // DynamoDB refuses a batch that names a key twice.
        let ids: Vec<&String> = ids.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for ids in ids.chunks(MOST_READ) {
            let keys = ids.iter().map(|id| HashMap::from([("pk".to_owned(), text(format!("verdict#{id}")))]));
            // The reader must see what the writer that crashed just before has written.
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true);
            let mut wanted = Some(wanted.build().map_err(|_| malformed("BatchGetItem", "request"))?);
            let mut pauses = pauses();
            while let Some(keys) = wanted.take() {
                let request = self.client.batch_get_item().request_items(&self.table, keys);
                let answer = request.send().await.map_err(|error| Fault::of("BatchGetItem", &error))?;
                for item in
                    answer.responses().and_then(|tables| tables.get(&self.table)).into_iter().flatten()
                {
                    let part = |name| text_of(item, name).map(str::to_owned);
                    let (Some(pk), Some(source), Some(line)) = (part("pk"), part("source"), part("verdict"))
                    else {
                        return Err(malformed("BatchGetItem", "verdict"));
                    };
                    let id = pk.strip_prefix("verdict#").unwrap_or(&pk).to_owned();
                    known.insert(id, KnownVerdict { source, line });
                }
                wanted = answer.unprocessed_keys().and_then(|tables| tables.get(&self.table)).cloned();
                pause_before_rest("BatchGetItem", wanted.is_some(), &mut pauses).await?;
            }
        }
        Ok(known)
    }

    /// Stores verdicts as `(id, JSON line)`. Costs one call for each 25. Writing one twice is
    /// harmless.
    pub async fn remember_verdicts(
        &self,
        source: &str,
        verdicts: &[(String, String)],
        now: Timestamp,
    ) -> Result<(), Fault> {
        for verdicts in verdicts.chunks(MOST_WRITTEN) {
            let put = |(id, line): &(String, String)| {
                let put = PutRequest::builder()
                    .item("pk", text(format!("verdict#{id}")))
                    .item("source", text(source))
                    .item("verdict", text(line))
                    .item("expires_at", expiry(now));
                let put = put.build().map_err(|_| malformed("BatchWriteItem", "request"))?;
                Ok(WriteRequest::builder().put_request(put).build())
            };
            let mut rest = verdicts.iter().map(put).collect::<Result<Vec<_>, Fault>>()?;
            let mut pauses = pauses();
            while !rest.is_empty() {
                let request = self.client.batch_write_item().request_items(&self.table, rest);
                let answer = request.send().await.map_err(|error| Fault::of("BatchWriteItem", &error))?;
                let unprocessed = answer.unprocessed_items().and_then(|tables| tables.get(&self.table));
                rest = unprocessed.cloned().unwrap_or_default();
                pause_before_rest("BatchWriteItem", !rest.is_empty(), &mut pauses).await?;
            }
        }
        Ok(())
    }
}

/// Pauses between the parts of a batch that DynamoDB did not get to; its API reference asks for
/// exponential backoff.
fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(25))
        .with_max_times(6)
        .with_jitter()
        .build()
}

async fn pause_before_rest(
    operation: &'static str,
    has_rest: bool,
    pauses: &mut impl Iterator<Item = Duration>,
) -> Result<(), Fault> {
    if !has_rest {
        return Ok(());
    }
    let throttled = || Fault { operation, code: "ThrottlingException".to_owned(), status: Some(429) };
    tokio::time::sleep(pauses.next().ok_or_else(throttled)?).await;
    Ok(())
}
