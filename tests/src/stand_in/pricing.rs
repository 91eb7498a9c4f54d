//! The Price List API: `GetProducts` of `AmazonSageMaker`, for the instance types of the scenario.
//! As in the real list, each type stands there once for hosting and again for other uses: whoever
//! does not ask for hosting gets those too.
//!
//! Format: JSON 1.1, `X-Amz-Target: AWSPriceListService.GetProducts`; every item of `PriceList` is
//! a JSON text. Attributes as in the price file of `AmazonSageMaker`, 2026.

use serde_json::{Value, json};

use super::stage::{Stage, error, operation, page};
use super::{Call, Reply, StandIn};
use crate::scenario::{InstanceType, Scenario};

const PREFIX: &str = "AWSPriceListService";
const LARGEST_PAGE: u64 = 100;
/// The uses that a type is listed for, and how the usage type spells them.
const USES: [(&str, &str); 4] =
    [("Hosting", "Host"), ("Training", "Train"), ("Notebook", "Notebk"), ("Processing", "Processing")];

/// The Price List API.
#[derive(Debug)]
pub(super) struct Pricing {
    stage: Stage,
}

impl Pricing {
    pub(super) fn new(stage: Stage) -> Self {
        Self { stage }
    }
}

impl StandIn for Pricing {
    fn name(&self) -> &'static str {
        "pricing"
    }

    fn wants(&self, call: &Call) -> bool {
        operation(call, PREFIX).is_some()
    }

    fn answer(&self, call: &Call) -> Reply {
        let request: Value = serde_json::from_str(&call.body).unwrap_or_default();
        match operation(call, PREFIX).unwrap_or_default() {
            "GetProducts" => get_products(&self.stage.now().scenario, &request),
            other => error(400, "UnknownOperationException", format!("{other} is not played here")),
        }
    }
}

fn get_products(scenario: &Scenario, request: &Value) -> Reply {
    let invalid = |message: String| error(400, "InvalidParameterException", message);
    if request.get("ServiceCode").and_then(Value::as_str) != Some("AmazonSageMaker") {
        return error(400, "NotFoundException", "Service code is not valid or not played here");
    }
    let filters = request.get("Filters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let filters = filters.iter().map(Filter::read).collect::<Result<Vec<_>, _>>();
    let filters = match filters {
        Ok(filters) => filters,
        Err(problem) => return invalid(problem),
    };
    let size = request.get("MaxResults").and_then(Value::as_u64).unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        return invalid(format!("MaxResults {size} is not between 1 and {LARGEST_PAGE}"));
    }
    let items: Vec<Value> = scenario
        .instances
        .iter()
        .filter_map(|instance| Some((instance, instance.per_hour?)))
        .flat_map(|(instance, usd)| USES.iter().map(move |usage| item(scenario, instance, usd, usage)))
        .filter(|item| filters.iter().all(|filter| filter.covers(item)))
        .map(|item| Value::String(item.to_string()))
        .collect();
    let token = request.get("NextToken").and_then(Value::as_str);
    match page(&items, token, usize::try_from(size).unwrap_or(usize::MAX)) {
        Ok((items, next)) => {
            let mut body = json!({"FormatVersion": "aws_v1", "PriceList": items});
            if let Some(next) = next {
                body["NextToken"] = Value::String(next);
            }
            Reply::json(200, &body)
        }
        Err(message) => error(400, "InvalidNextTokenException", message),
    }
}

/// One product, before it becomes a text.
fn item(scenario: &Scenario, instance: &InstanceType, usd: f64, usage: &(&str, &str)) -> Value {
    let (name, short) = usage;
    let sku = format!("{}{}", instance.name.replace('.', "").to_uppercase(), name.to_uppercase());
    let (term, rate) = (format!("{sku}.JRTCKXETXF"), format!("{sku}.JRTCKXETXF.6YS6EN2CT7"));
    let gpus = if instance.gpus == 0 { "N/A".to_owned() } else { instance.gpus.to_string() };
    json!({
        "product": {
            "productFamily": "ML Instance",
            "sku": sku,
            "attributes": {
                "servicecode": "AmazonSageMaker",
                "servicename": "Amazon SageMaker",
                "regionCode": scenario.region,
                "location": "US East (N. Virginia)",
                "locationType": "AWS Region",
                "instanceName": instance.name,
                "instanceType": format!("{}-{name}", instance.name),
                "platoinstancename": instance.name,
                "platoinstancetype": name,
                "component": name,
                "vCpu": instance.vcpus.to_string(),
                "memory": format!("{} GiB", instance.memory_gib),
                "physicalGpu": gpus,
                "gpuMemory": "N/A",
                "marketoption": "OnDemand",
                "usagetype": format!("USE1-{short}:{}", instance.name),
                "operation": "RunInstance",
            },
        },
        "serviceCode": "AmazonSageMaker",
        "terms": {"OnDemand": {&term: {
            "sku": sku,
            "offerTermCode": "JRTCKXETXF",
            "effectiveDate": "2026-08-01T00:00:00Z",
            "termAttributes": {},
            "priceDimensions": {&rate: {
                "rateCode": rate,
                "unit": "Hrs",
                "beginRange": "0",
                "endRange": "Inf",
                "description": format!("${usd} per {name} {} hour", instance.name),
                "appliesTo": [],
                "pricePerUnit": {"USD": format!("{usd:.10}")},
            }},
        }}},
        "version": "20260801000000",
        "publicationDate": "2026-08-01T00:00:00Z",
    })
}

/// One of `Filters`: all of them must hold.
struct Filter {
    kind: String,
    field: String,
    value: String,
}

impl Filter {
    fn read(filter: &Value) -> Result<Self, String> {
        let member = |name: &str| {
            let text = filter.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or(format!("a filter has no {name}"))
        };
        let kind = member("Type")?;
        if !["TERM_MATCH", "EQUALS", "CONTAINS", "ANY_OF", "NONE_OF"].contains(&kind.as_str()) {
            return Err(format!("{kind} is no type of a filter"));
        }
        Ok(Self { kind, field: member("Field")?, value: member("Value")? })
    }

    fn covers(&self, item: &Value) -> bool {
        let attributes = &item["product"]["attributes"];
        let found = match self.field.as_str() {
            "ServiceCode" => attributes.get("servicecode"),
            "productFamily" => item["product"].get("productFamily"),
            field => attributes.get(field),
        };
        let Some(found) = found.and_then(Value::as_str) else { return false };
        let mut choices = self.value.split(',').map(str::trim);
        match self.kind.as_str() {
            "CONTAINS" => found.to_lowercase().contains(&self.value.to_lowercase()),
            "ANY_OF" => choices.any(|choice| choice.eq_ignore_ascii_case(found)),
            "NONE_OF" => !choices.any(|choice| choice.eq_ignore_ascii_case(found)),
            _ => self.value.eq_ignore_ascii_case(found),
        }
    }
}
