use std::collections::BTreeMap;

use super::*;
use crate::alert::rules::UnknownSeverity;
use crate::alert::{Comparison, Meaning, Severity, StateReason, Threshold};

#[test]
fn a_label_says_how_bad_it_is_in_many_words() {
    let rules = shipped();
    for (labels, expected) in [
        ("severity=critical", "critical: label severity=critical"),
        ("severity=P1", "critical: label severity=P1"),
        ("severity=page", "critical: label severity=page"),
        ("priority=high", "error: label priority=high"),
        ("severity=minor", "warning: label severity=minor"),
        ("severity=none", "info: label severity=none"),
        // A label that says nothing does not hide the next.
        ("severity=purple level=fatal", "critical: label level=fatal"),
    ] {
        assert_eq!(reason(&rules, &firing("Slow", labels)), expected, "{labels}");
    }
}

#[test]
fn without_a_label_the_value_decides() {
    let rules = shipped();
    let score = |value| measuring("Low score", "metric=composite_quality_score", value);
    assert_eq!(reason(&rules, &score(0.71)), "critical: CompositeQualityScore 0.71 is below 0.85");
    assert_eq!(reason(&rules, &score(0.9)), "warning: CompositeQualityScore 0.9 is below 0.95");
    assert_eq!(
        reason(&rules, &measuring("Slow", "metric=ModelLatency", 31e6)),
        "critical: ModelLatency 31000000 is above 30000000"
    );
    // An alarm of CloudWatch has its value under the metric's name.
    let mut alarm = firing("gpu memory", "InferenceComponentName=a");
    alarm.values.insert("GPUMemoryUtilizationNormalized".to_owned(), 90.0);
    assert_eq!(reason(&rules, &alarm), "warning: GPUMemoryUtilizationNormalized 90 is above 85");
}

#[test]
fn what_nobody_called_bad_or_good_has_the_default_and_is_counted() {
    let rules = shipped();
    let decide = |alert: &Alert| rules.classify(alert, &BTreeMap::new(), at(NOON));
    let odd = decide(&firing("Slow", "severity=purple"));
    assert_eq!(
        odd.classification.reason,
        "error: label severity=purple says no severity that is known, so the default holds"
    );
    assert_eq!(odd.unknown_severity, Some(UnknownSeverity { said: Some("purple".to_owned()) }));
    let none = decide(&firing("Slow", ""));
    assert_eq!(
        (none.severity(), none.unknown_severity),
        (Severity::Error, Some(UnknownSeverity { said: None }))
    );
    // A value within its limits says nothing against whoever made the alert.
    assert_eq!(decide(&measuring("Low", "metric=SafetyScore", 0.99)).severity(), Severity::Error);
    assert_eq!(decide(&firing("Slow", "severity=p2")).unknown_severity, None);
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = rules(
        r#"
        time_zone = "Europe/Berlin"
        [severity.aliases]
        purple = "info"
        [[rule]]
        name = "tone at night"
        metric = "ProfessionalToneScore"
        hours = "22:00-07:00"
        severity = "warning"
        why = "nobody has to get up for the tone"
        [[rule]]
        name = "far out"
        past_limit_by = 0.5
        severity = "critical"
        [[rule]]
        name = "bands only"
        labels = { by = "value" }
        severity = "from bands"
        [[rule]]
        name = "slow too"
        metric = "RelevanceScore"
        measured = { ModelLatency = ["warning", "critical"] }
        severity = "critical"
        [[rule]]
        name = "tests"
        environment = ["test", "dev"]
        source = "grafana_json"
        severity = "info"
        "#,
    );
    let tone = measuring("Tone", "metric=professional_tone_score severity=critical", 0.8);
    let decide =
        |alert: &Alert, now: &str| rules.classify(alert, &BTreeMap::new(), at(now)).classification.reason;
    assert_eq!(
        decide(&tone, "2026-09-28T20:30:00Z"),
        "warning: rule \"tone at night\": nobody has to get up for the tone"
    );
    assert_eq!(decide(&tone, "2026-09-28T19:30:00Z"), "critical: label severity=critical");
    let mut far = measuring("Errors", "severity=info", 7.0);
    far.threshold = Some(Threshold { comparison: Comparison::Above, value: 4.0 });
    assert_eq!(decide(&far, NOON), "critical: rule \"far out\"");
    far.threshold = Some(Threshold { comparison: Comparison::Above, value: 5.0 });
    assert_eq!(decide(&far, NOON), "info: label severity=info");
    assert_eq!(
        decide(&measuring("Low", "by=value metric=SafetyScore severity=info", 0.8), NOON),
        "critical: SafetyScore 0.8 is below 0.85; rule \"bands only\""
    );
    assert_eq!(decide(&firing("Slow", "env=dev severity=page"), NOON), "info: rule \"tests\"");
    assert_eq!(decide(&firing("Slow", "severity=PURPLE"), NOON), "info: label severity=PURPLE");

    let relevance = measuring("Relevance", "metric=RelevanceScore severity=warning", 0.8);
    assert_eq!(rules.wanted_measures().into_iter().collect::<Vec<_>>(), ["ModelLatency"]);
    let slow = BTreeMap::from([("ModelLatency".to_owned(), 12e6)]);
    assert_eq!(rules.classify(&relevance, &slow, at(NOON)).severity(), Severity::Critical);
    assert_eq!(decide(&relevance, NOON), "warning: label severity=warning");
}

