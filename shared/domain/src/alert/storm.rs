//! Too many messages: what is told by itself, what shares a summary, and how fast a destination
//! may be called. Plain data for the state table, so that all invocations count together.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::AlertKey;

/// The new alerts of one route in one minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StormWindow {
    /// Counts changes, for conditional writes.
    pub version: u64,
    /// The start of the minute.
    pub minute: Timestamp,
    /// Those that have messages of their own.
    single: BTreeSet<AlertKey>,
    /// Those that share the summary.
    shared: BTreeSet<AlertKey>,
    /// How many more share it, beyond those that are remembered.
    more: u64,
}

/// The most keys that are remembered for a summary; beyond, they are only counted.
const MOST_SHARED: usize = 2_000;

/// How a new alert is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Admission {
    /// By a message of its own.
    Alone,
    /// By the summary of its minute.
    InSummary {
        /// Whether the summary is begun by it; else it is edited.
        is_first: bool,
        /// How many alerts it stands for.
        count: u64,
    },
}

/// How a new alert of a route is told, where `most` get messages of their own in a minute. Asked
/// again about the same alert in the same minute, as after a conflict or a retry, the answer is
/// the same.
pub fn admit(
    window: Option<StormWindow>,
    key: &AlertKey,
    most: u32,
    now: Timestamp,
) -> (StormWindow, Admission) {
    let minute = minute_of(now);
    let mut window = window.filter(|window| window.minute == minute).unwrap_or_else(|| StormWindow {
        version: 0,
        minute,
        single: BTreeSet::new(),
        shared: BTreeSet::new(),
        more: 0,
    });
    window.version += 1;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if window.single.contains(key) {
        return (window, Admission::Alone);
    }
    if window.shared.is_empty() && window.single.len() < most {
        window.single.insert(key.clone());
        return (window, Admission::Alone);
    }
    let is_first = window.shared.is_empty() || window.shared.first() == Some(key) && window.shared.len() == 1;
    if !window.shared.contains(key) {
        if window.shared.len() < MOST_SHARED {
            window.shared.insert(key.clone());
        } else {
            window.more += 1;
        }
    }
    let count = window.count();
    (window, Admission::InSummary { is_first, count })
}

impl StormWindow {
    /// How many alerts share the summary.
    pub fn count(&self) -> u64 {
        u64::try_from(self.shared.len()).unwrap_or(u64::MAX).saturating_add(self.more)
    }

    /// The alerts that share the summary, up to 2,000.
    pub fn shared(&self) -> impl Iterator<Item = &AlertKey> {
        self.shared.iter()
    }

    /// When the window may be forgotten.
    pub fn expires_at(&self) -> Timestamp {
        self.minute.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
    }
}

/// The start of the minute, which names a window in the state table.
pub fn minute_of(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now)
}

/// How fast a service may be called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Calls in a second, on average.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: f64,
}

impl Rate {
    /// So many in a second, one after the other.
    pub const fn per_second(number: f64) -> Self {
        Self { per_second: number, burst: 1.0 }
    }

    /// So many in any 60 seconds: a burst of half of them, the other half spread over the minute.
    pub fn per_minute(number: f64) -> Self {
        Self { per_second: number / 120.0, burst: (number / 2.0).max(1.0) }
    }
}

/// How many calls a destination may get now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TokenBucket {
    /// Counts changes, for conditional writes.
    pub version: u64,
    tokens: f64,
    at: Timestamp,
}

