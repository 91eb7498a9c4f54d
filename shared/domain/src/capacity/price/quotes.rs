//! What the Price List API said lately: kept between runs, so that it is asked once a day.

use std::collections::BTreeMap;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::HostingPrice;
use crate::capacity::instance::Catalogue;

/// How long an answer is good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Answers by instance type, in one region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotes(BTreeMap<String, Quote>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Quote {
    /// The last one that the list had.
    price: Option<HostingPrice>,
    asked_at: Timestamp,
    /// When the list had it, if not at the last time.
    #[serde(default)]
    price_of: Option<Timestamp>,
}

impl Quotes {
    /// Those of `types` that were not asked about within the last day.
    pub fn outdated<'a>(&self, types: impl IntoIterator<Item = &'a str>, now: Timestamp) -> Vec<&'a str> {
        let is_good = |kind: &&str| {
            self.0.get(*kind).is_some_and(|quote| now.duration_since(quote.asked_at) < GOOD_FOR)
        };
        types.into_iter().filter(|kind| !is_good(kind)).collect()
    }

    /// Notes an answer of the time `now`. Where the list has no price, the one that it had before
    /// stays, as old as it is.
    pub fn note(&mut self, instance_type: &str, price: Option<HostingPrice>, now: Timestamp) {
        let before = self.0.remove(instance_type).filter(|quote| quote.price.is_some());
        let quote = match (price, before) {
            (None, Some(before)) => {
                let price_of = before.price_of.or(Some(before.asked_at));
                Quote { asked_at: now, price_of, ..before }
            }
            (price, _) => Quote { price, asked_at: now, price_of: None },
        };
        self.0.insert(instance_type.to_owned(), quote);
    }

    /// Adds them to what is known, each as of the day on which the list had it: an old one is
    /// better than none, and its age is told.
    pub fn teach(&self, catalogue: &mut Catalogue) {
        for quote in self.0.values() {
            let day = Offset::UTC.to_datetime(quote.price_of.unwrap_or(quote.asked_at)).date();
            catalogue.learn(quote.price.as_slice(), day);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::price::{Discount, PriceSource};
    use crate::money::MicroUsd;

    #[test]
    fn an_answer_is_good_for_a_day_and_known_for_longer() {
        let asked_at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let mut quotes = Quotes::default();
        let price = HostingPrice {
            instance_type: "ml.x1.large".to_owned(),
            region: "eu-west-1".to_owned(),
            per_hour: MicroUsd(1_000_000),
            gpus: Some(2),
            vcpus: None,
        };
        quotes.note("ml.x1.large", Some(price), asked_at);
        quotes.note("ml.none.large", None, asked_at);
        let types = ["ml.x1.large", "ml.none.large", "ml.new.large"];
        let hours = |hours| asked_at + SignedDuration::from_hours(hours);
        assert_eq!(quotes.outdated(types, hours(23)), ["ml.new.large"]);
        assert_eq!(quotes.outdated(types, hours(24)), types);

        let mut catalogue = Catalogue::new(&[], Discount::default(), "eu-west-1").unwrap();
        quotes.teach(&mut catalogue);
        let price = catalogue.prices.of("ml.x1.large").unwrap();
        assert_eq!((price.source, price.age_days(hours(72))), (PriceSource::PriceList, 3));
        assert_eq!(catalogue.prices.of("ml.none.large"), None);

        // The list forgets it twice.
        quotes.note("ml.x1.large", None, hours(24));
        quotes.note("ml.x1.large", None, hours(48));
        assert!(quotes.outdated(["ml.x1.large"], hours(71)).is_empty());
        let mut catalogue = Catalogue::new(&[], Discount::default(), "eu-west-1").unwrap();
        quotes.teach(&mut catalogue);
        assert_eq!(catalogue.prices.of("ml.x1.large").unwrap().age_days(hours(72)), 3);
    }
}
