//! How far it goes: calls, cost of the monitor itself, and large fleets.

use std::fmt::Write as _;
use std::time::Instant;

use super::World;
use super::world::{kinds, plan_all, shown, usage_all};
use crate::capacity::meter::meter;
use crate::capacity::plan::{ApiCalls, MOST_QUERIES};
use crate::capacity::publish::publish;
use crate::capacity::series::{
    COMPONENTS_NAMESPACE, ENDPOINTS_NAMESPACE, INVOCATIONS_NAMESPACE, discoveries,
};
use crate::capacity::usage::usages;
use crate::fleet::Fleet;
use crate::metric::{Tally, batches, datums};

/// The fleet of the deep-dive blog, so many times.
fn fleets(count: usize) -> Vec<World> {
    let world = |place: usize| {
        // Of one length, so that they sort as they are numbered.
        let place = format!("{place:04}");
        let mut world = World::new(60)
            .named(&format!("chat-{place}"))
            .pool("AllTraffic", "ml.g6.12xlarge", 2)
            .component(&format!("gpt-{place}"), 1, 4)
            .component(&format!("qwen-{place}"), 2, 1)
            .instance(&format!("i-1-{place}"))
            .instance(&format!("i-2-{place}"))
            .copy(&format!("gpt-{place}"), &format!("i-1-{place}"), "c1", &["0", "1", "2", "3"])
            .copy(&format!("qwen-{place}"), &format!("i-2-{place}"), "c2", &["0"])
            .copy(&format!("qwen-{place}"), &format!("i-2-{place}"), "c3", &["1"]);
        for (name, gpus) in [(format!("gpt-{place}"), 4), (format!("qwen-{place}"), 2)] {
            world = world.invocations(&name, 6.0).tokens(&name, 300.0, 200.0).sums(&name, gpus);
        }
        let instances = [format!("i-1-{place}"), format!("i-2-{place}")];
        for instance in &instances {
            world = world.instance_gpus(instance, 4);
        }
        world.sums_of_variant(&[instances[0].as_str(), instances[1].as_str()])
    };
    (0..count).map(world).collect()
}

/// The pages of each discovery, by what is listed.
fn pages(worlds: &[World]) -> usize {
    let listed: Vec<_> = worlds.iter().flat_map(World::listed).collect();
    let entries = |namespace: &str, metric: &str| {
        listed.iter().filter(|it| it.namespace == namespace && it.metric == metric).count()
    };
    let calls = discoveries(&super::world::tokens());
    calls.iter().map(|it| ApiCalls::pages(entries(&it.namespace, &it.metric))).sum()
}

/// How many metrics SageMaker, quality-judge and the meter publish under the dimensions of one that
/// is listed: those of instances and their GPUs, of copies and theirs, invocations and their
/// latencies and errors, and what is published of a component with its tokens.
const BESIDE: [(&str, usize); 4] =
    [(ENDPOINTS_NAMESPACE, 6), (COMPONENTS_NAMESPACE, 2), (INVOCATIONS_NAMESPACE, 14), ("", 16)];

/// The pages of everything that names the endpoint of one world.
fn pages_by_name(world: &World) -> usize {
    let of_endpoint = world.listed().into_iter().filter(|it| it.dimension("EndpointName").is_some());
    let metrics = of_endpoint.map(|it| {
        let found = BESIDE.iter().find(|(namespace, _)| *namespace == it.namespace);
        found.unwrap_or(&BESIDE[3]).1
    });
    ApiCalls::pages(metrics.sum())
}

/// Runs every five minutes.
const RUNS_A_MONTH: usize = 30 * 24 * 12;

/// The calls of a run over these endpoints, and how many metrics it publishes.
fn calls(worlds: &[World]) -> (ApiCalls, usize) {
    let (plan, usages) = (plan_all(worlds), usage_all(worlds));
    let mut tally = Tally::default();
    for (world, usage) in worlds.iter().zip(usages.values()) {
        let capacity = meter(usage, world.topology.as_ref(), &world.catalogue());
        assert_eq!(kinds(&capacity), []);
        publish(&capacity, plan.window.end, &mut tally);
    }
    let fleet = Fleet::from_toml("fleet.toml", "").unwrap();
    let datums = datums(&tally, &fleet.capacity().metrics);
    let custom = datums.len();
    (ApiCalls::of(&plan, pages(worlds), batches(datums).len()), custom)
}

/// The calls of a run over so many endpoints, each with two components, and how many metrics it
/// publishes.
pub(crate) fn calls_of(endpoints: usize) -> (ApiCalls, usize) {
    calls(&fleets(endpoints))
}

