//! What Grafana sends of a firing rule: labels and annotations with their templates filled in.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Firing, text};
use crate::failure::{Failure, Outcome};

/// One alert of Grafana's webhook JSON, which began to fire at `starts_at`; over when `ends_at` is
/// there.
///
/// # Errors
/// The rule uses a template that is not known here.
pub fn alert(
    rule: &Value,
    firing: &Firing,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
) -> Outcome<Value> {
    let filled = |of: &Value| -> Outcome<Map<String, Value>> {
        let pairs = of.as_object().into_iter().flatten();
        pairs.map(|(key, value)| Ok((key.clone(), Value::from(fill(text(value), firing)?)))).collect()
    };
    let mut labels = filled(&rule["labels"])?;
    labels.extend(firing.labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    labels.insert("alertname".to_owned(), rule["title"].clone());
    labels.insert("grafana_folder".to_owned(), json!("Assay"));
    let values: Map<String, Value> =
        firing.values.iter().map(|(id, value)| (id.to_string(), json!(value))).collect();
    let at =
        |time: Option<Timestamp>| time.map_or("0001-01-01T00:00:00Z".to_owned(), |time| time.to_string());
    let rule_url = format!("https://grafana.example/alerting/grafana/{}/view", text(&rule["uid"]));
    Ok(json!({
        "status": if ends_at.is_some() { "resolved" } else { "firing" },
        "labels": labels,
        "annotations": filled(&rule["annotations"])?,
        "startsAt": starts_at.to_string(),
        "endsAt": at(ends_at),
        "values": values,
        "generatorURL": rule_url,
        "fingerprint": "",
        "silenceURL": "https://grafana.example/alerting/silence/new",
        "dashboardURL": format!("https://grafana.example/d/{}", text(&rule["annotations"]["__dashboardUid__"])),
        "panelURL": format!(
            "https://grafana.example/d/{}?viewPanel={}",
            text(&rule["annotations"]["__dashboardUid__"]),
            text(&rule["annotations"]["__panelId__"])
        ),
    }))
}

/// Grafana's webhook JSON of these alerts, as its SNS contact point sends it by template.
pub fn message(alerts: &[Value]) -> String {
    let is_firing = alerts.iter().any(|alert| alert["status"] == "firing");
    json!({
        "receiver": "assay", "status": if is_firing { "firing" } else { "resolved" }, "alerts": alerts,
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "https://grafana.example/", "version": "1", "groupKey": "{}:{}", "truncatedAlerts": 0,
        "orgId": 1, "title": "[FIRING]", "state": "alerting", "message": "",
    })
    .to_string()
}

fn fill(template: &str, firing: &Firing) -> Outcome<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let unknown = || Failure(format!("the template {template:?} is not understood"));
        let (inside, after) = after.split_once("}}").ok_or_else(unknown)?;
        filled.push_str(before);
        filled.push_str(&value(inside.trim(), firing).ok_or_else(unknown)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value(inside: &str, firing: &Firing) -> Option<String> {
    if let Some(name) = inside.strip_prefix("$labels.") {
        // Go's templates say this of a label that is not there.
        return Some(firing.labels.get(name).map_or("<no value>", String::as_str).to_owned());
    }
    let (form, name) = inside.rsplit_once(' ')?;
    let id = name.strip_prefix("$values.")?.strip_suffix(".Value")?.chars().next()?;
    let number = firing.values.get(&id)?;
    if form == "humanizePercentage" {
        return Some(format!("{:.2}%", number * 100.0));
    }
    let decimals: usize = form.strip_prefix("printf \"%.")?.strip_suffix("f\"")?.parse().ok()?;
    Some(format!("{number:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn templates_are_filled_and_unknown_ones_are_told() {
        let firing = Firing {
            labels: BTreeMap::from([("C".to_owned(), "qwen".to_owned())]),
            values: BTreeMap::from([('B', 0.6149)]),
        };
        for (template, filled) in [
            ("{{ $labels.C }}: {{ printf \"%.3f\" $values.B.Value }}", "qwen: 0.615"),
            ("{{ humanizePercentage $values.B.Value }}", "61.49%"),
            ("{{ $labels.D }}", "<no value>"),
            ("plain", "plain"),
        ] {
            assert_eq!(fill(template, &firing).unwrap(), filled);
        }
        for unknown in ["{{ $values.B }}", "{{ toUpper $labels.C }}", "{{ $labels.C"] {
            assert!(fill(unknown, &firing).is_err(), "{unknown}");
        }
    }
}
