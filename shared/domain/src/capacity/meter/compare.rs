//! Where what is measured and what the topology says differ.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::some_of;
use super::machines::Machine;
use super::roster::Roster;
use super::{EndpointCapacity, InstanceSource};
use crate::capacity::condition::{Condition, ConditionKind};
use crate::capacity::topology::EndpointTopology;

/// Notes every difference, with both numbers.
pub(super) fn compare(
    capacity: &mut EndpointCapacity,
    machines: &[Machine],
    topology: Option<&EndpointTopology>,
    roster: &Roster<'_>,
) {
    let Some(topology) = topology else { return };
    let mut differences = BTreeSet::new();
    if capacity.sources.instances == InstanceSource::EnhancedMetrics {
        differences.extend(instance_difference(machines, topology));
    }
    for component in &capacity.components {
        if roster.component(&component.component).is_none() {
            differences.insert(format!("{} is measured and not in the topology", component.component));
        } else if !component.agrees() {
            let shown = |number: Option<String>| number.unwrap_or_else(|| "?".to_owned());
            differences.insert(format!(
                "{}: measured {} copies with {} GPUs, topology says {} with {}",
                component.component,
                shown(component.copies.map(|it| it.to_string())),
                shown(component.gpus.map(|it| it.to_string())),
                shown(component.expected_copies.map(|it| it.to_string())),
                shown(component.expected_gpus.map(|it| it.to_string())),
            ));
        }
    }
    if !differences.is_empty() {
        capacity.conditions.push(Condition::of(ConditionKind::TopologyMismatch, some_of(&differences)));
    }
}

/// By type where every instance has one, else by number.
fn instance_difference(machines: &[Machine], topology: &EndpointTopology) -> Option<String> {
    let expected = topology.instances()?;
    let mut measured: BTreeMap<&str, u32> = expected.keys().map(|kind| (*kind, 0)).collect();
    for machine in machines {
        *measured.entry(machine.instance_type.as_deref().unwrap_or("unknown type")).or_default() += 1;
    }
    let is_total_the_same = measured.values().sum::<u32>() == expected.values().sum::<u32>();
    let is_a_guess = machines.iter().any(|it| it.instance_type.is_none() || it.has_twin);
    if measured == expected || (is_total_the_same && is_a_guess) {
        return None;
    }
    let shown = |by_type: &BTreeMap<&str, u32>| {
        let parts = by_type.iter().filter(|(_, count)| **count > 0);
        let parts: Vec<String> = parts.map(|(kind, count)| format!("{count} x {kind}")).collect();
        if parts.is_empty() { "no instance".to_owned() } else { parts.join(" + ") }
    };
    Some(format!("measured {}, topology says {}", shown(&measured), shown(&expected)))
}
