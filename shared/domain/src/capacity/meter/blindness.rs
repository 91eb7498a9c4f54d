//! Whether usage is known, and if not, why.

use super::claims::{Claims, some_of};
use super::machines::Machine;
use crate::capacity::condition::{BlindReason, Condition};
use crate::capacity::topology::EndpointTopology;
use crate::capacity::usage::Usage;

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
    if !has_instances && !has_copies {
        let is_scaled_to_zero = topology
            .and_then(EndpointTopology::instances)
            .is_some_and(|it| it.values().all(|count| *count == 0));
        if is_scaled_to_zero {
            return View::Whole;
        }
    }
    if !has_copies && !(has_instances && expects_no_copies(topology)) {
        let (reason, detail) = why_no_copies(usage, topology, has_instances);
        return blind(reason, detail);
    }
    if !has_instances {
        return blind(BlindReason::NoInstanceSeries, format!("{} copies have data", usage.copies.len()));
    }
    let unknown: std::collections::BTreeSet<String> =
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
    match silent_components(topology, claims) {
        silent if silent.is_empty() => View::Whole,
        silent => {
            blind(BlindReason::ComponentSilent, some_of(&silent));
            View::Partial
        }
    }
}

fn expects_no_copies(topology: Option<&EndpointTopology>) -> bool {
    topology.is_some_and(|topology| {
        let mut hosts = topology.components.iter().filter(|component| component.base.is_none());
        hosts.all(|component| component.copies == Some(0))
    })
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

/// Components that should have copies on GPUs and hold none.
fn silent_components(
    topology: Option<&EndpointTopology>,
    claims: &Claims,
) -> std::collections::BTreeSet<String> {
    let seen = claims.gpus_by_component();
    let components = topology.map_or(&[][..], |topology| &topology.components);
    let should_run =
        components.iter().filter(|it| it.needs_gpus() && it.copies.is_some_and(|count| count > 0));
    should_run.filter(|it| !seen.contains_key(&it.name)).map(|it| it.name.to_string()).collect()
}
