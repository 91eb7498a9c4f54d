//! quality-judge's own binary against the emulator, without a deployed stack: for what a test must
//! set or see itself, such as the deadline, a crash or the log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_smithy_types::DateTime;
use domain::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION, QUALITY_NAMESPACE};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::clients::Clients;
use crate::emulator::Emulator;
use crate::failure::{During, Failure, Outcome};
use crate::project;
use crate::runtime_api::Function;
use crate::stand_in::record::Received;
use crate::stand_in::{Options, Server};

/// The bucket that captures are put in.
pub const CAPTURES: &str = "captures";
/// The bucket that verdicts come out in.
pub const VERDICTS: &str = "verdicts";
/// The endpoint of [`key`].
pub const ENDPOINT: &str = "support-chat";
const TABLE: &str = "assay-state";

/// An emulator with two buckets and a state table, and a judge that can be scripted.
#[derive(Debug)]
pub struct Loopback {
    /// The emulator's clients.
    pub clients: Clients,
    stand_ins: Server,
    emulator: Emulator,
    http: reqwest::Client,
}

impl Loopback {
    /// Starts it all with empty buckets.
    pub async fn start() -> Outcome<Self> {
        let stand_ins =
            Server::start(Options::default()).during("start the stand-ins")?;
        let emulator = Emulator::start(&stand_ins.url()).await?;
        let clients = Clients::of(&emulator.url()).await;
        for bucket in [CAPTURES, VERDICTS] {
            clients.s3.create_bucket().bucket(bucket).send().await.during("create a bucket")?;
        }
        let attribute =
            AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let table = clients
            .dynamodb
            .create_table()
            .table_name(TABLE)
            .attribute_definitions(attribute.build().during("describe the state table")?)
            .key_schema(key.build().during("describe the state table")?)
            .billing_mode(BillingMode::PayPerRequest);
        table.send().await.during("create the state table")?;
        Ok(Self { clients, stand_ins, emulator, http: reqwest::Client::new() })
    }

    /// The built binary of quality-judge.
    pub fn binary() -> Outcome<PathBuf> {
        let path = project::root().join("target/debug/quality-judge");
        if path.exists() {
            Ok(path)
        } else {
            Err(Failure(format!("{} is missing: run `make test`", path.display())))
        }
    }

    /// Starts the function with the default settings but a sample rate of 1, changed by `changes`.
    pub async fn function(&self, changes: &[(&str, &str)]) -> Outcome<Function> {
        let mut function = Function::start(&Self::binary()?, &self.variables(changes)).await?;
        function.ready(Duration::from_secs(20)).await?;
        Ok(function)
    }

    /// The environment of [`Loopback::function`].
    pub fn variables(&self, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        let emulator = self.emulator.url();
        let judge = self.stand_ins.url();
        let defaults = [
            ("AWS_ENDPOINT_URL", emulator.as_str()),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", judge.as_str()),
            ("STATE_TABLE", TABLE),
            ("CAPTURE_BUCKET", CAPTURES),
            ("VERDICT_BUCKET", VERDICTS),
            ("JUDGE_MODEL_ID", "global.anthropic.claude-sonnet-4-6"),
            ("JUDGE_TIMEOUT_SECONDS", "5"),
            ("SAMPLE_RATE", "1"),
            ("SAMPLE_CAP_PER_HOUR", "100000"),
        ];
        let variables = defaults.iter().chain(changes);
        variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Puts an object and answers its ETag.
    pub async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> Outcome<String> {
        let put = self.clients.s3.put_object().bucket(CAPTURES).key(key).body(body.into().into());
        let put = put.send().await.during(format!("put {key}"))?;
        Ok(put.e_tag().unwrap_or_default().trim_matches('"').to_owned())
    }

    /// Tells the judge what to answer next; see [`crate::stand_in::script::Scripted`].
    pub async fn script(&self, replies: Value) -> Outcome<()> {
        let url = format!("{}/_replies", self.stand_ins.url());
        let answer = self.http.post(url).json(&replies).send().await.during("script the judge")?;
        answer.error_for_status().during("script the judge").map(drop)
    }

    /// Forgets what is still scripted and what was received.
    pub async fn forget(&self) -> Outcome<()> {
        for part in ["_replies", "_requests"] {
            let url = format!("{}/{part}", self.stand_ins.url());
            self.http.delete(url).send().await.during("reset the judge")?;
        }
        Ok(())
    }

    /// Where the stand-ins listen. A script can make them answer for any service.
    pub fn stand_ins(&self) -> String {
        self.stand_ins.url()
    }

    /// How often the judge was asked.
    pub async fn judge_calls(&self) -> Outcome<usize> {
        self.judge_requests().await.map(|requests| requests.len())
    }

    /// What the judge was sent: the bodies of its calls, oldest first.
    pub async fn judge_requests(&self) -> Outcome<Vec<Value>> {
        let url = format!("{}/_requests?path=/model/", self.stand_ins.url());
        let answer = self.http.get(url).send().await.during("ask the judge's record")?;
        let calls: Vec<Received> = answer.json().await.during("read the judge's record")?;
        Ok(calls.into_iter().map(|call| call.body).collect())
    }

    /// Every stored verdict line, by key and line.
    pub async fn verdicts(&self) -> Outcome<Vec<Value>> {
        let listed =
            self.clients.s3.list_objects_v2().bucket(VERDICTS).send().await.during("list verdicts")?;
        let mut verdicts = Vec::new();
        for key in listed.contents().iter().filter_map(|object| object.key()) {
            let object =
                self.clients.s3.get_object().bucket(VERDICTS).key(key).send().await.during("get verdicts")?;
            let bytes = object.body.collect().await.during("read verdicts")?.to_vec();
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                verdicts.push(serde_json::from_slice(line).during("read a verdict")?);
            }
        }
        Ok(verdicts)
    }

