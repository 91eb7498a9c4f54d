//! Reads a rubric file. The format is explained in `config/rubric.toml` itself.

use std::collections::BTreeSet;

use super::{AppliesTo, Dimension, DimensionId, Gate, LEVELS, Rubric, Scale, Score};
use crate::metric::CATALOGUE;
use crate::settings::{self, Mistakes, Section};

const HEAVIEST: f64 = 100.0;

impl Rubric {
    /// Reads a rubric from the text of a TOML file; `source_name` names it in the error.
    ///
    /// # Errors
    /// Every mistake in the file at once.
    pub fn from_toml(source_name: &str, text: &str) -> Result<Self, Mistakes> {
        settings::read(source_name, text, read_rubric)
    }
}

/// What the dimensions read so far have taken.
#[derive(Default)]
struct Taken {
    ids: BTreeSet<String>,
    metrics: BTreeSet<String>,
    /// Whether one is enabled and applies to every sample.
    always: bool,
}

fn read_rubric(root: &Section) -> Option<Rubric> {
    let id = read_label(root, "id");
    let version = read_label(root, "version");
    let mut taken = Taken::default();
    let sections = root.sections("dimension");
    let dimensions: Vec<Option<Dimension>> =
        sections.iter().map(|section| read_dimension(section, &mut taken)).collect();
    if !taken.always {
        let problem = "at least one must be enabled and have applies_to = \"always\": \
                       else a sample could end without any score";
        root.mistake("dimension", problem);
    }
    let dimensions = dimensions.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Rubric { id: id?, version: version?, dimensions })
}

/// A word that goes into verdict ids and queries: 1 to 40 of `a-z A-Z 0-9 . _ -`.
fn read_label(section: &Section, key: &str) -> Option<String> {
    let text = section.text(key)?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.len() <= 40 && text.bytes().all(is_allowed) {
        return Some(text);
    }
    section.mistake(key, "must be 1 to 40 of a-z, A-Z, 0-9, '.', '_' and '-'");
    None
}

fn read_dimension(section: &Section, taken: &mut Taken) -> Option<Dimension> {
    // Every part is read before the first `?`, so that one mistake does not hide another.
    let id = read_id(section, &mut taken.ids);
    let metric = read_metric(section, &mut taken.metrics);
    let wanted = "a number above 0 and up to 100";
    let weight = section.number("weight", wanted, |weight| weight > 0.0 && weight <= HEAVIEST);
    let scale = read_scale(section);
    let instructions = section.text("instructions");
    let enabled = section.flag("enabled", true);
    let applies_to = read_applies_to(section);
    taken.always |= enabled && !applies_to.is_some_and(AppliesTo::may_not_apply);
    let gate = if section.has("gate") { Some(read_gate(section)) } else { None };

    Some(Dimension {
        id: id?,
        metric: metric?,
        weight: weight?,
        scale: scale?,
        instructions: instructions?.trim().to_owned(),
        enabled,
        applies_to: applies_to?,
        gate: match gate {
            Some(gate) => Some(gate?),
            None => None,
        },
    })
}

fn read_id(section: &Section, taken: &mut BTreeSet<String>) -> Option<DimensionId> {
    let text = section.text("id")?;
    match text.parse::<DimensionId>() {
        Ok(id) if taken.insert(text.clone()) => Some(id),
        Ok(id) => {
            section.mistake("id", format_args!("\"{id}\" is already the id of another dimension"));
            None
        }
        Err(problem) => {
            section.mistake("id", format_args!("{text:?} {problem}"));
            None
        }
    }
}

fn read_metric(section: &Section, taken: &mut BTreeSet<String>) -> Option<String> {
    let name = section.text("metric")?;
    if CATALOGUE.iter().any(|metric| metric.name == name) {
        section.mistake("metric", format_args!("{name} is published by Assay itself"));
        return None;
    }
    if !is_metric_name(&name) {
        section.mistake(
            "metric",
            format_args!(
                "{name:?} is not a metric name: CamelCase, up to 64 letters and digits, ending in Score"
            ),
        );
        return None;
    }
    if !taken.insert(name.clone()) {
        section.mistake("metric", format_args!("{name} is already the metric of another dimension"));
        return None;
    }
    Some(name)
}

/// `SafetyScore`: a capital first, letters and digits only, `Score` last but not alone. The counts
/// that Assay publishes do not end so, which keeps them out of a rubric's reach.
fn is_metric_name(name: &str) -> bool {
    let stem = name.strip_suffix("Score").unwrap_or_default();
    name.len() <= 64
        && stem.starts_with(|first: char| first.is_ascii_uppercase())
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn read_scale(section: &Section) -> Option<Scale> {
    let kind = section.text("scale");
    let levels = section.section("levels");
    if levels.is_none() && !section.has("levels") {
        section.mistake("levels", "is missing: it describes each level in words");
    }
    let (kind, levels) = (kind?, levels?);
    match kind.as_str() {
        "yes/no" => {
            let (yes, no) = (read_level(&levels, "yes"), read_level(&levels, "no"));
            Some(Scale::YesNo { yes: yes?, no: no? })
        }
        "0-5" => {
            let texts: Vec<Option<String>> =
                (0..LEVELS).map(|level| read_level(&levels, &level.to_string())).collect();
            let texts: Vec<String> = texts.into_iter().collect::<Option<_>>()?;
            Some(Scale::Levels(texts.try_into().ok()?))
        }
        _ => {
            // The levels of an unknown scale are not looked at, and are not reported as unknown.
            levels.keys();
            section.mistake("scale", "must be \"yes/no\" or \"0-5\"");
            None
        }
    }
}

fn read_level(levels: &Section, key: &str) -> Option<String> {
    levels.text(key).map(|text| text.trim().to_owned())
}

fn read_applies_to(section: &Section) -> Option<AppliesTo> {
    if !section.has("applies_to") {
        return Some(AppliesTo::Always);
    }
    let word = section.text("applies_to")?;
    let known = AppliesTo::ALL.into_iter().find(|applies_to| applies_to.as_str() == word);
    if known.is_none() {
        section.mistake("applies_to", "must be \"always\", \"multi-turn\", \"with-context\" or \"whole\"");
    }
    known
}

/// A gate that is there, so every part of it is wanted.
fn read_gate(section: &Section) -> Option<Gate> {
    let gate = section.section("gate")?;
    let below = gate.number("below", "a score above 0 and up to 1", |below| below > 0.0 && below <= 1.0);
    let cap = gate.number("caps_composite_at", "a score from 0 to below 1", |cap| (0.0..1.0).contains(&cap));
    Some(Gate { below: Score::new(below?).ok()?, caps_composite_at: Score::new(cap?).ok()? })
}
