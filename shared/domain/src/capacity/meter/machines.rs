//! What each living instance is: its type, its GPUs and its price.

use std::collections::BTreeSet;

use super::claims::{Claims, some_of};
use super::{Expected, Gpus};
use crate::capacity::condition::{Condition, ConditionKind};
use crate::capacity::instance::Catalogue;
use crate::capacity::topology::EndpointTopology;
use crate::capacity::usage::{MeasuredInstance, Usage};
use crate::money::MicroUsd;

/// A living instance.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) instance: String,
    /// `None` when it cannot be told.
    pub(super) instance_type: Option<String>,
    /// Whether another type that has and costs the same is as likely.
    pub(super) has_twin: bool,
    /// `None` when neither the type nor the metrics say.
    pub(super) gpus: Option<Gpus>,
    pub(super) vcpus: Option<u32>,
    pub(super) per_hour: Option<MicroUsd>,
}

/// Identifies the living instances of an endpoint, in the order of their ids.
pub(super) fn identify(
    usage: &Usage,
    topology: Option<&EndpointTopology>,
    catalogue: &Catalogue,
    claims: &Claims,
    conditions: &mut Vec<Condition>,
) -> Vec<Machine> {
    let (mut nameless, mut overfull) = (BTreeSet::new(), BTreeSet::new());
    let mut machines = Vec::with_capacity(usage.instances.len());
    for (id, measured) in &usage.instances {
        let used = claims.used_on(id);
        let candidates = candidates(measured, used, topology, catalogue);
        let instance_type = the_one(&candidates, catalogue).map(str::to_owned);
        let shape = instance_type.as_deref().and_then(|kind| catalogue.types.shape(kind));
        let published = u32::try_from(measured.gpus.len()).unwrap_or(u32::MAX);
        let by_metrics = (published > 0).then(|| Gpus::whole(published));
        let by_type =
            shape.map(|shape| Gpus::whole(shape.gpus)).or_else(|| common_gpus(&candidates, catalogue));
        // What copies were seen on is there, whatever the type says.
        let needed = Gpus::from_sevenths(used.sevenths().div_ceil(Gpus::WHOLE) * Gpus::WHOLE);
        let gpus = by_type.or(by_metrics).map(|gpus| gpus.max(needed));
        if by_type.is_some_and(|gpus| gpus < needed) {
            overfull.insert(id.clone());
        }
        if instance_type.is_none() {
            nameless.insert(id.clone());
        }
        machines.push(Machine {
            instance: id.clone(),
            per_hour: instance_type
                .as_deref()
                .and_then(|kind| catalogue.prices.of(kind))
                .map(|it| it.per_hour),
            vcpus: shape.and_then(|shape| shape.vcpus),
            has_twin: candidates.len() > 1,
            instance_type,
            gpus,
        });
    }
    if !nameless.is_empty() {
        let detail = format!("which type these instances have is not known: {}", some_of(&nameless));
        conditions.push(Condition::of(ConditionKind::InstanceTypeUnknown, detail));
    }
    if !overfull.is_empty() {
        let detail = format!("more GPUs in use than their type has: {}", some_of(&overfull));
        conditions.push(Condition::of(ConditionKind::TopologyMismatch, detail));
    }
    machines
}

/// The types that an instance can have: what its metrics say, else those of its variant that have
/// room for what is used on it and as many GPUs as it publishes.
fn candidates<'a>(
    measured: &'a MeasuredInstance,
    used: Gpus,
    topology: Option<&'a EndpointTopology>,
    catalogue: &Catalogue,
) -> BTreeSet<&'a str> {
    if let Some(kind) = &measured.instance_type {
        return BTreeSet::from([kind.as_str()]);
    }
    let variants = topology.map_or(&[][..], |topology| &topology.variants);
    let known =
        measured.variant.as_ref().filter(|name| variants.iter().any(|variant| variant.name == **name));
    let own = variants.iter().filter(|variant| known.is_none_or(|name| variant.name == *name));
    let pools = own.flat_map(|variant| &variant.pools);
    let all: BTreeSet<&str> = pools.map(|pool| pool.instance_type.as_str()).collect();
    if all.len() < 2 {
        return all;
    }
    // A GPU in slices may be published once for each: then the number of ids says nothing.
    let has_slices = topology.is_some_and(|it| it.components.iter().any(|one| one.partition.is_some()));
    let fits = |kind: &&&str| {
        let Some(gpus) = catalogue.types.gpus(kind) else { return true };
        let is_published = usize::try_from(gpus).is_ok_and(|gpus| gpus == measured.gpus.len());
        Gpus::whole(gpus) >= used && (is_published || has_slices || measured.gpus.is_empty())
    };
    let fitting: BTreeSet<&str> = all.iter().filter(fits).copied().collect();
    if fitting.is_empty() { all } else { fitting }
}

/// The only candidate, or any of several that have and cost the same.
fn the_one<'a>(candidates: &BTreeSet<&'a str>, catalogue: &Catalogue) -> Option<&'a str> {
    let first = *candidates.first()?;
    let traits =
        |kind: &str| (catalogue.types.shape(kind), catalogue.prices.of(kind).map(|price| price.per_hour));
    let are_alike = || {
        let (shape, price) = traits(first);
        shape.is_some() && price.is_some() && candidates.iter().all(|kind| traits(kind) == (shape, price))
    };
    (candidates.len() == 1 || are_alike()).then_some(first)
}

/// The GPUs that all candidates have.
fn common_gpus(candidates: &BTreeSet<&str>, catalogue: &Catalogue) -> Option<Gpus> {
    let first = catalogue.types.gpus(candidates.first()?)?;
    candidates.iter().all(|kind| catalogue.types.gpus(kind) == Some(first)).then(|| Gpus::whole(first))
}

/// What the endpoint has and costs by its topology.
pub(super) fn expected(topology: &EndpointTopology, catalogue: &Catalogue) -> Expected {
    let Some(by_type) = topology.instances() else {
        return Expected { instances: None, total_gpus: None, bill: None };
    };
    // A type that nothing runs on needs no price.
    let running = || by_type.iter().filter(|(_, count)| **count > 0);
    let gpus = |(kind, count): (&&str, &u32)| {
        let sevenths = Gpus::whole(catalogue.types.gpus(kind)?).sevenths() * u64::from(*count);
        Some(Gpus::from_sevenths(sevenths))
    };
    let cost = |(kind, count): (&&str, &u32)| {
        let price = catalogue.prices.of(kind)?.per_hour;
        Some(MicroUsd(price.0.saturating_mul(i64::from(*count))))
    };
    Expected {
        instances: Some(by_type.values().sum()),
        total_gpus: running().map(gpus).sum(),
        bill: running().map(cost).sum(),
    }
}
