#![allow(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::wire::{Reply, Wire};

const TOKEN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:assay/slack-AbCdEf";
const PARAMETER: &str = "arn:aws:ssm:eu-central-1:123456789012:parameter/assay/pager";
const HOUR: Duration = Duration::from_hours(1);

fn of(text: &str) -> SecretRef {
    text.parse().unwrap()
}

fn secret(text: &str) -> Reply {
    Reply::json(&json!({"ARN": TOKEN, "Name": "assay/slack", "SecretString": text}))
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_read_once_and_again_after_its_time() {
    let wire = Wire::new([secret("first\n"), secret("second")]);
    let secrets = Secrets::new(&wire.config(), HOUR);
    for _ in 0..3 {
        assert_eq!(secrets.get(&of(TOKEN)).await.unwrap(), Secret::new("first"));
    }
    let sent = wire.only();
    assert_eq!(sent.header("x-amz-target"), Some("secretsmanager.GetSecretValue"));
    assert_eq!(sent.json(), json!({"SecretId": TOKEN}));
    tokio::time::advance(HOUR).await;
    assert_eq!(secrets.get(&of(TOKEN)).await.unwrap(), Secret::new("second"));
    assert_eq!(wire.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_parameter_is_decrypted_and_a_key_taken_out_of_it() {
    let value = json!({"routing_key": "r", "other": 1}).to_string();
    let wire = Wire::new([Reply::json(&json!({"Parameter": {"Name": "/assay/pager", "Value": value}}))]);
    let secrets = Secrets::new(&wire.config(), HOUR);
    let keyed = of(&format!("{PARAMETER}#routing_key"));
    assert_eq!(secrets.get(&keyed).await.unwrap(), Secret::new("r"));
    let sent = wire.only();
    assert_eq!(sent.header("x-amz-target"), Some("AmazonSSM.GetParameter"));
    assert_eq!(sent.json(), json!({"Name": PARAMETER, "WithDecryption": true}));
    for missing in ["other", "quokka"] {
        let missing = of(&format!("{PARAMETER}#{missing}"));
        assert_eq!(secrets.get(&missing).await.unwrap_err(), NoSecret::NoKey(missing));
    }
}

#[tokio::test(start_paused = true)]
async fn many_that_were_refused_cause_one_fresh_reading() {
    let wire = Wire::new([secret("old"), secret("new")]);
    let secrets = Secrets::new(&wire.config(), HOUR);
    let of = of(TOKEN);
    let old = secrets.get(&of).await.unwrap();
    secrets.forget(&of, &old);
    assert_eq!(secrets.get(&of).await.unwrap(), Secret::new("new"));
    // Another delivery was under way with the old one.
    secrets.forget(&of, &old);
    assert_eq!(secrets.get(&of).await.unwrap(), Secret::new("new"));
    assert_eq!(wire.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn callers_at_the_same_time_share_one_call() {
    let slow = Reply::After(Duration::from_millis(100), Box::new(secret("s")));
    let wire = Wire::new([slow]);
    let secrets = Secrets::new(&wire.config(), HOUR);
    let of = of(TOKEN);
    let got = futures_util::future::join_all((0..10).map(|_| secrets.get(&of))).await;
    assert!(got.into_iter().all(|got| got.unwrap() == Secret::new("s")));
    assert_eq!(wire.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_tells_the_arn_and_what_to_do_and_is_not_kept() {
    let wire = Wire::new([Reply::error(400, "AccessDeniedException"), secret("s"), secret(" ")]);
    let secrets = Secrets::new(&wire.config(), HOUR);
    let error = secrets.get(&of(TOKEN)).await.unwrap_err();
    assert!(!error.is_transient());
    let text = error.to_string();
    assert!(text.contains(TOKEN) && text.contains("allow the function to read it"), "{text}");
    assert!(!text.contains(crate::wire::SECRET), "{text}");
    let got = secrets.get(&of(TOKEN)).await.unwrap();
    secrets.forget(&of(TOKEN), &got);
    assert_eq!(secrets.get(&of(TOKEN)).await.unwrap_err(), NoSecret::NoText(of(TOKEN)));
}
