//! One capture object, from its lease to its last verdict.
//!
//! 1. Lease the object, open the version that the event names, skip what is published already.
//! 2. Read line by line; count every record; collect what the sampling rate selects.
//! 3. Take from that what has no verdict yet and is within cap and budget, and judge it.
//! 4. Store each verdict in the state table as it comes.
//! 5. At a checkpoint write verdict files, publish metrics, book the cost and save the progress, in
//!    this order: a crash in between repeats the later steps, never a judge call.

use std::sync::Arc;

use adapters::captures::{Captures, Unopened};
use adapters::judge::Judge;
use adapters::metrics::Metrics;
use adapters::state::{Lease, LeaseRefused, ObjectId, Progress, StateTable};
use domain::capture::CaptureKey;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::config::Config;
use crate::event::Arrival;
use crate::judging::Bench;
use crate::outcome::{Ended, ObjectOutcome};
use crate::reading::LineReader;
use crate::run::ObjectRun;
use crate::standards::Standards;

/// What the process works with, built once.
#[derive(Debug)]
pub(crate) struct Tools<J> {
    /// The function's settings.
    pub(crate) config: Config,
    /// Capture and verdict objects.
    pub(crate) captures: Captures,
    /// Leases, progress, verdicts, cap and budget.
    pub(crate) state: StateTable,
    /// CloudWatch.
    pub(crate) metrics: Metrics,
    /// The judge at the common pace.
    pub(crate) bench: Bench<J>,
}

/// The invocation that an object is worked on in.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// Lambda's request id: the owner of leases.
    pub(crate) id: String,
    /// No judge call starts later.
    pub(crate) last_start: Instant,
    /// No judge call is waited for longer.
    pub(crate) calls_end: Instant,
    /// When Lambda ends the invocation, on the common clock.
    pub(crate) ends_at: Timestamp,
}

/// Judges one object as far as the invocation's time allows.
pub(crate) async fn judge_object<J: Judge + Send + Sync + 'static>(
    tools: &Arc<Tools<J>>,
    standards: &Arc<Standards>,
    invocation: &Invocation,
    arrival: &Arrival,
) -> Ended {
    if arrival.bucket != tools.config.capture_bucket {
        return Ended::without_work(ObjectOutcome::ForeignBucket);
    }
    let Ok(key) = CaptureKey::parse(&arrival.key) else {
        return Ended::without_work(ObjectOutcome::NotACaptureKey);
    };
    let object = ObjectId { bucket: arrival.bucket.clone(), key: arrival.key.clone() };
    let etag = arrival.etag.as_deref();
    let lease =
        match tools.state.lease(object, etag, &invocation.id, Timestamp::now(), invocation.ends_at).await {
            Ok(lease) => lease,
            Err(LeaseRefused::Done) => return Ended::without_work(ObjectOutcome::Duplicate),
            Err(LeaseRefused::Held(until)) => {
                return Ended::failed(
                    ObjectOutcome::Held,
                    format!("another invocation works on it until {until}"),
                );
            }
            Err(LeaseRefused::Failed(fault)) => {
                return Ended::failed(ObjectOutcome::Failed, fault.to_string());
            }
        };
    let opened = tools.captures.open(&arrival.bucket, &arrival.key, etag, tools.config.max_line_bytes).await;
    let mut capture = match opened {
        Ok(capture) => capture,
        Err(unopened) => return give_back(tools, &lease, unopened).await,
    };
    let progress = match &lease.progress {
        Some(progress) if progress.etag == capture.etag && progress.is_done => {
            return give_back_as(tools, &lease, Ended::without_work(ObjectOutcome::Duplicate)).await;
        }
        Some(progress) if progress.etag == capture.etag => progress.clone(),
        _ => Progress { etag: capture.etag.clone(), ..Progress::default() },
    };
    let reader = LineReader { standards, config: &tools.config, arrival, key: &key };
    let run = ObjectRun::new(tools, standards, invocation, &lease, reader, progress);
    run.finish_object(&mut capture.lines).await
}

async fn give_back<J>(tools: &Tools<J>, lease: &Lease, unopened: Unopened) -> Ended {
    let ended = match unopened {
        Unopened::Gone => Ended::without_work(ObjectOutcome::Gone),
        Unopened::Superseded => Ended::without_work(ObjectOutcome::Superseded),
        Unopened::Forbidden => Ended::failed(ObjectOutcome::Forbidden, Unopened::Forbidden.to_string()),
        Unopened::Failed(fault) => Ended::failed(ObjectOutcome::Failed, fault.to_string()),
    };
    give_back_as(tools, lease, ended).await
}

async fn give_back_as<J>(tools: &Tools<J>, lease: &Lease, ended: Ended) -> Ended {
    if let Err(fault) = tools.state.release(lease).await {
        // The lease ends by itself; only a retry before that has to wait.
        tracing::warn!(object_key = %lease.object.key, error = %fault, "lease not released");
    }
    ended
}
