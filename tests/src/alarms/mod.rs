//! CloudWatch's part, played for the alarms on a query: evaluates them as `DescribeAlarms` tells of
//! them, over what CloudWatch has, and publishes what it would.
//!
//! Source: CloudWatch user guide, "Create a CloudWatch alarm based on a Metrics Insights query". Each
//! group of the query's answer is a contributor, with a state and notifications of its own.

mod notification;
mod select;

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, MetricDataQuery};
use jiff::Timestamp;

use self::select::Select;
use crate::alert_rules::{Labels, Points, Series, cloudwatch};
use crate::clients::Clients;
use crate::failure::{During, Failure, Outcome};
use crate::stack::{NAME, Stack};

/// A group of the answer to an alarm's query.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributor {
    /// What the query groups by.
    pub attributes: Labels,
    /// Whether enough of its datapoints cross the limit.
    pub is_in_alarm: bool,
    /// In alarm those that cross, the newest first; else the newest.
    pub datapoints: Vec<(i64, f64)>,
}

/// The stack's alarms in CloudWatch.
pub async fn deployed(cloudwatch: &CloudWatch) -> Outcome<Vec<MetricAlarm>> {
    let mut alarms = Vec::new();
    let request = cloudwatch.describe_alarms().alarm_name_prefix(format!("{NAME}-"));
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        alarms.extend(page.during("describe the stack's alarms")?.metric_alarms().to_vec());
    }
    Ok(alarms)
}

/// Those of them that tell the topic of the alerts.
pub async fn of_alerts(cloudwatch: &CloudWatch, stack: &Stack) -> Outcome<Vec<MetricAlarm>> {
    let topic = stack.output("AlertTopicArn")?;
    let mut alarms = deployed(cloudwatch).await?;
    alarms.retain(|alarm| alarm.alarm_actions().iter().any(|action| action == topic));
    Ok(alarms)
}

/// The contributors of `alarm` at this time.
pub async fn contributors(
    cloudwatch: &CloudWatch,
    alarm: &MetricAlarm,
    at: Timestamp,
) -> Outcome<Vec<Contributor>> {
    let (select, period) = (Select::of(alarm)?, period(alarm)?);
    let names = BTreeSet::from([select.metric]);
    let fits =
        |labels: &Labels| labels.keys().map(String::as_str).collect::<BTreeSet<_>>() == select.dimensions;
    let metrics = cloudwatch::list(cloudwatch, select.namespace, &names, fits).await?;
    let range = range(alarm, at.as_second())?;
    let series = cloudwatch::read(cloudwatch, metrics, select.statistic, period, range).await?;
    evaluate(alarm, &series)
}

/// Publishes what CloudWatch does when a contributor comes into its state: to what the alarm itself
/// names.
pub async fn publish(clients: &Clients, alarm: &MetricAlarm, contributor: &Contributor) -> Outcome<()> {
    let message = notification::message(alarm, contributor, Timestamp::now()).to_string();
    let topics = if contributor.is_in_alarm { alarm.alarm_actions() } else { alarm.ok_actions() };
    for topic in topics {
        let request = clients.sns.publish().topic_arn(topic).message(&message);
        request.send().await.during("publish a notification of an alarm")?;
    }
    Ok(())
}

/// The seconds that count: the periods that are over by now.
fn range(alarm: &MetricAlarm, now: i64) -> Outcome<(i64, i64)> {
    let period = i64::from(period(alarm)?);
    let end = now.div_euclid(period) * period;
    Ok((end - period * i64::from(alarm.evaluation_periods().unwrap_or(1)), end))
}