#[test]
fn a_query_that_fails_says_nothing_about_the_value() {
    let rules = shipped();
    let by_name = firing("Low safety", "alertname=DatasourceNoData severity=critical metric=safety_score");
    let mut by_reason = firing("Low safety", "severity=critical metric=safety_score");
    by_reason.state_reason = Some(StateReason::Error);
    for alert in [&by_name, &by_reason] {
        let decision = rules.classify(alert, &BTreeMap::new(), at(NOON));
        assert_eq!((decision.meaning(), decision.severity()), (Meaning::Blind, Severity::Warning));
    }
    assert_eq!(
        reason(&rules, &by_reason),
        "warning: monitoring is blind, the query fails: this says nothing about the value"
    );
    // Overridden, for everything blind or for one rule.
    let strict = "[blind]\nseverity = 'error'\n[[rule]]\nname = 'r'\nmeaning = 'blind'\nteam = 'a'\nseverity = 'critical'";
    let strict = super::rules(strict);
    assert_eq!(strict.classify(&by_reason, &BTreeMap::new(), at(NOON)).severity(), Severity::Error);
    // `alerts` was left out, so no name makes an alert blind.
    assert_eq!(strict.classify(&by_name, &BTreeMap::new(), at(NOON)).meaning(), Meaning::Problem);
    by_reason.labels.insert("team".to_owned(), "a".to_owned());
    assert_eq!(strict.classify(&by_reason, &BTreeMap::new(), at(NOON)).severity(), Severity::Critical);
}

#[test]
fn an_end_is_a_recovery_only_when_the_value_decided_it() {
    let rules = shipped();
    let fired = firing("Low safety", "severity=critical");
    for (state_reason, meaning, closes) in [
        (None, Meaning::Recovered, true),
        (Some(StateReason::MissingSeries), Meaning::WentSilent, false),
        (Some(StateReason::NoData), Meaning::WentSilent, false),
        (Some(StateReason::Error), Meaning::WentSilent, false),
        (Some(StateReason::Paused), Meaning::WentSilent, true),
        (Some(StateReason::RuleDeleted), Meaning::WentSilent, true),
        (Some(StateReason::Updated), Meaning::WentSilent, true),
    ] {
        let ended = Alert { state_reason, ..resolved(&fired, NOON) };
        let decision = rules.classify(&ended, &BTreeMap::new(), at(NOON));
        assert_eq!((decision.meaning(), decision.closes_incidents), (meaning, closes), "{state_reason:?}");
        assert_eq!(decision.severity(), Severity::Critical);
    }
    let gone = Alert { state_reason: Some(StateReason::MissingSeries), ..resolved(&fired, NOON) };
    assert_eq!(reason(&rules, &gone), "critical: went silent, the series is gone: this is no recovery");
    // A rule for problems leaves ends alone.
    let always = super::rules("[[rule]]\nname = 'r'\nseverity = 'info'\n");
    assert_eq!(reason(&always, &resolved(&fired, NOON)), "critical: it does not fire any more");
}
