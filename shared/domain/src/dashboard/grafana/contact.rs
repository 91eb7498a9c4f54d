//! The SNS contact point and the route to it.

use serde_json::{Value, json};

use crate::dashboard::identity::Identity;
use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};

/// Amazon Managed Grafana and Grafana itself know SNS by different settings. `GET
/// /api/alert-notifiers` says which a workspace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnsShape {
    /// `topic`, `authProvider`, `messageFormat`.
    Managed,
    /// `topic_arn`, `sigv4`.
    OpenSource,
    /// Both; each passes over the other's.
    Both,
}

/// The contact point, for `POST /api/v1/provisioning/contact-points`. `region` is the topic's.
pub fn contact_point(identity: &Identity, topic_arn: &str, region: &str, shape: SnsShape) -> Value {
    let mut settings = json!({});
    if shape != SnsShape::OpenSource {
        settings["topic"] = topic_arn.into();
        settings["authProvider"] = "default".into();
        settings["messageFormat"] = "json".into();
    }
    if shape != SnsShape::Managed {
        settings["topic_arn"] = topic_arn.into();
        settings["sigv4"] = json!({"region": region});
    }
    json!({
        "uid": identity.contact_point(),
        "name": identity.contact_point(),
        "type": "sns",
        "settings": settings,
        "disableResolveMessage": false,
    })
}

/// Where alerts go and how they gather on the way: in a rule since Grafana 12, in [`route`] before. A
/// rule must name folder and title.
pub(super) fn delivery(identity: &Identity) -> Value {
    json!({
        "receiver": identity.contact_point(),
        "group_by": ["alertname", "grafana_folder", ENDPOINT_DIMENSION, COMPONENT_DIMENSION],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
    })
}

/// Our one route in the notification policy. It is found by the label that every rule of ours has,
/// which outlives a renamed folder.
pub fn route(identity: &Identity) -> Value {
    let mut route = delivery(identity);
    route["object_matchers"] = json!([["managed_by", "=", identity.as_str()]]);
    route["continue"] = false.into();
    route
}
