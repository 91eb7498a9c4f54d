//! `/api/v1/provisioning`: rules, groups and the notification policy.

use serde_json::{Value, json};

use super::api::text;
use super::contact::refused;
use super::content::by_uid;
use super::{Call, Reply, Workspace, message};

/// The longest title of a rule or group.
const LONGEST_TITLE: usize = 190;

impl Workspace {
    pub(super) fn alerting(&mut self, method: &str, path: &[&str], call: &Call, body: &Value) -> Reply {
        // A workspace of Amazon's takes rules also while nobody evaluates them; Grafana itself does not.
        let is_off = self.version() < 1100 && !self.features.has_unified_alerting;
        if is_off && !self.features.has_amazon_sns {
            return message(404, "Not found");
        }
        let stays_editable = call.headers.contains_key("x-disable-provenance");
        let provenance = if stays_editable { "" } else { "api" };
        let mut reply = match (method, path) {
            ("GET", ["alert-rules"]) => Reply::json(200, &json!(self.content.rules)),
            ("DELETE", ["alert-rules", uid]) => self.delete_rule(uid, provenance),
            ("GET", ["folder", folder, "rule-groups", title]) => match self.group(folder, title) {
                Some(group) => Reply::json(200, &group),
                None => message(404, "rule group does not exist"),
            },
            ("PUT", ["folder", folder, "rule-groups", title]) => {
                self.put_group(folder, title, body, provenance)
            }
            ("GET", ["contact-points"]) => Reply::json(200, &json!(self.content.contact_points)),
            ("POST", ["contact-points"]) => self.create_contact_point(body, provenance),
            ("PUT", ["contact-points", uid]) => self.update_contact_point(uid, body, provenance),
            ("DELETE", ["contact-points", uid]) => self.delete_contact_point(uid, provenance),
            ("GET", ["policies"]) => Reply::json(200, &self.content.policies),
            ("PUT", ["policies"]) => self.put_policies(body, provenance),
            // Resets what everybody has in it.
            ("DELETE", ["policies"]) => {
                self.content.policies = json!({"receiver": "grafana-default-email", "provenance": ""});
                message(202, "policies deleted")
            }
            _ => message(404, "Not found"),
        };
        let is_old = matches!(path.first(), Some(&("contact-points" | "policies")));
        if is_old && self.version() >= 1300 {
            let warning = "299 - \"this endpoint is deprecated; use notifications.alerting.grafana.app\"";
            reply.headers.push(("Warning".to_owned(), warning.to_owned()));
            reply.headers.push(("X-API-Deprecation-Date".to_owned(), "2026-04-07".to_owned()));
        }
        reply
    }

    fn group(&self, folder: &str, title: &str) -> Option<Value> {
        let is_it = |group: &&Value| group["folderUid"] == folder && group["title"] == title;
        let mut group = self.content.groups.iter().find(is_it)?.clone();
        let is_in = |rule: &&Value| rule["folderUID"] == folder && rule["ruleGroup"] == title;
        group["rules"] = self.content.rules.iter().filter(is_in).cloned().collect();
        Some(group)
    }

    /// Deleting what is not there is as good.
    fn delete_rule(&mut self, uid: &str, provenance: &str) -> Reply {
        if let Some(reply) = by_uid(&self.content.rules, uid).and_then(|known| refused(known, provenance)) {
            return reply;
        }
        self.content.rules.retain(|rule| rule["uid"] != uid);
        let used: Vec<Value> = self.content.rules.iter().map(|rule| rule["ruleGroup"].clone()).collect();
        self.content.groups.retain(|group| used.contains(&group["title"]));
        Reply { body: String::new(), ..message(204, "") }
    }

