use std::collections::{BTreeMap, BTreeSet};

use ciborium::Value;
use ciborium::value::Integer;
use domain::capacity::instance::InstanceTypes;
use domain::capacity::plan::{MOST_QUERIES, Plan};
use domain::capacity::series::{COMPONENTS_NAMESPACE, GPU_METRIC, Inventory, TokenNames, discoveries};
use domain::fleet::MetricNaming;

use super::super::cbor::{field, list, map, read, reply, text, throttled};
use super::*;
use crate::wire::{Reply, Sent, Wire};

fn tokens() -> TokenNames {
    TokenNames::from(&MetricNaming::default())
}

fn gpu(number: usize) -> Listed {
    let dimensions = [
        ("EndpointName", "chat"),
        ("VariantName", "AllTraffic"),
        ("InstanceId", "i-1"),
        ("ContainerId", "c-1"),
        ("InferenceComponentName", "llama"),
    ];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut dimensions: Vec<_> = dimensions.into_iter().map(own).collect();
    dimensions.push(("GpuId".to_owned(), format!("gpu_{number}")));
    Listed { namespace: COMPONENTS_NAMESPACE.to_owned(), metric: GPU_METRIC.to_owned(), dimensions }
}

/// A plan that asks for so many GPUs of one endpoint.
fn plan(gpus: usize) -> Plan {
    let inventory = Inventory::of((0..gpus).map(gpu), &BTreeMap::new(), &tokens());
    let watched = BTreeSet::from(["chat".parse().unwrap()]);
    let now = "2026-11-24T12:34:56Z".parse().unwrap();
    Plan::new(&watched, inventory, &BTreeMap::new(), &InstanceTypes::default(), now)
}

fn entry(listed: &Listed) -> Value {
    let dimension = |(name, value): &(String, String)| {
        map([("Name", name.as_str().into()), ("Value", value.as_str().into())])
    };
    map([
        ("Namespace", listed.namespace.as_str().into()),
        ("MetricName", listed.metric.as_str().into()),
        ("Dimensions", Value::Array(listed.dimensions.iter().map(dimension).collect())),
    ])
}

fn page(entries: &[Listed], next: Option<&str>) -> Reply {
    let metrics = ("Metrics", Value::Array(entries.iter().map(entry).collect()));
    reply(&map([metrics].into_iter().chain(next.map(|token| ("NextToken", token.into())))))
}

fn time(second: i64) -> Value {
    Value::Tag(1, Box::new(Value::Integer(Integer::from(second))))
}

fn result(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
    map([
        ("Id", id.into()),
        ("Label", "x".into()),
        ("StatusCode", status.into()),
        ("Timestamps", Value::Array(points.iter().map(|(second, _)| time(*second)).collect())),
        ("Values", Value::Array(points.iter().map(|(_, value)| Value::Float(*value)).collect())),
    ])
}

