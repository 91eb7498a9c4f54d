//! What the probes share.

use std::error::Error;
use std::fs;
use std::time::Duration;

/// Processor time of this thread, which other work on the machine changes little.
///
/// # Errors
/// The system does not tell it.
pub fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("no processor time")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}
