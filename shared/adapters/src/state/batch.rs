//! Several items in one call, of which DynamoDB may leave some for the next.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use backon::{BackoffBuilder, ExponentialBuilder};

use super::{Item, StateTable, malformed, text};
use crate::Fault;

/// Keys in one `BatchGetItem`.
const MOST_READ: usize = 100;

impl StateTable {
    /// The items that there are among `keys`, in no order. Costs one call for each 100.
    ///
    /// Takes a set: DynamoDB refuses a batch that names a key twice.
    pub(super) async fn items(&self, keys: BTreeSet<String>) -> Result<Vec<Item>, Fault> {
        let keys: Vec<String> = keys.into_iter().collect();
        let mut items = Vec::new();
        for keys in keys.chunks(MOST_READ) {
            let keys = keys.iter().map(|key| HashMap::from([("pk".to_owned(), text(key))]));
            // The reader must see what the writer that crashed just before has written.
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true);
            let mut wanted = Some(wanted.build().map_err(|_| malformed("BatchGetItem", "request"))?);
            let mut pauses = pauses();
            while let Some(keys) = wanted.take() {
                let request = self.client.batch_get_item().request_items(&self.table, keys);
                let answer = request.send().await.map_err(|error| Fault::of("BatchGetItem", &error))?;
                wanted = answer.unprocessed_keys().and_then(|tables| tables.get(&self.table)).cloned();
                let found = answer.responses.and_then(|mut tables| tables.remove(&self.table));
                items.extend(found.into_iter().flatten());
                pause_before_rest("BatchGetItem", wanted.is_some(), &mut pauses).await?;
            }
        }
        Ok(items)
    }
}

/// Pauses between the parts of a batch that DynamoDB did not get to; its API reference asks for
/// exponential backoff.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(25))
        .with_max_times(6)
        .with_jitter()
        .build()
}

pub(super) async fn pause_before_rest(
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
