//! `make bench`: speed, memory, size and calls of the release binaries, in one run on this machine,
//! against the targets. A miss is shown; only what cannot be measured is an error.

mod function;
mod judging;
mod metering;
mod reading;
mod routing;
mod services;
mod start;
mod table;
mod traffic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use services::Services;
use table::{Figures, Measure, Target};
use traffic::Traffic;

use crate::failure::{During, Failure, Outcome};
use crate::functions::{ALERT_ROUTER, CAPACITY_METER, QUALITY_JUDGE};
use crate::progress::Step;
use crate::project;

const MB: f64 = 1e6;

/// Where `cargo lambda build` leaves the functions.
pub fn built_functions() -> PathBuf {
    project::root().join("target/lambda")
}

/// Measures the functions in `functions`. Answers the table and how many targets were missed.
pub async fn run(functions: &Path) -> Outcome<(String, usize)> {
    let binary = built(functions, QUALITY_JUDGE)?;
    let meter = built(functions, CAPACITY_METER)?;
    let router = built(functions, ALERT_ROUTER)?;
    let empty = built(functions, "empty-function")?;
    let probe = built(functions, "read-records")?;
    let alerts_probe = built(functions, "read-alerts")?;
    let folder = project::local().join("bench");
    fs::create_dir_all(&folder).during(format!("create {}", folder.display()))?;
    let services = Services::start()?;
    let mut figures = Figures::default();

    let step = Step::start("start");
    start::measure(&binary, &empty, &services, &mut figures).await?;
    step.done("");

    let step = Step::start("size");
    for (name, binary) in [(QUALITY_JUDGE, &binary), (CAPACITY_METER, &meter), (ALERT_ROUTER, &router)] {
        measure_size(name, binary, &folder, &mut figures)?;
    }
    step.done("");

    let step = Step::start("reading, and reading in Python");
    let rates = reading::measure(&probe, &folder)?;
    let (ours, baseline) = (rates.ours / MB, rates.baseline / MB);
    figures.add("read and check, one core", Measure::new(ours, 0, " MB/s"), Target::AtLeast(200.0));
    figures.add("  the same in plain Python", Measure::new(baseline, 1, " MB/s"), Target::None);
    figures.add("  ours to Python's", Measure::new(ours / baseline, 1, "x"), Target::AtLeast(10.0));
    step.done("");

    let step = Step::start("memory, and reading through the function");
    measure_large(&binary, &services, &mut figures).await?;
    step.done("");

    judging::measure(&binary, &services, &mut figures).await?;
    metering::measure(&meter, &empty, &services, &mut figures).await?;
    routing::measure(&router, &empty, &alerts_probe, &services, &mut figures).await?;
    Ok((figures.to_string(), figures.misses))
}

fn built(functions: &Path, name: &str) -> Outcome<PathBuf> {
    let path = functions.join(name).join("bootstrap");
    if path.exists() {
        return Ok(path);
    }
    Err(Failure(format!("{} is missing: run `make bench`", path.display())))
}

fn measure_size(name: &str, binary: &Path, folder: &Path, figures: &mut Figures) -> Outcome<()> {
    let zip = folder.join(format!("{name}.zip"));
    let made = Command::new(reading::python()).args(["-m", "zipfile", "-c"]).arg(&zip).arg(binary).status();
    if !made.during("zip the function")?.success() {
        return Err(Failure("the function could not be zipped".to_owned()));
    }
    let size = |path: &Path| fs::metadata(path).during(format!("look at {}", path.display()));
    figures.add(format!("{name}.zip"), megabytes(size(&zip)?.len()), Target::AtMost(5.0));
    figures.add("  binary", megabytes(size(binary)?.len()), Target::None);
    Ok(())
}

async fn measure_large(binary: &Path, services: &Services, figures: &mut Figures) -> Outcome<()> {
    let ordinary = Traffic::of_records(500, "o");
    let mut function = function::start(binary, services, &[("SAMPLE_RATE", "0.1")]).await?;
    services.set_judge_delay(Duration::from_millis(5));
    for index in 0..3 {
        function::judge(&mut function, services, &format!("ordinary-{index}"), ordinary.clone()).await?;
    }
    let peak = megabytes(function.peak_memory()?);
    figures.add("peak memory, 500 records, 10 % judged", peak, Target::AtMost(24.0));

    let large = Traffic::of_bytes(200_000_000, "l");
    let bytes = large.bytes();
    for (rate, what) in [("0", "none judged"), ("0.01", "1 % judged")] {
        let mut function = function::start(binary, services, &[("SAMPLE_RATE", rate)]).await?;
        let run = function::judge(&mut function, services, &format!("large-{rate}"), large.clone()).await?;
        let peak = megabytes(function.peak_memory()?);
        figures.add(format!("peak memory, 200 MB, {what}"), peak, Target::AtMost(64.0));
        let rate = reading::rate(bytes, run.processor) / MB;
        let what = format!("  through the function, a second of its CPU, {what}");
        figures.add(what, Measure::new(rate, 0, " MB/s"), Target::None);
        let rate = reading::rate(bytes, run.time) / MB;
        figures.add("  by the clock, server on the same cores", Measure::new(rate, 0, " MB/s"), Target::None);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^53")]
fn megabytes(bytes: u64) -> Measure {
    Measure::new(bytes as f64 / MB, 1, " MB")
}

fn milliseconds(time: Duration) -> Measure {
    Measure::new(time.as_secs_f64() * 1e3, 1, " ms")
}
