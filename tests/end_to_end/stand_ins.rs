//! The stand-ins for SageMaker and the Price List API answer as AWS does: shapes, pages, refusals.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use domain::capacity::price::hosting_price;
use serde_json::{Value, json};
use tests::scenario::Scenario;
use tests::stand_in::{Options, Server};

fn stand_ins(name: &str) -> Server {
    let scenario = Some(Scenario::named(name).unwrap());
    Server::start(Options { scenario, ..Options::default() }).unwrap()
}

async fn call(server: &Server, target: &str, body: Value) -> Value {
    let request = reqwest::Client::new().post(server.url()).header("x-amz-target", target).json(&body);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn sagemaker_describes_the_fleet_in_pages() {
    let server = stand_ins("mixed");
    let endpoints = call(&server, "SageMaker.ListEndpoints", json!({})).await;
    let names: Vec<&Value> =
        endpoints["Endpoints"].as_array().unwrap().iter().map(|it| &it["EndpointName"]).collect();
    assert_eq!(names, ["assistant", "classifier"]);
    let one = call(&server, "SageMaker.DescribeEndpoint", json!({"EndpointName": "assistant"})).await;
    let pools = &one["ProductionVariants"][0]["InstancePools"];
    assert_eq!(pools[1], json!({"InstanceType": "ml.g6.xlarge", "CurrentInstanceCount": 2}));
    assert_eq!(one["ProductionVariants"][0]["CurrentInstanceCount"], 3);
    let config = json!({"EndpointConfigName": one["EndpointConfigName"]});
    let config = call(&server, "SageMaker.DescribeEndpointConfig", config).await;
    assert_eq!(config["ProductionVariants"][0]["InstancePools"][0]["InstanceType"], "ml.g6.12xlarge");

    let (mut components, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut ask = json!({"EndpointNameEquals": "assistant", "MaxResults": 3});
        if !token.is_null() {
            ask["NextToken"] = token;
        }
        let page = call(&server, "SageMaker.ListInferenceComponents", ask).await;
        let page_names = page["InferenceComponents"].as_array().unwrap();
        assert!(page_names.len() <= 3);
        components
            .extend(page_names.iter().map(|it| it["InferenceComponentName"].as_str().unwrap().to_owned()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(components, ["mistral-24b", "mistral-24b-legal", "phi-4", "router"]);
    let describe = async |name: &str| {
        call(&server, "SageMaker.DescribeInferenceComponent", json!({"InferenceComponentName": name})).await
    };
    let adapter = describe("mistral-24b-legal").await;
    assert_eq!(adapter["Specification"]["BaseInferenceComponentName"], "mistral-24b");
    assert_eq!(adapter["RuntimeConfig"], Value::Null);
    let on_cpu = describe("router").await;
    let resources = &on_cpu["Specification"]["ComputeResourceRequirements"];
    assert_eq!(resources["NumberOfAcceleratorDevicesRequired"], Value::Null);
    assert_eq!(on_cpu["RuntimeConfig"]["CurrentCopyCount"], 2);
    let nobody = call(&server, "SageMaker.DescribeEndpoint", json!({"EndpointName": "nobody"})).await;
    assert_eq!(nobody["__type"], "ValidationException");
    assert!(nobody["message"].as_str().unwrap().starts_with("Could not find endpoint"));
    let large = call(&server, "SageMaker.ListEndpoints", json!({"MaxResults": 101})).await;
    assert_eq!(large["__type"], "ValidationException");
}

#[tokio::test]
async fn the_price_list_holds_hosting_prices_among_others() {
    let server = stand_ins("mixed");
    let products = async |body: Value| call(&server, "AWSPriceListService.GetProducts", body).await;
    let all = products(json!({"ServiceCode": "AmazonSageMaker"})).await;
    let items: Vec<&str> =
        all["PriceList"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(items.len(), 12);
    let prices: Vec<_> = items.iter().filter_map(|item| hosting_price(item, "us-east-1").ok()).collect();
    assert_eq!(prices.len(), 3);
    assert_eq!(prices[1].per_hour.0, 1_127_000);
    assert_eq!((prices[2].gpus, prices[2].vcpus), (None, Some(16)));
    let filter = |field: &str, value: &str| json!({"Type": "TERM_MATCH", "Field": field, "Value": value});
    let filters = json!([filter("regionCode", "us-east-1"), filter("platoinstancetype", "Hosting")]);
    let hosting =
        products(json!({"ServiceCode": "AmazonSageMaker", "Filters": filters, "MaxResults": 2})).await;
    assert_eq!(hosting["PriceList"].as_array().unwrap().len(), 2);
    let next = json!({"ServiceCode": "AmazonSageMaker", "Filters": filters, "MaxResults": 2, "NextToken": hosting["NextToken"]});
    let next = products(next).await;
    assert_eq!((next["PriceList"].as_array().unwrap().len(), &next["NextToken"]), (1, &Value::Null));
    let nowhere = json!({"ServiceCode": "AmazonSageMaker", "Filters": [filter("regionCode", "eu-west-1")]});
    assert_eq!(products(nowhere).await["PriceList"], json!([]));
    assert_eq!(
        products(json!({"ServiceCode": "AmazonSageMaker", "NextToken": "x"})).await["__type"],
        "InvalidNextTokenException"
    );
}

#[tokio::test]
async fn another_fleet_can_be_played_without_a_restart() {
    let server = stand_ins("blog");
    let url = format!("{}/_scenario", server.url());
    let client = reqwest::Client::new();
    let mig = tests::project::root().join("tests/scenarios/mig.toml");
    let put = client.put(&url).body(std::fs::read_to_string(mig).unwrap()).send().await.unwrap();
    assert!(put.status().is_success());
    let endpoints = call(&server, "SageMaker.ListEndpoints", json!({})).await;
    assert_eq!(endpoints["Endpoints"][0]["EndpointName"], "search");
    let refused = client.put(&url).body("region = 1").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(server.scenario().endpoints[0].name, "search");
    let shown = client.get(&url).send().await.unwrap().text().await.unwrap();
    assert_eq!(Scenario::parse(&shown).unwrap(), server.scenario());
}
