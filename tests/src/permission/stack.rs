//! The stack that would give a function its variables: the template's parameters, conditions and
//! names of resources worked back from them, and its intrinsics worked out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::emulator::REGION;
use crate::failure::{Failure, Outcome};
use crate::template::Template;

/// The account of the emulator.
const ACCOUNT: &str = "000000000000";

/// The ARN of something in the emulator's account and region.
pub(super) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// The ARN of the queue at a URL.
pub(super) fn queue_arn(url: &str) -> String {
    arn("sqs", url.rsplit('/').next().unwrap_or_default())
}

/// A template with values for its parameters and names for its resources.
#[derive(Debug, Clone)]
pub struct Deployment {
    template: Template,
    parameters: BTreeMap<String, Value>,
    /// What `!Ref` gives, by logical id.
    names: BTreeMap<String, String>,
    has_every_option: bool,
}

impl Deployment {
    /// The deployment in which the function `function_id` has these variables; `parameters` go before
    /// what follows from them. What nothing is known of has its default, or its logical id as its name.
    pub fn of(
        template: Template,
        function_id: &str,
        variables: &BTreeMap<String, String>,
        parameters: &[(&str, &str)],
    ) -> Self {
        let mut deployment =
            Self { template, parameters: BTreeMap::new(), names: BTreeMap::new(), has_every_option: false };
        let function = deployment.resource(function_id)["Properties"]["Environment"]["Variables"].clone();
        for (name, value) in variables {
            // A bucket that exists is the parameter; one that is made has no name here.
            let source = &function[name];
            let source = source["Fn::If"].get(2).unwrap_or(source);
            if let Some(target) = source["Ref"].as_str() {
                deployment.set(target, value);
            }
        }
        if let Some(folder) = variables.get("CONFIG_URI").and_then(|uri| uri.strip_prefix("s3://")) {
            deployment.set("ConfigArn", &format!("arn:aws:s3:::{}/*", folder.trim_end_matches('/')));
        }
        for (name, value) in parameters {
            deployment.set(name, value);
        }
        deployment
    }

    /// The same with everything that may be left out: of an `!If` with nothing on the other side, the side
    /// that is something.
    #[must_use]
    pub fn with_every_option(self) -> Self {
        Self { has_every_option: true, ..self }
    }

    fn set(&mut self, name: &str, value: &str) {
        let parameter = &self.template.all()["Parameters"][name];
        if parameter.is_null() {
            self.names.insert(name.to_owned(), value.to_owned());
        } else if parameter["Type"] == "CommaDelimitedList" {
            self.parameters.insert(name.to_owned(), value.split(',').map(str::trim).collect());
        } else {
            self.parameters.insert(name.to_owned(), json!(value));
        }
    }

    /// A resource as the template has it.
    pub fn resource(&self, id: &str) -> &Value {
        self.template.resource(id)
    }

    /// The properties of the resources of a type that there are in this deployment.
    ///
    /// # Errors
    /// A condition that is not known here.
    pub fn existing(&self, kind: &str) -> Outcome<Vec<&Value>> {
        let mut found = Vec::new();
        for (_, resource) in self.template.resources(kind) {
            let is_there = match resource["Condition"].as_str() {
                Some(name) => self.has_every_option || self.condition(name)?,
                None => true,
            };
            if is_there {
                found.push(&resource["Properties"]);
            }
        }
        Ok(found)
    }

