//! What CloudWatch answers to the queries of a rule. `SEARCH` is taken apart into the series that it
//! finds, because the emulator knows no expressions.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use serde_json::Value;

use super::{Firing, text};
use super::{Labels, Points, Query, Series, evaluate, labelled, queries};
use crate::failure::{During, Failure, Outcome};
use crate::results;

/// Queries in one `GetMetricData` call.
const MOST_QUERIES: usize = 500;

/// The instances of `rule` that fire at the second `now`.
pub async fn firing(cloudwatch: &CloudWatch, rule: &Value, now: i64) -> Outcome<Vec<Firing>> {
    let mut answers = BTreeMap::new();
    for query in queries(rule, now)? {
        answers.insert(query.id, ask(cloudwatch, query).await?);
    }
    evaluate(rule, now, &answers)
}

/// The series that one query finds.
pub async fn ask(cloudwatch: &CloudWatch, query: Query<'_>) -> Outcome<Series> {
    let model = query.model;
    let period: i32 = text(&model["period"]).parse().during("read a query's period")?;
    if model["metricEditorMode"] == 1 {
        return code(cloudwatch, query, text(&model["expression"]), period).await;
    }
    let wanted =
        model["dimensions"].as_object().ok_or_else(|| Failure("a query has no dimensions".into()))?;
    let fits = |labels: &Labels| {
        labels.len() == wanted.len()
            && labels.iter().all(|(name, value)| {
                let allowed = wanted.get(name).and_then(Value::as_array).into_iter().flatten();
                allowed.filter_map(Value::as_str).any(|allowed| allowed == "*" || allowed == value)
            })
    };
    let names = BTreeSet::from([text(&model["metricName"])]);
    let metrics = list(cloudwatch, text(&model["namespace"]), &names, fits).await?;
    let found = read(cloudwatch, metrics, text(&model["statistic"]), period, (query.from, query.to)).await?;
    Ok(found.into_iter().map(|(dimensions, points)| (labelled(model, &dimensions), points)).collect())
}

/// `SUM(SEARCH('{namespace,dimensions} MetricName=...', 'Sum', period))`, or the quotient of two.
async fn code(cloudwatch: &CloudWatch, query: Query<'_>, expression: &str, period: i32) -> Outcome<Series> {
    let mut sums = Vec::new();
    for part in expression.split(" / ") {
        sums.push(sum_of_search(cloudwatch, query, part, period).await?);
    }
    let points: Points = match sums.as_slice() {
        [whole] => whole.iter().map(|(at, value)| (*at, Some(*value))).collect(),
        [part, whole] => {
            part.iter().filter_map(|(at, value)| Some((*at, Some(value / whole.get(at)?)))).collect()
        }
        _ => return Err(Failure(format!("the expression {expression} is not understood"))),
    };
    let labels = labelled(query.model, &Labels::new());
    Ok(if points.is_empty() { Series::new() } else { vec![(labels, points)] })
}

async fn sum_of_search(
    cloudwatch: &CloudWatch,
    query: Query<'_>,
    search: &str,
    period: i32,
) -> Outcome<BTreeMap<i64, f64>> {
    let strange = || Failure(format!("the search {search} is not understood"));
    let schema = search.strip_prefix("SUM(SEARCH('{").and_then(|rest| rest.split_once("} MetricName="));
    let (schema, rest) = schema.ok_or_else(strange)?;
    let (names, rest) = rest.split_once('\'').ok_or_else(strange)?;
    if rest != format!(", 'Sum', {period}))") {
        return Err(strange());
    }
    let mut schema = schema.split(',');
    let namespace = schema.next().unwrap_or_default().trim_matches('"');
    let dimensions: BTreeSet<&str> = schema.collect();
    let fits = |labels: &Labels| labels.keys().map(String::as_str).collect::<BTreeSet<_>>() == dimensions;
    // Every second part between quotation marks is a name.
    let names: BTreeSet<&str> = names.split('"').skip(1).step_by(2).collect();
    let metrics = list(cloudwatch, namespace, &names, fits).await?;
    let mut sums = BTreeMap::new();
    for (_, points) in read(cloudwatch, metrics, "Sum", period, (query.from, query.to)).await? {
        for (at, value) in points {
            *sums.entry(at).or_default() += value.unwrap_or_default();
        }
    }
    Ok(sums)
}

/// The metrics of these names whose dimensions fit, with these.
pub(crate) async fn list(
    cloudwatch: &CloudWatch,
    namespace: &str,
    names: &BTreeSet<&str>,
    fits: impl Fn(&Labels) -> bool,
) -> Outcome<Vec<(Labels, Metric)>> {
    let pair = |one: &Dimension| Some((one.name()?.to_owned(), one.value()?.to_owned()));
    let mut found = Vec::new();
    for metric in results::listed(cloudwatch, namespace).await? {
        let labels: Labels = metric.dimensions().iter().filter_map(pair).collect();
        if metric.metric_name().is_some_and(|name| names.contains(name)) && fits(&labels) {
            found.push((labels, metric));
        }
    }
    Ok(found)
}

/// Their datapoints from a second to another, exclusive; what has none is left out.
pub(crate) async fn read(
    cloudwatch: &CloudWatch,
    metrics: Vec<(Labels, Metric)>,
    statistic: &str,
    period: i32,
    (from, to): (i64, i64),
) -> Outcome<Series> {
    let mut series = Series::new();
    for metrics in metrics.chunks(MOST_QUERIES) {
        let ask = |(index, (_, metric)): (usize, &(Labels, Metric))| {
            let stat = MetricStat::builder().metric(metric.clone()).period(period).stat(statistic);
            MetricDataQuery::builder().id(format!("q{index}")).metric_stat(stat.build()).build()
        };
        let mut pages = cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(metrics.iter().enumerate().map(ask).collect()))
            .start_time(DateTime::from_secs(from))
            .end_time(DateTime::from_secs(to))
            .into_paginator()
            .send();
        let mut points: Vec<BTreeMap<i64, f64>> = vec![BTreeMap::new(); metrics.len()];
        while let Some(page) = pages.next().await {
            for result in page.during("read metrics for a rule")?.metric_data_results() {
                let id = result.id().unwrap_or_default().trim_start_matches('q');
                let index: usize = id.parse().during("read a query id")?;
                let pairs =
                    result.timestamps().iter().map(DateTime::secs).zip(result.values().iter().copied());
                points[index].extend(pairs);
            }
        }
        let some = metrics.iter().zip(points).filter(|(_, points)| !points.is_empty());
        series.extend(some.map(|((labels, _), points)| {
            (labels.clone(), points.into_iter().map(|(at, value)| (at, Some(value))).collect())
        }));
    }
    Ok(series)
}
