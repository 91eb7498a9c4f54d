//! What an hour of an instance costs, by the best source that knows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::money::MicroUsd;

mod price_list;
mod quotes;
pub use price_list::{HostingPrice, NotAHostingPrice, hosting_price, price_list_home};
pub use quotes::Quotes;

/// Who says what an instance costs; the first in this order wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// The operator, in `fleet.toml`.
    Override,
    /// The Price List API.
    PriceList,
    /// The dated table that Assay ships.
    Shipped,
}

impl PriceSource {
    /// All of them, the best first.
    pub const ALL: &[Self] = &[Self::Override, Self::PriceList, Self::Shipped];

    /// The name in logs and in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::PriceList => "price_list",
            Self::Shipped => "shipped",
        }
    }

    /// The metric that counts the instance types priced so.
    pub const fn metric_name(self) -> &'static str {
        match self {
            Self::Override => "PricesOverridden",
            Self::PriceList => "PricesListed",
            Self::Shipped => "PricesShipped",
        }
    }

    /// One plain sentence for the reader of a dashboard.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Override => "Instance types whose price is the operator's own.",
            Self::PriceList => "Instance types whose price is from the Price List API.",
            Self::Shipped => "Instance types whose price is from the dated table that Assay ships.",
        }
    }
}

/// What an hour of an instance costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// On demand, less the operator's discount. Micro-dollars.
    pub per_hour: MicroUsd,
    /// Who says so.
    pub source: PriceSource,
    /// The day that the price is of.
    pub as_of: Date,
    /// The region that it is of; `None` for an operator's own.
    pub region: Option<String>,
}

impl Price {
    /// Whole days from the day of the price to that of `now`, in UTC; 0 for a day to come.
    pub fn age_days(&self, now: Timestamp) -> u32 {
        let today = Offset::UTC.to_datetime(now).date();
        let days = today.duration_since(self.as_of).as_hours() / 24;
        u32::try_from(days).unwrap_or(0)
    }
}

/// A discount on prices on demand, in hundredths of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Discount(u32);

impl Discount {
    /// From per cent, 0 to 100, to two digits after the point.
    pub fn from_percent(percent: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        (0.0..=100.0).contains(&percent).then(|| Self((percent * 100.0).round() as u32))
    }

    /// What remains of a price, to the nearest micro-dollar.
    fn off(self, price: MicroUsd) -> MicroUsd {
        let rest = i128::from(price.0) * i128::from(10_000 - self.0.min(10_000));
        MicroUsd(i64::try_from((rest + 5_000) / 10_000).unwrap_or(price.0))
    }
}

/// Prices by instance type, the best source first.
#[derive(Debug, Clone)]
pub struct PriceBook {
    by_type: BTreeMap<String, Price>,
    discount: Discount,
    region: String,
}

impl PriceBook {
    /// Nothing has a price yet.
    pub fn new(discount: Discount, region: &str) -> Self {
        Self { by_type: BTreeMap::new(), discount, region: region.to_owned() }
    }

    /// The region that the endpoints run in.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Takes a price unless a better source, or the same with a newer one, has spoken. The
    /// discount comes off here: not off an operator's own price, which is what is paid.
    pub fn insert(&mut self, instance_type: &str, mut price: Price) {
        if price.source != PriceSource::Override {
            price.per_hour = self.discount.off(price.per_hour);
        }
        let rank = |price: &Price| (price.source, std::cmp::Reverse(price.as_of));
        match self.by_type.get(instance_type) {
            Some(known) if rank(known) < rank(&price) => {}
            _ => {
                self.by_type.insert(instance_type.to_owned(), price);
            }
        }
    }

    /// What an hour of an instance costs; `None` when nobody says.
    pub fn of(&self, instance_type: &str) -> Option<&Price> {
        self.by_type.get(instance_type)
    }

