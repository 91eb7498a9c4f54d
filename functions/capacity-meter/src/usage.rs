//! What CloudWatch knows: the series that there are, and what they hold.

use std::collections::BTreeSet;

use adapters::Fault;
use adapters::metrics::Listing;
use domain::capacity::plan::Plan;
use domain::capacity::series::discoveries;
use domain::capacity::usage::Answers;
use domain::names::EndpointName;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout_at;

use crate::run::{Run, TIME_IS_UP};
use crate::summary::Problems;

/// Calls under way at once: far below CloudWatch's quotas of 25 and 50 a second, which others share.
const AT_ONCE: usize = 4;

/// Lists all series that may say something; of the endpoints in `only` when there are any.
///
/// # Errors
/// The first failed call: without the whole list nothing can be said to be free.
pub(crate) async fn list(run: &Run<'_>, only: &BTreeSet<EndpointName>) -> Result<Listing, Fault> {
    let endpoints: Vec<Option<&EndpointName>> =
        if only.is_empty() { vec![None] } else { only.iter().map(Some).collect() };
    let discoveries = discoveries(&run.terms.tokens);
    let calls = endpoints.into_iter().flat_map(|endpoint| discoveries.iter().map(move |it| (it, endpoint)));
    let listings = calls.map(|(discovery, endpoint)| run.tools.metrics.list(discovery, endpoint));
    let all: Vec<Listing> = stream::iter(listings).buffered(AT_ONCE).try_collect().await?;
    let mut whole = Listing::default();
    for listing in all {
        whole.pages += listing.pages;
        whole.entries.extend(listing.entries);
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
