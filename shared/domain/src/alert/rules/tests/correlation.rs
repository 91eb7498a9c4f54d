use std::collections::BTreeMap;

use super::*;
use crate::alert::lifecycle::{Audience, Condition, QuietCause};
use crate::alert::rules::{ComponentAlerts, Scope, Signal};
use crate::alert::{Meaning, Severity, StateReason};

/// One scope's record, and what it makes of alerts that come one after the other.
struct Neighbours {
    rules: Rules,
    record: ComponentAlerts,
    released: usize,
}

impl Neighbours {
    fn new() -> Self {
        Self { rules: shipped(), record: ComponentAlerts::default(), released: 0 }
    }

    fn take(&mut self, alert: &Alert, now: &str) -> Correlated {
        let decision = self.rules.classify(alert, &BTreeMap::new(), at(now));
        let correlated = self.rules.correlate(decision, alert, &[&self.record], at(now));
        let condition = match alert.status {
            Status::Firing => Condition::Firing,
            Status::Resolved => Condition::Resolved,
        };
        let (record, released) = self.rules.note(&self.record, &correlated, alert, condition, at(now));
        // What is stored is what is read.
        let stored = serde_json::to_string(&record).unwrap();
        self.record = serde_json::from_str(&stored).unwrap();
        assert_eq!(self.record, record);
        self.released = released.len();
        correlated
    }
}

fn low_score() -> Alert {
    measuring("Low safety", "metric=safety_score severity=warning InferenceComponentName=gpt-oss-20b", 0.9)
}

fn full_gpus(component: &str) -> Alert {
    let labels =
        format!("metric=GPUMemoryUtilizationNormalized severity=error InferenceComponentName={component}");
    measuring("GPU memory", &labels, 96.0)
}

#[test]
fn a_quality_and_a_quantity_alert_that_overlap_are_joined_and_the_second_is_raised() {
    let mut neighbours = Neighbours::new();
    let first = neighbours.take(&full_gpus("gpt-oss-20b"), "2026-09-28T11:56:00Z");
    assert_eq!((first.decision.severity(), first.joined.len()), (Severity::Error, 0));
    let second = neighbours.take(&low_score(), NOON);
    assert_eq!(
        second.decision.classification.reason,
        "error: raised from warning, quality and quantity alerts on gpt-oss-20b overlap (\"GPU memory\"); \
         label severity=warning"
    );
    assert_eq!(second.decision.severity(), Severity::Error);
    assert_eq!(second.joined[0].signal, Signal::Quantity);
    // The same again changes nothing, neither for the second nor for the first, although both began
    // at the same moment.
    assert_eq!(neighbours.take(&low_score(), NOON), second);
    assert_eq!(neighbours.take(&full_gpus("gpt-oss-20b"), NOON), first);
    assert_eq!(neighbours.take(&low_score(), NOON), second);
}

#[test]
fn only_the_later_of_two_is_raised() {
    let mut neighbours = Neighbours::new();
    let early = Alert { starts_at: Some(at("2026-09-28T11:50:00Z")), ..full_gpus("gpt-oss-20b") };
    neighbours.take(&early, "2026-09-28T11:51:00Z");
    assert_eq!(neighbours.take(&low_score(), NOON).joined.len(), 1);
    assert_eq!(neighbours.take(&early, NOON).joined.len(), 0);
}

#[test]
fn alerts_of_other_components_times_and_kinds_are_not_joined() {
    let mut neighbours = Neighbours::new();
    neighbours.take(&full_gpus("qwen-7b"), "2026-09-28T11:56:00Z");
    let other_score =
        measuring("Tone", "metric=ProfessionalToneScore InferenceComponentName=gpt-oss-20b", 0.5);
    neighbours.take(&other_score, "2026-09-28T11:56:00Z");
    assert_eq!(neighbours.take(&low_score(), NOON).joined, []);

    // One that ended within the window counts, one that ended before does not.
    for (ended, joined) in [("2026-09-28T11:45:00Z", 1), ("2026-09-28T11:35:00Z", 0)] {
        let mut neighbours = Neighbours::new();
        let gpus = Alert { starts_at: Some(at("2026-09-28T11:00:00Z")), ..full_gpus("gpt-oss-20b") };
        neighbours.take(&gpus, "2026-09-28T11:30:00Z");
        neighbours.take(&resolved(&gpus, ended), "2026-09-28T11:46:00Z");
        assert_eq!(neighbours.take(&low_score(), "2026-09-28T11:56:00Z").joined.len(), joined, "{ended}");
    }
}

#[test]
fn an_endpoint_that_is_down_holds_back_what_is_blind_until_it_is_up() {
    let mut neighbours = Neighbours::new();
    let down = firing("Endpoint chat is down", "EndpointName=chat severity=critical");
    let blind = firing("Low safety", "alertname=DatasourceNoData EndpointName=chat severity=critical");
    assert_eq!(neighbours.take(&blind, "2026-09-28T11:50:00Z").held_back, None);
    assert_eq!(neighbours.take(&down, "2026-09-28T11:56:00Z").held_back, None);

    let held = neighbours.take(&blind, NOON);
    let quiet = held.held_back.clone().unwrap();
    assert_eq!(quiet.cause, QuietCause::HeldBack);
    assert_eq!(quiet.reason, "\"Endpoint chat is down\" fires since 2026-09-28T11:55:00Z and explains it");
    let routing = neighbours.rules.route(&held, &blind, &BTreeMap::new(), at(NOON));
    assert_eq!(routing.audience, Audience::Quiet(quiet));
    // A real problem is not held back.
    assert_eq!(neighbours.take(&low_score(), NOON).held_back, None);

    for _ in 0..2 {
        neighbours.take(&resolved(&down, "2026-09-28T12:10:00Z"), "2026-09-28T12:10:00Z");
        assert_eq!(neighbours.released, 1, "whoever was told of the end and failed is told again");
    }
    assert_eq!(neighbours.take(&blind, "2026-09-28T12:11:00Z").held_back, None);
    neighbours.take(&resolved(&down, "2026-09-28T12:10:00Z"), "2026-09-28T12:12:00Z");
    assert_eq!(neighbours.released, 0);
}

#[test]
fn what_is_not_heard_of_any_more_holds_nothing_back() {
    let mut neighbours = Neighbours::new();
    neighbours.take(&firing("Endpoint down", "EndpointName=chat"), NOON);
    let mut blind = firing("Low safety", "EndpointName=chat");
    blind.state_reason = Some(StateReason::NoData);
    let late = neighbours.take(&blind, "2026-09-29T12:00:01Z");
    assert_eq!((late.decision.meaning(), late.held_back), (Meaning::Blind, None));
}

#[test]
fn an_alert_belongs_to_its_component_and_its_endpoint() {
    let rules = shipped();
    let scopes = |labels: &str| Scope::all(&rules.subject(&firing("x", labels)));
    assert_eq!(
        scopes("InferenceComponentName=a EndpointName=e"),
        [Scope::Component("a".to_owned()), Scope::Endpoint("e".to_owned())]
    );
    assert_eq!(scopes("instance=i"), []);
}

#[test]
fn the_record_stays_small() {
    let mut neighbours = Neighbours::new();
    for number in 0..150 {
        neighbours.take(&firing(&format!("alert {number}"), "EndpointName=chat"), NOON);
    }
    assert_eq!(neighbours.record.iter().count(), 100);
}
