//! What the probes share.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time of this thread, which other work on the machine changes little.
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}
