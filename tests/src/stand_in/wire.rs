//! CloudWatch speaks CBOR, often packed with gzip. Here everything is JSON: what arrives is
//! unpacked for the stand-ins, the record and the scripts, and what they answer is packed again.
//!
//! Format: Smithy RPC v2 CBOR. A timestamp is tag 1, in seconds; in JSON it is the number.

use std::io::Read as _;

use axum::http::HeaderMap;
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

use super::Reply;

/// The tag of seconds since 1970.
const TIME: u64 = 1;
/// Members that are timestamps, and members that are floating-point numbers even when whole.
const TIMES: [&str; 2] = ["Timestamp", "Timestamps"];
const FLOATS: [&str; 2] = ["Value", "Values"];

const CONTENT_TYPE: &str = "application/cbor";

/// Whether a request, by its headers, speaks CBOR.
pub(super) fn is_cbor(headers: &HeaderMap) -> bool {
    header(headers, "content-type").is_some_and(|kind| kind.starts_with(CONTENT_TYPE))
}

/// The body as a text: JSON where it was CBOR. What is not UTF-8 is replaced.
pub(crate) fn text(headers: &HeaderMap, body: &[u8]) -> String {
    let mut unpacked = Vec::new();
    let is_packed = header(headers, "content-encoding") == Some("gzip");
    let body = if is_packed && flate2::read::GzDecoder::new(body).read_to_end(&mut unpacked).is_ok() {
        &unpacked
    } else {
        body
    };
    if is_cbor(headers)
        && let Ok(value) = ciborium::from_reader::<Cbor, _>(body)
    {
        return to_json(value).to_string();
    }
    String::from_utf8_lossy(body).into_owned()
}

/// The bytes of an answer to a request that spoke CBOR. A body that is not JSON goes as it is.
pub(super) fn packed(mut reply: Reply) -> (Reply, Vec<u8>) {
    let Ok(value) = serde_json::from_str::<Value>(&reply.body) else {
        let body = std::mem::take(&mut reply.body).into_bytes();
        return (reply, body);
    };
    let mut body = Vec::new();
    // Writing to memory does not fail.
    drop(ciborium::into_writer(&to_cbor(value, ""), &mut body));
    reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    reply.headers.push(("content-type".to_owned(), CONTENT_TYPE.to_owned()));
    reply.headers.push(("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()));
    (reply, body)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn to_json(value: Cbor) -> Value {
    match value {
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Integer(number) => i64::try_from(number).map_or(Value::Null, Value::from),
        Cbor::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Tag(_, inner) => to_json(*inner),
        Cbor::Array(items) => Value::Array(items.into_iter().map(to_json).collect()),
        Cbor::Map(entries) => {
            let entry = |(name, value): (Cbor, Cbor)| Some((name.into_text().ok()?, to_json(value)));
            Value::Object(entries.into_iter().filter_map(entry).collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

fn to_cbor(value: Value, member: &str) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(flag) => Cbor::Bool(flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) if TIMES.contains(&member) => Cbor::Tag(TIME, Box::new(whole.into())),
            (Some(whole), _) if !FLOATS.contains(&member) => whole.into(),
            (_, Some(float)) if TIMES.contains(&member) => Cbor::Tag(TIME, Box::new(float.into())),
            (_, float) => float.unwrap_or_default().into(),
        },
        Value::String(text) => text.into(),
        Value::Array(items) => Cbor::Array(items.into_iter().map(|item| to_cbor(item, member)).collect()),
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                let value = to_cbor(value, &name);
                (Cbor::Text(name), value)
            };
            Cbor::Map(fields.into_iter().map(field).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cbor_and_back_is_the_same_json() {
        let body =
            json!({"Label": "m", "Timestamps": [1_790_000_040, 0.5], "Values": [1, 2.5], "Period": 60});
        let reply = Reply::json(200, &body);
        let (reply, bytes) = packed(reply);
        let raw: Cbor = ciborium::from_reader(bytes.as_slice()).unwrap();
        let raw = format!("{raw:?}");
        assert!(raw.contains("Tag(1, Integer(Integer(1790000040)))") && raw.contains("Float(1.0)"), "{raw}");
        let mut headers = HeaderMap::new();
        for (name, value) in &reply.headers {
            headers
                .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let back: Value = serde_json::from_str(&text(&headers, &bytes)).unwrap();
        assert_eq!(back["Timestamps"], body["Timestamps"]);
        assert_eq!(back["Values"], json!([1.0, 2.5]));
        assert_eq!(back["Period"], 60);
    }
}
