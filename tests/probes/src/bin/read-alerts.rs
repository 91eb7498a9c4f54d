//! What reading alerts costs: reads an event of SNS as alert-router does, without AWS, and prints
//! the best processor time of some passes, in seconds.
//!
//!     read-alerts event.json ALERTS
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::fs;
use std::time::Duration;

use domain::alert::parse::{Parsed, open_text, parse};

/// Of which the best counts: the others were disturbed.
const PASSES: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, alerts] = arguments.as_slice() else {
        return Err("needs a file and the number of alerts in it".into());
    };
    let (text, alerts) = (fs::read_to_string(path)?, alerts.parse::<usize>()?);
    let mut best = Duration::MAX;
    for _ in 0..PASSES {
        let before = processor_time()?;
        let read: Vec<Parsed> = open_text(&text).iter().flatten().map(parse).collect();
        best = best.min(processor_time()?.saturating_sub(before));
        let found: usize = read.iter().map(|message| message.alerts.len()).sum();
        if found != alerts {
            return Err(format!("{found} alerts of {alerts}").into());
        }
    }
    println!("{}", best.as_secs_f64());
    Ok(())
}

/// Processor time of this thread, which other work on the machine changes little.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("no processor time")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}
