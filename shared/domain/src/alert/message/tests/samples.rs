//! Notices as they happen, made up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use crate::alert::notice::{
    Cost, Enrichment, Fired, NotIncluded, Notice, NowValue, Occasion, Part, Quantity, Reading, Related,
    StormSummary, Trend, WorstAnswer, logs_url,
};
use crate::alert::{
    Alert, AlertKey, Classification, Comparison, Family, Links, Meaning, Severity, StateReason, Status,
    Threshold,
};
use crate::metric::COST_PER_HOUR;
use crate::money::MicroUsd;
use crate::rubric::Score;

pub(in crate::alert) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(in crate::alert) fn key(digit: &str) -> AlertKey {
    serde_json::from_value(json!(digit.repeat(64))).unwrap()
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

const BELOW: Threshold = Threshold { comparison: Comparison::Below, value: 0.8 };

fn quality_alert() -> Alert {
    let grafana = "https://g-0123456789.grafana-workspace.eu-west-1.amazonaws.com";
    Alert {
        family: Family::GrafanaJson,
        status: Status::Firing,
        state_reason: None,
        rule: "Low safety score".to_owned(),
        labels: map(&[
            ("alertname", "Low safety score"),
            ("EndpointName", "support-chat"),
            ("InferenceComponentName", "gpt-oss-20b"),
            ("grafana_folder", "LLM quality"),
            ("metric", "safety_score"),
            ("severity", "warning"),
        ]),
        annotations: map(&[
            ("summary", "Answers of gpt-oss-20b are less safe than agreed"),
            ("runbook_url", "https://wiki.example.com/runbooks/llm-quality#safety_score"),
            ("owner", "ml-platform"),
        ]),
        values: BTreeMap::from([("B".to_owned(), 0.712), ("C".to_owned(), 1.0)]),
        threshold: Some(BELOW),
        starts_at: Some(at("2026-03-02T09:15:00Z")),
        ends_at: None,
        links: Links {
            source: Some(format!("{grafana}/alerting/grafana/safety-score/view?orgId=1")),
            silence: Some(format!(
                "{grafana}/alerting/silence/new?alertmanager=grafana&matcher=severity%3Dwarning&orgId=1"
            )),
            dashboard: Some(format!("{grafana}/d/llm-quality?from=1772439300000&orgId=1&to=1772445040000")),
            panel: Some(format!(
                "{grafana}/d/llm-quality?from=1772439300000&orgId=1&to=1772445040000&viewPanel=2"
            )),
            runbook: Some("https://wiki.example.com/runbooks/llm-quality#safety_score".to_owned()),
        },
        key: key("a"),
    }
}

fn enrichment() -> Enrichment {
    let trend = |points: &[f64]| Trend::new(points.iter().map(|value| Some(*value)));
    let falling = [0.93, 0.94, 0.92, 0.93, 0.91, 0.9, 0.86, 0.82, 0.79, 0.75, 0.72, 0.712];
    let now = |metric: &str, quantity, current, hour| NowValue {
        metric: metric.to_owned(),
        quantity,
        current,
        hour,
    };
    let worst = |id: &str, dimension: &str, score: f64, reason: &str| WorstAnswer {
        verdict_id: id.repeat(32).try_into().unwrap(),
        event_id: format!("5f0c6f8e-6c5f-4d3c-9d3e-{}", id.repeat(12)),
        at: at("2026-03-02T09:44:10Z"),
        dimension: dimension.parse().unwrap(),
        score: Score::new(score).unwrap(),
        reason: reason.to_owned(),
    };
    Enrichment {
        now: vec![
            now("SafetyScore", Quantity::Score, Some(0.712), trend(&falling)),
            now("RelevanceScore", Quantity::Score, Some(0.91), trend(&[0.91; 12])),
            now(
                "ModelLatency",
                Quantity::Microseconds,
                Some(1_204_000.0),
                trend(&[9.1e5, 9.4e5, 1.1e6, 1.204e6]),
            ),
            now(
                "GPUUtilizationNormalized",
                Quantity::Percent,
                Some(85.2),
                Trend::new([Some(71.0), Some(74.0), None, None, Some(80.0), Some(85.2)]),
            ),
        ],
        worst: vec![
            worst("1", "safety", 0.0, "The answer names a dose of a medicine without a word of warning."),
            worst("2", "safety", 0.2, "It gives <instructions> & links for bypassing the age check."),
        ],
        cost: Some(Cost { per_hour: MicroUsd::from_usd(5.752), idle_per_hour: MicroUsd::from_usd(2.876) }),
        logs: logs_url(
            "eu-west-1",
            &"gpt-oss-20b".parse().unwrap(),
            at("2026-03-02T09:05:00Z"),
            at("2026-03-02T09:50:40Z"),
        ),
        not_included: Vec::new(),
    }
}

/// A score fell below its limit.
pub(in crate::alert) fn quality_warning() -> Notice {
    let alert = quality_alert();
    Notice {
        reading: Reading::of(&alert),
        alert,
        classification: Classification {
            meaning: Meaning::Problem,
            severity: Severity::Warning,
            reason: "label severity is \"warning\"".to_owned(),
        },
        occasion: Occasion::Opened,
        endpoint: Some("support-chat".parse().unwrap()),
        component: Some("gpt-oss-20b".parse().unwrap()),
        firing_since: Some(at("2026-03-02T09:15:00Z")),
        ended_at: None,
        as_of: at("2026-03-02T09:50:40Z"),
        repeats: 0,
        fired: None,
        related: Vec::new(),
        enrichment: enrichment(),
    }
}

/// The same component ran out of GPU memory: raised.
pub(in crate::alert) fn critical_joined() -> Notice {
    let mut notice = quality_warning();
    notice.classification.severity = Severity::Critical;
    notice.classification.reason =
        "a quality and a quantity alert of gpt-oss-20b fire at the same time".to_owned();
    notice.occasion = Occasion::Raised { from: Severity::Warning };
    notice.repeats = 2;
    notice.related = vec![Related {
        rule: "GPU memory is nearly full".to_owned(),
        key: key("b"),
        severity: Severity::Error,
        reading: Reading {
            metric: Some("GPUMemoryUtilizationNormalized".to_owned()),
            quantity: Quantity::Percent,
            value: Some(97.4),
            threshold: Some(Threshold { comparison: Comparison::Above, value: 95.0 }),
        },
        firing_since: Some(at("2026-03-02T09:31:00Z")),
    }];
    notice
}

/// The rule's query got nothing.
pub(in crate::alert) fn blind() -> Notice {
    let mut notice = quality_warning();
    notice.alert.state_reason = Some(StateReason::NoData);
    notice.alert.values.clear();
    notice.reading.value = None;
    notice.classification.meaning = Meaning::Blind;
    notice.classification.reason = "monitoring that is blind is a warning".to_owned();
    notice.enrichment.worst.clear();
    for value in &mut notice.enrichment.now {
        value.current = None;
        value.hour = Trend::default();
    }
    notice
}

fn ended(mut notice: Notice) -> Notice {
    notice.alert.status = Status::Resolved;
    notice.fired = Some(Fired { severity: Severity::Warning, reading: notice.reading.clone() });
    notice.alert.values.clear();
    notice.reading.value = None;
    notice.ended_at = Some(at("2026-03-02T09:50:00Z"));
    notice
}

/// The score is back.
pub(in crate::alert) fn recovered() -> Notice {
    let mut notice = ended(quality_warning());
    notice.occasion = Occasion::Recovered;
    notice.classification.meaning = Meaning::Recovered;
    notice.alert.values = BTreeMap::from([("B".to_owned(), 0.931), ("C".to_owned(), 0.0)]);
    notice.reading = Reading::of(&notice.alert);
    let back = [0.75, 0.72, 0.71, 0.712, 0.71, 0.73, 0.78, 0.84, 0.88, 0.91, 0.93, 0.931];
    notice.enrichment.now[0].current = Some(0.931);
    notice.enrichment.now[0].hour = Trend::new(back.map(Some));
    notice.enrichment.worst.clear();
    notice
}

/// The series is gone.
pub(in crate::alert) fn went_silent() -> Notice {
    let mut notice = ended(quality_warning());
    notice.occasion = Occasion::WentSilent { why: Some(StateReason::MissingSeries) };
    notice.classification.meaning = Meaning::WentSilent;
    notice.enrichment = Enrichment::default();
    notice
}

/// It comes and goes.
pub(in crate::alert) fn flapping() -> Notice {
    let mut notice = quality_warning();
    notice.occasion = Occasion::Flapping { changes: 6, minutes: 30 };
    notice.enrichment = Enrichment::default();
    notice
}

/// A message in a form that nobody knows.
pub(in crate::alert) fn unknown() -> Notice {
    Notice {
        reading: Reading { metric: None, quantity: Quantity::Plain, value: None, threshold: None },
        alert: Alert {
            family: Family::Unknown,
            status: Status::Firing,
            state_reason: None,
            rule: "Backup of the vector store".to_owned(),
            labels: BTreeMap::new(),
            annotations: map(&[("text", "backup job 4711 ended\nwith status FAILED: <!here> disk full")]),
            values: BTreeMap::new(),
            threshold: None,
            starts_at: None,
            ends_at: None,
            links: Links::default(),
            key: key("c"),
        },
        classification: Classification {
            meaning: Meaning::Problem,
            severity: Severity::Warning,
            reason: "no rule matches: the default".to_owned(),
        },
        occasion: Occasion::Opened,
        endpoint: None,
        component: None,
        firing_since: None,
        ended_at: None,
        as_of: at("2026-03-02T09:50:40Z"),
        repeats: 0,
        fired: None,
        related: Vec::new(),
        enrichment: Enrichment::default(),
    }
}

/// CloudWatch was slow and the verdicts could not be read.
pub(in crate::alert) fn partly_enriched() -> Notice {
    let mut notice = quality_warning();
    notice.alert.labels.insert("metric".to_owned(), COST_PER_HOUR.name.to_owned());
    notice.alert.rule = "Cost per hour".to_owned();
    notice.alert.annotations.insert("summary".to_owned(), "The component costs more than planned".to_owned());
    notice.alert.values = BTreeMap::from([("B".to_owned(), 23.008)]);
    notice.alert.threshold = Some(Threshold { comparison: Comparison::Above, value: 12.0 });
    notice.reading = Reading::of(&notice.alert);
    notice.enrichment.now.truncate(1);
    notice.enrichment.worst.clear();
    let missing = |part, why: &str| NotIncluded { part, why: why.to_owned() };
    notice.enrichment.not_included = vec![
        missing(Part::WorstAnswers, "timed out after 1.5 s"),
        missing(Part::Cost, "no data in the last 15 minutes"),
    ];
    notice.enrichment.cost = None;
    notice
}

/// Every metric of every component at once.
pub(in crate::alert) fn storm() -> StormSummary {
    let notices: Vec<Notice> = (0..42)
        .map(|number| {
            let mut notice = if number % 5 == 0 { critical_joined() } else { quality_warning() };
            notice.component = Some(format!("model-{}", number % 7 % 4).parse().unwrap());
            notice
        })
        .collect();
    StormSummary::of("ml-on-call", at("2026-03-02T09:50:00Z"), at("2026-03-02T09:50:55Z"), &notices)
}

/// Name and notice of each kind.
pub(in crate::alert) fn all() -> Vec<(&'static str, Notice)> {
    vec![
        ("quality_warning", quality_warning()),
        ("critical_joined", critical_joined()),
        ("blind", blind()),
        ("went_silent", went_silent()),
        ("recovered", recovered()),
        ("flapping", flapping()),
        ("unknown", unknown()),
        ("partly_enriched", partly_enriched()),
    ]
}
