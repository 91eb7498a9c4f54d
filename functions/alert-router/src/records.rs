//! Records of the state table, several at a time, and writing again after a conflict.

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::Fault;
use adapters::state::{RecordKey, StateTable, Versioned};
use domain::alert::rules::Scope;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

/// Calls to the state table under way at once.
pub(crate) const AT_ONCE: usize = 16;
/// How often an invocation reads and decides again because another one was faster.
pub(crate) const TRIES: u32 = 10;

/// The records that there are of `subjects`.
pub(crate) async fn read<S: Ord + Clone, T: DeserializeOwned>(
    state: &StateTable,
    subjects: impl IntoIterator<Item = (S, RecordKey)>,
    now: Timestamp,
) -> Result<BTreeMap<S, Versioned<T>>, Fault> {
    let one = |(subject, key): (S, RecordKey)| async move {
        let record = state.record::<T>(&key, now).await?;
        Ok::<_, Fault>(record.map(|record| (subject, record)))
    };
    let found: Vec<Option<(S, Versioned<T>)>> =
        stream::iter(subjects).map(one).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// The key of what alerts of one component or endpoint know of one another.
pub(crate) fn scope_key(scope: &Scope) -> RecordKey {
    match scope {
        Scope::Component(name) => RecordKey::scope(&format!("component/{name}")),
        Scope::Endpoint(name) => RecordKey::scope(&format!("endpoint/{name}")),
    }
}

/// Waits a little, longer after each try, and never as long as the neighbour.
pub(crate) async fn stand_back(attempt: u32) {
    let mut random = [0_u8; 1];
    // Without randomness the wait is only less well spread.
    let _ = getrandom::fill(&mut random);
    let longest = 10 << attempt.min(5);
    tokio::time::sleep(Duration::from_millis(longest * u64::from(random[0]) / 256 + 5)).await;
}
