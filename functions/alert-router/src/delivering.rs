//! Delivers what is claimed of an alert, notes what was taken, and claims what follows, until
//! nothing is owed or something cannot be delivered now.

use adapters::Fault;
use adapters::state::{NotWritten, RecordKey};
use domain::alert::AlertKey;
use domain::alert::lifecycle::{AlertRecord, Change, Delivery};
use domain::alert::notice::{Enrichment, NotIncluded, Part, Related};
use domain::alert::rules::{Correlated, DestinationName};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::json;
use thiserror::Error;

use crate::event::{Parked, Schema};
use crate::preparing::{Case, Claimed, Decided};
use crate::records::{AT_ONCE, TRIES, stand_back};
use crate::sending::Sent;
use crate::wording::{Context, notice, reading};
use crate::work::Work;

/// Rounds of delivering and claiming for one alert in one invocation: open, raise, edit, close.
const MOST_ROUNDS: usize = 8;
/// Joined alerts that a message shows.
const MOST_RELATED: usize = 5;

/// Why an alert is not delivered to everybody yet: the event must come back.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
pub(crate) struct Failed(pub(crate) String);

impl Failed {
    /// A destination did not take it.
    pub(crate) fn owed(destination: &DestinationName, reason: &str) -> Self {
        Self(format!("{destination}: {reason}"))
    }

    /// Another invocation is at it, and may have crashed.
    pub(crate) fn elsewhere(what: &str) -> Self {
        Self(format!("{what}: another invocation is delivering it"))
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self(fault.to_string())
    }
}

/// An alert that is being delivered.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) case: &'a Case,
    pub(crate) change: Option<&'a Change>,
    pub(crate) related: Vec<Related>,
    pub(crate) enrichment: Enrichment,
}

