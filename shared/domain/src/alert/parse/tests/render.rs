//! Writes made-up alerts in the form of each family, as the senders do.

use std::fmt::Write as _;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// 2026-03-02T10:10:00Z.
const START_MS: i64 = 1_772_446_200_000;
const HOST: &str = "https://grafana.example.com/obs";

/// An alert that a sender has.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) is_resolved: bool,
    pub(super) name: String,
    /// Less `alertname`.
    pub(super) labels: Vec<(String, String)>,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) values: Vec<(String, f64)>,
    pub(super) uid: String,
    /// Minutes after [`START_MS`].
    pub(super) minute: i64,
}

impl Sent {
    pub(super) fn start_ms(&self) -> i64 {
        START_MS + self.minute * 60_000
    }

    fn end_ms(&self) -> i64 {
        self.start_ms() + 1_500_000
    }

    /// Sorted as Grafana does: `alertname` first.
    fn sorted_labels(&self) -> Vec<(&str, &str)> {
        let rest = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        std::iter::once(("alertname", self.name.as_str())).chain(rest).collect()
    }

    fn source(&self) -> String {
        format!("{HOST}/alerting/grafana/{}/view?orgId=1", self.uid)
    }

    fn silence(&self) -> String {
        let mut address = format!("{HOST}/alerting/silence/new?alertmanager=grafana");
        let uid = ("__alert_rule_uid__".to_owned(), self.uid.clone());
        for (name, value) in
            std::iter::once(&uid).chain(&self.labels).filter(|(name, _)| name != "grafana_folder")
        {
            let matcher = format!("{name}={value}");
            let matcher = utf8_percent_encode(&matcher, NON_ALPHANUMERIC).to_string().replace("%20", "+");
            let _ = write!(address, "&matcher={matcher}");
        }
        address + "&orgId=1"
    }

    fn dashboard(&self) -> String {
        let to = if self.is_resolved { self.end_ms() } else { START_MS + 9_000_000 };
        format!("{HOST}/d/llm?from={}&orgId=1&to={to}", self.start_ms() - 3_600_000)
    }
}

pub(super) fn grafana_text(alerts: &[Sent]) -> String {
    let section = |is_resolved: bool| -> String {
        alerts.iter().filter(|alert| alert.is_resolved == is_resolved).map(grafana_block).collect()
    };
    let (firing, resolved) = (section(false), section(true));
    let mut text = String::new();
    if !firing.is_empty() {
        let _ = write!(text, "**Firing**\n{firing}");
    }
    if !resolved.is_empty() {
        let _ = write!(text, "{}**Resolved**\n{resolved}", if firing.is_empty() { "" } else { "\n\n" });
    }
    text
}

fn grafana_block(alert: &Sent) -> String {
    let values: Vec<String> = alert.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let values = if values.is_empty() { "[no value]".to_owned() } else { values.join(", ") };
    format!(
        "\nValue: {values}\n{}Source: {}\nSilence: {}\nDashboard: {}\nPanel: {}&viewPanel=2\n",
        labels_and_annotations(alert),
        alert.source(),
        alert.silence(),
        alert.dashboard(),
        alert.dashboard()
    )
}

fn labels_and_annotations(alert: &Sent) -> String {
    let mut text = "Labels:\n".to_owned();
    for (name, value) in alert.sorted_labels() {
        let _ = writeln!(text, " - {name} = {value}");
    }
    text.push_str("Annotations:\n");
    for (name, value) in &alert.annotations {
        let _ = writeln!(text, " - {name} = {value}");
    }
    text
}

pub(super) fn grafana_json(alerts: &[Sent]) -> String {
    let one = |alert: &Sent| {
        let mut json = webhook_alert(alert);
        json["silenceURL"] = alert.silence().into();
        json["dashboardURL"] = alert.dashboard().into();
        json["panelURL"] = format!("{}&viewPanel=2", alert.dashboard()).into();
        json["ruleUID"] = alert.uid.as_str().into();
        json["valueString"] = "[ var='Z' labels={} value=7 ]".into();
        json["values"] = if alert.values.is_empty() { Value::Null } else { object(&alert.values) };
        json["orgId"] = 1.into();
        json
    };
    let alerts: Vec<Value> = alerts.iter().map(one).collect();
    json!({"alerts": alerts, "orgId": 1, "receiver": "r", "status": "firing", "truncatedAlerts": 0, "version": "1"})
        .to_string()
}

fn webhook_alert(alert: &Sent) -> Value {
    let labels: Vec<(String, String)> =
        alert.sorted_labels().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    json!({
        "status": if alert.is_resolved { "resolved" } else { "firing" },
        "labels": object(&labels),
        "annotations": object(&alert.annotations),
        "startsAt": rfc3339(alert.start_ms()),
        "endsAt": if alert.is_resolved { rfc3339(alert.end_ms()) } else { "0001-01-01T00:00:00Z".to_owned() },
        "generatorURL": alert.source(),
        "fingerprint": "edf931da3f53784c",
    })
}

fn object<T: Clone + Into<Value>>(pairs: &[(String, T)]) -> Value {
    Value::Object(
        pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<Map<_, _>>(),
    )
}

fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

pub(super) fn alertmanager_text(alerts: &[Sent]) -> String {
    let mut text = "common annotations\n".to_owned();
    for (heading, is_resolved) in [("Alerts Firing:", false), ("Alerts Resolved:", true)] {
        let mut own = alerts.iter().filter(|alert| alert.is_resolved == is_resolved).peekable();
        // The line break behind each `{{ end }}` is written whether the section is or not.
        text.push('\n');
        if own.peek().is_some() {
            let _ = writeln!(text, "{heading}");
        }
        for alert in own {
            let _ = writeln!(text, "{}Source: {}", labels_and_annotations(alert), alert.source());
        }
    }
    text + "\n"
}

