//! Prices from the Price List API: asked once a day, kept in the state table.

use std::collections::{BTreeMap, BTreeSet};

use adapters::state::{DocumentKey, Kept};
use domain::capacity::instance::Catalogue;
use domain::capacity::price::{PriceSource, Quotes};
use domain::capacity::topology::EndpointTopology;
use domain::capacity::usage::Usage;
use domain::names::EndpointName;

use crate::run::Run;
use crate::summary::Problems;
use crate::topologies::{in_time, recalled};

/// The operator's and the shipped prices, and those of the list for every instance type in use
/// that the operator has no price for. What the list does not say now it may have said before.
pub(crate) async fn catalogue(
    run: &Run<'_>,
    types: &BTreeSet<String>,
    problems: &mut Problems,
) -> (Catalogue, usize) {
    let mut catalogue = run.terms.catalogue.clone();
    let Some(price_list) = &run.tools.price_list else { return (catalogue, 0) };
    let is_own =
        |kind: &&str| catalogue.prices.of(kind).is_some_and(|price| price.source == PriceSource::Override);
    let wanted: Vec<&str> = types.iter().map(String::as_str).filter(|kind| !is_own(kind)).collect();
    if wanted.is_empty() {
        return (catalogue, 0);
    }
    let key = DocumentKey::prices(&run.tools.region);
    let kept: Option<Kept<Quotes>> = recalled(&run.tools.state, [key.clone()], problems).await.remove(&key);
    let mut quotes = kept.map(|kept| kept.document).unwrap_or_default();
    let mut asked = 0;
    for kind in quotes.outdated(wanted, run.now) {
        let answer = price_list.hosting_price(kind, &run.tools.region);
        let answer = in_time(run.answers_until, "GetProducts", answer).await;
        // The others would fail likewise; the next run asks again.
        let Some(price) = problems.unless(answer) else { break };
        asked += 1;
        quotes.note(kind, price, run.now);
    }
    if asked > 0 {
        problems.unless(run.tools.state.remember(&key, &quotes, run.now).await);
    }
    quotes.teach(&mut catalogue);
    (catalogue, asked)
}

/// The instance types that there should be or are.
pub(crate) fn types_in_use(
    topologies: &BTreeMap<EndpointName, EndpointTopology>,
    usages: &BTreeMap<EndpointName, Usage>,
) -> BTreeSet<String> {
    let pools = topologies.values().flat_map(|it| &it.variants).flat_map(|variant| &variant.pools);
    let measured = usages.values().flat_map(|usage| usage.instances.values());
    pools
        .map(|pool| pool.instance_type.clone())
        .chain(measured.filter_map(|instance| instance.instance_type.clone()))
        .collect()
}
