//! CloudWatch, as far as the meter needs it and with the limits that the emulator does not have:
//! pages of `ListMetrics` and `GetMetricData`, 500 queries, exact sets of dimensions, newest
//! datapoints first. The series of the scenario are computed for the moment of the call, so that it
//! is fast whatever the size of the fleet; what `PutMetricData` brings can be read back.
//!
//! Format: RPC v2 CBOR, seen here as JSON ([`super::wire`]); members as in the service model of
//! 2010-08-01, limits as in the API reference.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::stage::{Play, Stage, error, page};
use super::{Call, Reply, StandIn};

const PREFIX: &str = "/service/GraniteServiceVersion20100801/operation/";
const MOST_QUERIES: usize = 500;
const MOST_DATUMS: usize = 1000;
const MOST_FILTERS: usize = 10;
const RECENT_MINUTES: u32 = 180;

/// Namespace, name and sorted dimensions of a metric.
type Key = (String, String, Vec<(String, String)>);

/// CloudWatch.
#[derive(Debug)]
pub(super) struct CloudWatch {
    stage: Stage,
    published: Mutex<BTreeMap<Key, Vec<Point>>>,
    index: Mutex<Option<Index>>,
}

/// Where the series of a scenario are, by their keys.
#[derive(Debug, Clone)]
struct Index {
    play: Arc<Play>,
    places: Arc<HashMap<Key, usize>>,
}

/// A value at a time, and how often it was sampled.
#[derive(Debug, Clone, Copy)]
struct Point {
    time: i64,
    value: f64,
    count: f64,
}

impl CloudWatch {
    pub(super) fn new(stage: Stage) -> Self {
        Self { stage, published: Mutex::default(), index: Mutex::default() }
    }

    fn index(&self) -> Index {
        let play = self.stage.now();
        let mut known = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(index) if Arc::ptr_eq(&index.play, &play) => index.clone(),
            _ => {
                let key = |one: &crate::scenario::Series| {
                    let dimensions =
                        one.dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                    key(one.namespace, one.metric, dimensions.collect())
                };
                let places = play.series.iter().enumerate().map(|(place, one)| (key(one), place)).collect();
                let index = Index { play, places: Arc::new(places) };
                *known = Some(index.clone());
                index
            }
        }
    }
}

fn key(namespace: &str, metric: &str, mut dimensions: Vec<(String, String)>) -> Key {
    dimensions.sort_unstable();
    (namespace.to_owned(), metric.to_owned(), dimensions)
}

impl StandIn for CloudWatch {
    fn name(&self) -> &'static str {
        "cloudwatch"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with(PREFIX)
    }

    fn answer(&self, call: &Call) -> Reply {
        let request: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let now = Timestamp::now().as_second();
        let answer = match call.path.strip_prefix(PREFIX).unwrap_or_default() {
            "ListMetrics" => self.list_metrics(&request),
            "GetMetricData" => self.get_metric_data(&request, now),
            "PutMetricData" => self.put_metric_data(&request, now),
            other => Err(format!("{other} is not played here")),
        };
        match answer {
            Ok(body) => Reply::json(200, &body),
            Err(message) => error(400, "InvalidParameterValueException", message),
        }
    }
}

type Answer = Result<Value, String>;

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn array<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn dimensions(of: &Value) -> Vec<(String, String)> {
    let pair = |dimension: &Value| (text(dimension, "Name").to_owned(), text(dimension, "Value").to_owned());
    array(of, "Dimensions").iter().map(pair).collect()
}

fn seconds(request: &Value, member: &str) -> Result<i64, String> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let whole = |time: f64| time.floor() as i64;
    request.get(member).and_then(Value::as_f64).map(whole).ok_or(format!("{member} is missing"))
}

impl CloudWatch {
    // --- ListMetrics --------------------------------------------------------------------------

