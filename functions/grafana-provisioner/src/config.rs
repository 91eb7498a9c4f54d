//! Every environment variable that grafana-provisioner reads.

use std::str::FromStr;

use adapters::grafana::{Address, NotAnAddress};
use adapters::settings_folder::SettingsFolder;
use domain::dashboard::{Identity, RUNBOOKS};
use domain::settings::Mistakes;
use domain::variables::Variables;
use serde::{Serialize, Serializer};

/// The function's settings. None is a secret; all are logged once at cold start. Mistakes do not end
/// the start: they are the answer to every event, so that CloudFormation gets one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Config {
    /// `STACK_NAME`: what uids, folder and labels are made of.
    #[serde(serialize_with = "as_name")]
    pub(crate) identity: Identity,
    /// `ALERT_TOPIC_ARN`: where the contact point sends alerts.
    pub(crate) topic_arn: String,
    /// `JUDGE_MODEL_ID`: the judge, for the panel that names it.
    pub(crate) judge_model: Option<String>,
    /// `DAILY_BUDGET_USD`: what the judge may cost a day; without it nothing watches the budget.
    pub(crate) daily_budget_usd: Option<f64>,
    /// `RUNBOOK_BASE_URL`: the folder of runbooks that alerts lead to, ending in a slash.
    pub(crate) runbooks: String,
    /// `GRAFANA_URL`: the one Grafana outside of AWS that a token is sent to.
    pub(crate) own_grafana: Option<OwnGrafana>,
    /// `CONFIG_URI`: a folder `s3://bucket/prefix/` whose `alerts.toml`, `fleet.toml` and
    /// `rubric.toml` replace those compiled in.
    pub(crate) settings_folder: Option<SettingsFolder>,
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
        let identity = variables.needed::<Identity>("STACK_NAME");
        let topic_arn = variables.required("ALERT_TOPIC_ARN").unwrap_or_default();
        if !topic_arn.is_empty() && region_of(&topic_arn).is_none() {
            variables.mistake("ALERT_TOPIC_ARN", "must be the ARN of an SNS topic");
        }
        let budget = variables.optional("DAILY_BUDGET_USD");
        let daily_budget_usd = budget.and_then(|text| {
            let budget = text.parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd >= 0.0);
            if budget.is_none() {
                variables.mistake("DAILY_BUDGET_USD", format_args!("must be US dollars, is {text:?}"));
            }
            budget
        });
        let runbooks = variables.optional("RUNBOOK_BASE_URL").unwrap_or_else(|| RUNBOOKS.to_owned());
        if !(runbooks.starts_with("https://") && runbooks.ends_with('/')) {
            variables.mistake("RUNBOOK_BASE_URL", "must start with https:// and end with a slash");
        }
        let own_grafana = variables.parsed("GRAFANA_URL");
        let settings_folder = variables.parsed("CONFIG_URI");
        let config = identity.map(|identity| Self {
            identity,
            topic_arn,
            judge_model: variables.optional("JUDGE_MODEL_ID"),
            daily_budget_usd,
            runbooks,
            own_grafana,
            settings_folder,
        });
        variables.finish(config)
    }
}

/// The address of a Grafana of one's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnGrafana(Address);

impl OwnGrafana {
    /// Whether `address` is the same.
    pub(crate) fn is_at(&self, address: &Address) -> bool {
        self.0.shown().trim_end_matches('/') == address.shown().trim_end_matches('/')
    }
}

impl FromStr for OwnGrafana {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        Address::parse(text).map(Self)
    }
}

impl Serialize for OwnGrafana {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.shown())
    }
}

/// The region in the ARN of a topic.
pub(crate) fn region_of(topic_arn: &str) -> Option<&str> {
    let parts: Vec<&str> = topic_arn.split(':').collect();
    let ["arn", _, "sns", region, _, name] = parts.as_slice() else { return None };
    (!region.is_empty() && !name.is_empty()).then_some(region)
}

fn as_name<S: Serializer>(identity: &Identity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(identity.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:grafana-assay-alerts";

    #[test]
    fn the_stack_and_its_topic_are_enough() {
        let config = Config::from_lookup(&|name| match name {
            "STACK_NAME" => Some("assay".to_owned()),
            "ALERT_TOPIC_ARN" => Some(TOPIC.to_owned()),
            _ => None,
        });
        let config = config.unwrap();
        assert_eq!(config.identity.as_str(), "assay");
        assert_eq!(region_of(&config.topic_arn), Some("eu-central-1"));
        assert!(config.judge_model.is_none() && config.daily_budget_usd.is_none());
        assert!(config.runbooks == RUNBOOKS && config.own_grafana.is_none());
    }

    #[test]
    fn every_mistake_is_listed() {
        let mistakes = Config::from_lookup(&|name| match name {
            "STACK_NAME" => Some("a stack".to_owned()),
            "ALERT_TOPIC_ARN" => Some("arn:aws:sqs:eu-central-1:123456789012:q".to_owned()),
            "DAILY_BUDGET_USD" => Some("-1".to_owned()),
            "CONFIG_URI" => Some("ftp://x".to_owned()),
            "RUNBOOK_BASE_URL" => Some("https://wiki.example.com/runbooks".to_owned()),
            "GRAFANA_URL" => Some("http://grafana.example.com".to_owned()),
            _ => None,
        });
        let text = mistakes.unwrap_err().to_string();
        for mistake in [
            "STACK_NAME: \"a stack\" cannot name dashboards",
            "ALERT_TOPIC_ARN: must be the ARN of an SNS topic",
            "DAILY_BUDGET_USD: must be US dollars, is \"-1\"",
            "CONFIG_URI: must be s3://bucket/prefix/",
            "RUNBOOK_BASE_URL: must start with https:// and end with a slash",
            "GRAFANA_URL: the address must start with https://",
        ] {
            assert!(text.contains(mistake), "{mistake} is not in {text}");
        }
        let text = Config::from_lookup(&|_| None).unwrap_err().to_string();
        assert!(
            text.contains("STACK_NAME: is not set") && text.contains("ALERT_TOPIC_ARN: is not set"),
            "{text}"
        );
    }
}
