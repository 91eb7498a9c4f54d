//! What is not known is no number, and has a reason.

use super::World;
use super::world::{kinds, reasons, shown};
use crate::capacity::condition::{BlindReason, ConditionKind};
use crate::capacity::meter::InstanceSource;
use crate::capacity::series::{COMPONENTS_NAMESPACE, GPU_METRIC};
use crate::capacity::topology::TopologySource;
use crate::capacity::usage::ResultStatus;

/// The bill is the topology's; what is free, nobody knows.
const BY_TOPOLOGY: &str = "2 instances, 8 total, - used, - free, bill 11.504, idle -";

fn described() -> World {
    World::new(60).pool("AllTraffic", "ml.g6.12xlarge", 2).component("gpt-oss", 1, 4).component("qwen", 2, 1)
}

#[test]
fn enhanced_metrics_off() {
    let capacity = described().describe(|topology| topology.enhanced_metrics = Some(false)).run();
    assert_eq!(shown(&capacity), [BY_TOPOLOGY, "gpt-oss: - copies, - GPUs, -", "qwen: - copies, - GPUs, -"]);
    assert_eq!(reasons(&capacity), [BlindReason::EnhancedMetricsOff]);
    assert_eq!(capacity.sources.instances, InstanceSource::Topology);
}

#[test]
fn enhanced_metrics_off_and_nobody_says_so() {
    let nothing = described().describe(|topology| topology.enhanced_metrics = None);
    assert_eq!(reasons(&nothing.run()), [BlindReason::NothingListed]);
    let roll_ups = nothing.roll_ups("qwen");
    let capacity = roll_ups.run();
    assert_eq!(shown(&capacity)[0], BY_TOPOLOGY);
    assert_eq!(reasons(&capacity), [BlindReason::OnlyRollUps]);
}

#[test]
fn nothing_known_at_all() {
    let capacity = World::new(60).without_topology().run();
    assert_eq!(shown(&capacity), ["- instances, - total, - used, - free, bill -, idle -"]);
    assert_eq!(reasons(&capacity), [BlindReason::NothingListed]);
    assert_eq!(capacity.sources.instances, InstanceSource::Nothing);
}

#[test]
fn a_price_missing() {
    let world = World::new(60)
        .pool("AllTraffic", "ml.p4de.24xlarge", 1)
        .component("big", 1, 8)
        .instance("i-1")
        .copy("big", "i-1", "c1", &["0", "1", "2", "3", "4", "5", "6", "7"]);
    let capacity = world.run();
    assert_eq!(
        shown(&capacity),
        ["1 instances, 8 total, 8 used, 0 free, bill -, idle -", "big: 1 copies, 8 GPUs, -"]
    );
    assert_eq!(kinds(&capacity), [ConditionKind::PriceMissing]);
}

#[test]
fn one_price_missing_of_two_leaves_no_cost_of_either() {
    let world = World::new(60)
        .pool("a", "ml.g6.12xlarge", 1)
        .pool("b", "ml.p4de.24xlarge", 1)
        .component("x", 1, 1)
        .instance_of("a", "i-1")
        .instance_of("b", "i-2")
        .copy("x", "i-1", "c1", &["0"]);
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], "2 instances, 12 total, 1 used, 11 free, bill -, idle -");
    assert_eq!(shown(&capacity)[1], "x: 1 copies, 1 GPUs, -");
}

#[test]
fn the_price_of_another_region_is_used_and_said() {
    let capacity = World::deep_dive(60).region("eu-central-1").run();
    assert_eq!(kinds(&capacity), [ConditionKind::PriceOfOtherRegion]);
    assert!(capacity.bill.is_some());
}

#[test]
fn a_partial_answer_without_data_is_blind() {
    for status in
        [Some(ResultStatus::Partial), Some(ResultStatus::InternalError), Some(ResultStatus::Forbidden), None]
    {
        let capacity = World::deep_dive(60).answered("c1", status).run();
        assert_eq!(shown(&capacity)[0], BY_TOPOLOGY, "{status:?}");
        assert_eq!(reasons(&capacity), [BlindReason::IncompleteAnswer]);
    }
}