    fn list_metrics(&self, request: &Value) -> Answer {
        let filters = array(request, "Dimensions");
        if filters.len() > MOST_FILTERS {
            return Err(format!("more than {MOST_FILTERS} dimension filters"));
        }
        let (namespace, metric) = (text(request, "Namespace"), text(request, "MetricName"));
        let is_recent = text(request, "RecentlyActive") == "PT3H";
        let is_named = |own_namespace: &str, own_metric: &str| {
            (namespace.is_empty() || namespace == own_namespace)
                && (metric.is_empty() || metric == own_metric)
        };
        let is_wanted = |own: &[(&str, &str)]| {
            filters.iter().all(|filter| {
                let (name, value) = (text(filter, "Name"), text(filter, "Value"));
                own.iter().any(|(own_name, own_value)| {
                    *own_name == name && (value.is_empty() || *own_value == value)
                })
            })
        };
        let play = self.stage.now();
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let of_scenario = play.series.iter().filter(|one| {
            is_named(one.namespace, one.metric)
                && (!is_recent || one.stopped_minutes_ago.is_none_or(|minutes| minutes < RECENT_MINUTES))
        });
        let of_scenario = of_scenario.map(|one| Entry {
            namespace: one.namespace,
            metric: one.metric,
            dimensions: one.dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect(),
        });
        let of_published = published.keys().filter(|(namespace, metric, _)| is_named(namespace, metric));
        let of_published = of_published.map(|(namespace, metric, dimensions)| Entry {
            namespace,
            metric,
            dimensions: dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        });
        let all = of_scenario.chain(of_published);
        let found: Vec<Entry<'_>> = all.filter(|entry| is_wanted(&entry.dimensions)).collect();
        let token = request.get("NextToken").and_then(Value::as_str);
        let (metrics, next) = page(&found, token, play.scenario.listed_per_page)?;
        let metrics: Vec<Value> = metrics.iter().map(Entry::shown).collect();
        Ok(with_token(json!({"Metrics": metrics}), next))
    }

    // --- GetMetricData ------------------------------------------------------------------------

    fn get_metric_data(&self, request: &Value, now: i64) -> Answer {
        let queries = array(request, "MetricDataQueries");
        if queries.is_empty() || queries.len() > MOST_QUERIES {
            return Err(format!("{} queries; 1 to {MOST_QUERIES} are allowed", queries.len()));
        }
        let (start, end) = (seconds(request, "StartTime")?, seconds(request, "EndTime")?);
        if start >= end {
            return Err("StartTime must be less than EndTime".to_owned());
        }
        let index = self.index();
        let most = index.play.scenario.datapoints_per_page;
        let most = request
            .get("MaxDatapoints")
            .and_then(Value::as_u64)
            .map_or(most, |own| most.min(usize::try_from(own).unwrap_or(usize::MAX)));
        let is_ascending = text(request, "ScanBy") == "TimestampAscending";
        let mut results = Vec::new();
        // A token is the query and the datapoint to go on with.
        let (mut place, mut skip) = read_token(request, queries.len())?;
        let mut left = most.max(1);
        while place < queries.len() && left > 0 {
            let query = Query::read(&queries[place])?;
            let mut points = self.datapoints(&index, &query, start, end, now);
            if !is_ascending {
                points.reverse();
            }
            let rest = points.get(skip..).unwrap_or_default();
            let taken = &rest[..rest.len().min(left)];
            let is_whole = taken.len() == rest.len();
            results.push(json!({
                "Id": query.id,
                "Label": query.metric,
                "StatusCode": if is_whole { "Complete" } else { "PartialData" },
                "Timestamps": taken.iter().map(|(time, _)| *time).collect::<Vec<_>>(),
                "Values": taken.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            }));
            left -= taken.len();
            (place, skip) = if is_whole { (place + 1, 0) } else { (place, skip + taken.len()) };
        }
        let next = (place < queries.len()).then(|| format!("query-{place}-{skip}"));
        Ok(with_token(json!({"MetricDataResults": results, "Messages": []}), next))
    }

    /// Start and value of each period with samples, oldest first.
    fn datapoints(
        &self,
        index: &Index,
        query: &Query<'_>,
        start: i64,
        end: i64,
        now: i64,
    ) -> Vec<(i64, f64)> {
        let mut periods: BTreeMap<i64, Statistics> = BTreeMap::new();
        let mut add = |point: Point| {
            let period = point.time.div_euclid(query.period) * query.period;
            periods.entry(period).or_default().add(point);
        };
        let wanted = key(query.namespace, query.metric, query.dimensions.clone());
        if let Some(series) = index.places.get(&wanted).and_then(|place| index.play.series.get(*place)) {
            let frequency = i64::from(series.frequency);
            let first = -(-start).div_euclid(frequency) * frequency;
            let times = (0..).map(|step| first + step * frequency).take_while(|time| *time < end);
            for time in times.filter(|time| series.is_running(*time, now)) {
                for sample in series.samples(time) {
                    add(Point { time, value: sample.value, count: sample.count });
                }
            }
        }
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let own = published.get(&wanted).into_iter().flatten();
        own.filter(|point| start <= point.time && point.time < end).for_each(|point| add(*point));
        let value = |(period, statistics): (i64, Statistics)| (period, statistics.of(query.statistic));
        periods.into_iter().map(value).collect()
    }

