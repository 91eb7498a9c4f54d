//! Evaluates a rule's JSON over made-up metrics, as CloudWatch and Grafana would. It reads the JSON
//! and nothing of the code that wrote it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::formula::{self, Labels, Numbers};
use super::{list, text};

/// One observation.
#[derive(Debug, Clone)]
struct Observed {
    metric: String,
    labels: Labels,
    at: i64,
    value: f64,
}

/// What CloudWatch holds. Times are seconds; `NOW` is now.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    observed: Vec<Observed>,
}

/// A multiple of every period.
pub(super) const NOW: i64 = 1_800_000_000 / 86_400 * 86_400;

type Series = Vec<(Labels, Vec<(i64, Option<f64>)>)>;

impl Metrics {
    /// `count` observations of `value`, spread over the stretch from `from` to `to` seconds ago.
    pub(super) fn observe(
        &mut self,
        metric: &str,
        labels: &[(&str, &str)],
        value: f64,
        count: i64,
        from: i64,
        to: i64,
    ) {
        let labels: Labels =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for place in 0..count {
            let at = NOW - from + (from - to) * place / count;
            self.observed.push(Observed { metric: metric.to_owned(), labels: labels.clone(), at, value });
        }
    }

    /// The label sets for which the rule's condition holds, with the measured value.
    pub(super) fn firing(&self, rule: &Value) -> Vec<(Labels, f64)> {
        let mut series: BTreeMap<char, Series> = BTreeMap::new();
        let mut numbers: BTreeMap<char, Numbers> = BTreeMap::new();
        for step in list(&rule["data"]) {
            let id = text(step, "refId").chars().next().unwrap();
            let range = |key: &str| NOW - step["relativeTimeRange"][key].as_i64().unwrap();
            let (from, to) = (range("from"), range("to"));
            let model = &step["model"];
            let of = || text(model, "expression").chars().next().unwrap();
            match model["type"].as_str() {
                None => drop(series.insert(id, self.ask(model, from, to))),
                Some("reduce") => drop(numbers.insert(id, reduce(model, &series[&of()]))),
                Some("resample") => drop(series.insert(id, resample(model, &series[&of()], from, to))),
                Some("math") => {
                    let value = formula::evaluate(text(model, "expression"), &numbers);
                    numbers.insert(id, value);
                }
                Some(other) => panic!("no expression is called {other}"),
            }
        }
        let condition = &numbers[&text(rule, "condition").chars().next().unwrap()];
        let firing = condition.iter().filter(|(_, value)| value.abs() > 0.0);
        let value = |labels: &Labels| {
            let holds = |part: &Labels| part.iter().all(|(key, value)| labels.get(key) == Some(value));
            numbers[&'B']
                .iter()
                .find(|(part, _)| holds(part))
                .unwrap_or_else(|| panic!("no value for {labels:?}"))
                .1
        };
        firing.map(|(labels, _)| (labels.clone(), value(labels))).collect()
    }

    fn ask(&self, model: &Value, from: i64, to: i64) -> Series {
        let period: i64 = text(model, "period").parse().unwrap();
        if model["metricEditorMode"] == 1 {
            return self.code(text(model, "expression"), period, from, to);
        }
        assert_eq!(model["matchExact"], true);
        let wanted = model["dimensions"].as_object().unwrap();
        let fits = |one: &Observed| {
            one.labels.len() == wanted.len()
                && one.labels.iter().all(|(name, value)| {
                    let allowed = wanted.get(name).map(list).unwrap_or_default();
                    allowed.iter().any(|allowed| allowed == "*" || allowed == value.as_str())
                })
        };
        let metric = text(model, "metricName");
        let chosen = self.observed.iter().filter(|one| one.metric == metric && fits(one));
        let mut by_labels: BTreeMap<Labels, Vec<&Observed>> = BTreeMap::new();
        for one in chosen.filter(|one| from <= one.at && one.at < to) {
            by_labels.entry(one.labels.clone()).or_default().push(one);
        }
        let statistic = text(model, "statistic");
        by_labels
            .into_iter()
            .map(|(labels, observed)| (labels, points(&observed, statistic, period)))
            .collect()
    }

