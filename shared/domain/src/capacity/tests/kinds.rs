//! Kinds of fleets: variants, pools, slices, adapters, components without GPUs.

use super::World;
use super::world::{kinds, shown};
use crate::capacity::condition::ConditionKind;
use crate::capacity::instance::{Row, RowPrice};
use crate::money::MicroUsd;

fn cpu_row(vcpus: Option<u32>) -> Row {
    Row {
        instance_type: "ml.c7i.2xlarge".to_owned(),
        gpus: None,
        vcpus,
        price: Some(RowPrice {
            per_hour: MicroUsd(400_000),
            as_of: "2026-09-01".parse().unwrap(),
            region: None,
        }),
    }
}

#[test]
fn two_variants_of_different_types() {
    let world = World::new(60)
        .pool("blue", "ml.g6.12xlarge", 1)
        .pool("green", "ml.g5.xlarge", 2)
        .component("big", 1, 2)
        .component("small", 1, 1)
        .instance_of("blue", "i-1")
        .instance_of("green", "i-2")
        .instance_of("green", "i-3")
        .copy("big", "i-1", "c1", &["0", "1"])
        .copy("small", "i-2", "c2", &["0"]);
    let capacity = world.run();
    assert_eq!(
        shown(&capacity),
        [
            "3 instances, 6 total, 3 used, 3 free, bill 8.568, idle 4.284",
            "big: 1 copies, 2 GPUs, 2.876",
            "small: 1 copies, 1 GPUs, 1.408"
        ]
    );
    assert_eq!(kinds(&capacity), []);
}

/// ml.g6.12xlarge (4 GPUs, 5.752) and ml.g5.xlarge (1 GPU, 1.408) in one variant.
fn mixed() -> World {
    World::new(60)
        .pool("AllTraffic", "ml.g6.12xlarge", 1)
        .pool("AllTraffic", "ml.g5.xlarge", 1)
        .component("a", 2, 1)
        .instance("i-1")
        .instance("i-2")
        .copy("a", "i-1", "c1", &["0"])
        .copy("a", "i-2", "c2", &["0"])
}

#[test]
fn a_pool_of_mixed_types_is_told_by_the_gpus_of_each_instance() {
    let capacity = mixed().instance_gpus("i-1", 4).instance_gpus("i-2", 1).run();
    // A copy on the small instance costs 1.408, one on the large a quarter of 5.752.
    assert_eq!(
        shown(&capacity),
        ["2 instances, 5 total, 2 used, 3 free, bill 7.16, idle 4.314", "a: 2 copies, 2 GPUs, 2.846"]
    );
    assert_eq!(kinds(&capacity), []);
}

#[test]
fn a_pool_of_mixed_types_that_cannot_be_told_apart_has_no_cost() {
    let capacity = mixed().run();
    assert_eq!(shown(&capacity)[0], "2 instances, - total, - used, - free, bill -, idle -");
    assert!(kinds(&capacity).contains(&ConditionKind::InstanceTypeUnknown));
    // The topology still says what it should cost.
    assert_eq!(capacity.expected.unwrap().bill, Some(MicroUsd(7_160_000)));
}

#[test]
fn a_pool_of_types_with_as_many_gpus_has_gpus_and_no_cost() {
    let world = World::new(60)
        .pool("AllTraffic", "ml.g6.12xlarge", 1)
        .pool("AllTraffic", "ml.g5.12xlarge", 1)
        .component("a", 1, 1)
        .instance("i-1")
        .instance("i-2")
        .copy("a", "i-1", "c1", &["0"]);
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], "2 instances, 8 total, 1 used, 7 free, bill -, idle -");
    assert_eq!(kinds(&capacity), [ConditionKind::InstanceTypeUnknown]);
}

