//! How long an invocation may still take.

use std::time::{Duration, SystemTime};

/// Lambda gives no function more.
const MOST: Duration = Duration::from_mins(15);

/// The time until `deadline`, which comes with each event; nothing when it has passed.
///
/// Lambda names a point in time. `cargo lambda watch` names the time that is left, ten minutes: as a
/// point in time that is long gone, and a function that believes it does nothing.
pub fn time_left(deadline: SystemTime) -> Duration {
    left_at(SystemTime::now(), deadline)
}

fn left_at(now: SystemTime, deadline: SystemTime) -> Duration {
    match deadline.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(left) if left <= MOST => left,
        _ => deadline.duration_since(now).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_point_in_time_or_the_time_that_is_left() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_498_601);
        assert_eq!(left_at(now, now + Duration::from_mins(3)), Duration::from_mins(3));
        assert_eq!(left_at(now, now - Duration::from_mins(3)), Duration::ZERO);
        let of_cargo_lambda = SystemTime::UNIX_EPOCH + Duration::from_mins(10);
        assert_eq!(left_at(now, of_cargo_lambda), Duration::from_mins(10));
    }
}
