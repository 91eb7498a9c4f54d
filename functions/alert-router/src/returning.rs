//! What comes back through the queue: deliveries that were refused and are to be tried again, looks at
//! alerts for which no message may come by itself, ends of minutes with a storm.

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::Fault;
use adapters::state::{NotWritten, RecordKey, Versioned};
use domain::alert::AlertKey;
use domain::alert::lifecycle::{AlertRecord, Change, Condition, settle, tell_again};
use domain::alert::rules::{ComponentAlerts, Correlated, Scope};
use jiff::Timestamp;
use serde_json::json;

use crate::delivering::{Failed, without_related};
use crate::event::{Look, Parked, Returned};
use crate::preparing::{Case, Claimed};
use crate::records::{TRIES, read, scope_key, stand_back};
use crate::work::Work;

/// What is to be written of a record and delivered, and what has changed; `None` when there is
/// nothing to do.
type Next = Option<(AlertRecord, Option<Change>)>;

impl Work<'_> {
    /// The alerts of which something came back. Firing ones that were kept from people, at which a look is
    /// due, are decided about anew, as if their last message came again: they are the first. Of the others
    /// only what is owed is told; what they are about is looked up all the same.
    pub(crate) async fn recall(
        &self,
        returned: &[(usize, Returned)],
        failures: &mut BTreeMap<usize, Vec<String>>,
    ) -> (Vec<Case>, Vec<Case>) {
        let (mut waiting, mut told) = (Vec::new(), Vec::new());
        for (item, returned) in returned.iter().filter(|(_, returned)| self.is_due(returned)) {
            let (alert, is_look) = match returned {
                Returned::Look(look) => (&look.alert, true),
                Returned::Parked(parked) => (&parked.alert, false),
                Returned::StormMinute(_) => continue,
            };
            let key = RecordKey::alert(alert.as_str());
            match self.tools.state.record::<AlertRecord>(&key, self.now).await {
                Ok(Some(Versioned { value, .. })) => {
                    let case = Case::new(self, *item, value.alert.clone(), value.sent_at());
                    let is_waiting = is_look && value.waiting().is_some();
                    if is_waiting { &mut waiting } else { &mut told }.push(case);
                }
                Ok(None) => {}
                Err(fault) => failures.entry(*item).or_default().push(fault.to_string()),
            }
        }
        (waiting, told)
    }

    /// Does what comes back is for, or sends it round once more when it comes too early.
    pub(crate) async fn take_back(&self, returned: &Returned) -> Result<(), Failed> {
        if !self.is_due(returned) {
            return Ok(self.return_later(returned).await?);
        }
        match returned {
            Returned::Parked(parked) => self.redrive(parked).await,
            Returned::Look(look) => self.look(&look.alert).await,
            Returned::StormMinute(minute) => self.tell_summary(&minute.route).await,
        }
    }

    fn is_due(&self, returned: &Returned) -> bool {
        returned.due().is_none_or(|due| due <= self.now)
    }

    /// Puts something into the return queue, to come back when it is due.
    pub(crate) async fn return_later(&self, returned: &Returned) -> Result<(), Fault> {
        let left = returned.due().map(|due| due.duration_since(Timestamp::now()));
        // Rounded up: what comes too early goes round once more.
        let left =
            left.and_then(|left| Duration::try_from(left).ok()).map(|left| left + Duration::from_secs(1));
        self.tools.returns.send_later(&json!(returned).to_string(), left.unwrap_or_default()).await
    }

    /// Has an alert looked at, at once or later.
    pub(crate) async fn look_later(&self, alert: &AlertKey, due: Option<Timestamp>) -> Result<(), Fault> {
        self.return_later(&Returned::Look(Look { alert: alert.clone(), due })).await
    }

    /// Sends the look that a record needs, before the record that notes it is written.
    pub(crate) async fn see_to_look(&self, record: &mut AlertRecord) -> Result<(), Fault> {
        if let Some(due) = record.look_due(self.terms.rules.damping()) {
            self.look_later(record.key(), Some(due)).await?;
            record.note_look(due);
        }
        Ok(())
    }

    /// Takes up what was parked: what holds now is told to the destination that refused.
    async fn redrive(&self, parked: &Parked) -> Result<(), Failed> {
        let told = |known: &AlertRecord| Some((tell_again(known, &parked.destination, self.now)?, None));
        if !self.take_up(&parked.alert, told).await? {
            tracing::warn!(key = %parked.alert, "parked alert is not remembered any more; nothing to tell");
        }
        Ok(())
    }

    /// Ends the flapping of an alert that is calm, and delivers what is owed of it. One that changed
    /// meanwhile has a look of its own.
    async fn look(&self, alert: &AlertKey) -> Result<(), Failed> {
        let next = |known: &AlertRecord| {
            if let Some((record, change)) = settle(known, self.terms.rules.damping(), self.now) {
                return Some((record, Some(change)));
            }
            let mut record = known.clone();
            record.version += 1;
            record.outbox.is_owed().then_some((record, None))
        };
        self.take_up(alert, next).await.map(drop)
    }

    /// A firing alert among its neighbours.
    async fn correlated(&self, case: &Case) -> Result<Correlated, Fault> {
        let rules = &self.terms.rules;
        let scopes = Scope::all(&case.subject).into_iter().map(|scope| (scope.clone(), scope_key(&scope)));
        let scopes = read::<_, ComponentAlerts>(&self.tools.state, scopes, self.now).await?;
        let neighbours: Vec<&ComponentAlerts> = scopes.values().map(|known| &known.value).collect();
        let (_, measured) = self.found.about(&case.place, None);
        let decision = rules.classify(&case.alert, &measured, self.now);
        Ok(rules.correlate(decision, &case.alert, &neighbours, self.now))
    }

    /// False when the alert is not remembered any more.
    async fn take_up(&self, alert: &AlertKey, next: impl Fn(&AlertRecord) -> Next) -> Result<bool, Failed> {
        let key = RecordKey::alert(alert.as_str());
        let damping = self.terms.rules.damping();
        for attempt in 0..TRIES {
            if attempt > 0 {
                stand_back(attempt).await;
            }
            let known = self.tools.state.record::<AlertRecord>(&key, self.now).await?;
            let Some(Versioned { value, version }) = known else { return Ok(false) };
            let Some((mut record, change)) = next(&value) else { return Ok(true) };
            self.see_to_look(&mut record).await?;
            let deliveries = record.outbox.claim(&self.owner, self.now, damping.claim);
            let kept = record.kept(damping);
            let written = self.tools.state.put_record(&key, &record, Some(version), self.now, kept).await;
            match written {
                Ok(_) => {
                    self.counts().left_out += record.outbox.left_out - value.outbox.left_out;
                    let case = Case::new(self, 0, record.alert.clone(), self.now);
                    let correlated = match record.condition {
                        Condition::Firing => self.correlated(&case).await.map(Some),
                        Condition::Resolved | Condition::Silent => Ok(None),
                    };
                    let known = correlated.as_ref().ok().and_then(Option::as_ref);
                    let mut subject = self.subject(&case, known, change.as_ref()).await;
                    if let Err(fault) = &correlated {
                        without_related(&mut subject.enrichment, fault.to_string());
                    }
                    self.deliver(Claimed { record, case: 0, deliveries }, &subject).await?;
                    return Ok(true);
                }
                Err(NotWritten::Conflict) => {}
                Err(NotWritten::Failed(fault)) => return Err(fault.into()),
            }
        }
        Err(Failed("other invocations were faster each time".to_owned()))
    }
}
