//! Which series a panel or a rule asks CloudWatch for. The metric is a definition in code, so that
//! one that is renamed takes its queries along, and one that is gone does not compile.

use super::aws::{AwsMetric, Grain};
use crate::fleet::{Fleet, MetricNaming};
use crate::metric::{COMPONENT_DIMENSION, Definition, ENDPOINT_DIMENSION};

/// A metric with all dimensions of its series: exact, so that roll-ups are not counted twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The CloudWatch namespace.
    pub namespace: String,
    /// The name under which the metric is published.
    pub metric: String,
    /// Every dimension of its series.
    pub dimensions: Vec<Dimension>,
}

/// A dimension and which of its values are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// The values of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// The endpoint that the reader chose, or that a rule watches.
    Endpoint,
    /// The components that the reader chose; for a rule each.
    Component,
    /// Each.
    Any,
}

impl Dimension {
    fn of(name: &str) -> Self {
        let values = match name {
            ENDPOINT_DIMENSION => Values::Endpoint,
            COMPONENT_DIMENSION => Values::Component,
            _ => Values::Any,
        };
        Self { name: name.to_owned(), values }
    }
}

impl Source {
    /// A metric of SageMaker's, by one of the grains that it has.
    pub fn aws(metric: AwsMetric, grain: Grain) -> Self {
        debug_assert!(metric.grains.contains(&grain), "{} has no {grain:?}", metric.name);
        Self {
            namespace: metric.namespace.to_owned(),
            metric: metric.name.to_owned(),
            dimensions: grain.dimensions().iter().map(|name| Dimension::of(name)).collect(),
        }
    }

    /// Whether the series have this dimension.
    pub fn has(&self, dimension: &str) -> bool {
        self.dimensions.iter().any(|one| one.name == dimension)
    }

    /// The names of the dimensions.
    pub fn dimension_names(&self) -> impl Iterator<Item = &str> {
        self.dimensions.iter().map(|one| one.name.as_str())
    }
}

/// How Assay's own metrics are called in this fleet.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    quality: &'a MetricNaming,
    capacity: &'a MetricNaming,
}

impl<'a> Sources<'a> {
    /// The names that `fleet.toml` gives them.
    pub fn of(fleet: &'a Fleet) -> Self {
        Self { quality: fleet.metrics(), capacity: &fleet.capacity().metrics }
    }

    /// A metric of quality-judge, by Assay's name of it: of a component.
    pub fn quality(&self, name: &str) -> Source {
        own(self.quality, name, true)
    }

    /// A metric of capacity-meter of a whole endpoint.
    pub fn endpoint(&self, metric: Definition) -> Source {
        own(self.capacity, metric.name, false)
    }

    /// The same, by name, for the metrics that are named by an enum.
    pub fn endpoint_named(&self, name: &str) -> Source {
        own(self.capacity, name, false)
    }

    /// A metric of capacity-meter of a component.
    pub fn component(&self, metric: Definition) -> Source {
        own(self.capacity, metric.name, true)
    }
}

fn own(naming: &MetricNaming, name: &str, is_of_component: bool) -> Source {
    let mut dimensions = vec![Dimension::of(ENDPOINT_DIMENSION)];
    if is_of_component {
        dimensions.push(Dimension::of(COMPONENT_DIMENSION));
        dimensions.extend(naming.label_dimension.as_deref().map(Dimension::of));
    }
    Source { namespace: naming.namespace.clone(), metric: naming.published_name(name).to_owned(), dimensions }
}
