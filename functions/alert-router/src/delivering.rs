//! Delivers what is claimed of an alert, notes what was taken, and claims what follows, until
//! nothing is owed or something cannot be delivered now.

use std::time::Duration;

use adapters::Fault;
use adapters::state::{NotWritten, RecordKey};
use domain::alert::AlertKey;
use domain::alert::lifecycle::{AlertRecord, Change, Delivery};
use domain::alert::notice::{Enrichment, NotIncluded, Part, Related};
use domain::alert::rules::{Correlated, DestinationName, Neighbour};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::json;
use thiserror::Error;

use crate::event::{Parked, Returned};
use crate::preparing::{Case, Claimed};
use crate::records::{self, AT_ONCE, TRIES, stand_back};
use crate::sending::Sent;
use crate::wording::{Context, notice, reading};
use crate::work::Work;

/// Rounds of delivering and claiming for one alert in one invocation: open, raise, edit, close.
const MOST_ROUNDS: usize = 8;
/// Joined alerts that a message shows.
const MOST_RELATED: usize = 5;
/// How long their records are waited for: they belong to the alert, whatever else is looked up.
const RELATED_WAIT: Duration = Duration::from_secs(1);

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

pub(crate) fn without_related(enrichment: &mut Enrichment, why: String) -> Vec<Related> {
    enrichment.not_included.push(NotIncluded { part: Part::RelatedAlerts, why });
    Vec::new()
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
    pub(crate) async fn subject<'a>(
        &self,
        case: &'a Case,
        correlated: Option<&Correlated>,
        change: Option<&'a Change>,
    ) -> Subject<'a> {
        let metric = correlated.and_then(|correlated| correlated.decision.metric.as_deref());
        let (mut enrichment, _) = self.found.about(&case.place, metric.or(case.alert.metric()));
        if case.lost > 0 {
            let why = format!("at least {} of the same message did not arrive whole", case.lost);
            enrichment.not_included.push(NotIncluded { part: Part::OtherAlerts, why });
        }
        let related = match correlated {
            None => Vec::new(),
            Some(correlated) => self.related(correlated, &mut enrichment).await,
        };
        Subject { case, change, related, enrichment }
    }

    async fn related(&self, correlated: &Correlated, enrichment: &mut Enrichment) -> Vec<Related> {
        let joined = &correlated.joined[..correlated.joined.len().min(MOST_RELATED)];
        let keys = joined.iter().map(|one| (one.key.clone(), RecordKey::alert(one.key.as_str())));
        let records = records::read::<_, AlertRecord>(&self.tools.state, keys, self.now);
        let records = match tokio::time::timeout(RELATED_WAIT, records).await {
            Ok(Ok(records)) => records,
            Ok(Err(fault)) => return without_related(enrichment, fault.to_string()),
            Err(_) => return without_related(enrichment, "timed out".to_owned()),
        };
        let related = |neighbour: &Neighbour| {
            let record = &records.get(&neighbour.key)?.value;
            Some(Related {
                rule: neighbour.rule.clone(),
                key: neighbour.key.clone(),
                severity: record.severity,
                reading: reading(&record.alert, &self.terms.rules),
                firing_since: Some(neighbour.since),
            })
        };
        joined.iter().filter_map(related).collect()
    }

    /// Delivers all that is claimed of an alert and what follows from it. What has to wait for its turn
    /// comes back by the queue: the few retries of an event are for failures.
    pub(crate) async fn deliver(&self, claimed: Claimed, subject: &Subject<'_>) -> Result<(), Failed> {
        let Claimed { mut record, mut deliveries, .. } = claimed;
        let mut failures: Vec<Failed> = Vec::new();
        let mut later: Option<Duration> = None;
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
            let mut sent: Vec<(Delivery, Sent)> =
                stream::iter(deliveries).map(deliver).buffer_unordered(AT_ONCE).collect().await;
            for (delivery, sent) in &mut sent {
                let destination = &delivery.destination;
                if let Sent::Refused(reason) = &*sent {
                    let alerts = [(record.key(), record.alert.rule.as_str())];
                    // What the others took must be noted all the same.
                    if let Err(fault) = self.park(&alerts, destination, reason).await {
                        *sent = Sent::Owed { begun: None, reason: format!("{reason}; {fault}") };
                    }
                }
                self.counts().sent(destination, sent);
                match sent {
                    Sent::Delivered { .. } | Sent::Refused(_) => {}
                    Sent::Owed { reason, .. } => failures.push(Failed::owed(destination, reason)),
                    Sent::Later { wait, .. } => later = later.max(Some(*wait)),
                }
            }
            // What failed waits for the retry: to claim it again at once would be to hammer.
            let may_claim = failures.is_empty() && later.is_none();
            (record, deliveries) = self.settle(record.key(), &sent, may_claim).await?;
        }
        if let Some(failed) = failures.into_iter().reduce(|one, other| Failed(format!("{one}; {other}"))) {
            return Err(failed);
        }
        let key = record.key();
        if record.outbox.claimed_until(&self.owner, Timestamp::now()).is_some() {
            return Err(Failed::elsewhere(&format!("alert {key}")));
        }
        if let Some(wait) = later {
            return Ok(self.look_later(key, Timestamp::now().checked_add(wait).ok()).await?);
        }
        if record.outbox.is_owed() {
            return Err(Failed(format!("alert {key}: more is to be told")));
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
                    Sent::Owed { begun: Some(receipt), .. } | Sent::Later { begun: Some(receipt), .. } => {
                        record.outbox.begin(delivery, receipt.clone());
                    }
                    Sent::Owed { .. } | Sent::Later { .. } => {
                        record.outbox.release(&delivery.destination, &self.owner);
                    }
                    Sent::Refused(reason) => record.outbox.give_up(delivery, reason),
                }
            }
            let now = Timestamp::now();
            let next =
                if may_claim { record.outbox.claim(&self.owner, now, damping.claim) } else { Vec::new() };
            let kept = record.kept(damping);
            let written =
                self.tools.state.put_record(&record_key, &record, Some(known.version), now, kept).await;
            match written {
                Ok(_) => return Ok((record, next)),
                Err(NotWritten::Conflict) => {}
                Err(NotWritten::Failed(fault)) => return Err(fault.into()),
            }
        }
        Err(Failed("other invocations were faster each time".to_owned()))
    }

    /// Keeps for a person what a destination refuses for good, each alert with its rule. Comes before it
    /// is noted as told, so that a crash in between parks twice rather than never.
    pub(crate) async fn park(
        &self,
        alerts: &[(&AlertKey, &str)],
        destination: &DestinationName,
        reason: &str,
    ) -> Result<(), Fault> {
        let letter = |(alert, rule): &(&AlertKey, &str)| {
            let parked = Parked {
                alert: (*alert).clone(),
                rule: (*rule).to_owned(),
                destination: destination.clone(),
                reason: reason.to_owned(),
                at: Timestamp::now(),
            };
            json!(Returned::Parked(parked)).to_string()
        };
        for (key, _) in alerts {
            tracing::error!(%destination, reason, %key, "alert refused; parked in the dead-letter queue");
        }
        let letters: Vec<String> = alerts.iter().map(letter).collect();
        self.tools.dead_letters.send_all(&letters).await
    }
}