impl Work<'_> {
    /// What a message about a case shows beside the record.
    pub(crate) async fn subject<'a>(&self, case: &'a Case, decided: Option<&'a Decided>) -> Subject<'a> {
        let metric = decided.and_then(|decided| decided.correlated.decision.metric.as_deref());
        let (mut enrichment, _) = self.found.about(&case.place, metric.or(case.alert.metric()));
        let related = match decided {
            None => Vec::new(),
            Some(decided) => self.related(&decided.correlated, &mut enrichment).await,
        };
        Subject { case, change: decided.map(|decided| &decided.change), related, enrichment }
    }

    async fn related(&self, correlated: &Correlated, enrichment: &mut Enrichment) -> Vec<Related> {
        let mut related = Vec::new();
        for neighbour in correlated.joined.iter().take(MOST_RELATED) {
            let key = RecordKey::alert(neighbour.key.as_str());
            match self.tools.state.record::<AlertRecord>(&key, self.now).await {
                Ok(Some(record)) => related.push(Related {
                    rule: neighbour.rule.clone(),
                    key: neighbour.key.clone(),
                    severity: record.value.severity,
                    reading: reading(&record.value.alert, &self.terms.rules),
                    firing_since: Some(neighbour.since),
                }),
                Ok(None) => {}
                Err(fault) => {
                    enrichment
                        .not_included
                        .push(NotIncluded { part: Part::RelatedAlerts, why: fault.to_string() });
                    break;
                }
            }
        }
        related
    }

    /// Delivers all that is claimed of an alert and what follows from it.
    pub(crate) async fn deliver(&self, claimed: Claimed, subject: &Subject<'_>) -> Result<(), Failed> {
        let Claimed { mut record, mut deliveries, .. } = claimed;
        let mut failures: Vec<Failed> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            if deliveries.is_empty() {
                break;
            }
            let deliver = |delivery: Delivery| {
                let record = &record;
                async move {
                    let context = self.context(subject);
                    let sent = self.send(&notice(record, &delivery, context), &delivery).await;
                    (delivery, sent)
                }
            };
            let sent: Vec<(Delivery, Sent)> =
                stream::iter(deliveries).map(deliver).buffer_unordered(AT_ONCE).collect().await;
            for (delivery, sent) in &sent {
                self.counts().sent(&delivery.destination, sent);
                match sent {
                    Sent::Delivered { .. } => {}
                    Sent::Owed(reason) => failures.push(Failed::owed(&delivery.destination, reason)),
                    Sent::Refused(reason) => self.park(&record, &delivery.destination, reason).await?,
                }
            }
            // What failed waits for the retry: to claim it again at once would be to hammer.
            let may_claim = failures.is_empty();
            (record, deliveries) = self.settle(record.key(), &sent, may_claim).await?;
        }
        if let Some(failed) = failures.into_iter().reduce(|one, other| Failed(format!("{one}; {other}"))) {
            return Err(failed);
        }
        if record.outbox.claimed_until(&self.owner, Timestamp::now()).is_some() {
            return Err(Failed::elsewhere(&format!("\"{}\"", record.alert.rule)));
        }
        if record.outbox.is_owed() {
            return Err(Failed(format!("\"{}\": more is to be told", record.alert.rule)));
        }
        Ok(())
    }

    pub(crate) fn context<'a>(&'a self, subject: &'a Subject<'_>) -> Context<'a> {
        Context {
            alert: &subject.case.alert,
            change: subject.change,
            subject: &subject.case.subject,
            related: &subject.related,
            enrichment: &subject.enrichment,
            rules: &self.terms.rules,
            region: &self.tools.region,
            now: self.now,
        }
    }

    /// Notes what came of the deliveries, whatever others have written meanwhile, and claims what
    /// follows.
    async fn settle(
        &self,
        key: &AlertKey,
        sent: &[(Delivery, Sent)],
        may_claim: bool,
    ) -> Result<(AlertRecord, Vec<Delivery>), Failed> {
        let damping = self.terms.rules.damping();
        let record_key = RecordKey::alert(key.as_str());
        for attempt in 0..TRIES {
            if attempt > 0 {
                stand_back(attempt).await;
            }
            let known = self.tools.state.record::<AlertRecord>(&record_key, self.now).await?;
            let Some(known) = known else { return Err(Failed("the alert's record is gone".to_owned())) };
            let mut record = known.value;
            record.version += 1;
            for (delivery, sent) in sent {
                match sent {
                    Sent::Delivered { receipt, .. } => record.outbox.confirm(delivery, receipt.clone()),
                    Sent::Owed(_) => record.outbox.release(&delivery.destination, &self.owner),
                    Sent::Refused(reason) => record.outbox.give_up(delivery, reason),
                }
            }
            let now = Timestamp::now();
            let next =
                if may_claim { record.outbox.claim(&self.owner, now, damping.claim) } else { Vec::new() };
            let written = self
                .tools
                .state
                .put_record(&record_key, &record, Some(known.version), now, damping.keep)
                .await;
            match written {
                Ok(_) => return Ok((record, next)),
                Err(NotWritten::Conflict) => {}
                Err(NotWritten::Failed(fault)) => return Err(fault.into()),
            }
        }
        Err(Failed("other invocations were faster each time".to_owned()))
    }

    /// Keeps for a person what a destination refuses for good. Comes before the record is told, so
    /// that a crash in between parks twice rather than never.
    async fn park(
        &self,
        record: &AlertRecord,
        destination: &DestinationName,
        reason: &str,
    ) -> Result<(), Fault> {
        let (rule, alert) = (&record.alert.rule, record.key().clone());
        let parked = Parked {
            schema: Schema::V1,
            alert,
            rule: rule.clone(),
            destination: destination.clone(),
            reason: reason.to_owned(),
            at: Timestamp::now(),
        };
        tracing::error!(%destination, reason, rule, key = %parked.alert, "alert refused; parked in the dead-letter queue");
        self.tools.dead_letters.send(&json!(parked).to_string()).await
    }
}
