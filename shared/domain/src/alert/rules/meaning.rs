//! What a status means: sections `[blind]` and `[went_silent]`.

use super::matcher::SEVERITIES;
use super::pattern::Patterns;
use super::word::{Word, read_word, read_words};
use crate::alert::{Alert, Meaning, Severity, StateReason, Status};
use crate::settings::Section;

const REASONS: [Word<StateReason>; 7] = [
    ("no_data", StateReason::NoData),
    ("error", StateReason::Error),
    ("missing_series", StateReason::MissingSeries),
    ("paused", StateReason::Paused),
    ("rule_deleted", StateReason::RuleDeleted),
    ("updated", StateReason::Updated),
    ("other", StateReason::Other),
];

/// What makes an alert blind, and an end no good news.
#[derive(Debug, Clone)]
pub(super) struct Meanings {
    blind_alerts: Option<Patterns>,
    pub(super) blind_severity: Severity,
    silent: Vec<StateReason>,
    closing: Vec<StateReason>,
}

impl Meanings {
    pub(super) fn read(blind: &Section, silent: &Section) -> Self {
        let blind = blind.section("blind");
        let silent = silent.section("went_silent");
        let reasons =
            |key| silent.as_ref().map(|section| read_words(section, key, &REASONS)).unwrap_or_default();
        Self {
            blind_alerts: blind.as_ref().and_then(|section| Patterns::read(section, "alerts")),
            blind_severity: blind
                .as_ref()
                .and_then(|section| read_word(section, "severity", &SEVERITIES))
                .unwrap_or(Severity::Warning),
            silent: reasons("reasons"),
            closing: reasons("closes_incidents"),
        }
    }

    /// What the status of `alert` means. An alert that fires because its query failed or gave
    /// nothing says nothing about the value, whatever its name is.
    pub(super) fn of(&self, alert: &Alert) -> Meaning {
        match (alert.status, alert.state_reason) {
            (Status::Firing, Some(StateReason::NoData | StateReason::Error)) => Meaning::Blind,
            (Status::Firing, _) if self.is_blind_by_name(alert) => Meaning::Blind,
            (Status::Firing, _) => Meaning::Problem,
            (Status::Resolved, Some(reason)) if self.silent.contains(&reason) => Meaning::WentSilent,
            (Status::Resolved, _) => Meaning::Recovered,
        }
    }

    /// Whether the end of `alert` closes incidents: a recovery does, and silence that somebody
    /// brought about on purpose.
    pub(super) fn closes_incidents(&self, alert: &Alert) -> bool {
        match (self.of(alert), alert.state_reason) {
            (Meaning::Recovered, _) => true,
            (Meaning::WentSilent, Some(reason)) => self.closing.contains(&reason),
            _ => false,
        }
    }

    fn is_blind_by_name(&self, alert: &Alert) -> bool {
        let name = alert.labels.get("alertname").map_or(alert.rule.as_str(), String::as_str);
        self.blind_alerts.as_ref().is_some_and(|patterns| patterns.fit(Some(name)))
    }
}

/// What happened, for a person.
pub(super) fn told(reason: StateReason) -> &'static str {
    match reason {
        StateReason::NoData => "the query gives nothing",
        StateReason::Error => "the query fails",
        StateReason::MissingSeries => "the series is gone",
        StateReason::Paused => "the rule was paused",
        StateReason::RuleDeleted => "the rule was deleted",
        StateReason::Updated => "the rule was changed",
        StateReason::Other => "not because of its value",
    }
}
