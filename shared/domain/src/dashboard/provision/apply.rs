//! From what is there to what should be.

use serde_json::Value;

use super::found::{is_editable, is_of_file};
use super::same::says;
use super::{Call, Change, Found, Object, Ownership, Plan, Refusal, Request, Wanted, policy};
use crate::dashboard::Identity;

/// Amazon Managed Grafana's quota of rules (user guide, "Service quotas").
const MOST_RULES: usize = 100;

/// The steps that make `found` say all that `wanted` says, and none where it does: folder and data
/// source first, then what refers to them, then what is ours and no longer wanted.
///
/// # Errors
/// Objects of somebody else are where ours should be: all are named, and nothing is to be done.
pub fn apply(identity: &Identity, wanted: &Wanted, found: &Found) -> Result<Plan, Refusal> {
    let foreign = foreign(identity, wanted, found);
    if !foreign.is_empty() {
        return Err(Refusal::NotOurs(foreign));
    }
    let mut plan = Plan::default();
    folder(&mut plan, wanted, found);
    data_source(&mut plan, wanted, found);
    dashboards(&mut plan, identity, wanted, found);
    contact_point(&mut plan, wanted, found);
    if wanted.route.is_some() {
        route(&mut plan, identity, wanted, found);
    }
    rules(&mut plan, identity, wanted, found);
    // Only now does every rule name its contact point itself.
    if wanted.route.is_none() {
        route(&mut plan, identity, wanted, found);
    }
    notes(&mut plan, identity, wanted, found);
    Ok(plan)
}

fn foreign(identity: &Identity, wanted: &Wanted, found: &Found) -> Vec<String> {
    let ours = Ownership(identity);
    let mut foreign = Vec::new();
    if let Some(source) = &found.data_source {
        if source["type"] != "cloudwatch" {
            foreign.push(format!("data source {} of type {}", text(source, "uid"), text(source, "type")));
        } else if source["readOnly"] == true && !is_source_right(source, &wanted.data_source) {
            foreign.push(format!("data source {}, which a file provisions", text(source, "uid")));
        }
    }
    for dashboard in &wanted.dashboards {
        let uid = text(dashboard, "uid");
        let Some(there) = found.dashboards.get(uid) else { continue };
        if !ours.has_dashboard(&there["dashboard"]) {
            foreign.push(format!("dashboard {uid} ({:?})", text(&there["dashboard"], "title")));
        } else if there["meta"]["provisioned"] == true {
            foreign.push(format!("dashboard {uid}, which a file provisions"));
        }
    }
    let contact = &wanted.contact_points.0;
    for there in &found.contact_points {
        let is_same_uid = there["uid"] == contact["uid"];
        if (is_same_uid && (there["type"] != "sns" || is_of_file(there)))
            || (!is_same_uid && there["name"] == contact["name"])
        {
            foreign.push(format!("contact point {} ({})", text(there, "name"), text(there, "type")));
        }
    }
    for rule in wanted_rules(wanted) {
        let there = found.rules.iter().find(|there| there["uid"] == rule["uid"]);
        if let Some(there) = there.filter(|there| !ours.has_rule(there) || is_of_file(there)) {
            foreign.push(format!("rule {} ({:?})", text(there, "uid"), text(there, "title")));
        }
    }
    foreign
}

fn folder(plan: &mut Plan, wanted: &Wanted, found: &Found) {
    let object = Object::Folder(text(&wanted.folder, "uid").to_owned());
    if found.folder.is_some() {
        // Whatever it is called now.
        plan.unchanged.push(object);
    } else {
        plan.send(object, Change::Created, Request::post("api/folders", wanted.folder.clone()));
    }
}

