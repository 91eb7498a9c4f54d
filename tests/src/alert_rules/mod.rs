//! Evaluates alert rules as Grafana does: from a rule's JSON, and nothing of the code that wrote it,
//! over what CloudWatch answers to its queries.
//!
//! 1. [`queries`]: what a rule asks.
//! 2. [`cloudwatch::ask`]: what CloudWatch answers.
//! 3. [`evaluate`]: for which label sets the condition holds, and the numbers behind it.
//! 4. [`notice::alert`]: what Grafana then sends.

pub mod cloudwatch;
mod formula;
pub mod notice;
pub mod played;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::failure::{During, Failure, Outcome};

/// What tells one series from another.
pub type Labels = BTreeMap<String, String>;
/// Values by their second; `None` where a bucket has none.
pub type Points = Vec<(i64, Option<f64>)>;
/// Points by label set.
pub type Series = Vec<(Labels, Points)>;
/// Numbers by label set; a plain number has one without labels.
pub type Numbers = Vec<(Labels, f64)>;

/// What a rule asks CloudWatch.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Its `refId`.
    pub id: char,
    /// The query in the form of Grafana's CloudWatch data source.
    pub model: &'a Value,
    /// The first second of its range.
    pub from: i64,
    /// The end of its range, exclusive.
    pub to: i64,
}

/// An instance of a rule whose condition holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// Its labels, without those of the rule.
    pub labels: Labels,
    /// The numbers of the rule's steps that belong to it.
    pub values: BTreeMap<char, f64>,
}

/// The labels that Grafana, 11 and later, gives a series of a query: its dimensions, and as `Series`
/// the name that the query's label makes of them (pkg/tsdb/cloudwatch, `parseLabels`).
pub fn labelled(model: &Value, dimensions: &Labels) -> Labels {
    let name = dimensions.iter().fold(text(&model["label"]).to_owned(), |name, (key, value)| {
        name.replace(&format!("${{PROP('Dim.{key}')}}"), value)
    });
    let mut labels = dimensions.clone();
    labels.insert("Series".to_owned(), name);
    labels
}

/// What `rule` asks at the second `now`.
///
/// # Errors
/// The rule has a step without `refId` or range.
pub fn queries(rule: &Value, now: i64) -> Outcome<Vec<Query<'_>>> {
    let asks = steps(rule).filter(|step| step["model"]["type"].is_null());
    asks.map(|step| {
        let (from, to) = range(step, now)?;
        Ok(Query { id: letter(&step["refId"])?, model: &step["model"], from, to })
    })
    .collect()
}

/// The instances of `rule` whose condition holds at the second `now`, with these answers to its
/// [`queries`].
///
/// # Errors
/// The rule has a step that is not understood.
pub fn evaluate(rule: &Value, now: i64, answers: &BTreeMap<char, Series>) -> Outcome<Vec<Firing>> {
    let mut series = answers.clone();
    let mut numbers: BTreeMap<char, Numbers> = BTreeMap::new();
    for step in steps(rule) {
        let (id, model) = (letter(&step["refId"])?, &step["model"]);
        let source = || {
            let of = letter(&model["expression"])?;
            series.get(&of).ok_or_else(|| Failure(format!("step {id} uses {of}, which is no series")))
        };
        match model["type"].as_str() {
            None => {}
            Some("reduce") => drop(numbers.insert(id, reduce(model, source()?)?)),
            Some("resample") => {
                let resampled = resample(model, source()?, range(step, now)?)?;
                series.insert(id, resampled);
            }
            Some("math") => {
                let value = formula::evaluate(text(&model["expression"]), &numbers)?;
                numbers.insert(id, value);
            }
            Some(other) => return Err(Failure(format!("step {id} is of a kind that is not known: {other}"))),
        }
    }
    let id = letter(&rule["condition"])?;
    let condition =
        numbers.get(&id).ok_or_else(|| Failure(format!("the condition {id} is no number")))?.clone();
    let holds = condition.into_iter().filter(|(_, value)| value.abs() > 0.0);
    Ok(holds.map(|(labels, _)| Firing { values: values_of(&labels, &numbers), labels }).collect())
}

/// The number of each step whose labels are a part of these.
fn values_of(labels: &Labels, numbers: &BTreeMap<char, Numbers>) -> BTreeMap<char, f64> {
    let of = |numbers: &Numbers| {
        let found = numbers.iter().find(|(part, _)| formula::holds(labels, part));
        found.map(|(_, value)| *value)
    };
    numbers.iter().filter_map(|(id, numbers)| Some((*id, of(numbers)?))).collect()
}

fn reduce(model: &Value, series: &Series) -> Outcome<Numbers> {
    let settings = &model["settings"];
    let instead = match text(&settings["mode"]) {
        "replaceNN" => settings["replaceWithValue"].as_f64(),
        "dropNN" => None,
        other => return Err(Failure(format!("a reduction has an unknown mode: {other}"))),
    };
    let reducer: fn(&[f64]) -> Option<f64> = match text(&model["reducer"]) {
        "sum" => |values| Some(values.iter().sum()),
        "mean" => |values| (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values)),
        "last" => |values| values.last().copied(),
        "min" => |values| values.iter().copied().reduce(f64::min),
        "max" => |values| values.iter().copied().reduce(f64::max),
        other => return Err(Failure(format!("a reducer is not known: {other}"))),
    };
    let one = |points: &Points| {
        let values: Vec<f64> = points.iter().filter_map(|(_, value)| value.or(instead)).collect();
        reducer(&values)
    };
    Ok(series.iter().filter_map(|(labels, points)| Some((labels.clone(), one(points)?))).collect())
}

#[expect(clippy::cast_precision_loss, reason = "points of a few days")]
fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

/// A bucket ends at its time and takes what came after the one before.
fn resample(model: &Value, series: &Series, (from, to): (i64, i64)) -> Outcome<Series> {
    if (text(&model["downsampler"]), text(&model["upsampler"])) != ("sum", "fillna") {
        return Err(Failure(format!("a resampling is not known: {model}")));
    }
    let window: i64 =
        text(&model["window"]).trim_end_matches('s').parse().during("read the window of a resampling")?;
    let cut = |points: &Points| -> Points {
        let bucket = |end: i64| {
            let inside = points.iter().filter(|(at, _)| end - window < *at && *at <= end);
            let values: Vec<f64> = inside.filter_map(|(_, value)| *value).collect();
            (end, (!values.is_empty()).then(|| values.iter().sum()))
        };
        (0..=(to - from) / window).map(|step| bucket(from + step * window)).collect()
    };
    Ok(series.iter().map(|(labels, points)| (labels.clone(), cut(points))).collect())
}

fn steps(rule: &Value) -> impl Iterator<Item = &Value> {
    rule["data"].as_array().into_iter().flatten()
}

fn range(step: &Value, now: i64) -> Outcome<(i64, i64)> {
    let ago = |end: &str| {
        let seconds = step["relativeTimeRange"][end].as_i64();
        seconds.map(|seconds| now - seconds).ok_or_else(|| Failure("a step has no range".to_owned()))
    };
    Ok((ago("from")?, ago("to")?))
}

fn letter(value: &Value) -> Outcome<char> {
    let missing = || Failure(format!("{value} names no step"));
    value.as_str().and_then(|text| text.chars().next()).ok_or_else(missing)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
