//! `local preview-alerts`: the sample events as Slack would show them, in a page to look at.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Write as _, stdout};
use std::time::Duration;

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::DateTime;
use domain::alert::notice::WorstAnswer;
use domain::metric::{
    CAPACITY_NAMESPACE, COMPONENT_DIMENSION, COMPOSITE_QUALITY_SCORE, COST_PER_HOUR, ENDPOINT_DIMENSION,
    IDLE_COST_PER_HOUR, QUALITY_NAMESPACE, RECORDS,
};
use domain::rubric::Score;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::failure::{During, Failure, Outcome};
use crate::functions::TABLE;
use crate::loopback::Loopback;
use crate::preview::{Preview, page};
use crate::project;

const TIME: Duration = Duration::from_secs(50);
const ENDPOINT: &str = "support-chat";

/// In this order: some are about an alert that came before.
const EVENTS: &[&str] = &[
    "grafana-quality",
    "grafana-joined",
    "grafana-resolved",
    "grafana-no-data",
    "grafana-text",
    "cloudwatch-alarm",
    "cloudwatch-composite",
    "amp-raw-json",
    "cut-message",
    "unknown",
];

/// Sends the sample events to alert-router, and writes what Slack got of each into
/// `.local/previews/alerts.html`.
pub async fn preview_alerts() -> Outcome<()> {
    let local = Loopback::start().await?;
    seed(&local).await?;
    let rules = local.rules("[lifecycle]\nduplicate_seconds = 0").await?;
    let mut function = local.router(&rules, &[]).await?;
    let mut shown: Vec<(String, Vec<Value>)> = Vec::new();
    for name in EVENTS {
        local.forget().await?;
        let file = format!("events/alert-router.{name}.json");
        let text = fs::read_to_string(project::root().join(&file)).during(format!("read {file}"))?;
        let event: Value = serde_json::from_str(&text).during(format!("read {file} as JSON"))?;
        function.invoke(&event, TIME).await?.response()?;
        let calls = local.received("slack").await?;
        if let Some(call) = calls.iter().find(|call| call.status != 200 || call.body["text"].is_null()) {
            return Err(Failure(format!("{file}: Slack said {} to {}", call.status, call.body)));
        }
        shown.push((file, calls.into_iter().map(|call| call.body).collect()));
    }
    let previews: Vec<Preview<'_>> =
        shown.iter().map(|(title, messages)| Preview { title, messages }).collect();
    let path = project::local().join("previews/alerts.html");
    fs::create_dir_all(project::local().join("previews")).during("create .local/previews")?;
    fs::write(&path, page(&previews)).during(format!("write {}", path.display()))?;
    writeln!(stdout(), "{}", path.display()).during("write to standard output")
}

/// The last hour of two components, and what a judge said of bad answers.
async fn seed(local: &Loopback) -> Outcome<()> {
    let now = Timestamp::now();
    for (component, fall) in [("qwen-7b", 0.3), ("gpt-oss-20b", 0.1)] {
        let both = BTreeMap::from([(ENDPOINT_DIMENSION, ENDPOINT), (COMPONENT_DIMENSION, component)]);
        let own = BTreeMap::from([(COMPONENT_DIMENSION, component)]);
        for step in 0..12 {
            let at = now - SignedDuration::from_mins(5 * (11 - step));
            let share = f64::from(u32::try_from(step).unwrap_or_default()) / 11.0;
            for (namespace, metric, dimensions, value) in [
                (QUALITY_NAMESPACE, COMPOSITE_QUALITY_SCORE.name, &both, 0.95 - fall * share),
                (QUALITY_NAMESPACE, "SafetyScore", &both, 0.98 - fall * share),
                (QUALITY_NAMESPACE, RECORDS.name, &both, 40.0),
                (CAPACITY_NAMESPACE, COST_PER_HOUR.name, &both, 5.752),
                ("AWS/SageMaker", "ModelLatency", &own, 2_400_000.0 * (1.0 + share)),
                ("AWS/SageMaker", "Invocations", &own, 120.0),
            ] {
                put(local, namespace, metric, dimensions, at, value).await?;
            }
        }
        for (minutes, score, reason) in [
            (25, 0.0, "Explains how to get around the account check instead of pointing to support."),
            (12, 0.2, "Repeats a rude word of the user and adds one of its own."),
        ] {
            worst(local, component, now - SignedDuration::from_mins(minutes), score, reason).await?;
        }
    }
    let endpoint = BTreeMap::from([(ENDPOINT_DIMENSION, ENDPOINT)]);
    put(local, CAPACITY_NAMESPACE, IDLE_COST_PER_HOUR.name, &endpoint, now, 11.504).await
}

async fn put(
    local: &Loopback,
    namespace: &str,
    metric: &str,
    dimensions: &BTreeMap<&str, &str>,
    at: Timestamp,
    value: f64,
) -> Outcome<()> {
    let dimensions =
        dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
    let datum = MetricDatum::builder()
        .metric_name(metric)
        .set_dimensions(Some(dimensions.collect()))
        .timestamp(DateTime::from_secs(at.as_second()))
        .value(value)
        .build();
    let request = local.clients.cloudwatch.put_metric_data().namespace(namespace).metric_data(datum);
    request.send().await.map(drop).during("seed a metric")
}

/// As quality-judge notes it.
async fn worst(local: &Loopback, component: &str, at: Timestamp, score: f64, reason: &str) -> Outcome<()> {
    let answer = WorstAnswer {
        verdict_id: format!("{:032x}", at.as_second()).try_into().during("make an id")?,
        event_id: format!("{component}:5c1f"),
        at,
        dimension: "safety".parse().during("name a dimension")?,
        score: Score::new(score).during("score an answer")?,
        reason: reason.to_owned(),
    };
    let start = Timestamp::from_second(at.as_second().div_euclid(600) * 600).during("name ten minutes")?;
    let key = format!("worst#{component}#{}", start.strftime("%Y-%m-%dT%H:%M"));
    let json = serde_json::to_string(&answer).during("write an answer")?;
    let request = local
        .clients
        .dynamodb
        .put_item()
        .table_name(TABLE)
        .item("pk", AttributeValue::S(key))
        .item("score", AttributeValue::N(score.to_string()))
        .item("answer", AttributeValue::S(json));
    request.send().await.map(drop).during("seed an answer")
}
