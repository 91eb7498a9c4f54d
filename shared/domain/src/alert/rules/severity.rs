//! How bad an alert is: section `[severity]` and the rules `[[rule]]`, of which the first match
//! wins.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::facts::{Facts, label};
use super::matcher::{Matcher, SEVERITIES, Severities};
use super::threshold::Thresholds;
use super::word::{Word, read_word, read_words};
use super::{Tried, note_unreachable};
use crate::alert::{Meaning, Severity};
use crate::settings::Section;

/// What people call severities. The operator's own aliases come before these.
const ALIASES: [(&str, Severity); 31] = [
    ("critical", Severity::Critical),
    ("crit", Severity::Critical),
    ("fatal", Severity::Critical),
    ("emergency", Severity::Critical),
    ("page", Severity::Critical),
    ("disaster", Severity::Critical),
    ("sev0", Severity::Critical),
    ("sev1", Severity::Critical),
    ("p0", Severity::Critical),
    ("p1", Severity::Critical),
    ("error", Severity::Error),
    ("err", Severity::Error),
    ("high", Severity::Error),
    ("major", Severity::Error),
    ("sev2", Severity::Error),
    ("p2", Severity::Error),
    ("warning", Severity::Warning),
    ("warn", Severity::Warning),
    ("minor", Severity::Warning),
    ("medium", Severity::Warning),
    ("sev3", Severity::Warning),
    ("p3", Severity::Warning),
    ("info", Severity::Info),
    ("information", Severity::Info),
    ("informational", Severity::Info),
    ("notice", Severity::Info),
    ("low", Severity::Info),
    ("none", Severity::Info),
    ("ok", Severity::Info),
    ("p4", Severity::Info),
    ("p5", Severity::Info),
];

/// Where a severity can come from when no rule says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Label,
    Bands,
}

const ORIGINS: [Word<Origin>; 2] = [("label", Origin::Label), ("bands", Origin::Bands)];

/// The section and the rules, read.
#[derive(Debug, Clone)]
pub(super) struct SeverityRules {
    aliases: BTreeMap<String, Severity>,
    order: Vec<Origin>,
    default: Severity,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    matcher: Matcher,
    gives: Gives,
    why: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Gives {
    Severity(Severity),
    From(Origin),
}

const GIVES: [Word<Gives>; 6] = [
    ("info", Gives::Severity(Severity::Info)),
    ("warning", Gives::Severity(Severity::Warning)),
    ("error", Gives::Severity(Severity::Error)),
    ("critical", Gives::Severity(Severity::Critical)),
    ("from label", Gives::From(Origin::Label)),
    ("from bands", Gives::From(Origin::Bands)),
];

/// A severity that nobody gave: it is to be counted, and somebody should add an alias or a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownSeverity {
    /// The label's value that no alias knows; `None` when there is no such label.
    pub said: Option<String>,
}

/// What was decided and from what.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    pub(super) severity: Severity,
    /// After the severity and a colon.
    pub(super) why: String,
    pub(super) rule: Option<String>,
    pub(super) unknown: Option<UnknownSeverity>,
    /// The rules that were asked, in order.
    pub(super) tried: Vec<Tried>,
}

impl SeverityRules {
    pub(super) fn read(section: &Section, rules: &Section, zone: &TimeZone, thresholds: &Thresholds) -> Self {
        let section = section.section("severity");
        let mut read = Self {
            aliases: ALIASES.iter().map(|(word, severity)| ((*word).to_owned(), *severity)).collect(),
            order: vec![Origin::Label, Origin::Bands],
            default: Severity::Error,
            rules: read_rules(rules, zone, thresholds),
        };
        let Some(section) = section else { return read };
        if section.has("order") {
            read.order = read_words(&section, "order", &ORIGINS);
        }
        if let Some(default) = read_word(&section, "default", &SEVERITIES) {
            read.default = default;
        }
        if let Some(aliases) = section.section("aliases") {
            for word in aliases.keys() {
                if let Some(severity) = read_word(&aliases, &word, &SEVERITIES) {
                    read.aliases.insert(word.to_lowercase(), severity);
                }
            }
        }
        read
    }