fn data_source(plan: &mut Plan, wanted: &Wanted, found: &Found) {
    let uid = text(&wanted.data_source, "uid");
    let object = Object::DataSource(uid.to_owned());
    match &found.data_source {
        None => {
            plan.send(object, Change::Created, Request::post("api/datasources", wanted.data_source.clone()));
        }
        Some(there) if is_source_right(there, &wanted.data_source) => plan.unchanged.push(object),
        Some(there) => {
            let body = merged(there, &wanted.data_source);
            plan.send(object, Change::Updated, Request::put(format!("api/datasources/uid/{uid}"), body));
        }
    }
}

/// Whether the source is the default one is for others to say.
fn is_source_right(there: &Value, wanted: &Value) -> bool {
    let mut wanted = wanted.clone();
    if let Some(fields) = wanted.as_object_mut() {
        fields.remove("isDefault");
    }
    says(there, &wanted)
}

/// What somebody has set beside ours stays, such as a role to assume.
fn merged(there: &Value, wanted: &Value) -> Value {
    let (Value::Object(there), Value::Object(wanted)) = (there, wanted) else { return wanted.clone() };
    let mut all = there.clone();
    for (key, value) in wanted.iter().filter(|(key, _)| *key != "isDefault") {
        let value = there.get(key).map_or_else(|| value.clone(), |there| merged(there, value));
        all.insert(key.clone(), value);
    }
    all.into()
}

fn dashboards(plan: &mut Plan, identity: &Identity, wanted: &Wanted, found: &Found) {
    let folder = text(&wanted.folder, "uid");
    for dashboard in &wanted.dashboards {
        let uid = text(dashboard, "uid");
        let object = Object::Dashboard(uid.to_owned());
        let there = found.dashboards.get(uid);
        let mut compared = dashboard.clone();
        if let Some(fields) = compared.as_object_mut() {
            // Grafana counts the versions.
            fields.remove("version");
        }
        let is_right =
            |there: &Value| there["meta"]["folderUid"] == folder && says(&there["dashboard"], &compared);
        if there.is_some_and(is_right) {
            plan.unchanged.push(object);
        } else {
            let change = if there.is_some() { Change::Updated } else { Change::Created };
            plan.send(object, change, Request::dashboard(dashboard, folder));
        }
    }
    let is_wanted = |uid: &Value| wanted.dashboards.iter().any(|dashboard| dashboard["uid"] == *uid);
    for listed in &found.listed {
        if Ownership(identity).has_dashboard(listed) && !is_wanted(&listed["uid"]) {
            let uid = text(listed, "uid");
            let request = Request::delete(format!("api/dashboards/uid/{uid}"));
            plan.send(Object::Dashboard(uid.to_owned()), Change::Deleted, request);
        }
    }
}

fn contact_point(plan: &mut Plan, wanted: &Wanted, found: &Found) {
    let (usual, other) = &wanted.contact_points;
    let uid = text(usual, "uid");
    let object = Object::ContactPoint(uid.to_owned());
    let there = found.contact_points.iter().find(|there| there["uid"] == uid);
    if there.is_some_and(|there| says(there, usual) || says(there, other)) {
        plan.unchanged.push(object);
        return;
    }
    let stays_editable = there.is_none_or(is_editable);
    let request = |body: &Value| {
        let path = "api/v1/provisioning/contact-points";
        let request = match there {
            None => Request::post(path, body.clone()),
            Some(_) => Request::put(format!("{path}/{uid}"), body.clone()),
        };
        request.editable(stays_editable)
    };
    let change = if there.is_some() { Change::Updated } else { Change::Created };
    plan.step(object, change, Call::SendOr(request(usual), request(other)));
}

fn route(plan: &mut Plan, identity: &Identity, wanted: &Wanted, found: &Found) {
    let object = Object::Route(identity.contact_point());
    let is_there = policy::has_ours(&found.policies, identity);
    if policy::placed(&found.policies, identity, wanted.route.as_ref()).is_none() {
        if is_there {
            plan.unchanged.push(object);
        }
        return;
    }
    let change = match (is_there, &wanted.route) {
        (_, None) => Change::Deleted,
        (true, Some(_)) => Change::Updated,
        (false, Some(_)) => Change::Created,
    };
    plan.step(object, change, Call::Route(wanted.route.clone()));
}

