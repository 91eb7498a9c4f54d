//! CloudWatch: what Assay publishes, and what it reads of others.

use aws_sdk_cloudwatch::Client;

use crate::patience::limited;

#[cfg(test)]
mod cbor;
mod publish;
mod read;
mod series;

pub use read::{Answered, BatchAnswer, Listing};
pub use series::{SeriesQuery, Values};

/// CloudWatch metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    client: Client,
}

impl Metrics {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        Self { client: Client::new(&limited(config)) }
    }
}
