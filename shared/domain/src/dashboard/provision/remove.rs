//! Takes out what a stack has put in, and nothing else.

use serde_json::Value;

use super::found::is_editable;
use super::{Call, Change, Found, Object, Ownership, Plan, Request, policy};
use crate::dashboard::Identity;

/// The steps after which nothing of the stack is in the Grafana: what refers to something goes
/// before it. The folder stays when somebody has put something of theirs into it.
pub fn remove(identity: &Identity, found: &Found) -> Plan {
    let ours = Ownership(identity);
    let mut plan = Plan::default();
    for rule in found.rules.iter().filter(|rule| ours.has_rule(rule)) {
        let uid = text(rule, "uid");
        let request = Request::delete(format!("api/v1/provisioning/alert-rules/{uid}"));
        plan.send(Object::Rule(uid.to_owned()), Change::Deleted, request.editable(is_editable(rule)));
    }
    if policy::has_ours(&found.policies, identity) {
        plan.step(Object::Route(identity.contact_point()), Change::Deleted, Call::Route(None));
    }
    let name = identity.contact_point();
    let is_ours = |point: &&Value| point["uid"] == name && point["type"] == "sns";
    if let Some(point) = found.contact_points.iter().find(is_ours) {
        let request = Request::delete(format!("api/v1/provisioning/contact-points/{name}"));
        plan.send(Object::ContactPoint(name), Change::Deleted, request.editable(is_editable(point)));
    }
    for dashboard in found.listed.iter().filter(|dashboard| ours.has_dashboard(dashboard)) {
        let uid = text(dashboard, "uid");
        let request = Request::delete(format!("api/dashboards/uid/{uid}"));
        plan.send(Object::Dashboard(uid.to_owned()), Change::Deleted, request);
    }
    if found.data_source.as_ref().is_some_and(|source| source["type"] == "cloudwatch") {
        let uid = identity.data_source_uid();
        let request = Request::delete(format!("api/datasources/uid/{uid}"));
        plan.send(Object::DataSource(uid), Change::Deleted, request);
    }
    if found.folder.is_some() {
        folder(&mut plan, identity, found);
    }
    plan
}

fn folder(plan: &mut Plan, identity: &Identity, found: &Found) {
    let ours = Ownership(identity);
    let uid = identity.folder_uid();
    let dashboards = found.listed.iter().filter(|one| one["folderUid"] == uid && !ours.has_dashboard(one));
    let rules = found.rules.iter().filter(|rule| rule["folderUID"] == uid && !ours.has_rule(rule));
    let kept: Vec<&str> =
        dashboards.chain(rules).chain(&found.subfolders).map(|one| text(one, "title")).collect();
    if kept.is_empty() {
        let request = Request::delete(format!("api/folders/{uid}"));
        plan.send(Object::Folder(uid), Change::Deleted, request);
    } else {
        plan.notes.push(format!(
            "the folder {uid} stays, because it holds what somebody else put there: {}",
            kept.join(", ")
        ));
        plan.unchanged.push(Object::Folder(uid));
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
