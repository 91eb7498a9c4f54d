//! The world that capacity-meter is tested in, without capacity-meter: what is seeded into the
//! emulator can be read back as from AWS, and the stand-in for CloudWatch says the same. The arithmetic
//! is that of `domain`.
//!
//! Where the emulator (MiniStack 1.5) differs from AWS, for these calls:
//!
//! | point | MiniStack | AWS | consequence |
//! |---|---|---|---|
//! | `ListMetrics` | one page, however long | 500 an answer | pages are tested on the stand-in |
//! | `RecentlyActive` | ignored | hides what is silent for 3 hours | a silent series stays listed |
//! | `GetMetricData` | any number of queries, one page, always `Complete`, oldest first | 500 queries, 100,800 datapoints, `PartialData`, newest first | limits and pages are tested on the stand-in |
//! | exact set of dimensions | yes | yes | |
//! | a query without dimensions | all sets of the metric together | only the series without any | none is asked |
//! | a filter on one dimension | also finds supersets | the same | |
//! | delay until a new metric is listed | none | up to 15 minutes | no claims about time |
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use aws_smithy_types::DateTime;
use domain::capacity::instance::Catalogue;
use domain::capacity::meter::{EndpointCapacity, meter};
use domain::capacity::plan::{Batch, Plan, PublishFrequency};
use domain::capacity::price::Discount;
use domain::capacity::series::{Inventory, Listed, TokenNames, discoveries};
use domain::capacity::topology::{Component, EndpointTopology, Pool, TopologySource, Variant};
use domain::capacity::usage::{Answers, ResultStatus, usages};
use domain::fleet::MetricNaming;
use domain::names::EndpointName;
use jiff::Timestamp;
use tests::clients::Clients;
use tests::emulator::Emulator;
use tests::scenario::{self, Scenario};
use tests::seed::seed;
use tests::stand_in::{Options, Server};

fn stand_ins(name: &str) -> Server {
    let scenario = Some(Scenario::named(name).unwrap());
    Server::start(Options { scenario, ..Options::default() }).unwrap()
}

fn tokens() -> TokenNames {
    TokenNames::from(&MetricNaming::default())
}

// --- A meter of SDK calls -------------------------------------------------------------------------

async fn listed(cloudwatch: &CloudWatch) -> Vec<Listed> {
    let mut listed = Vec::new();
    for discovery in discoveries(&tokens()) {
        let request = cloudwatch.list_metrics().namespace(&discovery.namespace);
        let mut pages = request.metric_name(&discovery.metric).into_paginator().send();
        while let Some(page) = pages.next().await {
            listed.extend(page.unwrap().metrics().iter().map(|metric| Listed {
                namespace: metric.namespace().unwrap().to_owned(),
                metric: metric.metric_name().unwrap().to_owned(),
                dimensions: metric.dimensions().iter().map(pair).collect(),
            }));
        }
    }
    listed
}

fn pair(dimension: &Dimension) -> (String, String) {
    (dimension.name().unwrap().to_owned(), dimension.value().unwrap().to_owned())
}

/// Datapoints by query id, oldest first, and how many pages they came on.
async fn ask(cloudwatch: &CloudWatch, batch: Batch<'_>) -> (BTreeMap<String, Vec<(i64, f64)>>, usize) {
    let queries = batch.queries.iter().map(|query| {
        let listed = &query.series.listed;
        let dimensions = listed
            .dimensions
            .iter()
            .map(|(name, value)| Dimension::builder().name(name).value(value).build())
            .collect();
        let metric = Metric::builder().namespace(&listed.namespace).metric_name(&listed.metric);
        let stat = MetricStat::builder().metric(metric.set_dimensions(Some(dimensions)).build());
        let stat = stat.period(query.period).stat(query.statistic.as_str()).build();
        MetricDataQuery::builder().id(&query.id).metric_stat(stat).build()
    });
    let mut pages = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(DateTime::from_secs(batch.window.start.as_second()))
        .end_time(DateTime::from_secs(batch.window.end.as_second()))
        .into_paginator()
        .send();
    let (mut answers, mut count) = (BTreeMap::<String, Vec<(i64, f64)>>::new(), 0);
    let mut last = BTreeMap::new();
    while let Some(page) = pages.next().await {
        count += 1;
        for result in page.unwrap().metric_data_results() {
            let points = result.timestamps().iter().map(DateTime::secs).zip(result.values().iter().copied());
            answers.entry(result.id().unwrap().to_owned()).or_default().extend(points);
            last.insert(result.id().unwrap().to_owned(), result.status_code().cloned());
        }
    }
    assert!(last.values().all(|status| *status == Some(StatusCode::Complete)), "{last:?}");
    for points in answers.values_mut() {
        points.sort_by_key(|(time, _)| *time);
    }
    (answers, count)
}