fn rules(plan: &mut Plan, identity: &Identity, wanted: &Wanted, found: &Found) {
    let ours = Ownership(identity);
    for rule in found.rules.iter().filter(|rule| ours.has_rule(rule)) {
        if !wanted_rules(wanted).any(|wanted| wanted["uid"] == rule["uid"]) {
            let uid = text(rule, "uid");
            let request = Request::delete(format!("api/v1/provisioning/alert-rules/{uid}"));
            plan.send(Object::Rule(uid.to_owned()), Change::Deleted, request.editable(is_editable(rule)));
        }
    }
    for group in &wanted.groups {
        let title = text(group, "title");
        let object = Object::RuleGroup(title.to_owned());
        let there = found.groups.get(title);
        let group = as_left(group, there, ours);
        if there.is_some_and(|there| is_group_right(there, &group, ours)) {
            plan.unchanged.push(object);
            continue;
        }
        let was_there = there.is_some_and(|there| rules_of(there).next().is_some());
        let change = if was_there { Change::Updated } else { Change::Created };
        let stays_editable = there.is_none_or(|there| rules_of(there).all(is_editable));
        let path = format!("api/v1/provisioning/folder/{}/rule-groups/{title}", text(&wanted.folder, "uid"));
        plan.send(object, change, Request::put(path, group).editable(stays_editable));
    }
}

/// The group with what people have done to it: paused rules stay paused, and rules that they put
/// into it stay in it, because the group is written as a whole.
fn as_left(group: &Value, there: Option<&Value>, ours: Ownership<'_>) -> Value {
    let mut group = group.clone();
    let Some(there) = there else { return group };
    if let Some(rules) = group["rules"].as_array_mut() {
        for rule in rules.iter_mut() {
            if rules_of(there).any(|there| there["uid"] == rule["uid"] && there["isPaused"] == true) {
                rule["isPaused"] = true.into();
            }
        }
        rules.extend(rules_of(there).filter(|rule| !ours.has_rule(rule)).cloned());
    }
    group
}

/// Rules by uid: Grafana may order them as it likes. Those that are to be deleted are a step of
/// their own.
fn is_group_right(there: &Value, wanted: &Value, ours: Ownership<'_>) -> bool {
    let has = |rule: &Value| rules_of(there).any(|there| there["uid"] == rule["uid"] && says(there, rule));
    let is_wanted = |there: &Value| rules_of(wanted).any(|rule| there["uid"] == rule["uid"]);
    there["interval"].as_f64() == wanted["interval"].as_f64()
        && rules_of(wanted).all(has)
        && rules_of(there).all(|rule| is_wanted(rule) || ours.has_rule(rule))
}

fn notes(plan: &mut Plan, identity: &Identity, wanted: &Wanted, found: &Found) {
    let others = found.rules.iter().filter(|rule| !Ownership(identity).has_rule(rule)).count();
    let all = others + wanted_rules(wanted).count();
    if all > MOST_RULES {
        plan.notes.push(format!(
            "there are {all} alert rules in all; Amazon Managed Grafana allows {MOST_RULES} a workspace by default"
        ));
    }
    let paused =
        found.rules.iter().filter(|rule| Ownership(identity).has_rule(rule) && rule["isPaused"] == true);
    let paused: Vec<&str> = paused.map(|rule| text(rule, "uid")).collect();
    if !paused.is_empty() {
        plan.notes.push(format!("paused by somebody, and left so: {}", paused.join(", ")));
    }
}

fn wanted_rules(wanted: &Wanted) -> impl Iterator<Item = &Value> {
    wanted.groups.iter().flat_map(rules_of)
}

fn rules_of(group: &Value) -> impl Iterator<Item = &Value> {
    group["rules"].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
