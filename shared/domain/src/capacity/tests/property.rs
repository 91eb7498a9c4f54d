//! Over random fleets: GPUs and money are conserved.

use proptest::prelude::*;

use super::World;
use crate::capacity::condition::ConditionKind;
use crate::capacity::meter::{EndpointCapacity, Gpus};
use crate::capacity::topology::EndpointTopology;
use crate::capacity::usage::ResultStatus;
use crate::money::MicroUsd;

const TYPES: [(&str, u32); 5] = [
    ("ml.g6.12xlarge", 4),
    ("ml.g5.xlarge", 1),
    ("ml.g6e.48xlarge", 8),
    ("ml.p5.48xlarge", 8),
    ("ml.g4dn.12xlarge", 4),
];
const SLICES: [Option<&str>; 4] = [None, Some("mig-1g.10gb"), Some("mig-3g.40gb"), Some("mig-4g.40gb")];

/// A component: its slice, how many copies it should have, and what it runs on.
#[derive(Debug, Clone, Copy)]
struct Kind {
    slice: usize,
    copies: Option<u32>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Gpu,
    Cpu,
    /// In the copies of the first component.
    Base,
}

fn kind() -> impl Strategy<Value = Kind> {
    let copies = prop_oneof![1 => Just(None), 1 => Just(Some(0)), 3 => Just(Some(1))];
    let place = prop_oneof![4 => Just(Place::Gpu), 1 => Just(Place::Cpu), 1 => Just(Place::Base)];
    (0..SLICES.len(), copies, place).prop_map(|(slice, copies, place)| Kind { slice, copies, place })
}

/// One copy: which component, on which instance, from which GPU on, how many.
type Placement = (usize, usize, u32, u32);

#[derive(Debug, Clone)]
struct Fleet {
    /// The type of each instance.
    instances: Vec<usize>,
    components: Vec<Kind>,
    copies: Vec<Placement>,
    /// What happens to some series: the place of a copy or instance, and what.
    mishaps: Vec<(usize, u8)>,
    knows_topology: bool,
    names_type: bool,
}

fn fleet() -> impl Strategy<Value = Fleet> {
    (
        prop::collection::vec(0..TYPES.len(), 1..6),
        prop::collection::vec(kind(), 1..6),
        prop::collection::vec((0..6_usize, 0..6_usize, 0..8_u32, 0..5_u32), 0..14),
        prop::collection::vec((0..14_usize, 0..4_u8), 0..3),
        prop::bool::weighted(0.8),
        any::<bool>(),
    )
        .prop_map(|(instances, components, copies, mishaps, knows_topology, names_type)| Fleet {
            instances,
            components,
            copies,
            mishaps,
            knows_topology,
            names_type,
        })
}

fn world(fleet: &Fleet) -> World {
    let mut world = World::new(60);
    for (kind, _) in TYPES {
        let count = fleet.instances.iter().filter(|it| TYPES[**it].0 == kind).count();
        world = world.pool(kind, kind, u32::try_from(count).unwrap());
    }
    for (number, kind) in fleet.components.iter().enumerate() {
        let accelerators = u32::from(kind.place == Place::Gpu);
        world = world.component(&format!("model-{number}"), 1, accelerators).whose(|component| {
            component.copies = kind.copies;
            component.partition = SLICES[kind.slice].map(|name| name.to_owned().try_into().unwrap());
            let has_base = kind.place == Place::Base && number > 0;
            component.base = has_base.then(|| "model-0".parse().unwrap());
        });
    }
    for (place, kind) in fleet.instances.iter().enumerate() {
        let (kind, id) = (TYPES[*kind].0, format!("i-{place}"));
        world = world.instance_of(kind, &id);
        if fleet.names_type {
            let dimensions = [("EndpointName", "chat"), ("InstanceId", id.as_str()), ("InstanceType", kind)];
            world = world.series("/aws/sagemaker/Endpoints", "CPUUtilizationNormalized", &dimensions, 6.0);
        }
    }
    for (place, (component, instance, first, count)) in fleet.copies.iter().enumerate() {
        let component = format!("model-{}", component % fleet.components.len());
        let instance = format!("i-{}", instance % fleet.instances.len());
        let gpus: Vec<String> = (*first..first + count).map(|gpu| format!("gpu_{gpu}")).collect();
        let gpus: Vec<&str> = gpus.iter().map(String::as_str).collect();
        world = world.copy(&component, &instance, &format!("c{place}"), &gpus);
    }
    for (place, mishap) in &fleet.mishaps {
        let copy = format!("c{}", place % fleet.copies.len().max(1));
        let instance = format!("i-{}", place % fleet.instances.len());
        world = match mishap {
            0 if !fleet.copies.is_empty() => world.silent(&copy),
            1 if !fleet.copies.is_empty() => world.answered(&copy, Some(ResultStatus::Partial)),
            2 => world.stopped(&instance, 400),
            3 => world.answered(&instance, None),
            _ => world,
        };
    }
    if fleet.knows_topology { world } else { world.without_topology() }
}

