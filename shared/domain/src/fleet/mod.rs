//! What an operator says about the fleet in `config/fleet.toml`: which inference component a
//! record belongs to, how often its answers are judged, what the judge costs, how metrics are
//! called. Each section of the file has a module here, and a `read` that takes it.

mod attribution;
mod capacity_terms;
mod custom_attributes;
mod metric_naming;
mod price;
mod sampling_policy;

use std::collections::BTreeMap;

use crate::capacity::topology::EndpointTopology;
use crate::names::{ComponentName, EndpointName};
use crate::settings::{self, Mistakes};

pub use attribution::{AttributedBy, Attribution, UnlistedLimit};
pub use capacity_terms::CapacityTerms;
pub use metric_naming::MetricNaming;
pub use price::JudgePrice;
pub use sampling_policy::{NotARate, SamplingPolicy, SamplingRate};

/// The file that Assay ships, used when no other is configured.
pub const SHIPPED: &str = include_str!("../../../../config/fleet.toml");

/// A fleet file, read.
#[derive(Debug, Clone)]
pub struct Fleet {
    attribution: attribution::Rules,
    sampling: sampling_policy::Policies,
    prices: price::PriceList,
    metrics: MetricNaming,
    capacity: CapacityTerms,
}

impl Fleet {
    /// Reads the text of a fleet file; `source_name` stands in the error.
    pub fn from_toml(source_name: &str, text: &str) -> Result<Self, Mistakes> {
        settings::read(source_name, text, |root| {
            let attribution = attribution::Rules::read(root);
            let sampling = sampling_policy::Policies::read(root);
            let prices = price::PriceList::read(root);
            let metrics = MetricNaming::read(root);
            let capacity = CapacityTerms::read(root, &metrics);
            Some(Self { attribution, sampling, prices, metrics, capacity })
        })
    }

    /// The components that the file lists for an endpoint; empty when it does not list it.
    pub fn components(&self, endpoint: &EndpointName) -> &[ComponentName] {
        self.attribution.components(endpoint)
    }

    /// The endpoint of each component that the file lists for one only.
    pub fn owners(&self) -> BTreeMap<ComponentName, EndpointName> {
        self.attribution.owners()
    }

    /// How often answers of a component are judged.
    pub fn sampling(&self, component: &ComponentName) -> SamplingPolicy {
        self.sampling.of(component)
    }

    /// What a judge costs, by its model id, inference profile id or ARN. `None` when the file has
    /// no price for it: then nobody can keep a budget.
    pub fn judge_price(&self, model_id: &str) -> Option<&JudgePrice> {
        self.prices.find(model_id)
    }

    /// What instances have and cost, and how the metrics of capacity are called.
    pub fn capacity(&self) -> &CapacityTerms {
        &self.capacity
    }

    /// What the file says about the instances and copies of its endpoints, for those that it
    /// describes so.
    pub fn topologies(&self) -> BTreeMap<EndpointName, EndpointTopology> {
        self.attribution.topologies().map(|(name, topology)| (name.clone(), topology.clone())).collect()
    }

    /// How the metrics of quality are called.
    pub fn metrics(&self) -> &MetricNaming {
        &self.metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_right_and_decides_nothing_for_anybody() {
        let fleet = Fleet::from_toml("fleet.toml", SHIPPED).unwrap();
        assert_eq!(fleet.sampling(&"any".parse().unwrap()), SamplingPolicy::default());
        assert_eq!(fleet.metrics(), &MetricNaming::default());
        assert!(fleet.components(&"any".parse().unwrap()).is_empty());
        assert_eq!(fleet.attribution, attribution::Rules::default());
    }

    #[test]
    fn an_empty_file_is_the_same_but_for_the_prices() {
        let fleet = Fleet::from_toml("fleet.toml", "").unwrap();
        assert_eq!(fleet.attribution, attribution::Rules::default());
        assert!(fleet.judge_price("anthropic.claude-sonnet-4-6").is_none());
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let text = r#"
            typo = 1
            [attribution]
            order = ["model", "guess", "model"]
            custom_attribute_keys = ["a=b"]
            max_unlisted_components = -1
            [attribution.models]
            "m" = "not a name"
            [[endpoint]]
            name = "chat"
            components = ["a", "a", "unattributed"]
            models = { "x" = "c" }
            [[endpoint]]
            name = "chat"
            components = []
            [sampling]
            rate = 1.5
            [sampling.component.a]
            cap_per_hour = 0.5
            [[judge_price]]
            model = "m"
            input = -1
            [metrics]
            namespace = "AWS/Mine"
            [metrics.names]
            A = "same"
            B = "same"
        "#;
        let error = Fleet::from_toml("fleet.toml", text).unwrap_err();
        let places: Vec<&str> =
            error.list.iter().map(|line| line.split_once(": ").unwrap_or_default().0).collect();
        assert_eq!(
            places,
            [
                "attribution.order",
                "attribution.order",
                "attribution.custom_attribute_keys",
                "attribution.models.m",
                "attribution.max_unlisted_components",
                "endpoint[0].components",
                "endpoint[0].components",
                "endpoint[0].models.x",
                "endpoint[1].components",
                "endpoint[1].name",
                "sampling.rate",
                "sampling.component.a.cap_per_hour",
                "judge_price[0].as_of",
                "judge_price[0].input",
                "judge_price[0].output",
                "metrics.namespace",
                "metrics.names.B",
                "typo",
            ],
            "{error}"
        );
    }
}
