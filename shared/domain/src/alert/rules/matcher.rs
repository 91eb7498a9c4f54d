//! Conditions of a rule, a route or a mute. All that are given must hold.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::facts::Facts;
use super::hours::Hours;
use super::pattern::Patterns;
use super::threshold::{BANDS, Band, Thresholds};
use super::word::{Word, read_word, read_words};
use crate::alert::{Family, Meaning, Severity};
use crate::settings::Section;

const FAMILIES: [Word<Family>; 6] = [
    ("grafana_text", Family::GrafanaText),
    ("grafana_json", Family::GrafanaJson),
    ("managed_grafana", Family::ManagedGrafana),
    ("alertmanager", Family::Alertmanager),
    ("cloud_watch", Family::CloudWatch),
    ("unknown", Family::Unknown),
];

pub(super) const SEVERITIES: [Word<Severity>; 4] = [
    (Severity::Info.as_str(), Severity::Info),
    (Severity::Warning.as_str(), Severity::Warning),
    (Severity::Error.as_str(), Severity::Error),
    (Severity::Critical.as_str(), Severity::Critical),
];

const MEANINGS: [Word<Meaning>; 4] = [
    (Meaning::Problem.as_str(), Meaning::Problem),
    (Meaning::Blind.as_str(), Meaning::Blind),
    (Meaning::Recovered.as_str(), Meaning::Recovered),
    (Meaning::WentSilent.as_str(), Meaning::WentSilent),
];

/// Conditions; none hold for everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Matcher {
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
enum Condition {
    Label(String, Patterns),
    Annotation(String, Patterns),
    Name(Patterns),
    Metric(Patterns),
    Component(Patterns),
    Endpoint(Patterns),
    Environment(Patterns),
    Team(Patterns),
    Source(Vec<Family>),
    Meaning(Vec<Meaning>),
    Band(Vec<Band>),
    Excess(f64),
    /// The band of a metric's value now, which enrichment has to ask for.
    Measured(String, Vec<Band>),
    AtLeast(Severity),
    AtMost(Severity),
    Hours(Hours),
}

/// Whether a severity is known when the conditions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severities {
    /// `at_least` and `at_most` are conditions.
    Decided,
    /// They are no settings here.
    BeingDecided,
}

impl Matcher {
    /// Reads every condition of a section.
    pub(super) fn read(
        section: &Section,
        zone: &TimeZone,
        thresholds: &Thresholds,
        severities: Severities,
    ) -> Self {
        let mut conditions = Vec::new();
        for (table, condition) in [
            ("labels", Condition::Label as fn(String, Patterns) -> Condition),
            ("annotations", Condition::Annotation),
        ] {
            let Some(own) = section.section(table) else { continue };
            for name in own.keys() {
                conditions.extend(Patterns::read(&own, &name).map(|patterns| condition(name, patterns)));
            }
        }
        for (key, condition) in [
            ("alert", Condition::Name as fn(Patterns) -> Condition),
            ("metric", Condition::Metric),
            ("component", Condition::Component),
            ("endpoint", Condition::Endpoint),
            ("environment", Condition::Environment),
            ("team", Condition::Team),
        ] {
            conditions.extend(Patterns::read(section, key).map(condition));
        }
        let mut add = |is_given: bool, condition: Condition| {
            if is_given {
                conditions.push(condition);
            }
        };
        let families = read_words(section, "source", &FAMILIES);
        add(!families.is_empty(), Condition::Source(families));
        let meanings = read_words(section, "meaning", &MEANINGS);
        add(!meanings.is_empty(), Condition::Meaning(meanings));
        let bands = read_words(section, "band", &BANDS);
        add(!bands.is_empty(), Condition::Band(bands));
        let wanted = "a share of the limit, 0 or more: 0.1 is 10 % past it";
        let excess = section.optional_number("past_limit_by", wanted, |share| share >= 0.0);
        add(excess.is_some(), Condition::Excess(excess.unwrap_or_default()));
        if let Some(own) = section.section("measured") {
            for name in own.keys() {
                let bands = read_words(&own, &name, &BANDS);
                match thresholds.find(&name) {
                    Some(measure) if !measure.is_of_now() => own
                        .mistake(&name, "is not looked up: it takes the values of last week, or a parameter"),
                    Some(measure) => add(!bands.is_empty(), Condition::Measured(measure.name.clone(), bands)),
                    None => own.mistake(&name, "has no limits in [thresholds]"),
                }
            }
        }
        if severities == Severities::Decided {
            conditions.extend(read_word(section, "at_least", &SEVERITIES).map(Condition::AtLeast));
            conditions.extend(read_word(section, "at_most", &SEVERITIES).map(Condition::AtMost));
        }
        conditions.extend(Hours::read(section, zone).map(Condition::Hours));
        Self { conditions }
    }

