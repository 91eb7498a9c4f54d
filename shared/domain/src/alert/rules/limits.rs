//! Times and numbers of the sections `[lifecycle]` and `[storm]`.

use jiff::SignedDuration;

use crate::settings::Section;

/// How repetitions and flapping are damped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damping {
    /// Two starts that are no further apart are one firing: replicas of Grafana do not agree to
    /// the second.
    pub same_firing: SignedDuration,
    /// A repetition that comes sooner and says nothing new is a duplicate.
    pub duplicate: SignedDuration,
    /// So many changes between firing and not, within [`Damping::flap_window`], are flapping.
    pub flips: usize,
    /// See [`Damping::flips`].
    pub flap_window: SignedDuration,
    /// Without a change for so long, flapping is over.
    pub calm: SignedDuration,
    /// How long one invocation may take to deliver before another may try.
    pub claim: SignedDuration,
    /// How long a record is kept after the last message, when the alert is over.
    pub keep: SignedDuration,
}

impl Damping {
    pub(super) fn read(root: &Section) -> Self {
        let section = root.section("lifecycle");
        let whole = |key: &str, default: u32, (least, most): (u32, u32), unit: &str| {
            let wanted = format!("a number of {unit}, {least} to {most}");
            let is_right = |number| (u64::from(least)..=u64::from(most)).contains(&number);
            let given = section.as_ref().and_then(|section| section.optional_whole(key, &wanted, is_right));
            given.and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
        };
        let seconds = |number: u32| SignedDuration::from_secs(i64::from(number));
        let minutes = |number: u32| SignedDuration::from_mins(i64::from(number));
        let flips = whole("flips", 5, (2, 100), "changes");
        Self {
            same_firing: seconds(whole("same_firing_seconds", 120, (0, 3600), "seconds")),
            duplicate: seconds(whole("duplicate_seconds", 60, (0, 3600), "seconds")),
            flips: usize::try_from(flips).unwrap_or(usize::MAX),
            flap_window: minutes(whole("flap_window_minutes", 30, (1, 1440), "minutes")),
            calm: minutes(whole("calm_minutes", 15, (1, 1440), "minutes")),
            // A claim that ends while its owner still delivers would send everything twice.
            claim: seconds(whole("claim_seconds", 60, (51, 900), "seconds")),
            keep: SignedDuration::from_hours(24 * i64::from(whole("keep_days", 30, (1, 365), "days"))),
        }
    }
}

/// How many messages are too many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StormLimits {
    /// New alerts of one route in one minute that get messages of their own; those beyond share a
    /// summary. Destinations with an incident for each alert are not limited.
    pub new_alerts_per_minute: u32,
    /// Messages to one Slack destination in a second.
    pub slack_per_second: f64,
    /// Calls to one `PagerDuty` or Opsgenie destination in a minute.
    pub incidents_per_minute: f64,
}

impl StormLimits {
    pub(super) fn read(root: &Section) -> Self {
        let section = root.section("storm");
        let section = section.as_ref();
        let new = section.and_then(|section| {
            section
                .optional_whole("new_alerts_per_minute", "1 to 1000", |number| (1..=1000).contains(&number))
        });
        let number = |key: &str, wanted: &str, most: f64| {
            section
                .and_then(|section| section.optional_number(key, wanted, |rate| rate > 0.0 && rate <= most))
        };
        Self {
            new_alerts_per_minute: new.and_then(|number| u32::try_from(number).ok()).unwrap_or(10),
            slack_per_second: number("slack_per_second", "above 0, up to 1: Slack takes no more", 1.0)
                .unwrap_or(1.0),
            incidents_per_minute: number(
                "incidents_per_minute",
                "above 0, up to 120: PagerDuty takes no more",
                120.0,
            )
            .unwrap_or(100.0),
        }
    }
}
