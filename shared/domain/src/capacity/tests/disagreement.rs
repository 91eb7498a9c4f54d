//! Where what is measured and what the topology says differ, both are shown.

use super::World;
use super::world::{kinds, shown};
use crate::capacity::condition::ConditionKind;
use crate::capacity::topology::TopologySource;

#[test]
fn copies_that_differ() {
    let capacity = World::deep_dive(60).describe(|topology| topology.components[1].copies = Some(3)).run();
    assert_eq!(shown(&capacity)[0], "2 instances, 8 total, 6 used, 2 free, bill 11.504, idle 2.876");
    assert_eq!(kinds(&capacity), [ConditionKind::TopologyMismatch]);
    assert_eq!(capacity.conditions[0].detail, "qwen: measured 2 copies with 2 GPUs, topology says 3 with 3");
    assert_eq!(capacity.components[1].expected_copies, Some(3));
}

#[test]
fn a_component_that_the_topology_does_not_know() {
    let capacity = World::deep_dive(60).copy("new", "i-2", "c9", &["gpu_3"]).run();
    assert_eq!(shown(&capacity)[0], "2 instances, 8 total, 7 used, 1 free, bill 11.504, idle 1.438");
    assert_eq!(capacity.conditions[0].detail, "new is measured and not in the topology");
}

#[test]
fn more_gpus_in_use_than_the_type_has() {
    let world = World::new(60)
        .pool("AllTraffic", "ml.g5.xlarge", 1)
        .component("x", 1, 2)
        .instance("i-1")
        .copy("x", "i-1", "c1", &["0", "1"]);
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], "1 instances, 2 total, 2 used, 0 free, bill 1.408, idle 0");
    assert_eq!(kinds(&capacity), [ConditionKind::TopologyMismatch]);
}

#[test]
fn a_fleet_file_without_counts_disagrees_with_nothing() {
    let world = World::deep_dive(60).describe(|topology| {
        topology.source = TopologySource::FleetFile;
        topology.variants[0].pools[0].count = None;
        topology.components.iter_mut().for_each(|component| component.copies = None);
    });
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], "2 instances, 8 total, 6 used, 2 free, bill 11.504, idle 2.876");
    assert_eq!(kinds(&capacity), []);
}

#[test]
fn gpus_of_a_copy_that_differ_by_instance_type() {
    let world = World::new(60)
        .pool("AllTraffic", "ml.g6.12xlarge", 1)
        .pool("AllTraffic", "ml.g5.xlarge", 1)
        .component("a", 2, 0)
        .whose(|component| {
            component.accelerators_by_type =
                [("ml.g6.12xlarge".to_owned(), 2), ("ml.g5.xlarge".to_owned(), 1)].into();
            component.placements = [("ml.g6.12xlarge".to_owned(), 1), ("ml.g5.xlarge".to_owned(), 1)].into();
        })
        .instance("i-1")
        .instance("i-2")
        .instance_gpus("i-1", 4)
        .instance_gpus("i-2", 1)
        .copy("a", "i-1", "c1", &["gpu_0", "gpu_1"])
        .copy("a", "i-2", "c2", &["gpu_0"]);
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], "2 instances, 5 total, 3 used, 2 free, bill 7.16, idle 2.876");
    assert_eq!(kinds(&capacity), []);
}