    /// Whether a price is that of another region than the endpoints'.
    pub fn is_foreign(&self, price: &Price) -> bool {
        price.region.as_ref().is_some_and(|region| *region != self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::instance::{Catalogue, Row, RowPrice};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn catalogue(overrides: &[Row], percent: f64) -> Catalogue {
        Catalogue::new(overrides, Discount::from_percent(percent).unwrap(), "us-east-1").unwrap()
    }

    fn listed(usd: f64, gpus: Option<u32>) -> HostingPrice {
        HostingPrice {
            instance_type: "ml.g6.12xlarge".to_owned(),
            region: "us-east-1".to_owned(),
            per_hour: MicroUsd::from_usd(usd).unwrap(),
            gpus,
            vcpus: Some(48),
        }
    }

    fn own(usd: f64) -> Row {
        let (per_hour, as_of) = (MicroUsd::from_usd(usd).unwrap(), date("2026-09-01"));
        Row {
            instance_type: "ml.g6.12xlarge".to_owned(),
            gpus: None,
            vcpus: None,
            price: Some(RowPrice { per_hour, as_of, region: None }),
        }
    }

    fn of(catalogue: &Catalogue) -> (PriceSource, i64) {
        let price = catalogue.prices.of("ml.g6.12xlarge").unwrap();
        (price.source, price.per_hour.0)
    }

    #[test]
    fn the_operator_then_the_price_list_then_the_shipped_table() {
        let mut plain = catalogue(&[], 0.0);
        assert_eq!(of(&plain), (PriceSource::Shipped, 5_752_000));
        plain.learn(&[listed(5.9, None)], date("2026-09-20"));
        assert_eq!(of(&plain), (PriceSource::PriceList, 5_900_000));
        let mut own = catalogue(&[own(4.0)], 0.0);
        own.learn(&[listed(5.9, None)], date("2026-09-20"));
        assert_eq!(of(&own), (PriceSource::Override, 4_000_000));
    }

    #[test]
    fn a_newer_list_price_replaces_an_older_one_only() {
        let mut catalogue = catalogue(&[], 0.0);
        catalogue.learn(&[listed(5.9, None)], date("2026-09-20"));
        catalogue.learn(&[listed(5.5, None)], date("2026-09-19"));
        assert_eq!(of(&catalogue).1, 5_900_000);
        catalogue.learn(&[listed(5.6, None)], date("2026-09-21"));
        assert_eq!(of(&catalogue).1, 5_600_000);
    }

    #[test]
    fn a_discount_comes_off_public_prices_only_and_once() {
        let mut discounted = catalogue(&[], 12.5);
        assert_eq!(of(&discounted).1, 5_033_000);
        discounted.learn(&[listed(1.000_001, None)], date("2026-09-20"));
        assert_eq!(of(&discounted).1, 875_001, "to the nearest micro-dollar");
        assert_eq!(of(&catalogue(&[own(4.0)], 12.5)).1, 4_000_000);
        for wrong in [-1.0, 100.5, f64::NAN] {
            assert_eq!(Discount::from_percent(wrong), None);
        }
    }

    #[test]
    fn the_list_fills_in_shapes_and_corrects_none() {
        let mut catalogue = catalogue(&[], 0.0);
        catalogue.learn(&[listed(5.9, Some(12))], date("2026-09-20"));
        let shape = catalogue.types.shape("ml.g6.12xlarge").unwrap();
        assert_eq!((shape.gpus, shape.vcpus), (4, Some(48)));
        let new = HostingPrice { instance_type: "ml.x1.large".to_owned(), ..listed(1.0, Some(2)) };
        catalogue.learn(&[new], date("2026-09-20"));
        assert_eq!(catalogue.types.gpus("ml.x1.large"), Some(2));
    }

    #[test]
    fn ages_are_in_whole_days() {
        let price = catalogue(&[], 0.0).prices.of("ml.g6.12xlarge").unwrap().clone();
        for (now, age) in [
            ("2026-07-01T00:00:00Z", 0),
            ("2026-08-01T23:59:59Z", 0),
            ("2026-08-02T00:00:00Z", 1),
            ("2027-08-01T12:00:00Z", 365),
        ] {
            assert_eq!(price.age_days(now.parse().unwrap()), age, "{now}");
        }
    }
}
