use std::collections::BTreeMap;

use domain::capacity::plan::PublishFrequency;
use domain::capacity::topology::{Component, Partition, Pool, TopologySource, Variant};
use serde_json::{Value, json};

use super::*;
use crate::wire::{Reply, Wire};

const READ_AT: &str = "2026-11-24T12:34:56Z";

async fn topology(wire: &Wire) -> Result<EndpointTopology, NoTopology> {
    ControlPlane::new(&wire.config()).topology(&"chat".parse().unwrap(), READ_AT.parse().unwrap()).await
}

fn target(wire: &Wire, call: usize) -> String {
    let sent = &wire.sent()[call];
    let target = sent.header("x-amz-target").unwrap().to_owned();
    target.strip_prefix("SageMaker.").unwrap().to_owned()
}

fn endpoint(variants: &Value) -> Reply {
    Reply::json(&json!({
        "EndpointName": "chat", "EndpointConfigName": "chat-v7", "EndpointStatus": "InService",
        "ProductionVariants": variants,
        "MetricsConfig": {"EnableEnhancedMetrics": true, "MetricPublishFrequencyInSeconds": 10},
    }))
}

fn config(variants: &Value) -> Reply {
    Reply::json(&json!({"EndpointConfigName": "chat-v7", "ProductionVariants": variants}))
}

fn listed(names: &[&str], next: Option<&str>) -> Reply {
    let one = |name: &&str| json!({"InferenceComponentName": name, "EndpointName": "chat"});
    let mut body = json!({"InferenceComponents": names.iter().map(one).collect::<Vec<_>>()});
    if let Some(token) = next {
        body["NextToken"] = json!(token);
    }
    Reply::json(&body)
}

fn described(changes: &[(&str, Value)]) -> Reply {
    let mut body = json!({
        "InferenceComponentName": "x", "EndpointName": "chat", "VariantName": "AllTraffic",
        "InferenceComponentStatus": "InService",
        "RuntimeConfig": {"DesiredCopyCount": 2, "CurrentCopyCount": 2},
    });
    for (name, value) in changes {
        body[*name] = value.clone();
    }
    Reply::json(&body)
}

fn needs(needs: &Value) -> Value {
    json!({"ComputeResourceRequirements": needs})
}

