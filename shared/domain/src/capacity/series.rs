//! What an entry of CloudWatch `ListMetrics` stands for.
//!
//! SageMaker publishes the same metric under several sets of dimensions: one series for each GPU,
//! and roll-ups of them beside it. A count that takes both counts twice, so every entry is typed
//! here and only what stands for one thing is ever asked for. The dimension of a GPU is `GpuId` in
//! what SageMaker publishes and `AcceleratorId` in its documentation; both are read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::metric::{COMPLETION_TOKENS, COMPONENT_DIMENSION, ENDPOINT_DIMENSION, PROMPT_TOKENS};
use crate::names::{ComponentName, EndpointName};

/// Utilisation of the containers of inference components.
pub const COMPONENTS_NAMESPACE: &str = "/aws/sagemaker/InferenceComponents";
/// Utilisation of the instances of endpoints.
pub const ENDPOINTS_NAMESPACE: &str = "/aws/sagemaker/Endpoints";
/// Invocations.
pub const INVOCATIONS_NAMESPACE: &str = "AWS/SageMaker";

/// The metric whose series are counted as GPUs: 0 to 100 % whatever the number of GPUs.
pub const GPU_METRIC: &str = "GPUUtilizationNormalized";
/// The metric whose series are counted as instances and as copies without a GPU.
pub const CPU_METRIC: &str = "CPUUtilizationNormalized";
/// The number of invocations.
pub const INVOCATIONS_METRIC: &str = "Invocations";

const INSTANCE_DIMENSION: &str = "InstanceId";
const GPU_DIMENSIONS: [&str; 2] = ["GpuId", "AcceleratorId"];

/// One `ListMetrics` call to make, with all its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The namespace to list.
    pub namespace: String,
    /// The metric to list.
    pub metric: String,
}

impl Discovery {
    /// Whether it finds an entry.
    pub fn finds(&self, entry: &Listed) -> bool {
        self.namespace == entry.namespace && self.metric == entry.metric
    }
}

/// The `ListMetrics` calls that find every series that the meter can use. The names of the token
/// metrics are those that quality-judge publishes under.
///
/// Ask for `RecentlyActive=PT3H`.
pub fn discoveries(tokens: &TokenNames) -> Vec<Discovery> {
    [
        (COMPONENTS_NAMESPACE, GPU_METRIC),
        (COMPONENTS_NAMESPACE, CPU_METRIC),
        (ENDPOINTS_NAMESPACE, CPU_METRIC),
        (ENDPOINTS_NAMESPACE, GPU_METRIC),
        (INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC),
        (&tokens.namespace, &tokens.prompt),
        (&tokens.namespace, &tokens.completion),
    ]
    .into_iter()
    .map(|(namespace, metric)| Discovery { namespace: namespace.to_owned(), metric: metric.to_owned() })
    .collect()
}

/// Where quality-judge publishes the token counts of the observed models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenNames {
    /// The namespace.
    pub namespace: String,
    /// The metric of tokens in requests.
    pub prompt: String,
    /// The metric of tokens in answers.
    pub completion: String,
}

impl From<&crate::fleet::MetricNaming> for TokenNames {
    fn from(naming: &crate::fleet::MetricNaming) -> Self {
        Self {
            namespace: naming.namespace.clone(),
            prompt: naming.published_name(PROMPT_TOKENS.name).to_owned(),
            completion: naming.published_name(COMPLETION_TOKENS.name).to_owned(),
        }
    }
}

/// An entry of `ListMetrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The namespace.
    pub namespace: String,
    /// The name of the metric.
    pub metric: String,
    /// Name and value of each dimension.
    pub dimensions: Vec<(String, String)>,
}