fn topologies(scenario: &Scenario) -> BTreeMap<EndpointName, EndpointTopology> {
    let component = |it: &scenario::Component| Component {
        name: it.name.parse().unwrap(),
        variant: Some(it.variant.clone()),
        copies: Some(it.copies),
        accelerators: it.accelerators,
        accelerators_by_type: it.accelerators_by_type.clone(),
        partition: it.partition.clone().map(|name| name.try_into().unwrap()),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few cores")]
        milli_cores: Some((it.cores * 1000.0) as u32),
        base: it.base.as_ref().map(|name| name.parse().unwrap()),
        placements: BTreeMap::new(),
    };
    let pool = |it: &scenario::Pool| Pool { instance_type: it.instance_type.clone(), count: Some(it.count) };
    let variant = |it: &scenario::Variant| Variant {
        name: it.name.clone(),
        pools: it.pools.iter().map(pool).collect(),
    };
    let topology = |it: &scenario::Endpoint| EndpointTopology {
        endpoint: it.name.parse().unwrap(),
        source: TopologySource::FleetFile,
        enhanced_metrics: Some(it.enhanced_metrics),
        publish_frequency: PublishFrequency::try_from(it.publish_frequency).ok(),
        variants: it.variants.iter().map(variant).collect(),
        components: it.components.iter().map(component).collect(),
    };
    scenario.endpoints.iter().map(topology).map(|it| (it.endpoint.clone(), it)).collect()
}

fn plan(scenario: &Scenario, listed: Vec<Listed>, now: Timestamp) -> Plan {
    let topologies = topologies(scenario);
    let owners = topologies
        .values()
        .flat_map(|it| it.components.iter().map(|one| (one.name.clone(), it.endpoint.clone())))
        .collect();
    let inventory = Inventory::of(listed, &owners, &tokens());
    let watched: BTreeSet<EndpointName> = topologies.keys().cloned().collect();
    Plan::new(&watched, inventory, &topologies, &catalogue(scenario).types, now)
}

fn catalogue(scenario: &Scenario) -> Catalogue {
    let mut catalogue = Catalogue::new(&[], Discount::default(), &scenario.region).unwrap();
    let price = |it: &scenario::InstanceType| {
        Some(domain::capacity::price::HostingPrice {
            instance_type: it.name.clone(),
            region: scenario.region.clone(),
            per_hour: domain::money::MicroUsd::from_usd(it.per_hour?)?,
            gpus: Some(it.gpus),
            vcpus: Some(it.vcpus),
        })
    };
    let prices: Vec<_> = scenario.instances.iter().filter_map(price).collect();
    catalogue.learn(&prices, "2026-11-24".parse().unwrap());
    catalogue
}

