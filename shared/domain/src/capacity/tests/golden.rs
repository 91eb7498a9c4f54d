//! Fleets whose numbers are known from elsewhere.

use super::World;
use super::world::{NOW, kinds, shown};
use crate::capacity::publish::publish;
use crate::capacity::report::EndpointReport;
use crate::fleet::Fleet;
use crate::metric::{Tally, check_request, datums};
use crate::money::MicroUsd;
use jiff::Timestamp;

const DEEP_DIVE: [&str; 3] = [
    "2 instances, 8 total, 6 used, 2 free, bill 11.504, idle 2.876",
    "gpt-oss: 1 copies, 4 GPUs, 5.752",
    "qwen: 2 copies, 2 GPUs, 2.876",
];

#[test]
fn the_fleet_of_the_deep_dive_blog() {
    let capacity = World::deep_dive(10).run();
    assert_eq!(shown(&capacity), DEEP_DIVE);
    assert_eq!(kinds(&capacity), []);
    let components: MicroUsd = capacity.components.iter().filter_map(|it| it.cost).sum();
    assert_eq!(components + capacity.idle_cost.unwrap(), MicroUsd(11_504_000));
}

#[test]
fn every_publish_frequency_gives_the_same() {
    for frequency in [10, 30, 60, 120, 180, 240, 300] {
        let capacity = World::deep_dive(frequency).run();
        assert_eq!(shown(&capacity), DEEP_DIVE, "{frequency} s");
        assert_eq!(kinds(&capacity), [], "{frequency} s");
    }
}

#[test]
fn roll_ups_beside_the_series_of_single_gpus_are_not_counted() {
    let capacity = World::deep_dive(60).roll_ups("gpt-oss").roll_ups("qwen").run();
    assert_eq!(shown(&capacity), DEEP_DIVE);
    assert_eq!(capacity.sources.roll_ups, 6);
}

#[test]
fn the_documented_accelerator_id_is_read_too() {
    let mut world = World::new(60).gpu_dimension("AcceleratorId");
    world = world.pool("AllTraffic", "ml.g6.12xlarge", 1).component("qwen", 1, 2).instance("i-1");
    let capacity = world.copy("qwen", "i-1", "c1", &["0", "1"]).run();
    assert_eq!(shown(&capacity)[0], "1 instances, 4 total, 2 used, 2 free, bill 5.752, idle 2.876");
}

#[test]
fn the_same_gpu_under_both_names_is_one() {
    let both = World::deep_dive(60).gpu_dimension("AcceleratorId").copy(
        "gpt-oss",
        "i-1",
        "c1",
        &["gpu_0", "gpu_1", "gpu_2", "gpu_3"],
    );
    assert_eq!(shown(&both.run()), DEEP_DIVE);
}

#[test]
fn two_endpoints_are_metered_apart() {
    let other = World::new(300)
        .named("other")
        .pool("AllTraffic", "ml.g5.xlarge", 1)
        .component("tiny", 1, 1)
        .instance("i-9")
        .copy("tiny", "i-9", "c9", &["gpu_0"]);
    let worlds = [World::deep_dive(10), other];
    let usages = super::world::usage_all(&worlds);
    let run = |world: &World, name: &str| {
        let usage = &usages[&name.parse().unwrap()];
        shown(&crate::capacity::meter::meter(usage, world.topology.as_ref(), &world.catalogue()))
    };
    assert_eq!(run(&worlds[0], "chat"), DEEP_DIVE);
    assert_eq!(
        run(&worlds[1], "other"),
        ["1 instances, 1 total, 1 used, 0 free, bill 1.408, idle 0", "tiny: 1 copies, 1 GPUs, 1.408"]
    );
}

#[test]
fn work_is_priced_by_the_cost_of_its_time() {
    // 13 whole minutes of the window have arrived; 60 invocations in each.
    let world = World::deep_dive(60).invocations("qwen", 60.0).tokens("qwen", 300.0, 200.0);
    let capacity = world.run();
    let qwen = &capacity.components[1];
    assert_eq!(capacity.sources.traffic_window.seconds(), 780);
    assert_eq!(qwen.invocations, Some(780));
    // 2.876 USD an hour at 3,600 invocations an hour of 500 tokens each.
    assert_eq!(qwen.cost_per_thousand_invocations, MicroUsd::from_usd(0.798_889));
    assert_eq!(qwen.cost_per_million_tokens, MicroUsd::from_usd(1.597_778));
    let gpt = &capacity.components[0];
    assert_eq!((gpt.invocations, gpt.cost_per_thousand_invocations), (None, None));
}

#[test]
fn work_costs_the_same_at_every_publish_frequency() {
    for frequency in [10, 30, 60, 120, 180, 240, 300] {
        // As many as there are in the time from one datapoint to the next.
        let each = f64::from(frequency.max(60));
        let capacity = World::deep_dive(frequency).invocations("qwen", each).run();
        let cost = capacity.components[1].cost_per_thousand_invocations;
        assert_eq!(cost, MicroUsd::from_usd(0.798_889), "{frequency} s");
    }
}

#[test]
fn work_costs_the_same_where_nobody_says_how_often_the_endpoint_publishes() {
    let world = World::deep_dive(60).describe(|topology| topology.publish_frequency = None);
    let capacity = world.invocations("qwen", 60.0).run();
    assert_eq!(capacity.components[1].cost_per_thousand_invocations, MicroUsd::from_usd(0.798_889));
}

