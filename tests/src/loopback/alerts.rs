//! alert-router with destinations that stand in for Slack, PagerDuty, Opsgenie and a webhook, and
//! the alerts that it is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Loopback;
use crate::alert_rules::notice;
use crate::destinations;
use crate::failure::{During, Outcome};
use crate::functions::ALERT_ROUTER;
use crate::runtime_api::Function;

/// Stands in every secret, and must not get into a log, an answer or an error.
pub const MARK: &str = "quokka";

const FOLDER: &str = "settings";

/// The rules of a test and where its dead letters are.
#[derive(Debug, Clone)]
pub struct Rules {
    /// `CONFIG_URI`.
    pub uri: String,
    /// Where what is refused for good ends up.
    pub dead_letters: String,
    /// Through which messages come back.
    pub returns: String,
}

impl Loopback {
    /// Secrets, a dead-letter queue, and an `alerts.toml` with the destinations `slack`,
    /// `pagerduty`, `opsgenie` and `webhook`, which the shipped routes name; then `more`.
    pub async fn rules(&self, more: &str) -> Outcome<Rules> {
        let destinations = destinations::configure(&self.clients, &self.stand_ins(), MARK).await?.toml;
        self.clients.s3.create_bucket().bucket(FOLDER).send().await.during("create a bucket")?;
        let text = format!("{more}\n{destinations}");
        let put =
            self.clients.s3.put_object().bucket(FOLDER).key("alerts.toml").body(text.into_bytes().into());
        put.send().await.during("put alerts.toml")?;
        let (dead_letters, returns) = (self.queue("dead-letters").await?, self.queue("returns").await?);
        Ok(Rules { uri: format!("s3://{FOLDER}/"), dead_letters, returns })
    }

    async fn queue(&self, name: &str) -> Outcome<String> {
        let queue = self.clients.sqs.create_queue().queue_name(name).send().await;
        Ok(queue.during("create a queue")?.queue_url.unwrap_or_default())
    }

    /// Starts alert-router with these rules, and waits for its first poll.
    pub async fn router(&self, rules: &Rules, changes: &[(&str, &str)]) -> Outcome<Function> {
        let mut function = self.launch_router(rules, changes).await?;
        function.ready(Duration::from_secs(20)).await?;
        Ok(function)
    }

    /// Starts alert-router with these rules.
    pub async fn launch_router(&self, rules: &Rules, changes: &[(&str, &str)]) -> Outcome<Function> {
        self.launch(ALERT_ROUTER, &router_changes(rules, changes)).await
    }

    /// The variables of an alert-router with these rules.
    pub fn router_variables(&self, rules: &Rules, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        self.variables(ALERT_ROUTER, &router_changes(rules, changes))
    }

    /// What waits in the dead-letter queue; it is taken out of it.
    pub async fn dead_letters(&self, rules: &Rules) -> Outcome<Vec<String>> {
        self.waiting(&rules.dead_letters).await
    }

    /// What is due in the return queue; it is taken out of it.
    pub async fn returned(&self, rules: &Rules) -> Outcome<Vec<String>> {
        self.waiting(&rules.returns).await
    }

    /// How many messages wait in the return queue, most of them for later.
    pub async fn returning(&self, rules: &Rules) -> Outcome<u64> {
        use aws_sdk_sqs::types::QueueAttributeName::{
            All, ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
        };
        let request = self.clients.sqs.get_queue_attributes().queue_url(&rules.returns).attribute_names(All);
        let attributes = request.send().await.during("ask for the return queue")?.attributes;
        let attributes = attributes.unwrap_or_default();
        let count = |name| attributes.get(&name).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
        Ok(count(ApproximateNumberOfMessages) + count(ApproximateNumberOfMessagesDelayed))
    }

    async fn waiting(&self, queue: &str) -> Outcome<Vec<String>> {
        let mut bodies = Vec::new();
        loop {
            let request = self.clients.sqs.receive_message().queue_url(queue);
            let answer = request.max_number_of_messages(10).visibility_timeout(600).send().await;
            let messages = answer.during("read a queue")?.messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(bodies);
            }
            bodies.extend(messages.into_iter().filter_map(|message| message.body));
        }
    }
}