/// What `series`, within the [`range`], are to the alarm.
fn evaluate(alarm: &MetricAlarm, series: &Series) -> Outcome<Vec<Contributor>> {
    if alarm.treat_missing_data() != Some("notBreaching") {
        return Err(strange(alarm, "what a missing datapoint means"));
    }
    let limit = alarm.threshold().ok_or_else(|| strange(alarm, "its limit"))?;
    let crosses: fn(f64, f64) -> bool = match alarm.comparison_operator() {
        Some(ComparisonOperator::GreaterThanThreshold) => |value, limit| value > limit,
        Some(ComparisonOperator::GreaterThanOrEqualToThreshold) => |value, limit| value >= limit,
        Some(ComparisonOperator::LessThanThreshold) => |value, limit| value < limit,
        Some(ComparisonOperator::LessThanOrEqualToThreshold) => |value, limit| value <= limit,
        _ => return Err(strange(alarm, "its comparison")),
    };
    let enough = alarm.datapoints_to_alarm().or(alarm.evaluation_periods()).unwrap_or(1);
    let enough = usize::try_from(enough).during("read how many datapoints are enough")?;
    let of = |(labels, points): &(Labels, Points)| {
        let values = || points.iter().rev().filter_map(|(at, value)| Some((*at, (*value)?)));
        let crossing: Vec<(i64, f64)> = values().filter(|(_, value)| crosses(*value, limit)).collect();
        let is_in_alarm = crossing.len() >= enough;
        let datapoints = if is_in_alarm { crossing } else { values().take(1).collect() };
        Contributor { attributes: labels.clone(), is_in_alarm, datapoints }
    };
    Ok(series.iter().map(of).collect())
}

/// The one query of an alarm.
fn query(alarm: &MetricAlarm) -> Outcome<&MetricDataQuery> {
    let [query] = alarm.metrics() else { return Err(strange(alarm, "what it watches")) };
    Ok(query)
}

fn period(alarm: &MetricAlarm) -> Outcome<i32> {
    query(alarm)?.period().ok_or_else(|| strange(alarm, "its period"))
}

fn strange(alarm: &MetricAlarm, what: &str) -> Failure {
    Failure(format!("{what} is not understood of the alarm {}", alarm.alarm_name().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(expression: &str) -> MetricAlarm {
        let query = MetricDataQuery::builder().id("q1").expression(expression).period(300).build();
        MetricAlarm::builder()
            .alarm_name("low-safety")
            .metrics(query)
            .comparison_operator(ComparisonOperator::LessThanThreshold)
            .threshold(0.85)
            .evaluation_periods(3)
            .datapoints_to_alarm(2)
            .treat_missing_data("notBreaching")
            .build()
    }

    #[test]
    fn each_group_crosses_by_itself_with_enough_datapoints() {
        let alarm = alarm("");
        let series = |name: &str, values: [Option<f64>; 3]| -> (Labels, Points) {
            let labels = Labels::from([("C".to_owned(), name.to_owned())]);
            (labels, [600, 900, 1200].into_iter().zip(values).collect())
        };
        let series = vec![
            series("bad", [Some(0.5), Some(0.9), Some(0.6)]),
            series("good", [Some(0.9), Some(0.9), Some(0.6)]),
            series("at the limit", [Some(0.85), Some(0.85), Some(0.85)]),
            series("seldom", [None, None, Some(0.1)]),
        ];
        let found = evaluate(&alarm, &series).unwrap();
        let states: Vec<(&str, bool)> =
            found.iter().map(|one| (one.attributes["C"].as_str(), one.is_in_alarm)).collect();
        assert_eq!(states, [("bad", true), ("good", false), ("at the limit", false), ("seldom", false)]);
        assert_eq!(found[0].datapoints, [(1200, 0.6), (600, 0.5)]);
        assert_eq!(found[1].datapoints, [(1200, 0.6)]);
        assert_eq!(range(&alarm, 1501).unwrap(), (600, 1500), "the period that runs does not count");
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let mut missing = alarm("");
        missing.treat_missing_data = Some("breaching".to_owned());
        assert!(evaluate(&missing, &Series::new()).is_err());
        for expression in [
            "",
            "m1 / m2",
            "SELECT AVG(a) FROM \"n\"",
            "SELECT AVG(a) FROM SCHEMA(\"n\", D, E) GROUP BY D",
            "SELECT AVG(a) FROM SCHEMA(\"n\", D) GROUP BY D LIMIT 5",
            "SELECT LAST(a) FROM SCHEMA(\"n\", D) GROUP BY D",
        ] {
            assert!(Select::of(&alarm(expression)).is_err(), "{expression}");
        }
        let select = alarm("SELECT MIN(\"a-b\") FROM SCHEMA(\"/n/\", D, E) GROUP BY D, E");
        let select = Select::of(&select).unwrap();
        assert_eq!((select.statistic, select.metric, select.namespace), ("Minimum", "a-b", "/n/"));
        assert_eq!(select.dimensions, BTreeSet::from(["D", "E"]));
    }
}
