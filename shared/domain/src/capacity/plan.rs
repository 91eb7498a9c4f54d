//! Which `GetMetricData` queries to run: plain `MetricStat` ones, in batches of 500.
//!
//! The usage queries ask for 60 s periods whatever the publish frequency: data below 60 s is kept
//! for 3 hours only, and the meter asks whether a series has data, not how many samples. What the
//! publish frequency decides is how far back to look, and when a series counts as silent
//! ([`PublishFrequency::silent_after`]).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::instance::InstanceTypes;
use super::series::{GpuUse, Inventory, Meaning, RunningCopy, Series};
use super::topology::EndpointTopology;
use crate::money::MicroUsd;
use crate::names::{ComponentName, EndpointName};

/// Queries in one `GetMetricData` call (API reference).
pub const MOST_QUERIES: usize = 500;
/// Entries on a page of `ListMetrics` (API reference).
pub const LISTED_PER_PAGE: usize = 500;
/// The period of usage and invocations, in seconds.
pub const PERIOD: i32 = 60;
/// The period of token counts, in seconds.
pub const TOKEN_PERIOD: i32 = 3600;
/// How late a datapoint may be and still be seen.
const LATENESS: i64 = 120;
/// The shortest stretch of usage and invocations to ask for, in seconds.
const SHORTEST: i64 = 900;
/// How far back token counts are looked for, in seconds: captures arrive minutes after the fact.
const TOKEN_SPAN: i64 = 3 * 3600;

/// How often SageMaker publishes the metrics of an endpoint: `MetricPublishFrequencyInSeconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct PublishFrequency(u32);

/// Why a number is no publish frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} is not a publish frequency: 10, 30, 60, 120, 180, 240 or 300 seconds")]
pub struct NotAFrequency(pub u32);

impl TryFrom<u32> for PublishFrequency {
    type Error = NotAFrequency;

    fn try_from(seconds: u32) -> Result<Self, NotAFrequency> {
        let is_right = matches!(seconds, 10 | 30 | 60 | 120 | 180 | 240 | 300);
        is_right.then_some(Self(seconds)).ok_or(NotAFrequency(seconds))
    }
}

impl From<PublishFrequency> for u32 {
    fn from(frequency: PublishFrequency) -> Self {
        frequency.0
    }
}

impl PublishFrequency {
    /// What to assume when nobody says: the slowest, since a window that is too long costs
    /// nothing and one that is too short makes running GPUs look free.
    pub const SLOWEST: Self = Self(300);

    /// The seconds from one datapoint to the next at a period of [`PERIOD`].
    fn cycle(self) -> i64 {
        i64::from(self.0).max(i64::from(PERIOD))
    }

    /// A series whose newest datapoint is this much older than the newest of its endpoint has
    /// stopped: it missed two datapoints in a row.
    pub fn silent_after(self) -> SignedDuration {
        SignedDuration::from_secs(2 * self.cycle())
    }

    /// The stretch that holds three datapoints of a running series, however late they are. An
    /// endpoint without any in it has stopped to publish.
    pub fn span(self) -> SignedDuration {
        SignedDuration::from_secs(3 * self.cycle() + LATENESS)
    }
}

/// A stretch of time, its end left out, as `GetMetricData` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The first moment in it.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

impl Window {
    /// The whole periods before `now` that cover `span` seconds. The period that is running is
    /// left out: what it holds is not settled.
    fn before(now: Timestamp, span: i64, period: i32) -> Self {
        let end = now.as_second().div_euclid(period.into()) * i64::from(period);
        let start = (end - span).div_euclid(period.into()) * i64::from(period);
        let moment = |second| Timestamp::from_second(second).unwrap_or(now);
        Self { start: moment(start), end: moment(end) }
    }

    /// Whether a datapoint with this time belongs to the window.
    pub fn holds(&self, time: Timestamp) -> bool {
        self.start <= time && time < self.end
    }

    /// The window without its newest part, where datapoints may still be on their way, and as long
    /// as some datapoints are apart: a datapoint holds what happened since the one before it, and
    /// so the datapoints in it hold what happened in its length, wherever they lie.
    #[must_use]
    pub fn settled(&self, frequency: PublishFrequency) -> Self {
        let end = (self.end - SignedDuration::from_secs(LATENESS)).max(self.start);
        let cycle = frequency.cycle();
        let whole = end.duration_since(self.start).as_secs() / cycle * cycle;
        Self { start: end - SignedDuration::from_secs(whole), end }
    }

