//! Fleets that do not exist, from `tests/scenarios/*.toml`: what SageMaker and the price list say
//! about them ([`crate::stand_in`]) and what they publish ([`series`]). The format is described in
//! `tests/scenarios/README.md`.

mod check;
mod generate;
mod placement;
mod series;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use generate::generated;
pub use placement::{Copy, Device, Fleet, Instance, Placed};
pub use series::{Sample, Series, series};

use crate::failure::{During, Failure, Outcome};
use crate::project;

/// The scenario that is played when none is named: the fleet of the blog.
pub const DEFAULT: &str = "blog";

/// The variant that SageMaker's own tools create.
const ALL_TRAFFIC: &str = "AllTraffic";

/// A fleet, what it publishes and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The region of the endpoints.
    pub region: String,
    /// Entries on a page of `ListMetrics`.
    #[serde(default = "defaults::listed_per_page")]
    pub listed_per_page: usize,
    /// Datapoints on a page of `GetMetricData`.
    #[serde(default = "defaults::datapoints_per_page")]
    pub datapoints_per_page: usize,
    /// The endpoints.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    /// The instance types that occur.
    #[serde(default, rename = "instance")]
    pub instances: Vec<InstanceType>,
}

/// An endpoint with inference components.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// `MetricsConfig.EnableEnhancedMetrics`.
    #[serde(default = "defaults::yes")]
    pub enhanced_metrics: bool,
    /// `MetricsConfig.MetricPublishFrequencyInSeconds`.
    #[serde(default = "defaults::publish_frequency")]
    pub publish_frequency: u32,
    /// The dimension that names a GPU.
    #[serde(default = "defaults::gpu_dimension")]
    pub gpu_dimension: String,
    /// Whether series of copies and their GPUs say on which endpoint they are.
    #[serde(default = "defaults::yes")]
    pub copies_name_endpoint: bool,
    /// Its variants.
    #[serde(default, rename = "variant")]
    pub variants: Vec<Variant>,
    /// Its components, adapters included.
    #[serde(default, rename = "component")]
    pub components: Vec<Component>,
}

/// A production variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name.
    #[serde(default = "defaults::variant")]
    pub name: String,
    /// Its instances by type; more than one is an instance pool.
    pub pools: Vec<Pool>,
}

/// Instances of one type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// As `ml.g6.12xlarge`.
    #[serde(rename = "type")]
    pub instance_type: String,
    /// How many there are, by the control plane.
    pub count: u32,
    /// How many publish, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<u32>,
}

/// An inference component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// The variant that it is on.
    #[serde(default = "defaults::variant")]
    pub variant: String,
    /// How many copies there are, by the control plane.
    #[serde(default = "defaults::one")]
    pub copies: u32,
    /// How many publish, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_copies: Option<u32>,
    /// GPUs of a copy.
    #[serde(default)]
    pub accelerators: u32,
    /// The same where it differs by instance type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accelerators_by_type: BTreeMap<String, u32>,
    /// A MIG slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// CPU cores that a copy reserves.
    #[serde(default = "defaults::cores")]
    pub cores: f64,
    /// Memory that a copy reserves.
    #[serde(default = "defaults::memory_mb")]
    pub memory_mb: u32,
    /// The component whose adapter this one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Of all copies.
    #[serde(default)]
    pub invocations_per_minute: u32,
    /// Of the model, on the mean.
    #[serde(default = "defaults::latency_ms")]
    pub latency_ms: f64,
    /// Utilisation of its GPUs, on the mean.
    #[serde(default = "defaults::gpu_percent")]
    pub gpu_percent: f64,
    /// Of their memory.
    #[serde(default = "defaults::gpu_memory_percent")]
    pub gpu_memory_percent: f64,
    /// Of the CPU that it reserves.
    #[serde(default = "defaults::cpu_percent")]
    pub cpu_percent: f64,
    /// Of the memory that it reserves.
    #[serde(default = "defaults::memory_percent")]
    pub memory_percent: f64,
    /// When it published for the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_minutes_ago: Option<u32>,
}