    /// As a whole: what is not in it is gone.
    fn put_group(&mut self, folder: &str, title: &str, body: &Value, provenance: &str) -> Reply {
        if self.content.folder(folder).is_none() {
            return message(404, "folder does not exist");
        }
        let rules: Vec<Value> = body["rules"].as_array().cloned().unwrap_or_default();
        let interval = body["interval"].as_u64().unwrap_or_default();
        if interval == 0 || !interval.is_multiple_of(10) || title.len() > LONGEST_TITLE {
            return message(400, "interval must be a multiple of 10 seconds");
        }
        let is_in = |rule: &Value| rule["folderUID"] == folder && rule["ruleGroup"] == title;
        let comes = |there: &Value| rules.iter().any(|rule| rule["uid"] == there["uid"]);
        for there in self.content.rules.iter().filter(|there| is_in(there) || comes(there)) {
            let stored = there["provenance"].as_str().unwrap_or_default();
            if stored == "file" || (stored == "api" && provenance.is_empty()) {
                let text = format!("cannot change provenance from '{stored}' to '{provenance}'");
                return message(409, &text);
            }
        }
        let kept: Vec<Value> =
            self.content.rules.iter().filter(|there| !is_in(there) && !comes(there)).cloned().collect();
        if kept.len() + rules.len() > self.features.most_rules {
            return message(403, "quota has been exceeded");
        }
        for rule in &rules {
            let is_taken = |there: &Value| there["folderUID"] == folder && there["title"] == rule["title"];
            if kept.iter().any(is_taken) {
                return message(409, "rule with the same title already exists in this folder");
            }
            if let Some(problem) = self.rule_problem(rule) {
                return message(400, &format!("invalid alert rule: {problem}"));
            }
        }
        let is_new = self.version() >= 1100;
        self.content.rules = kept;
        self.content
            .rules
            .extend(rules.into_iter().map(|rule| stored(rule, folder, title, provenance, is_new)));
        self.content.groups.retain(|group| group["title"] != title || group["folderUid"] != folder);
        self.content.groups.push(json!({"title": title, "folderUid": folder, "interval": interval}));
        Reply::json(200, body)
    }

    fn rule_problem(&self, rule: &Value) -> Option<String> {
        let (title, uid) = (text(rule, "title"), text(rule, "uid"));
        if title.is_empty() || title.len() > LONGEST_TITLE || uid.is_empty() || uid.len() > 40 {
            return Some(format!("title and uid of {uid:?}"));
        }
        let steps = rule["data"].as_array().into_iter().flatten();
        if !steps.clone().any(|step| step["refId"] == rule["condition"]) {
            return Some(format!("condition of {uid}"));
        }
        let mut sources = steps.map(|step| text(step, "datasourceUid")).filter(|source| source != "__expr__");
        if let Some(source) = sources.find(|source| by_uid(&self.content.data_sources, source).is_none()) {
            return Some(format!("data source {source:?} of {uid} does not exist"));
        }
        let notes = &rule["annotations"];
        if notes["__dashboardUid__"].is_null() != notes["__panelId__"].is_null() {
            return Some(format!("both or none of __dashboardUid__ and __panelId__ in {uid}"));
        }
        let receiver = &rule["notification_settings"]["receiver"];
        if self.version() >= 1100 && receiver.is_string() && !self.has_receiver(receiver) {
            return Some(format!("receiver {receiver} of {uid} does not exist"));
        }
        None
    }

    fn put_policies(&mut self, body: &Value, provenance: &str) -> Reply {
        if let Some(reply) = refused(&self.content.policies, provenance) {
            return reply;
        }
        if body["provenance"].is_string() && !body["provenance"].as_str().unwrap_or_default().is_empty() {
            return message(400, "provenance is read-only");
        }
        let inside = body["routes"].as_array().into_iter().flatten();
        let mut receivers = inside.map(|route| &route["receiver"]).chain([&body["receiver"]]);
        if let Some(unknown) = receivers.find(|name| !self.has_receiver(name)) {
            return message(400, &format!("receiver {unknown} does not exist"));
        }
        let mut policies = body.clone();
        policies["provenance"] = provenance.into();
        for route in policies["routes"].as_array_mut().into_iter().flatten() {
            for key in ["group_wait", "group_interval", "repeat_interval"] {
                if let Some(time) = route[key].as_str() {
                    route[key] = in_grafanas_words(time).into();
                }
            }
        }
        self.content.policies = policies;
        message(202, "policies updated")
    }
}

/// As a later reader sees it: Grafana writes times anew, and an old one does not know who is told.
fn stored(mut rule: Value, folder: &str, title: &str, provenance: &str, is_new: bool) -> Value {
    rule["folderUID"] = folder.into();
    rule["ruleGroup"] = title.into();
    rule["provenance"] = provenance.into();
    rule["updated"] = "2026-11-24T14:00:00Z".into();
    if let Some(time) = rule["for"].as_str() {
        rule["for"] = in_grafanas_words(time).into();
    }
    if let Some(fields) = rule.as_object_mut().filter(|_| !is_new) {
        fields.remove("notification_settings");
    }
    rule
}

/// `300s` as `5m`.
fn in_grafanas_words(time: &str) -> String {
    let seconds = time.strip_suffix('s').and_then(|number| number.parse::<u64>().ok());
    match seconds {
        Some(seconds) if seconds > 0 && seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        Some(seconds) if seconds > 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => time.to_owned(),
    }
}
