//! What an endpoint should consist of, by the SageMaker control plane or by `fleet.toml`: plain
//! data, kept in the state table between runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gpus::Gpus;
use super::instance::InstanceTypes;
use super::plan::PublishFrequency;
use crate::names::{ComponentName, EndpointName};

mod read;
pub(crate) use read::read_endpoint;

/// Where a topology comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum TopologySource {
    /// The SageMaker API.
    ControlPlane {
        /// When it was asked.
        read_at: Timestamp,
    },
    /// The operator.
    FleetFile,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointTopology {
    /// Its name.
    pub endpoint: EndpointName,
    /// Who says so.
    pub source: TopologySource,
    /// `MetricsConfig.EnableEnhancedMetrics`; `None` when nobody says.
    #[serde(default)]
    pub enhanced_metrics: Option<bool>,
    /// `MetricsConfig.MetricPublishFrequencyInSeconds`; `None` when nobody says.
    #[serde(default)]
    pub publish_frequency: Option<PublishFrequency>,
    /// Its variants.
    pub variants: Vec<Variant>,
    /// Its inference components, adapters included.
    pub components: Vec<Component>,
}

/// A production variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its instances by type; a variant without instance pools has one.
    pub pools: Vec<Pool>,
}

/// Instances of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// As `ml.g6.12xlarge`.
    pub instance_type: String,
    /// `CurrentInstanceCount`; `None` when nobody says.
    pub count: Option<u32>,
}

/// An inference component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: ComponentName,
    /// The variant that it is on; `None` when nobody says.
    #[serde(default)]
    pub variant: Option<String>,
    /// `CurrentCopyCount`; `None` when nobody says.
    pub copies: Option<u32>,
    /// `NumberOfAcceleratorDevicesRequired` of a copy; 0 for one on the CPU. With a partition: the
    /// number of its slices, which SageMaker holds at 1.
    #[serde(default)]
    pub accelerators: u32,
    /// The same where it differs by instance type (`Specifications`).
    #[serde(default)]
    pub accelerators_by_type: BTreeMap<String, u32>,
    /// `AcceleratorPartitionType`: a MIG slice, as `mig-3g.40gb`.
    #[serde(default)]
    pub partition: Option<Partition>,
    /// `NumberOfCpuCoresRequired` times 1,000.
    #[serde(default)]
    pub milli_cores: Option<u32>,
    /// `BaseInferenceComponentName`: the component is an adapter that lives in this one.
    #[serde(default)]
    pub base: Option<ComponentName>,
    /// `PlacementStatus`: copies by instance type; empty when nobody says.
    #[serde(default)]
    pub placements: BTreeMap<String, u32>,
}

/// A MIG slice of a GPU, as `mig-3g.40gb`.
///
/// NVIDIA divides the compute of a GPU in seven and its memory in eight, and no layout hands out
/// more than seven sevenths. So a slice of `n` `g` is `n` sevenths of its GPU. By memory the legal
/// layout `4g` + `3g` would be more than the whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition {
    name: String,
    sevenths: u32,
}

/// Why a text is no MIG slice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a MIG slice like mig-3g.40gb with 1 to 7 g")]
pub struct NotAPartition(pub String);

impl TryFrom<String> for Partition {
    type Error = NotAPartition;

    fn try_from(name: String) -> Result<Self, NotAPartition> {
        let sevenths = name
            .strip_prefix("mig-")
            .and_then(|rest| rest.split_once("g."))
            .and_then(|(slices, _)| slices.parse::<u32>().ok())
            .filter(|slices| (1..=7).contains(slices));
        match sevenths {
            Some(sevenths) => Ok(Self { name, sevenths }),
            None => Err(NotAPartition(name)),
        }
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> Self {
        partition.name
    }
}

impl Partition {
    /// How many sevenths of a GPU the slice is.
    pub fn sevenths(&self) -> u32 {
        self.sevenths
    }

    /// As SageMaker writes it.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl EndpointTopology {
    /// Whether SageMaker says something else soon: it tells no copies of a component that it is
    /// deleting. A fleet file without them stays as it is, and an adapter has no copies to tell.
    pub fn is_changing(&self) -> bool {
        let is_leaving = |it: &Component| it.base.is_none() && it.copies.is_none();
        matches!(self.source, TopologySource::ControlPlane { .. }) && self.components.iter().any(is_leaving)
    }

    /// The instances of all variants by type; `None` when nobody says how many.
    pub fn instances(&self) -> Option<BTreeMap<&str, u32>> {
        let mut by_type: BTreeMap<&str, u32> = BTreeMap::new();
        for pool in self.variants.iter().flat_map(|variant| &variant.pools) {
            let count = by_type.entry(pool.instance_type.as_str()).or_default();
            *count = count.saturating_add(pool.count?);
        }
        (!self.variants.is_empty()).then_some(by_type)
    }

    /// Whether the name of a variant is enough to know how many GPUs its instances have.
    pub fn has_certain_shapes(&self, types: &InstanceTypes) -> bool {
        !self.variants.is_empty()
            && self.variants.iter().all(|variant| match variant.pools.as_slice() {
                [only] => types.gpus(&only.instance_type).is_some(),
                _ => false,
            })
    }
}

impl Component {
    /// Whether copies of it hold GPUs of their own.
    pub fn needs_gpus(&self) -> bool {
        self.base.is_none()
            && (self.accelerators > 0 || self.accelerators_by_type.values().any(|count| *count > 0))
    }

    /// The GPUs of all its copies; `None` when nobody says how many copies there are, or, where
    /// the GPUs of a copy differ by instance type, which type each runs on.
    pub fn expected_gpus(&self) -> Option<Gpus> {
        if self.base.is_some() {
            return Some(Gpus::default());
        }
        let copies = self.copies?;
        let devices = if self.accelerators_by_type.is_empty() {
            u64::from(copies) * u64::from(self.accelerators)
        } else if self.placements.values().sum::<u32>() == copies {
            let of = |(kind, copies): (&String, &u32)| {
                let devices = self.accelerators_by_type.get(kind).copied().unwrap_or(self.accelerators);
                u64::from(*copies) * u64::from(devices)
            };
            self.placements.iter().map(of).sum()
        } else {
            return None;
        };
        Some(Gpus::from_sevenths(devices * self.sevenths_per_device()))
    }

    /// How much of a GPU one device of a copy is.
    pub fn sevenths_per_device(&self) -> u64 {
        self.partition.as_ref().map_or(Gpus::WHOLE, |partition| u64::from(partition.sevenths))
    }
}

#[cfg(test)]
mod tests;
