//! Puts usage, topology and prices together.
//!
//! 1. Each living instance gets a type, a number of GPUs and a price (`machines`).
//! 2. Each copy claims the GPUs that it was seen on (`claims`).
//! 3. Whatever keeps usage from being known is named (`blindness`).
//! 4. The price of each instance is divided over its claims and what is idle (`ledger`).
//! 5. What was measured is compared with what the topology says (`compare`).
//!
//! The measured numbers are the ones that count. Where the topology says otherwise, it stands
//! beside them as [`Expected`]: a fresh instance may have no data yet, and a cached topology may
//! be old, so neither is corrected by the other. Only where usage is not known at all are
//! instances, total GPUs and bill those of the topology.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::condition::{BlindReason, Condition, ConditionKind};
pub use super::gpus::Gpus;
use super::instance::Catalogue;
use super::plan::{PublishFrequency, Window};
use super::price::{Price, PriceSource};
use super::topology::{EndpointTopology, TopologySource};
use super::usage::Usage;
use crate::money::MicroUsd;
use crate::names::{ComponentName, EndpointName};

mod blindness;
mod claims;
mod compare;
mod components;
mod ledger;
mod machines;
mod roster;

/// What an endpoint has, uses and costs. A field is `None` when it is not known; `conditions` say
/// why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointCapacity {
    /// The endpoint.
    pub endpoint: EndpointName,
    /// Instances.
    pub instances: Option<u32>,
    /// GPUs of all instances.
    pub total_gpus: Option<Gpus>,
    /// GPUs that copies hold. With `free_gpus` it adds up to `total_gpus`.
    pub used_gpus: Option<Gpus>,
    /// GPUs that nobody holds.
    pub free_gpus: Option<Gpus>,
    /// What the instances cost an hour.
    pub bill: Option<MicroUsd>,
    /// What of it nobody uses. With the components' costs it adds up to `bill`.
    pub idle_cost: Option<MicroUsd>,
    /// By name, adapters included.
    pub components: Vec<ComponentCapacity>,
    /// What is not known or does not agree.
    pub conditions: Vec<Condition>,
    /// What the topology says, where there is one.
    pub expected: Option<Expected>,
    /// Where the numbers come from.
    pub sources: Sources,
}

/// What an inference component has and costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentCapacity {
    /// The component.
    pub component: ComponentName,
    /// The component whose copies it lives in, for an adapter. It has no GPU and no cost of its
    /// own; its invocations count as its base's.
    pub base: Option<ComponentName>,
    /// Copies that are alive.
    pub copies: Option<u32>,
    /// GPUs that they hold.
    pub gpus: Option<Gpus>,
    /// Its share of the bill, an hour.
    pub cost: Option<MicroUsd>,
    /// Invocations in the traffic window, those of its adapters included.
    pub invocations: Option<u64>,
    /// `cost` for the time of the traffic window, divided by the invocations in it.
    pub cost_per_thousand_invocations: Option<MicroUsd>,
    /// The same by tokens in and out: invocations times the mean tokens of those that
    /// quality-judge saw.
    pub cost_per_million_tokens: Option<MicroUsd>,
    /// Copies by the topology.
    pub expected_copies: Option<u32>,
    /// GPUs by the topology.
    pub expected_gpus: Option<Gpus>,
}

/// What the topology says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Instances.
    pub instances: Option<u32>,
    /// GPUs of all instances.
    pub total_gpus: Option<Gpus>,
    /// What they cost an hour.
    pub bill: Option<MicroUsd>,
}

/// Where the numbers of an endpoint come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sources {
    /// What instances, total GPUs and bill are counted from.
    pub instances: InstanceSource,
    /// The newest datapoint of the enhanced metrics.
    pub newest_datapoint: Option<Timestamp>,
    /// The time that was looked at.
    pub window: Window,
    /// How often the endpoint publishes; `None` when nobody says, and the slowest was assumed.
    pub publish_frequency: Option<PublishFrequency>,
    /// The time whose invocations are counted.
    pub traffic_window: Window,
    /// Series with no data in the window: not counted.
    pub silent_series: usize,
    /// Roll-ups that were passed over.
    pub roll_ups: usize,
    /// Instances that had data in the window and have left.
    pub instances_left: Vec<String>,
    /// Who describes the topology.
    pub topology: Option<TopologySource>,
    /// The price of each instance type in use.
    pub prices: BTreeMap<String, Price>,
}

impl Sources {
    /// Who says what the instances cost.
    pub fn price_sources(&self) -> BTreeSet<PriceSource> {
        self.prices.values().map(|price| price.source).collect()
    }

    /// The age of the oldest price, at the time `now`.
    pub fn oldest_price_days(&self, now: Timestamp) -> Option<u32> {
        self.prices.values().map(|price| price.age_days(now)).max()
    }
}

/// What the instances of an endpoint are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceSource {
    /// Their own enhanced metrics.
    EnhancedMetrics,
    /// The topology: nothing is measured.
    Topology,
    /// Nobody knows.
    Nothing,
}

