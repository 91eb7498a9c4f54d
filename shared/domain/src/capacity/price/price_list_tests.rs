use super::*;

/// The text of an item with these attributes and price.
fn item(attributes: &[(&str, &str)], unit: &str, usd: &str) -> String {
    let attributes: Map<String, Value> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    serde_json::json!({
        "product": {"productFamily": "ML Instance", "sku": "ABC", "attributes": attributes},
        "serviceCode": "AmazonSageMaker",
        "terms": {
            "OnDemand": {"ABC.JRT": {
                "priceDimensions": {"ABC.JRT.6YS": {"unit": unit, "pricePerUnit": {"USD": usd}}},
                "effectiveDate": "2026-08-01T00:00:00Z",
            }},
            "Reserved": {"ABC.X": {
                "priceDimensions": {"ABC.X.Y": {"unit": "Hrs", "pricePerUnit": {"USD": "0.01"}}}
            }},
        },
    })
    .to_string()
}

const HOSTING: [(&str, &str); 7] = [
    ("instanceName", "ml.g6.12xlarge"),
    ("instanceType", "ml.g6.12xlarge-Hosting"),
    ("regionCode", "us-east-1"),
    ("platoinstancetype", "Hosting"),
    ("usagetype", "USE1-Host:ml.g6.12xlarge"),
    ("vCpu", "48"),
    ("physicalGpu", "4"),
];

/// The hosting row with some attributes changed, or taken away by an empty value.
fn with(changes: &[(&str, &str)]) -> String {
    let mut attributes: Vec<(&str, &str)> = HOSTING.to_vec();
    for (name, value) in changes {
        attributes.retain(|(other, _)| other != name);
        if !value.is_empty() {
            attributes.push((name, value));
        }
    }
    item(&attributes, "Hrs", "5.7520000000")
}

fn read(changes: &[(&str, &str)]) -> Result<HostingPrice, NotAHostingPrice> {
    hosting_price(&with(changes), "us-east-1")
}

#[test]
fn a_hosting_row() {
    let price = read(&[]).unwrap();
    assert_eq!(
        price,
        HostingPrice {
            instance_type: "ml.g6.12xlarge".to_owned(),
            region: "us-east-1".to_owned(),
            per_hour: MicroUsd(5_752_000),
            gpus: Some(4),
            vcpus: Some(48),
        }
    );
}

#[test]
fn the_name_may_stand_only_with_a_suffix() {
    for suffixed in ["ml.g6.12xlarge-Hosting", "ml.g6.12xlarge-hosting"] {
        let price = read(&[("instanceName", ""), ("instanceType", suffixed)]).unwrap();
        assert_eq!(price.instance_type, "ml.g6.12xlarge");
    }
    let block =
        read(&[("instanceName", "ml.p6-b300.48xlarge"), ("instanceType", "ml.p6-b300.48xlarge-Hosting")]);
    assert_eq!(block.unwrap().instance_type, "ml.p6-b300.48xlarge");
}

#[test]
fn hosting_is_known_by_whatever_attribute_says_it() {
    let bare = [("platoinstancetype", ""), ("instanceType", "")];
    for usage in ["USE1-Host:ml.g6.12xlarge", "Hosting:ml.g6.12xlarge", "USE1-Hst:ml.g6.12xlarge"] {
        let mut changes = bare.to_vec();
        changes.push(("usagetype", usage));
        assert!(read(&changes).is_ok(), "{usage}");
    }
    assert!(read(&[("platoinstancetype", ""), ("component", "Hosting")]).is_ok());
    assert!(read(&[("platoinstancetype", ""), ("usagetype", "")]).is_ok(), "by the suffix");
    assert!(read(&[("platoinstancetype", ""), ("usagetype", ""), ("instanceType", "")]).is_err());
}

#[test]
fn rows_for_other_uses_are_passed_over() {
    for other in ["Training", "Notebook", "Studio", "Processing", "AsyncInf", "Cluster", "Transform"] {
        let suffixed = format!("ml.g6.12xlarge-{other}");
        let usage = format!("USE1-{other}:ml.g6.12xlarge");
        for changes in [
            vec![("platoinstancetype", other), ("instanceType", suffixed.as_str()), ("usagetype", &usage)],
            vec![("platoinstancetype", ""), ("component", other), ("instanceType", "")],
            vec![("platoinstancetype", ""), ("instanceType", suffixed.as_str())],
            vec![("platoinstancetype", ""), ("instanceType", ""), ("usagetype", usage.as_str())],
            vec![("instanceType", suffixed.as_str())],
        ] {
            assert!(matches!(read(&changes), Err(NotAHostingPrice::OtherUse(_))), "{changes:?}");
        }
    }
}

#[test]
fn capacity_blocks_and_rows_of_nothing_are_passed_over() {
    assert!(read(&[("marketoption", "OnDemand")]).is_ok());
    let block = read(&[("marketoption", "CapacityBlock")]);
    assert_eq!(block, Err(NotAHostingPrice::OtherMarket("CapacityBlock".to_owned())));
    for (unit, usd) in [("Hrs", "0.0000000000"), ("Hrs", "free"), ("GB", "1.0"), ("Hrs", "-1")] {
        let result = hosting_price(&item(&HOSTING, unit, usd), "us-east-1");
        assert_eq!(result, Err(NotAHostingPrice::NoPrice), "{unit} {usd}");
    }
}

#[test]
fn other_regions_and_what_is_no_instance_are_passed_over() {
    let other = hosting_price(&with(&[]), "eu-west-1");
    assert_eq!(other, Err(NotAHostingPrice::OtherRegion("us-east-1".to_owned())));
    assert_eq!(read(&[("regionCode", "")]), Err(NotAHostingPrice::OtherRegion("unknown".to_owned())));
    assert_eq!(read(&[("instanceName", ""), ("instanceType", "")]), Err(NotAHostingPrice::NoInstance));
    assert!(matches!(hosting_price("[1]", "us-east-1"), Err(NotAHostingPrice::Unreadable(_))));
    assert_eq!(hosting_price("{\"product\":{}}", "us-east-1"), Err(NotAHostingPrice::NoInstance));
}

#[test]
fn a_count_that_is_not_available_is_not_known() {
    let price = read(&[("physicalGpu", "N/A"), ("vCpu", "")]).unwrap();
    assert_eq!((price.gpus, price.vcpus), (None, None));
}

#[test]
fn each_partition_has_its_price_list_and_some_have_none() {
    for (region, home) in [
        ("us-east-1", Some("us-east-1")),
        ("ca-west-1", Some("us-east-1")),
        ("eu-west-1", Some("eu-central-1")),
        ("ap-southeast-2", Some("ap-south-1")),
        ("cn-north-1", Some("cn-northwest-1")),
        ("eusc-de-east-1", Some("eusc-de-east-1")),
        ("us-gov-west-1", None),
        ("us-iso-east-1", None),
        ("eu-isoe-west-1", None),
    ] {
        assert_eq!(price_list_home(region), home, "{region}");
    }
}
