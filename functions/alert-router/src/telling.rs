//! Which calls tell a destination of an alert, and what each says: decided here, made in
//! [`crate::sending`].

use domain::alert::lifecycle::{Delivery, Receipt, StepKind};
use domain::alert::message::slack::SlackMessage;
use domain::alert::message::{amazon_q, opsgenie, pagerduty, slack, webhook};
use domain::alert::notice::{Notice, StormSummary};
use domain::alert::rules::{Destination, DestinationKind, SecretArn};
use serde::Serialize;
use serde_json::{Value, json};

/// One call to a destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Message {
    /// How it is sent.
    pub(crate) call: Call,
    /// The secret that it needs, by name.
    pub(crate) secret: Option<SecretArn>,
    /// What is sent, without the secret.
    pub(crate) body: Value,
    /// What is sent when that is refused; `None` when there is nothing plainer.
    pub(crate) plain: Option<Value>,
}

/// How a message is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub(crate) enum Call {
    /// `chat.postMessage`.
    SlackPost {
        /// Of the Web API.
        base_url: String,
        /// By id or name.
        channel: String,
        /// Where in the channel.
        thread: Thread,
    },
    /// `chat.update`.
    SlackUpdate {
        /// Of the Web API.
        base_url: String,
        /// By id.
        channel: String,
        /// The message.
        ts: String,
    },
    /// To the address that the secret is.
    SlackWebhook,
    /// An event.
    PagerDuty {
        /// Where events are taken.
        base_url: String,
    },
    /// A call of the Alert API.
    Opsgenie {
        /// Where alerts are created.
        base_url: String,
        /// Which call.
        what: OpsgenieWhat,
    },
    /// To the address that the secret is.
    Webhook {
        /// Names a bearer token.
        token: Option<SecretArn>,
    },
    /// To a topic.
    AmazonQ {
        /// Which.
        topic_arn: String,
    },
}

impl Call {
    /// Names the token that goes with the call beside the message's secret.
    pub(crate) fn token(&self) -> Option<&SecretArn> {
        match self {
            Self::Webhook { token } => token.as_ref(),
            _ => None,
        }
    }
}

/// Where in a channel a post goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Thread {
    /// A message of its own.
    New,
    /// A reply to this message.
    Of(String),
    /// A reply to the message that was posted or changed just before.
    OfFirst,
    /// The same, shown in the channel too.
    Broadcast,
}

/// Which call of Opsgenie's Alert API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OpsgenieWhat {
    /// Creates, or counts up.
    Create,
    /// Closes the alert of this alias.
    Close(String),
    /// Adds a note to the alert of this alias.
    Note(String),
}

/// The calls that tell `destination` of a delivery, in order; none when there is nothing to say
/// there: a pager is not called for what is over, nor for a repetition.
pub(crate) fn messages(destination: &Destination, delivery: &Delivery, notice: &Notice) -> Vec<Message> {
    match &destination.kind {
        DestinationKind::SlackBot { channel, token, base_url } => {
            let place = SlackPlace { channel, token, base_url, receipt: delivery.receipt.as_ref() };
            place.messages(delivery, notice)
        }
        DestinationKind::SlackWebhook { url } => {
            let posts = match delivery.action {
                StepKind::Edit => Vec::new(),
                StepKind::Close | StepKind::Silent => vec![slack::resolution(notice).update],
                _ => slack::notice(notice),
            };
            let post = |message: SlackMessage| slack_message(Call::SlackWebhook, url, &message);
            posts.into_iter().map(post).collect()
        }
        DestinationKind::PagerDuty { routing_key, base_url } => {
            page(delivery, notice, routing_key, base_url).into_iter().collect()
        }
        DestinationKind::Opsgenie { api_key, base_url, responders } => {
            let (api_key, base_url, alias) = match &delivery.receipt {
                Some(Receipt::Opsgenie { api_key, base_url, alias }) => (api_key, base_url, alias.clone()),
                _ => (api_key, base_url, notice.alert.key.to_string()),
            };
            let call = |what, body: Value, plain| Message {
                call: Call::Opsgenie { base_url: base_url.clone(), what },
                secret: Some(api_key.clone()),
                body,
                plain,
            };
            let create = || {
                let body = json!(opsgenie::create(notice, &notice.alert.key, responders.clone()));
                let plain = kept(&body, &["message", "alias", "priority", "responders"]);
                call(OpsgenieWhat::Create, body, Some(plain))
            };
            let note = || call(OpsgenieWhat::Note(alias.clone()), json!(opsgenie::note(notice)), None);
            match delivery.action {
                StepKind::Open | StepKind::Flapping => vec![create()],
                StepKind::Raise => vec![create(), note()],
                StepKind::Close | StepKind::Silent if delivery.step.closes_incidents => {
                    vec![call(OpsgenieWhat::Close(alias.clone()), json!(opsgenie::close(notice)), None)]
                }
                StepKind::Close | StepKind::Silent => vec![note()],
                StepKind::Edit | StepKind::Missed => Vec::new(),
            }
        }
        DestinationKind::Webhook { url, token } => {
            let call = Call::Webhook { token: token.clone() };
            vec![Message {
                call,
                secret: Some(url.clone()),
                body: json!(webhook::notice(notice)),
                plain: None,
            }]
        }
        DestinationKind::AmazonQ { .. } if delivery.action == StepKind::Edit => Vec::new(),
        DestinationKind::AmazonQ { topic_arn } => {
            let call = Call::AmazonQ { topic_arn: topic_arn.clone() };
            let body = json!(amazon_q::notice(notice, &notice.alert.key));
            vec![Message { call, secret: None, body, plain: None }]
        }
    }
}

