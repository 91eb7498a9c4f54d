//! From alerts to what is remembered and owed: reads the records, decides, and writes them with
//! what is to be delivered already claimed. Everything is read and decided again when another
//! invocation was faster.

use std::collections::{BTreeMap, BTreeSet};

use adapters::Fault;
use adapters::state::{NotWritten, RecordKey, Versioned};
use domain::alert::lifecycle::{AlertRecord, Arrival, Change, Delivery, advance};
use domain::alert::rules::{ComponentAlerts, Correlated, DestinationName, Routing, Scope, Subject};
use domain::alert::{Alert, AlertKey};
use domain::names::{ComponentName, EndpointName};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::looking_up::Place;
use crate::records::{AT_ONCE, TRIES, read, scope_key, stand_back};
use crate::work::Work;

/// How long the neighbours of an alert are kept: longer than rules look back.
const SCOPE_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// An alert that was held back is in the record of its neighbours before its own is written: a look that
/// comes sooner would find nobody waiting.
const TO_BE_WRITTEN: SignedDuration = SignedDuration::from_secs(10);

/// One alert of an event.
#[derive(Debug)]
pub(crate) struct Case {
    /// The item of the event that it came in.
    pub(crate) item: usize,
    /// The alert.
    pub(crate) alert: Alert,
    /// When it was sent.
    pub(crate) sent_at: Timestamp,
    /// How many others of its message did not arrive whole.
    pub(crate) lost: usize,
    /// What it is about.
    pub(crate) subject: Subject,
    /// Where its numbers are found.
    pub(crate) place: Place,
}

impl Case {
    /// Reads what the rules say that the alert is about.
    pub(crate) fn new(work: &Work<'_>, item: usize, alert: Alert, sent_at: Timestamp) -> Self {
        let subject = work.terms.rules.subject(&alert);
        let name =
            |text: Option<&str>, own: Option<&String>| text.or(own.map(String::as_str)).map(str::to_owned);
        let endpoint = name(alert.endpoint(), subject.endpoint.as_ref());
        let component = name(alert.component(), subject.component.as_ref());
        let place = Place {
            endpoint: endpoint.and_then(|name| name.parse::<EndpointName>().ok()),
            component: component.and_then(|name| name.parse::<ComponentName>().ok()),
        };
        Self { item, alert, sent_at, lost: 0, subject, place }
    }
}

/// What was made of one alert.
#[derive(Debug)]
pub(crate) struct Decided {
    /// How bad it is, and its neighbours.
    pub(crate) correlated: Correlated,
    /// Whom it is told to.
    pub(crate) routing: Routing,
    /// What it changed.
    pub(crate) change: Change,
    /// Routes whose summary tells it.
    pub(crate) summarised_by: Vec<String>,
    /// How much that was still to be told is left out because of it.
    pub(crate) left_out: u64,
}

/// What is remembered of one alert now, and what this invocation has to deliver of it.
#[derive(Debug)]
pub(crate) struct Claimed {
    /// The record.
    pub(crate) record: AlertRecord,
    /// The last case that is about it.
    pub(crate) case: usize,
    /// What is claimed.
    pub(crate) deliveries: Vec<Delivery>,
}

/// What came of the preparation.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// By case.
    pub(crate) decided: BTreeMap<usize, Decided>,
    /// By alert.
    pub(crate) claimed: BTreeMap<AlertKey, Claimed>,
    /// Cases whose record could not be read or written, and why.
    pub(crate) failed: BTreeMap<usize, String>,
}

/// A record between reading and writing.
#[derive(Debug)]
struct Draft {
    replaces: Option<i64>,
    record: AlertRecord,
    cases: Vec<usize>,
}

type Scopes = BTreeMap<Scope, (Option<i64>, ComponentAlerts)>;

