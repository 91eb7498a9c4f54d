//! What the stack has in CloudWatch is what its templates say, and its alarms reach people.

use std::collections::BTreeMap;
use std::fs;

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricAlarm, MetricDataQuery, MetricDatum};
use aws_smithy_types::DateTime;
use domain::dashboard::RUNBOOKS;
use domain::metric::QUALITY_NAMESPACE;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::alarms::{self, Contributor};
use tests::emulator::REGION;
use tests::environment::Environment;
use tests::preview::message_text;
use tests::project;
use tests::stack::NAME;
use tests::template::Template;
use tests::told::Told;

/// By `DescribeAlarms`, `GetDashboard` and `DescribeQueryDefinitions`.
pub(crate) async fn everything_is_as_the_templates_say(environment: &Environment) {
    let path = project::root().join("dashboards/cloudwatch.template.json");
    let nested: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let of_nested = |kind: &str| -> Vec<&Value> {
        let resources = nested["Resources"].as_object().unwrap().values();
        resources
            .filter(|resource| resource["Type"] == kind)
            .map(|resource| &resource["Properties"])
            .collect()
    };
    let topic = environment.stack.output("AlertTopicArn").unwrap();

    let deployed = alarms::deployed(&environment.clients.cloudwatch).await.unwrap();
    let by_name: BTreeMap<&str, &MetricAlarm> =
        deployed.iter().map(|alarm| (alarm.alarm_name().unwrap(), alarm)).collect();
    let of_alerts = of_nested("AWS::CloudWatch::Alarm");
    for properties in &of_alerts {
        let expected = resolved(properties, topic);
        let name = expected["AlarmName"].as_str().unwrap();
        let found = by_name.get(name).map(|alarm| resolved(&as_properties(alarm), topic));
        assert_eq!(found.as_ref(), Some(&expected), "{name}");
    }
    let telling = alarms::of_alerts(&environment.clients.cloudwatch, &environment.stack).await.unwrap();
    assert_eq!(telling.len(), of_alerts.len(), "others tell the topic of the alerts");

    let template = Template::load().unwrap();
    let of_assay = template.resources("AWS::CloudWatch::Alarm");
    assert_eq!(deployed.len(), of_alerts.len() + of_assay.len());
    for (id, resource) in of_assay {
        let name = physical_id(environment, id).await;
        let (alarm, properties) = (by_name[name.as_str()], &resource["Properties"]);
        assert_eq!(alarm.threshold(), properties["Threshold"].as_f64(), "{id}");
        assert_eq!(alarm.metrics().len(), properties["Metrics"].as_array().map_or(0, Vec::len), "{id}");
        assert_eq!(alarm.alarm_actions(), [physical_id(environment, "OperatorsTopic").await], "{id}");
    }

    for properties in of_nested("AWS::CloudWatch::Dashboard") {
        let expected = resolved(properties, topic);
        let name = expected["DashboardName"].as_str().unwrap();
        let dashboard =
            environment.clients.cloudwatch.get_dashboard().dashboard_name(name).send().await.unwrap();
        assert_eq!(dashboard.dashboard_body(), expected["DashboardBody"].as_str(), "{name}");
    }

    let queries = template.resources("AWS::Logs::QueryDefinition");
    let mut expected: Vec<Value> =
        queries.iter().map(|(_, query)| resolved(&query["Properties"]["Name"], topic)).collect();
    expected.sort_by_key(Value::to_string);
    assert_eq!(saved_queries(environment).await, expected);
}

/// Without references and with one kind of number.
fn resolved(value: &Value, topic: &str) -> Value {
    if value["Ref"] == "AlertTopicArn" {
        return topic.into();
    }
    if let Some(text) = value["Fn::Sub"].as_str() {
        let named = ["${Name}", "${AWS::StackName}"]
            .iter()
            .fold(text.to_owned(), |text, name| text.replace(name, NAME));
        let named = named.replace("${AWS::Region}", REGION).replace("${RunbookBaseUrl}", RUNBOOKS);
        return named.replace("${!", "${").into();
    }
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(|item| resolved(item, topic)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), resolved(value, topic))).collect()
        }
        other => other.clone(),
    }
}

fn as_properties(alarm: &MetricAlarm) -> Value {
    let metric = |query: &MetricDataQuery| {
        let mut metric = json!({
            "Id": query.id(), "Expression": query.expression(), "Period": query.period(),
            "ReturnData": query.return_data(),
        });
        if let Some(label) = query.label() {
            metric["Label"] = label.into();
        }
        metric
    };
    json!({
        "AlarmName": alarm.alarm_name(),
        "AlarmDescription": alarm.alarm_description(),
        "Metrics": alarm.metrics().iter().map(metric).collect::<Vec<_>>(),
        "ComparisonOperator": alarm.comparison_operator().map(ComparisonOperator::as_str),
        "Threshold": alarm.threshold(),
        "EvaluationPeriods": alarm.evaluation_periods(),
        "DatapointsToAlarm": alarm.datapoints_to_alarm(),
        "TreatMissingData": alarm.treat_missing_data(),
        "AlarmActions": alarm.alarm_actions(),
        "OKActions": alarm.ok_actions(),
    })
}

async fn physical_id(environment: &Environment, logical_id: &str) -> String {
    let request = environment.clients.cloudformation.describe_stack_resources().stack_name(NAME);
    let answer = request.logical_resource_id(logical_id).send().await.unwrap();
    answer.stack_resources()[0].physical_resource_id().unwrap().to_owned()
}

