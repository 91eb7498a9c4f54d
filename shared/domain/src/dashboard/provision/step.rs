//! What is to be done, in order.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Request;

/// What a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// The folder of dashboards and rules, by uid.
    Folder(String),
    /// The CloudWatch data source, by uid.
    DataSource(String),
    /// A dashboard, by uid.
    Dashboard(String),
    /// The SNS contact point, by name.
    ContactPoint(String),
    /// Our route in the notification policy, by receiver.
    Route(String),
    /// A group of rules, by title.
    RuleGroup(String),
    /// A rule, by uid.
    Rule(String),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Folder(name) => ("folder", name),
            Self::DataSource(name) => ("data source", name),
            Self::Dashboard(name) => ("dashboard", name),
            Self::ContactPoint(name) => ("contact point", name),
            Self::Route(name) => ("route to", name),
            Self::RuleGroup(name) => ("rules", name),
            Self::Rule(name) => ("rule", name),
        };
        write!(f, "{kind} {name}")
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is not there.
    Created,
    /// It is there, and is not as it should be.
    Updated,
    /// It is ours, and should not be there.
    Deleted,
}

/// How a step is carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// One call.
    Send(Request),
    /// One call, and another to be made when Grafana says 400 to it: which settings SNS has is not
    /// certain before.
    SendOr(Request, Request),
    /// The notification policy is read, gets this route or loses ours, and is written: at once, so
    /// that nobody's change in between is lost. See [`super::policy::placed`].
    Route(Option<Value>),
}

/// One change of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Of what.
    pub object: Object,
    /// Which.
    pub change: Change,
    /// How.
    pub call: Call,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is as it should be.
    pub unchanged: Vec<Object>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Plan {
    pub(super) fn step(&mut self, object: Object, change: Change, call: Call) {
        self.steps.push(Step { object, change, call });
    }

    pub(super) fn send(&mut self, object: Object, change: Change, request: Request) {
        self.step(object, change, Call::Send(request));
    }
}
