//! What the tests of capacity-meter share.
#![allow(dead_code, reason = "each of them uses a part")]

use std::time::Duration;

use domain::metric::CAPACITY_NAMESPACE;
use serde_json::{Value, json};
use tests::clients::Clients;
use tests::loopback::Loopback;
use tests::project;
use tests::results::{self, Metered};
use tests::runtime_api::Function;
use tests::scenario::Scenario;
use tests::stand_in::Options;

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
/// What starts a run.
pub(crate) fn schedule() -> Value {
    let path = project::root().join("events/capacity-meter.schedule.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// An emulator, and stand-ins that play this fleet.
pub(crate) async fn playing(scenario: Scenario) -> Loopback {
    Loopback::start_with(Options { scenario: Some(scenario), ..Options::default() }).await.unwrap()
}

/// Has the function meter everything.
pub(crate) async fn run(function: &mut Function) -> Value {
    function.invoke(&schedule(), MINUTE).await.unwrap().response().unwrap()
}

/// The newest value of a metric; `None` where nothing is published.
pub(crate) fn newest(
    metered: &Metered,
    endpoint: &str,
    component: Option<&str>,
    metric: &str,
) -> Option<f64> {
    let key = (endpoint.to_owned(), component.map(str::to_owned), metric.to_owned());
    metered.get(&key).and_then(|numbers| numbers.newest)
}

/// Each of these has this value.
pub(crate) fn assert_published(
    metered: &Metered,
    endpoint: &str,
    component: Option<&str>,
    expected: &[(&str, f64)],
) {
    for (metric, number) in expected {
        let found = newest(metered, endpoint, component, metric);
        assert!(
            found.is_some_and(|found| (found - number).abs() < 1e-6),
            "{metric} of {component:?} is {found:?}, not {number}"
        );
    }
}

/// None of these is published of the endpoint itself.
pub(crate) fn assert_not_published(metered: &Metered, endpoint: &str, metrics: &[&str]) {
    for metric in metrics {
        assert_eq!(newest(metered, endpoint, None, metric), None, "{metric}");
    }
}

/// The answer on an endpoint, in one line for it and one for each component.
pub(crate) fn shown(summary: &Value, endpoint: &str) -> Vec<String> {
    let all = summary["endpoints"].as_array().unwrap();
    let one = all.iter().find(|one| one["endpoint"] == endpoint).unwrap();
    let (gpus, costs) = (&one["gpus"], &one["usd_per_hour"]);
    let first = format!(
        "{} instances, {} GPUs, {} used, {} free, {} of which {} idle",
        one["instances"], gpus["total"], gpus["used"], gpus["free"], costs["bill"], costs["idle"]
    );
    let components = one["components"].as_object().unwrap().iter().map(|(name, it)| {
        format!("{name}: {} copies, {} GPUs, {}", it["copies"], it["gpus"], it["usd_per_hour"])
    });
    let mut components: Vec<String> = components.collect();
    components.sort_unstable();
    let conditions = one["conditions"].as_array().into_iter().flatten();
    let conditions = conditions.map(|it| it["condition"].as_str().unwrap().to_owned());
    std::iter::once(first).chain(components).chain(conditions).collect()
}

/// [`shown`] of the fleet of the blog.
pub(crate) const BLOG: [&str; 3] = [
    "2 instances, 8 GPUs, 6 used, 2 free, 11.504 of which 2.876 idle",
    "gpt-oss-20b: 1 copies, 4 GPUs, 5.752",
    "qwen-7b: 2 copies, 2 GPUs, 2.876",
];

/// SageMaker is asked in every run.
pub(crate) const UNCACHED: (&str, &str) = ("TOPOLOGY_MAX_AGE_MINUTES", "0");

/// The calls of CloudWatch, as a script names them.
pub(crate) const LIST: &str = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
/// As [`LIST`].
pub(crate) const GET: &str = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
/// As [`LIST`].
pub(crate) const PUT: &str = "/service/GraniteServiceVersion20100801/operation/PutMetricData";

/// Whatever is asked of a stand-in is refused.
pub(crate) fn denied(stand_in: &str) -> Value {
    let body =
        json!({"__type": "AccessDeniedException", "message": "User: arn:aws:sts::1:x is not authorized"});
    json!({"match": {"stand_in": stand_in}, "status": 400, "body": body})
}

/// Whatever is asked at a path is throttled.
pub(crate) fn throttled(path: &str) -> Value {
    let body = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
    json!({"match": {"path": path}, "status": 400, "body": body})
}

/// A meter whose CloudWatch is the stand-in, which can be scripted.
pub(crate) async fn scripted(local: &Loopback, changes: &[(&str, &str)]) -> Function {
    let cloudwatch = local.stand_ins();
    local.meter(&[&[("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.as_str())], changes].concat()).await.unwrap()
}

/// The metrics that such a meter published.
pub(crate) async fn read_back(local: &Loopback) -> Metered {
    let cloudwatch = Clients::of(&local.stand_ins()).await.cloudwatch;
    results::metered(&cloudwatch, CAPACITY_NAMESPACE).await.unwrap()
}

/// Where a number of the first endpoint comes from.
pub(crate) fn source<'a>(summary: &'a Value, name: &str) -> &'a str {
    summary["endpoints"][0]["sources"][name].as_str().unwrap()
}

/// Kind and reason of each condition of the first endpoint.
pub(crate) fn conditions(summary: &Value) -> Vec<(&str, Option<&str>)> {
    let all = summary["endpoints"][0]["conditions"].as_array();
    all.into_iter().flatten().map(|it| (it["condition"].as_str().unwrap(), it["reason"].as_str())).collect()
}
