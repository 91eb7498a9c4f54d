//! The demo's second half: the deployed capacity-meter over the seeded fleet.

use std::collections::BTreeSet;

use comfy_table::Table;
use domain::metric::{
    CAPACITY_NAMESPACE, COPIES, COST_PER_HOUR, COST_PER_MILLION_TOKENS, COST_PER_THOUSAND_INVOCATIONS,
    Definition, FREE_GPUS, IDLE_COST_PER_HOUR, INSTANCES, TOTAL_GPUS, USED_GPUS,
};
use serde_json::Value;

use super::report::new_table;
use crate::environment::Environment;
use crate::failure::Outcome;
use crate::functions::CAPACITY_METER;
use crate::results::{self, Metered};
use crate::scenario::{self, Scenario};
use crate::stack;

/// Half a cent.
const CENT: f64 = 0.005;

/// Has the deployed function meter the fleet, and reads its metrics back from CloudWatch.
pub(super) async fn meter(environment: &Environment) -> Outcome<Metered> {
    stack::invoke(&environment.clients, CAPACITY_METER, &Value::Null).await?;
    results::metered(&environment.clients.cloudwatch, CAPACITY_NAMESPACE).await
}

/// The newest value of a metric of an endpoint, or of one of its components.
fn newest(metered: &Metered, endpoint: &str, component: Option<&str>, metric: Definition) -> Option<f64> {
    let key = (endpoint.to_owned(), component.map(str::to_owned), metric.name.to_owned());
    metered.get(&key)?.newest
}

fn endpoints(metered: &Metered) -> BTreeSet<&str> {
    metered.keys().map(|(endpoint, _, _)| endpoint.as_str()).collect()
}

fn components<'a>(metered: &'a Metered, endpoint: &str) -> BTreeSet<&'a str> {
    let own = metered.keys().filter(|(owner, _, _)| owner == endpoint);
    own.filter_map(|(_, component, _)| component.as_deref()).collect()
}

// --- Tables ---------------------------------------------------------------------------------------

/// What each endpoint has, uses and costs.
pub(super) fn endpoints_table(metered: &Metered) -> Table {
    let columns = [
        ("instances", INSTANCES),
        ("GPUs", TOTAL_GPUS),
        ("used", USED_GPUS),
        ("free", FREE_GPUS),
        ("USD an hour", COST_PER_HOUR),
        ("idle", IDLE_COST_PER_HOUR),
    ];
    let mut table = new_table(1, std::iter::once("endpoint").chain(columns.map(|(name, _)| name)));
    for endpoint in endpoints(metered) {
        let cells = columns.map(|(_, metric)| shown(newest(metered, endpoint, None, metric)));
        table.add_row(std::iter::once(endpoint.to_owned()).chain(cells));
    }
    table
}

/// What each component holds and costs, and what is left.
pub(super) fn components_table(metered: &Metered) -> Table {
    let columns = [
        ("copies", COPIES),
        ("GPUs", USED_GPUS),
        ("USD an hour", COST_PER_HOUR),
        ("1,000 invocations", COST_PER_THOUSAND_INVOCATIONS),
        ("1,000,000 tokens", COST_PER_MILLION_TOKENS),
    ];
    let header = ["endpoint", "component"].into_iter().chain(columns.map(|(name, _)| name));
    let mut table = new_table(2, header);
    for endpoint in endpoints(metered) {
        for component in components(metered, endpoint) {
            let cells = columns.map(|(_, metric)| shown(newest(metered, endpoint, Some(component), metric)));
            table.add_row([endpoint.to_owned(), component.to_owned()].into_iter().chain(cells));
        }
        let idle =
            [FREE_GPUS, IDLE_COST_PER_HOUR].map(|metric| shown(newest(metered, endpoint, None, metric)));
        let [free, cost] = idle;
        let empty = String::new;
        table.add_row([endpoint.to_owned(), "(idle)".to_owned(), empty(), free, cost, empty(), empty()]);
    }
    table
}