/// What must hold whatever happened.
fn check(capacity: &EndpointCapacity, topology: Option<&EndpointTopology>) -> Result<(), TestCaseError> {
    let described = topology.iter().flat_map(|topology| &topology.components);
    for component in described.filter(|it| it.base.is_none() && it.copies != Some(0)) {
        let found = capacity.components.iter().find(|it| it.component == component.name);
        let is_seen = found.is_some_and(|it| it.copies.is_some_and(|copies| copies > 0));
        prop_assert!(
            is_seen || capacity.free_gpus.is_none(),
            "{} may hold GPUs, is not seen, and some are said to be free",
            component.name
        );
    }
    if let (Some(used), Some(free)) = (capacity.used_gpus, capacity.free_gpus) {
        prop_assert_eq!(Some(used + free), capacity.total_gpus);
        let held: Option<Gpus> = capacity.components.iter().map(|it| it.gpus).sum();
        prop_assert_eq!(held, Some(used), "the components hold what is used");
    }
    if let Some(idle) = capacity.idle_cost {
        let costs: Option<MicroUsd> = capacity.components.iter().map(|it| it.cost).sum();
        prop_assert_eq!(costs.map(|costs| costs + idle), capacity.bill);
        prop_assert!(idle.0 >= 0);
    }
    let has = |kind| capacity.conditions.iter().any(|condition| condition.kind == kind);
    let is_blind = has(ConditionKind::Blind);
    prop_assert_eq!(is_blind, capacity.free_gpus.is_none(), "no number without sight, no silence with it");
    if capacity.bill.is_none() {
        prop_assert!(
            is_blind || has(ConditionKind::PriceMissing) || has(ConditionKind::InstanceTypeUnknown),
            "a missing cost has a name"
        );
    }
    prop_assert!(capacity.components.iter().all(|it| it.cost.is_none_or(|cost| cost.0 >= 0)));
    Ok(())
}

proptest! {
    #[test]
    fn gpus_and_money_are_conserved(fleet in fleet()) {
        let world = world(&fleet);
        check(&world.run(), world.topology.as_ref())?;
    }

    #[test]
    fn a_healthy_fleet_has_every_number(
        instances in prop::collection::vec(0..TYPES.len(), 1..8),
        fill in prop::collection::vec(0..4_u32, 1..8),
    ) {
        // Copies side by side, as many GPUs each as `fill` says, while there is room.
        let mut fleet = Fleet {
            instances, components: vec![Kind { slice: 0, copies: Some(1), place: Place::Gpu }; fill.len()], copies: Vec::new(), mishaps: Vec::new(),
            knows_topology: true, names_type: false,
        };
        let mut used = 0;
        let mut free: Vec<u32> = fleet.instances.iter().map(|kind| TYPES[*kind].1).collect();
        for (component, gpus) in fill.iter().enumerate() {
            let Some(place) = free.iter().position(|free| free >= gpus) else { continue };
            let first = TYPES[fleet.instances[place]].1 - free[place];
            fleet.copies.push((component, place, first, *gpus));
            free[place] -= gpus;
            used += gpus;
        }
        let placed: Vec<usize> = fleet.copies.iter().filter(|it| it.3 > 0).map(|it| it.0).collect();
        let world = world(&fleet).describe(|topology| {
            for (place, component) in topology.components.iter_mut().enumerate() {
                component.copies = Some(u32::from(placed.contains(&place)));
                component.accelerators = fill[place];
            }
        });
        let capacity = world.run();
        check(&capacity, world.topology.as_ref())?;
        prop_assert_eq!(capacity.used_gpus, Some(Gpus::whole(used)));
        prop_assert_eq!(capacity.free_gpus, Some(Gpus::whole(free.iter().sum())));
        prop_assert_eq!(capacity.expected.and_then(|it| it.bill), capacity.bill);
    }
}