fn router_changes<'a>(rules: &'a Rules, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("CONFIG_URI", rules.uri.as_str()),
        ("DEAD_LETTER_QUEUE_URL", rules.dead_letters.as_str()),
        ("RETURN_QUEUE_URL", rules.returns.as_str()),
    ];
    own.into_iter().chain(changes.iter().copied()).collect()
}

/// An alert of Grafana.
#[derive(Debug, Clone)]
pub struct GrafanaAlert {
    /// The rule; a part of its identity.
    pub rule: String,
    /// The component; a part of its identity.
    pub component: String,
    /// The metric that it watches; a part of its identity.
    pub metric: String,
    /// What a person reads first.
    pub summary: String,
    /// The label `severity`, which is a part of its identity like all labels; without one the value
    /// decides.
    pub severity: String,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// When it ended.
    pub ends_at: Option<Timestamp>,
    /// What was measured.
    pub value: f64,
}

impl GrafanaAlert {
    /// A critical one that began to fire a minute ago.
    pub fn new(rule: &str, component: &str) -> Self {
        Self {
            rule: rule.to_owned(),
            component: component.to_owned(),
            metric: "SafetyScore".to_owned(),
            summary: "Answers are less safe than they were".to_owned(),
            severity: "critical".to_owned(),
            starts_at: Timestamp::now() - SignedDuration::from_mins(1),
            ends_at: None,
            value: 0.42,
        }
    }

    /// The same, over now.
    #[must_use]
    pub fn ended(&self) -> Self {
        Self { ends_at: Some(Timestamp::now()), value: 0.97, ..self.clone() }
    }

    fn json(&self) -> Value {
        let mut labels = json!({
            "alertname": self.rule, "grafana_folder": "LLM", "metric": self.metric,
            "EndpointName": "support-chat", "InferenceComponentName": self.component,
        });
        if !self.severity.is_empty() {
            labels["severity"] = json!(self.severity);
        }
        json!({
            "status": if self.ends_at.is_some() { "resolved" } else { "firing" },
            "labels": labels,
            "annotations": {"summary": self.summary},
            "startsAt": self.starts_at.to_string(),
            "endsAt": self.ends_at.map_or("0001-01-01T00:00:00Z".to_owned(), |at| at.to_string()),
            "values": {"B": self.value},
            "generatorURL": "https://grafana.example/alerting/grafana/abc/view",
            "fingerprint": "",
            "silenceURL": "https://grafana.example/alerting/silence/new",
            "dashboardURL": "", "panelURL": "",
        })
    }
}

/// Grafana's webhook JSON, as its SNS contact point sends it by template.
pub fn grafana(alerts: &[GrafanaAlert]) -> String {
    let alerts: Vec<_> = alerts.iter().map(GrafanaAlert::json).collect();
    notice::message(&alerts)
}

/// An event of SNS with one record for each message, published now.
pub fn sns(messages: &[String]) -> Value {
    let record = |(number, message): (usize, &String)| {
        json!({
            "EventSource": "aws:sns", "EventVersion": "1.0",
            "EventSubscriptionArn": "arn:aws:sns:us-east-1:000000000000:grafana-assay-alerts:1",
            "Sns": {
                "Type": "Notification", "MessageId": format!("message-{number}"), "Subject": null,
                "TopicArn": "arn:aws:sns:us-east-1:000000000000:grafana-assay-alerts",
                "Message": message, "Timestamp": Timestamp::now().to_string(), "SignatureVersion": "1",
                "Signature": "s", "SigningCertUrl": "https://sns.example/cert", "UnsubscribeUrl": "https://sns.example/u",
                "MessageAttributes": {},
            },
        })
    };
    json!({"Records": messages.iter().enumerate().map(record).collect::<Vec<_>>()})
}
