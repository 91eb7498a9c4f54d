//! Every environment variable that alert-router reads, checked at once at cold start.

use std::time::Duration;

use adapters::settings_folder::SettingsFolder;
use domain::alert::rules::{
    Destination, DestinationKind, DestinationName, PagerDutyRegion, SLACK, SecretArn, as_base_url,
};
use domain::settings::Mistakes;
use domain::variables::Variables;
use serde::{Serialize, Serializer};

/// The function's settings. None is a secret: secrets are named by their ARNs. All are logged once
/// at cold start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Config {
    /// `STATE_TABLE`: the DynamoDB table of what was told to whom.
    pub(crate) state_table: String,
    /// `DEAD_LETTER_QUEUE_URL`: where messages go that a destination refuses for good.
    pub(crate) dead_letter_queue_url: String,
    /// `RETURN_QUEUE_URL`: the queue through which messages come back to the function.
    pub(crate) return_queue_url: String,
    /// `CONFIG_URI`: a folder `s3://bucket/prefix/` whose `alerts.toml` and `fleet.toml` replace
    /// those compiled in.
    pub(crate) settings_folder: Option<SettingsFolder>,
    /// Destinations by name, of `SLACK_TOKEN_ARN` with `SLACK_CHANNEL` or `SLACK_WEBHOOK_ARN`,
    /// `PAGERDUTY_ROUTING_KEY_ARN` with `PAGERDUTY_REGION` (us), `OPSGENIE_API_KEY_ARN` with
    /// `OPSGENIE_BASE_URL` (Opsgenie's in the United States), `WEBHOOK_URL_ARN` and
    /// `AMAZON_Q_TOPIC_ARN`. Each may be missing.
    #[serde(serialize_with = "as_names")]
    pub(crate) destinations: Vec<Destination>,
    /// `ENRICHMENT_MS` (1500): how long may be looked up what the numbers are now; 0 looks up
    /// nothing.
    #[serde(serialize_with = "as_millis")]
    pub(crate) enrichment: Duration,
    /// `SECRET_MINUTES` (15): how long a secret is kept in memory.
    #[serde(serialize_with = "as_millis")]
    pub(crate) secrets_kept_for: Duration,
}

impl Config {
    /// Reads the process's environment.
    pub(crate) fn from_env() -> Result<Self, Mistakes> {
        Self::from_lookup(&|name| std::env::var(name).ok())
    }

    /// Reads what `lookup` finds.
    ///
    /// # Errors
    /// All mistakes at once, each with its variable.
    pub(crate) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Mistakes> {
        let variables = Variables::new(lookup);
        let is_in = |range: std::ops::RangeInclusive<u32>| move |number: &u32| range.contains(number);
        let enrichment =
            variables.value("ENRICHMENT_MS", 1500, "milliseconds from 0 to 10000", is_in(0..=10_000));
        let secrets = variables.value("SECRET_MINUTES", 15, "minutes from 1 to 1440", is_in(1..=1440));
        let config = Self {
            state_table: variables.required("STATE_TABLE").unwrap_or_default(),
            dead_letter_queue_url: variables.required("DEAD_LETTER_QUEUE_URL").unwrap_or_default(),
            return_queue_url: variables.required("RETURN_QUEUE_URL").unwrap_or_default(),
            settings_folder: variables.parsed("CONFIG_URI"),
            destinations: destinations(&variables),
            enrichment: Duration::from_millis(enrichment.into()),
            secrets_kept_for: Duration::from_secs(u64::from(secrets) * 60),
        };
        variables.finish(Some(config))
    }
}

/// What the stack's parameters configure; `alerts.toml` may describe more.
fn destinations(variables: &Variables<'_>) -> Vec<Destination> {
    let secret = |name: &str| variables.parsed::<SecretArn>(name);
    let webhook = secret("WEBHOOK_URL_ARN").map(|url| DestinationKind::Webhook { url, token: None });
    let kinds = [
        ("slack", slack(variables)),
        ("pagerduty", pagerduty(variables)),
        ("opsgenie", opsgenie(variables)),
        ("webhook", webhook),
        ("amazon-q", amazon_q(variables)),
    ];
    let destination = |(name, kind): (&str, Option<DestinationKind>)| {
        Some(Destination { name: DestinationName::new(name)?, kind: kind? })
    };
    kinds.into_iter().filter_map(destination).collect()
}

fn slack(variables: &Variables<'_>) -> Option<DestinationKind> {
    let token = variables.parsed::<SecretArn>("SLACK_TOKEN_ARN");
    let webhook = variables.parsed::<SecretArn>("SLACK_WEBHOOK_ARN");
    let channel = variables.optional("SLACK_CHANNEL");
    match (token, webhook, channel) {
        (Some(_), Some(_), _) => {
            variables.mistake("SLACK_WEBHOOK_ARN", "must not be set beside SLACK_TOKEN_ARN: one is enough");
            None
        }
        (Some(token), None, Some(channel)) => {
            Some(DestinationKind::SlackBot { channel, token, base_url: SLACK.to_owned() })
        }
        (Some(_), None, None) => {
            variables.mistake("SLACK_CHANNEL", "is not set; a bot must know where to post");
            None
        }
        (None, Some(url), _) => Some(DestinationKind::SlackWebhook { url }),
        (None, None, _) => None,
    }
}

