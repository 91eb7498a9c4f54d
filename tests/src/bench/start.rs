//! From the start of the process to its first poll, beside a function that does nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::services::Services;
use super::table::{Figures, Measure, Target};
use super::traffic::Traffic;
use super::{function, milliseconds};
use crate::failure::{Failure, Outcome};
use crate::loopback::{CAPTURES, key, notification};
use crate::runtime_api::{Answer, Function};

const STARTS: usize = 21;
const FIRST_RECORDS: usize = 5;
const LONG: Duration = Duration::from_secs(20);

pub(super) async fn measure(
    binary: &Path,
    empty: &Path,
    services: &Services,
    figures: &mut Figures,
) -> Outcome<()> {
    let variables = function::variables(services, &[]);
    to_first_poll("start to first poll", (binary, &variables), empty, figures).await?;
    for (delay, limit) in [(500, 600.0), (0, 100.0)] {
        services.set_judge_delay(Duration::from_millis(delay));
        let mut times = Vec::new();
        for index in 0..FIRST_RECORDS {
            times.push(first_records(binary, services, &format!("first-{delay}-{index}")).await?);
        }
        let what = format!("start to 3 records judged, judge of {delay} ms");
        figures.add(what, milliseconds(median(times)), Target::AtMost(limit));
    }
    Ok(())
}

/// Compares a function's start with that of one that does nothing.
pub(super) async fn to_first_poll(
    what: &str,
    (binary, variables): (&Path, &BTreeMap<String, String>),
    empty: &Path,
    figures: &mut Figures,
) -> Outcome<()> {
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    // In turn, so that other work on the machine slows both.
    for _ in 0..STARTS {
        ours.push(Function::start(binary, variables).await?.ready(LONG).await?);
        floor.push(Function::start(empty, &BTreeMap::new()).await?.ready(LONG).await?);
    }
    let (ours, floor) = (median(ours), median(floor));
    figures.add(what, milliseconds(ours), Target::None);
    figures.add("  of a function that does nothing", milliseconds(floor), Target::None);
    let ratio = ours.as_secs_f64() / floor.as_secs_f64();
    figures.add("  ours to that", Measure::new(ratio, 2, "x"), Target::AtMost(1.5));
    Ok(())
}

async fn first_records(binary: &Path, services: &Services, name: &str) -> Outcome<Duration> {
    let key = key(name);
    services.put(&key, Traffic::of_records(3, "f"));
    let started = Instant::now();
    let mut function = function::start(binary, services, &[]).await?;
    let answer = function.invoke(&notification(CAPTURES, &key, None), LONG).await?;
    let time = started.elapsed();
    match answer {
        Answer::Response(summary) if summary["outcomes"]["scored"] == 3 => Ok(time),
        other => Err(Failure(format!("the first three records were not judged: {other:?}"))),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
