//! Every environment variable that capacity-meter reads, checked at once at cold start.

use std::collections::BTreeSet;
use std::str::FromStr;

use adapters::settings_folder::SettingsFolder;
use domain::names::{EndpointName, NotAName};
use domain::settings::Mistakes;
use domain::variables::Variables;
use jiff::SignedDuration;
use serde::{Serialize, Serializer};

/// The function's settings. None is a secret; all are logged once at cold start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Config {
    /// `STATE_TABLE`: the DynamoDB table that keeps topologies and prices between runs.
    pub(crate) state_table: String,
    /// `METER_QUEUE_URL`: where the endpoints of a run that is too large go, one message each.
    /// Without it no run is split.
    pub(crate) meter_queue_url: Option<String>,
    /// `CONFIG_URI`: a folder `s3://bucket/prefix/` whose `fleet.toml` replaces the one compiled in.
    pub(crate) settings_folder: Option<SettingsFolder>,
    /// `ENDPOINTS`: the endpoints to watch, separated by commas. Without it all that are found.
    pub(crate) endpoints: BTreeSet<EndpointName>,
    /// `READ_TOPOLOGY` (true): whether to ask SageMaker which instances and copies there are.
    pub(crate) read_topology: bool,
    /// `READ_PRICES` (true): whether to ask the Price List API.
    pub(crate) read_prices: bool,
    /// `TOPOLOGY_MAX_AGE_MINUTES` (15): how long what SageMaker said is used before it is asked
    /// again.
    #[serde(serialize_with = "as_minutes")]
    pub(crate) topology_max_age: SignedDuration,
    /// `MAX_SERIES_PER_RUN` (20,000): a run that would ask CloudWatch for more is split.
    pub(crate) max_series_per_run: usize,
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
        let minutes =
            variables.value("TOPOLOGY_MAX_AGE_MINUTES", 15, "minutes from 0 to 1440", is_in(0..=1440));
        let series = variables.value(
            "MAX_SERIES_PER_RUN",
            20_000,
            "a whole number from 500 to 100000",
            is_in(500..=100_000),
        );
        let config = Self {
            state_table: variables.required("STATE_TABLE").unwrap_or_default(),
            meter_queue_url: variables.optional("METER_QUEUE_URL"),
            settings_folder: variables.parsed("CONFIG_URI"),
            endpoints: variables.parsed::<Endpoints>("ENDPOINTS").unwrap_or_default().0,
            read_topology: variables.value("READ_TOPOLOGY", true, "true or false", |_| true),
            read_prices: variables.value("READ_PRICES", true, "true or false", |_| true),
            topology_max_age: SignedDuration::from_mins(i64::from(minutes)),
            max_series_per_run: usize::try_from(series).unwrap_or(usize::MAX),
        };
        variables.finish(Some(config))
    }
}

/// Names separated by commas.
#[derive(Debug, Default)]
struct Endpoints(BTreeSet<EndpointName>);

impl FromStr for Endpoints {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

fn as_minutes<S: Serializer>(age: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(age.as_mins())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_table_is_enough() {
        let config =
            Config::from_lookup(&|name| (name == "STATE_TABLE").then(|| "state".to_owned())).unwrap();
        assert!(config.read_topology && config.read_prices && config.endpoints.is_empty());
        assert_eq!(config.topology_max_age, SignedDuration::from_mins(15));
        assert_eq!(config.max_series_per_run, 20_000);
    }

    #[test]
    fn endpoints_are_names_separated_by_commas() {
        let config = Config::from_lookup(&|name| match name {
            "STATE_TABLE" => Some("state".to_owned()),
            "ENDPOINTS" => Some(" chat, code,,chat".to_owned()),
            "CONFIG_URI" => Some("s3://bucket/config".to_owned()),
            _ => None,
        });
        let shown = serde_json::to_value(config.unwrap()).unwrap();
        assert_eq!(shown["endpoints"], serde_json::json!(["chat", "code"]));
        assert_eq!(shown["settings_folder"], "s3://bucket/config/");
    }

    #[test]
    fn every_mistake_is_listed() {
        let mistakes = Config::from_lookup(&|name| match name {
            "CONFIG_URI" => Some("ftp://x".to_owned()),
            "ENDPOINTS" => Some("chat, a_b".to_owned()),
            "READ_TOPOLOGY" => Some("maybe".to_owned()),
            "READ_PRICES" => Some("1".to_owned()),
            "TOPOLOGY_MAX_AGE_MINUTES" => Some("1441".to_owned()),
            "MAX_SERIES_PER_RUN" => Some("many".to_owned()),
            _ => None,
        });
        let text = mistakes.unwrap_err().to_string();
        let named = [
            "STATE_TABLE: is not set",
            "CONFIG_URI: must be s3://bucket/prefix/, is \"ftp://x\"",
            "ENDPOINTS: \"a_b\" is not a SageMaker name",
            "READ_TOPOLOGY: must be true or false, is \"maybe\"",
            "READ_PRICES: must be true or false, is \"1\"",
            "TOPOLOGY_MAX_AGE_MINUTES: must be minutes from 0 to 1440, is \"1441\"",
            "MAX_SERIES_PER_RUN: must be a whole number from 500 to 100000, is \"many\"",
        ];
        for mistake in named {
            assert!(text.contains(mistake), "{mistake} is not in {text}");
        }
        assert!(text.starts_with("the function's environment has 7 mistakes:"), "{text}");
    }
}
