//! For tests: CloudWatch's wire, which is CBOR.

use std::io::Read;

use ciborium::Value;

use crate::wire::{Reply, Sent};

/// A good answer.
pub(super) fn reply(body: &Value) -> Reply {
    answer(200, body)
}

/// CloudWatch throttles with status 400.
pub(super) fn throttled() -> Reply {
    answer(400, &map([("__type", "ThrottlingException".into())]))
}

fn answer(status: u16, body: &Value) -> Reply {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    Reply::new(status, bytes).header("smithy-protocol", "rpc-v2-cbor")
}

pub(super) fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A request's body, decompressed.
pub(super) fn read(sent: &Sent) -> Value {
    let mut body = sent.body.clone();
    if sent.header("content-encoding") == Some("gzip") {
        body.clear();
        flate2::read::GzDecoder::new(sent.body.as_slice()).read_to_end(&mut body).unwrap();
    }
    assert!(body.len() <= 1_000_000, "{} bytes", body.len());
    ciborium::from_reader(body.as_slice()).unwrap()
}

pub(super) fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let fields = value.as_map().unwrap();
    &fields.iter().find(|(field, _)| field.as_text() == Some(name)).unwrap().1
}

pub(super) fn text(value: &Value, name: &str) -> String {
    field(value, name).as_text().unwrap().to_owned()
}

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    field(value, name).as_array().unwrap()
}

pub(super) fn numbers(value: &Value, name: &str) -> Vec<f64> {
    list(value, name).iter().map(|number| number.as_float().unwrap()).collect()
}
