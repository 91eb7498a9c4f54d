//! What is in a Grafana.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::dashboard::Identity;

/// What concerns a stack in one Grafana, as its API tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Our folder (`GET /api/folders/{uid}`).
    pub folder: Option<Value>,
    /// Folders in it (`GET /api/folders?parentUid=`).
    pub subfolders: Vec<Value>,
    /// Our data source (`GET /api/datasources/uid/{uid}`).
    pub data_source: Option<Value>,
    /// Dashboards that have a uid of ours, with `dashboard` and `meta` (`GET
    /// /api/dashboards/uid/{uid}`).
    pub dashboards: BTreeMap<String, Value>,
    /// All dashboards (`GET /api/search?type=dash-db`): uid, tags, folder.
    pub listed: Vec<Value>,
    /// All rules (`GET /api/v1/provisioning/alert-rules`).
    pub rules: Vec<Value>,
    /// Our groups of rules, by title.
    pub groups: BTreeMap<String, Value>,
    /// All contact points.
    pub contact_points: Vec<Value>,
    /// The notification policy.
    pub policies: Value,
}

/// Which objects are a stack's own.
#[derive(Debug, Clone, Copy)]
pub struct Ownership<'a>(pub &'a Identity);

impl Ownership<'_> {
    /// A dashboard of `GET /api/search`, or the model of one: by tag and uid.
    pub fn has_dashboard(self, dashboard: &Value) -> bool {
        let tags = dashboard["tags"].as_array().into_iter().flatten();
        let is_tagged = tags.into_iter().any(|tag| *tag == self.0.tag());
        is_tagged && self.is_uid(&dashboard["uid"])
    }

    /// A rule: by label and uid. A copy that somebody made of a rule has the label too.
    pub fn has_rule(self, rule: &Value) -> bool {
        rule["labels"]["managed_by"] == self.0.as_str() && self.is_uid(&rule["uid"])
    }

    fn is_uid(self, uid: &Value) -> bool {
        uid.as_str().is_some_and(|uid| self.0.made(uid))
    }
}

/// Whether an object can be changed with the header that keeps it editable. What was written by
/// the API without it must go on without.
pub(super) fn is_editable(object: &Value) -> bool {
    object["provenance"] != "api"
}

/// Whether an object comes from a file of Grafana's own, which no call changes.
pub(super) fn is_of_file(object: &Value) -> bool {
    object["provenance"] == "file"
}