    /// A part of the template with its intrinsics worked out. What is `AWS::NoValue` is left out.
    ///
    /// # Errors
    /// An intrinsic that is not known here.
    pub fn value(&self, node: &Value) -> Outcome<Value> {
        match node {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item)).collect::<Outcome<Vec<_>>>()?;
                Ok(items.into_iter().filter(|item| !item.is_null()).collect())
            }
            Value::Object(fields) => match fields.iter().next() {
                Some((name, argument))
                    if fields.len() == 1 && (name == "Ref" || name.starts_with("Fn::")) =>
                {
                    self.intrinsic(name, argument)
                }
                _ => {
                    let mut known = Map::new();
                    for (name, value) in fields {
                        known.insert(name.clone(), self.value(value)?);
                    }
                    Ok(Value::Object(known))
                }
            },
            other => Ok(other.clone()),
        }
    }

    fn intrinsic(&self, name: &str, argument: &Value) -> Outcome<Value> {
        match name {
            "Ref" => Ok(self.reference(argument.as_str().unwrap_or_default())),
            "Fn::GetAtt" => Ok(json!(self.attribute(argument)?)),
            "Fn::If" => {
                let is_option = argument[2]["Ref"] == "AWS::NoValue";
                let holds = (is_option && self.has_every_option)
                    || self.condition(argument[0].as_str().unwrap_or_default())?;
                self.value(&argument[if holds { 1 } else { 2 }])
            }
            "Fn::Sub" => self.substituted(argument),
            "Fn::Split" => {
                let text = self.text(&argument[1])?;
                Ok(text.split(argument[0].as_str().unwrap_or_default()).collect())
            }
            "Fn::Select" => {
                let list = self.value(&argument[1])?;
                let place = argument[0].as_u64().and_then(|place| usize::try_from(place).ok());
                Ok(list[place.unwrap_or_default()].clone())
            }
            "Fn::Join" => {
                let list = self.value(&argument[1])?;
                let texts: Vec<&str> =
                    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                Ok(json!(texts.join(argument[0].as_str().unwrap_or_default())))
            }
            other => Err(Failure(format!("the intrinsic {other} is not known here"))),
        }
    }

    fn reference(&self, name: &str) -> Value {
        match name {
            "AWS::NoValue" => return Value::Null,
            "AWS::Region" => return json!(REGION),
            "AWS::AccountId" => return json!(ACCOUNT),
            "AWS::Partition" => return json!("aws"),
            "AWS::StackName" => return json!("assay"),
            _ => {}
        }
        let parameter = &self.template.all()["Parameters"][name];
        if let Some(value) = self.parameters.get(name) {
            return value.clone();
        }
        match (parameter["Type"].as_str(), &parameter["Default"]) {
            (None, _) => json!(self.names.get(name).map_or(name, String::as_str)),
            (Some("CommaDelimitedList"), default) => {
                default.as_str().unwrap_or_default().split(',').collect()
            }
            (Some(_), default) => default.clone(),
        }
    }

    fn attribute(&self, argument: &Value) -> Outcome<String> {
        let (id, attribute) = (argument[0].as_str().unwrap_or_default(), &argument[1]);
        let name = self.names.get(id).map_or(id, String::as_str);
        match (self.resource(id)["Type"].as_str().unwrap_or_default(), attribute.as_str()) {
            ("AWS::SQS::Queue", Some("Arn")) => Ok(queue_arn(name)),
            ("AWS::DynamoDB::Table", Some("Arn")) => Ok(arn("dynamodb", &format!("table/{name}"))),
            ("AWS::S3::Bucket", Some("Arn")) => Ok(format!("arn:aws:s3:::{name}")),
            ("AWS::Logs::LogGroup", Some("Arn")) => Ok(arn("logs", &format!("log-group:{name}:*"))),
            (kind, _) => Err(Failure(format!("{attribute} of {id}, a {kind}, is not known here"))),
        }
    }

    /// `${Name}`, `${Name.Attribute}`, and names of its own.
    fn substituted(&self, argument: &Value) -> Outcome<Value> {
        let (text, own) = match argument {
            Value::Array(parts) => (&parts[0], self.value(&parts[1])?),
            text => (text, Value::Null),
        };
        let mut parts = text.as_str().unwrap_or_default().split("${");
        let mut made = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or((part, ""));
            let value = match (own.get(name), name.split_once('.')) {
                (Some(value), _) => value.clone(),
                (None, Some((id, attribute))) => json!(self.attribute(&json!([id, attribute]))?),
                (None, None) => self.reference(name),
            };
            made.push_str(value.as_str().unwrap_or_default());
            made.push_str(rest);
        }
        Ok(json!(made))
    }

    fn condition(&self, name: &str) -> Outcome<bool> {
        self.truth(&self.template.all()["Conditions"][name])
    }

    fn truth(&self, node: &Value) -> Outcome<bool> {
        if let Some(sides) = node.get("Fn::Equals") {
            return Ok(self.value(&sides[0])? == self.value(&sides[1])?);
        }
        if let Some(inner) = node.get("Fn::Not") {
            return Ok(!self.truth(&inner[0])?);
        }
        if let Some(name) = node["Condition"].as_str() {
            return self.condition(name);
        }
        for (operator, is_all) in [("Fn::And", true), ("Fn::Or", false)] {
            if let Some(parts) = node[operator].as_array() {
                let truths = parts.iter().map(|part| self.truth(part)).collect::<Outcome<Vec<_>>>()?;
                return Ok(if is_all { truths.iter().all(|one| *one) } else { truths.contains(&true) });
            }
        }
        Err(Failure(format!("a condition that is not known here: {node}")))
    }

    fn text(&self, node: &Value) -> Outcome<String> {
        Ok(self.value(node)?.as_str().unwrap_or_default().to_owned())
    }
}
