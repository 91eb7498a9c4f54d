//! The breakdown that an invocation answers: every number with its source.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::condition::{BlindReason, Condition};
use super::meter::{EndpointCapacity, Expected, Gpus, InstanceSource};
use super::topology::TopologySource;
use crate::money::MicroUsd;

/// One endpoint, for a reader. Amounts are US dollars an hour where nothing else is said.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointReport {
    /// The endpoint.
    pub endpoint: String,
    /// Instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<u32>,
    /// GPUs: total, used, free.
    pub gpus: GpuReport,
    /// Cost: bill, idle.
    pub usd_per_hour: CostReport,
    /// By name.
    pub components: BTreeMap<String, ComponentReport>,
    /// Components that [`EndpointReport::shorten`] took out.
    #[serde(skip_serializing_if = "is_zero")]
    pub components_left_out: usize,
    /// What is not known or does not agree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionReport>,
    /// What the topology says, where it differs from what is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology_says: Option<ExpectedReport>,
    /// Where the numbers come from.
    pub sources: SourceReport,
}

/// A condition, for a reader.
#[derive(Debug, Clone, Serialize)]
pub struct ConditionReport {
    /// Its kind.
    pub condition: &'static str,
    /// Why the meter is blind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What it means, and what to do where something can be done.
    pub meaning: &'static str,
    /// What exactly.
    pub detail: String,
}

impl ConditionReport {
    fn of(condition: &Condition) -> Self {
        let Condition { kind, reason, detail } = condition;
        Self {
            condition: kind.as_str(),
            reason: reason.map(BlindReason::as_str),
            meaning: reason.map_or_else(|| kind.meaning(), BlindReason::meaning),
            detail: detail.clone(),
        }
    }
}

/// GPUs of an endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct GpuReport {
    /// Of all instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Gpus>,
    /// Held by copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Gpus>,
    /// Held by nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<Gpus>,
}

/// Costs of an endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct CostReport {
    /// All instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<f64>,
    /// What nobody uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<f64>,
}

/// One component, for a reader.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentReport {
    /// The component that an adapter lives in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter_of: Option<String>,
    /// Copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<Gpus>,
    /// Its share of the bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_hour: Option<f64>,
    /// Invocations in the traffic window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocations: Option<u64>,
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_thousand_invocations: Option<f64>,
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_million_tokens: Option<f64>,
    /// Copies by the topology, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology_says_copies: Option<u32>,
    /// GPUs by the topology, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology_says_gpus: Option<Gpus>,
}

/// What the topology says about an endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct ExpectedReport {
    /// Instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<u32>,
    /// GPUs of all instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_gpus: Option<Gpus>,
    /// US dollars an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_hour: Option<f64>,
}

/// Where the numbers of an endpoint come from, in words.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// Used GPUs and copies.
    pub usage: String,
    /// Instances, total GPUs and bill.
    pub instances: &'static str,
    /// Instance types, copies and GPUs as they should be.
    pub topology: String,
    /// By instance type: the price, who says so and how old it is.
    pub prices: BTreeMap<String, String>,
    /// The time whose invocations are counted.
    pub traffic: String,
    /// Instances that left within the window.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances_left: Vec<String>,
    /// Listed series without data: not counted.
    pub silent_series: usize,
    /// Roll-ups: not counted.
    pub roll_ups: usize,
}

impl EndpointReport {
    /// The report on an endpoint, at the time `now` of the run.
    pub fn of(capacity: &EndpointCapacity, now: Timestamp) -> Self {
        let differs = |expected: &&Expected| {
            (expected.instances, expected.total_gpus, expected.bill)
                != (capacity.instances, capacity.total_gpus, capacity.bill)
        };
        Self {
            endpoint: capacity.endpoint.to_string(),
            instances: capacity.instances,
            gpus: GpuReport {
                total: capacity.total_gpus,
                used: capacity.used_gpus,
                free: capacity.free_gpus,
            },
            usd_per_hour: CostReport {
                bill: capacity.bill.map(MicroUsd::usd),
                idle: capacity.idle_cost.map(MicroUsd::usd),
            },
            components: components(capacity),
            components_left_out: 0,
            conditions: capacity.conditions.iter().map(ConditionReport::of).collect(),
            topology_says: capacity.expected.as_ref().filter(differs).map(|expected| ExpectedReport {
                instances: expected.instances,
                total_gpus: expected.total_gpus,
                usd_per_hour: expected.bill.map(MicroUsd::usd),
            }),
            sources: sources(capacity, now),
        }
    }

    /// Keeps the first `most` components, and says how many it left out.
    pub fn shorten(&mut self, most: usize) {
        if let Some((first, _)) = self.components.iter().nth(most) {
            let first = first.clone();
            self.components_left_out += self.components.split_off(&first).len();
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn components(capacity: &EndpointCapacity) -> BTreeMap<String, ComponentReport> {
    let report = |it: &super::meter::ComponentCapacity| ComponentReport {
        adapter_of: it.base.as_ref().map(ToString::to_string),
        copies: it.copies,
        gpus: it.gpus,
        usd_per_hour: it.cost.map(MicroUsd::usd),
        invocations: it.invocations,
        usd_per_thousand_invocations: it.cost_per_thousand_invocations.map(MicroUsd::usd),
        usd_per_million_tokens: it.cost_per_million_tokens.map(MicroUsd::usd),
        topology_says_copies: it.expected_copies.filter(|copies| it.copies != Some(*copies)),
        topology_says_gpus: it.expected_gpus.filter(|gpus| it.gpus != Some(*gpus)),
    };
    capacity.components.iter().map(|it| (it.component.to_string(), report(it))).collect()
}

fn sources(capacity: &EndpointCapacity, now: Timestamp) -> SourceReport {
    let sources = &capacity.sources;
    let frequency = match sources.publish_frequency {
        Some(frequency) => format!(" every {} s", u32::from(frequency)),
        None => " at an unknown frequency".to_owned(),
    };
    let usage = match sources.newest_datapoint {
        Some(newest) => {
            let age = now.duration_since(newest).as_secs();
            format!("enhanced metrics{frequency}, newest datapoint {newest}, {age} s old")
        }
        None => format!("enhanced metrics{frequency}, no datapoint since {}", sources.window.start),
    };
    let instances = match sources.instances {
        InstanceSource::EnhancedMetrics => "enhanced metrics",
        InstanceSource::Topology => "topology",
        InstanceSource::Nothing => "nothing",
    };
    let topology = match sources.topology {
        Some(TopologySource::ControlPlane { read_at }) => {
            let age = now.duration_since(read_at).as_secs();
            format!("control plane, read {read_at}, {age} s old")
        }
        Some(TopologySource::FleetFile) => "fleet.toml".to_owned(),
        None => "none".to_owned(),
    };
    let price = |price: &super::price::Price| {
        let region = price.region.as_ref().map(|region| format!(", {region}")).unwrap_or_default();
        let (source, age) = (price.source.as_str(), price.age_days(now));
        format!("{} an hour, {source}{region}, of {}, {age} days old", price.per_hour, price.as_of)
    };
    let traffic = sources.traffic_window;
    SourceReport {
        usage,
        instances,
        topology,
        prices: sources.prices.iter().map(|(kind, it)| (kind.clone(), price(it))).collect(),
        traffic: format!("{} to {}", traffic.start, traffic.end),
        instances_left: sources.instances_left.clone(),
        silent_series: sources.silent_series,
        roll_ups: sources.roll_ups,
    }
}
