//! Where messages go: the tables `[[destination]]`. Secrets are named by ARN, never written down.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::secret_arn::{SecretArn, arn_resource};
use super::word::{Word, read_word};
use crate::alert::message::opsgenie::{Responder, ResponderKind, ResponderName};
use crate::settings::Section;

/// The name of a destination in routes and in the record of an alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DestinationName(String);

impl DestinationName {
    /// A name: 1 to 40 of `a-z A-Z 0-9 _ -`.
    pub fn new(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        ((1..=40).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place that messages go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// What routes call it.
    pub name: DestinationName,
    /// What it is and how it is reached.
    pub kind: DestinationKind,
}

/// What a destination is and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationKind {
    /// Slack by bot token: posts, updates and threads.
    SlackBot {
        /// Channel id or name.
        channel: String,
        /// Holds the bot token.
        token: SecretArn,
        /// Where the methods of the Web API are, without a slash at the end.
        base_url: String,
    },
    /// Slack by incoming webhook: plain posts.
    SlackWebhook {
        /// Holds the webhook's URL.
        url: SecretArn,
    },
    /// `PagerDuty` Events API v2.
    PagerDuty {
        /// Holds the integration key.
        routing_key: SecretArn,
        /// Where events are taken, without a slash at the end.
        base_url: String,
    },
    /// Opsgenie, or Jira Service Management by its base URL.
    Opsgenie {
        /// Holds the API key.
        api_key: SecretArn,
        /// The address that alerts are created at, without a slash at the end.
        base_url: String,
        /// Whom the alert is for; the integration's own when empty.
        responders: Vec<Responder>,
    },
    /// Any HTTPS address, with Assay's own JSON.
    Webhook {
        /// Holds the URL.
        url: SecretArn,
        /// Holds a bearer token, when the address asks for one.
        token: Option<SecretArn>,
    },
    /// Amazon Q Developer in chat applications, by its SNS topic.
    AmazonQ {
        /// The topic's ARN.
        topic_arn: String,
    },
}

impl DestinationKind {
    /// The word in `alerts.toml` and in logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SlackBot { .. } => "slack_bot",
            Self::SlackWebhook { .. } => "slack_webhook",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Opsgenie { .. } => "opsgenie",
            Self::Webhook { .. } => "webhook",
            Self::AmazonQ { .. } => "amazon_q",
        }
    }

    /// Whether each alert is an incident of its own there, also in a storm.
    pub const fn is_per_incident(&self) -> bool {
        matches!(self, Self::PagerDuty { .. } | Self::Opsgenie { .. })
    }

    /// The secret that is needed to reach it.
    pub const fn secret(&self) -> Option<&SecretArn> {
        match self {
            Self::SlackBot { token: secret, .. }
            | Self::SlackWebhook { url: secret }
            | Self::PagerDuty { routing_key: secret, .. }
            | Self::Opsgenie { api_key: secret, .. }
            | Self::Webhook { url: secret, .. } => Some(secret),
            Self::AmazonQ { .. } => None,
        }
    }
}

/// Where Slack's Web API is.
pub const SLACK: &str = "https://slack.com/api";

/// Where a `PagerDuty` account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagerDutyRegion {
    /// The United States.
    Us,
    /// The European Union.
    Eu,
}

impl PagerDutyRegion {
    /// Where events are taken.
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Us => "https://events.pagerduty.com",
            Self::Eu => "https://events.eu.pagerduty.com",
        }
    }
}

const KINDS: [Word<&str>; 6] = [
    ("slack_bot", "slack_bot"),
    ("slack_webhook", "slack_webhook"),
    ("pagerduty", "pagerduty"),
    ("opsgenie", "opsgenie"),
    ("webhook", "webhook"),
    ("amazon_q", "amazon_q"),
];

/// Reads the tables `[[destination]]`, and the names of all of them, also of those that are
/// mistaken otherwise. Names are unique.
pub(super) fn read_destinations(root: &Section) -> (Vec<Destination>, Vec<DestinationName>) {
    let mut read = Vec::new();
    let mut names: Vec<DestinationName> = Vec::new();
    for section in root.sections("destination") {
        let name = read_name(&section);
        let kind = read_kind(&section);
        let Some(name) = name else { continue };
        if names.contains(&name) {
            section.mistake("name", format_args!("\"{name}\" is already the name of another destination"));
        }
        names.push(name.clone());
        read.extend(kind.map(|kind| Destination { name, kind }));
    }
    (read, names)
}

fn read_name(section: &Section) -> Option<DestinationName> {
    let text = section.text("name")?;
    let name = DestinationName::new(&text);
    if name.is_none() {
        section.mistake("name", "must be 1 to 40 of a-z, A-Z, 0-9, '_' and '-'");
    }
    name
}

