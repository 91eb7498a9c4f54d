//! What is in a Grafana.

use serde_json::{Value, json};

/// Objects as the API answers them.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) folders: Vec<Value>,
    pub(super) data_sources: Vec<Value>,
    /// `dashboard` and `meta`.
    pub(super) dashboards: Vec<Value>,
    pub(super) contact_points: Vec<Value>,
    pub(super) policies: Value,
    pub(super) rules: Vec<Value>,
    /// `title`, `folderUid`, `interval`.
    pub(super) groups: Vec<Value>,
}

impl Content {
    /// Another team's folder, dashboard, rule, contact point and route.
    pub(super) fn of_somebody() -> Self {
        Self {
            folders: vec![json!({"id": 1, "uid": "theirs", "title": "Another team"})],
            data_sources: vec![json!({
                "id": 1, "uid": "their-prometheus", "name": "Prometheus", "type": "prometheus", "access": "proxy",
                "isDefault": true, "readOnly": false, "jsonData": {},
            })],
            dashboards: vec![json!({
                "dashboard": {"id": 1, "uid": "their-board", "title": "Their board", "tags": ["assay", "llm"], "version": 3},
                "meta": {"folderUid": "theirs", "provisioned": false},
            })],
            contact_points: vec![
                json!({"uid": "", "name": "grafana-default-email", "type": "email", "settings": {"addresses": "a@example.com"}, "provenance": ""}),
                json!({"uid": "their-pager", "name": "their-pager", "type": "sns", "settings": {"topic": "arn:aws:sns:us-east-1:1:theirs"}, "provenance": ""}),
            ],
            policies: json!({
                "receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"],
                "routes": [{"receiver": "their-pager", "object_matchers": [["team", "=", "theirs"]]}],
                "provenance": "",
            }),
            rules: vec![json!({
                "uid": "their-rule", "title": "Their rule", "folderUID": "theirs", "ruleGroup": "their-group", "condition": "A",
                "labels": {"team": "theirs"}, "for": "5m", "data": [{"refId": "A"}], "provenance": "",
            })],
            groups: vec![json!({"title": "their-group", "folderUid": "theirs", "interval": 60})],
        }
    }

    pub(super) fn shown(&self) -> Value {
        json!({
            "folders": self.folders,
            "data_sources": self.data_sources,
            "dashboards": self.dashboards,
            "contact_points": self.contact_points,
            "policies": self.policies,
            "rules": self.rules,
            "groups": self.groups,
        })
    }

    /// What the alerting that is switched on finds: nothing.
    pub(super) fn forget_alerting(&mut self) {
        let fresh = Self::of_somebody();
        self.rules.clear();
        self.groups.clear();
        self.contact_points = fresh.contact_points[..1].to_vec();
        self.policies = json!({"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"], "provenance": ""});
    }

    pub(super) fn folder(&self, uid: &str) -> Option<&Value> {
        by_uid(&self.folders, uid)
    }
}

pub(super) fn by_uid<'a>(list: &'a [Value], uid: &str) -> Option<&'a Value> {
    list.iter().find(|one| one["uid"] == uid)
}

/// Removes it, and says whether it was there.
pub(super) fn remove(list: &mut Vec<Value>, uid: &str) -> bool {
    let before = list.len();
    list.retain(|one| one["uid"] != uid);
    list.len() < before
}