/// The calls that tell a chat of a storm.
pub(crate) fn storm_messages(
    destination: &Destination,
    storm: &StormSummary,
    receipt: Option<&Receipt>,
) -> Vec<Message> {
    match &destination.kind {
        DestinationKind::SlackBot { channel, token, base_url } => {
            let place = SlackPlace { channel, token, base_url, receipt };
            let pages = slack::storm(storm);
            match (receipt, pages.first()) {
                (Some(_), Some(first)) => vec![place.update(first)],
                _ => place.post(&pages),
            }
        }
        DestinationKind::SlackWebhook { url } => slack::storm(storm)
            .iter()
            .map(|message| slack_message(Call::SlackWebhook, url, message))
            .collect(),
        DestinationKind::Webhook { url, token } => {
            let call = Call::Webhook { token: token.clone() };
            vec![Message { call, secret: Some(url.clone()), body: json!(webhook::storm(storm)), plain: None }]
        }
        DestinationKind::AmazonQ { topic_arn } => {
            let call = Call::AmazonQ { topic_arn: topic_arn.clone() };
            vec![Message { call, secret: None, body: json!(amazon_q::storm(storm)), plain: None }]
        }
        DestinationKind::PagerDuty { .. } | DestinationKind::Opsgenie { .. } => Vec::new(),
    }
}

/// How what was told is found again.
pub(crate) fn receipt(
    destination: &Destination,
    notice: &Notice,
    slack: Option<(String, String)>,
) -> Option<Receipt> {
    let key = notice.alert.key.to_string();
    Some(match &destination.kind {
        DestinationKind::SlackBot { .. } => {
            let (channel, ts) = slack?;
            Receipt::Slack { channel, ts }
        }
        DestinationKind::PagerDuty { routing_key, base_url } => Receipt::PagerDuty {
            routing_key: routing_key.clone(),
            base_url: base_url.clone(),
            dedup_key: key,
        },
        DestinationKind::Opsgenie { api_key, base_url, .. } => {
            Receipt::Opsgenie { api_key: api_key.clone(), base_url: base_url.clone(), alias: key }
        }
        _ => Receipt::Sent,
    })
}

struct SlackPlace<'a> {
    channel: &'a str,
    token: &'a SecretArn,
    base_url: &'a str,
    receipt: Option<&'a Receipt>,
}

