//! Every environment variable that quality-judge reads, checked at once at cold start.

use std::time::Duration;

use adapters::settings_folder::SettingsFolder;
use domain::money::MicroUsd;
use domain::settings::Mistakes;
use domain::variables::Variables;
use serde::Serialize;

/// The function's settings. None is a secret; all are logged once at cold start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Config {
    /// `STATE_TABLE`: the DynamoDB table of leases, progress, verdicts and budgets.
    pub(crate) state_table: String,
    /// `CAPTURE_BUCKET`: the only bucket whose objects are read.
    pub(crate) capture_bucket: String,
    /// `CAPTURE_QUEUE_URL`: where the rest of a long object goes. Without it the rest waits for
    /// the next delivery of the event.
    pub(crate) capture_queue_url: Option<String>,
    /// `VERDICT_BUCKET` and `VERDICT_PREFIX` (`verdicts/`): where verdicts are stored.
    pub(crate) verdict_bucket: String,
    /// See [`Config::verdict_bucket`].
    pub(crate) verdict_prefix: String,
    /// `CONFIG_URI`: a folder `s3://bucket/prefix/` whose `rubric.toml` and
    /// `fleet.toml` replace the ones compiled in.
    pub(crate) settings_folder: Option<SettingsFolder>,
    /// `JUDGE_MODEL_ID`: a Bedrock model id, inference profile id or its ARN.
    pub(crate) judge_model_id: String,
    /// `JUDGE_CONCURRENCY` (16): judge calls under way at once, at most.
    pub(crate) judge_concurrency: u16,
    /// `JUDGE_TIMEOUT_SECONDS` (45): how long one judge call may take.
    pub(crate) judge_timeout: Duration,
    /// `SAMPLE_RATE` (0.1): the share of exchanges that is judged, where `fleet.toml` has none.
    pub(crate) sample_rate: f64,
    /// `SAMPLE_CAP_PER_HOUR` (60): samples per component and hour, where `fleet.toml` has none.
    pub(crate) sample_cap_per_hour: u32,
    /// `DAILY_BUDGET_USD` (10): what the judge may cost in one UTC day.
    pub(crate) daily_budget: MicroUsd,
    /// `MAX_LINE_BYTES` (16 MiB): longer lines are skipped and counted. Each of the objects that are read at
    /// a time may hold one in memory.
    pub(crate) max_line_bytes: usize,
    /// `MAX_SAMPLE_CHARS` (24,000): what the judge sees of one exchange; the middle of longer
    /// texts is cut. See [`most_sample_chars`].
    pub(crate) max_sample_chars: usize,
    /// `STORE_SAMPLE_TEXT` (false): whether verdicts carry question and answer.
    pub(crate) store_sample_text: bool,
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
        let state_table = variables.required("STATE_TABLE");
        let capture_bucket = variables.required("CAPTURE_BUCKET");
        let verdict_bucket = variables.required("VERDICT_BUCKET");
        let judge_model_id = variables.required("JUDGE_MODEL_ID");
        let judge_timeout =
            variables.value("JUDGE_TIMEOUT_SECONDS", 45, "seconds from 1 to 600", is_in(1..=600));
        let store_sample_text = variables.value("STORE_SAMPLE_TEXT", false, "true or false", |_| true);
        let (most_chars, most_chars_in_words) = most_sample_chars(store_sample_text);
        let config = Self {
            state_table: state_table.unwrap_or_default(),
            capture_bucket: capture_bucket.unwrap_or_default(),
            capture_queue_url: variables.optional("CAPTURE_QUEUE_URL"),
            verdict_bucket: verdict_bucket.unwrap_or_default(),
            verdict_prefix: variables.value(
                "VERDICT_PREFIX",
                "verdicts/".to_owned(),
                "a key prefix that ends with '/' and does not start with one",
                |prefix| prefix.ends_with('/') && !prefix.starts_with('/'),
            ),
            settings_folder: variables.parsed("CONFIG_URI"),
            judge_model_id: judge_model_id.unwrap_or_default(),
            judge_concurrency: variables.value(
                "JUDGE_CONCURRENCY",
                16,
                "a whole number from 1 to 256",
                is_in(1..=256),
            ),
            judge_timeout: Duration::from_secs(judge_timeout),
            sample_rate: variables.value("SAMPLE_RATE", 0.1, "a number from 0 to 1", is_in(0.0..=1.0)),
            sample_cap_per_hour: variables.value("SAMPLE_CAP_PER_HOUR", 60, "a whole number", |_| true),
            daily_budget: budget(&variables),
            max_line_bytes: variables.value(
                "MAX_LINE_BYTES",
                16 << 20,
                "bytes from 1024 to 33554432",
                is_in(1024..=32 << 20),
            ),
            max_sample_chars: variables.value(
                "MAX_SAMPLE_CHARS",
                24_000,
                most_chars_in_words,
                is_in(1000..=most_chars),
            ),
            store_sample_text,
        };
        variables.finish(Some(config))
    }
}

