//! quality-judge's release binary against the services of [`super::services`].

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::services::Services;
use super::traffic::Traffic;
use crate::failure::{Failure, Outcome};
use crate::functions::{self, CAPTURES, QUALITY_JUDGE};
use crate::loopback::{key, notification};
use crate::runtime_api::{Answer, Function};

const INVOCATION: Duration = Duration::from_mins(2);

/// What one invocation took.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// From the event to the answer.
    pub(super) time: Duration,
    /// User and system time of the process.
    pub(super) processor: Duration,
    /// The answer.
    pub(super) summary: Value,
    /// Calls by operation.
    pub(super) calls: BTreeMap<String, u64>,
}

impl Run {
    /// A count of the summary, by its path.
    pub(super) fn count(&self, path: &str) -> u64 {
        self.summary.pointer(path).and_then(Value::as_u64).unwrap_or_default()
    }

    /// How often an operation was called.
    pub(super) fn calls(&self, operation: &str) -> u64 {
        self.calls.get(operation).copied().unwrap_or_default()
    }
}

/// No cap and no budget in the way.
const UNLIMITED: [(&str, &str); 2] = [("SAMPLE_CAP_PER_HOUR", "1000000000"), ("DAILY_BUDGET_USD", "1000000")];

/// The environment of the function.
pub(super) fn variables(services: &Services, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let (url, changes) = (services.url(), [&UNLIMITED, changes].concat());
    functions::variables(QUALITY_JUDGE, &url, &url, &changes)
}

/// Starts the function, without waiting for it.
pub(super) async fn start(binary: &Path, services: &Services, changes: &[(&str, &str)]) -> Outcome<Function> {
    Function::start(binary, &variables(services, changes)).await
}

/// Has the function judge an object of `traffic`, and makes sure that it did.
pub(super) async fn judge(
    function: &mut Function,
    services: &Services,
    name: &str,
    traffic: Traffic,
) -> Outcome<Run> {
    let key = key(name);
    let records = traffic.records() as u64;
    services.put(&key, traffic);
    services.take_calls();
    let ticks = function.processor_ticks()?;
    let started = Instant::now();
    let answer = function.invoke(&notification(CAPTURES, &key, None), INVOCATION).await?;
    let time = started.elapsed();
    let processor = Duration::from_millis((function.processor_ticks()? - ticks) * 10);
    let Answer::Response(summary) = answer else {
        return Err(Failure(format!("the function did not judge {name}: {answer:?}")));
    };
    let run = Run { time, processor, summary, calls: services.take_calls() };
    let (read, scored) = (run.count("/exchanges"), run.count("/outcomes/scored"));
    if read != records || scored != run.count("/selected") {
        let summary = &run.summary;
        return Err(Failure(format!("{name}: {records} records in the object, but the answer is {summary}")));
    }
    Ok(run)
}
