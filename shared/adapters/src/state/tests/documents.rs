use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::capacity::topology::{Component, EndpointTopology, TopologySource};

use super::*;

fn topology(components: usize) -> EndpointTopology {
    let component = |place: usize| Component {
        // As long as a name can be, and no two alike.
        name: format!("{place:04}-{}", sha(place)).parse().unwrap(),
        variant: Some("AllTraffic".to_owned()),
        copies: Some(u32::try_from(place % 7).unwrap()),
        accelerators: 0,
        accelerators_by_type: [("ml.g6.12xlarge", 4), ("ml.p5.48xlarge", 2)]
            .map(|(kind, count)| (kind.to_owned(), count))
            .into(),
        partition: None,
        milli_cores: Some(4000),
        base: None,
        placements: [("ml.g6.12xlarge".to_owned(), 1), ("ml.p5.48xlarge".to_owned(), 2)].into(),
    };
    EndpointTopology {
        endpoint: "chat".parse().unwrap(),
        source: TopologySource::ControlPlane { read_at: now() },
        enhanced_metrics: Some(true),
        publish_frequency: None,
        variants: Vec::new(),
        components: (0..components).map(component).collect(),
    }
}

/// 58 characters that nothing compresses well.
fn sha(seed: usize) -> String {
    let mut state = u64::try_from(seed).unwrap() + 1;
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_digit(u32::try_from(state >> 59).unwrap(), 32).unwrap()
    };
    (0..58).map(|_| digit()).collect()
}

/// What a put wrote, as a get would find it.
async fn stored(topology: &EndpointTopology) -> Value {
    let wire = Wire::new([Reply::json(&json!({}))]);
    let key = DocumentKey::topology(&topology.endpoint);
    table(&wire).remember(&key, topology, now()).await.unwrap();
    let sent = wire.only();
    assert_eq!(sent.header("x-amz-target"), Some("DynamoDB_20120810.PutItem"));
    let request = sent.json();
    assert_eq!(request["TableName"], "state");
    request["Item"].clone()
}

async fn recalled(items: &[Value]) -> HashMap<DocumentKey, Kept<EndpointTopology>> {
    let found = json!({"Responses": {"state": items}, "UnprocessedKeys": {}});
    let wire = Wire::new([Reply::json(&found)]);
    let keys = ["chat", "code"].map(|name| DocumentKey::topology(&name.parse().unwrap()));
    let documents = table(&wire).recall(keys).await.unwrap();
    let wanted = json!([{"pk": s("topology#chat")}, {"pk": s("topology#code")}]);
    assert_eq!(wire.only().json()["RequestItems"]["state"]["Keys"], wanted);
    documents
}

#[tokio::test(start_paused = true)]
async fn a_document_comes_back_with_its_time() {
    let item = stored(&topology(3)).await;
    assert_eq!((&item["pk"], &item["expires_at"]), (&s("topology#chat"), &n(EXPIRY)));
    let documents = recalled(&[item]).await;
    let key = DocumentKey::topology(&"chat".parse().unwrap());
    assert_eq!(documents[&key], Kept { document: topology(3), stored_at: now() });
    assert_eq!(documents.len(), 1, "what is not there is left out");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_components_fit_into_an_item_many_times_over() {
    let item = stored(&topology(1000)).await;
    let bytes = STANDARD.decode(item["document"]["B"].as_str().unwrap()).unwrap();
    println!("1,000 components with the longest names: {} bytes", bytes.len());
    assert!(bytes.len() < 100_000, "{} of 400,000 bytes", bytes.len());
}

#[tokio::test(start_paused = true)]
async fn a_document_of_another_form_is_as_good_as_none() {
    let good = stored(&topology(1)).await;
    for (name, value) in [
        ("document", json!({"B": STANDARD.encode("no gzip")})),
        ("document", s("text")),
        ("stored_at", s("yesterday")),
    ] {
        let mut item = good.clone();
        item[name] = value;
        assert!(recalled(&[item]).await.is_empty());
    }
    let mut other = good;
    other["document"] = json!({"B": STANDARD.encode(super::super::documents::compressed(&[1, 2]).unwrap())});
    assert!(recalled(&[other]).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_table_that_fails_is_a_fault() {
    let wire = Wire::new([throttled()]);
    let fault = table(&wire).remember(&DocumentKey::endpoints(), &["chat"], now()).await.unwrap_err();
    assert!(fault.is_transient(), "{fault}");
    let recalled = table(&wire).recall::<Vec<String>>([DocumentKey::prices("eu-west-1")]).await;
    assert!(recalled.is_err());
}
