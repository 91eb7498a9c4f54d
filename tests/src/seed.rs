//! Publishes what the fleet of a scenario would have published, into the CloudWatch of the emulator
//! or of the stand-ins.

use std::fmt;

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::failure::{During, Outcome};
use crate::progress::Step;
use crate::scenario::{Scenario, Series, series};

/// How far back to publish: the meter looks back 17 minutes at most.
pub const MINUTES: i64 = 20;

/// Datums in a call of `PutMetricData` (API reference).
const MOST_DATUMS: usize = 1000;
/// Values in a datum (API reference).
const MOST_VALUES: usize = 150;
/// What is published more often than once a minute is kept at one second.
const HIGH_RESOLUTION: i32 = 1;
const MINUTE: u32 = 60;

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seeded {
    /// Series.
    pub series: usize,
    /// Datums.
    pub datums: usize,
    /// Calls of `PutMetricData`.
    pub calls: usize,
}

/// Publishes the last [`MINUTES`] before `now`, and shows the progress.
///
/// # Errors
/// A fleet that cannot be placed, or what CloudWatch says.
pub async fn seed(
    cloudwatch: &aws_sdk_cloudwatch::Client,
    scenario: &Scenario,
    now: Timestamp,
) -> Outcome<Seeded> {
    let mut step = Step::start("publish the fleet's metrics");
    let from = now - SignedDuration::from_mins(MINUTES);
    let seeded = publish(cloudwatch, scenario, from, now, |so_far| step.tick(so_far)).await?;
    step.done(seeded);
    Ok(seeded)
}

/// Publishes what the fleet published after `from` and until `until`, which is its present: a test
/// can seed one fleet up to some moment and another one from there.
///
/// # Errors
/// As [`seed`].
pub async fn seed_between(
    cloudwatch: &aws_sdk_cloudwatch::Client,
    scenario: &Scenario,
    from: Timestamp,
    until: Timestamp,
) -> Outcome<Seeded> {
    publish(cloudwatch, scenario, from, until, |_| ()).await
}

async fn publish(
    cloudwatch: &aws_sdk_cloudwatch::Client,
    scenario: &Scenario,
    from: Timestamp,
    until: Timestamp,
    mut tell: impl FnMut(Seeded),
) -> Outcome<Seeded> {
    let all = series(scenario)?;
    let mut seeded = Seeded { series: all.len(), ..Seeded::default() };
    for namespace in namespaces(&all) {
        let own = all.iter().filter(|one| one.namespace == namespace);
        let datums: Vec<MetricDatum> =
            own.flat_map(|one| datums(one, from.as_second(), until.as_second())).collect();
        for chunk in datums.chunks(MOST_DATUMS) {
            let request = cloudwatch.put_metric_data().namespace(namespace);
            let request = request.set_metric_data(Some(chunk.to_vec()));
            request.send().await.during(format!("publish {namespace}"))?;
            seeded.calls += 1;
            seeded.datums += chunk.len();
            tell(seeded);
        }
    }
    Ok(seeded)
}

impl fmt::Display for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} series, {} datums in {} calls", self.series, self.datums, self.calls)
    }
}

fn namespaces(all: &[Series]) -> impl Iterator<Item = &'static str> {
    let names: std::collections::BTreeSet<&'static str> = all.iter().map(|one| one.namespace).collect();
    names.into_iter()
}

/// The datums of a series after `from` and until `until`, seconds since 1970.
fn datums(series: &Series, from: i64, until: i64) -> impl Iterator<Item = MetricDatum> {
    let frequency = i64::from(series.frequency);
    let first = (from.div_euclid(frequency) + 1) * frequency;
    let times = (0..).map(move |index| first + index * frequency).take_while(move |time| *time <= until);
    times.filter(move |time| series.is_running(*time, until)).flat_map(move |time| {
        let samples = series.samples(time);
        samples.chunks(MOST_VALUES).map(|chunk| datum(series, time, chunk)).collect::<Vec<_>>()
    })
}

fn datum(series: &Series, time: i64, samples: &[crate::scenario::Sample]) -> MetricDatum {
    let dimension = |(name, value): &(&str, String)| Dimension::builder().name(*name).value(value).build();
    let resolution = (series.frequency < MINUTE).then_some(HIGH_RESOLUTION);
    MetricDatum::builder()
        .metric_name(series.metric)
        .set_dimensions(Some(series.dimensions.iter().map(dimension).collect()))
        .unit(StandardUnit::from(series.unit))
        .timestamp(DateTime::from_secs(time))
        .set_values(Some(samples.iter().map(|sample| sample.value).collect()))
        .set_counts(Some(samples.iter().map(|sample| sample.count).collect()))
        .set_storage_resolution(resolution)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::generated;

    #[test]
    fn datums_lie_within_the_time_and_within_the_limits() {
        let scenario = generated(1, 200, 1);
        let all = series(&scenario).unwrap();
        let (from, until) = (1_790_000_001, 1_790_000_121);
        let longest = all.iter().flat_map(|one| datums(one, from, until)).map(|it| it.values().len()).max();
        assert_eq!(longest, Some(25), "a roll-up over the instances");
        for one in &all {
            for datum in datums(one, from, until) {
                let at = datum.timestamp().unwrap().secs();
                assert!(from < at && at <= until && at % 60 == 0, "{at}");
                assert!(datum.values().len() <= MOST_VALUES && datum.values().len() == datum.counts().len());
            }
        }
    }
}
