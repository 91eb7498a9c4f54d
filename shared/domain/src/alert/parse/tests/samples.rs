//! Variants of each form that the renderers do not write.

use super::*;
use crate::alert::StateReason;

const SUBJECT: &str = "[FIRING:1, RESOLVED:1] Low score (x)";

fn grafana(alert: &Value) -> Value {
    json!({"alerts": [alert], "version": "1", "status": "firing", "orgId": null})
}

#[test]
fn a_value_that_stands_for_no_data_is_none() {
    let labels = |name: &str| json!({"alertname": name, "rulename": "Low score", "ref_id": "A", "datasource_uid": "d"});
    for (name, annotations, values, expected) in [
        ("Low score", json!({}), json!({"B": -1, "C": 0}), vec![("B", -1.0), ("C", 0.0)]),
        ("Low score", json!({"grafana_state_reason": "NoData"}), json!({"B": -1, "C": 1}), vec![("C", 1.0)]),
        ("Low score", json!({"grafana_state_reason": "Error"}), json!({"B": -1}), vec![]),
        ("DatasourceNoData", json!({}), json!({"A": -1, "C": null}), vec![]),
        ("Low score", json!({}), Value::Null, vec![]),
    ] {
        let alert = json!({"status": "firing", "labels": labels(name), "annotations": annotations,
            "values": values, "valueString": "[ var='B' labels={} value=0.61 ]"});
        let alert = only(grafana(&alert).to_string());
        let got: Vec<(&str, f64)> =
            alert.values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(got, expected, "{name} {annotations} {values}");
        assert_eq!(alert.rule, "Low score");
    }
}

#[test]
fn old_versions_have_values_in_words_only() {
    let text = "[ var='B0' metric='x' labels={a=value=9} value=0.61 ], [ var='C' labels={} value=1e-07 ], [ var='D' labels={} value=null ]";
    let alert = json!({"status": "firing", "labels": {"alertname": "a"}, "valueString": text});
    let values = only(grafana(&alert).to_string()).values;
    assert_eq!(values.into_iter().collect::<Vec<_>>(), [("B0".to_owned(), 0.61), ("C".to_owned(), 1e-7)]);
}

#[test]
fn a_reason_of_several_words_or_an_unknown_one_is_still_a_reason() {
    for (text, reason) in [
        ("MissingSeries", Some(StateReason::MissingSeries)),
        ("NoData, KeepLast", Some(StateReason::NoData)),
        ("KeepLast", Some(StateReason::Other)),
        ("RuleDeleted", Some(StateReason::RuleDeleted)),
        ("Paused", Some(StateReason::Paused)),
        ("Updated", Some(StateReason::Updated)),
        ("", None),
    ] {
        let alert = json!({"status": "resolved", "labels": {"alertname": "a"},
            "annotations": {"grafana_state_reason": text}, "values": null});
        assert_eq!(only(grafana(&alert).to_string()).state_reason, reason, "{text}");
    }
}

#[test]
fn a_rule_stays_blind_whichever_query_fails() {
    let of = |name: &str, query: &str| {
        let labels =
            json!({"alertname": name, "rulename": "Low score", "ref_id": query, "datasource_uid": query});
        only(grafana(&json!({"status": "firing", "labels": labels, "values": null})).to_string())
    };
    assert_eq!(of("DatasourceError", "A").key, of("DatasourceError", "A,B").key);
    assert_ne!(of("DatasourceError", "A").key, of("DatasourceNoData", "A").key);
    assert_eq!(of("DatasourceError", "A").state_reason, Some(StateReason::Error));
}

#[test]
fn the_rule_and_the_host_tell_alerts_of_equal_labels_apart() {
    let of = |host: &str, uid: &str| {
        let source = format!("https://{host}/alerting/grafana/{uid}/view?orgId=1");
        only(
            grafana(&json!({"labels": {"alertname": "a"}, "generatorURL": source, "values": {}})).to_string(),
        )
        .key
    };
    assert_ne!(of("g1", "u"), of("g2", "u"));
    assert_ne!(of("g1", "u"), of("g1", "v"));
    assert_eq!(of("g1", "u"), of("g1", "u"));
}

