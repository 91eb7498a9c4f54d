//! Clocks, delays, and what comes and goes.

use super::World;
use super::world::{NOW, kinds, reasons, shown};
use crate::capacity::condition::{BlindReason, ConditionKind};

const WHOLE: &str = "2 instances, 8 total, 6 used, 2 free, bill 11.504, idle 2.876";

#[test]
fn an_instance_that_left_within_the_window_is_not_counted() {
    let world = World::deep_dive(60).describe(|topology| {
        topology.variants[0].pools[0].count = Some(1);
        topology.components[1].copies = Some(0);
    });
    let capacity = world.stopped("i-2", 300).run();
    assert_eq!(
        shown(&capacity),
        [
            "1 instances, 4 total, 4 used, 0 free, bill 5.752, idle 0",
            "gpt-oss: 1 copies, 4 GPUs, 5.752",
            "qwen: 0 copies, 0 GPUs, 0"
        ]
    );
    assert_eq!(capacity.sources.instances_left, ["i-2"]);
    assert_eq!(kinds(&capacity), []);
}

#[test]
fn listed_but_silent_series_are_not_counted() {
    let world = World::deep_dive(60).copy("qwen", "i-old", "c0", &["gpu_0"]).silent("i-old");
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], WHOLE);
    assert_eq!(capacity.sources.silent_series, 1);
}

#[test]
fn an_instance_that_just_joined_has_no_data_and_is_told_apart() {
    let world = World::deep_dive(60).describe(|topology| topology.variants[0].pools[0].count = Some(3));
    let capacity = world.run();
    assert_eq!(shown(&capacity)[0], WHOLE, "what is measured");
    let expected = capacity.expected.as_ref().unwrap();
    assert_eq!(expected.instances, Some(3));
    assert_eq!(expected.bill.map(|bill| bill.0), Some(17_256_000));
    assert_eq!(kinds(&capacity), [ConditionKind::TopologyMismatch]);
    let detail = &capacity.conditions[0].detail;
    assert_eq!(detail, "measured 2 x ml.g6.12xlarge, topology says 3 x ml.g6.12xlarge");
}

#[test]
fn scaled_to_zero_and_back() {
    let zero = World::new(60).pool("AllTraffic", "ml.g6.12xlarge", 0).component("qwen", 0, 1);
    let capacity = zero.run();
    assert_eq!(
        shown(&capacity),
        ["0 instances, 0 total, 0 used, 0 free, bill 0, idle 0", "qwen: 0 copies, 0 GPUs, 0"]
    );
    assert_eq!(kinds(&capacity), []);

    // Instances are back, the copy is not: everything is idle, and that is known.
    let empty =
        World::new(60).pool("AllTraffic", "ml.g6.12xlarge", 1).component("qwen", 0, 1).instance("i-1");
    assert_eq!(shown(&empty.run())[0], "1 instances, 4 total, 0 used, 4 free, bill 5.752, idle 5.752");

    // The copy starts and has no data: its GPU is not free.
    let starting = empty.clone().describe(|topology| topology.components[0].copies = Some(1));
    let capacity = starting.run();
    assert_eq!(shown(&capacity)[0], "1 instances, 4 total, - used, - free, bill 5.752, idle -");
    assert_eq!(reasons(&capacity), [BlindReason::NothingListed]);

    let back = starting.copy("qwen", "i-1", "c1", &["gpu_0"]);
    assert_eq!(shown(&back.run())[0], "1 instances, 4 total, 1 used, 3 free, bill 5.752, idle 4.314");
}

#[test]
fn datapoints_that_are_late_together_change_nothing() {
    for frequency in [10, 60, 300] {
        let mut world = World::deep_dive(frequency);
        for value in ["i-1", "i-2"] {
            world = world.stopped(value, 120);
        }
        assert_eq!(shown(&world.run())[0], WHOLE, "{frequency} s");
    }
}

#[test]
fn one_series_may_miss_two_datapoints_and_not_three() {
    // The newest datapoint, and so the age at which another is missed, is at a whole period.
    for (frequency, two, three) in [(10, 180, 181), (60, 180, 181), (300, 840, 841)] {
        let alive = World::deep_dive(frequency).stopped("c2", two).run();
        assert_eq!(shown(&alive)[0], WHOLE, "{frequency} s");
        let gone = World::deep_dive(frequency).stopped("c2", three).run();
        assert_eq!(
            shown(&gone)[0],
            "2 instances, 8 total, 5 used, 3 free, bill 11.504, idle 4.314",
            "{frequency} s"
        );
        assert_eq!(kinds(&gone), [ConditionKind::TopologyMismatch], "{frequency} s");
    }
}

#[test]
fn an_endpoint_that_stopped_to_publish_is_not_measured() {
    for (frequency, ago) in [(10, 420), (60, 420), (300, 1380)] {
        let mut world = World::deep_dive(frequency);
        for value in ["i-1", "i-2"] {
            world = world.stopped(value, ago);
        }
        let capacity = world.run();
        assert_eq!(shown(&capacity)[0], "2 instances, 8 total, - used, - free, bill 11.504, idle -");
        assert_eq!(reasons(&capacity), [BlindReason::AllSilent], "{frequency} s");
    }
}

#[test]
fn the_clock_at_the_edge_of_the_window_changes_nothing() {
    for frequency in [10, 30, 60, 300] {
        for offset in [-300, -61, -60, -59, -1, 0, 1, 29, 30, 59, 60, 299, 300] {
            let mut world = World::deep_dive(frequency);
            world.now = NOW + offset;
            let capacity = world.run();
            assert_eq!(shown(&capacity)[0], WHOLE, "{frequency} s, {offset} s");
            assert!(kinds(&capacity).is_empty());
        }
    }
}

#[test]
fn the_window_ends_with_the_last_whole_minute() {
    let mut world = World::deep_dive(60);
    world.now = NOW + 59;
    let window = world.plan().window;
    assert_eq!((window.end.as_second(), window.seconds()), (NOW, 900));
    assert!(window.holds(window.start) && !window.holds(window.end));
    let slow = World::deep_dive(300).plan().window;
    assert_eq!(slow.seconds(), 1020, "three datapoints and their delay");
}

#[test]
fn an_unknown_frequency_is_taken_for_the_slowest() {
    let world = World::deep_dive(300).describe(|topology| topology.publish_frequency = None);
    assert_eq!(shown(&world.run())[0], WHOLE);
    let plan = world.plan();
    let outlook = plan.endpoints.values().next().unwrap();
    assert!(!outlook.is_frequency_known);
    assert_eq!(u32::from(outlook.frequency), 300);
}