impl Listed {
    /// The value of a dimension; `None` when it has none of that name.
    pub fn dimension(&self, name: &str) -> Option<&str> {
        let found = self.dimensions.iter().find(|(dimension, _)| dimension == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn gpu(&self) -> Option<&str> {
        GPU_DIMENSIONS.iter().find_map(|name| self.dimension(name))
    }
}

/// The endpoints that series of inference components name.
pub fn hosts(listed: &[Listed]) -> BTreeSet<EndpointName> {
    let of_components = listed.iter().filter(|entry| entry.namespace == COMPONENTS_NAMESPACE);
    of_components.filter_map(|entry| entry.dimension(ENDPOINT_DIMENSION)?.parse().ok()).collect()
}

/// One GPU as one copy of a component holds it. A GPU that several copies share is several uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GpuUse {
    /// The instance that has the GPU.
    pub instance: String,
    /// The GPU's id on its instance, as `gpu_0`.
    pub gpu: String,
    /// The container: one copy of the component.
    pub container: String,
    /// The component that the copy is of.
    pub component: ComponentName,
}

/// One copy of a component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunningCopy {
    /// The component.
    pub component: ComponentName,
    /// The instance that it runs on.
    pub instance: String,
    /// The container.
    pub container: String,
}

/// Which tokens of an exchange a series counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tokens {
    /// Those of the request.
    Prompt,
    /// Those of the answer.
    Completion,
}

/// What a series stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// One GPU that one copy holds.
    Gpu(GpuUse),
    /// One copy, by its CPU. Every copy has such a series, with or without a GPU.
    Copy(RunningCopy),
    /// One instance, by its CPU.
    Instance {
        /// Its id.
        instance: String,
    },
    /// One GPU of an instance, used or not.
    InstanceGpu {
        /// The instance's id.
        instance: String,
        /// The GPU's id on it.
        gpu: String,
    },
    /// All invocations of a component.
    Invocations(ComponentName),
    /// The invocations of one copy: counted only for a component without the series of all.
    CopyInvocations(RunningCopy),
    /// Tokens of the exchanges that quality-judge has seen.
    Tokens(ComponentName, Tokens),
    /// A sum or mean over several of the above: never counted.
    RollUp,
}

/// A typed entry of `ListMetrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The entry, as a query must repeat it.
    pub listed: Listed,
    /// What it stands for.
    pub meaning: Meaning,
    /// The endpoint, when a dimension says so.
    pub endpoint: Option<EndpointName>,
    /// The variant, when a dimension says so.
    pub variant: Option<String>,
    /// The instance type, when a dimension says so.
    pub instance_type: Option<String>,
}

impl Series {
    /// Types an entry; `None` for one that the meter has no use for.
    pub fn of(listed: Listed, tokens: &TokenNames) -> Option<Self> {
        let endpoint = listed.dimension(ENDPOINT_DIMENSION).and_then(|name| name.parse().ok());
        let meaning = meaning(&listed, tokens)?;
        let text = |name| listed.dimension(name).map(str::to_owned);
        let (variant, instance_type) = (text("VariantName"), text("InstanceType"));
        Some(Self { listed, meaning, endpoint, variant, instance_type })
    }

    /// The component that the series is of.
    pub fn component(&self) -> Option<&ComponentName> {
        match &self.meaning {
            Meaning::Gpu(GpuUse { component, .. })
            | Meaning::Copy(RunningCopy { component, .. })
            | Meaning::CopyInvocations(RunningCopy { component, .. })
            | Meaning::Invocations(component)
            | Meaning::Tokens(component, _) => Some(component),
            Meaning::Instance { .. } | Meaning::InstanceGpu { .. } | Meaning::RollUp => None,
        }
    }
}

