//! What a fleet publishes: the metrics of SageMaker endpoints with inference components, under the
//! sets of dimensions that it uses. With enhanced metrics each instance, copy and GPU has series of
//! its own, and the roll-ups over them stand beside; without, there are only the roll-ups.
//!
//! Source: SageMaker developer guide, "Monitor with CloudWatch" and "Enhanced metrics", and the
//! series that the AWS samples query.

use std::f64::consts::TAU;

use domain::capacity::series::{
    COMPONENTS_NAMESPACE, CPU_METRIC, ENDPOINTS_NAMESPACE, GPU_METRIC, INVOCATIONS_METRIC,
    INVOCATIONS_NAMESPACE,
};

use super::placement::{Copy, Fleet, Instance, Placed, gpu_id};
use super::{Component, Scenario};
use crate::failure::Outcome;

/// Without enhanced metrics, whatever the publish frequency: seconds.
const BASE_FREQUENCY: u32 = 60;
/// What routing adds to a model's latency, in microseconds.
const OVERHEAD: f64 = 3_200.0;

/// One series: a metric under one set of dimensions.
#[derive(Debug, Clone)]
pub struct Series {
    /// The namespace.
    pub namespace: &'static str,
    /// The name of the metric.
    pub metric: &'static str,
    /// As CloudWatch spells it.
    pub unit: &'static str,
    /// Name and value of each dimension.
    pub dimensions: Vec<(&'static str, String)>,
    /// Seconds from one datapoint to the next.
    pub frequency: u32,
    /// When it published for the last time, if it has stopped.
    pub stopped_minutes_ago: Option<u32>,
    values: Values,
}

/// A value and how often it was sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The value.
    pub value: f64,
    /// At least 1.
    pub count: f64,
}

#[derive(Debug, Clone)]
enum Values {
    /// One sample for each of what is rolled up, about these means.
    Gauge(Vec<f64>),
    /// A one for each invocation, of so many a minute.
    Invocations(u32),
    /// One sample for each invocation, about this mean.
    PerInvocation(u32, f64),
    /// A zero for each invocation: nothing fails here.
    Errors(u32),
}

/// All series of a scenario.
///
/// # Errors
/// What [`Fleet::of`] says.
pub fn series(scenario: &Scenario) -> Outcome<Vec<Series>> {
    let fleet = Fleet::of(scenario)?;
    let mut all = Vec::new();
    for placed in &fleet.endpoints {
        let mut writer = Writer { placed, region: &scenario.region, stopped: None, into: &mut all };
        writer.instances();
        for component in &placed.endpoint.components {
            writer.stopped = component.stopped_minutes_ago;
            writer.component(component);
        }
    }
    Ok(all)
}

impl Series {
    /// The samples of the datapoint at `time`, seconds since 1970 and a multiple of the frequency.
    /// What it counts happened in the time since the datapoint before.
    pub fn samples(&self, time: i64) -> Vec<Sample> {
        let invocations = |by_minute: u32| {
            let until = |time: i64| (i64::from(by_minute) * time).div_euclid(60);
            #[expect(clippy::cast_precision_loss, reason = "invocations of some minutes")]
            let count = (until(time) - until(time - i64::from(self.frequency))) as f64;
            count
        };
        let counted = |value: f64, count: f64| {
            if count > 0.0 { vec![Sample { value, count }] } else { Vec::new() }
        };
        match &self.values {
            Values::Gauge(means) => {
                let sample =
                    |(place, mean): (usize, &f64)| Sample { value: wavy(*mean, place, time), count: 1.0 };
                means.iter().enumerate().map(sample).collect()
            }
            Values::Invocations(by_minute) => counted(1.0, invocations(*by_minute)),
            Values::Errors(by_minute) => counted(0.0, invocations(*by_minute)),
            Values::PerInvocation(by_minute, mean) => counted(wavy(*mean, 0, time), invocations(*by_minute)),
        }
    }

    /// Whether it published at `time`, at the time `now`.
    pub fn is_running(&self, time: i64, now: i64) -> bool {
        let last = now - i64::from(self.stopped_minutes_ago.unwrap_or(0)) * 60;
        time <= last && time.rem_euclid(self.frequency.into()) == 0
    }
}

/// A value near the mean that goes up and down within some minutes, the same for the same time.
fn wavy(mean: f64, place: usize, time: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a time of day and a small number")]
    let angle = TAU * (time.rem_euclid(420) as f64 / 420.0 + place as f64 / 5.0);
    (mean * (1.0 + 0.06 * angle.sin()) * 1000.0).round() / 1000.0
}

struct Writer<'a, 'b> {
    placed: &'a Placed<'a>,
    region: &'a str,
    stopped: Option<u32>,
    into: &'b mut Vec<Series>,
}