impl EndpointCapacity {
    /// Why a topology that is read anew may change the result: what was measured and does not fit
    /// to the one in use. The same words mean the same measurement.
    pub fn topology_doubt(&self) -> Option<String> {
        let is_doubt = |condition: &&Condition| match condition.kind {
            ConditionKind::TopologyMismatch | ConditionKind::InstanceTypeUnknown => true,
            ConditionKind::Blind => !matches!(
                condition.reason,
                // Another topology does not complete an answer; and whoever switches the metrics on
                // waits for the first of them anyway.
                Some(BlindReason::IncompleteAnswer | BlindReason::EnhancedMetricsOff)
            ),
            _ => false,
        };
        let doubts = self.conditions.iter().filter(is_doubt);
        let doubts: Vec<String> = doubts.map(|it| format!("{}: {}", it.kind.as_str(), it.detail)).collect();
        (!doubts.is_empty()).then(|| doubts.join("; "))
    }
}

/// Meters one endpoint.
pub fn meter(usage: &Usage, topology: Option<&EndpointTopology>, catalogue: &Catalogue) -> EndpointCapacity {
    let mut conditions = Vec::new();
    let roster = roster::Roster::of(topology);
    let claims = claims::Claims::of(usage, &roster, &mut conditions);
    let machines = machines::identify(usage, topology, catalogue, &claims, &mut conditions);
    let expected = topology.map(|topology| machines::expected(topology, catalogue));
    let view = blindness::view(usage, topology, &roster, &machines, &claims, &mut conditions);

    let ledger = ledger::Ledger::of(&machines, &claims, &roster);
    // Some of the instances would be a wrong number: all of them must have been answered.
    let is_measured =
        usage.unanswered == 0 && usage.instances.values().any(|instance| instance.has_own_series);
    let total_gpus = machines.iter().map(|machine| machine.gpus).sum::<Option<Gpus>>();
    let used_gpus = view.is_whole().then(|| claims.used());
    let mut capacity = EndpointCapacity {
        endpoint: usage.endpoint.clone(),
        instances: u32::try_from(machines.len()).ok(),
        total_gpus,
        used_gpus,
        free_gpus: total_gpus.zip(used_gpus).map(|(total, used)| total - used),
        bill: ledger.bill,
        idle_cost: if view.is_whole() { ledger.idle } else { None },
        components: components::components(usage, &roster, &claims, &ledger, view),
        conditions,
        sources: sources(usage, topology),
        expected,
    };
    if !is_measured {
        count_by_topology(&mut capacity, view);
    }
    if view.is_comparable() {
        compare::compare(&mut capacity, &machines, topology, &roster);
    }
    price_conditions(&mut capacity, topology, &machines, catalogue);
    capacity.conditions.sort_by_key(|condition| condition.kind);
    capacity
}

/// Nothing measured says how many instances there are.
fn count_by_topology(capacity: &mut EndpointCapacity, view: blindness::View) {
    let expected = capacity.expected.as_ref();
    capacity.instances = expected.and_then(|it| it.instances);
    capacity.total_gpus = expected.and_then(|it| it.total_gpus);
    capacity.bill = expected.and_then(|it| it.bill);
    capacity.sources.instances =
        if capacity.instances.is_some() { InstanceSource::Topology } else { InstanceSource::Nothing };
    // The one case that is not blind without data: there is nothing that could publish any.
    let is_empty = view.is_whole();
    capacity.used_gpus = is_empty.then(Gpus::default);
    capacity.free_gpus = is_empty.then(Gpus::default);
    capacity.idle_cost = is_empty.then(MicroUsd::default);
}

fn sources(usage: &Usage, topology: Option<&EndpointTopology>) -> Sources {
    Sources {
        instances: InstanceSource::EnhancedMetrics,
        newest_datapoint: usage.newest,
        window: usage.window,
        publish_frequency: usage.outlook.is_frequency_known.then_some(usage.outlook.frequency),
        traffic_window: usage.traffic_window(),
        silent_series: usage.silent,
        roll_ups: usage.outlook.gpu_roll_ups,
        instances_left: usage.instances_left.iter().cloned().collect(),
        topology: topology.map(|topology| topology.source),
        prices: BTreeMap::new(),
    }
}

/// Notes the price of each type that is counted, and which have none or a foreign one.
fn price_conditions(
    capacity: &mut EndpointCapacity,
    topology: Option<&EndpointTopology>,
    machines: &[machines::Machine],
    catalogue: &Catalogue,
) {
    let measured = machines.iter().filter_map(|machine| machine.instance_type.as_deref());
    let expected = topology.and_then(EndpointTopology::instances).unwrap_or_default();
    let expected = expected.into_iter().filter(|(_, count)| *count > 0).map(|(kind, _)| kind);
    let types: BTreeSet<&str> = match capacity.sources.instances {
        InstanceSource::EnhancedMetrics => measured.collect(),
        InstanceSource::Topology | InstanceSource::Nothing => expected.collect(),
    };
    for kind in types {
        let Some(price) = catalogue.prices.of(kind) else {
            let detail = format!("{kind} has no price in fleet.toml, the price list or the shipped table");
            capacity.conditions.push(Condition::of(ConditionKind::PriceMissing, detail));
            continue;
        };
        if catalogue.prices.is_foreign(price) {
            let (of, region) = (price.region.as_deref().unwrap_or_default(), catalogue.prices.region());
            let detail = format!("{kind}: the price is that of {of}, the endpoint is in {region}");
            capacity.conditions.push(Condition::of(ConditionKind::PriceOfOtherRegion, detail));
        }
        capacity.sources.prices.insert(kind.to_owned(), price.clone());
    }
}
