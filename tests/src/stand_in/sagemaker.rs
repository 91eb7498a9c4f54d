//! The control plane of SageMaker, as far as `capacity-meter` asks it: `ListEndpoints`,
//! `DescribeEndpoint`, `DescribeEndpointConfig`, `ListInferenceComponents` and
//! `DescribeInferenceComponent`.
//!
//! Format: JSON 1.1, `X-Amz-Target: SageMaker.<Operation>`; members as in the service model of
//! 2017-07-24.

use serde_json::{Map, Value, json};

use super::stage::{Play, Stage, error, operation, page};
use super::{Call, Reply, StandIn};
use crate::scenario::{Component, Endpoint, Scenario, Variant};

const ACCOUNT: &str = "111122223333";
/// When everything was made: nobody looks at it.
const CREATED: f64 = 1_780_000_000.0;
/// `MaxResults` when it is left out, and at most.
const PAGE: u64 = 10;
const LARGEST_PAGE: u64 = 100;

/// SageMaker.
#[derive(Debug)]
pub(super) struct SageMaker {
    stage: Stage,
}

impl SageMaker {
    pub(super) fn new(stage: Stage) -> Self {
        Self { stage }
    }
}

impl StandIn for SageMaker {
    fn name(&self) -> &'static str {
        "sagemaker"
    }

    fn wants(&self, call: &Call) -> bool {
        operation(call, "SageMaker").is_some()
    }

    fn answer(&self, call: &Call) -> Reply {
        let play = self.stage.now();
        let request: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let answer = match operation(call, "SageMaker").unwrap_or_default() {
            "ListEndpoints" => list_endpoints(&play.scenario, &request),
            "DescribeEndpoint" => describe_endpoint(&play.scenario, &request),
            "DescribeEndpointConfig" => describe_endpoint_config(&play.scenario, &request),
            "ListInferenceComponents" => list_components(&play.scenario, &request),
            "DescribeInferenceComponent" => describe_component(&play, &request),
            other => return error(400, "UnknownOperationException", format!("{other} is not played here")),
        };
        match answer {
            Ok(body) => {
                let mut reply = Reply::json(200, &body);
                reply.headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())];
                reply
            }
            Err(message) => error(400, "ValidationException", message),
        }
    }
}

type Answer = Result<Value, String>;

fn text<'a>(request: &'a Value, member: &str) -> Option<&'a str> {
    request.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn arn(scenario: &Scenario, kind: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:{}:{ACCOUNT}:{kind}/{}", scenario.region, name.to_lowercase())
}

/// The page of `items` that the request asks for, under `member`.
fn listed(member: &str, items: &[Value], request: &Value) -> Answer {
    let size = request.get("MaxResults").and_then(Value::as_u64).unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        return Err(format!(
            "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: \
             Member must have value less than or equal to {LARGEST_PAGE}"
        ));
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let (items, next) = page(items, text(request, "NextToken"), size)?;
    let mut body = Map::from_iter([(member.to_owned(), Value::Array(items))]);
    body.extend(next.map(|token| ("NextToken".to_owned(), Value::String(token))));
    Ok(Value::Object(body))
}

// --- Endpoints ----------------------------------------------------------------------------------

fn list_endpoints(scenario: &Scenario, request: &Value) -> Answer {
    let part = text(request, "NameContains").unwrap_or_default().to_lowercase();
    let is_wanted = text(request, "StatusEquals").is_none_or(|status| status == "InService");
    let endpoints =
        scenario.endpoints.iter().filter(|it| is_wanted && it.name.to_lowercase().contains(&part));
    let summaries: Vec<Value> = endpoints
        .map(|endpoint| {
            json!({
                "EndpointName": endpoint.name,
                "EndpointArn": arn(scenario, "endpoint", &endpoint.name),
                "CreationTime": CREATED,
                "LastModifiedTime": CREATED,
                "EndpointStatus": "InService",
            })
        })
        .collect();
    listed("Endpoints", &summaries, request)
}

fn find_endpoint<'a>(scenario: &'a Scenario, request: &Value) -> Result<&'a Endpoint, String> {
    let name = text(request, "EndpointName").ok_or("EndpointName is missing")?;
    let missing = || format!("Could not find endpoint \"{}\".", arn(scenario, "endpoint", name));
    scenario.endpoint(name).ok_or_else(missing)
}

fn describe_endpoint(scenario: &Scenario, request: &Value) -> Answer {
    let endpoint = find_endpoint(scenario, request)?;
    let variant = |variant: &Variant| {
        let count: u32 = variant.pools.iter().map(|pool| pool.count).sum();
        let mut summary = json!({
            "VariantName": variant.name,
            "CurrentWeight": 1.0,
            "DesiredWeight": 1.0,
            "CurrentInstanceCount": count,
            "DesiredInstanceCount": count,
            "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 16},
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        });
        if variant.pools.len() > 1 {
            let pools = variant
                .pools
                .iter()
                .map(|pool| json!({"InstanceType": pool.instance_type, "CurrentInstanceCount": pool.count}));
            summary["InstancePools"] = pools.collect();
        }
        summary
    };
    Ok(json!({
        "EndpointName": endpoint.name,
        "EndpointArn": arn(scenario, "endpoint", &endpoint.name),
        "EndpointConfigName": config_name(endpoint),
        "ProductionVariants": endpoint.variants.iter().map(variant).collect::<Vec<_>>(),
        "EndpointStatus": "InService",
        "CreationTime": CREATED,
        "LastModifiedTime": CREATED,
        "MetricsConfig": metrics_config(endpoint),
    }))
}

fn config_name(endpoint: &Endpoint) -> String {
    format!("{}-config", endpoint.name)
}

