#![allow(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use serde_json::json;

use super::*;
use crate::Secret;
use crate::wire::{Reply, SECRET, Wire};

mod pagers;
mod sending;
mod slack;

fn through(wire: &Wire) -> Outbound {
    Outbound { connector: SharedHttpConnector::new(wire.clone()) }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn token() -> Secret {
    Secret::new("token-quokka")
}

fn transient(word: &str) -> Answer {
    Answer::Transient(word.to_owned())
}

fn malformed(word: &str) -> Answer {
    Answer::Malformed(word.to_owned())
}

fn unauthorized(word: &str) -> Answer {
    Answer::Unauthorized(word.to_owned())
}

fn rejected(word: &str) -> Answer {
    Answer::Rejected(word.to_owned())
}

/// No answer shows what a service wrote in words, an address or a token.
fn assert_discreet(answer: &Answer) {
    let shown = format!("{answer:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("quokka") && !shown.contains("http:"), "{shown}");
}
