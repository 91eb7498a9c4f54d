//! A function's policy with every intrinsic worked out, and what it allows. Source: IAM user guide,
//! "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"; of it, what the
//! template uses. A statement that is not understood is an error.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::request::Asked;
use super::stack::Deployment;
use crate::failure::{Failure, Outcome};

/// One permission: an action on a resource, by the statement that gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The statement.
    pub sid: String,
    /// `sqs:SendMessage` ...
    pub action: String,
    /// The resource as the statement has it, with `*`.
    pub resource: String,
}

/// What a function may do.
#[derive(Debug, Clone)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    is_for_all: bool,
    key: String,
    patterns: Vec<String>,
}

impl Policy {
    /// That of a function in a deployment: what its role says, and the policies that are attached to it.
    ///
    /// # Errors
    /// It has no role of the template's, or the role has policies that are written down elsewhere.
    pub fn of(deployment: &Deployment, function_id: &str) -> Outcome<Self> {
        let role_id = deployment.resource(function_id)["Properties"]["Role"]["Fn::GetAtt"][0].as_str();
        let role_id = role_id.ok_or_else(|| Failure(format!("{function_id} has no role of its own")))?;
        let role = &deployment.resource(role_id)["Properties"];
        if !role["ManagedPolicyArns"].is_null() {
            return Err(Failure(format!("{role_id} has managed policies, which nobody can read here")));
        }
        let own = deployment.value(&role["Policies"])?;
        let own = own.as_array().into_iter().flatten().map(|policy| policy["PolicyDocument"].clone());
        let mut documents: Vec<Value> = own.collect();
        for policy in deployment.existing("AWS::IAM::Policy")? {
            if policy["Roles"].as_array().into_iter().flatten().any(|role| role["Ref"] == role_id) {
                documents.push(deployment.value(&policy["PolicyDocument"])?);
            }
        }
        let statements = documents.iter().flat_map(|one| one["Statement"].as_array().into_iter().flatten());
        Ok(Self { statements: statements.map(Statement::read).collect::<Outcome<_>>()? })
    }

    /// All that several of them allow.
    pub fn together<'a>(policies: impl IntoIterator<Item = &'a Self>) -> Self {
        Self { statements: policies.into_iter().flat_map(|policy| policy.statements.clone()).collect() }
    }

    /// The permissions that let a request through; none when there is no such permission.
    pub fn grants(&self, asked: &Asked) -> BTreeSet<Grant> {
        let mut grants = BTreeSet::new();
        // Each resource of a request needs its own permission.
        for resource in &asked.resources {
            let before = grants.len();
            for statement in &self.statements {
                grants.extend(statement.grant(asked, resource));
            }
            if grants.len() == before {
                return BTreeSet::new();
            }
        }
        grants
    }

    /// Takes a statement away.
    pub fn remove(&mut self, sid: &str) {
        self.statements.retain(|statement| statement.sid != sid);
    }

    /// All permissions.
    pub fn all(&self) -> BTreeSet<Grant> {
        self.statements.iter().flat_map(Statement::all).collect()
    }
}

impl Statement {
    fn read(value: &Value) -> Outcome<Self> {
        let sid = value["Sid"].as_str().unwrap_or_default().to_owned();
        if value["Effect"] != "Allow"
            || value.get("NotAction").is_some()
            || value.get("NotResource").is_some()
        {
            return Err(Failure(format!("the statement {sid} is of a kind that is not checked")));
        }
        let mut conditions = Vec::new();
        for (operator, keys) in value["Condition"].as_object().into_iter().flatten() {
            let is_for_all = match operator.as_str() {
                "StringEquals" => false,
                "ForAllValues:StringLike" => true,
                other => return Err(Failure(format!("the condition {other} of {sid} is not checked"))),
            };
            for (key, patterns) in keys.as_object().into_iter().flatten() {
                conditions.push(Condition { is_for_all, key: key.clone(), patterns: listed(patterns) });
            }
        }
        Ok(Self { sid, actions: listed(&value["Action"]), resources: listed(&value["Resource"]), conditions })
    }

    fn grant(&self, asked: &Asked, resource: &str) -> Option<Grant> {
        let action = self.actions.iter().find(|action| **action == asked.action)?;
        let pattern = self.resources.iter().find(|pattern| fits(pattern, resource))?;
        self.conditions.iter().all(|condition| condition.holds(asked)).then(|| self.named(action, pattern))
    }

    fn all(&self) -> impl Iterator<Item = Grant> {
        self.actions
            .iter()
            .flat_map(|action| self.resources.iter().map(|resource| self.named(action, resource)))
    }

    fn named(&self, action: &str, resource: &str) -> Grant {
        Grant { sid: self.sid.clone(), action: action.to_owned(), resource: resource.to_owned() }
    }
}

impl Condition {
    fn holds(&self, asked: &Asked) -> bool {
        let values = asked.context.get(self.key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_met = values.iter().all(|value| self.patterns.iter().any(|pattern| fits(pattern, value)));
        // As in IAM, "for all" holds where there is nothing, and an equation does not.
        is_met && (self.is_for_all || !values.is_empty())
    }
}

/// One text or a list of texts.
fn listed(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(listed).collect(),
        _ => Vec::new(),
    }
}

/// Whether a text fits to a pattern, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| fits(rest, &text[at..]))
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}", self.sid, self.action, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("arn:aws:s3:::verdicts/*", "arn:aws:s3:::verdicts/a/b"));
        assert!(fits("arn:*:table/x*y", "arn:aws:table/x-y"));
        assert!(!fits("arn:aws:s3:::verdicts/*", "arn:aws:s3:::verdict"));
        assert!(!fits("topology#*", "verdict#topology#1"));
    }
}
