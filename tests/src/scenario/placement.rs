//! Which copy runs where: each goes to the first instance of its variant that has room for it, in
//! the order of the file. Ids are hashes of names, so that the same scenario has the same ids.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::{Component, Endpoint, InstanceType, Scenario};
use crate::failure::{Failure, Outcome};

const WHOLE: u32 = 7;

/// All endpoints of a scenario with their instances and copies: those that publish.
#[derive(Debug, Clone)]
pub struct Fleet<'a> {
    /// In the order of the file.
    pub endpoints: Vec<Placed<'a>>,
}

/// An endpoint.
#[derive(Debug, Clone)]
pub struct Placed<'a> {
    /// What the scenario says about it.
    pub endpoint: &'a Endpoint,
    /// Its instances.
    pub instances: Vec<Instance<'a>>,
    /// Its copies, by component in the order of the file.
    pub copies: Vec<Copy<'a>>,
}

/// An instance.
#[derive(Debug, Clone)]
pub struct Instance<'a> {
    /// As `i-0123456789abcdef0`.
    pub id: String,
    /// The name of its variant.
    pub variant: &'a str,
    /// Its type.
    pub kind: &'a InstanceType,
    /// Sevenths in use of each GPU.
    used: Vec<u32>,
    cores: f64,
}

/// A copy of a component.
#[derive(Debug, Clone)]
pub struct Copy<'a> {
    /// The component.
    pub component: &'a Component,
    /// The place of its instance in [`Placed::instances`].
    pub instance: usize,
    /// The container's id.
    pub container: String,
    /// What it holds.
    pub devices: Vec<Device>,
}

/// A GPU, or the slice of one, in the hands of a copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// The number of the GPU on its instance.
    pub gpu: usize,
}

impl Device {
    /// As SageMaker writes it.
    pub fn id(&self) -> String {
        gpu_id(self.gpu)
    }
}

/// The id of the GPU with this number.
pub(super) fn gpu_id(number: usize) -> String {
    format!("gpu_{number}")
}

impl<'a> Fleet<'a> {
    /// Places what publishes.
    ///
    /// # Errors
    /// A copy that fits on no instance, or an instance type that is not described.
    pub fn of(scenario: &'a Scenario) -> Outcome<Self> {
        let endpoints = scenario.endpoints.iter().map(|endpoint| Placed::of(endpoint, scenario));
        Ok(Self { endpoints: endpoints.collect::<Outcome<_>>()? })
    }
}

impl<'a> Placed<'a> {
    fn of(endpoint: &'a Endpoint, scenario: &'a Scenario) -> Outcome<Self> {
        let mut instances = Vec::new();
        for variant in &endpoint.variants {
            for pool in &variant.pools {
                let kind = scenario.instance_type(&pool.instance_type);
                let kind = kind.ok_or_else(|| Failure(format!("{} is unknown", pool.instance_type)))?;
                for index in 0..pool.publishing() {
                    let id = id(&(&endpoint.name, &variant.name, &kind.name, index));
                    instances.push(Instance {
                        id: format!("i-0{id:016x}"),
                        variant: &variant.name,
                        kind,
                        used: vec![0; kind.gpus as usize],
                        cores: 0.0,
                    });
                }
            }
        }
        let mut copies = Vec::new();
        for component in &endpoint.components {
            // Earlier instances have no more room for it: what is full stays full.
            let mut from = 0;
            for index in 0..component.publishing() {
                let placed = (from..instances.len()).find_map(|place| {
                    let instance = &mut instances[place];
                    (instance.variant == component.variant).then_some(())?;
                    Some((place, instance.take(component)?))
                });
                let Some((instance, devices)) = placed else {
                    return Err(Failure(format!(
                        "endpoint {}: copy {} of {} fits on no instance",
                        endpoint.name,
                        index + 1,
                        component.name
                    )));
                };
                from = instance;
                let container = container(&(&endpoint.name, &component.name, index));
                copies.push(Copy { component, instance, container, devices });
            }
        }
        Ok(Self { endpoint, instances, copies })
    }

    /// The copies of a component.
    pub fn copies_of(&self, component: &str) -> impl Iterator<Item = &Copy<'a>> {
        self.copies.iter().filter(move |copy| copy.component.name == component)
    }
}

impl Instance<'_> {
    /// The GPUs that a copy gets here; `None` when there is no room.
    fn take(&mut self, component: &Component) -> Option<Vec<Device>> {
        if self.cores + component.cores > f64::from(self.kind.vcpus) {
            return None;
        }
        let sevenths = component.sevenths();
        let wanted = component.accelerators_on(&self.kind.name) as usize;
        let has_room = |used: &u32| used + sevenths <= WHOLE;
        let free = self.used.iter().enumerate().filter(|(_, used)| has_room(used)).map(|(gpu, _)| gpu);
        let devices: Vec<Device> = free.take(wanted).map(|gpu| Device { gpu }).collect();
        if devices.len() < wanted {
            return None;
        }
        for device in &devices {
            self.used[device.gpu] += sevenths;
        }
        self.cores += component.cores;
        Some(devices)
    }

    /// How much of its GPUs and CPUs is reserved, in per cent.
    pub(super) fn reserved(&self) -> (f64, f64) {
        let used: u32 = self.used.iter().sum();
        let gpus = f64::from(used) / f64::from((self.kind.gpus * WHOLE).max(1));
        (100.0 * gpus, 100.0 * self.cores / f64::from(self.kind.vcpus.max(1)))
    }
}

fn id(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// As a UUID.
fn container(of: &impl Hash) -> String {
    let (high, low) = (id(of), id(&(of, "container")));
    let hex = format!("{high:016x}{low:016x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
