//! Which endpoints are watched, and what each should consist of: from SageMaker, kept in the state
//! table so that most runs ask nothing, else from `fleet.toml`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;

use adapters::Fault;
use adapters::control_plane::{ControlPlane, NoTopology};
use adapters::state::{DocumentKey, Kept, StateTable};
use domain::capacity::topology::EndpointTopology;
use domain::names::{ComponentName, EndpointName};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::run::{Run, TIME_IS_UP};
use crate::summary::Problems;

/// Endpoints that SageMaker is asked about at once. Each takes up to four calls at a time.
const AT_ONCE: usize = 4;
/// An endpoint that hosts no inference components becomes one that does only by a new endpoint
/// config: it is looked at once a day.
const OTHER_HOSTING_MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// What is kept of an endpoint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// `None` for an endpoint that hosts no inference components.
    topology: Option<EndpointTopology>,
    /// What did not fit to the topology when that had just been read: to read it once more brings
    /// nothing while the same is measured.
    doubt: Option<String>,
}

/// The watched endpoints and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct Topologies {
    /// The endpoints to meter.
    pub(crate) watched: BTreeSet<EndpointName>,
    /// Of those, the ones that somebody describes.
    pub(crate) known: BTreeMap<EndpointName, EndpointTopology>,
    /// Endpoints that are not metered, and why.
    pub(crate) skipped: BTreeMap<EndpointName, &'static str>,
    /// Read from SageMaker in this run.
    pub(crate) read: BTreeSet<EndpointName>,
    /// What is known not to fit.
    doubts: BTreeMap<EndpointName, String>,
}

impl Topologies {
    /// Finds out what to meter: what `asked` names, else what the configuration names, else all.
    /// `hosts` are the endpoints that CloudWatch lists inference components of.
    pub(crate) async fn find(
        run: &Run<'_>,
        asked: &BTreeSet<EndpointName>,
        hosts: &BTreeSet<EndpointName>,
        problems: &mut Problems,
    ) -> Self {
        let named = [asked, &run.tools.config.endpoints].into_iter().find(|names| !names.is_empty());
        let candidates = match (named, &run.tools.control_plane) {
            (Some(named), _) => Some(named.clone()),
            (None, Some(control_plane)) => listed(run, control_plane, problems).await,
            (None, None) => None,
        };
        let candidates =
            candidates.unwrap_or_else(|| run.terms.topologies.keys().chain(hosts).cloned().collect());
        let mut topologies = Self { watched: candidates, ..Self::default() };
        match &run.tools.control_plane {
            Some(control_plane) => {
                topologies.describe(run, control_plane, hosts, problems).await;
                if named.is_none() {
                    topologies.drop_unknown(hosts);
                }
            }
            None => topologies.fall_back(run),
        }
        topologies
    }

    /// The endpoint of each component that is known.
    pub(crate) fn owners(&self, run: &Run<'_>) -> BTreeMap<ComponentName, EndpointName> {
        let mut owners = run.terms.owners.clone();
        for topology in self.known.values() {
            let of_endpoint =
                topology.components.iter().map(|it| (it.name.clone(), topology.endpoint.clone()));
            owners.extend(of_endpoint);
        }
        owners
    }

    /// Asks SageMaker about endpoints with a doubt that is new and a topology that was kept from an
    /// earlier run. Says whether that brought anything.
    pub(crate) async fn read_again(
        &mut self,
        run: &Run<'_>,
        doubts: &BTreeMap<EndpointName, String>,
        problems: &mut Problems,
    ) -> bool {
        let Some(control_plane) = &run.tools.control_plane else { return false };
        let is_new = |(endpoint, doubt): &(&EndpointName, &String)| {
            !self.read.contains(*endpoint) && self.doubts.get(*endpoint) != Some(*doubt)
        };
        let wanted: Vec<EndpointName> =
            doubts.iter().filter(is_new).map(|(endpoint, _)| endpoint.clone()).collect();
        let before = (self.read.len(), self.skipped.len());
        self.ask(run, control_plane, wanted, run.answers_until, problems).await;
        before != (self.read.len(), self.skipped.len())
    }

    /// Keeps the doubts about what was read in this run, so that the next one need not read it again.
    /// Not where SageMaker is changing something: read again, it may say what fits.
    pub(crate) async fn keep_doubts(
        &self,
        run: &Run<'_>,
        doubts: BTreeMap<EndpointName, String>,
        problems: &mut Problems,
    ) {
        for (endpoint, doubt) in doubts.into_iter().filter(|(endpoint, _)| self.read.contains(endpoint)) {
            let topology = self.known.get(&endpoint);
            if topology.is_some_and(EndpointTopology::is_changing) {
                continue;
            }
            let key = DocumentKey::topology(&endpoint);
            let known = Known { topology: topology.cloned(), doubt: Some(doubt) };
            problems.unless(run.tools.state.remember(&key, &known, run.now).await);
        }
    }