fn results(results: Vec<Value>, next: Option<&str>) -> Reply {
    let results = ("MetricDataResults", Value::Array(results));
    reply(&map([results].into_iter().chain(next.map(|token| ("NextToken", token.into())))))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn seconds(request: &Value, name: &str) -> i64 {
    let (tag, seconds) = field(request, name).as_tag().unwrap();
    assert_eq!(tag, 1);
    let seconds = seconds.as_float().unwrap_or_default();
    seconds.to_string().parse().unwrap()
}

fn operation(sent: &Sent) -> &str {
    sent.uri.rsplit('/').next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_page_of_a_listing_is_read() {
    let wire =
        Wire::new([page(&[gpu(0), gpu(1)], Some("more")), page(&[], Some("last")), page(&[gpu(2)], None)]);
    let discovery = discoveries(&tokens()).remove(0);
    let listing = Metrics::new(&wire.config()).list(&discovery).await.unwrap();
    assert_eq!(listing, Listing { entries: vec![gpu(0), gpu(1), gpu(2)], pages: 3 });
    let sent = wire.sent();
    assert!(sent.iter().all(|request| operation(request) == "ListMetrics"));
    let requests: Vec<Value> = sent.iter().map(read).collect();
    let first = map([
        ("Namespace", COMPONENTS_NAMESPACE.into()),
        ("MetricName", GPU_METRIC.into()),
        ("RecentlyActive", "PT3H".into()),
    ]);
    assert_eq!(requests[0], first, "nothing of linked accounts, no filter");
    assert_eq!(
        (text(&requests[1], "NextToken"), text(&requests[2], "NextToken")),
        ("more".into(), "last".into())
    );
}

#[tokio::test(start_paused = true)]
async fn all_metrics_of_an_endpoint_are_listed_by_its_name() {
    let wire = Wire::new([page(&[gpu(0)], None)]);
    let listing = Metrics::new(&wire.config()).list_of("EndpointName", "chat").await.unwrap();
    assert_eq!(listing, Listing { entries: vec![gpu(0)], pages: 1 });
    let filter = map([("Name", "EndpointName".into()), ("Value", "chat".into())]);
    let whole = map([("Dimensions", Value::Array(vec![filter])), ("RecentlyActive", "PT3H".into())]);
    assert_eq!(read(&wire.only()), whole);
}

#[tokio::test(start_paused = true)]
async fn half_a_listing_is_a_fault() {
    let wire = Wire::new([page(&[gpu(0)], Some("more")), throttled()]);
    let discovery = discoveries(&tokens()).remove(0);
    let fault = Metrics::new(&wire.config()).list(&discovery).await.unwrap_err();
    assert_eq!(fault.to_string(), "ListMetrics failed: ThrottlingException (HTTP 400)");
    assert!(fault.is_transient());
    assert_eq!(wire.sent().len(), 4, "three tries for the second page");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_names_itself_as_the_next_does_not_go_round_for_ever() {
    let wire = Wire::new([page(&[gpu(0)], Some("same"))]);
    let discovery = discoveries(&tokens()).remove(0);
    assert!(Metrics::new(&wire.config()).list(&discovery).await.is_err());
    assert_eq!(wire.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_query_is_a_plain_statistic_of_one_series() {
    let wire = Wire::new([results(vec![], None)]);
    let plan = plan(2);
    let batch = plan.batches().next().unwrap();
    Metrics::new(&wire.config()).answer(&batch).await;
    let request = read(&wire.only());
    let asked = list(&request, "MetricDataQueries");
    assert_eq!(asked.len(), 2);
    let metric = entry(&gpu(0));
    let stat = map([("Metric", metric), ("Period", 60.into()), ("Stat", "SampleCount".into())]);
    assert_eq!(asked[0], map([("Id", "q0".into()), ("MetricStat", stat)]));
    assert_eq!(text(&request, "ScanBy"), "TimestampDescending");
    assert_eq!(
        (seconds(&request, "StartTime"), seconds(&request, "EndTime")),
        (plan.window.start.as_second(), plan.window.end.as_second())
    );
}

#[tokio::test(start_paused = true)]
async fn a_thousand_queries_are_two_calls_and_each_says_what_it_asks() {
    let wire = Wire::new([results(vec![], None)]);
    let plan = plan(1000);
    let metrics = Metrics::new(&wire.config());
    for batch in plan.batches() {
        metrics.answer(&batch).await;
    }
    let sizes =
        wire.sent().iter().map(|sent| list(&read(sent), "MetricDataQueries").len()).collect::<Vec<_>>();
    assert_eq!(sizes, [MOST_QUERIES, MOST_QUERIES]);
}

#[tokio::test(start_paused = true)]
async fn every_result_of_every_page_comes_with_its_own_status() {
    let first = vec![result("q0", "PartialData", &[(120, 6.0)]), result("q1", "Complete", &[])];
    let second = vec![
        result("q0", "Complete", &[(60, 5.0)]),
        result("q2", "Forbidden", &[]),
        result("q3", "InternalError", &[]),
        result("q4", "Sleeping", &[]),
    ];
    let wire = Wire::new([results(first, Some("more")), results(second, None)]);
    let plan = plan(5);
    let answer = Metrics::new(&wire.config()).answer(&plan.batches().next().unwrap()).await;
    let told: Vec<_> = answer.results.iter().map(|it| (it.id.as_str(), it.status)).collect();
    assert_eq!(
        told,
        [
            ("q0", ResultStatus::Partial),
            ("q1", ResultStatus::Complete),
            ("q0", ResultStatus::Complete),
            ("q2", ResultStatus::Forbidden),
            ("q3", ResultStatus::InternalError),
            ("q4", ResultStatus::InternalError),
        ]
    );
    assert_eq!(answer.results[0].datapoints, [(at(120), 6.0)]);
    assert_eq!((answer.pages, answer.fault), (2, None));
    assert_eq!(text(&read(&wire.sent()[1]), "NextToken"), "more");
}

#[tokio::test(start_paused = true)]
async fn messages_are_counted_by_code_and_not_repeated() {
    let message = |code: &str| map([("Code", code.into()), ("Value", crate::wire::SECRET.into())]);
    let body = map([
        ("MetricDataResults", Value::Array(vec![])),
        (
            "Messages",
            Value::Array(vec![message("MaximumReached"), message("MaximumReached"), message("a b")]),
        ),
    ]);
    let wire = Wire::new([reply(&body)]);
    let plan = plan(1);
    let answer = Metrics::new(&wire.config()).answer(&plan.batches().next().unwrap()).await;
    let expected = [("MaximumReached".to_owned(), 2), ("unknown error".to_owned(), 1)];
    assert_eq!(answer.messages, BTreeMap::from(expected));
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_failed_page_is_kept_and_the_fault_told() {
    let first = vec![result("q0", "Complete", &[(60, 6.0)]), result("q1", "PartialData", &[])];
    let wire = Wire::new([results(first, Some("more")), throttled()]);
    let plan = plan(2);
    let answer = Metrics::new(&wire.config()).answer(&plan.batches().next().unwrap()).await;
    assert_eq!(answer.results.len(), 2);
    let fault = answer.fault.unwrap();
    assert_eq!(fault.to_string(), "GetMetricData failed: ThrottlingException (HTTP 400)");
    assert_eq!(wire.sent().len(), 4, "three tries for the second page");
}

#[tokio::test(start_paused = true)]
async fn times_without_values_are_no_datapoints() {
    let mut torn = result("q0", "Complete", &[(60, 6.0)]);
    for (name, value) in torn.as_map_mut().unwrap() {
        if name.as_text() == Some("Values") {
            *value = Value::Array(vec![]);
        }
    }
    let wire = Wire::new([results(vec![torn], None)]);
    let plan = plan(1);
    let answer = Metrics::new(&wire.config()).answer(&plan.batches().next().unwrap()).await;
    assert_eq!(
        (answer.results[0].status, answer.results[0].datapoints.len()),
        (ResultStatus::InternalError, 0)
    );
}
