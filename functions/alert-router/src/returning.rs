//! What comes back through the queue: deliveries that were refused and are to be tried again, and
//! looks at flapping alerts that may be calm.

use std::time::Duration;

use adapters::Fault;
use adapters::state::{NotWritten, RecordKey, Versioned};
use domain::alert::AlertKey;
use domain::alert::lifecycle::{AlertRecord, Change, settle, tell_again};
use jiff::Timestamp;
use serde_json::json;

use crate::delivering::Failed;
use crate::event::{Look, LookSchema, Parked};
use crate::preparing::{Case, Claimed};
use crate::records::{TRIES, stand_back};
use crate::work::Work;

/// What is to be done about a record.
enum Next {
    /// Write it, and deliver what follows.
    Deliver(Box<AlertRecord>, Option<Change>),
    /// Look again after this time.
    Later(Duration),
    /// Nothing.
    Nothing,
}

impl Work<'_> {
    /// Takes up what was parked: what holds now is told to the destination that refused.
    pub(crate) async fn redrive(&self, parked: &Parked) -> Result<(), Failed> {
        let told = |known: &AlertRecord| {
            Next::Deliver(Box::new(tell_again(known, &parked.destination, self.now)), None)
        };
        if self.take_up(&parked.alert, told).await? {
            return Ok(());
        }
        tracing::warn!(rule = parked.rule, key = %parked.alert, "parked alert is not remembered any more; nothing to tell");
        Ok(())
    }

    /// Ends the flapping of an alert that is calm, or looks again when it may be.
    pub(crate) async fn look(&self, alert: &AlertKey) -> Result<(), Failed> {
        let damping = self.terms.rules.damping();
        let calm = |known: &AlertRecord| match settle(known, damping, self.now) {
            Some((record, change)) => Next::Deliver(Box::new(record), Some(change)),
            None => match known.settles_at(damping) {
                Some(at) => Next::Later(until(at, self.now)),
                None => Next::Nothing,
            },
        };
        self.take_up(alert, calm).await.map(drop)
    }

    /// Has a flapping alert looked at when it may be calm.
    pub(crate) async fn look_later(&self, record: &AlertRecord) -> Result<(), Fault> {
        let Some(at) = record.settles_at(self.terms.rules.damping()) else { return Ok(()) };
        self.send_look(record.key(), until(at, self.now)).await
    }

    async fn send_look(&self, alert: &AlertKey, after: Duration) -> Result<(), Fault> {
        let look = Look { schema: LookSchema::V1, alert: alert.clone() };
        self.tools.returns.send_later(&json!(look).to_string(), after).await
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
            let (mut record, change) = match next(&value) {
                Next::Deliver(record, change) => (*record, change),
                Next::Later(after) => {
                    self.send_look(alert, after).await?;
                    return Ok(true);
                }
                Next::Nothing => return Ok(true),
            };
            let deliveries = record.outbox.claim(&self.owner, self.now, damping.claim);
            let written =
                self.tools.state.put_record(&key, &record, Some(version), self.now, damping.keep).await;
            match written {
                Ok(_) => {
                    let case = Case::new(self, 0, record.alert.clone(), self.now);
                    let mut subject = self.subject(&case, None).await;
                    subject.change = change.as_ref();
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

/// At least a second: a look that is too early is only repeated.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default() + Duration::from_secs(1)
}
