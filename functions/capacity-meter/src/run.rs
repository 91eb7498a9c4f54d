//! One run: from the endpoints that are asked for to their published metrics.

use std::collections::{BTreeMap, BTreeSet};

use adapters::Fault;
use adapters::control_plane::ControlPlane;
use adapters::metrics::{Listing, Metrics};
use adapters::price_list::PriceList;
use adapters::queue::Queue;
use adapters::state::StateTable;
use domain::capacity::instance::Catalogue;
use domain::capacity::meter::{EndpointCapacity, meter};
use domain::capacity::plan::{ApiCalls, Plan};
use domain::capacity::publish::publish;
use domain::capacity::series::{Inventory, hosts};
use domain::capacity::usage::{Usage, usages};
use domain::metric::{Tally, datums};
use domain::names::EndpointName;
use jiff::Timestamp;
use thiserror::Error;
use tokio::time::Instant;

use crate::config::Config;
use crate::event::Request;
use crate::prices;
use crate::summary::{Problems, Summary};
use crate::terms::Terms;
use crate::topologies::Topologies;
use crate::usage;

/// The code of a call that was given up because the invocation ends.
pub(crate) const TIME_IS_UP: &str = "the invocation's time is up";

/// Settings and clients.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) state: StateTable,
    /// Without it nobody is asked about topologies.
    pub(crate) control_plane: Option<ControlPlane>,
    /// Without it nobody is asked about prices.
    pub(crate) price_list: Option<PriceList>,
    /// Without it no run is split.
    pub(crate) queue: Option<Queue>,
    /// The region that the endpoints run in: the function's own.
    pub(crate) region: String,
}

/// What a run works with.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) terms: &'a Terms,
    /// The time of the run: what its windows end at, and its metrics carry.
    pub(crate) now: Timestamp,
    /// The last moment to wait for topologies.
    pub(crate) topologies_until: Instant,
    /// The last moment to wait for what is to be published.
    pub(crate) answers_until: Instant,
}

/// Why a run failed as a whole. Nothing of it is lost: the next one measures again.
#[derive(Debug, Error)]
pub(crate) enum RunFailed {
    /// Without the list of series nothing is known.
    #[error("no series listed: {0}")]
    Unlisted(Fault),
    /// The endpoints could not be handed to other invocations.
    #[error("the run could not be split: {0}")]
    Unsplit(Fault),
    /// What was measured could not be published, or not all of it.
    #[error("metrics not published: {0}")]
    Unpublished(Fault),
}

impl Run<'_> {
    /// Meters what the schedule, or a person, asks for. A run that is too large for one invocation
    /// is split: a message to the queue for each endpoint.
    pub(crate) async fn whole(&self, request: &Request) -> Result<Summary, RunFailed> {
        let listing = usage::list(self).await.map_err(RunFailed::Unlisted)?;
        self.run(request, listing, self.tools.queue.as_ref()).await
    }

    /// Meters the endpoints of one message, and asks CloudWatch about nothing else.
    pub(crate) async fn part(&self, request: &Request) -> Result<Summary, RunFailed> {
        let listing = usage::list_only(self, request).await.map_err(RunFailed::Unlisted)?;
        self.run(request, listing, None).await
    }

    async fn run(
        &self,
        request: &Request,
        listing: Listing,
        queue: Option<&Queue>,
    ) -> Result<Summary, RunFailed> {
        let mut summary = Summary::new(self.now, &listing);
        let problems = &mut summary.problems;
        let hosts = hosts(&listing.entries);
        let mut topologies = Topologies::find(self, &request.endpoints, &hosts, problems).await;
        let inventory = Inventory::of(listing.entries, &topologies.owners(self), &self.terms.tokens);
        summary.series.unowned = inventory.unowned;
        let types = &self.terms.catalogue.types;
        let plan = Plan::new(&topologies.watched, inventory, &topologies.known, types, self.now);
        summary.series.wanted = plan.queries().len();
        if let Some(queue) = queue.filter(|_| self.is_too_large(&plan)) {
            split(queue, &plan).await.map_err(RunFailed::Unsplit)?;
            summary.handed_on = topologies.watched.into_iter().collect();
            return Ok(summary);
        }
        let (answers, get_metric_data) = usage::answers(self, &plan, problems).await;
        let usages = usages(&plan, &answers);
        drop(answers);
        let (capacities, prices_read) = self.meter(&usages, &mut topologies, problems).await;
        let mut tally = Tally::default();
        for capacity in capacities.values() {
            publish(capacity, self.now, &mut tally);
        }
        let naming = &self.terms.naming;
        let datums = datums(&tally, naming);
        summary.datums = datums.len();
        let published = self.tools.metrics.publish(&naming.namespace, datums).await;
        summary.calls = ApiCalls {
            get_metric_data,
            metrics_requested: plan.queries().len(),
            put_metric_data: published.map_err(RunFailed::Unpublished)?,
            ..summary.calls
        };
        summary.note(&capacities, &topologies, prices_read);
        Ok(summary)
    }

    /// Meters every endpoint; those that newly do not fit to a topology of an earlier run with that
    /// of now. Also counts the prices that were asked for.
    async fn meter(
        &self,
        usages: &BTreeMap<EndpointName, Usage>,
        topologies: &mut Topologies,
        problems: &mut Problems,
    ) -> (BTreeMap<EndpointName, EndpointCapacity>, usize) {
        let types = prices::types_in_use(&topologies.known, usages);
        let (mut catalogue, mut asked) = prices::catalogue(self, &types, problems).await;
        let mut capacities = meter_all(usages, topologies, &catalogue);
        if topologies.read_again(self, &doubts(&capacities), problems).await {
            let types_now = prices::types_in_use(&topologies.known, usages);
            if !types_now.is_subset(&types) {
                let (with_more, asked_again) = prices::catalogue(self, &types_now, problems).await;
                (catalogue, asked) = (with_more, asked + asked_again);
            }
            capacities = meter_all(usages, topologies, &catalogue);
        }
        topologies.keep_doubts(self, doubts(&capacities), problems).await;
        (capacities, asked)
    }

    fn is_too_large(&self, plan: &Plan) -> bool {
        plan.queries().len() > self.tools.config.max_series_per_run && plan.endpoints.len() > 1
    }
}

fn meter_all(
    usages: &BTreeMap<EndpointName, Usage>,
    topologies: &Topologies,
    catalogue: &Catalogue,
) -> BTreeMap<EndpointName, EndpointCapacity> {
    let watched = usages.iter().filter(|(endpoint, _)| topologies.watched.contains(*endpoint));
    watched
        .map(|(endpoint, usage)| (endpoint.clone(), meter(usage, topologies.known.get(endpoint), catalogue)))
        .collect()
}

fn doubts(capacities: &BTreeMap<EndpointName, EndpointCapacity>) -> BTreeMap<EndpointName, String> {
    let doubts = capacities.iter().map(|(endpoint, it)| Some((endpoint.clone(), it.topology_doubt()?)));
    doubts.flatten().collect()
}

async fn split(queue: &Queue, plan: &Plan) -> Result<(), Fault> {
    let body = |(endpoint, components)| {
        let request = Request { endpoints: BTreeSet::from([endpoint]), components };
        serde_json::json!(request).to_string()
    };
    queue.send_all(&plan.parts().into_iter().map(body).collect::<Vec<_>>()).await
}