    /// From the state table where that is fresh, else from SageMaker, else from whatever there is.
    async fn describe(
        &mut self,
        run: &Run<'_>,
        control_plane: &ControlPlane,
        hosts: &BTreeSet<EndpointName>,
        problems: &mut Problems,
    ) {
        let mut kept: HashMap<DocumentKey, Kept<Known>> =
            recalled(&run.tools.state, self.watched.iter().map(DocumentKey::topology), problems).await;
        let mut outdated = Vec::new();
        for endpoint in &self.watched.clone() {
            let Some(Kept { document, stored_at }) = kept.remove(&DocumentKey::topology(endpoint)) else {
                outdated.push((Timestamp::MIN, endpoint.clone()));
                continue;
            };
            let max_age = match document.topology {
                Some(_) => run.tools.config.topology_max_age,
                // CloudWatch has seen a component on it since.
                None if hosts.contains(endpoint) => {
                    outdated.push((stored_at, endpoint.clone()));
                    continue;
                }
                None => OTHER_HOSTING_MAX_AGE,
            };
            if run.now.duration_since(stored_at) >= max_age {
                outdated.push((stored_at, endpoint.clone()));
            }
            self.note(endpoint, document.topology);
            self.doubts.extend(document.doubt.map(|doubt| (endpoint.clone(), doubt)));
        }
        // Should the time not be enough, then it is for those that waited longest.
        outdated.sort();
        let outdated = outdated.into_iter().map(|(_, endpoint)| endpoint).collect();
        self.ask(run, control_plane, outdated, run.topologies_until, problems).await;
        self.fall_back(run);
    }

    /// What cannot be read now stays as it is known.
    async fn ask(
        &mut self,
        run: &Run<'_>,
        control_plane: &ControlPlane,
        endpoints: Vec<EndpointName>,
        until: Instant,
        problems: &mut Problems,
    ) {
        let read = |endpoint: EndpointName| async move {
            let read = in_time(until, "DescribeEndpoint", control_plane.topology(&endpoint, run.now)).await;
            let topology = match read {
                Ok(topology) => Some(topology),
                Err(NoTopology::OtherHosting) => None,
                Err(error) => return (endpoint, Err(error), Ok(())),
            };
            let key = DocumentKey::topology(&endpoint);
            let known = Known { topology, doubt: None };
            let kept = run.tools.state.remember(&key, &known, run.now).await;
            (endpoint, Ok(known.topology), kept)
        };
        let mut answers = stream::iter(endpoints.into_iter().map(read)).buffer_unordered(AT_ONCE);
        while let Some((endpoint, read, kept)) = answers.next().await {
            problems.unless(kept);
            match read {
                Ok(topology) => {
                    self.read.insert(endpoint.clone());
                    self.note(&endpoint, topology);
                }
                Err(error @ NoTopology::Gone) => {
                    tracing::info!(%endpoint, %error, "endpoint not metered");
                    self.skip(&endpoint, "gone");
                }
                Err(error) => problems.add(error),
            }
        }
    }

    fn note(&mut self, endpoint: &EndpointName, topology: Option<EndpointTopology>) {
        match topology {
            Some(topology) => {
                self.watched.insert(endpoint.clone());
                self.skipped.remove(endpoint);
                self.known.insert(endpoint.clone(), topology);
            }
            None => self.skip(endpoint, "no_inference_components"),
        }
    }

    fn skip(&mut self, endpoint: &EndpointName, reason: &'static str) {
        self.watched.remove(endpoint);
        self.known.remove(endpoint);
        self.skipped.insert(endpoint.clone(), reason);
    }

    /// What SageMaker did not say, `fleet.toml` may.
    fn fall_back(&mut self, run: &Run<'_>) {
        for endpoint in &self.watched {
            if let (false, Some(topology)) =
                (self.known.contains_key(endpoint), run.terms.topologies.get(endpoint))
            {
                self.known.insert(endpoint.clone(), topology.clone());
            }
        }
    }

    /// An account may have hundreds of endpoints without inference components. One that SageMaker
    /// listed and would not describe, and that CloudWatch has no component of, may be such a one.
    fn drop_unknown(&mut self, hosts: &BTreeSet<EndpointName>) {
        for endpoint in self.watched.clone() {
            if !self.known.contains_key(&endpoint) && !hosts.contains(&endpoint) {
                self.skip(&endpoint, "not_described_yet");
            }
        }
    }
}

/// The names of all endpoints, asked for as seldom as their topologies; `None` when nobody knows.
async fn listed(
    run: &Run<'_>,
    control_plane: &ControlPlane,
    problems: &mut Problems,
) -> Option<BTreeSet<EndpointName>> {
    let key = DocumentKey::endpoints();
    let mut kept = recalled(&run.tools.state, [key.clone()], problems).await;
    let kept: Option<Kept<BTreeSet<EndpointName>>> = kept.remove(&key);
    let is_fresh =
        |kept: &&Kept<_>| run.now.duration_since(kept.stored_at) < run.tools.config.topology_max_age;
    if let Some(kept) = kept.as_ref().filter(is_fresh) {
        return Some(kept.document.clone());
    }
    match in_time(run.topologies_until, "ListEndpoints", control_plane.endpoints()).await {
        Ok(endpoints) => {
            problems.unless(run.tools.state.remember(&key, &endpoints, run.now).await);
            Some(endpoints)
        }
        Err(fault) => {
            problems.add(fault);
            kept.map(|kept| kept.document)
        }
    }
}

/// What is kept. The table is a memory aid here: a run without it asks the sources.
pub(crate) async fn recalled<T: serde::de::DeserializeOwned>(
    state: &StateTable,
    keys: impl IntoIterator<Item = DocumentKey>,
    problems: &mut Problems,
) -> HashMap<DocumentKey, Kept<T>> {
    problems.unless(state.recall(keys).await).unwrap_or_default()
}

/// What a call answers, unless the time for it is up first.
pub(crate) async fn in_time<T, E: From<Fault>>(
    until: Instant,
    operation: &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let time_is_up = || Fault { operation, code: TIME_IS_UP.to_owned(), status: None };
    timeout_at(until, call).await.unwrap_or_else(|_| Err(time_is_up().into()))
}