fn meaning(listed: &Listed, tokens: &TokenNames) -> Option<Meaning> {
    let component = listed.dimension(COMPONENT_DIMENSION).and_then(|name| name.parse().ok());
    let instance = listed.dimension(INSTANCE_DIMENSION).map(str::to_owned);
    let container = listed.dimension("ContainerId").map(str::to_owned);
    let gpu = listed.gpu().map(str::to_owned);
    let copy = |component, instance, container| RunningCopy { component, instance, container };
    match (listed.namespace.as_str(), listed.metric.as_str()) {
        (COMPONENTS_NAMESPACE, GPU_METRIC) => Some(match (component, instance, container, gpu) {
            (Some(component), Some(instance), Some(container), Some(gpu)) => {
                Meaning::Gpu(GpuUse { instance, gpu, container, component })
            }
            _ => Meaning::RollUp,
        }),
        (COMPONENTS_NAMESPACE, CPU_METRIC) => Some(match (component, instance, container, gpu) {
            (Some(component), Some(instance), Some(container), None) => {
                Meaning::Copy(copy(component, instance, container))
            }
            _ => Meaning::RollUp,
        }),
        (ENDPOINTS_NAMESPACE, CPU_METRIC) => Some(match (instance, gpu, component) {
            (Some(instance), None, None) => Meaning::Instance { instance },
            _ => Meaning::RollUp,
        }),
        (ENDPOINTS_NAMESPACE, GPU_METRIC) => Some(match (instance, gpu, component) {
            (Some(instance), Some(gpu), None) => Meaning::InstanceGpu { instance, gpu },
            _ => Meaning::RollUp,
        }),
        (INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC) => {
            match (component, instance, container, listed.dimensions.len()) {
                (Some(component), None, None, 1) => Some(Meaning::Invocations(component)),
                // Exactly the documented set: wider ones, with zone or region, repeat it.
                (Some(component), Some(instance), Some(container), 5) => {
                    Some(Meaning::CopyInvocations(copy(component, instance, container)))
                }
                _ => Some(Meaning::RollUp),
            }
        }
        (namespace, metric) if namespace == tokens.namespace => {
            let kind = if metric == tokens.prompt {
                Tokens::Prompt
            } else if metric == tokens.completion {
                Tokens::Completion
            } else {
                return None;
            };
            let known = component.filter(|component: &ComponentName| !component.is_unattributed());
            known.map(|component| Meaning::Tokens(component, kind))
        }
        _ => None,
    }
}

/// The typed series of some endpoints.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Countable series by endpoint.
    pub endpoints: BTreeMap<EndpointName, Vec<Series>>,
    /// How many roll-ups of GPU series were passed over, by endpoint.
    pub gpu_roll_ups: BTreeMap<EndpointName, usize>,
    /// Countable series that nothing ties to an endpoint.
    pub unowned: usize,
}

impl Inventory {
    /// Types the entries and sorts them by endpoint. An entry that names none belongs to that of
    /// its instance, so that no GPU of an endpoint looks free because nobody knows its component;
    /// else to the one that `owners`, or another entry, names for its component.
    pub fn of(
        listed: impl IntoIterator<Item = Listed>,
        owners: &BTreeMap<ComponentName, EndpointName>,
        tokens: &TokenNames,
    ) -> Self {
        let series: Vec<Series> = listed.into_iter().filter_map(|entry| Series::of(entry, tokens)).collect();
        // The token metrics name an endpoint too, but quality-judge may have been misled.
        let own = || series.iter().filter(|one| one.listed.namespace != tokens.namespace);
        let mut instances: BTreeMap<&str, &EndpointName> = BTreeMap::new();
        for one in own() {
            if let (Some(instance), Some(endpoint)) =
                (one.listed.dimension(INSTANCE_DIMENSION), &one.endpoint)
            {
                instances.entry(instance).or_insert(endpoint);
            }
        }
        let by_place = |one: &Series| {
            let of_instance = || instances.get(one.listed.dimension(INSTANCE_DIMENSION)?).copied();
            one.endpoint.as_ref().or_else(of_instance).cloned()
        };
        let mut owners = owners.clone();
        for one in own() {
            if let (Some(component), Some(endpoint)) = (one.component(), by_place(one)) {
                owners.entry(component.clone()).or_insert(endpoint);
            }
        }
        let by_component = |one: &Series| {
            let named = one.listed.dimension(COMPONENT_DIMENSION).and_then(|name| name.parse().ok());
            owners.get(&named?).cloned()
        };
        let endpoints: Vec<Option<EndpointName>> =
            series.iter().map(|one| by_place(one).or_else(|| by_component(one))).collect();
        let mut inventory = Self::default();
        for (one, owner) in series.into_iter().zip(endpoints) {
            match (&one.meaning, owner) {
                (Meaning::RollUp, Some(owner)) if one.listed.metric == GPU_METRIC => {
                    *inventory.gpu_roll_ups.entry(owner).or_default() += 1;
                }
                (Meaning::RollUp, _) => {}
                (_, Some(owner)) => inventory.endpoints.entry(owner).or_default().push(one),
                (_, None) => inventory.unowned += 1,
            }
        }
        inventory
    }
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
