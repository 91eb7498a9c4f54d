//! Whether rules are evaluated at all. A workspace older than Grafana 11 may have unified alerting
//! off: it takes rules then and never evaluates them. Switching it on deletes what the old alerting
//! had, so it is done only where somebody has asked for it.

use serde_json::{Map, Value};

use super::{GrafanaVersion, Refusal};

/// What is to be done before rules make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alerting {
    /// Nothing.
    Ready,
    /// The workspace is to get this configuration, which takes about five minutes.
    SwitchOn(String),
}

/// Decides by the `configuration` of the workspace, a JSON text (Amazon Managed Grafana API
/// reference, `DescribeWorkspaceConfiguration`).
///
/// # Errors
/// It is off and `is_allowed` is not set, or the configuration cannot be read.
pub fn alerting(version: GrafanaVersion, configuration: &str, is_allowed: bool) -> Result<Alerting, Refusal> {
    if !version.can_lack_alerting() {
        return Ok(Alerting::Ready);
    }
    let mut fields: Map<String, Value> =
        serde_json::from_str(configuration).map_err(|_| Refusal::UnreadableConfiguration)?;
    let unified = fields.entry("unifiedAlerting").or_insert_with(|| Map::new().into());
    if unified["enabled"] == true {
        return Ok(Alerting::Ready);
    }
    if !is_allowed {
        return Err(Refusal::AlertingOff(version));
    }
    let Some(unified) = unified.as_object_mut() else { return Err(Refusal::UnreadableConfiguration) };
    unified.insert("enabled".to_owned(), true.into());
    Ok(Alerting::SwitchOn(Value::from(fields).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(version: &str, configuration: &str, is_allowed: bool) -> Result<Alerting, Refusal> {
        alerting(version.parse().unwrap(), configuration, is_allowed)
    }

    #[test]
    fn alerting_is_switched_on_only_where_it_is_off_and_somebody_asked() {
        let off = r#"{"plugins":{"pluginAdminEnabled":true},"unifiedAlerting":{"enabled":false}}"#;
        assert_eq!(decide("12.4", off, false), Ok(Alerting::Ready));
        assert_eq!(decide("10.4", r#"{"unifiedAlerting":{"enabled":true}}"#, false), Ok(Alerting::Ready));
        let version: GrafanaVersion = "10.4".parse().unwrap();
        assert_eq!(decide("10.4", off, false), Err(Refusal::AlertingOff(version)));
        assert_eq!(decide("10.4", "{}", false), Err(Refusal::AlertingOff(version)));
        let Ok(Alerting::SwitchOn(sent)) = decide("10.4", off, true) else { panic!("not switched on") };
        let sent: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(sent["unifiedAlerting"]["enabled"], true);
        // What else is configured stays.
        assert_eq!(sent["plugins"]["pluginAdminEnabled"], true);
    }

    #[test]
    fn what_cannot_be_read_is_not_overwritten() {
        for text in ["", "[]", "no json", r#"{"unifiedAlerting": 1}"#] {
            assert_eq!(decide("10.4", text, true), Err(Refusal::UnreadableConfiguration), "{text}");
        }
    }
}
