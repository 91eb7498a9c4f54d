//! A fleet that publishes, as CloudWatch would list and answer it. A test says what there is; the
//! series, the datapoints and the topology follow from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::capacity::instance::{Catalogue, Row};
use crate::capacity::meter::{EndpointCapacity, meter};
use crate::capacity::plan::{Plan, PublishFrequency};
use crate::capacity::price::Discount;
use crate::capacity::series::{
    COMPONENTS_NAMESPACE, CPU_METRIC, ENDPOINTS_NAMESPACE, GPU_METRIC, INVOCATIONS_METRIC,
    INVOCATIONS_NAMESPACE, Inventory, Listed, TokenNames,
};
use crate::capacity::topology::{Component, EndpointTopology, Pool, TopologySource, Variant};
use crate::capacity::usage::{Answers, ResultStatus, Usage, usages};
use crate::fleet::MetricNaming;
use crate::names::EndpointName;

mod sums;

pub(in crate::capacity) use super::shown::{kinds, reasons, shown};

/// A moment at the start of a minute.
pub(in crate::capacity) const NOW: i64 = 1_790_000_040;

/// A series and what it answers.
#[derive(Clone)]
struct Source {
    listed: Listed,
    /// Seconds from its newest datapoint to now; `None` for one without data.
    age: Option<i64>,
    /// Seconds from its oldest datapoint to now.
    since: i64,
    value: f64,
    status: Option<ResultStatus>,
}

#[derive(Clone)]
pub(in crate::capacity) struct World {
    endpoint: String,
    sources: Vec<Source>,
    frequency: u32,
    gpu_dimension: &'static str,
    overrides: Vec<Row>,
    region: &'static str,
    pub(in crate::capacity) now: i64,
    pub(in crate::capacity) topology: Option<EndpointTopology>,
}

impl World {
    /// An endpoint without anything, whose topology is known.
    pub(in crate::capacity) fn new(frequency: u32) -> Self {
        let topology = EndpointTopology {
            endpoint: "chat".parse().unwrap(),
            source: TopologySource::ControlPlane { read_at: Timestamp::from_second(NOW - 600).unwrap() },
            enhanced_metrics: Some(true),
            publish_frequency: PublishFrequency::try_from(frequency).ok(),
            variants: Vec::new(),
            components: Vec::new(),
        };
        Self {
            endpoint: "chat".to_owned(),
            sources: Vec::new(),
            frequency,
            gpu_dimension: "GpuId",
            overrides: Vec::new(),
            region: "us-east-1",
            now: NOW,
            topology: Some(topology),
        }
    }

    /// The fleet of the deep-dive blog: 2 x ml.g6.12xlarge, gpt-oss 1 copy x 4 GPUs, Qwen 2 copies
    /// x 1 GPU.
    pub(in crate::capacity) fn deep_dive(frequency: u32) -> Self {
        Self::new(frequency)
            .pool("AllTraffic", "ml.g6.12xlarge", 2)
            .component("gpt-oss", 1, 4)
            .component("qwen", 2, 1)
            .instance("i-1")
            .instance("i-2")
            .copy("gpt-oss", "i-1", "c1", &["gpu_0", "gpu_1", "gpu_2", "gpu_3"])
            .copy("qwen", "i-2", "c2", &["gpu_0"])
            .copy("qwen", "i-2", "c3", &["gpu_1"])
    }

    pub(in crate::capacity) fn named(mut self, endpoint: &str) -> Self {
        self.endpoint = endpoint.to_owned();
        if let Some(topology) = &mut self.topology {
            topology.endpoint = endpoint.parse().unwrap();
        }
        for source in &mut self.sources {
            for (name, value) in &mut source.listed.dimensions {
                if name == "EndpointName" {
                    endpoint.clone_into(value);
                }
            }
        }
        self
    }

    pub(in crate::capacity) fn gpu_dimension(mut self, name: &'static str) -> Self {
        self.gpu_dimension = name;
        self
    }

