//! One invocation: what its steps share, and the steps that come after the decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapters::delivery::Outbound;
use domain::alert::rules::DestinationName;
use domain::metric::ALERT_NAMESPACE;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use crate::event::Returned;
use crate::handler::Tools;
use crate::looking_up::Found;
use crate::measures::datums;
use crate::preparing::{Case, Claimed, Prepared};
use crate::summary::{Counts, Summary, decision, listed, shown};
use crate::telling::{Message, messages};
use crate::terms::Terms;
use crate::wording::notice;

/// Alerts that are delivered at once; each may wait for the pace of a destination.
const DELIVERED_AT_ONCE: usize = 32;

/// One invocation.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) terms: &'a Terms,
    /// What was looked up.
    pub(crate) found: Found,
    /// The way out.
    pub(crate) outbound: Outbound,
    /// Names this attempt in claims: a retry has the same request id.
    pub(crate) owner: String,
    /// The time of the event.
    pub(crate) now: Timestamp,
    pub(crate) is_dry_run: bool,
    /// No call begins that could end after this.
    pub(crate) ends_at: Instant,
    pub(crate) counts: Mutex<Counts>,
}

impl Work<'_> {
    pub(crate) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn time_left(&self) -> Duration {
        self.ends_at.saturating_duration_since(Instant::now())
    }

    pub(crate) fn has_time_for(&self, wanted: Duration) -> bool {
        self.time_left() >= wanted
    }

    pub(crate) fn count(&self, prepared: &Prepared) {
        let mut counts = self.counts();
        counts.enrichment_missing = self.found.missing() as u64;
        for decided in prepared.decided.values() {
            counts.decided(decided);
            if let Some(unknown) = &decided.correlated.decision.unknown_severity {
                let said = unknown.said.as_deref().unwrap_or("nothing");
                tracing::warn!(said, "nobody said how bad an alert is; the default holds");
            }
        }
    }

    /// Tells everybody, the worst first.
    pub(crate) async fn deliver_all(
        &self,
        cases: &[Case],
        prepared: &mut Prepared,
        returned: &[(usize, Returned)],
        failures: &mut BTreeMap<usize, Vec<String>>,
    ) {
        let mut claimed: Vec<Claimed> = std::mem::take(&mut prepared.claimed).into_values().collect();
        claimed.sort_by_key(|claimed| std::cmp::Reverse(claimed.record.severity));
        let decided = &prepared.decided;
        let deliver = |claimed: Claimed| async move {
            let case = &cases[claimed.case];
            let decided = decided.get(&claimed.case);
            let (correlated, change) = decided.map(|decided| (&decided.correlated, &decided.change)).unzip();
            let subject = self.subject(case, correlated, change).await;
            (case.item, self.deliver(claimed, &subject).await)
        };
        let mut delivered = stream::iter(claimed).map(deliver).buffer_unordered(DELIVERED_AT_ONCE);
        while let Some((item, result)) = delivered.next().await {
            if let Err(failed) = result {
                failures.entry(item).or_default().push(failed.0);
            }
        }
        let mut items_of_routes: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (case, decided) in decided {
            for route in &decided.routing.routes {
                items_of_routes.entry(&route.route).or_default().insert(cases[*case].item);
            }
        }
        for (route, items) in items_of_routes {
            if let Err(failed) = self.tell_summary(route).await {
                for item in items {
                    failures.entry(item).or_default().push(failed.0.clone());
                }
            }
        }
        for (item, returned) in returned {
            if let Err(failed) = self.take_back(returned).await {
                failures.entry(*item).or_default().push(failed.0);
            }
        }
    }

    /// What would be sent.
    pub(crate) async fn dry(&self, cases: &[Case], prepared: &Prepared) -> Vec<Value> {
        let mut decisions = Vec::new();
        for (place, decided) in &prepared.decided {
            let case = &cases[*place];
            let claimed = prepared.claimed.get(&case.alert.key).filter(|claimed| claimed.case == *place);
            let mut would_send: Vec<(DestinationName, Vec<Message>)> = Vec::new();
            if let Some(Claimed { record, deliveries, .. }) = claimed {
                let (correlated, change) = (&decided.correlated, &decided.change);
                let subject = self.subject(case, Some(correlated), Some(change)).await;
                for delivery in deliveries {
                    let Some(destination) = self.terms.rules.destination(&delivery.destination) else {
                        continue;
                    };
                    let all =
                        messages(destination, delivery, &notice(record, delivery, self.context(&subject)));
                    would_send.push((delivery.destination.clone(), all));
                }
            }
            decisions.push(decision(case, decided, &would_send));
        }
        shown(decisions.into_iter())
    }

    pub(crate) async fn finish(&self, decisions: Vec<Value>, started: Instant) -> Summary {
        let counts = self.counts().clone();
        if !self.is_dry_run {
            let unknown_form = counts.notes.get("unknown_form").copied().unwrap_or_default();
            let datums = datums(&counts, unknown_form, self.now);
            // Alerts that are delivered must not be delivered again for want of a count.
            if let Err(fault) = self.tools.metrics.publish(ALERT_NAMESPACE, datums).await {
                tracing::warn!(error = %fault, "metrics not published");
            }
        }
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            dry_run = self.is_dry_run,
            messages = counts.messages,
            unreadable = counts.unreadable,
            alerts = counts.alerts,
            lost = counts.lost,
            families = listed(&counts.families),
            changes = listed(&counts.changes),
            severities = listed(&counts.severities),
            quiet = listed(&counts.quiet),
            summarised = counts.summarised,
            redriven = counts.redriven,
            left_out = counts.left_out,
            enrichment_missing = counts.enrichment_missing,
            delivered = counts.total(|one| one.delivered),
            owed = counts.total(|one| one.owed),
            later = counts.total(|one| one.later),
            parked = counts.total(|one| one.parked),
            duration_ms,
            "invocation done"
        );
        Summary { dry_run: self.is_dry_run, counts, decisions, duration_ms }
    }
}