    // --- PutMetricData ------------------------------------------------------------------------

    fn put_metric_data(&self, request: &Value, now: i64) -> Answer {
        let (namespace, datums) = (text(request, "Namespace"), array(request, "MetricData"));
        if namespace.is_empty() || datums.len() > MOST_DATUMS {
            return Err(format!("{} datums for {namespace:?}; 1000 are allowed", datums.len()));
        }
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        for datum in datums {
            let time = seconds(datum, "Timestamp").unwrap_or(now);
            let numbers =
                |member: &str| array(datum, member).iter().filter_map(Value::as_f64).collect::<Vec<f64>>();
            let (mut values, mut counts) = (numbers("Values"), numbers("Counts"));
            values.extend(datum.get("Value").and_then(Value::as_f64));
            counts.resize(values.len(), 1.0);
            let key = key(namespace, text(datum, "MetricName"), dimensions(datum));
            let points = values.into_iter().zip(counts).map(|(value, count)| Point { time, value, count });
            published.entry(key).or_default().extend(points);
        }
        Ok(json!({}))
    }
}

/// A metric as it is listed.
#[derive(Clone)]
struct Entry<'a> {
    namespace: &'a str,
    metric: &'a str,
    dimensions: Vec<(&'a str, &'a str)>,
}

impl Entry<'_> {
    fn shown(&self) -> Value {
        let dimension = |(name, value): &(&str, &str)| json!({"Name": name, "Value": value});
        let dimensions: Vec<Value> = self.dimensions.iter().map(dimension).collect();
        json!({"Namespace": self.namespace, "MetricName": self.metric, "Dimensions": dimensions})
    }
}

fn with_token(mut body: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        body["NextToken"] = Value::String(next);
    }
    body
}

fn read_token(request: &Value, queries: usize) -> Result<(usize, usize), String> {
    let Some(token) = request.get("NextToken").and_then(Value::as_str) else { return Ok((0, 0)) };
    let numbers = token.strip_prefix("query-").and_then(|rest| rest.split_once('-'));
    let numbers = numbers.and_then(|(query, point)| Some((query.parse().ok()?, point.parse().ok()?)));
    numbers.filter(|(query, _)| *query < queries).ok_or("the token is not valid".to_owned())
}

/// A query for one metric.
struct Query<'a> {
    id: &'a str,
    namespace: &'a str,
    metric: &'a str,
    dimensions: Vec<(String, String)>,
    period: i64,
    statistic: &'a str,
}

impl<'a> Query<'a> {
    fn read(query: &'a Value) -> Result<Self, String> {
        let id = text(query, "Id");
        if !id.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(format!("the id {id:?} does not start with a lowercase letter"));
        }
        let stat = query.get("MetricStat").ok_or(format!("{id}: expressions are not played here"))?;
        let metric = stat.get("Metric").ok_or(format!("{id}: Metric is missing"))?;
        let period = stat.get("Period").and_then(Value::as_i64).unwrap_or_default();
        if ![1, 5, 10, 20, 30].contains(&period) && (period < 60 || period % 60 != 0) {
            return Err(format!("{id}: the period {period} is not valid"));
        }
        let statistic = text(stat, "Stat");
        if !["SampleCount", "Sum", "Average", "Minimum", "Maximum"].contains(&statistic) {
            return Err(format!("{id}: the statistic {statistic:?} is not played here"));
        }
        let (namespace, dimensions) = (text(metric, "Namespace"), dimensions(metric));
        Ok(Self { id, namespace, metric: text(metric, "MetricName"), dimensions, period, statistic })
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Statistics {
    count: f64,
    sum: f64,
    least: Option<f64>,
    most: Option<f64>,
}

impl Statistics {
    fn add(&mut self, point: Point) {
        self.count += point.count;
        self.sum += point.value * point.count;
        self.least = Some(self.least.map_or(point.value, |least| least.min(point.value)));
        self.most = Some(self.most.map_or(point.value, |most| most.max(point.value)));
    }

    fn of(&self, statistic: &str) -> f64 {
        match statistic {
            "SampleCount" => self.count,
            "Sum" => self.sum,
            "Minimum" => self.least.unwrap_or_default(),
            "Maximum" => self.most.unwrap_or_default(),
            _ => self.sum / self.count,
        }
    }
}
