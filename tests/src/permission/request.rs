//! A request as IAM sees it: an action, the resources that it is on, and what conditions can ask.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::stack::{arn, queue_arn};
use crate::stand_in::wire;

/// What a request asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `dynamodb:PutItem` ... A request that is not understood has the action `unknown:...`.
    pub action: String,
    /// The ARNs that it is on; `*` where IAM knows no resource.
    pub resources: Vec<String>,
    /// By name: `cloudwatch:namespace`, `dynamodb:LeadingKeys`.
    pub context: BTreeMap<&'static str, Vec<String>>,
}

impl Asked {
    /// Works it out. Sources: the Smithy protocols of the services, and the service authorization
    /// reference for actions, resource types and condition keys.
    pub fn of(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = wire::text(headers, body);
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if let Some((service, operation)) = header("x-amz-target").split_once('.') {
            return Self::json_rpc(service, operation, &json);
        }
        if let Some(rest) = uri.path().strip_prefix("/service/GraniteServiceVersion20100801/operation/") {
            return Self::cloudwatch(rest, &json);
        }
        if let Some(rest) = uri.path().strip_prefix("/model/") {
            return Self::bedrock(rest);
        }
        // The signature's scope: key/day/region/service/aws4_request.
        match header("authorization").split('/').nth(3) {
            Some("sns") => Self::sns(&text),
            Some("s3") => Self::s3(method, uri),
            Some("grafana") => Self::grafana(method, uri),
            _ => Self { action: format!("unknown:{method} {uri}"), ..Self::default() },
        }
    }

    /// Whether the stand-ins answer it, and not the emulator.
    pub fn is_stood_in_for(&self) -> bool {
        ["bedrock:", "sagemaker:", "pricing:", "grafana:"]
            .iter()
            .any(|service| self.action.starts_with(service))
    }

    fn json_rpc(service: &str, operation: &str, body: &Value) -> Self {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        match service {
            "DynamoDB_20120810" => dynamodb(operation, body),
            // The permission for a batch is that for one message.
            "AmazonSQS" => Self::on("sqs", operation.trim_end_matches("Batch"), queue_arn(text("QueueUrl"))),
            "secretsmanager" => Self::on("secretsmanager", operation, text("SecretId").to_owned()),
            "AmazonSSM" => {
                let name = text("Name");
                let is_arn = name.starts_with("arn:");
                let parameter = format!("parameter/{}", name.trim_start_matches('/'));
                Self::on("ssm", operation, if is_arn { name.to_owned() } else { arn("ssm", &parameter) })
            }
            "SageMaker" => {
                let kinds = [
                    ("EndpointName", "endpoint"),
                    ("EndpointConfigName", "endpoint-config"),
                    ("InferenceComponentName", "inference-component"),
                ];
                let named = kinds
                    .iter()
                    .find(|(field, _)| operation.starts_with("Describe") && body[*field].is_string());
                let resource =
                    named.map(|(field, kind)| arn("sagemaker", &format!("{kind}/{}", text(field))));
                Self::on("sagemaker", operation, resource.unwrap_or_else(|| "*".to_owned()))
            }
            "AWSPriceListService" => Self::on("pricing", operation, "*".to_owned()),
            other => Self { action: format!("unknown:{other}.{operation}"), ..Self::default() },
        }
    }

    fn cloudwatch(operation: &str, body: &Value) -> Self {
        let mut asked = Self::on("cloudwatch", operation, "*".to_owned());
        if operation == "PutMetricData" {
            let namespace = body["Namespace"].as_str().unwrap_or_default();
            asked.context.insert("cloudwatch:namespace", vec![namespace.to_owned()]);
        }
        asked
    }

    /// `<model id>/converse`. A profile needs the models behind it too, which nobody sees here.
    fn bedrock(rest: &str) -> Self {
        let model =
            percent_decode_str(rest.split('/').next().unwrap_or_default()).decode_utf8_lossy().into_owned();
        let is_profile =
            ["global.", "us.", "eu.", "apac.", "au.", "jp."].iter().any(|prefix| model.starts_with(prefix));
        let resource = if model.starts_with("arn:") {
            model
        } else if is_profile {
            arn("bedrock", &format!("inference-profile/{model}"))
        } else {
            format!("arn:aws:bedrock:{}::foundation-model/{model}", crate::emulator::REGION)
        };
        Self::on("bedrock", "InvokeModel", resource)
    }