#[test]
fn a_throttled_call_never_halves_the_bill() {
    let capacity = World::deep_dive(60).without_topology().answered("i-2", None).run();
    assert_eq!(shown(&capacity)[0], "- instances, - total, - used, - free, bill -, idle -");
    assert_eq!(reasons(&capacity), [BlindReason::IncompleteAnswer]);
}

#[test]
fn a_partial_answer_that_shows_life_is_enough() {
    let capacity = World::deep_dive(60).answered_with_data("c1", ResultStatus::Partial).run();
    assert_eq!(kinds(&capacity), []);
    assert_eq!(capacity.used_gpus.map(|gpus| gpus.to_string()).as_deref(), Some("6"));
}

#[test]
fn the_pages_of_an_answer_add_up() {
    use crate::capacity::usage::{Answers, usages};
    let world = World::deep_dive(60);
    let plan = world.plan();
    let mut answers = Answers::to(&plan);
    let newest = plan.window.end - jiff::SignedDuration::from_secs(60);
    for query in plan.queries() {
        answers.add(&query.id, ResultStatus::Partial, []);
    }
    for query in plan.queries() {
        answers.add(&query.id, ResultStatus::Complete, [(newest, 6.0)]);
    }
    answers.add("q9999", ResultStatus::Complete, []);
    answers.add("other", ResultStatus::Complete, []);
    assert_eq!(answers.strangers, 2);
    let usage = usages(&plan, &answers).into_values().next().unwrap();
    assert_eq!((usage.unanswered, usage.gpus.len(), usage.instances.len()), (0, 6, 2));
}

#[test]
fn invocations_that_were_not_answered_give_no_price_of_work() {
    let world = World::deep_dive(60).invocations("qwen", 60.0);
    let usage = world.clone().answered("qwen", Some(ResultStatus::Partial)).usage();
    assert_eq!(usage.uncounted.len(), 1);
    assert!(usage.invocations.is_empty());
    assert_eq!(world.usage().invocations.len(), 1);
}

#[test]
fn copies_without_any_series_of_an_instance() {
    let world =
        described().copy("gpt-oss", "i-1", "c1", &["0", "1", "2", "3"]).copy("qwen", "i-2", "c2", &["0"]);
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], BY_TOPOLOGY);
    assert_eq!(reasons(&capacity), [BlindReason::NoInstanceSeries]);
}

#[test]
fn a_component_that_should_run_and_is_silent_leaves_nothing_free() {
    let capacity = World::deep_dive(60).silent("c1").run();
    assert_eq!(
        shown(&capacity),
        [BY_TOPOLOGY, "gpt-oss: - copies, - GPUs, -", "qwen: 2 copies, 2 GPUs, 2.876"]
    );
    assert_eq!(reasons(&capacity), [BlindReason::ComponentSilent]);
    assert_eq!(capacity.sources.instances, InstanceSource::EnhancedMetrics);
}

#[test]
fn a_component_whose_copies_nobody_says_leaves_nothing_free_when_it_is_silent() {
    // A fleet file may leave out a count that autoscaling changes.
    let by_file = |world: World| {
        world.describe(|topology| {
            topology.source = TopologySource::FleetFile;
            topology.components.iter_mut().for_each(|component| component.copies = None);
        })
    };
    for world in [World::deep_dive(60).silent("c1"), World::deep_dive(60).stopped("c1", 400)] {
        let capacity = by_file(world).run();
        assert_eq!(
            shown(&capacity),
            [BY_TOPOLOGY, "gpt-oss: - copies, - GPUs, -", "qwen: 2 copies, 2 GPUs, 2.876"]
        );
        assert_eq!(reasons(&capacity), [BlindReason::ComponentSilent]);
    }
    // On the CPU as well.
    let capacity = by_file(World::deep_dive(60).component("rank", 1, 0)).run();
    assert_eq!(reasons(&capacity), [BlindReason::ComponentSilent]);
}

