//! Who is told: the tables `[[route]]` and `[[mute]]`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::destination::{Destination, DestinationName};
use super::facts::Facts;
use super::matcher::{Matcher, Severities};
use super::threshold::Thresholds;
use super::{Tried, note_unreachable};
use crate::alert::lifecycle::{Audience, Quiet, QuietCause};
use crate::settings::Section;

/// Names that the function's own settings can give a destination. A route may name them although
/// the file does not describe them; while nobody configures one, it is passed over and counted.
pub const SUPPLIED: [&str; 5] = ["slack", "pagerduty", "opsgenie", "webhook", "amazon-q"];

/// Routes and mutes, in the order of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    mutes: Vec<Mute>,
}

#[derive(Debug, Clone)]
struct Route {
    name: String,
    matcher: Matcher,
    destinations: Vec<DestinationName>,
    continues: bool,
}

#[derive(Debug, Clone)]
struct Mute {
    name: String,
    matcher: Matcher,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    why: Option<String>,
}

/// Where an alert goes, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Routing {
    /// The routes that it takes, with the destinations that each adds.
    pub routes: Vec<RouteTaken>,
    /// Destinations that a route names and nobody has configured.
    pub not_configured: Vec<DestinationName>,
    /// Whom it is told to.
    pub audience: Audience,
}

/// A route that an alert takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteTaken {
    /// Its name: storms are counted for each route.
    pub route: String,
    /// Its configured destinations that no earlier route named.
    pub destinations: Vec<DestinationName>,
}

impl Routes {
    pub(super) fn read(
        routes: &Section,
        mutes: &Section,
        zone: &TimeZone,
        thresholds: &Thresholds,
        known: &[DestinationName],
    ) -> Self {
        Self {
            routes: read_routes(routes, zone, thresholds, known),
            mutes: read_mutes(mutes, zone, thresholds),
        }
    }

    pub(super) fn wanted_measures(&self) -> impl Iterator<Item = &str> {
        let routes = self.routes.iter().flat_map(|route| route.matcher.wanted_measures());
        routes.chain(self.mutes.iter().flat_map(|mute| mute.matcher.wanted_measures()))
    }

    /// Where the alert goes, and what each route that was asked said.
    pub(super) fn take(&self, facts: &Facts, destinations: &[Destination]) -> (Routing, Vec<Tried>) {
        let mut tried = Vec::new();
        let mut taken = Vec::new();
        let mut named: BTreeSet<&DestinationName> = BTreeSet::new();
        let mut not_configured = Vec::new();
        for route in &self.routes {
            let why_not = route.matcher.fails(facts);
            tried.push(Tried { name: route.name.clone(), why_not: why_not.clone() });
            if why_not.is_some() {
                continue;
            }
            let new: Vec<&DestinationName> =
                route.destinations.iter().filter(|name| named.insert(name)).collect();
            let is_configured = |name: &DestinationName| destinations.iter().any(|one| one.name == *name);
            let (known, unknown): (Vec<_>, Vec<_>) = new.into_iter().cloned().partition(is_configured);
            not_configured.extend(unknown);
            taken.push(RouteTaken { route: route.name.clone(), destinations: known });
            if !route.continues {
                break;
            }
        }
        let audience = self.audience(facts, &taken);
        (Routing { routes: taken, not_configured, audience }, tried)
    }

    fn audience(&self, facts: &Facts, taken: &[RouteTaken]) -> Audience {
        if let Some(mute) = self.mutes.iter().find(|mute| mute.holds(facts)) {
            let until = mute.ends_at(facts.now);
            return Audience::Quiet(Quiet { cause: QuietCause::Muted, reason: mute.reason(), until });
        }
        let told: Vec<DestinationName> =
            taken.iter().flat_map(|route| route.destinations.iter().cloned()).collect();
        if !told.is_empty() {
            return Audience::Told(told);
        }
        let reason = if taken.is_empty() {
            "no route fits".to_owned()
        } else {
            let names: Vec<&str> = taken.iter().map(|route| route.route.as_str()).collect();
            format!("no destination of route {} is configured", names.join(", "))
        };
        Audience::Quiet(Quiet { cause: QuietCause::Unrouted, reason, until: None })
    }
}

impl Mute {
    fn holds(&self, facts: &Facts) -> bool {
        self.from.is_none_or(|from| facts.now >= from)
            && self.until.is_none_or(|until| facts.now < until)
            && self.matcher.fits(facts)
    }

    /// When it may be over.
    fn ends_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.into_iter().chain(self.matcher.hours_end(now)).min()
    }

    fn reason(&self) -> String {
        match &self.why {
            Some(why) => format!("muted by \"{}\": {why}", self.name),
            None => format!("muted by \"{}\"", self.name),
        }
    }
}

fn read_routes(
    root: &Section,
    zone: &TimeZone,
    thresholds: &Thresholds,
    known: &[DestinationName],
) -> Vec<Route> {
    let mut names = BTreeSet::new();
    let mut catch_all: Option<String> = None;
    let mut routes = Vec::new();
    for section in root.sections("route") {
        let name = section.text("name");
        let matcher = Matcher::read(&section, zone, thresholds, Severities::Decided);
        let continues = section.flag("continue", false);
        let targets = read_targets(&section, known);
        note_unreachable(&section, catch_all.as_deref());
        let Some(name) = name else { continue };
        if !names.insert(name.clone()) {
            section.mistake("name", format_args!("{name:?} is already the name of another route"));
        }
        if matcher.is_empty() && !continues && catch_all.is_none() {
            catch_all = Some(name.clone());
        }
        routes.push(Route { name, matcher, destinations: targets, continues });
    }
    routes
}

fn read_targets(section: &Section, known: &[DestinationName]) -> Vec<DestinationName> {
    let texts = section.one_or_more("destinations");
    if !section.has("destinations") {
        section.mistake("destinations", "is missing: the names of destinations; [] tells nobody");
    }
    let known: Vec<&str> = known.iter().map(DestinationName::as_str).chain(SUPPLIED).collect();
    let mut targets = Vec::new();
    for text in texts {
        match DestinationName::new(&text).filter(|_| known.contains(&text.as_str())) {
            Some(name) if targets.contains(&name) => {
                section.mistake("destinations", format_args!("names {text:?} twice"));
            }
            Some(name) => targets.push(name),
            None => {
                let known = known.join(", ");
                section.mistake("destinations", format_args!("{text:?} is no destination; known: {known}"));
            }
        }
    }
    targets
}

fn read_mutes(root: &Section, zone: &TimeZone, thresholds: &Thresholds) -> Vec<Mute> {
    let mut mutes = Vec::new();
    for section in root.sections("mute") {
        let name = section.text("name");
        let matcher = Matcher::read(&section, zone, thresholds, Severities::Decided);
        let (from, until) = (read_time(&section, "from"), read_time(&section, "until"));
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            section.mistake("until", format_args!("{until} is not after from, {from}"));
        }
        if matcher.is_empty() && until.is_none() {
            section.mistake("", "would mute everything for ever: give a condition or until");
        }
        let why = section.optional_text("why");
        if let Some(name) = name {
            mutes.push(Mute { name, matcher, from, until, why });
        }
    }
    mutes
}

fn read_time(section: &Section, key: &str) -> Option<Timestamp> {
    let text = section.optional_text(key)?;
    let time = text.parse::<Timestamp>().ok();
    if time.is_none() {
        section.mistake(key, format_args!("must be like \"2026-10-01T08:00:00Z\", is {text:?}"));
    }
    time
}
