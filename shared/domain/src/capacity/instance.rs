//! What an instance type has and, where a file says so, costs: the tables `[[instance]]` of the
//! shipped `config/instances.toml` and of an operator's `fleet.toml`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::price::{Discount, HostingPrice, Price, PriceBook, PriceSource};
use crate::money::MicroUsd;
use crate::settings::{self, Mistakes, Section};

/// The table that Assay ships.
pub const SHIPPED: &str = include_str!("../../../../config/instances.toml");

/// What an instance of a type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// GPUs, or other accelerators.
    pub gpus: u32,
    /// Virtual CPUs, when known.
    pub vcpus: Option<u32>,
}

/// Shapes by instance type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceTypes(BTreeMap<String, Shape>);

impl InstanceTypes {
    /// What an instance of the type has; `None` when nobody says.
    pub fn shape(&self, instance_type: &str) -> Option<Shape> {
        let known = self.0.get(instance_type).copied();
        known.or_else(|| is_cpu_family(instance_type).then_some(Shape { gpus: 0, vcpus: None }))
    }

    /// Its GPUs.
    pub fn gpus(&self, instance_type: &str) -> Option<u32> {
        self.shape(instance_type).map(|shape| shape.gpus)
    }

    fn learn(&mut self, instance_type: &str, gpus: Option<u32>, vcpus: Option<u32>) {
        let known = self.shape(instance_type);
        let Some(gpus) = gpus.or(known.map(|shape| shape.gpus)) else { return };
        let vcpus = vcpus.or(known.and_then(|shape| shape.vcpus));
        self.0.insert(instance_type.to_owned(), Shape { gpus, vcpus });
    }
}

/// The families `c`, `m`, `r` and `t` have no accelerators, whatever their generation.
fn is_cpu_family(instance_type: &str) -> bool {
    let family = instance_type.strip_prefix("ml.").and_then(|rest| rest.split_once('.'));
    family.is_some_and(|(family, _)| {
        let mut bytes = family.bytes();
        matches!(bytes.next(), Some(b'c' | b'm' | b'r' | b't'))
            && bytes.next().is_some_and(|it| it.is_ascii_digit())
    })
}

/// One table `[[instance]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As `ml.g6.12xlarge`.
    pub instance_type: String,
    /// GPUs of an instance.
    pub gpus: Option<u32>,
    /// Virtual CPUs of an instance.
    pub vcpus: Option<u32>,
    /// On-demand price of an hour.
    pub price: Option<RowPrice>,
}

/// The price in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPrice {
    /// What an hour costs.
    pub per_hour: MicroUsd,
    /// The day that the price is known to be of, or the earliest that it can be of.
    pub as_of: Date,
    /// The region, when the row says so.
    pub region: Option<String>,
}

/// Reads the tables `[[instance]]`.
pub(crate) fn read_rows(root: &Section) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for section in root.sections("instance") {
        let Some(row) = read_row(&section) else { continue };
        if rows.iter().any(|other| other.instance_type == row.instance_type) {
            section.mistake("type", format_args!("{} stands twice", row.instance_type));
        }
        rows.push(row);
    }
    rows
}

fn read_row(section: &Section) -> Option<Row> {
    let instance_type = section.text("type");
    if instance_type.as_ref().is_some_and(|name| !name.starts_with("ml.")) {
        section.mistake("type", "must be a SageMaker instance type, as ml.g6.12xlarge");
    }
    let whole = |key, most: u64| {
        let wanted = format!("a whole number from 0 to {most}");
        section
            .optional_whole(key, &wanted, |number| number <= most)
            .and_then(|number| number.try_into().ok())
    };
    let (gpus, vcpus) = (whole("gpus", 1024), whole("vcpus", 65_536));
    // For the reader of the file only.
    let _ =
        (section.optional_text("gpu"), section.optional_text("gpu_memory"), section.optional_text("source"));
    let region = section.optional_text("region");
    let wanted = "more than 0 and at most 100000 USD an hour";
    let per_hour = section.optional_number("per_hour", wanted, |usd| usd > 0.0 && usd <= 100_000.0);
    let as_of = if per_hour.is_some() { section.text("as_of") } else { section.optional_text("as_of") };
    let as_of = as_of.and_then(|text| {
        text.parse::<Date>().map_err(|_| section.mistake("as_of", "must be a date, as 2026-08-17")).ok()
    });
    let price = per_hour.and_then(MicroUsd::from_usd).zip(as_of);
    let price = price.map(|(per_hour, as_of)| RowPrice { per_hour, as_of, region });
    Some(Row { instance_type: instance_type?, gpus, vcpus, price })
}

