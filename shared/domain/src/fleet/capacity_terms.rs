//! What an operator says about instances: the section `[capacity]` and the tables `[[instance]]`.

use super::metric_naming::{MetricNaming, namespace_problem};
use crate::capacity::instance::{Catalogue, Row, read_rows};
use crate::capacity::price::Discount;
use crate::metric::CAPACITY_NAMESPACE;
use crate::settings::{Mistakes, Section};

/// Instance types, discount and metric names of capacity-meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapacityTerms {
    /// The operator's own shapes and prices.
    pub instances: Vec<Row>,
    /// What comes off prices on demand.
    pub discount: Discount,
    /// How the metrics are called: the names of `[metrics.names]`, in a namespace of their own
    /// and without the third dimension.
    pub metrics: MetricNaming,
}

impl CapacityTerms {
    /// What is known about instance types before the price list is asked.
    ///
    /// # Errors
    /// The mistakes of the shipped table, which a test keeps free of them.
    pub fn catalogue(&self, region: &str) -> Result<Catalogue, Mistakes> {
        Catalogue::new(&self.instances, self.discount, region)
    }

    pub(super) fn read(root: &Section, quality: &MetricNaming) -> Self {
        let mut terms = Self {
            instances: read_rows(root),
            discount: Discount::default(),
            metrics: MetricNaming {
                namespace: CAPACITY_NAMESPACE.to_owned(),
                names: quality.names.clone(),
                ..MetricNaming::default()
            },
        };
        let Some(section) = root.section("capacity") else { return terms };
        if let Some(namespace) = section.optional_text("namespace") {
            if let Some(problem) = namespace_problem(&namespace) {
                section.mistake("namespace", problem);
            }
            terms.metrics.namespace = namespace;
        }
        let percent = section.optional_number("discount_percent", "0 to 100", |percent| {
            Discount::from_percent(percent).is_some()
        });
        terms.discount = percent.and_then(Discount::from_percent).unwrap_or_default();
        terms
    }
}
