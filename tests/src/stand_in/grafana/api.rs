//! Grafana's HTTP API: who may, folders, data sources, dashboards. Alerting is in [`super::alerting`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::content::{by_uid, remove};
use super::{Call, Grafana, OWN, OWN_TOKEN, Reply, StandIn, Workspace, message};

/// The longest uid.
const LONGEST_UID: usize = 40;

impl StandIn for Grafana {
    fn name(&self) -> &'static str {
        "grafana"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/grafana/")
    }

    fn answer(&self, call: &Call) -> Reply {
        let path: Vec<&str> = call.path.trim_start_matches("/grafana/").split('/').collect();
        let mut all = self.0.lock();
        let Some(workspace) = all.get_mut(path[0]) else { return message(404, "no such host") };
        let inside = &path[1..];
        if inside == ["api", "health"] {
            let version = format!("{}.0", workspace.features.version);
            return Reply::json(200, &json!({"database": "ok", "version": version, "commit": "0000000"}));
        }
        if workspace.features.status != "ACTIVE" {
            return message(503, "Grafana is starting");
        }
        if !workspace.knows(path[0], call) {
            return message(401, "Invalid API key");
        }
        let body =
            if call.body.is_empty() { Some(Value::Null) } else { serde_json::from_str(&call.body).ok() };
        let Some(body) = body else { return message(400, "bad request data") };
        workspace.route(call, inside, &body)
    }
}

impl Workspace {
    fn knows(&self, id: &str, call: &Call) -> bool {
        let header = call.headers.get("authorization").and_then(|value| value.to_str().ok());
        let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else { return false };
        if id == OWN {
            return token == OWN_TOKEN;
        }
        let mut tokens = self.accounts.iter().flat_map(|account| &account.tokens);
        tokens.any(|live| live.key == token && live.ends_at > Timestamp::now())
    }

    fn route(&mut self, call: &Call, path: &[&str], body: &Value) -> Reply {
        let is_write = call.method != "GET";
        let needs_admin =
            matches!(path, ["api", "datasources" | "folders" | "alert-notifiers", ..] | ["api", "v1", ..]);
        let may = match self.features.role.as_str() {
            "ADMIN" => true,
            "EDITOR" => !(is_write && needs_admin) || path.get(1) == Some(&"folders"),
            _ => !is_write,
        };
        if !may {
            return message(403, "You'll need additional permissions to perform this action");
        }
        match (call.method.as_str(), path) {
            ("GET", ["api", "alert-notifiers"]) => self.notifiers(),
            ("GET", ["api", "folders"]) => self.list_folders(&call.query),
            ("POST", ["api", "folders"]) => self.create_folder(body),
            ("GET", ["api", "folders", uid]) => found(self.content.folder(uid), "folder not found"),
            ("DELETE", ["api", "folders", uid]) => self.delete_folder(uid, &call.query),
            ("POST", ["api", "datasources"]) => self.create_data_source(body),
            ("GET", ["api", "datasources", "uid", uid]) => {
                found(by_uid(&self.content.data_sources, uid), "Data source not found")
            }
            ("PUT", ["api", "datasources", "uid", uid]) => self.update_data_source(uid, body),
            ("DELETE", ["api", "datasources", "uid", uid]) => {
                let is_gone = remove(&mut self.content.data_sources, uid);
                if is_gone {
                    message(200, "Data source deleted")
                } else {
                    message(404, "Data source not found")
                }
            }
            ("GET", ["api", "search"]) => self.search(&call.query),
            ("POST", ["api", "dashboards", "db"]) => self.save_dashboard(body),
            ("GET", ["api", "dashboards", "uid", uid]) => found(self.dashboard(uid), "Dashboard not found"),
            ("DELETE", ["api", "dashboards", "uid", uid]) => self.delete_dashboard(uid),
            (method, ["api", "v1", "provisioning", rest @ ..]) => self.alerting(method, rest, call, body),
            _ => message(404, "Not found"),
        }
    }

    /// Before Grafana 10 there are no folders in folders, and the query is not looked at.
    fn list_folders(&self, query: &str) -> Reply {
        let parent = fields(query).get("parentUid").map(|uid| (*uid).to_owned()).unwrap_or_default();
        let is_asked = |folder: &&Value| {
            self.version() < 1000 || folder["parentUid"].as_str().unwrap_or_default() == parent
        };
        let folders: Vec<&Value> = self.content.folders.iter().filter(is_asked).collect();
        Reply::json(200, &json!(folders))
    }

    fn create_folder(&mut self, body: &Value) -> Reply {
        let (uid, title) = (text(body, "uid"), text(body, "title"));
        if title.is_empty() || uid.len() > LONGEST_UID {
            return message(400, "folder title cannot be empty, and its uid is at most 40 characters long");
        }
        if self.content.folder(&uid).is_some() {
            return message(412, "The folder has been changed by someone else");
        }
        let is_taken = self.content.folders.iter().any(|folder| folder["title"] == *title);
        if is_taken && self.version() < 1100 {
            return message(
                409,
                "a folder or dashboard in the general folder with the same name already exists",
            );
        }
        let folder = json!({"id": self.content.folders.len() + 1, "uid": uid, "title": title});
        self.content.folders.push(folder.clone());
        Reply::json(200, &folder)
    }

