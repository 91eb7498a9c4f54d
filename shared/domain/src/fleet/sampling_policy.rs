//! How often answers are judged: the section `[sampling]`.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::names::ComponentName;
use crate::settings::Section;

/// A share of answers, from 0 (none) to 1 (all).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct SamplingRate(f64);

/// What is no share.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{0} is not a sampling rate: a number from 0 (none) to 1 (all)")]
pub struct NotARate(pub f64);

impl SamplingRate {
    /// Nothing is judged.
    pub const NONE: Self = Self(0.0);
    /// Everything is judged.
    pub const ALL: Self = Self(1.0);

    /// The share, from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for SamplingRate {
    type Error = NotARate;

    fn try_from(rate: f64) -> Result<Self, NotARate> {
        if (0.0..=1.0).contains(&rate) { Ok(Self(rate)) } else { Err(NotARate(rate)) }
    }
}

/// What the file says about one component; `None` leaves it to the function's own setting.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SamplingPolicy {
    /// The share of answers to judge.
    pub rate: Option<SamplingRate>,
    /// Judge no more answers than this in one hour.
    pub cap_per_hour: Option<u32>,
}

/// The section, read: what holds for all, and what some components have of their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Policies {
    of_all: SamplingPolicy,
    own: BTreeMap<ComponentName, SamplingPolicy>,
}

impl Policies {
    pub(super) fn of(&self, component: &ComponentName) -> SamplingPolicy {
        let own = self.own.get(component).copied().unwrap_or_default();
        SamplingPolicy {
            rate: own.rate.or(self.of_all.rate),
            cap_per_hour: own.cap_per_hour.or(self.of_all.cap_per_hour),
        }
    }

    pub(super) fn read(root: &Section) -> Self {
        let Some(section) = root.section("sampling") else { return Self::default() };
        let mut policies = Self { of_all: read_policy(&section), own: BTreeMap::new() };
        if let Some(components) = section.section("component") {
            for key in components.keys() {
                let Some(own) = components.section(&key) else { continue };
                match key.parse() {
                    Ok(name) => {
                        policies.own.insert(name, read_policy(&own));
                    }
                    Err(error) => components.mistake(&key, error),
                }
            }
        }
        policies
    }
}

fn read_policy(section: &Section) -> SamplingPolicy {
    let rate = section.optional_number("rate", "a number from 0 (none) to 1 (all)", |rate| {
        SamplingRate::try_from(rate).is_ok()
    });
    let most = u64::from(u32::MAX);
    let cap = section.optional_whole("cap_per_hour", "a whole number, 0 or more", |cap| cap <= most);
    SamplingPolicy {
        rate: rate.and_then(|rate| SamplingRate::try_from(rate).ok()),
        cap_per_hour: cap.and_then(|cap| u32::try_from(cap).ok()),
    }
}

#[cfg(test)]
mod tests {
    use crate::fleet::Fleet;

    use super::*;

    #[test]
    fn a_rate_is_a_share() {
        assert_eq!(SamplingRate::try_from(0.25).map(SamplingRate::get), Ok(0.25));
        for wrong in [f64::NAN, -0.1, 1.000_001, f64::INFINITY] {
            assert!(SamplingRate::try_from(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_component_overrides_each_setting_by_itself() {
        let text = "[sampling]\nrate = 0.1\ncap_per_hour = 50\n[sampling.component.a]\nrate = 1\n\
                    [sampling.component.unattributed]\ncap_per_hour = 0\n";
        let fleet = Fleet::from_toml("fleet.toml", text).unwrap();
        let of = |name: &str| {
            let policy = fleet.sampling(&name.parse().unwrap());
            (policy.rate.map(SamplingRate::get), policy.cap_per_hour)
        };
        assert_eq!(of("a"), (Some(1.0), Some(50)));
        assert_eq!(of("unattributed"), (Some(0.1), Some(0)));
        assert_eq!(of("b"), (Some(0.1), Some(50)));
    }
}