/// As [`calls`], by messages of one endpoint each after the run that found out that it is too large.
fn calls_when_split(worlds: &[World]) -> (ApiCalls, usize) {
    let (one, custom) = calls(&worlds[..1]);
    let list_metrics = pages(worlds) + pages_by_name(&worlds[0]) * worlds.len();
    let all = ApiCalls {
        list_metrics,
        get_metric_data: one.get_metric_data * worlds.len(),
        metrics_requested: one.metrics_requested * worlds.len(),
        put_metric_data: one.put_metric_data * worlds.len(),
    };
    (all, custom * worlds.len())
}

#[test]
fn the_documented_calls_and_bill_are_those_of_the_code() {
    const PAGE: &str = include_str!("../../../../../docs/capacity.md");
    let mut rows = String::new();
    for (count, is_split) in [(1, false), (10, false), (100, false), (1500, true)] {
        let worlds = fleets(count);
        let (calls, custom) = if is_split { calls_when_split(&worlds) } else { calls(&worlds) };
        let requests = calls.monthly_bill(RUNS_A_MONTH, 0);
        let metrics = calls.monthly_bill(0, custom);
        let note = if is_split { ", split" } else { "" };
        writeln!(
            rows,
            "| {count}{note} | {} | {} | {} | {} | {custom} | {:.2} | {:.2} |",
            calls.list_metrics,
            calls.get_metric_data,
            calls.metrics_requested,
            calls.put_metric_data,
            requests.usd(),
            metrics.usd()
        )
        .unwrap();
    }
    assert!(PAGE.contains(&rows), "put these rows into docs/capacity.md:\n{rows}");
}

#[test]
fn a_split_run_stays_far_below_the_quota_of_listmetrics() {
    // 25 a second for the whole account (service quotas); every five minutes.
    let (calls, _) = calls_when_split(&fleets(1500));
    assert!(calls.list_metrics < 25 * 300 / 4, "{}", calls.list_metrics);
}

#[test]
fn batches_hold_at_most_500_queries_over_one_window() {
    let plan = plan_all(&fleets(100));
    let sizes: Vec<usize> = plan.batches().map(|batch| batch.queries.len()).collect();
    assert!(sizes.iter().all(|size| (1..=MOST_QUERIES).contains(size)));
    assert_eq!(sizes.iter().sum::<usize>(), plan.queries().len());
    for batch in plan.batches() {
        let is_token = |period: i32| period == crate::capacity::plan::TOKEN_PERIOD;
        assert!(
            batch.queries.iter().all(|query| is_token(query.period) == (batch.window == plan.token_window))
        );
    }
    let ids: std::collections::BTreeSet<&str> =
        plan.queries().iter().map(|query| query.id.as_str()).collect();
    assert_eq!(ids.len(), plan.queries().len());
    assert_eq!(plan.queries()[0].id, "q0");
}

#[test]
fn gpus_of_instances_are_asked_for_only_where_they_say_something() {
    let world = World::deep_dive(60).instance_gpus("i-1", 4).instance_gpus("i-2", 4);
    // 6 GPUs in use and 2 instances.
    assert_eq!(world.plan().queries().len(), 8);
    assert_eq!(world.without_topology().plan().queries().len(), 16);
}

#[test]
fn a_thousand_components_of_eight_gpus() {
    let mut world = World::new(60).region("us-west-2").pool("AllTraffic", "ml.p5.48xlarge", 1000);
    let gpus = ["0", "1", "2", "3", "4", "5", "6", "7"];
    for place in 0..1000 {
        let (name, instance) = (format!("model-{place}"), format!("i-{place}"));
        world = world.component(&name, 1, 8).instance(&instance).copy(
            &name,
            &instance,
            &format!("c{place}"),
            &gpus,
        );
    }
    let start = Instant::now();
    let plan = world.plan();
    let planned = start.elapsed();
    let answers = world.answers(&plan);
    let start = Instant::now();
    let usage = usages(&plan, &answers).into_values().next().unwrap();
    let used = start.elapsed();
    let capacity = meter(&usage, world.topology.as_ref(), &world.catalogue());
    let mut tally = Tally::default();
    publish(&capacity, plan.window.end, &mut tally);
    let datums = datums(&tally, &crate::fleet::MetricNaming::default());
    println!(
        "{} queries planned in {planned:?}, answers to usage {used:?}, to {} datums {:?}",
        plan.queries().len(),
        datums.len(),
        start.elapsed()
    );
    assert_eq!(shown(&capacity)[0], "1000 instances, 8000 total, 8000 used, 0 free, bill 63296, idle 0");
    assert_eq!(kinds(&capacity), []);
}