/// What an instance type has and costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceType {
    /// As `ml.g6.12xlarge`.
    #[serde(rename = "type")]
    pub name: String,
    /// Its GPUs.
    pub gpus: u32,
    /// Its virtual CPUs.
    pub vcpus: u32,
    /// Its memory.
    pub memory_gib: u32,
    /// US dollars for hosting, on demand; without it the price list has no such row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<f64>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// What is not TOML or not a scenario, or every contradiction in it.
    pub fn parse(text: &str) -> Outcome<Self> {
        let scenario: Self = toml::from_str(text).map_err(|error| Failure(error.to_string()))?;
        let mistakes = check::mistakes(&scenario);
        if mistakes.is_empty() { Ok(scenario) } else { Err(Failure(mistakes.join("\n"))) }
    }

    /// Reads `tests/scenarios/<name>.toml`, or the file that `name` is the path of.
    ///
    /// # Errors
    /// The scenarios that there are, or what is wrong in the file.
    pub fn named(name: &str) -> Outcome<Self> {
        let is_path = name.contains('/') || name.contains('.');
        let path = if is_path { PathBuf::from(name) } else { folder().join(format!("{name}.toml")) };
        if !path.is_file() {
            return Err(Failure(format!("there is no scenario {name}; there are {}", names()?.join(", "))));
        }
        let text = fs::read_to_string(&path).during(format!("read {}", path.display()))?;
        Self::parse(&text).map_err(|Failure(mistakes)| Failure(format!("{}:\n{mistakes}", path.display())))
    }

    /// The instance type of this name.
    pub fn instance_type(&self, name: &str) -> Option<&InstanceType> {
        self.instances.iter().find(|instance| instance.name == name)
    }

    /// The endpoint of this name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// The component of this name, for a test to change.
    ///
    /// # Errors
    /// There is none.
    pub fn component(&mut self, name: &str) -> Outcome<&mut Component> {
        let mut components = self.endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.components);
        components.find(|component| component.name == name).ok_or(Failure(format!("no component {name}")))
    }
}

impl Pool {
    /// How many publish.
    pub fn publishing(&self) -> u32 {
        self.measured.unwrap_or(self.count)
    }
}

impl Component {
    /// How many copies publish; an adapter has none of its own.
    pub fn publishing(&self) -> u32 {
        if self.base.is_some() { 0 } else { self.measured_copies.unwrap_or(self.copies) }
    }

    /// The GPUs of a copy on an instance of this type.
    pub fn accelerators_on(&self, instance_type: &str) -> u32 {
        self.accelerators_by_type.get(instance_type).copied().unwrap_or(self.accelerators)
    }

    /// How many sevenths of a GPU a device of a copy is.
    pub fn sevenths(&self) -> u32 {
        let slices = self.partition.as_deref().and_then(|name| name.strip_prefix("mig-"));
        slices.and_then(|rest| rest.split_once('g')?.0.parse().ok()).unwrap_or(7)
    }
}

fn folder() -> PathBuf {
    project::root().join("tests/scenarios")
}

/// The names of all scenarios, in their order.
///
/// # Errors
/// The folder cannot be read.
pub fn names() -> Outcome<Vec<String>> {
    let entries = fs::read_dir(folder()).during("list the scenarios")?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned)).collect();
    names.sort_unstable();
    Ok(names)
}

mod defaults {
    pub(super) fn listed_per_page() -> usize {
        500
    }
    pub(super) fn datapoints_per_page() -> usize {
        100_800
    }
    pub(super) fn yes() -> bool {
        true
    }
    pub(super) fn publish_frequency() -> u32 {
        60
    }
    pub(super) fn gpu_dimension() -> String {
        "GpuId".to_owned()
    }
    pub(super) fn variant() -> String {
        super::ALL_TRAFFIC.to_owned()
    }
    pub(super) fn one() -> u32 {
        1
    }
    pub(super) fn cores() -> f64 {
        1.0
    }
    pub(super) fn memory_mb() -> u32 {
        4096
    }
    pub(super) fn latency_ms() -> f64 {
        500.0
    }
    pub(super) fn gpu_percent() -> f64 {
        60.0
    }
    pub(super) fn gpu_memory_percent() -> f64 {
        80.0
    }
    pub(super) fn cpu_percent() -> f64 {
        20.0
    }
    pub(super) fn memory_percent() -> f64 {
        40.0
    }
}

#[cfg(test)]
mod tests;
