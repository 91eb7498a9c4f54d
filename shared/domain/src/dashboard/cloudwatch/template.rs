//! Dashboards and alarms as a template of their own, for a nested stack: the one that a person reads
//! stays short.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Alarms;
use crate::dashboard::board::BoardKind;
use crate::dashboard::json;

/// The parameter that is the ARN of the topic of alarms.
pub const TOPIC: &str = "AlertTopicArn";
/// The parameter that names of dashboards and alarms start with.
pub const NAME: &str = "Name";
/// The parameter that is the address of the folder of runbooks.
pub const RUNBOOKS: &str = "RunbookBaseUrl";

/// The template. `bodies` are written for `Fn::Sub`, and so are the names of `alarms`, which start
/// with `${Name}`, and their descriptions, which lead to `${RunbookBaseUrl}`: `runbooks` without another one.
pub fn template(bodies: &BTreeMap<BoardKind, Value>, alarms: &Alarms, runbooks: &str) -> Value {
    let mut resources: Map<String, Value> = alarms.resources.clone().into_iter().collect();
    for (kind, body) in bodies {
        let name = kind.as_str();
        let (head, tail) = name.split_at_checked(1).unwrap_or((name, ""));
        let resource = serde_json::json!({
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {
                "DashboardName": {"Fn::Sub": format!("${{{NAME}}}-{name}")},
                "DashboardBody": {"Fn::Sub": json::line(body)},
            },
        });
        resources.insert(format!("{}{tail}Dashboard", head.to_uppercase()), resource);
    }
    serde_json::json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Assay in CloudWatch: dashboards, and alarms of the limits in config/alerts.toml. Generated.",
        "Parameters": {
            TOPIC: {"Type": "String", "Description": "Where alarms go"},
            NAME: {"Type": "String", "Description": "What the names of dashboards and alarms start with"},
            RUNBOOKS: {"Type": "String", "Default": runbooks, "Description": "Where the runbooks are"},
        },
        "Resources": resources,
    })
}