/// The template as the guide of Managed Prometheus prints it: two blanks before each line, four
/// before what is called in a section.
pub(super) fn managed_prometheus_text(alerts: &[Sent]) -> String {
    let mut text = "common annotations\n  ".to_owned();
    for (heading, is_resolved) in [("Alerts Firing:", false), ("Alerts Resolved:", true)] {
        let mut own = alerts.iter().filter(|alert| alert.is_resolved == is_resolved).peekable();
        if own.peek().is_some() {
            let _ = write!(text, "{heading}\n    ");
        }
        for alert in own {
            let block = format!("{}Source: {}\n", labels_and_annotations(alert), alert.source());
            text.push_str(&block.replace('\n', "\n  "));
        }
        text.push_str("\n  ");
    }
    text
}

pub(super) fn alertmanager_json(alerts: &[Sent]) -> String {
    let alerts: Vec<Value> = alerts.iter().map(webhook_alert).collect();
    json!({"version": "4", "groupKey": "{}:{}", "status": "firing", "receiver": "r", "alerts": alerts})
        .to_string()
}

/// As Managed Prometheus documents it: values go in as they are, times in Go's form.
pub(super) fn managed_prometheus_json(alerts: &[Sent]) -> String {
    let raw = |pairs: &[(&str, &str)]| {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("\"{name}\": \"{value}\"")).collect();
        format!("{{{}}}", pairs.join(", "))
    };
    let go = |ms: i64| rfc3339(ms).replace('T', " ").replace('Z', " +0000 UTC");
    let one = |alert: &Sent| {
        let annotations: Vec<(&str, &str)> =
            alert.annotations.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        format!(
            r#"{{"status": "{}","labels": {},"annotations": {},"startsAt": "{}","endsAt": "{}","generatorURL": "{}","fingerprint": "f"}}"#,
            if alert.is_resolved { "resolved" } else { "firing" },
            raw(&alert.sorted_labels()),
            raw(&annotations),
            go(alert.start_ms()),
            if alert.is_resolved { go(alert.end_ms()) } else { "0001-01-01 00:00:00 +0000 UTC".to_owned() },
            alert.source()
        )
    };
    let alerts: Vec<String> = alerts.iter().map(one).collect();
    format!(
        r#"{{"receiver": "default","status": "firing","alerts": [{}],"groupLabels": {{}}}}"#,
        alerts.join(", ")
    )
}

/// Up to `most` alerts. Values hold whatever people write, structure of messages among it.
pub(super) fn alerts(most: usize, text: BoxedStrategy<String>) -> impl Strategy<Value = Vec<Sent>> {
    vec(alert(text), 1..=most).prop_map(|mut alerts| {
        // A sender lists what fires first, and no alert twice.
        alerts.sort_by_key(|alert| alert.is_resolved);
        for (number, alert) in alerts.iter_mut().enumerate() {
            alert.uid = format!("uid-{number}");
            alert.labels.push(("zone".to_owned(), format!("z{number}")));
        }
        alerts
    })
}

fn alert(text: BoxedStrategy<String>) -> impl Strategy<Value = Sent> {
    let name = "[a-yA-Y_][a-zA-Z0-9_]{0,6}".prop_filter("reserved", |name| {
        !name.starts_with("__")
            && name != "alertname"
            && name != "grafana_state_reason"
            && name != "runbook_url"
    });
    let line =
        "[ -~äé]{1,20}".prop_map(|line| line.trim().to_owned()).prop_filter("blank", |line| !line.is_empty());
    let label = line.clone().prop_filter("quotes", |line| !line.contains(['"', '\\']));
    let labels = btree_map(name.clone(), label.clone(), 0..4);
    let annotations = btree_map(name, text, 0..4);
    let values =
        btree_map("[A-F]", (-9_000_000..9_000_000_i32).prop_map(|value| f64::from(value) / 1000.0), 0..3);
    (any::<bool>(), label, labels, annotations, values, 0..1000_i64).prop_map(
        |(is_resolved, name, labels, annotations, values, minute)| Sent {
            is_resolved,
            name,
            labels: labels.into_iter().collect(),
            annotations: annotations.into_iter().collect(),
            values: values.into_iter().collect(),
            uid: String::new(),
            minute,
        },
    )
}

/// A line of anything but quotes and backslashes.
pub(super) fn plain_line() -> BoxedStrategy<String> {
    "[ -~äé]{0,30}".prop_map(|text| text.replace(['"', '\\'], "'").trim().to_owned()).boxed()
}

/// Text with lines, some of which look like parts of a message.
pub(super) fn imitating() -> BoxedStrategy<String> {
    let line = prop_oneof![
        "[ -~äé]{0,20}",
        Just(String::new()),
        Just("**Resolved**".to_owned()),
        Just("**Firing**".to_owned()),
        Just("Value: A=1".to_owned()),
        Just("Labels:".to_owned()),
        Just(" - alertname = Forged".to_owned()),
        Just("Annotations:".to_owned()),
        Just("Source: https://forged.example.com/".to_owned()),
        Just("Dashboard: https://forged.example.com/".to_owned()),
        Just("{\"alerts\": [{\"labels\": {}}]}".to_owned()),
    ];
    // The name in front and a first line that is none keep it from being sorted as a pair.
    vec(line, 0..9).prop_map(|lines| format!("text\n{}", lines.join("\n")).trim_end().to_owned()).boxed()
}