impl SlackPlace<'_> {
    fn messages(&self, delivery: &Delivery, notice: &Notice) -> Vec<Message> {
        let is_told = matches!(self.receipt, Some(Receipt::Slack { .. }));
        let action = delivery.action;
        match action {
            StepKind::Close | StepKind::Silent => {
                let resolution = slack::resolution(notice);
                if is_told {
                    vec![self.update(&resolution.update), self.thread(Thread::OfFirst, &resolution.reply)]
                } else {
                    self.post(&[resolution.update])
                }
            }
            StepKind::Raise | StepKind::Flapping | StepKind::Edit if is_told => {
                let pages = slack::notice(notice);
                let Some(first) = pages.first() else { return Vec::new() };
                let mut messages = vec![self.update(first)];
                if action != StepKind::Edit {
                    messages.push(self.thread(Thread::Broadcast, first));
                }
                messages
            }
            StepKind::Edit => Vec::new(),
            _ => {
                let pages = slack::notice(notice);
                let mut messages = self.post(&pages);
                // What stands there already is brought up to date, and the rest follows.
                if delivery.is_begun
                    && let (Some(message), Some(first)) = (messages.first_mut(), pages.first())
                {
                    *message = self.update(first);
                }
                messages
            }
        }
    }

    /// A message and what did not fit into it.
    fn post(&self, pages: &[SlackMessage]) -> Vec<Message> {
        let threads = std::iter::once(Thread::New).chain(std::iter::repeat(Thread::OfFirst));
        pages.iter().zip(threads).map(|(page, thread)| self.thread(thread, page)).collect()
    }

    fn thread(&self, thread: Thread, message: &SlackMessage) -> Message {
        let call =
            Call::SlackPost { base_url: self.base_url.to_owned(), channel: self.channel.to_owned(), thread };
        slack_message(call, self.token, message)
    }

    fn update(&self, message: &SlackMessage) -> Message {
        match self.receipt {
            Some(Receipt::Slack { channel, ts }) => {
                let (base_url, channel, ts) = (self.base_url.to_owned(), channel.clone(), ts.clone());
                slack_message(Call::SlackUpdate { base_url, channel, ts }, self.token, message)
            }
            _ => self.thread(Thread::New, message),
        }
    }
}

fn slack_message(call: Call, secret: &SecretArn, message: &SlackMessage) -> Message {
    let plain = Some(json!(message.text_only()));
    Message { call, secret: Some(secret.clone()), body: json!(message), plain }
}

/// An incident is opened, raised and closed. One that went silent stays open unless somebody meant
/// it to: only people can tell whether it is well.
fn page(delivery: &Delivery, notice: &Notice, routing_key: &SecretArn, base_url: &str) -> Option<Message> {
    let key = &notice.alert.key;
    // Only who opened an incident can close it, also when the route leads elsewhere by now.
    let (routing_key, base_url) = match &delivery.receipt {
        Some(Receipt::PagerDuty { routing_key, base_url, .. }) => (routing_key, base_url.as_str()),
        _ => (routing_key, base_url),
    };
    let unsigned = pagerduty::RoutingKey::try_from("0".repeat(32)).ok()?;
    let (body, plain) = match delivery.action {
        StepKind::Open | StepKind::Raise | StepKind::Flapping => {
            let body = json!(pagerduty::trigger(notice, key, unsigned));
            let plain = plain_page(&body);
            (body, Some(plain))
        }
        StepKind::Close | StepKind::Silent if delivery.step.closes_incidents => {
            (json!(pagerduty::resolve(key, unsigned)), None)
        }
        StepKind::Close | StepKind::Silent | StepKind::Edit | StepKind::Missed => return None,
    };
    let call = Call::PagerDuty { base_url: base_url.to_owned() };
    let mut body = body;
    if let Some(fields) = body.as_object_mut() {
        fields.remove("routing_key");
    }
    Some(Message { call, secret: Some(routing_key.clone()), body, plain })
}

/// What PagerDuty requires, and nothing else. A severity that it did not take becomes the one that
/// wakes people.
fn plain_page(event: &Value) -> Value {
    let mut plain = kept(event, &["event_action", "dedup_key", "payload"]);
    let mut payload = kept(&event["payload"], &["summary", "source", "severity"]);
    payload["severity"] = match event["payload"]["severity"].as_str() {
        Some(known @ ("critical" | "error" | "warning" | "info")) => json!(known),
        _ => json!("critical"),
    };
    plain["payload"] = payload;
    plain
}

fn kept(object: &Value, fields: &[&str]) -> Value {
    let all = object.as_object().into_iter().flatten();
    let some = all.filter(|(name, _)| fields.contains(&name.as_str()));
    Value::Object(some.map(|(name, value)| (name.clone(), value.clone())).collect())
}