    /// `SUM(SEARCH(...))`, or the quotient of two.
    fn code(&self, expression: &str, period: i64, from: i64, to: i64) -> Series {
        let sum = |search: &str| -> BTreeMap<i64, f64> {
            let names = search.split("MetricName=").nth(1).unwrap();
            let names: BTreeSet<&str> =
                names.split('\'').next().unwrap().split('"').skip(1).step_by(2).collect();
            assert!(search.contains(&format!("'Sum', {period}))")), "{search}");
            let mut sums = BTreeMap::new();
            for one in self.observed.iter().filter(|one| names.contains(one.metric.as_str())) {
                if from <= one.at && one.at < to {
                    *sums.entry(one.at.div_euclid(period) * period).or_default() += one.value;
                }
            }
            sums
        };
        let parts: Vec<_> = expression.split(" / ").map(sum).collect();
        let points: Vec<(i64, Option<f64>)> = match parts.as_slice() {
            [whole] => whole.iter().map(|(at, value)| (*at, Some(*value))).collect(),
            [part, whole] => {
                part.iter().filter_map(|(at, value)| Some((*at, Some(value / whole.get(at)?)))).collect()
            }
            _ => panic!("{expression}"),
        };
        if points.is_empty() { Series::new() } else { vec![(Labels::new(), points)] }
    }
}

fn points(observed: &[&Observed], statistic: &str, period: i64) -> Vec<(i64, Option<f64>)> {
    let mut buckets: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for one in observed {
        buckets.entry(one.at.div_euclid(period) * period).or_default().push(one.value);
    }
    let value = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let count = f64::from(u32::try_from(values.len()).unwrap());
        let sum: f64 = values.iter().sum();
        match statistic {
            "Sum" => sum,
            "SampleCount" => count,
            "Average" => sum / count,
            "Maximum" => values[values.len() - 1],
            "Minimum" => values[0],
            "p90" => values[(values.len() * 9 / 10).min(values.len() - 1)],
            other => panic!("no statistic is called {other}"),
        }
    };
    buckets.into_iter().map(|(at, values)| (at, Some(value(values)))).collect()
}

fn reduce(model: &Value, series: &Series) -> Numbers {
    let mode = text(&model["settings"], "mode");
    let one = |points: &[(i64, Option<f64>)]| {
        let values: Vec<f64> = match mode {
            "replaceNN" => {
                let instead = model["settings"]["replaceWithValue"].as_f64().unwrap();
                points.iter().map(|(_, value)| value.unwrap_or(instead)).collect()
            }
            "dropNN" => points.iter().filter_map(|(_, value)| *value).collect(),
            other => panic!("no mode is called {other}"),
        };
        let count = f64::from(u32::try_from(values.len()).unwrap());
        match text(model, "reducer") {
            "sum" => Some(values.iter().sum()),
            "mean" => (count > 0.0).then(|| values.iter().sum::<f64>() / count),
            "last" => values.last().copied(),
            "min" => values.iter().copied().reduce(f64::min),
            "max" => values.iter().copied().reduce(f64::max),
            other => panic!("no reducer is called {other}"),
        }
    };
    series.iter().filter_map(|(labels, points)| Some((labels.clone(), one(points)?))).collect()
}

/// A bucket ends at its time and takes what came after the one before.
fn resample(model: &Value, series: &Series, from: i64, to: i64) -> Series {
    assert_eq!((&model["downsampler"], &model["upsampler"]), (&"sum".into(), &"fillna".into()));
    let window: i64 = text(model, "window").strip_suffix('s').unwrap().parse().unwrap();
    let cut = |points: &[(i64, Option<f64>)]| -> Vec<(i64, Option<f64>)> {
        let bucket = |end: i64| {
            let inside = points.iter().filter(|(at, _)| end - window < *at && *at <= end);
            let values: Vec<f64> = inside.filter_map(|(_, value)| *value).collect();
            (end, (!values.is_empty()).then(|| values.iter().sum()))
        };
        (0..=(to - from) / window).map(|step| bucket(from + step * window)).collect()
    };
    series.iter().map(|(labels, points)| (labels.clone(), cut(points))).collect()
}
