//! Who pays for the instances.
//!
//! The price of an instance is divided in proportion to GPUs: each component pays for the share
//! that its copies hold on this instance, and what nobody holds is idle. An instance has one
//! price, so in a mixed pool a GPU costs what its own instance costs. A component on the CPU of an
//! instance with GPUs pays nothing: the GPUs are what such an instance is paid for.
//!
//! An instance without GPUs is divided by reserved vCPUs where all copies on it reserve some and
//! its vCPUs are known; what is not reserved is idle. Otherwise by copies, with nothing idle while
//! there is one.
//!
//! Each instance is divided by largest remainder, so that shares and idle cost add up to its price
//! in whole micro-dollars, and so do their sums over instances.

use std::collections::BTreeMap;

use super::Gpus;
use super::claims::Claims;
use super::machines::Machine;
use super::roster::Roster;
use crate::capacity::split::split;
use crate::money::MicroUsd;
use crate::names::ComponentName;

/// The bill and its parts; `None` as soon as one instance has no price or no known GPUs.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) bill: Option<MicroUsd>,
    pub(super) idle: Option<MicroUsd>,
    pub(super) components: Option<BTreeMap<ComponentName, MicroUsd>>,
}

impl Ledger {
    pub(super) fn of(machines: &[Machine], claims: &Claims, roster: &Roster<'_>) -> Self {
        let bill: Option<MicroUsd> = machines.iter().map(|machine| machine.per_hour).sum();
        let mut idle = MicroUsd::default();
        let mut components: BTreeMap<ComponentName, MicroUsd> = BTreeMap::new();
        for machine in machines {
            let (Some(per_hour), Some(gpus)) = (machine.per_hour, machine.gpus) else {
                return Self { bill, ..Self::default() };
            };
            let (weights, unused) = weights(machine, gpus, claims, roster);
            let price = per_hour.0.unsigned_abs();
            let all: Vec<u64> = weights.iter().map(|(_, weight)| *weight).chain([unused]).collect();
            let parts = split(price, &all).unwrap_or_default();
            let amount = |part: u64| MicroUsd(i64::try_from(part).unwrap_or(i64::MAX));
            for ((component, _), part) in weights.iter().zip(&parts) {
                *components.entry((*component).clone()).or_default() += amount(*part);
            }
            // Without any weight everything is idle.
            idle += amount(parts.last().copied().unwrap_or(price));
        }
        Self { bill, idle: Some(idle), components: Some(components) }
    }
}

/// Each component's weight on an instance, and that of what is idle.
fn weights<'a>(
    machine: &Machine,
    gpus: Gpus,
    claims: &'a Claims,
    roster: &Roster<'_>,
) -> (Vec<(&'a ComponentName, u64)>, u64) {
    if gpus > Gpus::default() {
        let held = claims.gpus.get(&machine.instance).into_iter().flatten();
        let held: Vec<_> = held.map(|(component, gpus)| (component, gpus.sevenths())).collect();
        return (held, (gpus - claims.used_on(&machine.instance)).sevenths());
    }
    let copies: Vec<_> = claims.copies.get(&machine.instance).into_iter().flatten().collect();
    let reserved = |(component, copies): &(&'a ComponentName, &u32)| {
        let milli_cores = roster.component(component)?.milli_cores?;
        Some((*component, u64::from(milli_cores) * u64::from(**copies)))
    };
    let by_core: Option<Vec<_>> = copies.iter().map(reserved).collect();
    if let (Some(by_core), Some(vcpus)) = (by_core, machine.vcpus) {
        let reserved: u64 = by_core.iter().map(|(_, weight)| weight).sum();
        return (by_core, (u64::from(vcpus) * 1000).saturating_sub(reserved));
    }
    (copies.into_iter().map(|(component, copies)| (component, u64::from(*copies))).collect(), 0)
}
