//! Which series of CloudWatch an alert's context is made of.

use std::collections::BTreeSet;

use adapters::metrics::SeriesQuery;
use domain::alert::rules::{Measure, Measured, Rules};
use domain::capacity::publish;
use domain::metric::{
    COMPONENT_DIMENSION, COPIES, COST_PER_HOUR, COST_PER_MILLION_TOKENS, COST_PER_THOUSAND_INVOCATIONS,
    ENDPOINT_DIMENSION, IDLE_COST_PER_HOUR,
};
use domain::names::{ComponentName, EndpointName};
use jiff::Timestamp;

use super::{ALWAYS, PERIOD, slot};
use crate::terms::Terms;

/// One series, and what it is for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The metric, in Assay's name.
    pub(crate) name: String,
    /// What it is of.
    pub(crate) grain: Grain,
    /// Whether people are shown it; else it is for a rule.
    pub(crate) is_shown: bool,
    /// What to ask.
    pub(crate) query: SeriesQuery,
}

impl Wanted {
    /// The values without that of the period that still runs, where it would only be a part.
    pub(crate) fn whole(&self, mut values: Vec<(Timestamp, f64)>, now: Timestamp) -> Vec<(Timestamp, f64)> {
        if ["Sum", "SampleCount"].contains(&self.query.statistic.as_str()) {
            values.retain(|(at, _)| slot(*at) < slot(now));
        }
        values
    }
}

/// What a series is of: capacity-meter calls the endpoint's bill and a component's share of it the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grain {
    /// One inference component.
    Component,
    /// A whole endpoint.
    Endpoint,
}

/// What capacity-meter publishes of components only.
const OF_COMPONENTS: [&str; 3] =
    [COPIES.name, COST_PER_THOUSAND_INVOCATIONS.name, COST_PER_MILLION_TOKENS.name];

const SAGEMAKER: &str = "AWS/SageMaker";
const CONTAINERS: &str = "/aws/sagemaker/InferenceComponents";

/// What is asked about one place: few series, because each is paid for.
pub(crate) fn wanted(
    terms: &Terms,
    endpoint: Option<&EndpointName>,
    component: Option<&ComponentName>,
    named: &BTreeSet<String>,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    if let Some(component) = component {
        let own = || vec![(COMPONENT_DIMENSION.to_owned(), component.to_string())];
        for (namespace, name, statistic) in [
            (SAGEMAKER, "ModelLatency", "p90"),
            (SAGEMAKER, "Invocations", "Sum"),
            (CONTAINERS, "GPUMemoryUtilizationNormalized", "Average"),
        ] {
            wanted.push(shown(namespace, name, statistic, own()));
        }
    }
    if let Some(endpoint) = endpoint {
        if let Some(component) = component {
            wanted.insert(0, quality(terms, ALWAYS, "Average", endpoint, component));
            wanted.push(capacity(terms, COST_PER_HOUR.name, "Average", endpoint, Some(component)));
        } else {
            wanted.push(capacity(terms, COST_PER_HOUR.name, "Average", endpoint, None));
        }
        wanted.push(capacity(terms, IDLE_COST_PER_HOUR.name, "Average", endpoint, None));
    }
    with_rules(terms, wanted, endpoint, component, named)
}

/// Adds what the alerts are about, as far as it is one metric, and what conditions of rules ask for.
fn with_rules(
    terms: &Terms,
    mut wanted: Vec<Wanted>,
    endpoint: Option<&EndpointName>,
    component: Option<&ComponentName>,
    named: &BTreeSet<String>,
) -> Vec<Wanted> {
    let asked = terms.rules.wanted_measures();
    for measure in terms.rules.thresholds().iter() {
        let is_named = named.contains(&measure.name) && measure.per.is_none();
        let is_asked = asked.contains(measure.name.as_str());
        if !is_named && !is_asked {
            continue;
        }
        let (grain, statistic) = (grain(measure), &measure.statistic);
        for metric in measure.metrics.iter().chain(&measure.per) {
            // People are shown one statistic of a metric; a rule means its own.
            let is_known = |known: &Wanted| {
                let is_of_metric = known.name == *metric && known.grain == grain;
                is_of_metric && (!is_asked || known.query.statistic == *statistic)
            };
            if wanted.iter().any(is_known) {
                continue;
            }
            let series = match (&measure.namespace, endpoint, component) {
                (Some(namespace), _, Some(component)) => {
                    let dimensions = vec![(COMPONENT_DIMENSION.to_owned(), component.to_string())];
                    shown(namespace, metric, statistic, dimensions)
                }
                (None, Some(endpoint), _) if is_of_capacity(metric) && grain == Grain::Endpoint => {
                    capacity(terms, metric, statistic, endpoint, None)
                }
                (None, Some(endpoint), Some(component)) if is_of_capacity(metric) => {
                    capacity(terms, metric, statistic, endpoint, Some(component))
                }
                (None, Some(endpoint), Some(component)) => {
                    quality(terms, metric, statistic, endpoint, component)
                }
                _ => continue,
            };
            let is_shown = is_named && wanted.iter().all(|known| known.name != *metric);
            wanted.push(Wanted { is_shown, ..series });
        }
    }
    wanted
}

