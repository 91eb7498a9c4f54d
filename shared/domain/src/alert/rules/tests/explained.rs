use std::collections::BTreeMap;

use super::*;
use crate::alert::StateReason;
use crate::alert::lifecycle::Condition;
use crate::alert::rules::{ComponentAlerts, Destination, DestinationKind, SLACK};

fn configured() -> Rules {
    let token: crate::alert::rules::SecretArn =
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf".parse().unwrap();
    let of = |name: &str| Destination {
        name: DestinationName::new(name).unwrap(),
        kind: DestinationKind::SlackBot {
            channel: "C1".to_owned(),
            token: token.clone(),
            base_url: SLACK.to_owned(),
        },
    };
    let text = r#"
        [[rule]]
        name = "leaked secret"
        metric = "LeakedSecrets"
        severity = "critical"
        [[rule]]
        name = "tests"
        environment = ["test", "dev"]
        severity = "info"
        [[rule]]
        name = "scores by their limits"
        metric = "*Score"
        severity = "from bands"
        [[mute]]
        name = "staging"
        environment = "staging"
    "#;
    rules(text).with_destinations(vec![of("slack"), of("pagerduty")]).unwrap()
}

#[test]
fn an_explanation_says_what_every_rule_and_route_said() {
    let rules = configured();
    let score = measuring(
        "Low safety",
        "metric=safety_score severity=warning InferenceComponentName=gpt-oss-20b EndpointName=chat",
        0.9,
    );
    let gpus = measuring(
        "GPU memory",
        "metric=GPUMemoryUtilizationNormalized severity=error InferenceComponentName=gpt-oss-20b",
        96.0,
    );
    let mut blind = firing("Low safety", "alertname=DatasourceNoData severity=critical environment=staging");
    blind.state_reason = Some(StateReason::NoData);
    let odd = firing("Something", "severity=purple");

    let nothing = BTreeMap::new();
    let empty = ComponentAlerts::default();
    let first = rules.explain(&gpus, &nothing, &[], at(NOON));
    let (neighbours, _) = rules.note(&empty, &first.correlated, &gpus, Condition::Firing, at(NOON));
    let records: [&[&ComponentAlerts]; 4] = [&[], &[&neighbours], &[], &[]];
    let all: Vec<String> = [&gpus, &score, &blind, &odd]
        .into_iter()
        .zip(records)
        .map(|(alert, records)| rules.explain(alert, &nothing, records, at(NOON)).to_string())
        .collect();
    insta::assert_snapshot!("explanations", all.join("\n\n"));
    let json = serde_json::to_value(&first).unwrap();
    assert_eq!(json["routing"]["audience"]["told"][0], "pagerduty");
    assert_eq!(json["rules"][0]["name"], "leaked secret");
}
