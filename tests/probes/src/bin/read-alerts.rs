//! What reading alerts costs: reads an event of SNS as alert-router does, without AWS, and prints
//! the best processor time of some passes, in seconds.
//!
//!     read-alerts event.json ALERTS
//!
//! Without arguments: how many times longer eight times the text takes, at worst over texts that are
//! made to take long.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::fs;
use std::time::Duration;

use domain::alert::parse::{Parsed, open_text, parse};
use probes::processor_time;

/// Of which the best counts: the others were disturbed.
const PASSES: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [path, alerts] => {
            let (time, found) = read(&fs::read_to_string(path)?);
            if found != alerts.parse::<usize>()? {
                return Err(format!("{found} alerts of {alerts}").into());
            }
            println!("{}", time.as_secs_f64());
        }
        [] => println!("{}", worst_growth()?),
        _ => return Err("needs a file and the number of alerts in it, or nothing".into()),
    }
    Ok(())
}

/// The best time, and how many alerts there are.
fn read(event: &str) -> (Duration, usize) {
    let (mut best, mut found) = (Duration::MAX, 0);
    for _ in 0..PASSES {
        let before = processor_time();
        let read: Vec<Parsed> = open_text(event).iter().flatten().map(parse).collect();
        best = best.min(processor_time().saturating_sub(before));
        found = read.iter().map(|message| message.alerts.len()).sum();
    }
    (best, found)
}

/// Beginnings, and what is repeated after them: those that the parser is tested with.
const HOSTILE: &str = include_str!("../../../../shared/domain/src/alert/parse/tests/hostile.json");

fn worst_growth() -> Result<f64, Box<dyn Error>> {
    let mut worst: f64 = 0.0;
    for (start, unit) in serde_json::from_str::<Vec<(String, String)>>(HOSTILE)? {
        let message = |length: usize| start.clone() + &unit.repeat(length / unit.len());
        let (short, long) = (read(&message(32_768)).0, read(&message(262_144)).0);
        worst = worst.max(long.as_secs_f64() / short.as_secs_f64());
    }
    Ok(worst)
}