/// A share of the bill is one of the endpoint: what is idle belongs to no component.
fn grain(measure: &Measure) -> Grain {
    let mut metrics = measure.metrics.iter().chain(&measure.per);
    let is_of_endpoint =
        |metric: &String| is_of_capacity(metric) && !OF_COMPONENTS.contains(&metric.as_str());
    if measure.namespace.is_none() && metrics.all(is_of_endpoint) {
        Grain::Endpoint
    } else {
        Grain::Component
    }
}

fn is_of_capacity(metric: &str) -> bool {
    publish::definitions().iter().any(|definition| definition.name == metric)
}

/// The measures that rules ask for, of the values by metric, grain and statistic. One of which a part is
/// missing has none.
pub(super) fn measured(rules: &Rules, value: impl Fn(&str, Grain, &str) -> Option<f64>) -> Measured {
    let asked = rules.wanted_measures();
    let measures = rules.thresholds().iter().filter(|measure| asked.contains(measure.name.as_str()));
    let value_of = |measure: &Measure| {
        value_of(measure, &|metric: &str| value(metric, grain(measure), &measure.statistic))
    };
    measures.filter_map(|measure| Some((measure.name.clone(), value_of(measure)?))).collect()
}

fn value_of(measure: &Measure, value: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let parts: Vec<f64> = measure.metrics.iter().filter_map(|metric| value(metric)).collect();
    if parts.is_empty() {
        return None;
    }
    let sum: f64 = parts.into_iter().sum();
    match &measure.per {
        None => Some(sum),
        Some(per) => value(per).filter(|per| *per > 0.0).map(|per| sum / per),
    }
}

fn quality(
    terms: &Terms,
    name: &str,
    statistic: &str,
    endpoint: &EndpointName,
    component: &ComponentName,
) -> Wanted {
    let naming = &terms.quality;
    let mut dimensions = vec![
        (ENDPOINT_DIMENSION.to_owned(), endpoint.to_string()),
        (COMPONENT_DIMENSION.to_owned(), component.to_string()),
    ];
    dimensions.extend(naming.label(component));
    let published = shown(&naming.namespace, naming.published_name(name), statistic, dimensions);
    Wanted { name: name.to_owned(), ..published }
}

fn capacity(
    terms: &Terms,
    name: &str,
    statistic: &str,
    endpoint: &EndpointName,
    component: Option<&ComponentName>,
) -> Wanted {
    let naming = &terms.capacity;
    let mut dimensions = vec![(ENDPOINT_DIMENSION.to_owned(), endpoint.to_string())];
    dimensions.extend(component.map(|component| (COMPONENT_DIMENSION.to_owned(), component.to_string())));
    let grain = if component.is_some() { Grain::Component } else { Grain::Endpoint };
    let published = shown(&naming.namespace, naming.published_name(name), statistic, dimensions);
    Wanted { name: name.to_owned(), grain, ..published }
}

fn shown(namespace: &str, metric: &str, statistic: &str, dimensions: Vec<(String, String)>) -> Wanted {
    let query = SeriesQuery {
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        dimensions,
        statistic: statistic.to_owned(),
        period: PERIOD,
    };
    Wanted { name: metric.to_owned(), grain: Grain::Component, is_shown: true, query }
}

#[cfg(test)]
mod tests {
    use domain::fleet::{self, Fleet};