#[test]
fn a_dimension_that_names_the_type_decides() {
    let typed = |world: World, id: &str, kind: &str| {
        let dimensions = [
            ("EndpointName", "chat"),
            ("VariantName", "AllTraffic"),
            ("InstanceId", id),
            ("InstanceType", kind),
        ];
        world.series("/aws/sagemaker/Endpoints", "CPUUtilizationNormalized", &dimensions, 6.0)
    };
    let capacity = typed(typed(mixed(), "i-1", "ml.g6.12xlarge"), "i-2", "ml.g5.xlarge").run();
    assert_eq!(shown(&capacity)[0], "2 instances, 5 total, 2 used, 3 free, bill 7.16, idle 4.314");
}

#[test]
fn mig_slices_are_sevenths_of_a_gpu() {
    let world = World::new(60)
        .region("us-west-2")
        .pool("AllTraffic", "ml.p5.48xlarge", 1)
        .component("half", 2, 1)
        .whose(|component| component.partition = Some("mig-3g.40gb".to_owned().try_into().unwrap()))
        .component("small", 1, 1)
        .whose(|component| component.partition = Some("mig-1g.10gb".to_owned().try_into().unwrap()))
        .component("whole", 1, 2)
        .instance("i-1")
        .copy("half", "i-1", "c1", &["gpu_0"])
        .copy("half", "i-1", "c2", &["gpu_0"])
        .copy("small", "i-1", "c3", &["gpu_0"])
        .copy("whole", "i-1", "c4", &["gpu_1", "gpu_2"]);
    let capacity = world.run();
    // 63.296 an hour for 56 sevenths: 1.130286 each.
    assert_eq!(
        shown(&capacity),
        [
            "1 instances, 8 total, 3 used, 5 free, bill 63.296, idle 39.56",
            "half: 2 copies, 6/7 GPUs, 6.781714",
            "small: 1 copies, 1/7 GPUs, 1.130286",
            "whole: 1 copies, 2 GPUs, 15.824"
        ]
    );
    assert_eq!(kinds(&capacity), []);
}

#[test]
fn mig_slices_with_ids_of_their_own_do_not_add_gpus() {
    let mut world = World::new(60)
        .region("us-west-2")
        .pool("AllTraffic", "ml.p5.48xlarge", 1)
        .component("small", 14, 1)
        .whose(|component| component.partition = Some("mig-1g.10gb".to_owned().try_into().unwrap()))
        .instance("i-1");
    for slice in 0..14 {
        world = world.copy("small", "i-1", &format!("c{slice}"), &[&format!("gpu_{slice}")]);
    }
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], "1 instances, 8 total, 2 used, 6 free, bill 63.296, idle 47.472");
    assert_eq!(kinds(&capacity), []);
}

#[test]
fn adapters_cost_nothing_of_their_own_and_bring_their_work_to_their_base() {
    let adapter = |world: World, name: &str| {
        world.component(name, 1, 0).whose(|component| component.base = "base".parse().ok())
    };
    let world = World::new(60)
        .pool("AllTraffic", "ml.g6.12xlarge", 1)
        .component("base", 1, 2)
        .instance("i-1")
        .copy("base", "i-1", "c1", &["0", "1"])
        // As if an adapter were published with the container of its base.
        .copy("a-french", "i-1", "c1", &["0", "1"])
        .invocations("base", 10.0)
        .invocations("a-french", 20.0)
        .invocations("legal", 30.0);
    let capacity = adapter(adapter(world, "a-french"), "legal").run();
    assert_eq!(
        shown(&capacity),
        [
            "1 instances, 4 total, 2 used, 2 free, bill 5.752, idle 2.876",
            "a-french: 0 copies, 0 GPUs, 0",
            "base: 1 copies, 2 GPUs, 2.876",
            "legal: 0 copies, 0 GPUs, 0"
        ]
    );
    assert_eq!(kinds(&capacity), []);
    let [french, base, legal] = &capacity.components[..] else { panic!("three components") };
    assert_eq!(base.invocations, Some(60 * 13));
    assert_eq!(base.cost_per_thousand_invocations, MicroUsd::from_usd(0.798_889));
    assert_eq!((french.invocations, legal.cost_per_thousand_invocations), (None, None));
}

