//! Which component holds how much of which GPU.

use std::collections::{BTreeMap, BTreeSet};

use super::Gpus;
use super::roster::Roster;
use crate::capacity::condition::{Condition, ConditionKind};
use crate::capacity::split::split;
use crate::capacity::topology::Component;
use crate::capacity::usage::Usage;
use crate::names::ComponentName;

/// What the copies hold and where they run. Copies of an adapter count as its base's.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// GPUs by instance and component.
    pub(super) gpus: BTreeMap<String, BTreeMap<ComponentName, Gpus>>,
    /// Copies by instance and component.
    pub(super) copies: BTreeMap<String, BTreeMap<ComponentName, u32>>,
}

impl Claims {
    pub(super) fn of(usage: &Usage, roster: &Roster<'_>, conditions: &mut Vec<Condition>) -> Self {
        let mut claims = Self::default();
        let mut copies_seen = BTreeSet::new();
        for copy in &usage.copies {
            let component = roster.host(&copy.component).clone();
            if copies_seen.insert((&copy.instance, &copy.container)) {
                *claims.copies.entry(copy.instance.clone()).or_default().entry(component).or_default() += 1;
            }
        }
        let mut shared = BTreeSet::new();
        for ((instance, gpu), holders) in holders(usage, roster) {
            let components: BTreeSet<&ComponentName> = holders.iter().map(|(name, _)| name).collect();
            let weights: Vec<u64> = holders.iter().map(|(_, sevenths)| *sevenths).collect();
            let claimed: u64 = weights.iter().sum();
            let parts =
                if claimed > Gpus::WHOLE { split(Gpus::WHOLE, &weights).unwrap_or(weights) } else { weights };
            // A copy that follows another on its GPU overlaps with it for a while: no news.
            if claimed > Gpus::WHOLE && components.len() > 1 {
                shared.insert(format!("{gpu} of {instance}"));
            }
            let on_instance = claims.gpus.entry(instance.to_owned()).or_default();
            for ((component, _), sevenths) in holders.into_iter().zip(parts) {
                *on_instance.entry(component).or_default() += Gpus::from_sevenths(sevenths);
            }
        }
        if !shared.is_empty() {
            let detail = format!("copies of several components report {}", some_of(&shared));
            conditions.push(Condition::of(ConditionKind::GpuShared, detail));
        }
        claims
    }

    /// All GPUs that are held.
    pub(super) fn used(&self) -> Gpus {
        self.gpus.values().flat_map(BTreeMap::values).copied().sum()
    }

    /// The GPUs that are held on an instance.
    pub(super) fn used_on(&self, instance: &str) -> Gpus {
        self.gpus.get(instance).into_iter().flat_map(BTreeMap::values).copied().sum()
    }

    /// The GPUs of a component, by component.
    pub(super) fn gpus_by_component(&self) -> BTreeMap<&ComponentName, Gpus> {
        let mut by_component: BTreeMap<&ComponentName, Gpus> = BTreeMap::new();
        for (component, gpus) in self.gpus.values().flatten() {
            *by_component.entry(component).or_default() += *gpus;
        }
        by_component
    }

    /// The copies of a component, by component.
    pub(super) fn copies_by_component(&self) -> BTreeMap<&ComponentName, u32> {
        let mut by_component: BTreeMap<&ComponentName, u32> = BTreeMap::new();
        for (component, copies) in self.copies.values().flatten() {
            *by_component.entry(component).or_default() += copies;
        }
        by_component
    }
}

/// The component of each copy on each GPU, and how many sevenths of it the copy asks for.
fn holders<'a>(
    usage: &'a Usage,
    roster: &Roster<'_>,
) -> BTreeMap<(&'a str, &'a str), Vec<(ComponentName, u64)>> {
    let mut holders: BTreeMap<(&str, &str), Vec<(ComponentName, u64)>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut sevenths: BTreeMap<ComponentName, u64> = BTreeMap::new();
    for held in &usage.gpus {
        // An adapter may be published with the container and GPU of its base.
        if !seen.insert((&held.instance, &held.gpu, &held.container)) {
            continue;
        }
        let component = roster.host(&held.component).clone();
        let share = *sevenths.entry(component.clone()).or_insert_with_key(|name| {
            roster.component(name).map_or(Gpus::WHOLE, Component::sevenths_per_device)
        });
        holders.entry((&held.instance, &held.gpu)).or_default().push((component, share));
    }
    holders
}

/// The first three, and how many more there are.
pub(super) fn some_of(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
