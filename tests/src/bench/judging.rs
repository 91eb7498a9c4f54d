//! A judge that takes half a second: how near the function comes to the ideal rate, what a judged
//! record costs of the processor, and how many calls an invocation makes.

use std::path::Path;
use std::time::Duration;

use super::function::{self, Run};
use super::services::Services;
use super::table::{Figures, Measure, Target};
use super::traffic::Traffic;
use crate::failure::Outcome;
use crate::progress::Step;

const JUDGE: Duration = Duration::from_millis(500);
const CONCURRENCIES: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
/// The function's own setting where none is given.
const DEFAULT: u32 = 16;
/// Rounds of half a second. Many, because the time to open, store and publish an object comes
/// once, whatever the number of its records.
const ROUNDS: u32 = 20;
/// A CloudWatch request takes this many datums.
const DATUMS: u64 = 1000;

pub(super) async fn measure(binary: &Path, services: &Services, figures: &mut Figures) -> Outcome<()> {
    services.set_judge_delay(JUDGE);
    let ideal = JUDGE * ROUNDS;
    let mut default = None;
    let mut last = None;
    for concurrency in CONCURRENCIES {
        let step = Step::start(format!("a judge of 500 ms, {concurrency} at once"));
        let records = concurrency * ROUNDS;
        let mut function =
            function::start(binary, services, &[("JUDGE_CONCURRENCY", &concurrency.to_string())]).await?;
        function.ready(Duration::from_secs(20)).await?;
        let name = format!("judged-{concurrency}");
        let traffic = Traffic::of_records(records as usize, &format!("j{concurrency}"));
        let run = function::judge(&mut function, services, &name, traffic).await?;
        let share = Measure::new(100.0 * ideal.as_secs_f64() / run.time.as_secs_f64(), 1, " %");
        figures.add(format!("of the ideal rate, {concurrency} at once"), share, Target::AtLeast(95.0));
        step.done(format!("{:.2} s for {records} records", run.time.as_secs_f64()));
        if concurrency == DEFAULT {
            default = Some(run.clone());
        }
        last = Some(run);
    }
    // Of the largest run, because the process's clock counts in steps of 10 ms.
    if let Some(run) = last {
        let each = run.processor.as_secs_f64() * 1e3 / count(run.count("/selected"));
        figures.add("CPU for a judged record", Measure::new(each, 2, " ms"), Target::AtMost(0.5));
    }
    if let Some(run) = default {
        add_calls(&run, figures);
    }
    Ok(())
}

fn add_calls(run: &Run, figures: &mut Figures) {
    let samples = run.count("/selected");
    let calls = |operation| count(run.calls(operation));
    let per_sample = calls("Converse") / count(samples);
    figures.add("Converse calls for a sample", Measure::new(per_sample, 2, ""), Target::AtMost(1.0));
    figures.add(
        "GetObject calls for an object",
        Measure::new(calls("GetObject"), 0, ""),
        Target::AtMost(1.0),
    );
    let published = run.count("/datums");
    let what = format!("PutMetricData calls for {published} datums");
    let least = count(published.div_ceil(DATUMS));
    figures.add(what, Measure::new(calls("PutMetricData"), 0, ""), Target::AtMost(least));
    // The state table's calls and the verdict files.
    for operation in ["UpdateItem", "BatchGetItem", "BatchWriteItem", "PutObject"] {
        let what = format!("{operation} calls for {samples} samples");
        figures.add(what, Measure::new(calls(operation), 0, ""), Target::None);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}
