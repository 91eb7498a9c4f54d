//! CloudWatch `ListMetrics` and `GetMetricData`.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::operation::list_metrics::builders::ListMetricsFluentBuilder;
use aws_sdk_cloudwatch::types::{
    Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDataResult, MetricStat, RecentlyActive,
    ScanBy, StatusCode,
};
use aws_smithy_types::DateTime;
use domain::capacity::plan::{Batch, Query};
use domain::capacity::series::{Discovery, Listed};
use domain::capacity::usage::ResultStatus;
use jiff::Timestamp;

use super::Metrics;
use crate::Fault;
use crate::fault::{has_ended, word};

/// What `ListMetrics` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// All entries of all pages.
    pub entries: Vec<Listed>,
    /// The pages that it took: each is a call.
    pub pages: usize,
}

impl Listing {
    /// Adds what another call found.
    pub fn add(&mut self, other: Self) {
        self.pages += other.pages;
        self.entries.extend(other.entries);
    }
}

/// What one batch of queries was answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchAnswer {
    /// In the order of the pages; a query may stand on several.
    pub results: Vec<Answered>,
    /// Codes of the messages that CloudWatch sent along, and how often.
    pub messages: BTreeMap<String, usize>,
    /// The pages that were read.
    pub pages: usize,
    /// Why the rest is missing.
    pub fault: Option<Fault>,
}

/// One result on one page.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Of the query.
    pub id: String,
    /// How complete the answer is.
    pub status: ResultStatus,
    /// Time and value.
    pub datapoints: Vec<(Timestamp, f64)>,
}

impl Metrics {
    /// Lists the series of a metric that had data in the last three hours.
    ///
    /// # Errors
    /// The first page that failed: half a list would make running GPUs look free.
    pub async fn list(&self, discovery: &Discovery) -> Result<Listing, Fault> {
        let request = self.client.list_metrics().namespace(&discovery.namespace);
        all_pages(request.metric_name(&discovery.metric)).await
    }

    /// Lists the series of all metrics that have this dimension and had data in the last three hours.
    ///
    /// # Errors
    /// As [`Metrics::list`].
    pub async fn list_of(&self, dimension: &str, value: &str) -> Result<Listing, Fault> {
        let filter = DimensionFilter::builder().name(dimension).value(value).build();
        all_pages(self.client.list_metrics().dimensions(filter)).await
    }

    /// Runs a batch of queries. What had come before a page failed is kept.
    pub async fn answer(&self, batch: &Batch<'_>) -> BatchAnswer {
        let request = self
            .client
            .get_metric_data()
            .set_metric_data_queries(Some(batch.queries.iter().map(on_the_wire).collect()))
            .start_time(DateTime::from_secs(batch.window.start.as_second()))
            .end_time(DateTime::from_secs(batch.window.end.as_second()))
            .scan_by(ScanBy::TimestampDescending);
        let (mut answer, mut next) = (BatchAnswer::default(), None);
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    answer.fault = Some(Fault::of("GetMetricData", &error));
                    return answer;
                }
            };
            answer.pages += 1;
            next = page.next_token;
            for message in page.messages.unwrap_or_default() {
                let code = word(message.code().unwrap_or_default()).to_owned();
                *answer.messages.entry(code).or_default() += 1;
            }
            answer.results.extend(page.metric_data_results.unwrap_or_default().into_iter().map(answered));
        }
        answer.fault = has_ended("GetMetricData", next).err();
        answer
    }
}

async fn all_pages(request: ListMetricsFluentBuilder) -> Result<Listing, Fault> {
    let (mut listing, mut next) = (Listing::default(), None);
    let mut pages = request.recently_active(RecentlyActive::Pt3H).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Fault::of("ListMetrics", &error))?;
        listing.pages += 1;
        next = page.next_token;
        listing.entries.extend(page.metrics.unwrap_or_default().into_iter().map(listed));
    }
    has_ended("ListMetrics", next)?;
    Ok(listing)
}

fn listed(metric: Metric) -> Listed {
    let pair =
        |dimension: Dimension| (dimension.name.unwrap_or_default(), dimension.value.unwrap_or_default());
    Listed {
        namespace: metric.namespace.unwrap_or_default(),
        metric: metric.metric_name.unwrap_or_default(),
        dimensions: metric.dimensions.unwrap_or_default().into_iter().map(pair).collect(),
    }
}

fn on_the_wire(query: &Query) -> MetricDataQuery {
    let Listed { namespace, metric, dimensions } = &query.series.listed;
    let dimensions =
        dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder().namespace(namespace).metric_name(metric);
    let metric = metric.set_dimensions(Some(dimensions.collect())).build();
    let stat = MetricStat::builder().metric(metric).period(query.period).stat(query.statistic.as_str());
    MetricDataQuery::builder().id(&query.id).metric_stat(stat.build()).build()
}

pub(super) fn answered(result: MetricDataResult) -> Answered {
    let status = match result.status_code {
        Some(StatusCode::Complete) => ResultStatus::Complete,
        Some(StatusCode::PartialData) => ResultStatus::Partial,
        Some(StatusCode::Forbidden) => ResultStatus::Forbidden,
        _ => ResultStatus::InternalError,
    };
    let (times, values) = (result.timestamps.unwrap_or_default(), result.values.unwrap_or_default());
    let time = |time: &DateTime| {
        let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
        Timestamp::new(time.secs(), nanoseconds).ok()
    };
    let moments: Option<Vec<Timestamp>> = times.iter().map(time).collect();
    let id = result.id.unwrap_or_default();
    match moments.filter(|moments| moments.len() == values.len()) {
        Some(moments) => Answered { id, status, datapoints: moments.into_iter().zip(values).collect() },
        // Times without values, or the other way round: nobody knows what belongs together.
        None => Answered { id, status: ResultStatus::InternalError, datapoints: Vec::new() },
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