#[test]
fn hidden_labels_stay_hidden_and_name_the_rule() {
    let hidden = json!({"labels": {"alertname": "a", "__alert_rule_uid__": "u"}, "values": {},
        "annotations": {"__dashboardUid__": "d", "summary": "s"}});
    let open = json!({"labels": {"alertname": "a"}, "ruleUID": "u", "values": {}});
    let (hidden, open) = (only(grafana(&hidden).to_string()), only(grafana(&open).to_string()));
    assert_eq!(hidden.key, open.key);
    assert_eq!((hidden.labels.len(), hidden.annotations.len()), (1, 1));
}

#[test]
fn links_that_lead_nowhere_are_dropped() {
    let alert = json!({"labels": {"alertname": "a"}, "silenceURL": "/alerting/silence/new", "generatorURL": "javascript:x",
        "dashboardURL": "", "annotations": {"runbook_url": "https://wiki.example.com/a"}});
    let parsed = parsed(grafana(&alert).to_string());
    let links = &parsed.alerts[0].links;
    assert_eq!((&links.silence, &links.source, &links.dashboard), (&None, &None, &None));
    assert_eq!(links.runbook.as_deref(), Some("https://wiki.example.com/a"));
    assert_eq!(parsed.notes, [Note::DroppedLink]);
}

#[test]
fn alerts_that_the_sender_left_out_or_spoiled_are_counted() {
    let message = json!({"alerts": [{"labels": {"alertname": "a"}}, 7, {"no": "labels"}], "truncatedAlerts": 5, "version": "4"});
    let parsed = parsed(message.to_string());
    assert_eq!((parsed.family, parsed.alerts.len(), parsed.lost), (Family::Alertmanager, 1, 7));
    assert_eq!(parsed.notes, [Note::LeftOutBySender]);
    let fewer = parse(&delivered(grafana(&json!({"labels": {"alertname": "a"}})).to_string(), Some(SUBJECT)));
    assert_eq!((fewer.lost, fewer.notes), (1, vec![Note::FewerThanStated]));
}

#[test]
fn a_list_of_alerts_and_a_lone_alert_are_read() {
    let alert = json!({"labels": {"alertname": "a"}, "startsAt": "2026-03-02T10:10:00Z"});
    let (list, lone) = (parsed(json!([alert, alert]).to_string()), parsed(alert.to_string()));
    assert_eq!((list.alerts.len(), list.family), (2, Family::Alertmanager));
    assert_eq!(keys(&lone)[..], keys(&list)[..1]);
    assert_eq!(parsed(json!({"kind": "Pod", "labels": {"app": "a"}}).to_string()).family, Family::Unknown);
}

#[test]
fn text_without_value_lines_is_read() {
    let parsed = parsed(
        "**Firing**\n\nLabels:\n - alertname = a\n - zone = 1\nAnnotations:\n - summary = s\nSource: https://h/1\n\
         Silence: https://h/alerting/silence/new?alertmanager=grafana&matchers=alertname%3Da%2Czone%3D1\n\n\
         Labels:\n - alertname = b\nAnnotations:\n\n\n**Resolved**\n\nLabels:\n - alertname = c\nAnnotations:\n",
    );
    let told: Vec<(&str, Status)> =
        parsed.alerts.iter().map(|alert| (alert.rule.as_str(), alert.status)).collect();
    assert_eq!(told, [("a", Status::Firing), ("b", Status::Firing), ("c", Status::Resolved)]);
}

#[test]
fn text_with_windows_line_ends_or_around_it_is_read() {
    let text = "Hello team,\n**Firing**\n\nValue: B=1.5\nLabels:\n - alertname = a\n - zone = 1\nAnnotations:\n - x = y\n\
                Source: https://h/1\nSilence: https://h/alerting/silence/new?matcher=alertname%3Da&matcher=zone%3D1&orgId=1\n\
                \nregards\n";
    let plain = parsed(text);
    let windows = parsed(text.replace('\n', "\r\n"));
    assert_eq!(plain.notes, [Note::TextLeftOut]);
    assert_eq!(plain.alerts[0].annotation("x"), Some("y"));
    assert_eq!(plain, windows);
}

#[test]
fn a_label_of_several_lines_is_put_right_by_the_silence_address() {
    let alert = only(
        "**Firing**\n\nValue: B=1\nLabels:\n - alertname = a\n - note = one\nAnnotations:\n - z = forged\n - zone = 1\n\
         Annotations:\n - x = y\nSource: https://h/1\nSilence: https://h/alerting/silence/new?alertmanager=grafana\
         &matcher=__alert_rule_uid__%3Du&matcher=note%3Done%0AAnnotations%3A%0A+-+z+%3D+forged&matcher=zone%3D1&orgId=1\n",
    );
    assert_eq!(alert.label("note"), Some("one\nAnnotations:\n - z = forged"));
    assert_eq!(alert.label("zone"), Some("1"));
}

