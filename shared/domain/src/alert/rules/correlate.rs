//! What other alerts of the same component say about an alert: sections `[correlation]` and
//! `[[signal]]`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Decision;
use super::facts::{Facts, Subject};
use super::matcher::{Matcher, Severities};
use super::threshold::Thresholds;
use super::word::{Word, read_word};
use crate::alert::lifecycle::{Condition, Quiet, QuietCause};
use crate::alert::{Alert, AlertKey, Meaning, Severity, Status};
use crate::settings::Section;

/// The most alerts that a record keeps: beyond, those that ended go first, then the oldest.
const MOST_ALERTS: usize = 100;

/// What kind of thing an alert tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// How good the answers are.
    Quality,
    /// How much is used, how long it takes, what fails.
    Quantity,
    /// The endpoint answers nobody.
    EndpointDown,
    /// Nothing of the kind.
    Other,
}

const SIGNALS: [Word<Signal>; 3] =
    [("quality", Signal::Quality), ("quantity", Signal::Quantity), ("endpoint_down", Signal::EndpointDown)];

/// Under which keys the state table keeps the alerts that may have to do with one another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All alerts of an inference component.
    Component(String),
    /// All alerts of an endpoint and its components, as far as their labels name it.
    Endpoint(String),
}

impl Scope {
    /// The scopes of an alert: none, one or two.
    pub fn all(subject: &Subject) -> Vec<Self> {
        let component = subject.component.clone().map(Self::Component);
        component.into_iter().chain(subject.endpoint.clone().map(Self::Endpoint)).collect()
    }
}

/// The alerts of one [`Scope`] that fire or ended lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentAlerts {
    /// Counts changes, for conditional writes.
    pub version: u64,
    /// Counts firings, so that of two it is known which came first.
    firings: u64,
    alerts: BTreeMap<AlertKey, ActiveAlert>,
}

/// What is kept of an alert for its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveAlert {
    /// What kind of thing it tells.
    pub signal: Signal,
    /// The rule's name.
    pub rule: String,
    /// The component, when its labels name one.
    pub component: Option<String>,
    /// Since when it fires, as its message said, else when it came.
    pub since: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When it was last heard of.
    pub seen: Timestamp,
    /// Whether it waits for the end of another alert.
    pub is_held_back: bool,
    /// Its place among the firings of the record.
    place: u64,
}

/// What its neighbours make of an alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Correlated {
    /// The decision, raised where alerts overlap.
    pub decision: Decision,
    /// The alerts that it overlaps with, for the message.
    pub joined: Vec<Neighbour>,
    /// Why it waits, when another alert explains it.
    pub held_back: Option<Quiet>,
}

/// Another alert, for the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Which.
    pub key: AlertKey,
    /// Its rule.
    pub rule: String,
    /// Its kind.
    pub signal: Signal,
    /// Since when it fires.
    pub since: Timestamp,
}

/// The sections, read.
#[derive(Debug, Clone)]
pub(super) struct Correlation {
    window: SignedDuration,
    forget_after: SignedDuration,
    signals: Vec<(Signal, Matcher)>,
}

impl Correlation {
    pub(super) fn read(own: &Section, signals: &Section, zone: &TimeZone, thresholds: &Thresholds) -> Self {
        let own = own.section("correlation");
        let whole = |key: &str, default: i64, wanted: &str, most: u64| {
            let number = own.as_ref().and_then(|section| {
                section.optional_whole(key, wanted, |number| (1..=most).contains(&number))
            });
            number.and_then(|number| i64::try_from(number).ok()).unwrap_or(default)
        };
        let window = whole("window_minutes", 15, "minutes, 1 to 1440", 1440);
        let hours = whole("forget_after_hours", 24, "hours, 1 to 720", 720);
        let mut read = Vec::new();
        for section in signals.sections("signal") {
            let signal = read_word(&section, "kind", &SIGNALS);
            if !section.has("kind") {
                section.mistake("kind", "is missing: quality, quantity or endpoint_down");
            }
            let matcher = Matcher::read(&section, zone, thresholds, Severities::BeingDecided);
            if matcher.is_empty() {
                section.mistake("", "has no condition: every alert would be of this kind");
            }
            read.extend(signal.map(|signal| (signal, matcher)));
        }
        Self {
            window: SignedDuration::from_mins(window),
            forget_after: SignedDuration::from_hours(hours),
            signals: read,
        }
    }

    pub(super) fn wanted_measures(&self) -> impl Iterator<Item = &str> {
        self.signals.iter().flat_map(|(_, matcher)| matcher.wanted_measures())
    }

    pub(super) fn signal(&self, facts: &Facts) -> Signal {
        let fitting = self.signals.iter().find(|(_, matcher)| matcher.fits(facts));
        fitting.map_or(Signal::Other, |(signal, _)| *signal)
    }

