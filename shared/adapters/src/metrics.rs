//! CloudWatch `PutMetricData`.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use aws_smithy_types::DateTime;
use domain::metric::{Datum, Unit, batches};

use crate::Fault;

/// CloudWatch, as the publisher of Assay's metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    client: Client,
}

impl Metrics {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Publishes datums in as few calls as the limits allow, and answers how many it took.
    ///
    /// # Errors
    /// The first failed call; what went before it is published.
    pub async fn publish(&self, namespace: &str, datums: Vec<Datum>) -> Result<usize, Fault> {
        let batches = batches(datums);
        let calls = batches.len();
        for batch in batches {
            let data = batch.into_iter().map(on_the_wire).collect();
            let request = self.client.put_metric_data().namespace(namespace).set_metric_data(Some(data));
            request.send().await.map_err(|error| Fault::of("PutMetricData", &error))?;
        }
        Ok(calls)
    }
}

fn on_the_wire(datum: Datum) -> MetricDatum {
    let dimensions = datum.dimensions.into_iter();
    MetricDatum::builder()
        .metric_name(datum.metric)
        .set_dimensions(Some(
            dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect(),
        ))
        .timestamp(DateTime::from_secs(datum.timestamp.as_second()))
        .unit(match datum.unit {
            Unit::None => StandardUnit::None,
            Unit::Count => StandardUnit::Count,
            Unit::Milliseconds => StandardUnit::Milliseconds,
        })
        .set_values(Some(datum.values))
        .set_counts(Some(datum.counts))
        .storage_resolution(60)
        .build()
}