/// The most that `MAX_SAMPLE_CHARS` may be, and how a mistake says it. A verdict with its texts is one
/// item of the state table, which holds 400 kB; a character takes up to 6 bytes of JSON.
fn most_sample_chars(store_sample_text: bool) -> (usize, &'static str) {
    if store_sample_text {
        (60_000, "characters from 1000 to 60000 while STORE_SAMPLE_TEXT is true")
    } else {
        (400_000, "characters from 1000 to 400000")
    }
}

fn is_in<T: PartialOrd>(range: std::ops::RangeInclusive<T>) -> impl Fn(&T) -> bool {
    move |value| range.contains(value)
}

fn budget(variables: &Variables<'_>) -> MicroUsd {
    let default = MicroUsd(10_000_000);
    let usd = variables.value("DAILY_BUDGET_USD", default.usd(), "US dollars, 0 or more", |usd: &f64| {
        MicroUsd::from_usd(*usd).is_some()
    });
    MicroUsd::from_usd(usd).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_names_are_enough() {
        let config = Config::from_lookup(&|name| match name {
            "STATE_TABLE" | "CAPTURE_BUCKET" | "VERDICT_BUCKET" | "JUDGE_MODEL_ID" => {
                Some(name.to_lowercase())
            }
            _ => None,
        });
        let config = config.unwrap();
        assert_eq!(config.judge_concurrency, 16);
        assert_eq!(config.daily_budget, MicroUsd(10_000_000));
        assert_eq!(config.max_line_bytes, 16 * 1024 * 1024);
    }

    #[test]
    fn a_verdict_with_texts_fits_into_an_item_of_the_state_table() {
        let read = |chars: &str, store: &str| {
            Config::from_lookup(&|name| match name {
                "MAX_SAMPLE_CHARS" => Some(chars.to_owned()),
                "STORE_SAMPLE_TEXT" => Some(store.to_owned()),
                _ => Some("1".to_owned()),
            })
        };
        let of = |chars, store| read(chars, store).err().map(|mistakes| mistakes.to_string());
        let about = |text: Option<String>| text.is_some_and(|text| text.contains("MAX_SAMPLE_CHARS"));
        assert!(!about(of("400000", "false")) && !about(of("60000", "true")));
        assert!(about(of("60001", "true")) && about(of("400001", "false")));
    }

    #[test]
    fn every_mistake_is_listed() {
        let mistakes = Config::from_lookup(&|name| match name {
            "SAMPLE_RATE" => Some("NaN".to_owned()),
            "JUDGE_CONCURRENCY" => Some("0".to_owned()),
            "DAILY_BUDGET_USD" => Some("-1".to_owned()),
            "VERDICT_PREFIX" => Some("/x".to_owned()),
            "STORE_SAMPLE_TEXT" => Some("maybe".to_owned()),
            _ => None,
        });
        let text = mistakes.unwrap_err().to_string();
        let named = [
            "STATE_TABLE: is not set",
            "CAPTURE_BUCKET: is not set",
            "VERDICT_BUCKET: is not set",
            "JUDGE_MODEL_ID: is not set",
            "SAMPLE_RATE: must be a number from 0 to 1, is \"NaN\"",
            "JUDGE_CONCURRENCY: must be a whole number from 1 to 256, is \"0\"",
            "DAILY_BUDGET_USD: must be US dollars, 0 or more, is \"-1\"",
            "VERDICT_PREFIX: must be a key prefix",
            "STORE_SAMPLE_TEXT: must be true or false, is \"maybe\"",
        ];
        for mistake in named {
            assert!(text.contains(mistake), "{mistake} is not in {text}");
        }
        assert!(text.starts_with("the function's environment has 9 mistakes:"), "{text}");
    }
}