/// Their names, by a call without an SDK: nothing else needs the one for logs.
async fn saved_queries(environment: &Environment) -> Vec<Value> {
    let request = reqwest::Client::new().post(environment.emulator.url());
    let request = request.header("x-amz-target", "Logs_20140328.DescribeQueryDefinitions");
    let request = request.header("content-type", "application/x-amz-json-1.1").body("{}");
    let answer: Value =
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let queries = answer["queryDefinitions"].as_array().unwrap().iter();
    let mut names: Vec<Value> = queries.map(|query| query["name"].clone()).collect();
    names.sort_by_key(Value::to_string);
    names
}

const ENDPOINT: &str = "night-shift";
const BAD: &str = "bad-model";
const FAIR: &str = "fair-model";
const GOOD: &str = "good-model";
/// The period of the alarms on scores, of which two must cross.
const PERIOD: i64 = 1800;

/// For an hour one model is bad, one fair and one good; then all are good. CloudWatch is played, from
/// the deployed alarms.
pub(crate) async fn an_alarm_is_told_with_its_severity_and_told_when_it_is_over(environment: &Environment) {
    let over = Timestamp::from_second(Timestamp::now().as_second() / PERIOD * PERIOD).unwrap();
    let then = over - SignedDuration::from_secs(2 * PERIOD);
    for (component, metric, score) in
        [(BAD, "CompositeQualityScore", 0.5), (FAIR, "SafetyScore", 0.9), (GOOD, "SafetyScore", 0.99)]
    {
        observe(environment, component, metric, score, then).await;
        observe(environment, component, metric, 0.99, over).await;
    }
    let alarms = alarms::of_alerts(&environment.clients.cloudwatch, &environment.stack).await.unwrap();
    let mut told_of = of_models(environment, &alarms, then).await;
    told_of.retain(|(_, one)| one.is_in_alarm);
    let names: Vec<(&str, &str)> = told_of
        .iter()
        .map(|(alarm, one)| (alarm.alarm_name().unwrap(), one.attributes["InferenceComponentName"].as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("assay-low-composite-critical", BAD),
            ("assay-low-composite-warning", BAD),
            ("assay-low-safety-warning", FAIR),
        ]
    );
    for (alarm, one) in &told_of {
        alarms::publish(&environment.clients, alarm, one).await.unwrap();
    }
    let told = Told::wait(environment, "tell of the alarms of CloudWatch", |told| {
        posts(told, BAD).len() + posts(told, FAIR).len() >= told_of.len()
    })
    .await
    .unwrap();
    assert!(says(&posts(&told, BAD), "CRITICAL"), "{:#?}", posts(&told, BAD));
    assert!(says(&posts(&told, FAIR), "WARNING"), "{:#?}", posts(&told, FAIR));
    assert!(!says(&posts(&told, FAIR), "CRITICAL"), "{:#?}", posts(&told, FAIR));

    let mut now = of_models(environment, &alarms, over).await;
    assert!(now.iter().all(|(_, one)| !one.is_in_alarm));
    now.retain(|(alarm, one)| {
        let is_it = |(before, told): &(&MetricAlarm, Contributor)| {
            before.alarm_name() == alarm.alarm_name() && told.attributes == one.attributes
        };
        told_of.iter().any(is_it)
    });
    for (alarm, one) in &now {
        alarms::publish(&environment.clients, alarm, one).await.unwrap();
    }
    let told = Told::wait(environment, "tell that they are over", |told| {
        let edits: Vec<String> = told.edits().into_values().collect();
        [BAD, FAIR].iter().all(|name| says(&about(&edits, name), "RECOVERED"))
    })
    .await
    .unwrap();
    assert_eq!(posts(&told, GOOD), [""; 0]);
}

/// A score each minute of the hour that ends at `end`.
async fn observe(environment: &Environment, component: &str, metric: &str, score: f64, end: Timestamp) {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let datum = |minutes| {
        MetricDatum::builder()
            .metric_name(metric)
            .dimensions(dimension("EndpointName", ENDPOINT))
            .dimensions(dimension("InferenceComponentName", component))
            .timestamp(DateTime::from_secs((end - SignedDuration::from_mins(minutes)).as_second()))
            .value(score)
            .build()
    };
    let request = environment.clients.cloudwatch.put_metric_data().namespace(QUALITY_NAMESPACE);
    request.set_metric_data(Some((1..=60).map(datum).collect())).send().await.unwrap();
}

/// The contributors at this endpoint, each with its alarm.
async fn of_models<'a>(
    environment: &Environment,
    alarms: &'a [MetricAlarm],
    at: Timestamp,
) -> Vec<(&'a MetricAlarm, Contributor)> {
    let mut found = Vec::new();
    for alarm in alarms {
        let all = alarms::contributors(&environment.clients.cloudwatch, alarm, at).await.unwrap();
        let ours = all
            .into_iter()
            .filter(|one| one.attributes.get("EndpointName").is_some_and(|name| name == ENDPOINT));
        found.extend(ours.map(|one| (alarm, one)));
    }
    found
}

fn posts(told: &Told, component: &str) -> Vec<String> {
    let texts: Vec<String> = told.posts().iter().map(|call| message_text(&call.body)).collect();
    about(&texts, component)
}

fn about(texts: &[String], component: &str) -> Vec<String> {
    texts.iter().filter(|text| text.contains(component)).cloned().collect()
}

fn says(texts: &[String], word: &str) -> bool {
    texts.iter().any(|text| text.contains(word))
}