    pub(super) fn wanted_measures(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| rule.matcher.wanted_measures())
    }

    /// How bad it is. `otherwise` is what an alert that is no plain problem has without a rule of
    /// its own.
    pub(super) fn decide(
        &self,
        facts: &Facts,
        labels: &[String],
        otherwise: Option<(Severity, String)>,
    ) -> Decided {
        let mut tried = Vec::new();
        for rule in &self.rules {
            let is_meant = facts.meaning == Meaning::Problem || rule.matcher.asks_for_meaning();
            let fails = if is_meant {
                rule.matcher.fails(facts)
            } else {
                Some(format!("it does not ask for meaning {}", facts.meaning.as_str()))
            };
            tried.push(Tried { name: rule.name.clone(), why_not: fails.clone() });
            if fails.is_none() {
                return Decided { tried, ..self.give(rule, facts, labels) };
            }
        }
        if let Some((severity, why)) = otherwise {
            return Decided { severity, why, rule: None, unknown: None, tried };
        }
        Decided { tried, ..self.find(&self.order, facts, labels) }
    }

    fn give(&self, rule: &Rule, facts: &Facts, labels: &[String]) -> Decided {
        let name = &rule.name;
        let because = match &rule.why {
            Some(why) => format!("rule \"{name}\": {why}"),
            None => format!("rule \"{name}\""),
        };
        let found = match rule.gives {
            Gives::Severity(severity) => {
                Decided { severity, why: because, rule: None, unknown: None, tried: Vec::new() }
            }
            Gives::From(origin) => {
                let found = self.find(&[origin], facts, labels);
                Decided { why: format!("{}; {because}", found.why), ..found }
            }
        };
        Decided { rule: Some(name.clone()), ..found }
    }

    /// The first origin that knows; else the default.
    fn find(&self, order: &[Origin], facts: &Facts, labels: &[String]) -> Decided {
        let decided =
            |severity, why, unknown| Decided { severity, why, rule: None, unknown, tried: Vec::new() };
        for origin in order {
            let found = match origin {
                Origin::Label => self.by_label(facts, labels),
                Origin::Bands => by_band(facts),
            };
            if let Some((severity, why)) = found {
                return decided(severity, why, None);
            }
        }
        let said = label(facts.alert, labels);
        let why = match said {
            Some((name, value)) => {
                format!("label {name}={} says no severity that is known, so the default holds", short(value))
            }
            None => "no label and no limit says how bad it is, so the default holds".to_owned(),
        };
        let unknown = UnknownSeverity { said: said.map(|(_, value)| short(value)) };
        decided(self.default, why, Some(unknown))
    }

    /// By a severity label whose value has an alias.
    pub(super) fn by_label(&self, facts: &Facts, labels: &[String]) -> Option<(Severity, String)> {
        labels.iter().find_map(|name| {
            let value = facts.alert.labels.get(name)?.trim();
            let severity = self.aliases.get(&value.to_lowercase())?;
            Some((*severity, format!("label {name}={value}")))
        })
    }
}

fn by_band(facts: &Facts) -> Option<(Severity, String)> {
    let (measure, value) = (facts.measure?, facts.value?);
    let severity = measure.band(value).severity()?;
    Some((severity, format!("{} {}", measure.name, measure.verdict(value))))
}

fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(40).collect()
}

fn read_rules(root: &Section, zone: &TimeZone, thresholds: &Thresholds) -> Vec<Rule> {
    let mut names = BTreeSet::new();
    let mut catch_all = None;
    let mut rules = Vec::new();
    for section in root.sections("rule") {
        let name = section.text("name");
        let matcher = Matcher::read(&section, zone, thresholds, Severities::BeingDecided);
        let gives = read_word(&section, "severity", &GIVES);
        if !section.has("severity") {
            section
                .mistake("severity", "is missing: info, warning, error, critical, from label or from bands");
        }
        let why = section.optional_text("why");
        note_unreachable(&section, catch_all.as_deref());
        let Some(name) = name else { continue };
        if !names.insert(name.clone()) {
            section.mistake("name", format_args!("{name:?} is already the name of another rule"));
        }
        if matcher.is_empty() && catch_all.is_none() {
            catch_all = Some(name.clone());
        }
        if let Some(gives) = gives {
            rules.push(Rule { name, matcher, gives, why });
        }
    }
    rules
}
