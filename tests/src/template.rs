//! `template.yaml` as data: what an emulator does not check is read from here.

use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Value, json};

use crate::failure::{During, Failure, Outcome};
use crate::project;

/// A template as JSON, with short forms written out: `!Ref X` as `{"Ref": "X"}`.
#[derive(Debug, Clone)]
pub struct Template(Value);

impl Template {
    /// The project's own.
    pub fn load() -> Outcome<Self> {
        Self::of(&project::root().join("template.yaml"))
    }

    /// The one in a file.
    pub fn of(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path).during(format!("read {}", path.display()))?;
        let documents = Yaml::load_from_str(&text).during(format!("read {} as YAML", path.display()))?;
        let document = documents.first().ok_or_else(|| Failure(format!("{} is empty", path.display())))?;
        as_json(document).map(Self)
    }

    /// Everything in it.
    pub fn all(&self) -> &Value {
        &self.0
    }

    /// A section, such as `Parameters`: its entries by name.
    pub fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.0[name].as_object().into_iter().flatten()
    }

    /// The resource with this logical id; null when there is none.
    pub fn resource(&self, id: &str) -> &Value {
        &self.0["Resources"][id]
    }

    /// The resources of a type, by logical id.
    pub fn resources(&self, kind: &str) -> Vec<(&String, &Value)> {
        self.section("Resources").filter(|(_, resource)| resource["Type"] == kind).collect()
    }

    /// A value, or the default of the parameter that it refers to.
    pub fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["Ref"].as_str() {
            Some(parameter) => &self.0["Parameters"][parameter]["Default"],
            None => value,
        }
    }
}

/// `quality-judge` as `QualityJudgeFunction`.
pub fn logical_id(function: &str) -> String {
    let capitalized =
        |word: &str| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
    function.split('-').map(capitalized).collect::<String>() + "Function"
}

fn as_json(node: &Yaml<'_>) -> Outcome<Value> {
    let value = match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(as_json).collect::<Outcome<_>>()?,
        Yaml::Mapping(fields) => {
            let field = |(name, value): (&Yaml<'_>, &Yaml<'_>)| {
                let name =
                    name.as_str().ok_or_else(|| Failure(format!("a key that is no text: {name:?}")))?;
                Ok((name.to_owned(), as_json(value)?))
            };
            fields.iter().map(field).collect::<Outcome<_>>()?
        }
        Yaml::Tagged(tag, value) => match (tag.suffix.as_str(), as_json(value)?) {
            ("Ref", target) => json!({"Ref": target}),
            ("Condition", name) => json!({"Condition": name}),
            ("GetAtt", Value::String(path)) => json!({"Fn::GetAtt": path.split('.').collect::<Vec<_>>()}),
            (function, value) => json!({format!("Fn::{function}"): value}),
        },
        other => return Err(Failure(format!("not expected in a template: {other:?}"))),
    };
    Ok(value)
}