fn metrics_config(endpoint: &Endpoint) -> Value {
    json!({
        "EnableEnhancedMetrics": endpoint.enhanced_metrics,
        "MetricPublishFrequencyInSeconds": endpoint.publish_frequency,
    })
}

fn describe_endpoint_config(scenario: &Scenario, request: &Value) -> Answer {
    let name = text(request, "EndpointConfigName").ok_or("EndpointConfigName is missing")?;
    let found = scenario.endpoints.iter().find(|endpoint| config_name(endpoint) == name);
    let missing =
        || format!("Could not find endpoint configuration \"{}\".", arn(scenario, "endpoint-config", name));
    let endpoint = found.ok_or_else(missing)?;
    let variant = |variant: &Variant| {
        let mut summary = json!({"VariantName": variant.name, "InitialVariantWeight": 1.0});
        if let [only] = variant.pools.as_slice() {
            summary["InstanceType"] = json!(only.instance_type);
            summary["InitialInstanceCount"] = json!(only.count.max(1));
        } else {
            let pools =
                variant.pools.iter().zip(1..).map(
                    |(pool, priority)| json!({"InstanceType": pool.instance_type, "Priority": priority}),
                );
            summary["InstancePools"] = pools.collect();
        }
        summary
    };
    Ok(json!({
        "EndpointConfigName": name,
        "EndpointConfigArn": arn(scenario, "endpoint-config", name),
        "ProductionVariants": endpoint.variants.iter().map(variant).collect::<Vec<_>>(),
        "CreationTime": CREATED,
        "MetricsConfig": metrics_config(endpoint),
    }))
}

// --- Components ---------------------------------------------------------------------------------

fn list_components(scenario: &Scenario, request: &Value) -> Answer {
    let of_endpoint = text(request, "EndpointNameEquals");
    let of_variant = text(request, "VariantNameEquals");
    let part = text(request, "NameContains").unwrap_or_default().to_lowercase();
    let is_wanted = text(request, "StatusEquals").is_none_or(|status| status == "InService");
    let endpoints = scenario.endpoints.iter().filter(|it| of_endpoint.is_none_or(|name| it.name == name));
    let components = endpoints.flat_map(|endpoint| endpoint.components.iter().map(move |it| (endpoint, it)));
    let summaries: Vec<Value> = components
        .filter(|(_, it)| is_wanted && of_variant.is_none_or(|name| it.variant == name))
        .filter(|(_, it)| it.name.to_lowercase().contains(&part))
        .map(|(endpoint, component)| summary(scenario, endpoint, component))
        .collect();
    listed("InferenceComponents", &summaries, request)
}

/// What a list says of a component, and a description begins with.
fn summary(scenario: &Scenario, endpoint: &Endpoint, component: &Component) -> Value {
    json!({
        "InferenceComponentName": component.name,
        "InferenceComponentArn": arn(scenario, "inference-component", &component.name),
        "EndpointName": endpoint.name,
        "EndpointArn": arn(scenario, "endpoint", &endpoint.name),
        "VariantName": component.variant,
        "InferenceComponentStatus": "InService",
        "CreationTime": CREATED,
        "LastModifiedTime": CREATED,
    })
}

fn describe_component(play: &Play, request: &Value) -> Answer {
    let scenario = &play.scenario;
    let name = text(request, "InferenceComponentName").ok_or("InferenceComponentName is missing")?;
    let missing =
        || format!("Could not find inference component \"{}\".", arn(scenario, "inference-component", name));
    let found = scenario.endpoints.iter().find_map(|endpoint| {
        Some((endpoint, endpoint.components.iter().find(|component| component.name == name)?))
    });
    let (endpoint, component) = found.ok_or_else(missing)?;
    let mut body = summary(scenario, endpoint, component);
    if component.accelerators_by_type.is_empty() {
        body["Specification"] = specification(component, None);
    } else {
        // With one for each type, the single one is not answered.
        let types = component.accelerators_by_type.keys();
        body["Specifications"] = types.map(|kind| specification(component, Some(kind))).collect();
    }
    if component.base.is_none() {
        body["RuntimeConfig"] = runtime_config(play, component);
    }
    Ok(body)
}

fn specification(component: &Component, instance_type: Option<&str>) -> Value {
    let mut specification = json!({"ModelName": format!("{}-model", component.name)});
    if let Some(base) = &component.base {
        specification["BaseInferenceComponentName"] = json!(base);
        return specification;
    }
    let mut resources = json!({
        "NumberOfCpuCoresRequired": component.cores,
        "MinMemoryRequiredInMb": component.memory_mb,
    });
    let accelerators = instance_type.map_or(component.accelerators, |kind| component.accelerators_on(kind));
    if accelerators > 0 {
        resources["NumberOfAcceleratorDevicesRequired"] = json!(f64::from(accelerators));
    }
    if let Some(partition) = &component.partition {
        resources["AcceleratorPartitionType"] = json!(partition);
    }
    if let Some(kind) = instance_type {
        specification["InstanceType"] = json!(kind);
    }
    specification["ComputeResourceRequirements"] = resources;
    specification
}

fn runtime_config(play: &Play, component: &Component) -> Value {
    let mut config = json!({"DesiredCopyCount": component.copies, "CurrentCopyCount": component.copies});
    // Known of the copies that publish, and said only where they are all.
    let by_type = play.placements.get(&component.name);
    let by_type = by_type.filter(|by_type| by_type.values().sum::<u32>() == component.copies);
    if let Some(by_type) = by_type {
        let placements =
            by_type.iter().map(|(kind, count)| json!({"InstanceType": kind, "CurrentCopyCount": count}));
        config["PlacementStatus"] = placements.collect();
    }
    config
}
