//! Whether usage is known, and if not, why.

use std::collections::{BTreeMap, BTreeSet};

use super::Gpus;
use super::claims::{Claims, some_of};
use super::machines::Machine;
use super::roster::Roster;
use crate::capacity::condition::{BlindReason, Condition};
use crate::capacity::topology::{Component, EndpointTopology, TopologySource};
use crate::capacity::usage::Usage;
use crate::names::ComponentName;

/// How much of the usage is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// All of it.
    Whole,
    /// That of the components that publish; others should run and publish nothing.
    Partial,
    /// None of it.
    Nothing,
}

impl View {
    /// Whether used, free and idle are known.
    pub(super) fn is_whole(self) -> bool {
        self == Self::Whole
    }

    /// Whether what is measured of a component can be compared and published.
    pub(super) fn is_comparable(self) -> bool {
        self != Self::Nothing
    }
}

/// Judges what is known and notes the reasons for what is not.
pub(super) fn view(
    usage: &Usage,
    topology: Option<&EndpointTopology>,
    roster: &Roster<'_>,
    machines: &[Machine],
    claims: &Claims,
    conditions: &mut Vec<Condition>,
) -> View {
    let mut blind = |reason, detail: String| {
        conditions.push(Condition::blind(reason, detail));
        View::Nothing
    };
    if usage.unanswered > 0 {
        let detail = format!("{} series were not answered completely", usage.unanswered);
        return blind(BlindReason::IncompleteAnswer, detail);
    }
    let has_instances = usage.instances.values().any(|instance| instance.has_own_series);
    let has_copies = !usage.copies.is_empty();
    // A fleet file may leave out the components; SageMaker lists them all.
    let are_components_known = roster.hosts().next().is_some()
        || topology.is_some_and(|it| matches!(it.source, TopologySource::ControlPlane { .. }));
    let expects_no_copies = are_components_known && roster.hosts().all(|it| it.copies == Some(0));
    if !has_instances && !has_copies {
        let is_scaled_to_zero = topology
            .and_then(EndpointTopology::instances)
            .is_some_and(|it| it.values().all(|count| *count == 0));
        if is_scaled_to_zero {
            return View::Whole;
        }
    }
    let are_none_expected = has_instances && expects_no_copies;
    if !has_copies && !are_none_expected {
        let (reason, detail) = why_no_copies(usage, topology, has_instances);
        return blind(reason, detail);
    }
    if !has_instances {
        return blind(BlindReason::NoInstanceSeries, format!("{} copies have data", usage.copies.len()));
    }
    let unknown: BTreeSet<String> =
        machines.iter().filter(|machine| machine.gpus.is_none()).map(|it| it.instance.clone()).collect();
    if !unknown.is_empty() {
        return blind(BlindReason::GpusUnknown, some_of(&unknown));
    }
    // Copies without any GPU series may be on the CPU, if someone says so.
    let has_gpus = machines.iter().any(|machine| machine.gpus.is_some_and(|gpus| gpus.sevenths() > 0));
    if topology.is_none() && has_gpus && usage.gpus.is_empty() {
        let (reason, detail) = why_no_copies(usage, topology, has_instances);
        return blind(reason, detail);
    }
    match silent_components(roster, claims) {
        silent if silent.is_empty() => View::Whole,
        silent => {
            blind(BlindReason::ComponentSilent, some_of(&silent));
            View::Partial
        }
    }
}

fn why_no_copies(
    usage: &Usage,
    topology: Option<&EndpointTopology>,
    has_instances: bool,
) -> (BlindReason, String) {
    let outlook = &usage.outlook;
    let silent = usage.silent;
    if topology.is_some_and(|it| it.enhanced_metrics == Some(false)) {
        (BlindReason::EnhancedMetricsOff, "the endpoint config says so".to_owned())
    } else if outlook.gpu_series == 0 && outlook.gpu_roll_ups > 0 {
        (BlindReason::OnlyRollUps, format!("{} roll-ups are listed", outlook.gpu_roll_ups))
    } else if outlook.gpu_series == 0 && silent == 0 {
        let seen = if has_instances { "instances have data, copies have none" } else { "nothing has data" };
        (BlindReason::NothingListed, seen.to_owned())
    } else {
        (BlindReason::AllSilent, format!("{silent} series are listed and have no data"))
    }
}

/// Components whose GPUs may be held although nothing says so.
fn silent_components(roster: &Roster<'_>, claims: &Claims) -> BTreeSet<String> {
    let (gpus, copies) = (claims.gpus_by_component(), claims.copies_by_component());
    roster.hosts().filter(|it| is_silent(it, &copies, &gpus)).map(|it| it.name.to_string()).collect()
}

/// Whether a component was not seen where it may be: on the GPUs that it needs, or for one on the
/// CPU anywhere. One is known to be nowhere only where its copies are said to be none, and none is
/// seen: a number of copies that nobody says may be any.
pub(super) fn is_silent(
    component: &Component,
    copies: &BTreeMap<&ComponentName, u32>,
    gpus: &BTreeMap<&ComponentName, Gpus>,
) -> bool {
    let has_copies = copies.contains_key(&component.name);
    let is_seen = if component.needs_gpus() { gpus.contains_key(&component.name) } else { has_copies };
    let is_nowhere = component.copies == Some(0) && !has_copies;
    component.base.is_none() && !is_seen && !is_nowhere
}