    pub(in crate::capacity) fn region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }

    pub(in crate::capacity) fn override_row(mut self, row: Row) -> Self {
        self.overrides.push(row);
        self
    }

    pub(in crate::capacity) fn without_topology(mut self) -> Self {
        self.topology = None;
        self
    }

    // --- The topology -------------------------------------------------------------------------

    pub(in crate::capacity) fn describe(mut self, change: impl FnOnce(&mut EndpointTopology)) -> Self {
        change(self.topology.as_mut().unwrap());
        self
    }

    pub(in crate::capacity) fn pool(self, variant: &str, instance_type: &str, count: u32) -> Self {
        let pool = Pool { instance_type: instance_type.to_owned(), count: Some(count) };
        self.describe(|topology| {
            let known = topology.variants.iter_mut().find(|it| it.name == variant);
            match known {
                Some(known) => known.pools.push(pool),
                None => topology.variants.push(Variant { name: variant.to_owned(), pools: vec![pool] }),
            }
        })
    }

    pub(in crate::capacity) fn component(self, name: &str, copies: u32, accelerators: u32) -> Self {
        self.describe(|topology| {
            topology.components.push(Component {
                name: name.parse().unwrap(),
                variant: None,
                copies: Some(copies),
                accelerators,
                accelerators_by_type: BTreeMap::new(),
                partition: None,
                milli_cores: None,
                base: None,
                placements: BTreeMap::new(),
            });
        })
    }

    /// Changes the component that was added last.
    pub(in crate::capacity) fn whose(self, change: impl FnOnce(&mut Component)) -> Self {
        self.describe(|topology| change(topology.components.last_mut().unwrap()))
    }

    // --- What is published --------------------------------------------------------------------

    pub(in crate::capacity) fn series(
        mut self,
        namespace: &str,
        metric: &str,
        dimensions: &[(&str, &str)],
        value: f64,
    ) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let listed = Listed {
            namespace: namespace.to_owned(),
            metric: metric.to_owned(),
            dimensions: dimensions.iter().map(own).collect(),
        };
        self.sources.push(Source {
            listed,
            age: Some(0),
            since: i64::MAX,
            value,
            status: Some(ResultStatus::Complete),
        });
        self
    }

    pub(in crate::capacity) fn instance(self, id: &str) -> Self {
        self.instance_of("AllTraffic", id)
    }

    pub(in crate::capacity) fn instance_of(self, variant: &str, id: &str) -> Self {
        let endpoint = self.endpoint.clone();
        let dimensions = [("EndpointName", endpoint.as_str()), ("VariantName", variant), ("InstanceId", id)];
        self.series(ENDPOINTS_NAMESPACE, CPU_METRIC, &dimensions, 6.0)
    }

    /// The GPUs of an instance, used or not.
    pub(in crate::capacity) fn instance_gpus(mut self, id: &str, count: u32) -> Self {
        for gpu in 0..count {
            let (endpoint, gpu) = (self.endpoint.clone(), format!("gpu_{gpu}"));
            let dimensions = [
                ("EndpointName", endpoint.as_str()),
                ("VariantName", "AllTraffic"),
                ("InstanceId", id),
                (self.gpu_dimension, &gpu),
            ];
            self = self.series(ENDPOINTS_NAMESPACE, GPU_METRIC, &dimensions, 6.0);
        }
        self
    }

    /// A copy with its GPUs, and with the series of its CPU.
    pub(in crate::capacity) fn copy(
        mut self,
        component: &str,
        instance: &str,
        container: &str,
        gpus: &[&str],
    ) -> Self {
        let endpoint = self.endpoint.clone();
        let place = [
            ("EndpointName", endpoint.as_str()),
            ("VariantName", "AllTraffic"),
            ("InstanceId", instance),
            ("ContainerId", container),
            ("InferenceComponentName", component),
        ];
        self = self.series(COMPONENTS_NAMESPACE, CPU_METRIC, &place, 6.0);
        for gpu in gpus {
            let mut dimensions = place.to_vec();
            dimensions.push((self.gpu_dimension, gpu));
            self = self.series(COMPONENTS_NAMESPACE, GPU_METRIC, &dimensions, 6.0);
        }
        self
    }

    /// The sums that SageMaker publishes beside the series of single GPUs.
    pub(in crate::capacity) fn roll_ups(self, component: &str) -> Self {
        let endpoint = self.endpoint.clone();
        let name = ("InferenceComponentName", component);
        self.series(COMPONENTS_NAMESPACE, GPU_METRIC, &[name], 24.0)
            .series(COMPONENTS_NAMESPACE, GPU_METRIC, &[name, (("EndpointName"), &endpoint)], 24.0)
            .series(COMPONENTS_NAMESPACE, GPU_METRIC, &[name, ("GpuId", "gpu_0")], 12.0)
            .series(COMPONENTS_NAMESPACE, CPU_METRIC, &[name], 24.0)
    }

    /// The invocations of a component, by minute.
    pub(in crate::capacity) fn invocations(self, component: &str, by_minute: f64) -> Self {
        let name = [("InferenceComponentName", component)];
        self.series(INVOCATIONS_NAMESPACE, INVOCATIONS_METRIC, &name, by_minute)
    }

    /// The mean tokens that quality-judge saw.
    pub(in crate::capacity) fn tokens(self, component: &str, prompt: f64, completion: f64) -> Self {
        let (names, endpoint) = (tokens(), self.endpoint.clone());
        let place = [("EndpointName", endpoint.as_str()), ("InferenceComponentName", component)];
        self.series(&names.namespace, &names.prompt, &place, prompt).series(
            &names.namespace,
            &names.completion,
            &place,
            completion,
        )
    }

    /// The same of a model server that counts no prompt.
    pub(in crate::capacity) fn answer_tokens(self, component: &str, completion: f64) -> Self {
        let (names, endpoint) = (tokens(), self.endpoint.clone());
        let place = [("EndpointName", endpoint.as_str()), ("InferenceComponentName", component)];
        self.series(&names.namespace, &names.completion, &place, completion)
    }

    // --- What goes wrong ----------------------------------------------------------------------

    fn change(mut self, value: &str, change: impl Fn(&mut Source)) -> Self {
        let is_meant = |source: &&mut Source| source.listed.dimensions.iter().any(|(_, it)| it == value);
        let mut count = 0;
        self.sources.iter_mut().filter(is_meant).for_each(|source| {
            change(source);
            count += 1;
        });
        assert!(count > 0, "no series has a dimension {value}");
        self
    }

    /// The newest datapoint of all series with this dimension value is so many seconds old.
    pub(in crate::capacity) fn stopped(self, value: &str, seconds_ago: i64) -> Self {
        self.change(value, |source| source.age = Some(seconds_ago))
    }

    /// The oldest datapoint of all series with this dimension value is so many seconds old.
    pub(in crate::capacity) fn started(self, value: &str, seconds_ago: i64) -> Self {
        self.change(value, |source| source.since = seconds_ago)
    }

    /// All series with this dimension value are listed and have no data.
    pub(in crate::capacity) fn silent(self, value: &str) -> Self {
        self.change(value, |source| source.age = None)
    }

    /// All series with this dimension value are answered so, and without data.
    pub(in crate::capacity) fn answered(self, value: &str, status: Option<ResultStatus>) -> Self {
        self.change(value, |source| (source.status, source.age) = (status, None))
    }

    /// As [`World::answered`], with data.
    pub(in crate::capacity) fn answered_with_data(self, value: &str, status: ResultStatus) -> Self {
        self.change(value, |source| source.status = Some(status))
    }

    // --- Running it ---------------------------------------------------------------------------

    pub(in crate::capacity) fn listed(&self) -> Vec<Listed> {
        self.sources.iter().map(|source| source.listed.clone()).collect()
    }

    pub(in crate::capacity) fn catalogue(&self) -> Catalogue {
        Catalogue::new(&self.overrides, Discount::default(), self.region).unwrap()
    }

    pub(in crate::capacity) fn plan(&self) -> Plan {
        plan_all(std::slice::from_ref(self))
    }

    pub(in crate::capacity) fn usage(&self) -> Usage {
        let name: EndpointName = self.endpoint.parse().unwrap();
        usage_all(std::slice::from_ref(self)).remove(&name).unwrap()
    }

    pub(in crate::capacity) fn run(&self) -> EndpointCapacity {
        meter(&self.usage(), self.topology.as_ref(), &self.catalogue())
    }

    pub(in crate::capacity) fn answers(&self, plan: &Plan) -> Answers {
        let mut answers = Answers::to(plan);
        self.answer(plan, &mut answers);
        answers
    }

    fn answer(&self, plan: &Plan, answers: &mut Answers) {
        let by_listed: BTreeMap<_, &Source> = self
            .sources
            .iter()
            .map(|it| ((it.listed.namespace.as_str(), it.listed.metric.as_str(), &*it.listed.dimensions), it))
            .collect();
        for batch in plan.batches() {
            for query in batch.queries {
                let listed = &query.series.listed;
                let key = (listed.namespace.as_str(), listed.metric.as_str(), &*listed.dimensions);
                let Some(source) = by_listed.get(&key) else { continue };
                let Some(status) = source.status else { continue };
                let last = source.age.map(|age| self.now - age);
                let times = (batch.window.start.as_second()..batch.window.end.as_second())
                    .filter(|time| {
                        time % i64::from(self.frequency.max(query.period.unsigned_abs())) == 0
                            && last.is_some_and(|last| *time <= last)
                            && self.now - *time <= source.since
                    })
                    .map(|time| (Timestamp::from_second(time).unwrap(), source.value));
                answers.add(&query.id, status, times);
            }
        }
    }
}