#[test]
fn an_adapter_that_came_or_left_within_the_window_changes_no_cost_of_work() {
    let world = World::new(60)
        .pool("AllTraffic", "ml.g6.12xlarge", 1)
        .component("base", 1, 2)
        .component("a-french", 1, 0)
        .whose(|component| component.base = "base".parse().ok())
        .instance("i-1")
        .copy("base", "i-1", "c1", &["0", "1"])
        .copy("a-french", "i-1", "c1", &["0", "1"])
        .invocations("base", 60.0);
    for world in [world.clone().started("a-french", 300), world.stopped("a-french", 540)] {
        let capacity = world.run();
        assert_eq!(capacity.components[1].cost_per_thousand_invocations, MicroUsd::from_usd(0.798_889));
    }
}

#[test]
fn components_on_the_cpu_share_by_reserved_vcpus() {
    let world = World::new(60)
        .override_row(cpu_row(Some(8)))
        .pool("AllTraffic", "ml.c7i.2xlarge", 1)
        .component("rank", 2, 0)
        .whose(|component| component.milli_cores = Some(2_000))
        .component("embed", 1, 0)
        .whose(|component| component.milli_cores = Some(1_000))
        .instance("i-1")
        .copy("rank", "i-1", "c1", &[])
        .copy("rank", "i-1", "c2", &[])
        .copy("embed", "i-1", "c3", &[]);
    let capacity = world.run();
    assert_eq!(
        shown(&capacity),
        [
            "1 instances, 0 total, 0 used, 0 free, bill 0.4, idle 0.15",
            "embed: 1 copies, 0 GPUs, 0.05",
            "rank: 2 copies, 0 GPUs, 0.2"
        ]
    );
    assert_eq!(kinds(&capacity), []);
}

#[test]
fn components_on_the_cpu_share_by_copies_where_a_reservation_is_missing() {
    let world = World::new(60)
        .override_row(cpu_row(None))
        .pool("AllTraffic", "ml.c7i.2xlarge", 2)
        .component("rank", 2, 0)
        .component("embed", 1, 0)
        .instance("i-1")
        .instance("i-2")
        .copy("rank", "i-1", "c1", &[])
        .copy("rank", "i-1", "c2", &[])
        .copy("embed", "i-1", "c3", &[]);
    assert_eq!(
        shown(&world.run()),
        [
            "2 instances, 0 total, 0 used, 0 free, bill 0.8, idle 0.4",
            "embed: 1 copies, 0 GPUs, 0.133333",
            "rank: 2 copies, 0 GPUs, 0.266667"
        ]
    );
}

#[test]
fn a_component_on_the_cpu_of_a_gpu_instance_costs_nothing() {
    let world = World::deep_dive(60).component("rank", 1, 0).copy("rank", "i-1", "c9", &[]);
    let capacity = world.run();
    assert_eq!(shown(&capacity)[3], "rank: 1 copies, 0 GPUs, 0");
    assert_eq!(capacity.bill, Some(MicroUsd(11_504_000)));
    assert_eq!(kinds(&capacity), []);
}

#[test]
fn a_gpu_that_two_components_report_is_split_and_said() {
    let capacity = World::deep_dive(60).copy("other", "i-1", "c9", &["gpu_0"]).without_topology();
    let capacity = capacity.instance_gpus("i-1", 4).instance_gpus("i-2", 4).run();
    assert_eq!(shown(&capacity)[0], "2 instances, 8 total, 6 used, 2 free, bill -, idle -");
    assert_eq!(shown(&capacity)[1], "gpt-oss: 1 copies, 3 4/7 GPUs, -");
    assert!(kinds(&capacity).contains(&ConditionKind::GpuShared));
}

#[test]
fn a_copy_that_follows_another_on_its_gpu_is_no_second_gpu() {
    let capacity = World::deep_dive(60).copy("qwen", "i-2", "c4", &["gpu_1"]).run();
    assert_eq!(shown(&capacity)[0], "2 instances, 8 total, 6 used, 2 free, bill 11.504, idle 2.876");
    assert_eq!(shown(&capacity)[2], "qwen: 3 copies, 2 GPUs, 2.876");
}
