//! Input made to take long.

use super::*;

/// How the time grows with the length is measured in the benchmark, over the same forms.
#[test]
fn what_is_made_to_take_long_is_still_read() {
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
        let message = start.to_owned() + &unit.repeat(16_384 / unit.len());
        assert!(!parsed(message).alerts.is_empty(), "{start:?} and {unit:?}");
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