/// A missing number is not known: it is no zero.
fn shown(number: Option<f64>) -> String {
    let Some(number) = number else { return "-".to_owned() };
    if number.fract() == 0.0 { format!("{number}") } else { format!("{number:.3}") }
}

// --- Promises -------------------------------------------------------------------------------------

/// What must be true of the metrics of any fleet, and of those of the blog.
pub(super) fn promises(metered: &Metered, scenario: &Scenario) -> Vec<(String, bool)> {
    let of = |endpoint: &str, metric| newest(metered, endpoint, None, metric);
    let adds_up = |endpoint: &str| {
        let (total, used, free) =
            (of(endpoint, TOTAL_GPUS), of(endpoint, USED_GPUS), of(endpoint, FREE_GPUS));
        matches!((total, used, free), (Some(total), Some(used), Some(free)) if (used + free - total).abs() < 1e-6)
    };
    let is_paid = |endpoint: &str| {
        let parts = components(metered, endpoint);
        let costs = parts.iter().filter_map(|name| newest(metered, endpoint, Some(*name), COST_PER_HOUR));
        let bill = of(endpoint, COST_PER_HOUR).zip(of(endpoint, IDLE_COST_PER_HOUR));
        bill.is_some_and(|(bill, idle)| (costs.sum::<f64>() + idle - bill).abs() < CENT)
    };
    let watched: BTreeSet<&str> = scenario.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
    let mut promises = vec![
        ("every endpoint of the fleet is metered".to_owned(), endpoints(metered) == watched),
        ("used and free GPUs add up to the total".to_owned(), watched.iter().all(|name| adds_up(name))),
        (
            "components and idle add up to the bill, to the cent".to_owned(),
            watched.iter().all(|name| is_paid(name)),
        ),
    ];
    if Scenario::named(scenario::DEFAULT).is_ok_and(|blog| blog == *scenario) {
        promises.extend(promises_of_the_blog(metered));
    }
    promises
}

fn promises_of_the_blog(metered: &Metered) -> Vec<(String, bool)> {
    let endpoint = crate::samples::ENDPOINT;
    let has = |component: Option<&str>, expected: &[(Definition, f64)]| {
        expected.iter().all(|(metric, number)| {
            newest(metered, endpoint, component, *metric).is_some_and(|it| (it - number).abs() < 1e-6)
        })
    };
    let of_endpoint = [
        (INSTANCES, 2.0),
        (TOTAL_GPUS, 8.0),
        (USED_GPUS, 6.0),
        (FREE_GPUS, 2.0),
        (COST_PER_HOUR, 11.504),
        (IDLE_COST_PER_HOUR, 2.876),
    ];
    let of_gpt = [(COPIES, 1.0), (USED_GPUS, 4.0), (COST_PER_HOUR, 5.752)];
    let of_qwen = [(COPIES, 2.0), (USED_GPUS, 2.0), (COST_PER_HOUR, 2.876)];
    let is_priced =
        |name, metric| newest(metered, endpoint, Some(name), metric).is_some_and(|cost: f64| cost > 0.0);
    let qwen = "qwen-7b";
    vec![
        (
            "the blog's fleet: 6 of 8 GPUs used, 11.504 USD an hour, of which 2.876 stand idle".to_owned(),
            has(None, &of_endpoint),
        ),
        (
            "gpt-oss-20b costs 5.752 and qwen-7b 2.876 USD an hour".to_owned(),
            has(Some("gpt-oss-20b"), &of_gpt) && has(Some("qwen-7b"), &of_qwen),
        ),
        (
            "1,000 invocations have a price, and tokens where the model server counts all of them".to_owned(),
            ["gpt-oss-20b", qwen].iter().all(|name| is_priced(name, COST_PER_THOUSAND_INVOCATIONS))
                && is_priced("gpt-oss-20b", COST_PER_MILLION_TOKENS)
                && newest(metered, endpoint, Some(qwen), COST_PER_MILLION_TOKENS).is_none(),
        ),
    ]
}
