//! What an operator says about alerts in `config/alerts.toml`: limits, how bad an alert is, which
//! belong together, who is told, how often. Each section of the file has a module here.
//!
//! The way of one alert: [`Rules::classify`] says what it means and how bad it is,
//! [`Rules::correlate`] what its neighbours make of that, [`Rules::route`] whom it is told to.
//! [`Rules::explain`] does all three and tells what each rule said. What was told before is known
//! to [`crate::alert::lifecycle`].

mod correlate;
mod destination;
mod explain;
mod facts;
mod hours;
mod limits;
mod matcher;
mod meaning;
mod pattern;
mod route;
mod secret_arn;
mod severity;
#[cfg(test)]
mod tests;
mod threshold;
mod word;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::lifecycle::{Audience, Condition};
use super::{Alert, AlertKey, Classification, Meaning, Severity};
use crate::settings::{self, Mistakes, Section};

pub use correlate::{ActiveAlert, ComponentAlerts, Correlated, Neighbour, Scope, Signal};
pub use destination::{Destination, DestinationKind, DestinationName, PagerDutyRegion, SLACK, as_base_url};
pub use explain::Explanation;
pub use facts::{Measured, Subject};
pub use limits::{Damping, StormLimits};
pub use route::{RouteTaken, Routing, SUPPLIED};
pub use secret_arn::{NotASecretArn, SecretArn};
pub use severity::UnknownSeverity;
pub use threshold::{Band, Measure, Thresholds};

use facts::{Facts, LabelNames};

/// The file that Assay ships, used when no other is configured. A section that a file leaves out
/// is as shipped.
pub const SHIPPED: &str = include_str!("../../../../../config/alerts.toml");

/// A rules file, read.
#[derive(Debug, Clone)]
pub struct Rules {
    thresholds: Thresholds,
    labels: LabelNames,
    meanings: meaning::Meanings,
    severity: severity::SeverityRules,
    correlation: correlate::Correlation,
    routes: route::Routes,
    destinations: Vec<Destination>,
    damping: Damping,
    storm: StormLimits,
}

/// How bad an alert is, and what that was decided from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// Meaning, severity and the reason, which people are shown.
    pub classification: Classification,
    /// What the alert is about.
    pub subject: Subject,
    /// What kind of thing it tells.
    pub signal: Signal,
    /// The metric, as [`Thresholds`] call it, else as the alert does.
    pub metric: Option<String>,
    /// The measured value.
    pub value: Option<f64>,
    /// Where the value lies between the limits.
    pub band: Option<Band>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Set when nobody said how bad it is and the default holds: to be counted.
    pub unknown_severity: Option<UnknownSeverity>,
    /// Whether this end closes incidents, or leaves them to people.
    pub closes_incidents: bool,
}

impl Decision {
    /// What the status means.
    pub fn meaning(&self) -> Meaning {
        self.classification.meaning
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.classification.severity
    }
}

/// A rule or route that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// Why it does not fit; `None` when it does.
    pub why_not: Option<String>,
}

impl Rules {
    /// Reads the text of a rules file; `source_name` stands in the error.
    ///
    /// # Errors
    /// Every mistake in the file at once.
    pub fn from_toml(source_name: &str, text: &str) -> Result<Self, Mistakes> {
        settings::read("alerts.toml as shipped", SHIPPED, |shipped| {
            // Which of its sections are read depends on the operator's file.
            shipped.keys();
            Some(settings::read(source_name, text, |root| Some(Self::read(&Layers { root, shipped }))))
        })?
    }

    fn read(layers: &Layers) -> Self {
        let zone = hours::read_zone(layers.of("time_zone"), "time_zone").unwrap_or(TimeZone::UTC);
        let thresholds = Thresholds::read(layers.of("thresholds"));
        let (destinations, named) = destination::read_destinations(layers.of("destination"));
        Self {
            labels: LabelNames::read(layers.of("labels")),
            meanings: meaning::Meanings::read(layers.of("blind"), layers.of("went_silent")),
            severity: severity::SeverityRules::read(
                layers.of("severity"),
                layers.of("rule"),
                &zone,
                &thresholds,
            ),
            correlation: correlate::Correlation::read(
                layers.of("correlation"),
                layers.of("signal"),
                &zone,
                &thresholds,
            ),
            routes: route::Routes::read(layers.of("route"), layers.of("mute"), &zone, &thresholds, &named),
            damping: Damping::read(layers.of("lifecycle")),
            storm: StormLimits::read(layers.of("storm")),
            thresholds,
            destinations,
        }
    }

    /// The rules with destinations that the function's own settings describe, named by one of
    /// [`SUPPLIED`] or any other name that a route uses.
    ///
    /// # Errors
    /// A name that the file describes too.
    pub fn with_destinations(mut self, supplied: Vec<Destination>) -> Result<Self, Mistakes> {
        let mut list = Vec::new();
        for destination in supplied {
            let name = &destination.name;
            if self.destinations.iter().any(|own| own.name == *name) {
                list.push(format!(
                    "destination \"{name}\": is given by the function's settings and once more; rename one"
                ));
                continue;
            }
            self.destinations.push(destination);
        }
        if list.is_empty() {
            return Ok(self);
        }
        Err(Mistakes { source_name: "the destinations".to_owned(), list })
    }

    /// The limits of all measures.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// All destinations, those of the file first.
    pub fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    /// The destination of that name.
    pub fn destination(&self, name: &DestinationName) -> Option<&Destination> {
        self.destinations.iter().find(|one| one.name == *name)
    }