/// What is known about instance types: shapes and prices.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// What they have.
    pub types: InstanceTypes,
    /// What they cost.
    pub prices: PriceBook,
}

impl Catalogue {
    /// The shipped table with an operator's rows over it. `region` is where the endpoints run.
    ///
    /// # Errors
    /// The mistakes of the shipped table, which a test keeps free of them.
    pub fn new(overrides: &[Row], discount: Discount, region: &str) -> Result<Self, Mistakes> {
        let shipped = settings::read("instances.toml", SHIPPED, |root| Some(read_rows(root)))?;
        let mut catalogue =
            Self { types: InstanceTypes::default(), prices: PriceBook::new(discount, region) };
        for (source, rows) in [(PriceSource::Shipped, shipped.as_slice()), (PriceSource::Override, overrides)]
        {
            for row in rows {
                catalogue.types.learn(&row.instance_type, row.gpus, row.vcpus);
                let Some(price) = &row.price else { continue };
                let RowPrice { per_hour, as_of, ref region } = *price;
                let region = region.clone();
                catalogue.prices.insert(&row.instance_type, Price { per_hour, source, as_of, region });
            }
        }
        Ok(catalogue)
    }

    /// Adds what the Price List API said on the day `as_of`. A shape that is known stays: the list
    /// is often wrong about GPUs.
    pub fn learn(&mut self, listed: &[HostingPrice], as_of: Date) {
        for HostingPrice { instance_type, region, per_hour, gpus, vcpus } in listed {
            let known = self.types.shape(instance_type);
            let vcpus = known.and_then(|shape| shape.vcpus).or(*vcpus);
            self.types.learn(instance_type, known.map(|shape| shape.gpus).or(*gpus), vcpus);
            let (per_hour, source, region) = (*per_hour, PriceSource::PriceList, Some(region.clone()));
            self.prices.insert(instance_type, Price { per_hour, source, as_of, region });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Catalogue {
        Catalogue::new(&[], Discount::default(), "us-east-1").unwrap()
    }

    #[test]
    fn the_shipped_table_is_right_and_every_price_is_dated() {
        let rows = settings::read("instances.toml", SHIPPED, |root| Some(read_rows(root))).unwrap();
        assert!(rows.len() > 35);
        for row in &rows {
            assert!(row.gpus.is_some_and(|gpus| (1..=8).contains(&gpus)), "{}", row.instance_type);
            assert!(row.price.as_ref().is_none_or(|price| price.region.is_some()), "{}", row.instance_type);
        }
    }

    #[test]
    fn a_size_is_no_number_of_gpus() {
        for (kind, gpus) in [
            ("ml.g5.16xlarge", Some(1)),
            ("ml.g6.16xlarge", Some(1)),
            ("ml.g6.12xlarge", Some(4)),
            ("ml.g5.24xlarge", Some(4)),
            ("ml.g7e.12xlarge", Some(2)),
            ("ml.p5.48xlarge", Some(8)),
            ("ml.c7i.2xlarge", Some(0)),
            ("ml.m5.large", Some(0)),
            ("ml.trn1.32xlarge", None),
            ("ml.inf2.xlarge", None),
            ("ml.x9.large", None),
        ] {
            assert_eq!(shipped().types.gpus(kind), gpus, "{kind}");
        }
    }

    #[test]
    fn types_without_a_known_price_have_none() {
        for kind in ["ml.g6.16xlarge", "ml.p4de.24xlarge", "ml.p5en.48xlarge", "ml.c7i.2xlarge"] {
            assert_eq!(shipped().prices.of(kind), None, "{kind}");
        }
    }

    #[test]
    fn an_operator_can_add_a_type_and_its_price_apart() {
        let text = "[[instance]]\ntype = 'ml.trn1.32xlarge'\ngpus = 16\n\
                    [[instance]]\ntype = 'ml.g6.12xlarge'\nper_hour = 4.6\nas_of = '2026-09-01'\n";
        let rows = settings::read("fleet.toml", text, |root| Some(read_rows(root))).unwrap();
        let catalogue = Catalogue::new(&rows, Discount::default(), "us-east-1").unwrap();
        assert_eq!(catalogue.types.gpus("ml.trn1.32xlarge"), Some(16));
        assert_eq!(catalogue.prices.of("ml.trn1.32xlarge"), None);
        assert_eq!(catalogue.types.gpus("ml.g6.12xlarge"), Some(4), "the shipped shape stays");
        assert_eq!(catalogue.prices.of("ml.g6.12xlarge").unwrap().per_hour, MicroUsd(4_600_000));
    }
}
