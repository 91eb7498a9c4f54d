//! Which series of CloudWatch an alert's context is made of.

use std::collections::BTreeSet;

use adapters::metrics::SeriesQuery;
use domain::alert::rules::{Measure, Measured, Rules};
use domain::metric::{COMPONENT_DIMENSION, COST_PER_HOUR, ENDPOINT_DIMENSION, IDLE_COST_PER_HOUR};
use domain::names::{ComponentName, EndpointName};

use super::{ALWAYS, PERIOD};
use crate::terms::Terms;

/// One series, and what it is for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The metric, in Assay's name.
    pub(crate) name: String,
    /// Whether people are shown it; else it is for a rule.
    pub(crate) is_shown: bool,
    /// What to ask.
    pub(crate) query: SeriesQuery,
}

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
    let Some(endpoint) = endpoint else { return with_rules(terms, wanted, None, component, named) };
    let of_endpoint = || vec![(ENDPOINT_DIMENSION.to_owned(), endpoint.to_string())];
    let capacity = &terms.capacity;
    if let Some(component) = component {
        wanted.insert(0, quality(terms, ALWAYS, "Average", endpoint, component));
        let mut both = of_endpoint();
        both.push((COMPONENT_DIMENSION.to_owned(), component.to_string()));
        wanted.push(own(
            &capacity.namespace,
            COST_PER_HOUR.name,
            capacity.published_name(COST_PER_HOUR.name),
            both,
        ));
    } else {
        let published = capacity.published_name(COST_PER_HOUR.name);
        wanted.push(own(&capacity.namespace, COST_PER_HOUR.name, published, of_endpoint()));
    }
    let published = capacity.published_name(IDLE_COST_PER_HOUR.name);
    wanted.push(own(&capacity.namespace, IDLE_COST_PER_HOUR.name, published, of_endpoint()));
    with_rules(terms, wanted, Some(endpoint), component, named)
}

/// Adds what the alerts are about, as far as it is one metric, and what conditions of rules ask for.
fn with_rules(
    terms: &Terms,
    mut wanted: Vec<Wanted>,
    endpoint: Option<&EndpointName>,
    component: Option<&ComponentName>,
    named: &BTreeSet<String>,
) -> Vec<Wanted> {
    let Some(component) = component else { return wanted };
    let asked = terms.rules.wanted_measures();
    for measure in terms.rules.thresholds().iter() {
        let is_named = named.contains(&measure.name) && measure.per.is_none();
        if !is_named && !asked.contains(measure.name.as_str()) {
            continue;
        }
        for metric in measure.metrics.iter().chain(&measure.per) {
            if wanted.iter().any(|known| known.name == *metric) {
                continue;
            }
            match (&measure.namespace, endpoint) {
                (Some(namespace), _) => {
                    let dimensions = vec![(COMPONENT_DIMENSION.to_owned(), component.to_string())];
                    let series = shown(namespace, metric, &measure.statistic, dimensions);
                    wanted.push(Wanted { is_shown: is_named, ..series });
                }
                (None, Some(endpoint)) => {
                    let series = quality(terms, metric, &measure.statistic, endpoint, component);
                    wanted.push(Wanted { is_shown: is_named, ..series });
                }
                (None, None) => {}
            }
        }
    }
    wanted
}

/// The measures that rules ask for, of the values by metric. One of which a part is missing has
/// none.
pub(super) fn measured(rules: &Rules, value: impl Fn(&str) -> Option<f64>) -> Measured {
    let asked = rules.wanted_measures();
    let measures = rules.thresholds().iter().filter(|measure| asked.contains(measure.name.as_str()));
    measures.filter_map(|measure| Some((measure.name.clone(), value_of(measure, &value)?))).collect()
}

fn value_of(measure: &Measure, value: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
    if measure.per_parameter.is_some() {
        return None;
    }
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

fn own(namespace: &str, name: &str, published: &str, dimensions: Vec<(String, String)>) -> Wanted {
    Wanted { name: name.to_owned(), ..shown(namespace, published, "Average", dimensions) }
}

fn shown(namespace: &str, metric: &str, statistic: &str, dimensions: Vec<(String, String)>) -> Wanted {
    let query = SeriesQuery {
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        dimensions,
        statistic: statistic.to_owned(),
        period: PERIOD,
    };
    Wanted { name: metric.to_owned(), is_shown: true, query }
}