pub(in crate::capacity) fn tokens() -> TokenNames {
    TokenNames::from(&MetricNaming::default())
}

pub(in crate::capacity) fn plan_all(worlds: &[World]) -> Plan {
    let topologies = worlds
        .iter()
        .filter_map(|world| Some((world.endpoint.parse().unwrap(), world.topology.clone()?)))
        .collect::<BTreeMap<EndpointName, EndpointTopology>>();
    let owners = topologies
        .values()
        .flat_map(|it| it.components.iter().map(|one| (one.name.clone(), it.endpoint.clone())))
        .collect();
    let listed = worlds.iter().flat_map(World::listed);
    let inventory = Inventory::of(listed, &owners, &tokens());
    let watched: BTreeSet<EndpointName> =
        worlds.iter().map(|world| world.endpoint.parse().unwrap()).collect();
    let now = Timestamp::from_second(worlds[0].now).unwrap();
    Plan::new(&watched, inventory, &topologies, &worlds[0].catalogue().types, now)
}

pub(in crate::capacity) fn usage_all(worlds: &[World]) -> BTreeMap<EndpointName, Usage> {
    let plan = plan_all(worlds);
    let mut answers = Answers::to(&plan);
    for world in worlds {
        world.answer(&plan, &mut answers);
    }
    assert_eq!(answers.strangers, 0);
    usages(&plan, &answers)
}