impl Work<'_> {
    /// Decides about all cases, and claims what follows.
    pub(crate) async fn prepare(&self, cases: &[Case]) -> Prepared {
        let mut prepared = Prepared::default();
        let mut open: Vec<usize> = (0..cases.len()).collect();
        for attempt in 0..TRIES {
            if open.is_empty() {
                return prepared;
            }
            if attempt > 0 {
                stand_back(attempt).await;
            }
            match self.attempt(cases, &open, &mut prepared).await {
                Ok(conflicts) => open = conflicts,
                Err(fault) => {
                    prepared.failed.extend(open.iter().map(|case| (*case, fault.to_string())));
                    return prepared;
                }
            }
        }
        let why = "other invocations were faster each time".to_owned();
        prepared.failed.extend(open.into_iter().map(|case| (case, why.clone())));
        prepared
    }

    /// One try. Answers the cases that are still open.
    async fn attempt(
        &self,
        cases: &[Case],
        open: &[usize],
        prepared: &mut Prepared,
    ) -> Result<Vec<usize>, Fault> {
        let keys: BTreeSet<&AlertKey> = open.iter().map(|case| &cases[*case].alert.key).collect();
        let keys = keys.into_iter().map(|key| (key.clone(), RecordKey::alert(key.as_str())));
        let scopes: BTreeSet<Scope> =
            open.iter().flat_map(|case| Scope::all(&cases[*case].subject)).collect();
        let scope_keys = scopes.iter().map(|scope| (scope.clone(), scope_key(scope)));
        let state = &self.tools.state;
        let known = read::<_, AlertRecord>(state, keys, self.now);
        let neighbours = read::<_, ComponentAlerts>(state, scope_keys, self.now);
        let (known, mut neighbours) = futures_util::future::try_join(known, neighbours).await?;
        let mut scopes: Scopes = scopes
            .into_iter()
            .map(|scope| {
                let known = neighbours.remove(&scope);
                let version = known.as_ref().map(|known| known.version);
                (scope, (version, known.map(|known| known.value).unwrap_or_default()))
            })
            .collect();
        let (mut drafts, mut decided, released) = self.decide(cases, open, known, &mut scopes);
        if !self.is_dry_run {
            if !self.write_scopes(scopes).await? {
                return Ok(open.to_vec());
            }
            for alert in &released {
                self.look_later(alert, Timestamp::now().checked_add(TO_BE_WRITTEN).ok()).await?;
            }
        }
        self.share_in_storms(cases, &mut drafts, &mut decided).await?;
        let conflicts = self.write(drafts, prepared).await;
        for (case, decided) in decided {
            if !conflicts.contains(&case) {
                prepared.decided.insert(case, decided);
            }
        }
        Ok(conflicts)
    }

    /// In memory: case by case, so that one sees what the one before it left. Answers also the alerts
    /// that are not held back any more.
    fn decide(
        &self,
        cases: &[Case],
        open: &[usize],
        known: BTreeMap<AlertKey, Versioned<AlertRecord>>,
        scopes: &mut Scopes,
    ) -> (BTreeMap<AlertKey, Draft>, BTreeMap<usize, Decided>, BTreeSet<AlertKey>) {
        let rules = &self.terms.rules;
        let mut known = known;
        let mut drafts: BTreeMap<AlertKey, Draft> = BTreeMap::new();
        let mut decided = BTreeMap::new();
        let mut released = BTreeSet::new();
        for place in open {
            let case = &cases[*place];
            let alert = &case.alert;
            let (_, measured) = self.found.about(&case.place, None);
            let own_scopes = Scope::all(&case.subject);
            let records: Vec<&ComponentAlerts> =
                own_scopes.iter().filter_map(|scope| scopes.get(scope)).map(|(_, alerts)| alerts).collect();
            let decision = rules.classify(alert, &measured, self.now);
            let correlated = rules.correlate(decision, alert, &records, self.now);
            let routing = rules.route(&correlated, alert, &measured, self.now);
            let arrival = Arrival {
                alert,
                decision: &correlated.decision,
                audience: &routing.audience,
                sent_at: case.sent_at,
                now: self.now,
            };
            let (before, replaces, mut own) = match (drafts.remove(&alert.key), known.remove(&alert.key)) {
                (Some(draft), _) => (Some(draft.record), draft.replaces, draft.cases),
                (None, Some(known)) => (Some(known.value), Some(known.version), Vec::new()),
                (None, None) => (None, None, Vec::new()),
            };
            let left_out_before = before.as_ref().map_or(0, |before| before.outbox.left_out);
            let (record, change) = advance(before, &arrival, rules.damping());
            let left_out = record.outbox.left_out - left_out_before;
            for scope in &own_scopes {
                if let Some((_, alerts)) = scopes.get_mut(scope) {
                    let noted = rules.note(alerts, &correlated, alert, record.condition, self.now);
                    released.extend(noted.1);
                    *alerts = noted.0;
                }
            }
            own.push(*place);
            drafts.insert(alert.key.clone(), Draft { replaces, record, cases: own });
            let summarised_by = Vec::new();
            decided.insert(*place, Decided { correlated, routing, change, summarised_by, left_out });
        }
        (drafts, decided, released)
    }

    /// False when another invocation has written one meanwhile: then nothing but scopes is written,
    /// and noting an alert twice changes nothing.
    async fn write_scopes(&self, scopes: Scopes) -> Result<bool, Fault> {
        let write = |(scope, (replaces, alerts)): (Scope, (Option<i64>, ComponentAlerts))| async move {
            let key = scope_key(&scope);
            self.tools.state.put_record(&key, &alerts, replaces, self.now, SCOPE_KEPT).await
        };
        let mut written = stream::iter(scopes).map(write).buffer_unordered(AT_ONCE);
        let mut are_written = true;
        while let Some(result) = written.next().await {
            match result {
                Ok(_) => {}
                Err(NotWritten::Conflict) => are_written = false,
                Err(NotWritten::Failed(fault)) => return Err(fault),
            }
        }
        Ok(are_written)
    }

    /// New alerts beyond what a route takes in a minute are left to its summary.
    async fn share_in_storms(
        &self,
        cases: &[Case],
        drafts: &mut BTreeMap<AlertKey, Draft>,
        decided: &mut BTreeMap<usize, Decided>,
    ) -> Result<(), Fault> {
        let mut by_route: BTreeMap<String, Vec<(usize, AlertKey, Vec<DestinationName>)>> = BTreeMap::new();
        for (case, own) in decided.iter().filter(|(_, own)| own.change.is_new()) {
            for route in &own.routing.routes {
                let chats = self.chats(&route.destinations);
                if !chats.is_empty() {
                    let entry = (*case, cases[*case].alert.key.clone(), chats);
                    by_route.entry(route.route.clone()).or_default().push(entry);
                }
            }
        }
        for (route, entries) in by_route {
            let line = |(case, key, _): &(usize, AlertKey, Vec<DestinationName>)| {
                let draft = drafts.get(key)?;
                Some((key.clone(), self.storm_line(&cases[*case], &draft.record, decided.get(case)?)))
            };
            let lines: Vec<_> = entries.iter().filter_map(line).collect();
            let all_chats = entries.iter().flat_map(|(.., chats)| chats.iter().cloned()).collect();
            let shared = self.admit(&route, &all_chats, &lines).await?;
            for (case, key, chats) in entries.into_iter().filter(|(_, key, _)| shared.contains(key)) {
                if let (Some(draft), Some(own)) = (drafts.get_mut(&key), decided.get_mut(&case)) {
                    draft.record.outbox.leave_to_summary(&chats);
                    own.summarised_by.push(route.clone());
                }
            }
        }
        Ok(())
    }

    /// Claims and writes. Answers the cases whose record somebody else has written meanwhile.
    async fn write(&self, drafts: BTreeMap<AlertKey, Draft>, prepared: &mut Prepared) -> Vec<usize> {
        let damping = self.terms.rules.damping();
        let write = |(key, mut draft): (AlertKey, Draft)| async move {
            let deliveries = draft.record.outbox.claim(&self.owner, self.now, damping.claim);
            let written = if self.is_dry_run { Ok(0) } else { self.write_alert(&mut draft).await };
            (key, draft, deliveries, written)
        };
        let mut conflicts = Vec::new();
        let mut results = stream::iter(drafts).map(write).buffer_unordered(AT_ONCE);
        while let Some((key, draft, deliveries, written)) = results.next().await {
            match written {
                Ok(_) => {
                    let case = draft.cases.last().copied().unwrap_or_default();
                    prepared.claimed.insert(key, Claimed { record: draft.record, case, deliveries });
                }
                Err(NotWritten::Conflict) => conflicts.extend(draft.cases),
                Err(NotWritten::Failed(fault)) => {
                    prepared.failed.extend(draft.cases.iter().map(|case| (*case, fault.to_string())));
                }
            }
        }
        conflicts.sort_unstable();
        conflicts
    }

    async fn write_alert(&self, draft: &mut Draft) -> Result<i64, NotWritten> {
        self.see_to_look(&mut draft.record).await.map_err(NotWritten::Failed)?;
        let key = RecordKey::alert(draft.record.key().as_str());
        let kept = draft.record.kept(self.terms.rules.damping());
        self.tools.state.put_record(&key, &draft.record, draft.replaces, self.now, kept).await
    }
}
