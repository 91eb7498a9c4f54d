//! What Assay left behind: progress in the state table, verdicts in S3, metrics in CloudWatch.

mod metrics;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::verdict::Verdict;
use serde::de::DeserializeOwned;

pub use metrics::{Metered, Numbers, Published, listed, metered, numbers, published, wait_until_metered};

use crate::clients::Clients;
use crate::failure::{During, Failure, Outcome};
use crate::progress::Step;

/// Waits until the function has read each of these objects to its end.
pub async fn wait_until_judged(
    clients: &Clients,
    table: &str,
    bucket: &str,
    keys: &[String],
    patience: Duration,
) -> Outcome<()> {
    let mut step = Step::start(format!("judge {} capture objects", keys.len()));
    loop {
        let mut done = 0;
        for key in keys {
            let pk = AttributeValue::S(format!("object#{bucket}/{key}"));
            let request = clients.dynamodb.get_item().table_name(table).key("pk", pk);
            let answer = request.send().await.during("read the progress")?;
            let is_done = answer.item().and_then(|item| item.get("is_done")?.as_bool().ok().copied());
            done += usize::from(is_done == Some(true));
        }
        if done == keys.len() {
            step.done("");
            return Ok(());
        }
        if step.elapsed() > patience {
            step.failed(format!("{done} of {} are done", keys.len()));
            return Err(Failure(
                "the objects were not judged in time; the emulator's log says more".to_owned(),
            ));
        }
        step.tick(format!("{done} of {} are done", keys.len()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Every stored verdict with the key of the file that holds it.
pub async fn verdicts(clients: &Clients, bucket: &str) -> Outcome<Vec<(String, Verdict)>> {
    lines(clients, bucket).await
}

/// Every line of the verdict files, read as what the caller takes it for, with the key of the file.
pub async fn lines<T: DeserializeOwned>(clients: &Clients, bucket: &str) -> Outcome<Vec<(String, T)>> {
    let mut lines = Vec::new();
    let mut pages = clients.s3.list_objects_v2().bucket(bucket).into_paginator().send();
    while let Some(page) = pages.next().await {
        for key in page.during("list verdicts")?.contents().iter().filter_map(|object| object.key()) {
            let object = clients.s3.get_object().bucket(bucket).key(key).send().await;
            let body = object.during("get verdicts")?.body.collect().await.during("read verdicts")?.to_vec();
            for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let verdict = serde_json::from_slice(line).during(format!("read a verdict of {key}"))?;
                lines.push((key.to_owned(), verdict));
            }
        }
    }
    Ok(lines)
}