fn pagerduty(variables: &Variables<'_>) -> Option<DestinationKind> {
    let region = variables.optional("PAGERDUTY_REGION");
    let region = match region.as_deref() {
        None | Some("us") => PagerDutyRegion::Us,
        Some("eu") => PagerDutyRegion::Eu,
        Some(other) => {
            variables.mistake("PAGERDUTY_REGION", format_args!("must be us or eu, is {other:?}"));
            PagerDutyRegion::Us
        }
    };
    let routing_key = variables.parsed("PAGERDUTY_ROUTING_KEY_ARN")?;
    Some(DestinationKind::PagerDuty { routing_key, base_url: region.base_url().to_owned() })
}

fn opsgenie(variables: &Variables<'_>) -> Option<DestinationKind> {
    let base_url = variables.optional("OPSGENIE_BASE_URL");
    let base_url = base_url.unwrap_or_else(|| "https://api.opsgenie.com/v2/alerts".to_owned());
    let base_url = as_base_url(&base_url);
    if base_url.is_none() {
        variables.mistake("OPSGENIE_BASE_URL", "must be an https address without user, query and fragment");
    }
    let api_key = variables.parsed("OPSGENIE_API_KEY_ARN")?;
    Some(DestinationKind::Opsgenie { api_key, base_url: base_url?, responders: Vec::new() })
}

fn amazon_q(variables: &Variables<'_>) -> Option<DestinationKind> {
    let topic_arn = variables.optional("AMAZON_Q_TOPIC_ARN")?;
    if !topic_arn.starts_with("arn:") || topic_arn.split(':').nth(2) != Some("sns") {
        variables.mistake("AMAZON_Q_TOPIC_ARN", "must be the ARN of an SNS topic");
    }
    Some(DestinationKind::AmazonQ { topic_arn })
}

fn as_names<S: Serializer>(destinations: &[Destination], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(destinations.iter().map(|destination| destination.name.as_str()))
}

fn as_millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(time.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-AbCdEf#token";

    fn config(variables: &[(&str, &str)]) -> Result<Config, Mistakes> {
        let needed = [
            ("STATE_TABLE", "state"),
            ("DEAD_LETTER_QUEUE_URL", "https://sqs/d"),
            ("RETURN_QUEUE_URL", "https://sqs/r"),
        ];
        Config::from_lookup(&|name| {
            let all = needed.iter().chain(variables);
            all.filter(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()).next_back()
        })
    }

    #[test]
    fn the_table_and_the_queues_are_enough() {
        let config = config(&[]).unwrap();
        assert_eq!(config.destinations, []);
        assert_eq!(config.enrichment, Duration::from_millis(1500));
        assert_eq!(config.secrets_kept_for, Duration::from_mins(15));
    }

    #[test]
    fn what_is_configured_is_a_destination() {
        let topic = "arn:aws:sns:eu-central-1:123456789012:chat";
        let config = config(&[
            ("SLACK_TOKEN_ARN", TOKEN),
            ("SLACK_CHANNEL", "C1"),
            ("PAGERDUTY_ROUTING_KEY_ARN", TOKEN),
            ("PAGERDUTY_REGION", "eu"),
            ("OPSGENIE_API_KEY_ARN", TOKEN),
            ("WEBHOOK_URL_ARN", TOKEN),
            ("AMAZON_Q_TOPIC_ARN", topic),
        ])
        .unwrap();
        let shown = serde_json::to_value(&config).unwrap();
        let names = serde_json::json!(["slack", "pagerduty", "opsgenie", "webhook", "amazon-q"]);
        assert_eq!(shown["destinations"], names);
        let eu = "https://events.eu.pagerduty.com".to_owned();
        let pager = DestinationKind::PagerDuty { routing_key: TOKEN.parse().unwrap(), base_url: eu };
        assert_eq!(config.destinations[1].kind, pager);
    }

    #[test]
    fn every_mistake_is_listed_and_no_secret_is() {
        let mistakes = Config::from_lookup(&|name| match name {
            "SLACK_TOKEN_ARN" => Some(TOKEN.to_owned()),
            "PAGERDUTY_ROUTING_KEY_ARN" => Some("0123456789abcdefquokka".to_owned()),
            "PAGERDUTY_REGION" => Some("mars".to_owned()),
            "OPSGENIE_BASE_URL" => Some("http://api.opsgenie.com".to_owned()),
            "WEBHOOK_URL_ARN" => Some("https://quokka.example".to_owned()),
            "AMAZON_Q_TOPIC_ARN" => Some("chat".to_owned()),
            "ENRICHMENT_MS" => Some("10001".to_owned()),
            "SECRET_MINUTES" => Some("0".to_owned()),
            "CONFIG_URI" => Some("ftp://x".to_owned()),
            _ => None,
        });
        let text = mistakes.unwrap_err().to_string();
        let named = [
            "STATE_TABLE: is not set",
            "DEAD_LETTER_QUEUE_URL: is not set",
            "RETURN_QUEUE_URL: is not set",
            "SLACK_CHANNEL: is not set",
            "PAGERDUTY_ROUTING_KEY_ARN: is not the ARN of a secret",
            "PAGERDUTY_REGION: must be us or eu, is \"mars\"",
            "OPSGENIE_BASE_URL: must be an https address",
            "WEBHOOK_URL_ARN: is not the ARN of a secret",
            "AMAZON_Q_TOPIC_ARN: must be the ARN of an SNS topic",
            "ENRICHMENT_MS: must be milliseconds from 0 to 10000",
            "SECRET_MINUTES: must be minutes from 1 to 1440",
            "CONFIG_URI: must be s3://bucket/prefix/",
        ];
        for mistake in named {
            assert!(text.contains(mistake), "{mistake} is not in {text}");
        }
        assert!(text.contains("has 12 mistakes") && !text.contains("quokka"), "{text}");
    }
}