    /// How many datapoints a series that was there all the time has in a settled window.
    pub fn datapoints(&self, frequency: PublishFrequency) -> u64 {
        u64::try_from(self.seconds() / frequency.cycle()).unwrap_or_default()
    }

    /// Its length in seconds.
    pub fn seconds(&self) -> i64 {
        self.end.duration_since(self.start).as_secs()
    }
}

/// What a query computes over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// How many samples: a series with any is alive.
    SampleCount,
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
}

impl Statistic {
    /// As CloudWatch spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SampleCount => "SampleCount",
            Self::Sum => "Sum",
            Self::Average => "Average",
        }
    }
}

/// One `MetricStat` query. Namespace, metric and dimensions are those of `series.listed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `q` and its place in the plan.
    pub id: String,
    /// The endpoint that the answer is about.
    pub endpoint: EndpointName,
    /// What is asked for.
    pub series: Series,
    /// Seconds.
    pub period: i32,
    /// What is computed.
    pub statistic: Statistic,
}

/// What a run asks about one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// How often it publishes; the slowest when nobody says.
    pub frequency: PublishFrequency,
    /// Whether its frequency is known.
    pub is_frequency_known: bool,
    /// Series of single GPUs that are listed for it.
    pub gpu_series: usize,
    /// Roll-ups that are listed beside them, and not asked for.
    pub gpu_roll_ups: usize,
}

/// All queries of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The window of usage and invocations: the widest that one of the endpoints needs, since a
    /// query costs the same however long it is.
    pub window: Window,
    /// The window of token counts.
    pub token_window: Window,
    /// Each endpoint that was asked for, also one without any series.
    pub endpoints: BTreeMap<EndpointName, Outlook>,
    queries: Vec<Query>,
    /// Where the queries over the token window start.
    tokens_from: usize,
}

/// One `GetMetricData` call, with all its pages.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// `StartTime` and `EndTime`.
    pub window: Window,
    /// At most [`MOST_QUERIES`].
    pub queries: &'a [Query],
}

impl Plan {
    /// Plans the queries for the `watched` endpoints from their listed series.
    pub fn new(
        watched: &BTreeSet<EndpointName>,
        mut inventory: Inventory,
        topologies: &BTreeMap<EndpointName, EndpointTopology>,
        types: &InstanceTypes,
        now: Timestamp,
    ) -> Self {
        let mut endpoints = BTreeMap::new();
        let (mut usage, mut tokens) = (Vec::new(), Vec::new());
        for endpoint in watched {
            let topology = topologies.get(endpoint);
            let series = inventory.endpoints.remove(endpoint).unwrap_or_default();
            let known = topology.and_then(|it| it.publish_frequency);
            let outlook = Outlook {
                frequency: known.unwrap_or(PublishFrequency::SLOWEST),
                is_frequency_known: known.is_some(),
                gpu_series: series.iter().filter(|one| matches!(one.meaning, Meaning::Gpu(_))).count(),
                gpu_roll_ups: inventory.gpu_roll_ups.get(endpoint).copied().unwrap_or_default(),
            };
            for one in wanted(series, topology, types) {
                let is_token = matches!(one.meaning, Meaning::Tokens(..));
                let into = if is_token { &mut tokens } else { &mut usage };
                into.push((endpoint.clone(), one));
            }
            endpoints.insert(endpoint.clone(), outlook);
        }
        let spans = endpoints.values().map(|outlook: &Outlook| outlook.frequency.span().as_secs());
        let span = spans.max().unwrap_or(SHORTEST).max(SHORTEST);
        let tokens_from = usage.len();
        let queries = usage.into_iter().chain(tokens).enumerate().map(|(place, (endpoint, series))| {
            let (period, statistic) = match series.meaning {
                Meaning::Tokens(..) => (TOKEN_PERIOD, Statistic::Average),
                Meaning::Invocations(_) | Meaning::CopyInvocations(_) => (PERIOD, Statistic::Sum),
                _ => (PERIOD, Statistic::SampleCount),
            };
            Query { id: format!("q{place}"), endpoint, series, period, statistic }
        });
        Self {
            window: Window::before(now, span, PERIOD),
            // The hour that is running counts here: a mean is settled by its first samples.
            token_window: Window { end: now, ..Window::before(now, TOKEN_SPAN, TOKEN_PERIOD) },
            endpoints,
            queries: queries.collect(),
            tokens_from,
        }
    }