    /// How repetitions and flapping are damped.
    pub fn damping(&self) -> &Damping {
        &self.damping
    }

    /// How many messages are too many.
    pub fn storm(&self) -> &StormLimits {
        &self.storm
    }

    /// The metrics whose values now a condition asks for: enrichment must look them up before
    /// [`Rules::classify`].
    pub fn wanted_measures(&self) -> BTreeSet<&str> {
        let of_rules = self.severity.wanted_measures().chain(self.routes.wanted_measures());
        of_rules.chain(self.correlation.wanted_measures()).collect()
    }

    /// What an alert is about, by its labels.
    pub fn subject(&self, alert: &Alert) -> Subject {
        self.labels.subject(alert)
    }

    /// The measured value that an alert is judged by: of the steps of a rule that Grafana sends, the
    /// one that `[labels] values` names.
    pub fn value(&self, alert: &Alert) -> Option<f64> {
        self.labels.measured(alert, &self.thresholds).1
    }

    /// What an alert means, how bad it is, and why. `measured` are values now that enrichment
    /// found; `now` decides about hours.
    pub fn classify(&self, alert: &Alert, measured: &Measured, now: Timestamp) -> Decision {
        self.decide(&self.facts(alert, measured, now)).0
    }

    /// What the alerts in `records`, those of its [`Scope`]s, make of an alert.
    pub fn correlate(
        &self,
        decision: Decision,
        alert: &Alert,
        records: &[&ComponentAlerts],
        now: Timestamp,
    ) -> Correlated {
        self.correlation.correlate(decision, alert, records, now)
    }

    /// `record`, that of one of its [`Scope`]s, with the alert noted in the condition that
    /// [`crate::alert::lifecycle::advance`] found; and the alerts of the record that were held back
    /// by it and need not be any more. Take the alert out of the record of each and send it this
    /// way again: it finds nothing that holds it back, and is told.
    pub fn note(
        &self,
        record: &ComponentAlerts,
        correlated: &Correlated,
        alert: &Alert,
        condition: Condition,
        now: Timestamp,
    ) -> (ComponentAlerts, Vec<AlertKey>) {
        self.correlation.note(record, correlated, alert, condition, now)
    }

    /// Whom an alert is told to.
    pub fn route(
        &self,
        correlated: &Correlated,
        alert: &Alert,
        measured: &Measured,
        now: Timestamp,
    ) -> Routing {
        self.send(&self.facts(alert, measured, now), correlated).0
    }

    fn facts<'a>(&'a self, alert: &'a Alert, measured: &'a Measured, now: Timestamp) -> Facts<'a> {
        Facts::new(alert, self.meanings.of(alert), &self.labels, &self.thresholds, measured, now)
    }

    fn decide(&self, facts: &Facts) -> (Decision, Vec<Tried>) {
        let labels = &self.labels.severity;
        let said = || self.severity.by_label(facts, labels).map_or(Severity::Info, |(severity, _)| severity);
        let state = facts.alert.state_reason.map(meaning::told);
        let otherwise = match facts.meaning {
            Meaning::Problem => None,
            Meaning::Blind => {
                let what = state.unwrap_or("the query gives nothing or fails");
                let why = format!("monitoring is blind, {what}: this says nothing about the value");
                Some((self.meanings.blind_severity, why))
            }
            Meaning::Recovered => Some((said(), "it does not fire any more".to_owned())),
            Meaning::WentSilent => {
                let what = state.unwrap_or("nothing is measured");
                Some((said(), format!("went silent, {what}: this is no recovery")))
            }
        };
        let decided = self.severity.decide(facts, labels, otherwise);
        let decision = Decision {
            classification: Classification {
                meaning: facts.meaning,
                severity: decided.severity,
                reason: format!("{}: {}", decided.severity, decided.why),
            },
            subject: facts.subject.clone(),
            signal: self.correlation.signal(facts),
            metric: facts.measure.map(|measure| measure.name.clone()).or_else(|| facts.metric.clone()),
            value: facts.value,
            band: facts.band,
            rule: decided.rule,
            unknown_severity: decided.unknown,
            closes_incidents: self.meanings.closes_incidents(facts.alert),
        };
        (decision, decided.tried)
    }

    fn send(&self, facts: &Facts, correlated: &Correlated) -> (Routing, Vec<Tried>) {
        let facts = Facts { severity: Some(correlated.decision.severity()), ..facts.clone() };
        let (mut routing, tried) = self.routes.take(&facts, &self.destinations);
        if let Some(quiet) = &correlated.held_back {
            routing.audience = Audience::Quiet(quiet.clone());
        }
        (routing, tried)
    }
}

/// The operator's file above the shipped one.
struct Layers<'a> {
    root: &'a Section<'a>,
    shipped: &'a Section<'a>,
}

impl<'a> Layers<'a> {
    /// Where to read `key` from.
    fn of(&self, key: &str) -> &'a Section<'a> {
        if self.root.has(key) {
            return self.root;
        }
        // Asked for, so that a misspelt section is answered with this one among those known.
        let _missing = self.root.section(key);
        self.shipped
    }
}

/// A table behind one that takes everything is never asked.
fn note_unreachable(section: &Section, catch_all: Option<&str>) {
    if let Some(name) = catch_all {
        section.mistake("", format_args!("is never reached: {name:?} before it takes everything"));
    }
}
