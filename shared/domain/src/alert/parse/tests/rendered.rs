//! No alert that a sender wrote is lost, whatever its texts look like.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::render::{
    Sent, alertmanager_json, alertmanager_text, alerts, grafana_json, grafana_text, imitating,
    managed_prometheus_json, managed_prometheus_text, plain_line,
};
use super::*;

/// What of an alert arrives in every form.
fn essence(alert: &Alert) -> (bool, &str, BTreeMap<&str, &str>) {
    let labels = alert.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    (alert.status == Status::Resolved, &alert.rule, labels)
}

fn sent_essence(sent: &Sent) -> (bool, &str, BTreeMap<&str, &str>) {
    let mut labels: BTreeMap<&str, &str> =
        sent.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    labels.insert("alertname", &sent.name);
    (sent.is_resolved, &sent.name, labels)
}

fn assert_arrived(parsed: &Parsed, family: Family, sent: &[Sent]) {
    assert_eq!((parsed.family, parsed.lost), (family, 0), "{:?}", parsed.notes);
    let expected: Vec<_> = sent.iter().map(sent_essence).collect();
    assert_eq!(parsed.alerts.iter().map(essence).collect::<Vec<_>>(), expected);
}

fn assert_annotated(parsed: &Parsed, sent: &[Sent]) {
    for (alert, sent) in parsed.alerts.iter().zip(sent) {
        let expected: BTreeMap<String, String> = sent.annotations.iter().cloned().collect();
        assert_eq!(alert.annotations, expected);
    }
}

fn assert_timed(parsed: &Parsed, sent: &[Sent]) {
    for (alert, sent) in parsed.alerts.iter().zip(sent) {
        assert_eq!(alert.starts_at.unwrap().as_millisecond(), sent.start_ms());
        assert_eq!(alert.ends_at.is_some(), sent.is_resolved);
    }
}

proptest! {
    #[test]
    fn grafanas_text_and_json_say_the_same(sent in alerts(4, plain_line())) {
        let as_text = parsed(grafana_text(&sent));
        let as_json = parsed(grafana_json(&sent));
        for (parsed, family) in [(&as_text, Family::GrafanaText), (&as_json, Family::GrafanaJson)] {
            assert_arrived(parsed, family, &sent);
            assert_annotated(parsed, &sent);
            assert_timed(parsed, &sent);
        }
        prop_assert_eq!(keys(&as_text), keys(&as_json));
        for ((text, json), sent) in as_text.alerts.iter().zip(&as_json.alerts).zip(&sent) {
            let expected: BTreeMap<String, f64> = sent.values.iter().cloned().collect();
            prop_assert_eq!(&text.values, &expected);
            prop_assert_eq!(&json.values, &expected);
            prop_assert_eq!(&text.links, &json.links);
        }
    }

    #[test]
    fn an_annotation_cannot_pass_for_an_alert_in_grafanas_text(sent in alerts(4, imitating())) {
        let parsed = parsed(grafana_text(&sent));
        assert_arrived(&parsed, Family::GrafanaText, &sent);
        assert_timed(&parsed, &sent);
    }

    #[test]
    fn an_annotation_cannot_pass_for_an_alert_in_json(sent in alerts(4, imitating())) {
        for (message, family) in [
            (grafana_json(&sent), Family::GrafanaJson),
            (alertmanager_json(&sent), Family::Alertmanager),
        ] {
            let parsed = parsed(message);
            assert_arrived(&parsed, family, &sent);
            assert_annotated(&parsed, &sent);
        }
    }

    #[test]
    fn alertmanagers_text_and_json_say_the_same(sent in alerts(4, plain_line())) {
        let as_text = parsed(alertmanager_text(&sent));
        let indented = parsed(managed_prometheus_text(&sent));
        let as_json = parsed(alertmanager_json(&sent));
        for parsed in [&as_text, &indented, &as_json] {
            assert_arrived(parsed, Family::Alertmanager, &sent);
            assert_annotated(parsed, &sent);
        }
        assert_timed(&as_json, &sent);
        prop_assert_eq!(keys(&indented), keys(&as_json));
        prop_assert_eq!(keys(&as_text), keys(&as_json));
    }

    #[test]
    fn json_with_raw_values_is_read_as_if_it_were_escaped(
        sent in alerts(4, "[a-z \"\n\tä]{0,20}".boxed())
    ) {
        let parsed = parsed(managed_prometheus_json(&sent));
        assert_arrived(&parsed, Family::Alertmanager, &sent);
        assert_annotated(&parsed, &sent);
        assert_timed(&parsed, &sent);
        prop_assert_eq!(keys(&parsed), keys(&self::parsed(alertmanager_json(&sent))));
    }

    #[test]
    fn a_body_inside_managed_grafanas_json_is_read(sent in alerts(3, plain_line())) {
        for body in [grafana_text(&sent), grafana_json(&sent)] {
            let inside = serde_json::json!({"body": body, "state": "alerting"}).to_string();
            let parsed = parsed(inside);
            assert_arrived(&parsed, Family::ManagedGrafana, &sent);
            prop_assert_eq!(keys(&parsed), keys(&self::parsed(body)));
        }
    }
}
