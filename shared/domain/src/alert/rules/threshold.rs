//! The one place for thresholds, section `[thresholds]`: alert rules, lines on dashboards, alarms
//! and the bands of severity are all made of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::word::{Word, read_word};
use crate::alert::{Comparison, Severity};
use crate::capacity::condition::{BlindReason, ConditionKind};
use crate::capture::SkipReason;
use crate::check::Check;
use crate::dashboard::measure::{COMPOSITE_QUALITY_DROP, MODEL_LATENCY_RISE};
use crate::metric::CATALOGUE;
use crate::settings::Section;
use crate::verdict::Outcome;

pub(super) const COMPARISONS: [Word<Comparison>; 4] = [
    ("above", Comparison::Above),
    ("at_least", Comparison::AtLeast),
    ("below", Comparison::Below),
    ("at_most", Comparison::AtMost),
];

/// Limits of all measures, by name.
#[derive(Debug, Clone, Default)]
pub struct Thresholds {
    measures: BTreeMap<String, Measure>,
}

/// What is measured and what is too much, or too little, of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// Its name in the file: a metric, or a name for what is computed of several.
    pub name: String,
    /// The namespace of metrics that are not Assay's own.
    pub namespace: Option<String>,
    /// The metrics whose sum it is; often just `name`.
    pub metrics: Vec<String>,
    /// The metric that the sum is divided by, when it is a share.
    pub per: Option<String>,
    /// The parameter of the stack that the sum is divided by, when it is a share of a limit.
    pub per_parameter: Option<String>,
    /// The statistic in `CloudWatch`'s words: `Average`, `Sum`, `p90`.
    pub statistic: String,
    /// Further names of it in labels.
    pub also: Vec<String>,
    /// On which side of a limit it is bad.
    pub comparison: Comparison,
    /// The first limit.
    pub warning: Option<f64>,
    /// The second limit, not before the first.
    pub critical: Option<f64>,
}

/// Where a value lies between the limits. Later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// On the good side of both limits.
    Normal,
    /// Past the first limit.
    Warning,
    /// Past the second limit.
    Critical,
}

pub(super) const BANDS: [Word<Band>; 3] =
    [("normal", Band::Normal), ("warning", Band::Warning), ("critical", Band::Critical)];

impl Band {
    /// The word in `alerts.toml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// How bad a value in this band is; nothing is bad about the normal one.
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Normal => None,
            Self::Warning => Some(Severity::Warning),
            Self::Critical => Some(Severity::Critical),
        }
    }
}

impl Thresholds {
    /// The measure that a metric's name means. Case and `_ - .` do not count, so that
    /// `composite_quality_score` finds `CompositeQualityScore`.
    pub fn find(&self, metric: &str) -> Option<&Measure> {
        let wanted = folded(metric);
        self.measures.values().find(|measure| {
            folded(&measure.name) == wanted || measure.also.iter().any(|name| folded(name) == wanted)
        })
    }

    /// All measures, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Measure> {
        self.measures.values()
    }

    pub(super) fn read(root: &Section) -> Self {
        let Some(section) = root.section("thresholds") else { return Self::default() };
        let mut measures: BTreeMap<String, Measure> = BTreeMap::new();
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for name in section.keys() {
            let Some(own) = section.section(&name) else { continue };
            let Some(measure) = read_measure(&own, &name) else { continue };
            for word in std::iter::once(&measure.name).chain(&measure.also) {
                if let Some(other) = taken.insert(folded(word), name.clone()) {
                    own.mistake("", format_args!("{word} is also a name of {other}"));
                }
            }
            drop(own);
            measures.insert(name, measure);
        }
        Self { measures }
    }
}

impl Measure {
    /// Whether its value now is that of its metrics now, and not of a week before too, or of a limit that
    /// the metrics do not tell.
    pub fn is_of_now(&self) -> bool {
        let is_of_last_week = [COMPOSITE_QUALITY_DROP, MODEL_LATENCY_RISE].contains(&self.name.as_str());
        !is_of_last_week && self.per_parameter.is_none()
    }

    /// Where `value` lies.
    pub fn band(&self, value: f64) -> Band {
        let is_past = |limit: Option<f64>| limit.is_some_and(|limit| is_bad(self.comparison, value, limit));
        if is_past(self.critical) {
            Band::Critical
        } else if is_past(self.warning) {
            Band::Warning
        } else {
            Band::Normal
        }
    }

    /// The limit whose crossing leads into `band`.
    pub fn limit(&self, band: Band) -> Option<f64> {
        match band {
            Band::Normal => self.warning.or(self.critical),
            Band::Warning => self.warning,
            Band::Critical => self.critical,
        }
    }

    /// `0.71 is below 0.85`: how `value` stands to the limit of its band.
    pub(super) fn verdict(&self, value: f64) -> String {
        let band = self.band(value);
        let limit = self.limit(band).unwrap_or_default();
        let relation = match (band, self.comparison) {
            (Band::Normal, _) => "is on the good side of",
            (_, Comparison::Above) => "is above",
            (_, Comparison::AtLeast) => "is at or above",
            (_, Comparison::Below) => "is below",
            (_, Comparison::AtMost) => "is at or below",
        };
        format!("{} {relation} {}", Shown(value), Shown(limit))
    }
}

/// Whether `value` is on the bad side of `limit`.
pub(super) fn is_bad(comparison: Comparison, value: f64, limit: f64) -> bool {
    match comparison {
        Comparison::Above => value > limit,
        Comparison::AtLeast => value >= limit,
        Comparison::Below => value < limit,
        Comparison::AtMost => value <= limit,
    }
}

