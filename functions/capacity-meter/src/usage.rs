//! What CloudWatch knows: the series that there are, and what they hold.

use adapters::Fault;
use adapters::metrics::Listing;
use domain::capacity::plan::Plan;
use domain::capacity::series::discoveries;
use domain::capacity::usage::Answers;
use domain::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout_at;

use crate::event::Request;
use crate::run::{Run, TIME_IS_UP};
use crate::summary::Problems;

/// Calls under way at once: far below CloudWatch's quotas of 25 and 50 a second, which others share.
const AT_ONCE: usize = 4;

/// Lists all series that may say something.
///
/// # Errors
/// The first failed call: without the whole list nothing can be said to be free.
pub(crate) async fn list(run: &Run<'_>) -> Result<Listing, Fault> {
    let discoveries = discoveries(&run.terms.tokens);
    together(discoveries.iter().map(|discovery| run.tools.metrics.list(discovery))).await
}

/// Lists the series that name the endpoints of a message, or else one of its components. A call
/// lists all metrics of its endpoint: one for each metric would be seven, and the messages of a run
/// that is split ask one after another, within a quota of 25 a second for the whole account.
///
/// # Errors
/// As [`list`].
pub(crate) async fn list_only(run: &Run<'_>, request: &Request) -> Result<Listing, Fault> {
    if request.endpoints.is_empty() {
        return list(run).await;
    }
    let metrics = &run.tools.metrics;
    let of_endpoints =
        request.endpoints.iter().map(|name| metrics.list_of(ENDPOINT_DIMENSION, name.as_str()));
    let of_components =
        request.components.iter().map(|name| metrics.list_of(COMPONENT_DIMENSION, name.as_str()));
    let (mut whole, mut rest) = (together(of_endpoints).await?, together(of_components).await?);
    // What names both is among the first.
    rest.entries.retain(|entry| entry.dimension(ENDPOINT_DIMENSION).is_none());
    whole.add(rest);
    let discoveries = discoveries(&run.terms.tokens);
    whole.entries.retain(|entry| discoveries.iter().any(|discovery| discovery.finds(entry)));
    Ok(whole)
}

async fn together(
    calls: impl Iterator<Item = impl Future<Output = Result<Listing, Fault>>>,
) -> Result<Listing, Fault> {
    let all: Vec<Listing> = stream::iter(calls).buffered(AT_ONCE).try_collect().await?;
    let mut whole = Listing::default();
    for listing in all {
        whole.add(listing);
    }
    Ok(whole)
}

/// Runs the queries of a plan. What is not answered in time, or not at all, stays unanswered: the
/// endpoints that it is about are blind, the others are not. Also counts the calls.
pub(crate) async fn answers(run: &Run<'_>, plan: &Plan, problems: &mut Problems) -> (Answers, usize) {
    let ask = |batch| async move { timeout_at(run.answers_until, run.tools.metrics.answer(&batch)).await };
    let mut batches = stream::iter(plan.batches().map(ask)).buffer_unordered(AT_ONCE);
    let (mut answers, mut calls) = (Answers::to(plan), 0);
    while let Some(batch) = batches.next().await {
        let Ok(batch) = batch else {
            problems.add(format_args!("GetMetricData failed: {TIME_IS_UP}"));
            continue;
        };
        calls += batch.pages;
        if let Some(fault) = batch.fault {
            problems.add(fault);
        }
        for (code, count) in batch.messages {
            problems.add_many(format_args!("GetMetricData says {code}"), count);
        }
        for result in batch.results {
            answers.add(&result.id, result.status, result.datapoints);
        }
    }
    if answers.strangers > 0 {
        problems.add_many("GetMetricData answered a query that was not asked", answers.strangers);
    }
    (answers, calls)
}