    /// The calls to make.
    pub fn batches(&self) -> impl Iterator<Item = Batch<'_>> {
        let (usage, tokens) = self.queries.split_at(self.tokens_from);
        let usage = usage.chunks(MOST_QUERIES).map(|queries| Batch { window: self.window, queries });
        let tokens = tokens.chunks(MOST_QUERIES).map(|queries| Batch { window: self.token_window, queries });
        usage.chain(tokens)
    }

    /// The endpoints, and of each the components whose copies do not name it in their series: who
    /// lists only what names the endpoint has to list these too.
    pub fn parts(&self) -> BTreeMap<EndpointName, BTreeSet<ComponentName>> {
        let mut parts: BTreeMap<EndpointName, BTreeSet<ComponentName>> =
            self.endpoints.keys().map(|endpoint| (endpoint.clone(), BTreeSet::new())).collect();
        for Query { endpoint, series, .. } in &self.queries {
            if let (
                None,
                Meaning::Gpu(GpuUse { component, .. }) | Meaning::Copy(RunningCopy { component, .. }),
            ) = (&series.endpoint, &series.meaning)
                && let Some(components) = parts.get_mut(endpoint)
            {
                components.insert(component.clone());
            }
        }
        parts
    }

    /// All queries; the id of each is `q` and its place.
    pub fn queries(&self) -> &[Query] {
        &self.queries
    }
}

/// The series that answer something about an endpoint, each thing once.
fn wanted(
    series: Vec<Series>,
    topology: Option<&EndpointTopology>,
    types: &InstanceTypes,
) -> impl Iterator<Item = Series> {
    let has = |wanted: fn(&Meaning) -> bool| -> BTreeSet<_> {
        series.iter().filter(|one| wanted(&one.meaning)).filter_map(|one| one.component().cloned()).collect()
    };
    let on_gpus = has(|meaning| matches!(meaning, Meaning::Gpu(_)));
    let counted = has(|meaning| matches!(meaning, Meaning::Invocations(_)));
    // Where every variant has one instance type of known shape, the GPUs of instances say nothing
    // new.
    let asks_for_instance_gpus = topology.is_none_or(|it| !it.has_certain_shapes(types));
    series.into_iter().filter(move |one| match &one.meaning {
        Meaning::Copy(copy) => !on_gpus.contains(&copy.component),
        Meaning::InstanceGpu { .. } => asks_for_instance_gpus,
        Meaning::CopyInvocations(copy) => !counted.contains(&copy.component),
        Meaning::RollUp => false,
        Meaning::Gpu(_) | Meaning::Instance { .. } | Meaning::Invocations(_) | Meaning::Tokens(..) => true,
    })
}

/// How much a run asks of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ApiCalls {
    /// Pages of `ListMetrics`.
    pub list_metrics: usize,
    /// Calls of `GetMetricData`.
    pub get_metric_data: usize,
    /// Metrics that those ask for: what CloudWatch bills.
    pub metrics_requested: usize,
    /// Calls of `PutMetricData`.
    pub put_metric_data: usize,
}

impl ApiCalls {
    /// The calls of a run: `listed_pages` as they were read, and `datum_batches` to publish.
    pub fn of(plan: &Plan, listed_pages: usize, datum_batches: usize) -> Self {
        Self {
            list_metrics: listed_pages,
            get_metric_data: plan.batches().count(),
            metrics_requested: plan.queries.len(),
            put_metric_data: datum_batches,
        }
    }

    /// The pages of a `ListMetrics` call that finds `entries`; an empty answer is a page too.
    pub fn pages(entries: usize) -> usize {
        entries.div_ceil(LISTED_PER_PAGE).max(1)
    }

    /// What `runs` such runs and `custom_metrics` published metrics cost a month, by the
    /// CloudWatch price page: 0.01 USD for 1,000 metrics requested, 0.01 USD for 1,000 other
    /// requests, and for each custom metric 0.30 USD a month up to 10,000 and 0.10 USD beyond.
    pub fn monthly_bill(self, runs: usize, custom_metrics: usize) -> MicroUsd {
        let billed = self.metrics_requested + self.list_metrics + self.put_metric_data;
        let requests = billed.saturating_mul(runs).saturating_mul(10);
        let first = custom_metrics.min(10_000);
        let metrics = first * 300_000 + (custom_metrics - first) * 100_000;
        MicroUsd(i64::try_from(requests.saturating_add(metrics)).unwrap_or(i64::MAX))
    }
}
