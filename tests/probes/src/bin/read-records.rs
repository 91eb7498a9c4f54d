//! What a record costs that is not judged: reads a file of capture records step by step as
//! quality-judge's `reading.rs` does, without AWS, and prints the best processor time of some
//! passes, in seconds.
//!
//!     read-records captures.jsonl OBJECT-KEY
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::fs;
use std::time::Duration;

use domain::capture::{CaptureKey, CaptureRecord, Exchange};
use domain::check::findings;
use domain::fleet::{self, Fleet};
use domain::metric::{self, MetricValue, Row, Tally};
use domain::sampling;
use probes::processor_time;

/// Of which the best counts: the others were disturbed.
const PASSES: usize = 3;
const SAMPLE_RATE: f64 = 0.1;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, object_key] = arguments.as_slice() else { return Err("needs a file and a key".into()) };
    let text = fs::read(path)?;
    let fleet = Fleet::from_toml("config/fleet.toml", fleet::SHIPPED)?;
    let key = CaptureKey::parse(object_key)?;
    let lines = memchr::memchr_iter(b'\n', &text).count() as u64;
    let mut best = Duration::MAX;
    for _ in 0..PASSES {
        let before = processor_time();
        let read = read_all(&text, &fleet, &key, object_key);
        best = best.min(processor_time().saturating_sub(before));
        if read != lines {
            return Err(format!("{read} exchanges in {lines} lines").into());
        }
    }
    println!("{}", best.as_secs_f64());
    Ok(())
}

/// How many exchanges were read.
fn read_all(text: &[u8], fleet: &Fleet, key: &CaptureKey, object_key: &str) -> u64 {
    let mut unlisted = fleet.unlisted_limit();
    let mut tally = Tally::default();
    let (mut exchanges, mut selected) = (0, 0);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text) {
        let line = &text[start..end];
        start = end + 1;
        if domain::capture::is_blank(line) {
            continue;
        }
        let Ok(record) = CaptureRecord::parse(line) else { continue };
        let Ok(conversation) = record.decode() else { continue };
        let model = conversation.model.as_deref();
        let attribution = fleet.attribute(&key.endpoint, object_key, &record, model);
        let attribution = unlisted.admit(&key.endpoint, attribution);
        let subject = metric::Subject {
            endpoint: key.endpoint.clone(),
            component: attribution.component,
            at: record.inference_time,
        };
        selected += u64::from(sampling::position(&record.event_id) < SAMPLE_RATE);
        let mut row = Row::default();
        for exchange in &conversation.exchanges {
            exchanges += 1;
            count(exchange, &mut row);
        }
        tally.add_row(&subject, row);
    }
    // Both are used, so that no optimiser leaves their making out.
    if tally.is_empty() || selected == 0 { 0 } else { exchanges }
}

fn count(exchange: &Exchange<'_>, row: &mut Row) {
    row.observe(metric::RECORDS, 1.into());
    for check in findings(exchange).iter() {
        row.count(check.metric_name());
    }
    let usage = exchange.usage.unwrap_or_default();
    if let Some(tokens) = usage.prompt_tokens {
        row.observe(metric::PROMPT_TOKENS, MetricValue::count(tokens));
    }
    if let Some(tokens) = usage.completion_tokens {
        row.observe(metric::COMPLETION_TOKENS, MetricValue::count(tokens));
    }
}