    /// What is in a folder goes with it: rules only when that is asked for.
    fn delete_folder(&mut self, uid: &str, query: &str) -> Reply {
        if self.content.folder(uid).is_none() {
            return message(404, "folder not found");
        }
        let has_rules = self.content.rules.iter().any(|rule| rule["folderUID"] == uid);
        if has_rules && fields(query).get("forceDeleteRules") != Some(&"true") {
            return message(400, "folder cannot be deleted: folder contains alert rules");
        }
        remove(&mut self.content.folders, uid);
        self.content.rules.retain(|rule| rule["folderUID"] != uid);
        self.content.groups.retain(|group| group["folderUid"] != uid);
        self.content.dashboards.retain(|dashboard| dashboard["meta"]["folderUid"] != uid);
        message(200, "Folder deleted")
    }

    fn create_data_source(&mut self, body: &Value) -> Reply {
        let (uid, name) = (text(body, "uid"), text(body, "name"));
        let is_taken = |one: &Value| one["uid"] == *uid || one["name"] == *name;
        if self.content.data_sources.iter().any(is_taken) {
            return message(409, "data source with the same name already exists");
        }
        if name.is_empty() || text(body, "type").is_empty() || uid.len() > LONGEST_UID {
            return message(400, "bad request data");
        }
        let mut source = body.clone();
        source["id"] = (self.content.data_sources.len() + 1).into();
        source["readOnly"] = false.into();
        if source["isDefault"] == true {
            self.content.data_sources.iter_mut().for_each(|other| other["isDefault"] = false.into());
        }
        self.content.data_sources.push(source.clone());
        Reply::json(200, &json!({"datasource": source, "message": "Datasource added"}))
    }

    fn update_data_source(&mut self, uid: &str, body: &Value) -> Reply {
        let Some(source) = self.content.data_sources.iter_mut().find(|one| one["uid"] == uid) else {
            return message(404, "Data source not found");
        };
        if source["readOnly"] == true {
            return message(403, "Cannot update read-only data source");
        }
        *source = body.clone();
        message(200, "Datasource updated")
    }

    fn dashboard(&self, uid: &str) -> Option<&Value> {
        self.content.dashboards.iter().find(|one| one["dashboard"]["uid"] == uid)
    }

    fn search(&self, query: &str) -> Reply {
        let query = fields(query);
        let number = |name: &str, otherwise: usize| {
            query.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
        };
        let (limit, page) = (number("limit", 1000).min(5000), number("page", 1).max(1));
        let hit = |one: &Value| {
            let (dashboard, meta) = (&one["dashboard"], &one["meta"]);
            json!({
                "id": dashboard["id"], "uid": dashboard["uid"], "title": dashboard["title"], "type": "dash-db",
                "tags": dashboard["tags"], "folderUid": meta["folderUid"],
            })
        };
        let hits: Vec<Value> =
            self.content.dashboards.iter().skip((page - 1) * limit).take(limit).map(hit).collect();
        Reply::json(200, &hits.into())
    }

    fn save_dashboard(&mut self, body: &Value) -> Reply {
        let uid = text(&body["dashboard"], "uid");
        if text(&body["dashboard"], "title").is_empty() || uid.len() > LONGEST_UID {
            return message(
                400,
                "Dashboard title cannot be empty, and its uid is at most 40 characters long",
            );
        }
        let folder = text(body, "folderUid");
        if !folder.is_empty() && self.content.folder(&folder).is_none() {
            return message(400, "folder not found");
        }
        let known = self.dashboard(&uid).cloned();
        if known.is_some() && body["overwrite"] != true {
            return message(412, "A dashboard with the same uid already exists");
        }
        if known.as_ref().is_some_and(|known| known["meta"]["provisioned"] == true) {
            return message(400, "Cannot save provisioned dashboard");
        }
        let version =
            known.as_ref().and_then(|known| known["dashboard"]["version"].as_u64()).unwrap_or_default() + 1;
        let mut dashboard = body["dashboard"].clone();
        dashboard["id"] = known.map_or_else(
            || (self.content.dashboards.len() + 1).into(),
            |known| known["dashboard"]["id"].clone(),
        );
        dashboard["version"] = version.into();
        self.content.dashboards.retain(|one| one["dashboard"]["uid"] != *uid);
        let meta = json!({"folderUid": folder, "provisioned": false, "version": version});
        self.content.dashboards.push(json!({"dashboard": dashboard, "meta": meta}));
        Reply::json(200, &json!({"status": "success", "uid": uid, "version": version}))
    }

    fn delete_dashboard(&mut self, uid: &str) -> Reply {
        let before = self.content.dashboards.len();
        self.content.dashboards.retain(|one| one["dashboard"]["uid"] != uid);
        if self.content.dashboards.len() == before {
            return message(404, "Dashboard not found");
        }
        message(200, "Dashboard deleted")
    }
}

fn found(value: Option<&Value>, missing: &str) -> Reply {
    value.map_or_else(|| message(404, missing), |value| Reply::json(200, value))
}

fn fields(query: &str) -> BTreeMap<&str, &str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).collect()
}

pub(super) fn text(body: &Value, key: &str) -> String {
    body[key].as_str().unwrap_or_default().to_owned()
}