    /// What the neighbours in `records`, those of the alert's scopes, make of it.
    ///
    /// The alert that comes second is raised, once: the first one's message has been read, and
    /// calling again for the same pair would be noise.
    pub(super) fn correlate(
        &self,
        decision: Decision,
        alert: &Alert,
        records: &[&ComponentAlerts],
        now: Timestamp,
    ) -> Correlated {
        let fires = |alert: &&ActiveAlert| alert.ended.is_none();
        let own = |record: &'_ ComponentAlerts| record.alerts.get(&alert.key).filter(fires).cloned();
        let since = records.iter().find_map(|record| own(record)).map(|own| own.since);
        let since = since.or(alert.starts_at).unwrap_or(now);
        // Each neighbour, and whether it came before.
        let mut neighbours: BTreeMap<&AlertKey, (&ActiveAlert, bool)> = BTreeMap::new();
        for record in records {
            let place = own(record).map(|own| own.place);
            let others = record.alerts.iter().filter(|(key, _)| **key != alert.key);
            neighbours.extend(
                others.map(|(key, other)| (key, (other, place.is_none_or(|place| other.place < place)))),
            );
        }
        let mut joined: Vec<Neighbour> = Vec::new();
        let mut held_back = None;
        if alert.status == Status::Firing {
            let partner = match (decision.meaning(), decision.signal) {
                (Meaning::Problem, Signal::Quality) => Some(Signal::Quantity),
                (Meaning::Problem, Signal::Quantity) => Some(Signal::Quality),
                _ => None,
            };
            let component = decision.subject.component.as_ref();
            let is_partner = |(other, came_before): &(&ActiveAlert, bool)| {
                partner == Some(other.signal)
                    && component.is_some()
                    && other.component.as_ref() == component
                    && *came_before
                    && other.ended.is_none_or(|ended| since.duration_since(ended) <= self.window)
                    && !self.is_forgotten(other, now)
            };
            joined = neighbours
                .iter()
                .filter(|(_, other)| is_partner(other))
                .map(|(key, (other, _))| neighbour(key, other))
                .collect();
            if decision.meaning() == Meaning::Blind {
                let is_cause = |other: &ActiveAlert| {
                    other.signal == Signal::EndpointDown
                        && other.ended.is_none()
                        && !self.is_forgotten(other, now)
                };
                held_back = neighbours.values().find(|(other, _)| is_cause(other)).map(|(cause, _)| Quiet {
                    cause: QuietCause::HeldBack,
                    reason: format!("\"{}\" fires since {} and explains it", cause.rule, cause.since),
                    until: None,
                });
            }
        }
        let decision = if joined.is_empty() { decision } else { raised(decision, &joined) };
        Correlated { decision, joined, held_back }
    }

    /// The record with the alert in it, and the alerts that waited for its end, however often that is
    /// told: each waits until it comes again and finds nothing that holds it back.
    pub(super) fn note(
        &self,
        record: &ComponentAlerts,
        correlated: &Correlated,
        alert: &Alert,
        condition: Condition,
        now: Timestamp,
    ) -> (ComponentAlerts, Vec<AlertKey>) {
        let mut next = record.clone();
        let decision = &correlated.decision;
        let before = record.alerts.get(&alert.key);
        let has_ended = condition != Condition::Firing;
        if has_ended && before.is_none() {
            return (next, Vec::new());
        }
        let was_firing = before.filter(|before| before.ended.is_none());
        let since = was_firing.or(before.filter(|_| has_ended)).map(|before| before.since);
        let place = was_firing.or(before.filter(|_| has_ended)).map(|before| before.place);
        let place = place.unwrap_or_else(|| {
            next.firings += 1;
            next.firings
        });
        let entry = ActiveAlert {
            signal: decision.signal,
            rule: alert.rule.clone(),
            component: decision.subject.component.clone(),
            since: since.or(alert.starts_at).unwrap_or(now),
            ended: has_ended.then(|| alert.ends_at.unwrap_or(now)),
            seen: now,
            is_held_back: correlated.held_back.is_some(),
            place,
        };
        next.alerts.insert(alert.key.clone(), entry);
        let mut released = Vec::new();
        if has_ended && decision.signal == Signal::EndpointDown {
            let waiting = next.alerts.iter().filter(|(_, other)| other.is_held_back && other.ended.is_none());
            released.extend(waiting.map(|(key, _)| key.clone()));
        }
        self.forget(&mut next, now);
        next.version += 1;
        (next, released)
    }

    fn forget(&self, record: &mut ComponentAlerts, now: Timestamp) {
        record.alerts.retain(|_, alert| !self.is_forgotten(alert, now));
        while record.alerts.len() > MOST_ALERTS {
            let oldest = record.alerts.iter().min_by_key(|(_, alert)| (alert.ended.is_none(), alert.seen));
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            record.alerts.remove(&key);
        }
    }

    /// Ended before the window, or not heard of for so long that its end must have been lost.
    fn is_forgotten(&self, alert: &ActiveAlert, now: Timestamp) -> bool {
        let age = |since: Timestamp| now.duration_since(since);
        alert.ended.is_some_and(|ended| age(ended) > self.window) || age(alert.seen) > self.forget_after
    }
}

fn neighbour(key: &AlertKey, alert: &ActiveAlert) -> Neighbour {
    Neighbour { key: key.clone(), rule: alert.rule.clone(), signal: alert.signal, since: alert.since }
}

fn raised(mut decision: Decision, joined: &[Neighbour]) -> Decision {
    let classification = &mut decision.classification;
    let before = classification.severity;
    let severity = before.raised();
    let component = decision.subject.component.as_deref().unwrap_or("one component");
    let names: Vec<String> = joined.iter().map(|other| format!("\"{}\"", other.rule)).collect();
    let pair = format!("quality and quantity alerts on {component} overlap ({})", names.join(", "));
    let was = classification.reason.split_once(": ").map_or("", |(_, why)| why);
    classification.reason = if severity > before {
        format!("{severity}: raised from {before}, {pair}; {was}")
    } else {
        format!("{severity}: {was}; {pair}")
    };
    classification.severity = Severity::max(severity, before);
    decision
}

impl ComponentAlerts {
    /// What is kept, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&AlertKey, &ActiveAlert)> {
        self.alerts.iter()
    }
}
