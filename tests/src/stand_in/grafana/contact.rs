//! Contact points, of which only SNS is looked into.

use serde_json::{Value, json};

use super::api::text;
use super::content::by_uid;
use super::{Reply, Workspace, message};

impl Workspace {
    pub(super) fn notifiers(&self) -> Reply {
        let options: &[&str] = match (self.features.lists_sns, self.features.has_amazon_sns) {
            (false, _) => &[],
            (true, true) => &["topic", "authProvider", "messageFormat", "subject", "body"],
            (true, false) => {
                &["api_url", "sigv4", "topic_arn", "target_arn", "subject", "message", "attributes"]
            }
        };
        let options: Vec<Value> = options.iter().map(|name| json!({"propertyName": name})).collect();
        let email = json!({"type": "email", "name": "Email", "options": [{"propertyName": "addresses"}]});
        let sns = json!({"type": "sns", "name": "AWS SNS", "options": options});
        Reply::json(200, &json!([email, sns]))
    }

    pub(super) fn create_contact_point(&mut self, body: &Value, provenance: &str) -> Reply {
        let uid = text(body, "uid");
        if by_uid(&self.content.contact_points, &uid).is_some() {
            return message(409, "a receiver with this uid already exists");
        }
        if let Some(problem) = self.problem(body) {
            return message(400, &problem);
        }
        let mut point = body.clone();
        point["provenance"] = provenance.into();
        self.content.contact_points.push(point.clone());
        Reply::json(202, &point)
    }

    pub(super) fn update_contact_point(&mut self, uid: &str, body: &Value, provenance: &str) -> Reply {
        let Some(known) = by_uid(&self.content.contact_points, uid).cloned() else {
            return message(404, "contact point not found");
        };
        if let Some(reply) = refused(&known, provenance) {
            return reply;
        }
        if let Some(problem) = self.problem(body) {
            return message(400, &problem);
        }
        let mut point = body.clone();
        point["provenance"] = provenance.into();
        for there in self.content.contact_points.iter_mut().filter(|there| there["uid"] == uid) {
            *there = point.clone();
        }
        message(202, "contact point updated")
    }

    /// One that a route or a rule names stays.
    pub(super) fn delete_contact_point(&mut self, uid: &str, provenance: &str) -> Reply {
        let Some(known) = by_uid(&self.content.contact_points, uid).cloned() else {
            return message(202, "contact point deleted");
        };
        if let Some(reply) = refused(&known, provenance) {
            return reply;
        }
        let name = &known["name"];
        let is_named = |rule: &Value| rule["notification_settings"]["receiver"] == *name;
        if names(&self.content.policies, name) || self.content.rules.iter().any(is_named) {
            return message(409, "contact point is currently used by a notification policy or an alert rule");
        }
        self.content.contact_points.retain(|there| there["uid"] != uid);
        message(202, "contact point deleted")
    }

    pub(super) fn has_receiver(&self, name: &Value) -> bool {
        self.content.contact_points.iter().any(|point| point["name"] == *name)
    }

    /// The wrong settings of SNS are refused in Grafana's words.
    fn problem(&self, body: &Value) -> Option<String> {
        if text(body, "name").is_empty() || body["type"] != "sns" {
            return Some("invalid object specification: name and type are needed".to_owned());
        }
        let settings = &body["settings"];
        if self.features.has_amazon_sns {
            let has_topic = text(settings, "topic").starts_with("arn:");
            let is_provider = ["default", "arn", "keys"].contains(&text(settings, "authProvider").as_str());
            let wanted = "invalid object specification: topic and authProvider must be specified";
            return (!has_topic || !is_provider).then(|| wanted.to_owned());
        }
        let has_topic = text(settings, "topic_arn").starts_with("arn:");
        let wanted = "invalid object specification: must specify topicArn, targetArn, or phone number";
        (!has_topic).then(|| wanted.to_owned())
    }
}

/// What was written by one way is changed by the same way; what nobody claims by any.
pub(super) fn refused(known: &Value, provenance: &str) -> Option<Reply> {
    let stored = known["provenance"].as_str().unwrap_or_default();
    let is_allowed = stored.is_empty() || stored == provenance;
    let text = format!("cannot change provenance from '{stored}' to '{provenance}'");
    (!is_allowed).then(|| message(409, &text))
}

fn names(route: &Value, receiver: &Value) -> bool {
    let inside = route["routes"].as_array().into_iter().flatten();
    route["receiver"] == *receiver || inside.into_iter().any(|route| names(route, receiver))
}
