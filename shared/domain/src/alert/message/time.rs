//! Points in time and durations, for people.

use jiff::{SignedDuration, Timestamp};

/// `2026-03-02 09:15 UTC`
pub(super) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The two largest units: `35 s`, `35 min`, `2 h 5 min`, `3 d 4 h`.
pub(super) fn duration(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{large} {large_unit}")
        } else {
            format!("{large} {large_unit} {small} {small_unit}")
        }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(utc("2026-03-02T09:15:59.5Z".parse().unwrap()), "2026-03-02 09:15 UTC");
        for (seconds, expected) in [
            (-5, "0 s"),
            (35, "35 s"),
            (2_140, "35 min"),
            (7_500, "2 h 5 min"),
            (7_200, "2 h"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