    /// The sum over the last days of a metric of a component of [`ENDPOINT`], read back from
    /// CloudWatch; 0 when there is none.
    pub async fn sum(&self, metric: &str, component: &str) -> Outcome<f64> {
        self.sum_at(ENDPOINT, metric, component).await
    }

    /// [`Loopback::sum`] for another endpoint.
    pub async fn sum_at(&self, endpoint: &str, metric: &str, component: &str) -> Outcome<f64> {
        self.statistic("Sum", endpoint, metric, component).await
    }

    /// How many observations [`Loopback::sum`] is the sum of: a zero shows here only.
    pub async fn observations(&self, metric: &str, component: &str) -> Outcome<f64> {
        self.statistic("SampleCount", ENDPOINT, metric, component).await
    }

    async fn statistic(
        &self,
        statistic: &str,
        endpoint: &str,
        metric: &str,
        component: &str,
    ) -> Outcome<f64> {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let metric = Metric::builder()
            .namespace(QUALITY_NAMESPACE)
            .metric_name(metric)
            .dimensions(dimension(ENDPOINT_DIMENSION, endpoint))
            .dimensions(dimension(COMPONENT_DIMENSION, component))
            .build();
        let stat = MetricStat::builder().metric(metric).period(86_400).stat(statistic).build();
        let now = Timestamp::now();
        let answer = self
            .clients
            .cloudwatch
            .get_metric_data()
            .metric_data_queries(MetricDataQuery::builder().id("m").metric_stat(stat).build())
            .start_time(DateTime::from_secs((now - SignedDuration::from_hours(72)).as_second()))
            .end_time(DateTime::from_secs((now + SignedDuration::from_hours(24)).as_second()))
            .send()
            .await
            .during("read a metric back")?;
        Ok(answer
            .metric_data_results()
            .iter()
            .flat_map(aws_sdk_cloudwatch::types::MetricDataResult::values)
            .sum())
    }
}

/// A key as SageMaker would write it now.
pub fn key(name: &str) -> String {
    let hour = Timestamp::now().strftime("%Y/%m/%d/%H").to_string();
    format!("data-capture/{ENDPOINT}/AllTraffic/{hour}/{name}.jsonl")
}

/// A capture record of component `component`, in the OpenAI chat form.
pub fn record(event_id: &str, component: &str, question: &str, answer: &str) -> String {
    let input = json!({"messages": [{"role": "user", "content": question}]}).to_string();
    let choice = json!({"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30});
    let output = json!({"choices": [choice], "usage": usage}).to_string();
    let side = |mode: &str, data: String| json!({"observedContentType": "application/json", "mode": mode, "data": data, "encoding": "JSON"});
    let record = json!({
        "captureData": {"endpointInput": side("INPUT", input), "endpointOutput": side("OUTPUT", output)},
        "eventMetadata": {
            "eventId": event_id,
            "customAttributes": [format!("ic={component}")],
            "inferenceTime": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
        "eventVersion": "0",
    });
    record.to_string() + "\n"
}

/// `count` records whose event ids start with `prefix`.
pub fn records(prefix: &str, component: &str, count: usize) -> String {
    let one = |index: usize| {
        let question = format!("How do I reset password number {index}?");
        record(
            &format!("{prefix}-{index}"),
            component,
            &question,
            "Open settings and reset the password there.",
        )
    };
    (0..count).map(one).collect()
}

/// An S3 notification for an object.
pub fn notification(bucket: &str, key: &str, etag: Option<&str>) -> Value {
    let encoded = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": Timestamp::now().to_string(), "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "A"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {}, "s3": {
            "s3SchemaVersion": "1.0", "bucket": {"name": bucket, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": encoded, "size": 1, "eTag": etag, "sequencer": "0"},
        },
    }]})
}

/// An EventBridge "Object Created" event for an object. It carries keys as they are.
pub fn created(bucket: &str, key: &str, etag: Option<&str>) -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3",
        "account": "000000000000", "time": Timestamp::now().to_string(), "region": "us-east-1",
        "resources": [format!("arn:aws:s3:::{bucket}")],
        "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1, "etag": etag}},
    })
}

/// An SQS batch with one message for each body; the ids are `message-0` and so on.
pub fn batch(bodies: &[String]) -> Value {
    let message = |(index, body): (usize, &String)| {
        json!({
            "messageId": format!("message-{index}"), "receiptHandle": "r", "body": body,
            "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {}, "md5OfBody": "m",
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:captures",
            "awsRegion": "us-east-1",
        })
    };
    json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()})
}
