//! Why nothing is done, for the person who deploys.

use thiserror::Error;

use super::GrafanaVersion;

/// A state of affairs in which nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Too old.
    #[error("Grafana {0} is too old: {oldest} to 13 are supported; upgrade the workspace", oldest = GrafanaVersion::OLDEST)]
    TooOld(GrafanaVersion),
    /// `GET /api/health` has none.
    #[error("the Grafana does not say which version it is, so that nothing is known to fit it")]
    NoVersion,
    /// A workspace that takes rules and never evaluates them.
    #[error(
        "unified alerting is off in this Grafana {0}, so that rules would never be evaluated. Switch it on \
         (GrafanaEnableUnifiedAlerting=true): it restarts the workspace for about five minutes and DELETES the \
         alerts of the old alerting"
    )]
    AlertingOff(GrafanaVersion),
    /// A Grafana of one's own that does.
    #[error("this Grafana has no unified alerting: set [unified_alerting] enabled = true in its grafana.ini")]
    NoAlerting,
    /// The workspace's configuration is not what the API reference says.
    #[error("the workspace's configuration cannot be read, so whether alerting is on is not known")]
    UnreadableConfiguration,
    /// One endpoint is needed.
    #[error(
        "Grafana {0} cannot tell endpoints apart within a rule: name the endpoint to watch \
         (GrafanaAlertEndpoint), or upgrade the workspace to 12 or later"
    )]
    NeedsEndpoint(GrafanaVersion),
    /// There is no SNS among the kinds of contact points.
    #[error(
        "this Grafana knows no contact point of type sns; switch on SNS as a notification channel of the workspace"
    )]
    NoSns,
    /// The data source for `PromQL` is not there.
    #[error(
        "there is no data source {0:?} for PromQL; GrafanaPrometheusUid must be the uid of one, or empty"
    )]
    NoPrometheus(String),
    /// Objects under our names that are not ours, each named.
    #[error("not made by this stack, and left alone: {}. Rename or remove them, then deploy again", .0.join("; "))]
    NotOurs(Vec<String>),
}

/// What a person can do about a status code of Grafana's API, and what it `said`; empty where it says all
/// itself.
pub fn advice(status: u16, said: &str) -> &'static str {
    match status {
        // It answers with 403, as to a role that may not.
        _ if said.to_ascii_lowercase().contains("quota") => {
            "; a quota of this Grafana is used up, what others have in it included (a workspace takes 100 alert rules \
             by default): drop limits in alerts.toml, or have the quota raised"
        }
        401 => {
            "; the token was refused: it must be one of a service account of this Grafana, and not have expired"
        }
        403 => "; the service account needs the role Admin",
        409 | 412 => {
            "; somebody else has an object of this name, or has changed it at the same time: rename it or try again"
        }
        429 => "; Grafana is busy: deploy again in some minutes",
        500.. => "; Grafana itself failed: deploy again in some minutes",
        _ => "",
    }
}
