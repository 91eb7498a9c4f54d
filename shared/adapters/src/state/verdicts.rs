//! Finished verdicts by their id: what makes a retry free.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use jiff::Timestamp;

use super::batch::{pause_before_rest, pauses};
use super::{Item, StateTable, expiry, malformed, text, text_of};
use crate::Fault;

/// Items in one `BatchWriteItem`.
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
        let keys = ids.iter().map(|id| format!("verdict#{id}")).collect();
        let verdict = |item: Item| {
            let part = |name| text_of(&item, name).map(str::to_owned);
            let (pk, source, line) = (part("pk")?, part("source")?, part("verdict")?);
            let id = pk.strip_prefix("verdict#").unwrap_or(&pk).to_owned();
            Some((id, KnownVerdict { source, line }))
        };
        let known = self.items(keys).await?.into_iter().map(verdict).collect::<Option<_>>();
        known.ok_or_else(|| malformed("BatchGetItem", "verdict"))
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
