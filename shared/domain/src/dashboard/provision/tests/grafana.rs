//! A Grafana that is a value: what its API keeps, and how it comes back.

use serde_json::{Value, json};

use crate::dashboard::Identity;
use crate::dashboard::provision::{Call, Found, Method, Plan, Request, Wanted, policy};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grafana {
    pub(super) folders: Vec<Value>,
    pub(super) data_sources: Vec<Value>,
    /// `dashboard` and `meta`.
    pub(super) dashboards: Vec<Value>,
    pub(super) rules: Vec<Value>,
    /// Title, folder, interval.
    pub(super) groups: Vec<Value>,
    pub(super) contact_points: Vec<Value>,
    pub(super) policies: Value,
}

impl Default for Grafana {
    fn default() -> Self {
        let policies = json!({"receiver": "grafana-default-email", "routes": [{"receiver": "pager"}]});
        let nothing = Vec::new;
        Self {
            folders: nothing(),
            data_sources: nothing(),
            dashboards: nothing(),
            rules: nothing(),
            groups: nothing(),
            contact_points: nothing(),
            policies,
        }
    }
}

impl Grafana {
    pub(super) fn found(&self, identity: &Identity, wanted: &Wanted) -> Found {
        let by = |list: &[Value], uid: &str| list.iter().find(|one| one["uid"] == uid).cloned();
        let dashboard =
            |uid: &str| self.dashboards.iter().find(|one| one["dashboard"]["uid"] == uid).cloned();
        let uids = wanted.dashboards.iter().filter_map(|one| one["uid"].as_str());
        let titles = wanted.groups.iter().filter_map(|group| group["title"].as_str());
        let listed = self.dashboards.iter().map(|one| {
            let mut listed = one["dashboard"].clone();
            listed["folderUid"] = one["meta"]["folderUid"].clone();
            listed
        });
        Found {
            folder: by(&self.folders, &identity.folder_uid()),
            subfolders: self
                .folders
                .iter()
                .filter(|one| one["parentUid"] == identity.folder_uid())
                .cloned()
                .collect(),
            data_source: by(&self.data_sources, &identity.data_source_uid()),
            dashboards: uids.filter_map(|uid| Some((uid.to_owned(), dashboard(uid)?))).collect(),
            listed: listed.collect(),
            rules: self.rules.clone(),
            groups: titles.filter_map(|title| Some((title.to_owned(), self.group(title)?))).collect(),
            contact_points: self.contact_points.clone(),
            policies: self.policies.clone(),
        }
    }

    fn group(&self, title: &str) -> Option<Value> {
        let mut group = self.groups.iter().find(|group| group["title"] == title)?.clone();
        group["rules"] = self.rules.iter().filter(|rule| rule["ruleGroup"] == title).cloned().collect();
        Some(group)
    }

    pub(super) fn carry_out(&mut self, identity: &Identity, plan: Plan) -> Vec<String> {
        let mut done = Vec::new();
        for step in plan.steps {
            done.push(format!("{:?} {}", step.change, step.object).to_lowercase());
            match step.call {
                Call::Send(request) | Call::SendOr(request, _) => self.take(request),
                Call::Route(route) => {
                    self.policies = policy::placed(&self.policies, identity, route.as_ref()).unwrap();
                }
            }
        }
        done
    }

    fn take(&mut self, request: Request) {
        let body = request.body.unwrap_or_default();
        let provenance = if request.stays_editable { "" } else { "api" };
        let path: Vec<&str> = request.path.split('/').collect();
        match (request.method, path.as_slice()) {
            (Method::Post, ["api", "folders"]) => self.folders.push(body),
            (Method::Delete, ["api", "folders", uid]) => delete(&mut self.folders, uid),
            (Method::Post, ["api", "datasources"]) => self.data_sources.push(body),
            (Method::Put, ["api", "datasources", "uid", uid]) => {
                delete(&mut self.data_sources, uid);
                self.data_sources.push(body);
            }
            (Method::Delete, ["api", "datasources", "uid", uid]) => delete(&mut self.data_sources, uid),
            (Method::Post, ["api", "dashboards", "db"]) => {
                let uid = &body["dashboard"]["uid"];
                self.dashboards.retain(|one| one["dashboard"]["uid"] != *uid);
                let meta = json!({"folderUid": body["folderUid"]});
                self.dashboards.push(json!({"dashboard": body["dashboard"], "meta": meta}));
            }
            (Method::Delete, ["api", "dashboards", "uid", uid]) => {
                self.dashboards.retain(|one| one["dashboard"]["uid"] != **uid);
            }
            (Method::Post, ["api", "v1", "provisioning", "contact-points"]) => {
                self.contact_points.push(with(body, provenance));
            }
            (Method::Put, ["api", "v1", "provisioning", "contact-points", uid]) => {
                delete(&mut self.contact_points, uid);
                self.contact_points.push(with(body, provenance));
            }
            (Method::Delete, ["api", "v1", "provisioning", "contact-points", uid]) => {
                delete(&mut self.contact_points, uid);
            }
            (Method::Put, ["api", "v1", "provisioning", "folder", folder, "rule-groups", title]) => {
                self.put_group(folder, title, &body, provenance);
            }
            (Method::Delete, ["api", "v1", "provisioning", "alert-rules", uid]) => {
                delete(&mut self.rules, uid);
            }
            other => panic!("Grafana has no {other:?}"),
        }
    }

    /// As a whole: what is not in it is gone.
    fn put_group(&mut self, folder: &str, title: &str, body: &Value, provenance: &str) {
        self.rules.retain(|rule| rule["ruleGroup"] != title);
        for rule in body["rules"].as_array().unwrap() {
            let mut rule = with(rule.clone(), provenance);
            rule["ruleGroup"] = title.into();
            rule["folderUID"] = folder.into();
            self.rules.push(rule);
        }
        self.groups.retain(|group| group["title"] != title);
        self.groups.push(json!({"title": title, "folderUid": folder, "interval": body["interval"]}));
    }
}

fn with(mut body: Value, provenance: &str) -> Value {
    body["provenance"] = provenance.into();
    body
}

fn delete(list: &mut Vec<Value>, uid: &str) {
    list.retain(|one| one["uid"] != uid);
}
