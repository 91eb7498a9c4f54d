//! One alert against the rules, with what each of them said.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::facts::Measured;
use super::{ComponentAlerts, Correlated, Routing, Rules, Tried};
use crate::alert::lifecycle::Audience;
use crate::alert::{Alert, AlertKey};

/// What the rules make of one alert, step by step. Its `Display` is for a terminal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The rule or alarm that the alert comes from.
    pub alert: String,
    /// Its key.
    pub key: AlertKey,
    /// The rules that were asked, in order, up to the one that fits.
    pub rules: Vec<Tried>,
    /// What was decided, after correlation.
    pub correlated: Correlated,
    /// The routes that were asked, in order, up to the last.
    pub routes: Vec<Tried>,
    /// Where it goes.
    pub routing: Routing,
}

impl Rules {
    /// What the rules make of an alert at `now`, given the records of its scopes (none when it
    /// stands alone).
    pub fn explain(
        &self,
        alert: &Alert,
        measured: &Measured,
        records: &[&ComponentAlerts],
        now: Timestamp,
    ) -> Explanation {
        let facts = self.facts(alert, measured, now);
        let (decision, rules) = self.decide(&facts);
        let correlated = self.correlate(decision, alert, records, now);
        let (routing, routes) = self.send(&facts, &correlated);
        Explanation { alert: alert.rule.clone(), key: alert.key.clone(), rules, correlated, routes, routing }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = &self.correlated.decision;
        writeln!(f, "{}", self.alert)?;
        writeln!(f, "  means      {}", decision.meaning().as_str())?;
        let subject = &decision.subject;
        for (name, value) in
            [("component", &subject.component), ("endpoint", &subject.endpoint), ("metric", &decision.metric)]
        {
            if let Some(value) = value {
                writeln!(f, "  {name:<10} {value}")?;
            }
        }
        for tried in &self.rules {
            writeln!(f, "  rule       {tried}")?;
        }
        writeln!(f, "  severity   {}", decision.classification.reason)?;
        if let Some(unknown) = &decision.unknown_severity {
            let said = unknown.said.as_deref().unwrap_or("nothing");
            writeln!(f, "  unknown    it says {said}: add an alias or a rule")?;
        }
        for other in &self.correlated.joined {
            writeln!(f, "  overlaps   \"{}\" since {}", other.rule, other.since)?;
        }
        for tried in &self.routes {
            writeln!(f, "  route      {tried}")?;
        }
        for name in &self.routing.not_configured {
            writeln!(f, "  passed by  {name}: no such destination is configured")?;
        }
        match &self.routing.audience {
            Audience::Told(destinations) => {
                let names: Vec<&str> = destinations.iter().map(super::DestinationName::as_str).collect();
                write!(f, "  told to    {}", names.join(", "))
            }
            Audience::Quiet(quiet) => write!(f, "  told to    nobody: {}", quiet.reason),
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why_not {
            None => write!(f, "{:<24} fits", self.name),
            Some(why) => write!(f, "{:<24} no: {why}", self.name),
        }
    }
}