fn read_kind(section: &Section) -> Option<DestinationKind> {
    if !section.has("kind") {
        let all: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
        section.mistake("kind", format_args!("is missing: {}", all.join(", ")));
    }
    let Some(kind) = read_word(section, "kind", &KINDS) else {
        // What belongs to an unknown kind is not looked at, and not reported as unknown.
        section.keys();
        return None;
    };
    match kind {
        "slack_bot" => {
            let (channel, token) = (read_channel(section), read_secret(section, "token"));
            let base_url = read_base_url(section, Some(SLACK), SLACK);
            Some(DestinationKind::SlackBot { channel: channel?, token: token?, base_url: base_url? })
        }
        "slack_webhook" => Some(DestinationKind::SlackWebhook { url: read_secret(section, "url")? }),
        "pagerduty" => {
            let routing_key = read_secret(section, "routing_key");
            let region =
                read_word(section, "region", &[("us", PagerDutyRegion::Us), ("eu", PagerDutyRegion::Eu)]);
            let default = region.unwrap_or(PagerDutyRegion::Us).base_url();
            let base_url = read_base_url(section, Some(default), default);
            Some(DestinationKind::PagerDuty { routing_key: routing_key?, base_url: base_url? })
        }
        "opsgenie" => {
            let api_key = read_secret(section, "api_key");
            let base_url = read_base_url(section, None, OPSGENIE);
            let responders = read_responders(section);
            Some(DestinationKind::Opsgenie { api_key: api_key?, base_url: base_url?, responders })
        }
        "webhook" => {
            let url = read_secret(section, "url");
            let token = section.has("token").then(|| read_secret(section, "token"));
            Some(DestinationKind::Webhook { url: url?, token: token.flatten() })
        }
        _ => Some(DestinationKind::AmazonQ { topic_arn: read_topic(section)? }),
    }
}

fn read_secret(section: &Section, key: &str) -> Option<SecretArn> {
    match section.unshown_text(key)?.parse() {
        Ok(arn) => Some(arn),
        Err(problem) => {
            section.mistake(key, problem);
            None
        }
    }
}

fn read_channel(section: &Section) -> Option<String> {
    let channel = section.text("channel")?;
    let is_right =
        channel.len() <= 81 && !channel.contains(char::is_whitespace) && !channel.starts_with("xox");
    if !is_right {
        section.mistake("channel", "must be the id or the name of a channel, such as C0123456789");
    }
    is_right.then_some(channel)
}

const OPSGENIE: &str = "https://api.opsgenie.com/v2/alerts, https://api.eu.opsgenie.com/v2/alerts or \
                        https://api.atlassian.com/jsm/ops/integration/v2/alerts";

fn read_base_url(section: &Section, default: Option<&str>, known: &str) -> Option<String> {
    let Some(url) = section.optional_text("base_url") else {
        if section.has("base_url") {
            return None;
        }
        if default.is_none() {
            section.mistake("base_url", format_args!("is missing: {known}"));
        }
        return default.map(str::to_owned);
    };
    let read = as_base_url(&url);
    if read.is_none() {
        section.mistake(
            "base_url",
            format_args!("must be an https address without user, query and fragment: {known}"),
        );
    }
    read
}

/// A service's address, without a slash at its end, when secrets may be sent to it: `https`, or
/// `http` to this machine, where a proxy of the operator's may listen.
pub fn as_base_url(url: &str) -> Option<String> {
    let is_on_this_machine = |rest: &str| {
        let host = rest.split('/').next().unwrap_or_default();
        let host =
            host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(host, _)| host);
        ["127.0.0.1", "localhost", "[::1]"].contains(&host)
    };
    let secure = url.strip_prefix("https://");
    let rest = secure.or_else(|| url.strip_prefix("http://").filter(|rest| is_on_this_machine(rest)))?;
    let is_right = !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['@', '?', '#', ' ']);
    is_right.then(|| url.trim_end_matches('/').to_owned())
}

fn read_responders(section: &Section) -> Vec<Responder> {
    const TYPES: [Word<ResponderKind>; 4] = [
        ("team", ResponderKind::Team),
        ("user", ResponderKind::User),
        ("escalation", ResponderKind::Escalation),
        ("schedule", ResponderKind::Schedule),
    ];
    let mut responders = Vec::new();
    for own in section.sections("responders") {
        let kind = read_word(&own, "type", &TYPES);
        if !own.has("type") {
            own.mistake("type", "is missing: team, user, escalation or schedule");
        }
        let id = own.optional_text("id").map(ResponderName::Id);
        let name = own.optional_text("name").map(ResponderName::Name);
        let username = own.optional_text("username").map(ResponderName::Username);
        let given: Vec<ResponderName> = [id, name, username].into_iter().flatten().collect();
        match (kind, <[_; 1]>::try_from(given)) {
            (Some(kind), Ok([name])) => responders.push(Responder { kind, name }),
            (_, Err(_)) => own.mistake("", "needs one of id, name and username"),
            (None, Ok(_)) => {}
        }
    }
    responders
}

fn read_topic(section: &Section) -> Option<String> {
    let arn = section.text("topic_arn")?;
    let is_right = arn_resource(&arn, "sns").is_some_and(|name| !name.contains(':'));
    if !is_right {
        section.mistake("topic_arn", "must be like arn:aws:sns:<region>:<account>:<topic>");
    }
    is_right.then_some(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_in_the_clear_to_this_machine_only() {
        for good in
            ["https://slack.com/api/", "http://127.0.0.1:4566/slack", "http://[::1]/x", "http://localhost"]
        {
            assert_eq!(as_base_url(good).as_deref(), Some(good.trim_end_matches('/')), "{good}");
        }
        for bad in [
            "http://slack.com",
            "http://127.0.0.1.example.com",
            "http://localhost@evil.example",
            "https://",
            "x",
        ] {
            assert_eq!(as_base_url(bad), None, "{bad}");
        }
    }
}