impl TokenBucket {
    /// Takes leave for one call.
    ///
    /// # Errors
    /// How long to wait when there is none.
    pub fn take(bucket: Option<Self>, rate: Rate, now: Timestamp) -> Result<Self, SignedDuration> {
        let burst = rate.burst.max(1.0);
        let full = Self { version: 0, tokens: burst, at: now };
        let before = bucket.unwrap_or(full);
        // A clock that went back gives nothing.
        let passed = now.duration_since(before.at).as_secs_f64().max(0.0);
        let tokens = (before.tokens + passed * rate.per_second).min(burst);
        if tokens >= 1.0 {
            let at = before.at.max(now);
            return Ok(Self { version: before.version + 1, tokens: tokens - 1.0, at });
        }
        let seconds = ((1.0 - tokens) / rate.per_second.max(1e-9)).min(86_400.0);
        Err(SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::from_hours(24)))
    }

    /// Empties the bucket for as long as a service asked for (`Retry-After`).
    #[must_use]
    pub fn paused(bucket: Option<Self>, rate: Rate, pause: SignedDuration, now: Timestamp) -> Self {
        let version = bucket.map_or(0, |bucket| bucket.version) + 1;
        let tokens = 1.0 - pause.as_secs_f64().max(0.0) * rate.per_second;
        Self { version, tokens: tokens.min(bucket.map_or(1.0, |bucket| bucket.tokens)), at: now }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64) -> Timestamp {
        let start = Timestamp::from_second(1_790_000_040).unwrap();
        start.checked_add(SignedDuration::try_from_secs_f64(seconds).unwrap()).unwrap()
    }

    fn key(number: u32) -> AlertKey {
        AlertKey::of([number.to_string().as_str()])
    }

    #[test]
    fn beyond_the_limit_alerts_share_one_summary() {
        let mut window = None;
        let mut admissions = Vec::new();
        for number in [1, 2, 2, 3, 4, 3, 1] {
            let (next, admission) = admit(window, &key(number), 2, at(0.0));
            window = Some(next);
            admissions.push(admission);
        }
        let summary = |is_first, count| Admission::InSummary { is_first, count };
        let alone = Admission::Alone;
        let expected = [alone, alone, alone, summary(true, 1), summary(false, 2), summary(false, 2), alone];
        assert_eq!(admissions, expected);
        // The next minute starts anew.
        assert_eq!(admit(window, &key(9), 2, at(60.0)).1, alone);
    }

    #[test]
    fn a_pause_that_a_service_asks_for_is_kept() {
        let rate = Rate::per_second(1.0);
        let bucket = TokenBucket::paused(None, rate, SignedDuration::from_secs(30), at(0.0));
        assert_eq!(TokenBucket::take(Some(bucket), rate, at(10.0)), Err(SignedDuration::from_secs(20)));
        assert!(TokenBucket::take(Some(bucket), rate, at(30.0)).is_ok());
    }

    proptest! {
        #[test]
        fn no_sixty_seconds_see_more_calls_than_allowed(gaps in prop::collection::vec(0.0..3.0_f64, 1..400), per_minute in 2.0..130.0_f64) {
            let rate = Rate::per_minute(per_minute);
            let (mut now, mut bucket, mut calls) = (0.0, None, Vec::new());
            for gap in gaps {
                now += gap;
                if let Ok(next) = TokenBucket::take(bucket, rate, at(now)) {
                    bucket = Some(next);
                    calls.push(now);
                }
            }
            for (first, start) in calls.iter().enumerate() {
                let within = calls[first..].iter().filter(|call| **call < start + 60.0).count();
                prop_assert!(f64::from(u32::try_from(within).unwrap()) <= per_minute + 1.0, "{within}");
            }
        }

        #[test]
        fn after_the_wait_that_is_named_there_is_leave(gaps in prop::collection::vec(0.0..0.3_f64, 1..50)) {
            let rate = Rate::per_second(1.0);
            let (mut now, mut bucket) = (0.0, None);
            for gap in gaps {
                now += gap;
                match TokenBucket::take(bucket, rate, at(now)) {
                    Ok(next) => bucket = Some(next),
                    Err(wait) => {
                        now += wait.as_secs_f64() + 1e-6;
                        let next = TokenBucket::take(bucket, rate, at(now));
                        prop_assert!(next.is_ok());
                        bucket = next.ok();
                    }
                }
            }
        }
    }
}