/// A number for people: at most four digits behind the point.
pub(super) struct Shown(pub f64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.4}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn read_measure(section: &Section, name: &str) -> Option<Measure> {
    let namespace = section.optional_text("namespace");
    let mut metrics = section.texts("metrics");
    if metrics.is_empty() {
        metrics.push(name.to_owned());
    }
    let per = section.optional_text("per");
    let per_parameter = section.optional_text("per_parameter");
    if per.is_some() && per_parameter.is_some() {
        section.mistake("per_parameter", "cannot stand beside per: a share is of one thing");
    }
    if namespace.is_none() {
        for metric in metrics.iter().chain(&per).filter(|metric| !is_published_by_assay(metric)) {
            let problem = "is not a metric of Assay; give the namespace of one that is not";
            section.mistake("", format_args!("{metric:?} {problem}"));
        }
    }
    let statistic = section.optional_text("statistic").unwrap_or_else(|| "Average".to_owned());
    if !is_statistic(&statistic) {
        let wanted = "Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p90";
        section.mistake("statistic", format_args!("must be {wanted}, is {statistic:?}"));
    }
    let also = section.texts("also");
    let comparison = read_word(section, "comparison", &COMPARISONS);
    if !section.has("comparison") {
        section.mistake("comparison", "is missing: above, at_least, below or at_most");
    }
    let warning = section.optional_number("warning", "a number", |_| true);
    let critical = section.optional_number("critical", "a number", |_| true);
    if !section.has("warning") && !section.has("critical") {
        section.mistake("", "has no limit: give warning, critical or both");
    }
    let comparison = comparison?;
    if let (Some(warning), Some(critical)) = (warning, critical) {
        // A value past critical must be past warning too.
        let is_in_order = match comparison {
            Comparison::Above | Comparison::AtLeast => critical >= warning,
            Comparison::Below | Comparison::AtMost => critical <= warning,
        };
        if !is_in_order {
            section.mistake("critical", format_args!("{critical} is crossed before warning, {warning}"));
        }
    }
    let name = name.to_owned();
    Some(Measure {
        name,
        namespace,
        metrics,
        per,
        per_parameter,
        statistic,
        also,
        comparison,
        warning,
        critical,
    })
}

fn is_statistic(text: &str) -> bool {
    let percentile = text.strip_prefix('p').and_then(|number| number.parse::<f64>().ok());
    ["Average", "Sum", "Minimum", "Maximum", "SampleCount"].contains(&text)
        || percentile.is_some_and(|number| (0.0..=100.0).contains(&number))
}

/// Whether a function of Assay publishes the metric. A name in `...Score` is a rubric's, which the
/// operator may have changed.
fn is_published_by_assay(name: &str) -> bool {
    let is_score = name
        .strip_suffix("Score")
        .is_some_and(|stem| stem.starts_with(|first: char| first.is_ascii_uppercase()));
    is_score
        || CATALOGUE.iter().any(|metric| metric.name == name)
        || Check::ALL.iter().any(|check| check.metric_name() == name)
        || Outcome::ALL.iter().any(|outcome| outcome.metric_name() == name)
        || SkipReason::ALL.iter().any(|reason| reason.metric_name() == name)
        || ConditionKind::ALL.iter().any(|kind| kind.metric_name() == name)
        || BlindReason::ALL.iter().any(|reason| reason.metric_name() == name)
}

#[cfg(test)]
mod tests {
    use crate::settings;

    use super::*;

    fn read(text: &str) -> Thresholds {
        settings::read("t", text, |root| Some(Thresholds::read(root))).unwrap()
    }

    #[test]
    fn a_value_lies_in_the_worst_band_whose_limit_it_crosses() {
        let thresholds = read(
            "[thresholds]\nSafetyScore = { comparison = 'below', warning = 0.95, critical = 0.85 }\n\
             IdleCostPerHour = { comparison = 'at_least', critical = 2 }\n",
        );
        let score = thresholds.find("safety_score").unwrap();
        let bands = [0.96, 0.95, 0.949, 0.85, 0.2].map(|value| score.band(value));
        assert_eq!(bands, [Band::Normal, Band::Normal, Band::Warning, Band::Warning, Band::Critical]);
        assert_eq!(score.verdict(0.71), "0.71 is below 0.85");
        let idle = thresholds.find("idle-cost.per_hour").unwrap();
        assert_eq!([1.99, 2.0].map(|value| idle.band(value)), [Band::Normal, Band::Critical]);
        assert!(thresholds.find("Safety").is_none());
    }

    #[test]
    fn a_measure_that_cannot_be_measured_is_a_mistake() {
        for (wrong, place) in [
            ("Nonsense = { comparison = 'above', warning = 1 }", "thresholds.Nonsense"),
            (
                "SafetyScore = { comparison = 'below', warning = 0.8, critical = 0.9 }",
                "thresholds.SafetyScore.critical",
            ),
            ("SafetyScore = { comparison = 'under', warning = 0.8 }", "thresholds.SafetyScore.comparison"),
            ("SafetyScore = { warning = 0.8 }", "thresholds.SafetyScore.comparison"),
            ("SafetyScore = { comparison = 'below' }", "thresholds.SafetyScore"),
            (
                "SafetyScore = { comparison = 'below', warning = 1, statistic = 'mean' }",
                "thresholds.SafetyScore.statistic",
            ),
            (
                "A = { namespace = 'AWS/X', comparison = 'above', warning = 1 }\nB = { namespace = 'AWS/X', also = ['a'], comparison = 'above', warning = 1 }",
                "thresholds.B",
            ),
        ] {
            let text = format!("[thresholds]\n{wrong}\n");
            let error = settings::read("t", &text, |root| Some(Thresholds::read(root))).unwrap_err();
            assert_eq!(error.list.len(), 1, "{error}");
            assert!(error.list[0].starts_with(&format!("{place}: ")), "{error}");
        }
    }
}