    fn sns(form: &str) -> Self {
        let field = |name: &str| {
            let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
            let value =
                pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next().unwrap_or_default();
            percent_decode_str(value).decode_utf8_lossy().into_owned()
        };
        Self::on("sns", &field("Action"), field("TopicArn"))
    }

    /// Path-style: `/bucket/key`.
    fn s3(method: &Method, uri: &Uri) -> Self {
        let path = percent_decode_str(uri.path().trim_start_matches('/')).decode_utf8_lossy().into_owned();
        let is_bucket = path.split_once('/').is_none_or(|(_, key)| key.is_empty());
        let operation = match (method.as_str(), is_bucket) {
            ("GET" | "HEAD", true) => "ListBucket",
            ("GET" | "HEAD", false) => "GetObject",
            ("PUT", false) => "PutObject",
            _ => return Self { action: format!("unknown:s3 {method} {uri}"), ..Self::default() },
        };
        Self::on("s3", operation, format!("arn:aws:s3:::{}", path.trim_end_matches('/')))
    }

    /// `/workspaces/<id>/...`: whatever is done inside of a workspace is on the workspace.
    fn grafana(method: &Method, uri: &Uri) -> Self {
        let path: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        let ["workspaces", id, inside @ ..] = path.as_slice() else {
            return Self { action: format!("unknown:grafana {method} {uri}"), ..Self::default() };
        };
        let operation = match (method.as_str(), inside) {
            ("GET", []) => "DescribeWorkspace",
            ("GET", ["configuration"]) => "DescribeWorkspaceConfiguration",
            ("PUT", ["configuration"]) => "UpdateWorkspaceConfiguration",
            ("GET", ["serviceaccounts"]) => "ListWorkspaceServiceAccounts",
            ("POST", ["serviceaccounts"]) => "CreateWorkspaceServiceAccount",
            ("DELETE", ["serviceaccounts", _]) => "DeleteWorkspaceServiceAccount",
            ("POST", ["serviceaccounts", _, "tokens"]) => "CreateWorkspaceServiceAccountToken",
            ("DELETE", ["serviceaccounts", _, "tokens", _]) => "DeleteWorkspaceServiceAccountToken",
            _ => return Self { action: format!("unknown:grafana {method} {uri}"), ..Self::default() },
        };
        Self::on("grafana", operation, arn("grafana", &format!("/workspaces/{id}")))
    }

    fn on(service: &str, operation: &str, resource: String) -> Self {
        Self { action: format!("{service}:{operation}"), resources: vec![resource], ..Self::default() }
    }
}

fn dynamodb(operation: &str, body: &Value) -> Asked {
    let mut tables = Vec::new();
    tables.extend(body["TableName"].as_str());
    tables.extend(body["RequestItems"].as_object().into_iter().flatten().map(|(table, _)| table.as_str()));
    let mut keys = Vec::new();
    partition_keys(body, &mut keys);
    Asked {
        action: format!("dynamodb:{operation}"),
        resources: tables.iter().map(|table| arn("dynamodb", &format!("table/{table}"))).collect(),
        context: BTreeMap::from([("dynamodb:LeadingKeys", keys)]),
    }
}

/// Every `pk` of a request, wherever its form has it.
fn partition_keys(node: &Value, found: &mut Vec<String>) {
    match node {
        Value::Object(fields) => {
            found.extend(fields.get("pk").and_then(|key| key["S"].as_str()).map(str::to_owned));
            fields.values().for_each(|value| partition_keys(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| partition_keys(item, found)),
        _ => {}
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resources.join(" "))?;
        self.context.iter().try_for_each(|(name, values)| write!(f, ", {name} = {}", values.join(" ")))
    }
}
