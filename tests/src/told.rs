//! What people were told: the calls that the stand-ins for Slack and PagerDuty got.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::environment::Environment;
use crate::failure::{Failure, Outcome};
use crate::preview::message_text;
use crate::progress::Step;
use crate::stand_in::record::Received;

const PATIENCE: Duration = Duration::from_secs(90);
const BETWEEN: Duration = Duration::from_millis(300);

/// The calls so far.
#[derive(Debug, Default)]
pub struct Told {
    /// To Slack.
    pub slack: Vec<Received>,
    /// To PagerDuty.
    pub pagerduty: Vec<Received>,
}

impl Told {
    /// Waits until enough was told.
    ///
    /// # Errors
    /// It was not within a minute and a half.
    pub async fn wait(
        environment: &Environment,
        what: &str,
        is_enough: impl Fn(&Self) -> bool,
    ) -> Outcome<Self> {
        let mut step = Step::start(what);
        let start = Instant::now();
        loop {
            // Before it looks: what was called is noted by the function a moment later.
            tokio::time::sleep(BETWEEN).await;
            let told = Self {
                slack: environment.stand_ins.received("slack").await?,
                pagerduty: environment.stand_ins.received("pagerduty").await?,
            };
            let (slack, pagerduty) = (told.slack.len(), told.pagerduty.len());
            if is_enough(&told) {
                step.done(format!("{slack} calls to Slack, {pagerduty} to PagerDuty"));
                return Ok(told);
            }
            if start.elapsed() > PATIENCE {
                step.failed("");
                return Err(Failure(format!(
                    "{what}: after {} s Slack has {slack} calls and PagerDuty {pagerduty}; see the log in .local",
                    PATIENCE.as_secs(),
                )));
            }
            step.tick(format!("{slack} calls to Slack"));
        }
    }

    /// The messages that open a thread in Slack.
    pub fn posts(&self) -> Vec<&Received> {
        let opens = |call: &&Received| call.path.ends_with("postMessage") && call.body["thread_ts"].is_null();
        self.slack.iter().filter(opens).collect()
    }

    /// The last words of each message that was edited.
    pub fn edits(&self) -> BTreeMap<String, String> {
        let edits = self.slack.iter().filter(|call| call.path.ends_with("chat.update"));
        edits.map(|call| (call.body["ts"].to_string(), message_text(&call.body))).collect()
    }

    /// How often PagerDuty was told to do this, by incident.
    pub fn incidents(&self, action: &str) -> BTreeMap<String, usize> {
        let mut incidents = BTreeMap::new();
        for call in self.pagerduty.iter().filter(|call| call.body["event_action"] == action) {
            *incidents.entry(call.body["dedup_key"].to_string()).or_default() += 1;
        }
        incidents
    }

    /// Whether each incident that was opened is closed.
    pub fn is_closed(&self) -> bool {
        let (opened, closed) = (self.incidents("trigger"), self.incidents("resolve"));
        opened.keys().collect::<BTreeSet<_>>() == closed.keys().collect()
    }

    /// Whether Slack and PagerDuty took every call.
    pub fn is_taken(&self) -> bool {
        self.slack.iter().chain(&self.pagerduty).all(|call| (200..300).contains(&call.status))
    }
}
