//! What the stand-ins received, so that a test can assert it and a person can read it.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Call;

/// More is forgotten, oldest first: a load test must not fill the memory.
const KEPT: usize = 20_000;

/// Headers whose values stay out of what is shown: a person may point this at a real key.
const SECRET_HEADERS: [&str; 3] = ["authorization", "x-amz-security-token", "cookie"];

/// One call as it is shown under `/_requests`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Received {
    /// Counts from 1 over all stand-ins.
    pub number: u64,
    /// When its last byte had arrived.
    pub at: Timestamp,
    /// The stand-in that it was for, or `none`.
    pub stand_in: String,
    /// `POST` ...
    pub method: String,
    /// Percent-encoded as it was sent.
    pub path: String,
    /// Empty when there is none.
    pub query: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// JSON when it is JSON, else a text.
    pub body: Value,
    /// Whether a scripted reply answered it.
    pub scripted: bool,
    /// The status that was answered; 0 when the connection was dropped.
    pub status: u16,
}

/// Which calls `/_requests` shows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    stand_in: Option<String>,
    path: Option<String>,
    contains: Option<String>,
    last: Option<usize>,
}

/// Counts of one stand-in.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Calls received.
    pub calls: u64,
    /// Of these, answered by a script.
    pub scripted: u64,
    /// Calls that wait for their answer now.
    pub in_flight: u64,
    /// The most that ever waited at once.
    pub most_in_flight: u64,
}

#[derive(Debug, Default)]
pub(super) struct Record {
    received: VecDeque<Received>,
    next_number: u64,
    stats: BTreeMap<String, Stats>,
}

impl Record {
    /// Notes that a call waits for its answer.
    pub(super) fn begin(&mut self, stand_in: &str) {
        let stats = self.stats.entry(stand_in.to_owned()).or_default();
        stats.calls += 1;
        stats.in_flight += 1;
        stats.most_in_flight = stats.most_in_flight.max(stats.in_flight);
    }

    /// Notes that it has got it, or that the caller went away.
    pub(super) fn end(&mut self, stand_in: &str) {
        let stats = self.stats.entry(stand_in.to_owned()).or_default();
        stats.in_flight = stats.in_flight.saturating_sub(1);
    }

    pub(super) fn keep(&mut self, stand_in: &str, call: &Call, scripted: bool, status: u16) {
        self.next_number += 1;
        if scripted {
            self.stats.entry(stand_in.to_owned()).or_default().scripted += 1;
        }
        if self.received.len() == KEPT {
            self.received.pop_front();
        }
        self.received.push_back(Received {
            number: self.next_number,
            at: Timestamp::now(),
            stand_in: stand_in.to_owned(),
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            headers: call
                .headers
                .iter()
                .map(|(name, value)| shown(name.as_str(), value.as_bytes()))
                .collect(),
            body: serde_json::from_str(&call.body).unwrap_or_else(|_| Value::String(call.body.clone())),
            scripted,
            status,
        });
    }

    pub(super) fn matching(&self, filter: &Filter) -> Vec<&Received> {
        let is_wanted = |received: &&Received| {
            filter.stand_in.as_ref().is_none_or(|name| &received.stand_in == name)
                && filter.path.as_ref().is_none_or(|prefix| received.path.starts_with(prefix))
                && filter.contains.as_ref().is_none_or(|part| received.body.to_string().contains(part))
        };
        let mut found: Vec<&Received> = self.received.iter().filter(is_wanted).collect();
        if let Some(last) = filter.last {
            found.drain(..found.len().saturating_sub(last));
        }
        found
    }

    /// Forgets all but the calls in flight, which will still end.
    pub(super) fn clear(&mut self) {
        self.received.clear();
        for stats in self.stats.values_mut() {
            let in_flight = stats.in_flight;
            *stats = Stats { in_flight, most_in_flight: in_flight, ..Stats::default() };
        }
    }

    pub(super) fn stats(&self) -> &BTreeMap<String, Stats> {
        &self.stats
    }
}

fn shown(name: &str, value: &[u8]) -> (String, String) {
    let value = if SECRET_HEADERS.contains(&name) {
        "(not shown)".to_owned()
    } else {
        String::from_utf8_lossy(value).into_owned()
    };
    (name.to_owned(), value)
}