async fn capacities(
    cloudwatch: &CloudWatch,
    scenario: &Scenario,
    now: Timestamp,
) -> BTreeMap<String, EndpointCapacity> {
    let plan = plan(scenario, listed(cloudwatch).await, now);
    let mut answers = Answers::to(&plan);
    for batch in plan.batches() {
        for (id, points) in ask(cloudwatch, batch).await.0 {
            let points =
                points.into_iter().map(|(time, value)| (Timestamp::from_second(time).unwrap(), value));
            answers.add(&id, ResultStatus::Complete, points);
        }
    }
    let topologies = topologies(scenario);
    let metered = usages(&plan, &answers)
        .into_iter()
        .map(|(name, usage)| (name.to_string(), meter(&usage, topologies.get(&name), &catalogue(scenario))));
    metered.collect()
}

/// As the tests of `domain` show it, in one line for the endpoint and one for each component.
fn shown(capacity: &EndpointCapacity) -> Vec<String> {
    fn known(value: Option<impl ToString>) -> String {
        value.map_or("?".to_owned(), |value| value.to_string())
    }
    let usd = |value: Option<domain::money::MicroUsd>| known(value.map(domain::money::MicroUsd::usd));
    let first = format!(
        "{} instances, {} GPUs, {} used, {} free, bill {}, idle {}",
        known(capacity.instances),
        known(capacity.total_gpus),
        known(capacity.used_gpus),
        known(capacity.free_gpus),
        usd(capacity.bill),
        usd(capacity.idle_cost),
    );
    let component = |it: &domain::capacity::meter::ComponentCapacity| {
        let (copies, gpus, cost) = (known(it.copies), known(it.gpus), usd(it.cost));
        format!("{}: {copies} copies, {gpus} GPUs, {cost}", it.component)
    };
    let conditions = capacity.conditions.iter().map(|it| it.kind.as_str().to_owned());
    let lines = std::iter::once(first).chain(capacity.components.iter().map(component));
    lines.chain(conditions).collect()
}

// --- What it finds --------------------------------------------------------------------------------

#[tokio::test]
async fn the_emulator_and_the_stand_in_say_the_same_of_a_seeded_fleet() {
    for name in scenario::names().unwrap() {
        let played = stand_ins(&name);
        let scenario = played.scenario();
        let emulator = Emulator::start(&played.url()).await.unwrap();
        let seeded = Clients::of(&emulator.url()).await.cloudwatch;
        let computed = Clients::of(&played.url()).await.cloudwatch;
        let now = Timestamp::now();
        seed(&seeded, &scenario, now).await.unwrap();

        let sorted = |mut listed: Vec<Listed>| {
            for entry in &mut listed {
                entry.dimensions.sort_unstable();
            }
            listed.sort_by_key(|entry| format!("{entry:?}"));
            listed
        };
        let (one, other) = (sorted(listed(&seeded).await), sorted(listed(&computed).await));
        assert_eq!(one, other, "{name}");
        let plan = plan(&scenario, one, now);
        for batch in plan.batches() {
            assert_eq!(ask(&seeded, batch).await.0, ask(&computed, batch).await.0, "{name}");
        }
        let both = (capacities(&seeded, &scenario, now).await, capacities(&computed, &scenario, now).await);
        assert_eq!(both.0, both.1, "{name}");
    }
}