    use super::*;

    const ASKS: &str = "[[rule]]\nname = 'a'\nseverity = 'info'\nmeasured = { IdleCostShare = 'critical', \
                        MeterBlind = 'warning', MeterRuns = 'warning' }\n";

    fn terms() -> Terms {
        let fleet = Fleet::from_toml("fleet.toml", fleet::SHIPPED).unwrap();
        Terms {
            rules: Rules::from_toml("alerts.toml", ASKS).unwrap(),
            quality: fleet.metrics().clone(),
            capacity: fleet.capacity().metrics.clone(),
            owners: fleet.owners(),
        }
    }

    #[test]
    fn what_is_idle_is_a_share_of_the_endpoints_bill() {
        let (terms, endpoint, component) = (terms(), "chat".parse().unwrap(), "qwen-7b".parse().unwrap());
        for component in [None, Some(&component)] {
            let asked = wanted(&terms, Some(&endpoint), component, &BTreeSet::new());
            for (metric, statistic) in
                [("IdleCostPerHour", "Average"), ("CostPerHour", "Average"), ("MeterBlind", "Maximum")]
            {
                let is_of = |one: &&Wanted| one.name == metric && one.query.statistic == statistic;
                let found = asked.iter().filter(is_of).filter(|one| one.grain == Grain::Endpoint);
                let queries: Vec<_> = found.map(|one| &one.query).collect();
                assert_eq!(queries.len(), 1, "{metric}");
                assert_eq!(queries[0].namespace, terms.capacity.namespace);
                assert_eq!(queries[0].dimensions, [(ENDPOINT_DIMENSION.to_owned(), "chat".to_owned())]);
            }
        }
        let values = |metric: &str, grain, _: &str| match (metric, grain) {
            ("IdleCostPerHour", Grain::Endpoint) => Some(3.0),
            ("CostPerHour", Grain::Endpoint) => Some(12.0),
            ("CostPerHour", Grain::Component) => Some(4.0),
            _ => None,
        };
        let share = measured(&terms.rules, values).get("IdleCostShare").copied();
        assert!(share.is_some_and(|share| (share - 0.25).abs() < 1e-9), "{share:?}");
    }

    #[test]
    fn of_one_metric_each_measure_has_its_own_statistic() {
        let (terms, endpoint) = (terms(), "chat".parse().unwrap());
        let asked = wanted(&terms, Some(&endpoint), None, &BTreeSet::new());
        let of_meter = asked.iter().filter(|one| one.name == "MeterBlind");
        let statistics: BTreeSet<&str> = of_meter.map(|one| one.query.statistic.as_str()).collect();
        assert_eq!(statistics, BTreeSet::from(["Maximum", "SampleCount"]));
        let values = |metric: &str, _, statistic: &str| match (metric, statistic) {
            ("MeterBlind", "Maximum") => Some(0.0),
            ("MeterBlind", "SampleCount") => Some(6.0),
            _ => None,
        };
        let measured = measured(&terms.rules, values);
        assert_eq!((measured["MeterBlind"], measured["MeterRuns"]), (0.0, 6.0));
        // A metric that is shown and for which no rule asks is asked for once.
        let text = "[thresholds]\nModelLatency = { comparison = 'above', warning = 1, statistic = 'Average', \
                    namespace = 'AWS/SageMaker' }\n";
        let terms = Terms { rules: Rules::from_toml("alerts.toml", text).unwrap(), ..terms };
        let named = BTreeSet::from(["ModelLatency".to_owned()]);
        let asked = wanted(&terms, Some(&endpoint), Some(&"qwen-7b".parse().unwrap()), &named);
        assert_eq!(asked.iter().filter(|one| one.name == "ModelLatency").count(), 1);
    }

    #[test]
    fn a_sum_of_a_period_that_still_runs_is_left_out() {
        let at = |second: i64| Timestamp::from_second(1_764_000_000 + second).unwrap();
        let values = vec![(at(0), 120.0), (at(300), 3.0)];
        let whole = |statistic| shown(SAGEMAKER, "m", statistic, Vec::new()).whole(values.clone(), at(310));
        assert_eq!(whole("Sum"), [(at(0), 120.0)]);
        assert_eq!(whole("p90"), values);
    }
}