    /// Whether it has no condition, and so holds for everything.
    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether it asks for the meaning: only then does it see what is no plain problem.
    pub(super) fn asks_for_meaning(&self) -> bool {
        self.conditions.iter().any(|condition| matches!(condition, Condition::Meaning(_)))
    }

    /// When the hours that it asks for next may be over.
    pub(super) fn hours_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition::Hours(hours) => hours.end(now),
            _ => None,
        })
    }

    /// The metrics whose values now it wants to know.
    pub(super) fn wanted_measures(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match condition {
            Condition::Measured(name, _) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether all conditions hold.
    pub(super) fn fits(&self, facts: &Facts) -> bool {
        self.conditions.iter().all(|condition| condition.fails(facts).is_none())
    }

    /// Why it does not fit: the first condition that fails, in a few words. `None` when it fits.
    pub(super) fn fails(&self, facts: &Facts) -> Option<String> {
        self.conditions.iter().find_map(|condition| condition.fails(facts))
    }
}

impl Condition {
    /// Why it does not hold, or `None` when it does.
    fn fails(&self, facts: &Facts) -> Option<String> {
        let subject = &facts.subject;
        let text = |name: &str, patterns: &Patterns, value: Option<&str>| {
            (!patterns.fit(value)).then(|| match value {
                Some(value) => format!("{name} is {:?}, wanted: {patterns}", short(value)),
                None => format!("there is no {name}, wanted: {patterns}"),
            })
        };
        let unless = |holds: bool, why: String| (!holds).then_some(why);
        match self {
            Self::Label(name, patterns) => {
                let value = facts.alert.labels.get(name).map(String::as_str);
                text(&format!("label {name}"), patterns, value)
            }
            Self::Annotation(name, patterns) => {
                let value = facts.alert.annotations.get(name).map(String::as_str);
                text(&format!("annotation {name}"), patterns, value)
            }
            Self::Name(patterns) => text("alert", patterns, Some(&facts.alert.rule)),
            Self::Metric(patterns) => {
                // A metric answers to its name in [thresholds] as well as to that in the label.
                let own = facts.measure.map(|measure| measure.name.as_str());
                let names: Vec<&str> = own.into_iter().chain(facts.metric.as_deref()).collect();
                if patterns.fit_names(&names) {
                    None
                } else {
                    text("metric", patterns, names.last().copied())
                }
            }
            Self::Component(patterns) => text("component", patterns, subject.component.as_deref()),
            Self::Endpoint(patterns) => text("endpoint", patterns, subject.endpoint.as_deref()),
            Self::Environment(patterns) => text("environment", patterns, subject.environment.as_deref()),
            Self::Team(patterns) => text("team", patterns, subject.team.as_deref()),
            Self::Source(families) => {
                let word = FAMILIES.iter().find(|(_, family)| *family == facts.alert.family);
                let word = word.map_or("unknown", |(word, _)| word);
                unless(families.contains(&facts.alert.family), format!("source is {word}"))
            }
            Self::Meaning(meanings) => {
                unless(meanings.contains(&facts.meaning), format!("meaning is {}", facts.meaning.as_str()))
            }
            Self::Band(bands) => match facts.band {
                Some(band) => unless(bands.contains(&band), format!("band is {}", band.as_str())),
                None => Some("the value has no band: no value, or no limits in [thresholds]".to_owned()),
            },
            Self::Excess(least) => match facts.excess() {
                Some(excess) => {
                    unless(excess >= *least, format!("the value is {:.0} % past its limit", excess * 100.0))
                }
                None => Some("there is no value or no limit".to_owned()),
            },
            Self::Measured(name, bands) => match facts.measured.get(name).zip(facts.thresholds.find(name)) {
                Some((value, measure)) => {
                    let band = measure.band(*value);
                    unless(bands.contains(&band), format!("{name} is {} now", band.as_str()))
                }
                None => Some(format!("{name} is not known now")),
            },
            Self::AtLeast(least) => {
                let severity = facts.severity.unwrap_or(Severity::Info);
                unless(severity >= *least, format!("severity is {severity}, wanted: at least {least}"))
            }
            Self::AtMost(most) => {
                let severity = facts.severity.unwrap_or(Severity::Info);
                unless(severity <= *most, format!("severity is {severity}, wanted: at most {most}"))
            }
            Self::Hours(hours) => unless(hours.contain(facts.now), format!("it is not {}", hours.shown())),
        }
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= 40 {
        text.to_owned()
    } else {
        text.chars().take(40).chain("...".chars()).collect()
    }
}
