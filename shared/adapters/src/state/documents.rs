//! What was asked of a service and need not be asked again for a while.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::names::EndpointName;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Item, StateTable, expiry, malformed, number, number_of, text, text_of};
use crate::Fault;

/// The largest document that is believed, decompressed: no topology comes near it.
const MOST_BYTES: u64 = 64 << 20;

/// The name of a document in the state table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey(String);

impl DocumentKey {
    /// The names of all endpoints.
    pub fn endpoints() -> Self {
        Self("endpoints".to_owned())
    }

    /// What an endpoint consists of.
    pub fn topology(endpoint: &EndpointName) -> Self {
        Self(format!("topology#{endpoint}"))
    }

    /// What instances cost in a region.
    pub fn prices(region: &str) -> Self {
        Self(format!("prices#{region}"))
    }
}

impl fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document and the time at which it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// The document.
    pub document: T,
    /// When it was stored, in whole seconds.
    pub stored_at: Timestamp,
}

impl StateTable {
    /// The documents that there are among `keys`. Costs one call for each 100.
    ///
    /// One that cannot be read, because another release wrote it in another form, counts as not
    /// there and is named in the log: whoever needs it asks its source again.
    pub async fn recall<T: DeserializeOwned>(
        &self,
        keys: impl IntoIterator<Item = DocumentKey>,
    ) -> Result<HashMap<DocumentKey, Kept<T>>, Fault> {
        let items = self.items(keys.into_iter().map(|key| key.0).collect()).await?;
        let mut documents = HashMap::new();
        for item in items {
            let Some(pk) = text_of(&item, "pk") else { return Err(malformed("BatchGetItem", "document")) };
            if let Some(kept) = kept(&item) {
                documents.insert(DocumentKey(pk.to_owned()), kept);
            } else {
                tracing::warn!(pk, "document not readable; it is made anew");
            }
        }
        Ok(documents)
    }

    /// Stores a document in place of the one before it.
    ///
    /// Compressed, because an item holds 400 kB: 1,000 inference components are 43 kB so, and 300 kB
    /// as plain JSON.
    pub async fn remember<T: Serialize>(
        &self,
        key: &DocumentKey,
        document: &T,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let bytes = compressed(document).ok_or_else(|| malformed("PutItem", "document"))?;
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(&key.0))
            .item("document", AttributeValue::B(Blob::new(bytes)))
            .item("stored_at", number(now.as_second()))
            .item("expires_at", expiry(now));
        request.send().await.map(drop).map_err(|error| Fault::of("PutItem", &error))
    }
}

fn kept<T: DeserializeOwned>(item: &Item) -> Option<Kept<T>> {
    let bytes = item.get("document")?.as_b().ok()?;
    let mut json = Vec::new();
    GzDecoder::new(bytes.as_ref()).take(MOST_BYTES).read_to_end(&mut json).ok()?;
    let stored_at = Timestamp::from_second(number_of(item, "stored_at")?).ok()?;
    Some(Kept { document: serde_json::from_slice(&json).ok()?, stored_at })
}

pub(super) fn compressed<T: Serialize>(document: &T) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&serde_json::to_vec(document).ok()?).ok()?;
    encoder.finish().ok()
}