type Dimensions = Vec<(&'static str, String)>;

/// A dimension more.
fn and(dimensions: &Dimensions, name: &'static str, value: &str) -> Dimensions {
    let mut all = dimensions.clone();
    all.push((name, value.to_owned()));
    all
}

impl Writer<'_, '_> {
    fn is_enhanced(&self) -> bool {
        self.placed.endpoint.enhanced_metrics
    }

    fn gpu_dimension(&self) -> &'static str {
        if self.placed.endpoint.gpu_dimension == "AcceleratorId" { "AcceleratorId" } else { "GpuId" }
    }

    fn put(
        &mut self,
        namespace: &'static str,
        metric: (&'static str, &'static str),
        dimensions: &Dimensions,
        values: Values,
    ) {
        let is_traffic = namespace == INVOCATIONS_NAMESPACE;
        let frequency = self.placed.endpoint.publish_frequency;
        let frequency = if is_traffic && !self.is_enhanced() { BASE_FREQUENCY } else { frequency };
        let (metric, unit) = metric;
        let (dimensions, stopped_minutes_ago) = (dimensions.clone(), self.stopped);
        self.into.push(Series {
            namespace,
            metric,
            unit,
            dimensions,
            frequency,
            stopped_minutes_ago,
            values,
        });
    }

    fn variant(&self, name: &str) -> Dimensions {
        vec![("EndpointName", self.placed.endpoint.name.clone()), ("VariantName", name.to_owned())]
    }

    // --- Instances ----------------------------------------------------------------------------

    fn instances(&mut self) {
        for variant in &self.placed.endpoint.variants {
            let of_variant = |(_, one): &(usize, &Instance<'_>)| one.variant == variant.name;
            let all: Vec<usize> =
                self.placed.instances.iter().enumerate().filter(of_variant).map(|(place, _)| place).collect();
            if all.is_empty() {
                continue;
            }
            let dimensions = self.variant(&variant.name);
            self.instance_metrics(&dimensions, &all);
            let on_it = self.placed.endpoint.components.iter().filter(|it| it.variant == variant.name);
            let traffic = Values::Invocations(on_it.map(|it| it.invocations_per_minute).sum());
            self.put(INVOCATIONS_NAMESPACE, (INVOCATIONS_METRIC, "None"), &dimensions, traffic);
            if self.is_enhanced() {
                for place in all {
                    let own = and(&dimensions, "InstanceId", &self.placed.instances[place].id);
                    self.instance_metrics(&own, &[place]);
                    self.gpus_of_instance(&own, place);
                }
            }
        }
    }

    /// Of these instances together. The plain percentages are sums over the CPUs or GPUs.
    fn instance_metrics(&mut self, dimensions: &Dimensions, which: &[usize]) {
        let placed = self.placed;
        let each = |value: &dyn Fn(&Instance<'_>, f64) -> f64| {
            let of = |place: &usize| value(&placed.instances[*place], self.load(*place));
            Values::Gauge(which.iter().map(of).collect())
        };
        let metrics = [
            ("CPUUtilization", each(&|one, _| 18.0 * f64::from(one.kind.vcpus))),
            ("MemoryUtilization", each(&|_, _| 35.0)),
            ("DiskUtilization", each(&|_, _| 41.0)),
            (CPU_METRIC, each(&|_, _| 18.0)),
            ("CPUReservation", each(&|one, _| one.reserved().1)),
            ("MemoryReservation", each(&|_, _| 50.0)),
        ];
        let on_gpus = [
            ("GPUUtilization", each(&|one, load| load * f64::from(one.kind.gpus))),
            ("GPUMemoryUtilization", each(&|one, load| load * f64::from(one.kind.gpus))),
            (GPU_METRIC, each(&|_, load| load)),
            ("GPUMemoryUtilizationNormalized", each(&|_, load| load)),
            ("GPUReservation", each(&|one, _| one.reserved().0)),
        ];
        let has_gpus = which.iter().any(|place| placed.instances[*place].kind.gpus > 0);
        for (metric, values) in metrics.into_iter().chain(on_gpus.into_iter().filter(|_| has_gpus)) {
            self.put(ENDPOINTS_NAMESPACE, (metric, "Percent"), dimensions, values);
        }
    }

    /// The mean utilisation of the GPUs of an instance.
    fn load(&self, place: usize) -> f64 {
        let gpus = f64::from(self.placed.instances[place].kind.gpus.max(1));
        let on_it = self.placed.copies.iter().filter(|copy| copy.instance == place);
        let used = on_it.map(|copy| {
            let held = u32::try_from(copy.devices.len()).unwrap_or_default() * copy.component.sevenths();
            copy.component.gpu_percent * f64::from(held) / 7.0
        });
        used.sum::<f64>() / gpus
    }

    fn gpus_of_instance(&mut self, own: &Dimensions, place: usize) {
        for gpu in 0..self.placed.instances[place].kind.gpus as usize {
            let dimensions = and(own, self.gpu_dimension(), &gpu_id(gpu));
            let holders =
                self.placed.copies.iter().filter(|copy| {
                    copy.instance == place && copy.devices.iter().any(|device| device.gpu == gpu)
                });
            let load: f64 = holders
                .map(|copy| copy.component.gpu_percent * f64::from(copy.component.sevenths()) / 7.0)
                .sum();
            for metric in
                ["GPUUtilization", "GPUMemoryUtilization", GPU_METRIC, "GPUMemoryUtilizationNormalized"]
            {
                self.put(ENDPOINTS_NAMESPACE, (metric, "Percent"), &dimensions, Values::Gauge(vec![load]));
            }
        }
    }

    // --- Components ---------------------------------------------------------------------------

    fn component(&mut self, component: &Component) {
        let placed = self.placed;
        let copies: Vec<&Copy<'_>> = placed.copies_of(&component.name).collect();
        let name = vec![("InferenceComponentName", component.name.clone())];
        self.component_traffic(component, &copies, &name);
        if copies.is_empty() {
            return;
        }
        let devices = copies.iter().map(|copy| copy.devices.len()).sum();
        self.container_metrics(component, &name, copies.len(), devices);
        if !self.is_enhanced() {
            return;
        }
        for copy in copies {
            let instance = &placed.instances[copy.instance];
            let mut own = if placed.endpoint.copies_name_endpoint {
                self.variant(instance.variant)
            } else {
                Vec::new()
            };
            own.push(("InstanceId", instance.id.clone()));
            own.push(("ContainerId", copy.container.clone()));
            own.push(("InferenceComponentName", component.name.clone()));
            self.container_metrics(component, &own, 1, 0);
            for device in &copy.devices {
                let dimensions = and(&own, self.gpu_dimension(), &device.id());
                self.gpu_metrics(component, &dimensions, 1);
            }
        }
        // The sums over a GPU id of all instances, as the panels of the blog ask for them.
        let gpus = placed.copies_of(&component.name).flat_map(|copy| &copy.devices);
        let ids: std::collections::BTreeSet<String> = gpus.map(super::Device::id).collect();
        for id in ids {
            let holds = |copy: &&Copy<'_>| copy.devices.iter().any(|device| device.id() == id);
            let count = placed.copies_of(&component.name).filter(holds).count();
            let dimensions = and(&name, self.gpu_dimension(), &id);
            self.gpu_metrics(component, &dimensions, count);
        }
    }

    fn container_metrics(&mut self, component: &Component, at: &Dimensions, copies: usize, gpus: usize) {
        for (metric, mean) in
            [(CPU_METRIC, component.cpu_percent), ("MemoryUtilizationNormalized", component.memory_percent)]
        {
            let values = Values::Gauge(vec![mean; copies]);
            self.put(COMPONENTS_NAMESPACE, (metric, "Percent"), at, values);
        }
        if gpus > 0 {
            self.gpu_metrics(component, at, gpus);
        }
    }

    fn gpu_metrics(&mut self, component: &Component, at: &Dimensions, gpus: usize) {
        for (metric, mean) in [
            (GPU_METRIC, component.gpu_percent),
            ("GPUMemoryUtilizationNormalized", component.gpu_memory_percent),
        ] {
            let values = Values::Gauge(vec![mean; gpus]);
            self.put(COMPONENTS_NAMESPACE, (metric, "Percent"), at, values);
        }
    }

    fn component_traffic(&mut self, component: &Component, copies: &[&Copy<'_>], name: &Dimensions) {
        let all = component.invocations_per_minute;
        if all == 0 {
            return;
        }
        self.traffic(component, name, all);
        let count = u32::try_from(copies.len()).unwrap_or(u32::MAX);
        if count == 0 || !self.is_enhanced() {
            return;
        }
        for (copy, place) in copies.iter().zip(0..) {
            let instance = &self.placed.instances[copy.instance];
            // Whatever does not divide goes to the first copies.
            let own = all / count + u32::from(place < all % count);
            let mut at = self.variant(instance.variant);
            at.push(("InferenceComponentName", component.name.clone()));
            at.push(("InstanceId", instance.id.clone()));
            at.push(("ContainerId", copy.container.clone()));
            self.traffic(component, &at, own);
            // The same once more by place and type: whoever adds these up counts twice.
            at.push(("Region", self.region.to_owned()));
            at.push(("AvailabilityZone", format!("{}a", self.region)));
            at.push(("InstanceType", instance.kind.name.clone()));
            self.put(INVOCATIONS_NAMESPACE, (INVOCATIONS_METRIC, "None"), &at, Values::Invocations(own));
        }
    }

    fn traffic(&mut self, component: &Component, at: &Dimensions, by_minute: u32) {
        let latency = component.latency_ms * 1000.0;
        for (metric, unit, values) in [
            (INVOCATIONS_METRIC, "None", Values::Invocations(by_minute)),
            ("ModelLatency", "Microseconds", Values::PerInvocation(by_minute, latency)),
            ("OverheadLatency", "Microseconds", Values::PerInvocation(by_minute, OVERHEAD)),
            ("Invocation4XXErrors", "None", Values::Errors(by_minute)),
            ("Invocation5XXErrors", "None", Values::Errors(by_minute)),
        ] {
            self.put(INVOCATIONS_NAMESPACE, (metric, unit), at, values);
        }
    }
}