#[test]
fn a_broken_body_says_what_its_subject_says() {
    let parsed = parse(&delivered("**Firing**\n\nValue: \n\n\n**Resolved**\n\nValue: ", Some(SUBJECT)));
    let told: Vec<(&str, Status)> =
        parsed.alerts.iter().map(|alert| (alert.rule.as_str(), alert.status)).collect();
    assert_eq!(told, [("Low score", Status::Firing), ("Low score", Status::Resolved)]);
    assert_eq!((parsed.lost, parsed.notes), (0, vec![Note::SubjectOnly]));
    assert_eq!(only("**Firing**\n\nValue: ").rule, "alert without a name");
}

#[test]
fn managed_grafanas_states_have_their_meaning() {
    use Status::{Firing, Resolved};
    for (state, status, reason) in [
        ("ok", Resolved, None),
        ("alerting", Firing, None),
        ("no_data", Firing, Some(StateReason::NoData)),
        ("paused", Resolved, Some(StateReason::Paused)),
        ("brand_new", Firing, None),
    ] {
        let json = json!({"body": "Latency is high", "state": state, "title": "[Alerting] Latency", "severity": "critical",
            "tags": [{"key": "InferenceComponentName", "value": "gpt-oss-20b"}]});
        let json = only(json.to_string());
        let text = only(format!("State: {state}\nLatency is high"));
        assert_eq!(
            (json.status, json.state_reason, json.family),
            (status, reason, Family::ManagedGrafana),
            "{state}"
        );
        assert_eq!(
            (text.status, text.state_reason, text.family),
            (status, reason, Family::ManagedGrafana),
            "{state}"
        );
        assert_eq!((json.rule.as_str(), json.component()), ("Latency", Some("gpt-oss-20b")));
        assert_eq!((json.label("severity"), text.rule.as_str()), (Some("critical"), "Latency is high"));
    }
}

#[test]
fn json_that_a_template_spoiled_is_read() {
    for (raw, expected) in [
        (r#"say "hi", then "go""#, r#"say "hi", then "go""#),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        (r"C:\models\", r"C:\models\"),
        (r"match \d+", r"match \d+"),
        (r#"{"a": "b"}"#, r#"{"a": "b"}"#),
        (r"\ud83d half", "\u{fffd} half"),
    ] {
        let message = format!(
            r#"{{"status": "firing","alerts": [{{"status": "firing","labels": {{"alertname": "a"}},"annotations": {{"note": "{raw}","summary": "s"}},"startsAt": "2026-03-02 10:10:00.5 +0000 UTC"}}],"commonLabels": {{}}}}"#
        );
        let parsed = parsed(message);
        assert_eq!((parsed.family, parsed.lost), (Family::Alertmanager, 0));
        assert_eq!(parsed.notes, [Note::RepairedJson]);
        let alert = &parsed.alerts[0];
        assert_eq!((alert.annotation("note"), alert.annotation("summary")), (Some(expected), Some("s")));
        assert_eq!(alert.starts_at.unwrap().to_string(), "2026-03-02T10:10:00.5Z");
    }
}

#[test]
fn what_nobody_knows_keeps_its_text() {
    for (message, subject, rule, status) in [
        ("Disk full\non host 7", None, "Disk full", Status::Firing),
        ("Disk full", Some("[RESOLVED] Disk"), "Disk", Status::Resolved),
        ("", None, "empty message", Status::Firing),
        ("", Some("Disk"), "Disk", Status::Firing),
        (r#"{"alerts": [], "status": "resolved"}"#, Some("Disk"), "Disk", Status::Resolved),
        ("[RESOLVED] odd { text", None, "[RESOLVED] odd { text", Status::Firing),
    ] {
        let parsed = parse(&delivered(message, subject));
        assert_eq!((parsed.family, parsed.lost, parsed.alerts.len()), (Family::Unknown, 0, 1), "{message}");
        let alert = &parsed.alerts[0];
        assert_eq!((alert.rule.as_str(), alert.status), (rule, status), "{message}");
        assert_eq!(alert.annotations.get("text").map(String::as_str), Some(message));
        assert_eq!(parsed.notes, [Note::UnknownForm]);
    }
}
