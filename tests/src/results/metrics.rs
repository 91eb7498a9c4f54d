//! Metrics read back from CloudWatch.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use aws_smithy_types::DateTime;
use domain::metric::{CAPACITY_NAMESPACE, COMPONENT_DIMENSION, ENDPOINT_DIMENSION, QUALITY_NAMESPACE};
use jiff::{SignedDuration, Timestamp};

use crate::failure::{During, Failure, Outcome};

/// The numbers of one metric over the last days, as CloudWatch has them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Numbers {
    /// Sum of all values.
    pub sum: f64,
    /// How many there are.
    pub samples: f64,
    /// The mean of the newest minute with a value.
    pub newest: Option<f64>,
}

impl Numbers {
    /// Their mean; `None` of nothing.
    pub fn mean(self) -> Option<f64> {
        (self.samples > 0.0).then(|| self.sum / self.samples)
    }
}

/// Published metrics of quality by component and name.
pub type Published = BTreeMap<(String, String), Numbers>;

/// Published metrics of capacity by endpoint, component (`None` for the endpoint's own) and name.
pub type Metered = BTreeMap<(String, Option<String>, String), Numbers>;

/// Queries in one `GetMetricData` call.
const MOST_QUERIES: usize = 500;
const MINUTE: i32 = 60;

/// Everything in the quality namespace.
pub async fn published(cloudwatch: &CloudWatch) -> Outcome<Published> {
    let mut published = Published::new();
    for (metric, numbers) in all(cloudwatch, QUALITY_NAMESPACE).await? {
        let [(ENDPOINT_DIMENSION, _), (COMPONENT_DIMENSION, component)] = dimensions(&metric)[..] else {
            return Err(strange(&metric));
        };
        published.insert((component.to_owned(), name(&metric)), numbers);
    }
    Ok(published)
}

/// Everything in the namespace of capacity-meter.
pub async fn metered(cloudwatch: &CloudWatch, namespace: &str) -> Outcome<Metered> {
    let mut metered = Metered::new();
    for (metric, numbers) in all(cloudwatch, namespace).await? {
        let (endpoint, component) = match dimensions(&metric)[..] {
            [(ENDPOINT_DIMENSION, endpoint)] => (endpoint.to_owned(), None),
            [(ENDPOINT_DIMENSION, endpoint), (COMPONENT_DIMENSION, component)] => {
                (endpoint.to_owned(), Some(component.to_owned()))
            }
            _ => return Err(strange(&metric)),
        };
        metered.insert((endpoint, component, name(&metric)), numbers);
    }
    Ok(metered)
}

/// Waits until the newest value of an endpoint's own metric of capacity is this one.
///
/// # Errors
/// It is not before patience ends.
pub async fn wait_until_metered(
    cloudwatch: &CloudWatch,
    endpoint: &str,
    metric: &str,
    expected: f64,
    patience: Duration,
) -> Outcome<()> {
    let start = Instant::now();
    let key = (endpoint.to_owned(), None, metric.to_owned());
    loop {
        let newest =
            metered(cloudwatch, CAPACITY_NAMESPACE).await?.get(&key).and_then(|numbers| numbers.newest);
        if newest.is_some_and(|newest| (newest - expected).abs() < 1e-6) {
            return Ok(());
        }
        if start.elapsed() > patience {
            return Err(Failure(format!("{metric} of {endpoint} is {newest:?}, not {expected}")));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The numbers of one metric with exactly these dimensions; zeros when there is none.
pub async fn numbers(
    cloudwatch: &CloudWatch,
    namespace: &str,
    metric: &str,
    dimensions: &[(&str, &str)],
) -> Outcome<Numbers> {
    let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
    let dimensions = dimensions.iter().map(dimension).collect();
    let metric = Metric::builder().namespace(namespace).metric_name(metric).set_dimensions(Some(dimensions));
    Ok(read(cloudwatch, &[metric.build()]).await?.pop().unwrap_or_default())
}

fn name(metric: &Metric) -> String {
    metric.metric_name().unwrap_or_default().to_owned()
}

/// In the order of their names: CloudWatch has none.
fn dimensions(metric: &Metric) -> Vec<(&str, &str)> {
    let mut dimensions: Vec<(&str, &str)> =
        metric.dimensions().iter().filter_map(|one| Some((one.name()?, one.value()?))).collect();
    dimensions.sort_unstable();
    dimensions
}

fn strange(metric: &Metric) -> Failure {
    Failure(format!("{} has the dimensions {:?}", name(metric), dimensions(metric)))
}

/// Every metric of a namespace.
pub async fn listed(cloudwatch: &CloudWatch, namespace: &str) -> Outcome<Vec<Metric>> {
    let mut metrics = Vec::new();
    let mut pages = cloudwatch.list_metrics().namespace(namespace).into_paginator().send();
    while let Some(page) = pages.next().await {
        metrics.extend(page.during("list metrics")?.metrics().to_vec());
    }
    Ok(metrics)
}

/// Every metric of a namespace with its numbers.
async fn all(cloudwatch: &CloudWatch, namespace: &str) -> Outcome<Vec<(Metric, Numbers)>> {
    let metrics = listed(cloudwatch, namespace).await?;
    let mut found = Vec::with_capacity(metrics.len());
    for metrics in metrics.chunks(MOST_QUERIES / 2) {
        found.extend(metrics.iter().cloned().zip(read(cloudwatch, metrics).await?));
    }
    Ok(found)
}

/// The numbers of at most 250 metrics.
async fn read(cloudwatch: &CloudWatch, metrics: &[Metric]) -> Outcome<Vec<Numbers>> {
    let query = |id: String, metric: &Metric, stat: &str| {
        let stat = MetricStat::builder().metric(metric.clone()).period(MINUTE).stat(stat).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    };
    let both = |(index, metric): (usize, &Metric)| {
        [query(format!("sum{index}"), metric, "Sum"), query(format!("count{index}"), metric, "SampleCount")]
    };
    let now = Timestamp::now();
    let mut pages = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(metrics.iter().enumerate().flat_map(both).collect()))
        .start_time(DateTime::from_secs((now - SignedDuration::from_hours(72)).as_second()))
        .end_time(DateTime::from_secs((now + SignedDuration::from_hours(24)).as_second()))
        .into_paginator()
        .send();
    // By minute: sum and count.
    let mut minutes: Vec<BTreeMap<i64, (f64, f64)>> = vec![BTreeMap::new(); metrics.len()];
    while let Some(page) = pages.next().await {
        let page = page.during("read metrics back")?;
        for result in page.metric_data_results() {
            let is_cut =
                result.status_code() == Some(&StatusCode::PartialData) && page.next_token().is_some();
            if result.status_code() != Some(&StatusCode::Complete) && !is_cut {
                return Err(Failure(format!("CloudWatch answered {:?} for a metric", result.status_code())));
            }
            let id = result.id().unwrap_or_default();
            let index: usize =
                id.trim_start_matches(char::is_alphabetic).parse().during("read a query id")?;
            for (time, value) in result.timestamps().iter().zip(result.values()) {
                let minute = minutes[index].entry(time.secs()).or_default();
                if id.starts_with("sum") { minute.0 += value } else { minute.1 += value }
            }
        }
    }
    let of = |minutes: BTreeMap<i64, (f64, f64)>| Numbers {
        sum: minutes.values().map(|(sum, _)| sum).sum(),
        samples: minutes.values().map(|(_, samples)| samples).sum(),
        newest: minutes.values().last().map(|(sum, samples)| sum / samples),
    };
    Ok(minutes.into_iter().map(of).collect())
}
