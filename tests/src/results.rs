//! What Assay left behind: progress in the state table, verdicts in S3, metrics in CloudWatch.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use domain::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION, QUALITY_NAMESPACE};
use domain::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};

use crate::clients::Clients;
use crate::failure::{During, Failure, Outcome};
use crate::progress::Step;

/// The numbers of one metric of one component over the last days, as CloudWatch has them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Numbers {
    /// Sum of all values.
    pub sum: f64,
    /// How many there are.
    pub samples: f64,
}

impl Numbers {
    /// Their mean; `None` of nothing.
    pub fn mean(self) -> Option<f64> {
        (self.samples > 0.0).then(|| self.sum / self.samples)
    }
}

/// Published metrics by component and name.
pub type Published = BTreeMap<(String, String), Numbers>;

/// Queries in one `GetMetricData` call.
const MOST_QUERIES: usize = 500;

/// Waits until the function has read each of these objects to its end.
pub async fn wait_until_judged(
    clients: &Clients,
    table: &str,
    bucket: &str,
    keys: &[String],
    patience: Duration,
) -> Outcome<()> {
    let mut step = Step::start(format!("judge {} capture objects", keys.len()));
    loop {
        let mut done = 0;
        for key in keys {
            let pk = AttributeValue::S(format!("object#{bucket}/{key}"));
            let request = clients.dynamodb.get_item().table_name(table).key("pk", pk);
            let answer = request.send().await.during("read the progress")?;
            let is_done = answer.item().and_then(|item| item.get("is_done")?.as_bool().ok().copied());
            done += usize::from(is_done == Some(true));
        }
        if done == keys.len() {
            step.done("");
            return Ok(());
        }
        if step.elapsed() > patience {
            step.failed(format!("{done} of {} are done", keys.len()));
            return Err(Failure(
                "the objects were not judged in time; the emulator's log says more".to_owned(),
            ));
        }
        step.tick(format!("{done} of {} are done", keys.len()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Every stored verdict with the key of the file that holds it.
pub async fn verdicts(clients: &Clients, bucket: &str) -> Outcome<Vec<(String, Verdict)>> {
    let mut verdicts = Vec::new();
    let mut pages = clients.s3.list_objects_v2().bucket(bucket).into_paginator().send();
    while let Some(page) = pages.next().await {
        for key in page.during("list verdicts")?.contents().iter().filter_map(|object| object.key()) {
            let object = clients.s3.get_object().bucket(bucket).key(key).send().await;
            let body = object.during("get verdicts")?.body.collect().await.during("read verdicts")?.to_vec();
            for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let verdict = serde_json::from_slice(line).during(format!("read a verdict of {key}"))?;
                verdicts.push((key.to_owned(), verdict));
            }
        }
    }
    Ok(verdicts)
}

/// Everything in the quality namespace, read back with `ListMetrics` and `GetMetricData`.
pub async fn published(clients: &Clients) -> Outcome<Published> {
    let mut metrics = Vec::new();
    let mut pages = clients.cloudwatch.list_metrics().namespace(QUALITY_NAMESPACE).into_paginator().send();
    while let Some(page) = pages.next().await {
        metrics.extend(page.during("list metrics")?.metrics().to_vec());
    }
    let mut published = Published::new();
    for metrics in metrics.chunks(MOST_QUERIES / 2) {
        for (metric, numbers) in metrics.iter().zip(read(clients, metrics).await?) {
            let names: Vec<&str> = metric.dimensions().iter().filter_map(Dimension::name).collect();
            if names != [ENDPOINT_DIMENSION, COMPONENT_DIMENSION] {
                return Err(Failure(format!("a metric has the dimensions {names:?}")));
            }
            let component = metric.dimensions()[1].value().unwrap_or_default();
            let name = metric.metric_name().unwrap_or_default();
            published.insert((component.to_owned(), name.to_owned()), numbers);
        }
    }
    Ok(published)
}

async fn read(clients: &Clients, metrics: &[Metric]) -> Outcome<Vec<Numbers>> {
    let query = |id: String, metric: &Metric, stat: &str| {
        let stat = MetricStat::builder().metric(metric.clone()).period(86_400).stat(stat).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    };
    let both = |(index, metric): (usize, &Metric)| {
        [query(format!("sum{index}"), metric, "Sum"), query(format!("count{index}"), metric, "SampleCount")]
    };
    let now = Timestamp::now();
    let request = clients
        .cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(metrics.iter().enumerate().flat_map(both).collect()))
        .start_time(DateTime::from_secs((now - SignedDuration::from_hours(72)).as_second()))
        .end_time(DateTime::from_secs((now + SignedDuration::from_hours(24)).as_second()));
    let answer = request.send().await.during("read metrics back")?;
    let mut numbers = vec![Numbers::default(); metrics.len()];
    for result in answer.metric_data_results() {
        if result.status_code() != Some(&StatusCode::Complete) {
            return Err(Failure(format!("CloudWatch answered {:?} for a metric", result.status_code())));
        }
        let id = result.id().unwrap_or_default();
        let index: usize = id.trim_start_matches(char::is_alphabetic).parse().during("read a query id")?;
        let total = result.values().iter().sum();
        if id.starts_with("sum") {
            numbers[index].sum = total;
        } else {
            numbers[index].samples = total;
        }
    }
    Ok(numbers)
}
