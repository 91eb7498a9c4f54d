use proptest::prelude::*;

use super::*;

/// Every kind of mistake once.
const WRONG: &str = r##"
time_zone = "Berlin"
rules = 1
[thresholds]
Nonsense = { comparison = "above", warning = 1 }
SafetyScore = { comparison = "below", warning = 0.8, critical = 0.9 }
[labels]
colour = "x"
[severity]
order = ["label", "weather"]
default = "bad"
[severity.aliases]
urgent = "red"
[blind]
severity = "never"
[went_silent]
reasons = ["bored"]
[[rule]]
name = "twice"
severity = "critical"
[[rule]]
name = "twice"
severity = "loud"
labels = { team = "/(/" }
hours = "8-18"
days = "someday"
at_least = "error"
[[signal]]
kind = "noise"
[[route]]
name = "all"
destinations = ["slack", "nowhere", "slack"]
[[route]]
name = "late"
[[mute]]
name = "ever"
[[mute]]
name = "backwards"
from = "2026-10-02T00:00:00Z"
until = "2026-10-01T00:00:00Z"
[[destination]]
name = "hook"
kind = "slack_webhook"
url = "https://hooks.slack.com/services/T000/B000/XXXXXXXXSECRET"
[[destination]]
name = "hook"
kind = "slack_bot"
channel = "#a b"
token = "xoxb-SECRET"
[[destination]]
name = "on call"
kind = "pagerduty"
routing_key = "arn:aws:s3:::bucket/SECRET"
region = "mars"
[[destination]]
name = "ops"
kind = "opsgenie"
api_key = "arn:aws:ssm:us-east-1:123456789012:parameter/ops"
base_url = "http://api.opsgenie.com"
responders = [{ type = "team" }, { name = "x" }]
[[destination]]
name = "pigeon"
kind = "pigeon"
feathers = 2
[[destination]]
name = "q"
kind = "amazon_q"
topic_arn = "chat"
[lifecycle]
flips = 1
[storm]
slack_per_second = 5
"##;

#[test]
fn every_mistake_is_told_at_once_and_no_secret_is() {
    let error = Rules::from_toml("alerts.toml", WRONG).unwrap_err();
    insta::assert_snapshot!("mistakes", error);
    assert!(!error.to_string().contains("SECRET"));
}

#[test]
fn a_secret_that_is_no_text_is_not_repeated() {
    for (kind, key) in [
        ("slack_bot", "token"),
        ("slack_webhook", "url"),
        ("pagerduty", "routing_key"),
        ("opsgenie", "api_key"),
        ("webhook", "url"),
        ("webhook", "token"),
    ] {
        for value in ["['SECRET']", "{ key = 'SECRET' }", "4815162342"] {
            let text = format!("[[destination]]\nname = 'a'\nkind = '{kind}'\n{key} = {value}\n");
            let error = Rules::from_toml("alerts.toml", &text).unwrap_err().to_string();
            assert!(error.contains(&format!("destination[0].{key}: must be a text")), "{error}");
            assert!(!error.contains("SECRET") && !error.contains("4815162342"), "{error}");
        }
    }
}

#[test]
fn a_condition_on_a_measure_that_is_not_of_now_is_a_mistake() {
    let rule = |measure: &str| {
        format!("[[rule]]\nname = 'a'\nseverity = 'info'\nmeasured = {{ {measure} = 'warning' }}\n")
    };
    for measure in ["CompositeQualityDrop", "ModelLatencyRise", "JudgeBudgetShare"] {
        let error = Rules::from_toml("alerts.toml", &rule(measure)).unwrap_err();
        assert_eq!(error.list.len(), 1, "{error}");
        assert!(
            error.list[0].starts_with(&format!("rule[0].measured.{measure}: is not looked up")),
            "{error}"
        );
    }
    for measure in ["CompositeQualityScore", "MeterRuns", "RequestsPerCopy", "ErrorShare"] {
        assert!(Rules::from_toml("alerts.toml", &rule(measure)).is_ok(), "{measure}");
    }
}

#[test]
fn a_secret_is_named_by_the_arn_of_a_secret_or_parameter_and_by_nothing_else() {
    use crate::alert::rules::SecretArn;
    for right in [
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf",
        "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:team/slack@x-AbCdEf",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/assay/pagerduty",
    ] {
        assert!(right.parse::<SecretArn>().is_ok(), "{right}");
    }
    for wrong in [
        "",
        "slack-AbCdEf",
        "https://hooks.slack.com/services/T/B/X",
        "xoxb-1-2",
        "arn:aws:secretsmanager:us-east-1:1234:secret:slack",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:a b",
        "arn:aws:ssm:us-east-1:123456789012:document/x",
        "arn:aws:s3:::bucket",
    ] {
        assert!(wrong.parse::<SecretArn>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "(rule|route|\\[\\[|\\]\\]|\\[|\\]|mute|thresholds|=|\"|'|hours|days|\\*|/|!|\\{|\\}|\n| |[a-z0-9:.-]){0,80}") {
        let _ = Rules::from_toml("alerts.toml", &text);
    }
}