#[tokio::test]
async fn the_numbers_of_every_scenario() {
    let expected: &[(&str, &[&str])] = &[
        (
            "blog/support-chat",
            &[
                "2 instances, 8 GPUs, 6 used, 2 free, bill 11.504, idle 2.876",
                "gpt-oss-20b: 1 copies, 4 GPUs, 5.752",
                "qwen-7b: 2 copies, 2 GPUs, 2.876",
            ],
        ),
        (
            "disagreeing/support-chat",
            &[
                "1 instances, 4 GPUs, 2 used, 2 free, bill 5.752, idle 2.876",
                "qwen-7b: 2 copies, 2 GPUs, 2.876",
                "topology_mismatch",
            ],
        ),
        (
            "mig/search",
            &[
                "1 instances, 8 GPUs, 5 6/7 used, 2 1/7 free, bill 63.296, idle 16.954286",
                "embedder: 2 copies, 6/7 GPUs, 6.781714",
                "llama-70b: 1 copies, 4 GPUs, 31.648",
                "reranker: 7 copies, 1 GPUs, 7.912",
            ],
        ),
        (
            "mixed/assistant",
            &[
                "3 instances, 6 GPUs, 5 used, 1 free, bill 8.006, idle 1.127",
                "mistral-24b: 1 copies, 4 GPUs, 5.752",
                "mistral-24b-legal: 0 copies, 0 GPUs, 0",
                "phi-4: 1 copies, 1 GPUs, 1.127",
                "router: 2 copies, 0 GPUs, 0",
            ],
        ),
        (
            "mixed/classifier",
            &[
                "1 instances, 0 GPUs, 0 used, 0 free, bill 0.857, idle 0.4285",
                "intent: 2 copies, 0 GPUs, 0.4285",
            ],
        ),
        (
            "scaled-to-zero/nightly-batch",
            &[
                "0 instances, 0 GPUs, 0 used, 0 free, bill 0, idle 0",
                "gpt-oss-20b: 0 copies, 0 GPUs, 0",
                "qwen-7b: 0 copies, 0 GPUs, 0",
            ],
        ),
    ];
    let mut found = Vec::new();
    for name in scenario::names().unwrap() {
        let played = stand_ins(&name);
        let cloudwatch = Clients::of(&played.url()).await.cloudwatch;
        for (endpoint, capacity) in capacities(&cloudwatch, &played.scenario(), Timestamp::now()).await {
            found.push((format!("{name}/{endpoint}"), shown(&capacity)));
        }
    }
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(name, lines)| ((*name).to_owned(), lines.iter().map(|line| (*line).to_owned()).collect()))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn pages_of_cloudwatch_add_up_to_the_whole() {
    let whole = stand_ins("blog");
    let mut scenario = whole.scenario();
    (scenario.listed_per_page, scenario.datapoints_per_page) = (7, 50);
    let paged = Server::start(Options { scenario: Some(scenario.clone()), ..Options::default() }).unwrap();
    let (whole, paged) = (Clients::of(&whole.url()).await, Clients::of(&paged.url()).await);
    let entries = listed(&paged.cloudwatch).await;
    assert_eq!(entries, listed(&whole.cloudwatch).await);
    assert!(entries.len() > 40, "{}", entries.len());
    let plan = plan(&scenario, entries, Timestamp::now());
    for batch in plan.batches() {
        let (points, count) = ask(&paged.cloudwatch, batch).await;
        assert!(count > 2, "{count}");
        assert_eq!((points, 1), ask(&whole.cloudwatch, batch).await);
    }
}

#[tokio::test]
async fn cloudwatch_refuses_what_aws_refuses() {
    let played = stand_ins("blog");
    let cloudwatch = Clients::of(&played.url()).await.cloudwatch;
    let ask = async |count: usize, period: i32, stat: &str, id: &str| {
        let metric = Metric::builder().namespace("a").metric_name("b").build();
        let stat = MetricStat::builder().metric(metric).period(period).stat(stat).build();
        let query = |index: usize| {
            MetricDataQuery::builder().id(format!("{id}{index}")).metric_stat(stat.clone()).build()
        };
        let request =
            cloudwatch.get_metric_data().set_metric_data_queries(Some((0..count).map(query).collect()));
        let (from, until) = (DateTime::from_secs(1_790_000_000), DateTime::from_secs(1_790_000_600));
        request.start_time(from).end_time(until).send().await.map(drop).map_err(|error| format!("{error:?}"))
    };
    ask(500, 60, "Sum", "q").await.unwrap();
    for (count, period, stat, id, told) in [
        (501, 60, "Sum", "q", "501 queries"),
        (1, 45, "Sum", "q", "period 45"),
        (1, 60, "Summe", "q", "Summe"),
        (1, 60, "Sum", "Q", "lowercase"),
    ] {
        let refusal = ask(count, period, stat, id).await.unwrap_err();
        assert!(refusal.contains(told) && refusal.contains("InvalidParameterValue"), "{refusal}");
    }
}
