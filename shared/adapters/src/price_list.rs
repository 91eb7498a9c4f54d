//! The Price List API: what instances cost on demand.

use aws_sdk_pricing::Client;
use aws_sdk_pricing::types::{Filter, FilterType};
use aws_types::region::Region;
use domain::capacity::price::{HostingPrice, NotAHostingPrice, hosting_price};

use crate::Fault;
use crate::fault::{UNREADABLE, has_ended};
use crate::patience::limited;

const SERVICE: &str = "AmazonSageMaker";

/// The Price List API.
#[derive(Debug, Clone)]
pub struct PriceList {
    client: Client,
}

impl PriceList {
    /// Uses the credentials and endpoint of `config`, in the region `home` that answers for the
    /// whole partition: see [`domain::capacity::price::price_list_home`].
    pub fn new(config: &aws_types::SdkConfig, home: &str) -> Self {
        let config = limited(config).to_builder().region(Region::new(home.to_owned())).build();
        Self { client: Client::new(&config) }
    }

    /// What a real-time endpoint pays on demand for an instance in `region`; `None` when the list
    /// has no such price. Costs one call for each 100 products, of which an instance has a dozen.
    pub async fn hosting_price(
        &self,
        instance_type: &str,
        region: &str,
    ) -> Result<Option<HostingPrice>, Fault> {
        let filters = [("regionCode", region), ("instanceName", instance_type)].map(|(field, value)| {
            Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build()
        });
        let filters = filters.into_iter().collect::<Result<Vec<_>, _>>();
        let filters = filters.map_err(|_| Fault::here("GetProducts", "request could not be built"))?;
        let request = self.client.get_products().service_code(SERVICE).set_filters(Some(filters));
        let mut pages = request.max_results(100).into_paginator().send();
        let (mut items, mut unreadable) = (0, 0);
        let (mut best, mut next): (Option<HostingPrice>, _) = (None, None);
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Fault::of("GetProducts", &error))?;
            next = page.next_token;
            for item in page.price_list.unwrap_or_default() {
                items += 1;
                match hosting_price(&item, region) {
                    // The dearest, as among the prices of one product.
                    Ok(price) if price.instance_type == instance_type => {
                        best = best.into_iter().chain([price]).max_by_key(|price| price.per_hour);
                    }
                    Err(NotAHostingPrice::Unreadable(_)) => unreadable += 1,
                    Ok(_) | Err(_) => {}
                }
            }
        }
        has_ended("GetProducts", next)?;
        if best.is_none() && unreadable > 0 && unreadable == items {
            return Err(Fault::here("GetProducts", UNREADABLE));
        }
        Ok(best)
    }
}

#[cfg(test)]
mod tests {
    use domain::money::MicroUsd;
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::{Reply, Wire};

    fn item(component: &str, usd: &str) -> String {
        let dimensions = json!({"x.y.z": {"unit": "Hrs", "pricePerUnit": {"USD": usd}}});
        json!({
            "product": {"attributes": {
                "instanceName": "ml.g6.12xlarge", "instanceType": format!("ml.g6.12xlarge-{component}"),
                "component": component, "regionCode": "eu-west-1", "marketoption": "OnDemand", "vCpu": "48",
            }},
            "terms": {"OnDemand": {"x.y": {"priceDimensions": dimensions}}},
        })
        .to_string()
    }

    fn page(items: &[String], next: Option<&str>) -> Reply {
        let mut body = json!({"FormatVersion": "aws_v1", "PriceList": items});
        if let Some(token) = next {
            body["NextToken"] = json!(token);
        }
        Reply::json(&body)
    }

    async fn ask(wire: &Wire) -> Result<Option<HostingPrice>, Fault> {
        let list = PriceList::new(&wire.config(), "eu-central-1");
        list.hosting_price("ml.g6.12xlarge", "eu-west-1").await
    }

    #[tokio::test(start_paused = true)]
    async fn the_price_of_hosting_is_found_among_the_others() {
        let wire = Wire::new([
            page(&[item("Training", "9.0"), item("Hosting", "6.5")], Some("more")),
            page(&[item("Hosting", "6.4"), "no JSON".to_owned()], None),
        ]);
        let price = ask(&wire).await.unwrap().unwrap();
        assert_eq!(price.per_hour, MicroUsd(6_500_000));
        assert_eq!((price.region.as_str(), price.vcpus), ("eu-west-1", Some(48)));
        let sent = wire.sent();
        assert_eq!(sent[0].header("x-amz-target"), Some("AWSPriceListService.GetProducts"));
        assert!(sent[0].uri.starts_with("https://api.pricing.eu-central-1.amazonaws.com"), "{}", sent[0].uri);
        let filter = |field: &str, value: &str| json!({"Type": "TERM_MATCH", "Field": field, "Value": value});
        let expected = json!({
            "ServiceCode": "AmazonSageMaker", "MaxResults": 100,
            "Filters": [filter("regionCode", "eu-west-1"), filter("instanceName", "ml.g6.12xlarge")],
        });
        assert_eq!(sent[0].json(), expected);
        assert_eq!(sent[1].json()["NextToken"], Value::from("more"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_without_such_a_price_says_so() {
        assert_eq!(ask(&Wire::new([page(&[item("Training", "9.0")], None)])).await, Ok(None));
        assert_eq!(ask(&Wire::new([page(&[], None)])).await, Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_in_an_unknown_form_is_a_fault_and_not_a_missing_price() {
        let fault = ask(&Wire::new([page(&["[]".to_owned()], None)])).await.unwrap_err();
        assert_eq!(fault.to_string(), "GetProducts failed: unreadable response");
        let fault = ask(&Wire::new([Reply::error(400, "AccessDeniedException")])).await.unwrap_err();
        assert_eq!(fault.to_string(), "GetProducts failed: AccessDeniedException (HTTP 400)");
    }
}