#[test]
fn a_copy_that_came_within_the_window_is_paid_for_as_long_as_it_was_there() {
    // Of the 13 minutes one copy was there for all, the other for the last 3.
    let world = World::deep_dive(60).invocations("qwen", 60.0);
    let capacity = world.clone().started("c3", 300).run();
    let qwen = &capacity.components[1];
    assert_eq!((qwen.cost, qwen.invocations), (MicroUsd::from_usd(2.876), Some(780)));
    // 1.438 USD an hour for 16 of 13 minutes.
    assert_eq!(qwen.cost_per_thousand_invocations, MicroUsd::from_usd(0.491_624));

    // The other left after 6 of the 13 minutes, and its time is paid for too.
    let left = world.stopped("c3", 540).run();
    assert_eq!(left.components[1].cost, MicroUsd::from_usd(1.438));
    let with_its_time = left.components[1].cost_per_thousand_invocations.unwrap();
    assert!(with_its_time > MicroUsd::from_usd(0.399_444).unwrap(), "{with_its_time}");
}

#[test]
fn work_costs_the_same_where_nothing_was_there_for_the_whole_window() {
    for frequency in [10, 30, 60, 120, 180, 240, 300] {
        let each = f64::from(frequency.max(60));
        let mut new = World::deep_dive(frequency).invocations("qwen", each);
        for value in ["i-1", "i-2", "qwen"] {
            new = new.started(value, 600);
        }
        let cost = new.run().components[1].cost_per_thousand_invocations;
        assert_eq!(cost, MicroUsd::from_usd(0.798_889), "{frequency} s");
    }

    // Instances with all that is on them are replaced after 7 of the 13 minutes.
    let world = World::deep_dive(60)
        .instance("i-3")
        .instance("i-4")
        .copy("gpt-oss", "i-3", "c4", &["gpu_0", "gpu_1", "gpu_2", "gpu_3"])
        .copy("qwen", "i-4", "c5", &["gpu_0"])
        .copy("qwen", "i-4", "c6", &["gpu_1"])
        .invocations("qwen", 60.0);
    let replaced = world.stopped("i-1", 540).stopped("i-2", 540).started("i-3", 480).started("i-4", 480);
    let capacity = replaced.run();
    assert_eq!(shown(&capacity), DEEP_DIVE);
    assert_eq!(capacity.components[1].cost_per_thousand_invocations, MicroUsd::from_usd(0.798_889));
}

#[test]
fn tokens_of_answers_alone_are_no_price() {
    let capacity = World::deep_dive(60).invocations("qwen", 60.0).answer_tokens("qwen", 200.0).run();
    let qwen = &capacity.components[1];
    assert!(qwen.cost_per_thousand_invocations.is_some());
    assert_eq!(qwen.cost_per_million_tokens, None);
}

#[test]
fn no_invocation_is_no_price() {
    let capacity = World::deep_dive(60).invocations("qwen", 0.0).tokens("qwen", 300.0, 200.0).run();
    let qwen = &capacity.components[1];
    assert_eq!(qwen.invocations, Some(0));
    assert_eq!((qwen.cost_per_thousand_invocations, qwen.cost_per_million_tokens), (None, None));
}

#[test]
fn the_metrics_have_one_dimension_or_two() {
    let now = Timestamp::from_second(NOW).unwrap();
    let mut tally = Tally::default();
    publish(&World::deep_dive(10).run(), now, &mut tally);
    let fleet = Fleet::from_toml("fleet.toml", crate::fleet::SHIPPED).unwrap();
    let naming = &fleet.capacity().metrics;
    let datums = datums(&tally, naming);
    assert_eq!(check_request(&naming.namespace, &datums, now), Vec::<String>::new());
    let lines: Vec<String> = datums
        .iter()
        .map(|it| {
            let place: Vec<&str> = it.dimensions.iter().map(|(_, value)| value.as_str()).collect();
            format!("{} {} {}", place.join("/"), it.metric, it.values[0])
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_metric_that_is_published_is_defined_once() {
    let definitions = crate::capacity::publish::definitions();
    let names: std::collections::BTreeSet<&str> = definitions.iter().map(|it| it.name).collect();
    assert_eq!(names.len(), definitions.len());
    let now = Timestamp::from_second(NOW).unwrap();
    let mut tally = Tally::default();
    publish(&World::deep_dive(10).silent("qwen").run(), now, &mut tally);
    publish(&World::deep_dive(10).region("eu-west-1").invocations("qwen", 1.0).run(), now, &mut tally);
    for datum in datums(&tally, &crate::fleet::MetricNaming::default()) {
        assert!(names.contains(datum.metric.as_str()), "{}", datum.metric);
    }
}

#[test]
fn the_report_names_every_source() {
    let now = Timestamp::from_second(NOW).unwrap();
    let world = World::deep_dive(10).invocations("qwen", 60.0).tokens("qwen", 300.0, 200.0);
    let report = EndpointReport::of(&world.run(), now);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn the_report_of_a_blind_meter_says_what_to_do() {
    let now = Timestamp::from_second(NOW).unwrap();
    let world = World::deep_dive(60).describe(|topology| topology.publish_frequency = None);
    let report = EndpointReport::of(&world.silent("i-1").silent("i-2").run(), now);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}
