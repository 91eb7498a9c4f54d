//! `optional/replay.yaml`: objects that nobody announced are read after all.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use aws_sdk_cloudformation::types::Parameter;
use serde_json::{Value, json};
use tests::loopback::{CAPTURES, Loopback, batch, key, records};
use tests::project;

const PATIENCE: Duration = Duration::from_mins(1);

/// Calls Step Functions.
async fn states(local: &Loopback, operation: &str, body: Value) -> Value {
    let request = reqwest::Client::new()
        .post(local.clients.endpoint())
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, \
             SignedHeaders=host, Signature=0",
        );
    let answer = request.body(body.to_string()).send().await.unwrap();
    let text = answer.text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Deploys the template for this queue; gives the state machine.
async fn deployed(local: &Loopback, queue: &str) -> String {
    let template = fs::read_to_string(project::root().join("optional/replay.yaml")).unwrap();
    let parameter = |name, value| Parameter::builder().parameter_key(name).parameter_value(value).build();
    let stacks = &local.clients.cloudformation;
    let request = stacks.create_stack().stack_name("assay-replay").template_body(template);
    let request = request.parameters(parameter("CaptureBucketName", CAPTURES));
    request.parameters(parameter("CaptureQueueUrl", queue)).send().await.unwrap();
    let started = Instant::now();
    loop {
        let stack = stacks.describe_stacks().stack_name("assay-replay").send().await.unwrap();
        if let [output] = stack.stacks()[0].outputs() {
            assert_eq!(output.output_key(), Some("ReplayArn"));
            return output.output_value().unwrap().to_owned();
        }
        assert!(started.elapsed() < PATIENCE, "{stack:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The bodies of all messages that wait.
async fn waiting(local: &Loopback, queue: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let request = local.clients.sqs.receive_message().queue_url(queue).visibility_timeout(600);
        let messages = request.max_number_of_messages(10).send().await.unwrap().messages.unwrap_or_default();
        if messages.is_empty() {
            return bodies;
        }
        bodies.extend(messages.into_iter().filter_map(|message| message.body));
    }
}

#[tokio::test]
async fn a_folder_is_announced_and_judged_and_nothing_beside_it() {
    let local = Loopback::start().await.unwrap();
    let queue = local.clients.sqs.create_queue().queue_name("captures").send().await.unwrap();
    let queue = queue.queue_url.unwrap();
    let one = key("one");
    let (folder, _) = one.rsplit_once('/').unwrap();
    let keys: Vec<String> = (0..12).map(|number| format!("{folder}/missed {number}+ä.jsonl")).collect();
    for (number, key) in keys.iter().enumerate() {
        local.put(key, records(&format!("r{number}"), "gpt", 1)).await.unwrap();
    }
    local.put("elsewhere/one.jsonl", records("other", "gpt", 1)).await.unwrap();
    let machine = deployed(&local, &queue).await;

    let input = json!({"prefix": format!("{folder}/")});
    let start = json!({"stateMachineArn": machine, "input": input.to_string()});
    let execution = states(&local, "StartExecution", start).await;
    let started = Instant::now();
    let done = loop {
        let asked = json!({"executionArn": execution["executionArn"]});
        let execution = states(&local, "DescribeExecution", asked).await;
        if execution["status"] != "RUNNING" {
            break execution;
        }
        assert!(started.elapsed() < PATIENCE, "{execution}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(done["status"], "SUCCEEDED", "{done}");
    // What a run answers is bounded: it answers what it was asked.
    let output: Value = serde_json::from_str(done["output"].as_str().unwrap()).unwrap();
    assert_eq!(output, input);

    let bodies = waiting(&local, &queue).await;
    let announced = bodies.iter().map(|body| {
        let event: Value = serde_json::from_str(body).unwrap();
        assert_eq!(event["detail"]["bucket"]["name"], CAPTURES);
        event["detail"]["object"]["key"].as_str().unwrap().to_owned()
    });
    assert_eq!(announced.collect::<BTreeSet<_>>(), keys.iter().cloned().collect());
    assert_eq!(bodies.len(), keys.len());
    let mut function = local.function(&[]).await.unwrap();
    let answer = function.invoke(&batch(&bodies), PATIENCE).await.unwrap().response().unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(local.verdicts().await.unwrap().len(), keys.len());
}
