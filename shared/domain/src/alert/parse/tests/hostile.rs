//! Input made to take long.

use std::time::{Duration, Instant};

use super::*;

/// The shortest of several runs, which the machine's other work disturbs least.
fn time(message: &str) -> Duration {
    let delivery = delivered(message, Some("[FIRING:1] x"));
    let run = |_| {
        let start = Instant::now();
        let parsed = parse(&delivery);
        assert!(!parsed.alerts.is_empty());
        start.elapsed()
    };
    (0..5).map(run).min().unwrap()
}

/// Eight times the length may take up to 24 times the time; quadratic work would take 64 times.
#[test]
fn time_grows_with_length_and_no_faster() {
    let silence = "Silence: https://h/alerting/silence/new?matcher=a%3Db&orgId=1\n";
    let grafana = format!(
        "\nValue: A=1\nLabels:\n - alertname = a\n - a = b\nAnnotations:\n - x = y\nSource: https://h/\n{silence}"
    );
    let amp = r#"{"status": "firing","labels": {"alertname": "a"},"annotations": {"x": "say "hi", you"}}, "#;
    for (start, unit) in [
        ("**Firing**\n", grafana.as_str()),
        ("**Firing**\n", "\nValue: A=1\nLabels:\n - alertname = a\n"),
        ("**Firing**\n\nValue: \nLabels:\n - alertname = a\nAnnotations:\n - a = b\n", silence),
        (
            "**Firing**\n\nValue: \nLabels:\n - alertname = a\nAnnotations:\n - a = b\n",
            "\nLabels:\n - b = c\n",
        ),
        ("", "**Firing**\n\nValue: \n"),
        ("**Firing**\n\nValue: ", "A=1, "),
        ("Alerts Firing:\n", "Labels:\n - alertname = a\nAnnotations:\nSource: https://h/\n"),
        ("Alerts Firing:\nLabels:\n", "Labels:\n"),
        ("{\"alerts\": [", amp),
        ("{\"alerts\": [", "{\"labels\": {\"a\": \"b\"}}, "),
        ("", "["),
        ("", "{\"a\":"),
        ("{\"a\": \"", "\""),
        ("{\"a\": \"", "\", \""),
        ("{\"a\": \"", "\",\\\""),
        ("{\"a\": \"", "\" ,\n"),
        ("{\"a\": \"", "\" }"),
        ("{\"a\": \"", "\\\""),
        ("{\"a\": \"", "\\\",\"b"),
        ("{\"a\": \"\"", "          "),
        ("{\"a\": ", "x y "),
        ("{\"a\" ", "\"b\" "),
        ("{\"body\":", "\"{"),
        ("{\"AlarmName\": \"a\", \"NewStateReason\": \"", "datapoints [1 (1.0 "),
        ("State: ok\n", "State: ok\n"),
        ("threshold ", "threshold < "),
        ("", "\u{e9}\n"),
    ] {
        let message = |length: usize| start.to_owned() + &unit.repeat(length / unit.len());
        let (short, long) = (time(&message(32_768)), time(&message(262_144)));
        assert!(
            long < short * 24 + Duration::from_millis(5),
            "{start:?} and {unit:?}: {short:?} for 32 KB, {long:?} for 256 KB"
        );
    }
}

#[test]
fn depth_does_not_matter() {
    for (open, inside, close) in [("[", "", "]"), ("{\"a\":", "1", "}"), ("{\"body\":", "\"x\"", "}")] {
        let message = format!("{}{inside}{}", open.repeat(50_000), close.repeat(50_000));
        assert_eq!(parsed(message).alerts.len(), 1);
    }
    let mut body = "**Firing**\n\nValue: \n".to_owned();
    for _ in 0..8 {
        body = serde_json::json!({ "body": body, "state": "ok" }).to_string();
    }
    assert_eq!(parsed(body).alerts.len(), 1);
}
