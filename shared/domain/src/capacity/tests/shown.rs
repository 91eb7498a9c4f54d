//! What a test compares: an endpoint's numbers in short.

use crate::capacity::condition::{BlindReason, ConditionKind};
use crate::capacity::meter::{ComponentCapacity, EndpointCapacity};
use crate::money::MicroUsd;

/// An endpoint's numbers in short: instances, total, used, free, bill, idle, where `-` is not
/// known; then each component's copies, GPUs and cost.
pub(in crate::capacity) fn shown(capacity: &EndpointCapacity) -> Vec<String> {
    fn or_dash(value: Option<impl ToString>) -> String {
        value.map_or_else(|| "-".to_owned(), |value| value.to_string())
    }
    let usd = |amount: Option<MicroUsd>| or_dash(amount.map(MicroUsd::usd));
    let component = |it: &ComponentCapacity| {
        format!(
            "{}: {} copies, {} GPUs, {}",
            it.component,
            or_dash(it.copies),
            or_dash(it.gpus),
            usd(it.cost)
        )
    };
    let whole = format!(
        "{} instances, {} total, {} used, {} free, bill {}, idle {}",
        or_dash(capacity.instances),
        or_dash(capacity.total_gpus),
        or_dash(capacity.used_gpus),
        or_dash(capacity.free_gpus),
        usd(capacity.bill),
        usd(capacity.idle_cost),
    );
    std::iter::once(whole).chain(capacity.components.iter().map(component)).collect()
}

pub(in crate::capacity) fn kinds(capacity: &EndpointCapacity) -> Vec<ConditionKind> {
    capacity.conditions.iter().map(|condition| condition.kind).collect()
}

pub(in crate::capacity) fn reasons(capacity: &EndpointCapacity) -> Vec<BlindReason> {
    capacity.conditions.iter().filter_map(|condition| condition.reason).collect()
}
