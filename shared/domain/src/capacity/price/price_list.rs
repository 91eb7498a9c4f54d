//! An item of the Price List API: the JSON text that `GetProducts` returns for one product of
//! `AmazonSageMaker`.
//!
//! The same instance stands in the list once for hosting and again for training, notebooks,
//! processing and more, and once more for each way to buy it. Only what a real-time endpoint pays
//! on demand is taken.

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::money::MicroUsd;

/// What a real-time endpoint pays on demand for an instance.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct HostingPrice {
    /// As `ml.g6.12xlarge`.
    pub instance_type: String,
    /// As `us-east-1`.
    pub region: String,
    /// Micro-dollars an hour.
    pub per_hour: MicroUsd,
    /// GPUs, when the list says so: it may say "N/A".
    pub gpus: Option<u32>,
    /// Virtual CPUs, when the list says so.
    pub vcpus: Option<u32>,
}

/// The region whose Price List API answers for the partition of `region`, near to it; `None` where
/// the partition has none (endpoint table of the SDKs).
pub fn price_list_home(region: &str) -> Option<&'static str> {
    match region.split('-').next().unwrap_or_default() {
        _ if region.starts_with("us-gov-") || region.contains("-iso") => None,
        "cn" => Some("cn-northwest-1"),
        "eusc" => Some("eusc-de-east-1"),
        "ap" => Some("ap-south-1"),
        "eu" | "me" | "af" | "il" => Some("eu-central-1"),
        _ => Some("us-east-1"),
    }
}

/// Why an item is passed over. All but the first are ordinary.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAHostingPrice {
    /// The text is not an item of the list.
    #[error("not an item of the price list: {0}")]
    Unreadable(String),
    /// The item is no instance.
    #[error("no instance")]
    NoInstance,
    /// The item is an instance for training, notebooks and the like.
    #[error("an instance for {0}, not for hosting")]
    OtherUse(String),
    /// The item is of a region that was not asked for.
    #[error("of region {0}")]
    OtherRegion(String),
    /// The item is not bought on demand.
    #[error("bought as {0}, not on demand")]
    OtherMarket(String),
    /// There is no price above zero by the hour on demand.
    #[error("no price by the hour on demand")]
    NoPrice,
}

#[derive(Deserialize)]
struct Item {
    product: Product,
    #[serde(default)]
    terms: Terms,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    attributes: Map<String, Value>,
}

#[derive(Deserialize, Default)]
struct Terms {
    #[serde(rename = "OnDemand", default)]
    on_demand: Map<String, Value>,
}

/// Reads an item, for the endpoints' `region`.
///
/// # Errors
/// Why the item is not the price of a hosting instance there.
pub fn hosting_price(item: &str, region: &str) -> Result<HostingPrice, NotAHostingPrice> {
    let item: Item =
        serde_json::from_str(item).map_err(|error| NotAHostingPrice::Unreadable(error.to_string()))?;
    let attribute =
        |name: &str| item.product.attributes.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let instance_type = attribute("instanceName")
        .or_else(|| attribute("instanceType"))
        .map(without_use)
        .filter(|name| name.starts_with("ml."))
        .ok_or(NotAHostingPrice::NoInstance)?;
    if let Some(other) = other_use(&attribute) {
        return Err(NotAHostingPrice::OtherUse(other));
    }
    match attribute("regionCode") {
        Some(found) if found == region => {}
        found => return Err(NotAHostingPrice::OtherRegion(found.unwrap_or("unknown").to_owned())),
    }
    if let Some(market) = attribute("marketoption").filter(|market| !market.eq_ignore_ascii_case("OnDemand"))
    {
        return Err(NotAHostingPrice::OtherMarket(market.to_owned()));
    }
    let count = |name| attribute(name).and_then(|text| text.trim().parse::<u32>().ok());
    Ok(HostingPrice {
        instance_type: instance_type.to_owned(),
        region: region.to_owned(),
        per_hour: hourly(&item.terms.on_demand).ok_or(NotAHostingPrice::NoPrice)?,
        gpus: count("physicalGpu").or_else(|| count("gpu")),
        vcpus: count("vCpu").or_else(|| count("vcpu")),
    })
}

/// `ml.g5.2xlarge-Hosting` without its suffix. No instance type has a hyphen after its size.
fn without_use(name: &str) -> &str {
    let size = name.rfind('.').unwrap_or(0);
    name[size..].find('-').map_or(name, |hyphen| &name[..size + hyphen])
}

/// The use that the item is for, unless it is hosting: the first attribute that says decides.
fn other_use<'a>(attribute: &impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let suffix = attribute("instanceType").and_then(|name| {
        let rest = &name[without_use(name).len()..];
        rest.strip_prefix('-')
    });
    let usage = attribute("usagetype").and_then(|text| {
        let (before, _) = text.split_once(':')?;
        Some(before.rsplit_once('-').map_or(before, |(_, after)| after))
    });
    let found = attribute("platoinstancetype").or_else(|| attribute("component")).or(suffix).or(usage);
    let found = found.unwrap_or("an unnamed use");
    let is_hosting = ["hosting", "host", "hst"].iter().any(|name| found.eq_ignore_ascii_case(name));
    // Every attribute must agree: an asynchronous row may call its component hosting.
    let disagrees = suffix.filter(|suffix| !suffix.eq_ignore_ascii_case("hosting"));
    match (is_hosting, disagrees) {
        (true, None) => None,
        (true, Some(suffix)) => Some(suffix.to_owned()),
        (false, _) => Some(found.to_owned()),
    }
}

/// The dearest price above zero by the hour: rows of 0 USD are capacity blocks.
fn hourly(terms: &Map<String, Value>) -> Option<MicroUsd> {
    let dimensions = terms.values().filter_map(|term| term.get("priceDimensions")?.as_object());
    let prices = dimensions.flat_map(Map::values).filter_map(|dimension| {
        let unit = dimension.get("unit")?.as_str()?;
        let is_hour = unit.eq_ignore_ascii_case("Hrs") || unit.eq_ignore_ascii_case("Hours");
        let usd = dimension.get("pricePerUnit")?.get("USD")?.as_str()?.parse::<f64>().ok()?;
        if is_hour { MicroUsd::from_usd(usd).filter(|price| price.0 > 0) } else { None }
    });
    prices.max()
}

#[cfg(test)]
#[path = "price_list_tests.rs"]
mod tests;
