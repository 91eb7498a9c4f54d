//! CloudWatch `PutMetricData`.

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use aws_smithy_types::DateTime;
use domain::metric::{Datum, Unit, batches};

use super::Metrics;
use crate::Fault;

impl Metrics {
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

#[cfg(test)]
mod tests {
    use domain::metric::{QUALITY_NAMESPACE, check_request};
    use jiff::Timestamp;

    use super::super::cbor::{field, list, numbers, read, reply, text, throttled};
    use super::*;
    use crate::wire::{Reply, Sent, Wire};

    fn published() -> Reply {
        reply(&ciborium::Value::Map(Vec::new()))
    }

    fn datum(metric: &str, values: &[f64]) -> Datum {
        Datum {
            metric: metric.to_owned(),
            dimensions: vec![
                ("EndpointName".to_owned(), "chat".to_owned()),
                ("InferenceComponentName".to_owned(), "llama-3".to_owned()),
            ],
            timestamp: "2026-11-24T12:34:00Z".parse().unwrap(),
            unit: Unit::None,
            values: values.to_vec(),
            counts: values.iter().map(|_| 2.0).collect(),
        }
    }

    /// A request as CloudWatch reads it. Also checks what holds for each.
    fn received(sent: &Sent) -> (String, Vec<Datum>) {
        assert!(sent.uri.ends_with("/service/GraniteServiceVersion20100801/operation/PutMetricData"));
        assert_eq!(sent.header("content-type"), Some("application/cbor"));
        let request = read(sent);
        let datums = list(&request, "MetricData").iter().map(|data| {
            assert_eq!(field(data, "StorageResolution").as_integer(), Some(60.into()));
            // Tag 1: seconds since 1970.
            let (tag, seconds) = field(data, "Timestamp").as_tag().unwrap();
            assert_eq!(tag, 1);
            let seconds = seconds.as_float().unwrap_or_default().to_string();
            Datum {
                metric: text(data, "MetricName"),
                dimensions: list(data, "Dimensions")
                    .iter()
                    .map(|dimension| (text(dimension, "Name"), text(dimension, "Value")))
                    .collect(),
                timestamp: Timestamp::from_second(seconds.parse().unwrap()).unwrap(),
                unit: match text(data, "Unit").as_str() {
                    "None" => Unit::None,
                    "Count" => Unit::Count,
                    "Milliseconds" => Unit::Milliseconds,
                    unit => panic!("unit {unit}"),
                },
                values: numbers(data, "Values"),
                counts: numbers(data, "Counts"),
            }
        });
        (text(&request, "Namespace"), datums.collect())
    }

    #[tokio::test(start_paused = true)]
    async fn what_cloudwatch_receives_is_what_was_measured() {
        let wire = Wire::new([published()]);
        let datums = vec![
            datum("SafetyScore", &[-0.5, 0.0, 0.25, 1.0]),
            Datum { unit: Unit::Count, ..datum("SamplesScored", &[1.0]) },
            Datum { unit: Unit::Milliseconds, ..datum("EvaluationLatency", &[512.0]) },
        ];
        assert_eq!(Metrics::new(&wire.config()).publish(QUALITY_NAMESPACE, datums.clone()).await, Ok(1));
        let sent = wire.only();
        assert_eq!(sent.header("content-encoding"), None);
        assert_eq!(received(&sent), (QUALITY_NAMESPACE.to_owned(), datums));
    }

    #[tokio::test(start_paused = true)]
    async fn many_datums_go_out_compressed_in_legal_calls_and_none_is_lost() {
        let wire = Wire::new([published()]);
        let values: Vec<f64> = (0..150).map(|step| f64::from(step) / 7.0).collect();
        let mut datums: Vec<Datum> = (0..1500).map(|n| datum(&format!("Small{n}"), &[0.1])).collect();
        datums.extend((0..700).map(|n| datum(&format!("Large{n}"), &values)));
        let calls = Metrics::new(&wire.config()).publish("Quality", datums.clone()).await.unwrap();
        let sent = wire.sent();
        assert_eq!(sent.len(), calls);
        let mut seen = Vec::new();
        for request in &sent {
            assert_eq!(request.header("content-encoding"), Some("gzip"));
            let (namespace, batch) = received(request);
            let now = batch[0].timestamp;
            assert_eq!(check_request(&namespace, &batch, now), Vec::<String>::new());
            seen.extend(batch);
        }
        assert_eq!(seen, datums);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_to_publish_costs_nothing() {
        let wire = Wire::new([]);
        assert_eq!(Metrics::new(&wire.config()).publish("Quality", Vec::new()).await, Ok(0));
        assert!(wire.sent().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_is_tried_again_and_then_a_fault() {
        let wire = Wire::new([throttled(), published()]);
        let datums = vec![datum("X", &[1.0])];
        assert_eq!(Metrics::new(&wire.config()).publish("Q", datums.clone()).await, Ok(1));
        assert_eq!(wire.sent().len(), 2);

        let wire = Wire::new([throttled()]);
        let fault = Metrics::new(&wire.config()).publish("Q", datums).await.unwrap_err();
        assert_eq!(fault.to_string(), "PutMetricData failed: ThrottlingException (HTTP 400)");
        assert!(fault.is_transient());
        assert_eq!(wire.sent().len(), 3);
    }
}