#[test]
fn a_silent_component_that_is_being_deleted_leaves_nothing_free_for_as_long_as_that_takes() {
    let world = World::deep_dive(60).silent("c1");
    let is_changing = |world: &World| world.topology.as_ref().unwrap().is_changing();
    assert!(!is_changing(&world), "a copy that fails to publish may stay as it is");
    let deleting = world.clone().describe(|topology| topology.components[0].copies = None);
    assert_eq!(reasons(&deleting.run()), [BlindReason::ComponentSilent]);
    assert!(is_changing(&deleting));

    let gone = world.describe(|topology| drop(topology.components.remove(0)));
    assert_eq!(kinds(&gone.run()), []);
    assert!(!is_changing(&gone));

    // Where copies are not told for good, no reading brings them.
    let by_file = deleting.describe(|topology| topology.source = TopologySource::FleetFile);
    assert!(!is_changing(&by_file));
    let adapter = gone.component("legal", 0, 0).whose(|component| {
        (component.copies, component.base) = (None, "qwen".parse().ok());
    });
    assert!(!is_changing(&adapter));
}

#[test]
fn a_copy_that_should_not_be_there_and_shows_no_gpu_may_hold_some() {
    let world = World::deep_dive(60).component("new", 0, 1);
    assert_eq!(kinds(&world.run()), []);
    let capacity = world.copy("new", "i-2", "c9", &[]).run();
    assert_eq!(reasons(&capacity), [BlindReason::ComponentSilent]);
    assert_eq!(capacity.free_gpus, None);
}

#[test]
fn a_topology_that_lists_no_component_does_not_say_that_there_is_none() {
    let world = World::new(60).pool("AllTraffic", "ml.g6.12xlarge", 2).instance("i-1").instance("i-2");
    assert_eq!(shown(&world.run())[0], "2 instances, 8 total, 0 used, 8 free, bill 11.504, idle 11.504");
    let by_file = world.describe(|topology| topology.source = TopologySource::FleetFile).run();
    assert_eq!(shown(&by_file), [BY_TOPOLOGY]);
    assert_eq!(reasons(&by_file), [BlindReason::NothingListed]);
}

#[test]
fn gpus_of_a_component_that_nobody_knows_are_used_gpus() {
    let place = [
        ("InferenceComponentName", "stranger"),
        ("InstanceId", "i-2"),
        ("ContainerId", "c9"),
        ("GpuId", "gpu_3"),
    ];
    let capacity = World::deep_dive(60).series(COMPONENTS_NAMESPACE, GPU_METRIC, &place, 6.0).run();
    assert_eq!(shown(&capacity)[0], "2 instances, 8 total, 7 used, 1 free, bill 11.504, idle 1.438");
    assert_eq!(kinds(&capacity), [ConditionKind::TopologyMismatch]);
}

#[test]
fn an_instance_of_unknown_shape_and_no_gpu_series() {
    let world = World::new(60)
        .pool("AllTraffic", "ml.x99.large", 1)
        .component("x", 1, 1)
        .instance("i-1")
        .copy("x", "i-1", "c1", &["0"]);
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], "1 instances, - total, - used, - free, bill -, idle -");
    assert_eq!(reasons(&capacity), [BlindReason::GpusUnknown]);
    let told = world.instance_gpus("i-1", 4).run();
    assert_eq!(shown(&told)[0], "1 instances, 4 total, 1 used, 3 free, bill -, idle -");
    assert_eq!(kinds(&told), [ConditionKind::PriceMissing]);
}

#[test]
fn without_a_topology_the_metrics_alone_count_gpus() {
    let world = World::deep_dive(60).without_topology().instance_gpus("i-1", 4).instance_gpus("i-2", 4);
    let capacity = world.run();
    assert_eq!(
        shown(&capacity),
        [
            "2 instances, 8 total, 6 used, 2 free, bill -, idle -",
            "gpt-oss: 1 copies, 4 GPUs, -",
            "qwen: 2 copies, 2 GPUs, -"
        ]
    );
    assert_eq!(kinds(&capacity), [ConditionKind::InstanceTypeUnknown]);
}
