//! Single series of CloudWatch, by their exact dimensions.

use std::collections::HashMap;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use domain::capacity::usage::ResultStatus;
use jiff::Timestamp;

use super::Metrics;
use super::read::answered;
use crate::Fault;

/// Queries in one `GetMetricData` (API reference).
const MOST_QUERIES: usize = 500;

/// One series, and what to compute of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub metric: String,
    /// All of its dimensions.
    pub dimensions: Vec<(String, String)>,
    /// In CloudWatch's words: `Average`, `p90`.
    pub statistic: String,
    /// Seconds; a multiple of 60.
    pub period: i32,
}

/// What came of one query: time and value, oldest first, or `None` when CloudWatch failed at it.
pub type Values = Option<Vec<(Timestamp, f64)>>;

impl Metrics {
    /// The values of each query from `from` to `until`, in the order of the queries. Costs one call
    /// for each 500.
    pub async fn series(
        &self,
        queries: &[SeriesQuery],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Values>, Fault> {
        let mut all = Vec::with_capacity(queries.len());
        for queries in queries.chunks(MOST_QUERIES) {
            let asked = queries.iter().enumerate().map(|(place, query)| on_the_wire(place, query)).collect();
            let request = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(asked))
                .start_time(DateTime::from_secs(from.as_second()))
                .end_time(DateTime::from_secs(until.as_second()))
                .scan_by(ScanBy::TimestampAscending);
            let mut found: HashMap<String, Values> = HashMap::new();
            let mut pages = request.into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| Fault::of("GetMetricData", &error))?;
                for result in page.metric_data_results.unwrap_or_default().into_iter().map(answered) {
                    let has_failed =
                        matches!(result.status, ResultStatus::InternalError | ResultStatus::Forbidden);
                    let values = found.entry(result.id).or_insert_with(|| Some(Vec::new()));
                    if has_failed {
                        *values = None;
                    } else if let Some(values) = values {
                        values.extend(result.datapoints);
                    }
                }
            }
            // The emulator and AWS do not agree on the order.
            all.extend((0..queries.len()).map(|place| {
                let mut values = found.remove(&id(place)).flatten();
                if let Some(values) = &mut values {
                    values.sort_by_key(|(at, _)| *at);
                }
                values
            }));
        }
        Ok(all)
    }
}

fn id(place: usize) -> String {
    format!("q{place}")
}

fn on_the_wire(place: usize, query: &SeriesQuery) -> MetricDataQuery {
    let dimensions =
        query.dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder().namespace(&query.namespace).metric_name(&query.metric);
    let metric = metric.set_dimensions(Some(dimensions.collect())).build();
    let stat = MetricStat::builder().metric(metric).period(query.period).stat(&query.statistic);
    MetricDataQuery::builder().id(id(place)).metric_stat(stat.build()).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::cbor::{self, field, list, map, text};
    use crate::wire::{Reply, Wire};
    use ciborium::Value;

    fn query(metric: &str) -> SeriesQuery {
        SeriesQuery {
            namespace: "Quality".to_owned(),
            metric: metric.to_owned(),
            dimensions: vec![("InferenceComponentName".to_owned(), "qwen-7b".to_owned())],
            statistic: "p90".to_owned(),
            period: 300,
        }
    }

    fn result(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
        let time = |(at, _): &(i64, f64)| Value::Tag(1, Box::new(Value::from(*at)));
        map([
            ("Id", id.into()),
            ("StatusCode", status.into()),
            ("Timestamps", Value::Array(points.iter().map(time).collect())),
            ("Values", Value::Array(points.iter().map(|(_, value)| Value::from(*value)).collect())),
        ])
    }

    fn page(results: Vec<Value>) -> Reply {
        cbor::reply(&map([("MetricDataResults", Value::Array(results))]))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn values_come_in_the_order_of_queries_and_of_time() {
        let wire = Wire::new([page(vec![
            result("q1", "Complete", &[(600, 2.0), (300, 1.0)]),
            result("q0", "Complete", &[(300, 0.5)]),
            result("q2", "InternalError", &[]),
        ])]);
        let metrics = Metrics::new(&wire.config());
        let queries = [query("A"), query("B"), query("C"), query("D")];
        let values = metrics.series(&queries, at(0), at(900)).await.unwrap();
        let expected = [Some(vec![(at(300), 0.5)]), Some(vec![(at(300), 1.0), (at(600), 2.0)]), None, None];
        assert_eq!(values, expected);
        let request = cbor::read(&wire.only());
        let first = &list(&request, "MetricDataQueries")[0];
        assert_eq!(text(first, "Id"), "q0");
        let stat = field(first, "MetricStat");
        assert_eq!(
            (text(stat, "Stat"), text(field(stat, "Metric"), "Namespace")),
            ("p90".into(), "Quality".into())
        );
    }
}
