//! The schema in a tool's definition, byte for byte.
//!
//! The SDK keeps JSON of a free shape in a hash map and writes its keys in another order each time.
//! But models fill in fields in the order of the schema, and the reason has to come before the
//! score; and a prompt cache or a compiled schema is found again by its bytes. So the SDK writes a
//! slot, and the text takes its place before the request is signed.

use aws_sdk_bedrockruntime::config::http::HttpRequest;
use aws_smithy_types::Document;
use aws_smithy_types::body::SdkBody;

const SLOT: &str = "assay-verdict-schema";

/// What the SDK is given for the schema.
pub(super) fn slot() -> Document {
    Document::String(SLOT.to_owned())
}

/// Puts `schema` into the slot. In a text of the request the quotes around it would be escaped, so
/// that no sample can imitate the slot.
pub(super) fn fill(request: &mut HttpRequest, schema: &str) {
    let slot = format!(r#""json":"{SLOT}""#);
    let body = request.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
    let Some(body) = body.map(|body| body.replacen(&slot, &format!(r#""json":{schema}"#), 1)) else { return };
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}