fn component(name: &str) -> Component {
    Component {
        name: name.parse().unwrap(),
        variant: Some("AllTraffic".to_owned()),
        copies: Some(2),
        accelerators: 0,
        accelerators_by_type: BTreeMap::new(),
        partition: None,
        milli_cores: None,
        base: None,
        placements: BTreeMap::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_put_together_from_four_kinds_of_calls() {
    let wire = Wire::new([
        endpoint(&json!([{"VariantName": "AllTraffic", "CurrentInstanceCount": 2}])),
        config(
            &json!([{"VariantName": "AllTraffic", "InstanceType": "ml.g6.12xlarge", "InitialInstanceCount": 1}]),
        ),
        listed(&["gpt-oss-20b"], Some("more")),
        listed(&["on-cpu", "sliced", "adapter"], None),
        described(&[(
            "Specification",
            needs(&json!({"NumberOfAcceleratorDevicesRequired": 4.0, "MinMemoryRequiredInMb": 1024})),
        )]),
        described(&[(
            "Specification",
            needs(&json!({"NumberOfCpuCoresRequired": 0.25, "MinMemoryRequiredInMb": 128})),
        )]),
        described(&[(
            "Specification",
            needs(&json!({
                "NumberOfAcceleratorDevicesRequired": 1, "AcceleratorPartitionType": "mig-3g.40gb",
                "MinMemoryRequiredInMb": 1024,
            })),
        )]),
        described(&[("Specification", json!({"BaseInferenceComponentName": "gpt-oss-20b"}))]),
    ]);
    let read = topology(&wire).await.unwrap();
    let expected = EndpointTopology {
        endpoint: "chat".parse().unwrap(),
        source: TopologySource::ControlPlane { read_at: READ_AT.parse().unwrap() },
        enhanced_metrics: Some(true),
        publish_frequency: PublishFrequency::try_from(10).ok(),
        variants: vec![Variant {
            name: "AllTraffic".to_owned(),
            pools: vec![Pool { instance_type: "ml.g6.12xlarge".to_owned(), count: Some(2) }],
        }],
        components: vec![
            Component { accelerators: 4, ..component("gpt-oss-20b") },
            Component { milli_cores: Some(250), ..component("on-cpu") },
            Component {
                accelerators: 1,
                partition: Partition::try_from("mig-3g.40gb".to_owned()).ok(),
                ..component("sliced")
            },
            Component { base: "gpt-oss-20b".parse().ok(), ..component("adapter") },
        ],
    };
    assert_eq!(read, expected);
    let targets: Vec<String> = (0..8).map(|call| target(&wire, call)).collect();
    assert_eq!(
        targets,
        [
            &[
                "DescribeEndpoint",
                "DescribeEndpointConfig",
                "ListInferenceComponents",
                "ListInferenceComponents"
            ][..],
            &["DescribeInferenceComponent"; 4][..],
        ]
        .concat()
    );
    let sent = wire.sent();
    assert_eq!(sent[1].json(), json!({"EndpointConfigName": "chat-v7"}));
    assert_eq!(sent[2].json(), json!({"EndpointNameEquals": "chat", "MaxResults": 100}));
    assert_eq!(sent[3].json()["NextToken"], "more");
    assert_eq!(sent[4].json(), json!({"InferenceComponentName": "gpt-oss-20b"}));
}

#[tokio::test(start_paused = true)]
async fn instance_pools_and_what_differs_by_type_are_read() {
    let pools = json!([
        {"InstanceType": "ml.g6.12xlarge", "CurrentInstanceCount": 1},
        {"InstanceType": "ml.p5.48xlarge", "CurrentInstanceCount": 3},
    ]);
    let wire = Wire::new([
        endpoint(&json!([{"VariantName": "AllTraffic", "CurrentInstanceCount": 4, "InstancePools": pools}])),
        config(
            &json!([{"VariantName": "AllTraffic", "InstancePools": [{"InstanceType": "ml.g6.12xlarge"}]}]),
        ),
        listed(&["pooled"], None),
        described(&[
            (
                "Specifications",
                json!([
                    {"InstanceType": "ml.g6.12xlarge", "ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 4, "MinMemoryRequiredInMb": 1}},
                    {"InstanceType": "ml.p5.48xlarge", "ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 2, "MinMemoryRequiredInMb": 1}},
                ]),
            ),
            (
                "RuntimeConfig",
                json!({"CurrentCopyCount": 3, "PlacementStatus": [
                    {"InstanceType": "ml.g6.12xlarge", "CurrentCopyCount": 1},
                    {"InstanceType": "ml.p5.48xlarge", "CurrentCopyCount": 2},
                ]}),
            ),
        ]),
    ]);
    let read = topology(&wire).await.unwrap();
    assert_eq!(read.instances(), Some(BTreeMap::from([("ml.g6.12xlarge", 1), ("ml.p5.48xlarge", 3)])));
    assert_eq!(read.components[0].expected_gpus().map(|gpus| gpus.to_string()).as_deref(), Some("8"));
}

#[tokio::test(start_paused = true)]
async fn slices_and_cores_count_where_every_instance_type_has_the_same() {
    let specification = |instance_type: &str, slice: &str, cores: f64| {
        let needs = json!({
            "NumberOfAcceleratorDevicesRequired": 1, "AcceleratorPartitionType": slice,
            "NumberOfCpuCoresRequired": cores, "MinMemoryRequiredInMb": 1,
        });
        json!({"InstanceType": instance_type, "ComputeResourceRequirements": needs})
    };
    for (slice, cores, partition, milli_cores) in
        [("mig-1g.10gb", 4.0, Some("mig-1g.10gb"), Some(4000)), ("mig-3g.40gb", 8.0, None, None)]
    {
        let specifications = json!([
            specification("ml.p4d.24xlarge", "mig-1g.10gb", 4.0),
            specification("ml.p5.48xlarge", slice, cores),
        ]);
        let wire = Wire::new([
            endpoint(&json!([{"VariantName": "AllTraffic", "CurrentInstanceCount": 2}])),
            config(&json!([{"VariantName": "AllTraffic", "InstanceType": "ml.p5.48xlarge"}])),
            listed(&["sliced"], None),
            described(&[("Specifications", specifications)]),
        ]);
        let sliced = topology(&wire).await.unwrap().components.remove(0);
        assert_eq!(sliced.partition.as_ref().map(Partition::as_str), partition, "{slice}");
        assert_eq!(sliced.milli_cores, milli_cores, "{slice}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_without_a_metrics_config_has_the_documented_defaults() {
    let wire = Wire::new([
        Reply::json(
            &json!({"EndpointName": "chat", "EndpointConfigName": "chat-v1", "ProductionVariants": []}),
        ),
        config(&json!([{"VariantName": "AllTraffic", "InstanceType": "ml.g5.xlarge"}])),
        listed(&[], None),
    ]);
    let read = topology(&wire).await.unwrap();
    assert_eq!((read.enhanced_metrics, read.publish_frequency.map(u32::from)), (Some(false), Some(60)));
    assert_eq!(read.components, []);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_exist_is_gone_and_one_with_a_model_is_of_another_kind() {
    let wire = Wire::new([Reply::error(400, "ValidationException")]);
    assert_eq!(topology(&wire).await, Err(NoTopology::Gone));
    let wire = Wire::new([
        endpoint(&json!([{"VariantName": "AllTraffic", "CurrentInstanceCount": 1}])),
        config(&json!([{"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "ModelName": "m"}])),
        listed(&[], None),
    ]);
    assert_eq!(topology(&wire).await, Err(NoTopology::OtherHosting));
}

#[tokio::test(start_paused = true)]
async fn a_component_that_goes_while_it_is_read_is_left_out_and_a_failure_is_told() {
    let start = || {
        [
            endpoint(&json!([{"VariantName": "AllTraffic", "CurrentInstanceCount": 1}])),
            config(&json!([{"VariantName": "AllTraffic", "InstanceType": "ml.g5.xlarge"}])),
            listed(&["gone", "ending"], None),
        ]
    };
    let ending = described(&[("InferenceComponentStatus", json!("Deleting"))]);
    let wire = Wire::new(start().into_iter().chain([Reply::error(400, "ValidationException"), ending]));
    let read = topology(&wire).await.unwrap();
    let components: Vec<_> = read.components.iter().map(|it| (it.name.as_str(), it.copies)).collect();
    assert_eq!(components, [("ending", None)]);

    let wire = Wire::new(start().into_iter().chain([Reply::error(400, "AccessDeniedException")]));
    let failed = topology(&wire).await.unwrap_err().to_string();
    assert_eq!(failed, "DescribeInferenceComponent failed: AccessDeniedException (HTTP 400)");
}

#[tokio::test(start_paused = true)]
async fn endpoints_with_instances_are_listed_over_all_pages() {
    let one = |name: &str, status: &str| json!({"EndpointName": name, "EndpointStatus": status});
    let wire = Wire::new([
        Reply::json(&json!({
            "Endpoints": [one("a", "InService"), one("b", "Creating"), one("c", "Failed")], "NextToken": "more",
        })),
        Reply::json(&json!({
            "Endpoints": [one("d", "Updating"), one("e", "Deleting"), one("f", "RollingBack"), one("g", "OutOfService")],
        })),
    ]);
    let names = ControlPlane::new(&wire.config()).endpoints().await.unwrap();
    assert_eq!(names.iter().map(EndpointName::as_str).collect::<Vec<_>>(), ["a", "d", "f", "g"]);
    assert_eq!(wire.sent()[0].json(), json!({"MaxResults": 100}));
}

#[tokio::test(start_paused = true)]
async fn throttling_is_tried_again_and_then_told() {
    let wire = Wire::new([Reply::error(400, "ThrottlingException")]);
    let fault = ControlPlane::new(&wire.config()).endpoints().await.unwrap_err();
    assert_eq!(fault.to_string(), "ListEndpoints failed: ThrottlingException (HTTP 400)");
    assert_eq!(wire.sent().len(), 3);
    assert!(fault.is_transient());
}
