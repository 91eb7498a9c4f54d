//! What a run did: the lines in the log and the answer of a local invoke.

use std::collections::BTreeMap;
use std::fmt::Display;

use adapters::metrics::Listing;
use domain::capacity::condition::BlindReason;
use domain::capacity::meter::{EndpointCapacity, Gpus};
use domain::capacity::plan::ApiCalls;
use domain::capacity::price::PriceSource;
use domain::capacity::report::EndpointReport;
use domain::money::MicroUsd;
use domain::names::EndpointName;
use jiff::Timestamp;
use serde::Serialize;

use crate::topologies::Topologies;

/// Components in an answer: Lambda takes answers of up to 6 MB, and one component is some 300 bytes.
const MOST_COMPONENTS: usize = 5_000;

/// What a run did.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// The time of the run, which its metrics carry.
    pub(crate) time: Timestamp,
    /// The breakdown of each endpoint.
    pub(crate) endpoints: Vec<EndpointReport>,
    /// Endpoints that other invocations meter: the run was too large for one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) handed_on: Vec<EndpointName>,
    /// Endpoints that were not metered, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) skipped: BTreeMap<String, &'static str>,
    /// What failed without failing the run.
    #[serde(skip_serializing_if = "Problems::is_empty")]
    pub(crate) problems: Problems,
    /// Series of CloudWatch.
    pub(crate) series: Series,
    /// Calls of CloudWatch.
    pub(crate) calls: ApiCalls,
    /// Endpoints whose topology was read from SageMaker, and instance types whose price was from
    /// the price list, in this run.
    pub(crate) read: Read,
    /// Datums published.
    pub(crate) datums: usize,
    /// How long it took.
    pub(crate) duration_ms: u64,
}

/// Series of CloudWatch.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Series {
    /// Entries that were listed.
    pub(crate) listed: usize,
    /// Of those, countable ones that nothing ties to an endpoint.
    pub(crate) unowned: usize,
    /// What the plan asks for.
    pub(crate) wanted: usize,
}

/// What was read anew.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Read {
    /// Endpoints.
    pub(crate) topologies: usize,
    /// Instance types.
    pub(crate) prices: usize,
}

/// What failed, and how often.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Problems(BTreeMap<String, usize>);

impl Problems {
    pub(crate) fn add(&mut self, problem: impl Display) {
        self.add_many(problem, 1);
    }

    /// The value; its error is a problem.
    pub(crate) fn unless<T, E: Display>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn add_many(&mut self, problem: impl Display, count: usize) {
        *self.0.entry(problem.to_string()).or_default() += count;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Summary {
    pub(crate) fn new(time: Timestamp, listing: &Listing) -> Self {
        Self {
            time,
            endpoints: Vec::new(),
            handed_on: Vec::new(),
            skipped: BTreeMap::new(),
            problems: Problems::default(),
            series: Series { listed: listing.entries.len(), ..Series::default() },
            calls: ApiCalls { list_metrics: listing.pages, ..ApiCalls::default() },
            read: Read::default(),
            datums: 0,
            duration_ms: 0,
        }
    }

    /// Notes what was measured.
    pub(crate) fn note(
        &mut self,
        capacities: &BTreeMap<EndpointName, EndpointCapacity>,
        topologies: &Topologies,
        prices_read: usize,
    ) {
        let mut room = MOST_COMPONENTS;
        for capacity in capacities.values() {
            log_endpoint(capacity, self.time);
            let mut report = EndpointReport::of(capacity, self.time);
            report.shorten(room);
            room -= report.components.len();
            self.endpoints.push(report);
        }
        self.skipped = topologies.skipped.iter().map(|(name, why)| (name.to_string(), *why)).collect();
        self.read = Read { topologies: topologies.read.len(), prices: prices_read };
    }

    /// The one line of the run.
    pub(crate) fn log(&self) {
        for (problem, count) in &self.problems.0 {
            tracing::warn!(problem, count, "part of the run failed");
        }
        let ApiCalls { list_metrics, get_metric_data, metrics_requested, put_metric_data } = self.calls;
        tracing::info!(
            endpoints = self.endpoints.len(),
            handed_on = self.handed_on.len(),
            skipped = self.skipped.len(),
            problems = self.problems.0.len(),
            listed = self.series.listed,
            unowned = self.series.unowned,
            wanted = self.series.wanted,
            list_metrics,
            get_metric_data,
            metrics_requested,
            put_metric_data,
            topologies_read = self.read.topologies,
            prices_read = self.read.prices,
            datums = self.datums,
            duration_ms = self.duration_ms,
            "run done"
        );
    }
}

fn log_endpoint(capacity: &EndpointCapacity, now: Timestamp) {
    let usd = |amount: Option<MicroUsd>| amount.map(MicroUsd::usd);
    let gpus = |gpus: Option<Gpus>| gpus.map(Gpus::count);
    let price_sources: Vec<&str> =
        capacity.sources.price_sources().into_iter().map(PriceSource::as_str).collect();
    tracing::info!(
        endpoint = %capacity.endpoint,
        instances = capacity.instances,
        total_gpus = gpus(capacity.total_gpus),
        used_gpus = gpus(capacity.used_gpus),
        free_gpus = gpus(capacity.free_gpus),
        usd_per_hour = usd(capacity.bill),
        idle_usd_per_hour = usd(capacity.idle_cost),
        prices = price_sources.join(", "),
        oldest_price_days = capacity.sources.oldest_price_days(now),
        components = capacity.components.len(),
        conditions = capacity.conditions.len(),
        "endpoint metered"
    );
    for condition in &capacity.conditions {
        tracing::warn!(
            endpoint = %capacity.endpoint,
            condition = condition.kind.as_str(),
            reason = condition.reason.map(BlindReason::as_str),
            detail = condition.detail,
            "condition"
        );
    }
}
