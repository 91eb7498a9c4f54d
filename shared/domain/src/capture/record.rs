//! One line of a capture object: who was asked when, and both bodies as they went over the wire.
//!
//! Format: SageMaker developer guide, "model-monitor-data-capture". `data` is always a text, so
//! JSON bodies are encoded twice.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::payload::shape::{Scalar, Shape};
use super::payload::{self, Conversation};
use super::skip::SkipReason;
use super::surrogates::mended;

/// The longest event id in bytes; SageMaker's have 36.
const LONGEST_EVENT_ID: usize = 256;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Containers differ in whether they pad; nothing is gained by insisting.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// One captured invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureRecord<'a> {
    /// SageMaker's id of the invocation: not empty, at most 256 bytes, otherwise free.
    pub event_id: Cow<'a, str>,
    /// When it was invoked, to the second.
    pub inference_time: Timestamp,
    /// The `CustomAttributes` header as the caller sent it: none or one text in practice. Hostile.
    pub custom_attributes: Vec<Cow<'a, str>>,
    /// The `InferenceId` that the caller sent. Hostile.
    pub inference_id: Option<Cow<'a, str>>,
    /// The request, when it was captured.
    pub input: Option<CapturedSide<'a>>,
    /// The reply, when it was captured.
    pub output: Option<CapturedSide<'a>>,
}

/// The body of a request or a reply. Its debug form tells the length only, so that no prompt
/// reaches a log by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct CapturedSide<'a> {
    /// The content type that SageMaker saw; null for error replies.
    pub content_type: Option<Cow<'a, str>>,
    body: Result<Cow<'a, str>, SkipReason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRecord<'a> {
    #[serde(borrow, default)]
    capture_data: Shape<'a, RawData<'a>>,
    #[serde(borrow, default)]
    event_metadata: Shape<'a, RawMetadata<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawData<'a> {
    #[serde(borrow, default)]
    endpoint_input: Shape<'a, RawSide<'a>>,
    #[serde(borrow, default)]
    endpoint_output: Shape<'a, RawSide<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSide<'a> {
    #[serde(borrow, default)]
    observed_content_type: Scalar<'a>,
    #[serde(borrow, default)]
    data: Scalar<'a>,
    #[serde(borrow, default)]
    encoding: Scalar<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMetadata<'a> {
    #[serde(borrow, default)]
    event_id: Scalar<'a>,
    #[serde(borrow, default)]
    inference_time: Scalar<'a>,
    #[serde(borrow, default)]
    custom_attributes: Shape<'a, IgnoredAny, Scalar<'a>>,
    #[serde(borrow, default)]
    inference_id: Scalar<'a>,
}

/// Whether a line holds nothing but white space (a byte order mark included): it is no record, and
/// nothing to count. Ask before [`CaptureRecord::parse`], which calls such a line invalid JSON.
pub fn is_blank(line: &[u8]) -> bool {
    without_bom(line).trim_ascii().is_empty()
}

fn without_bom(line: &[u8]) -> &[u8] {
    line.strip_prefix(BOM).unwrap_or(line)
}

impl<'a> CaptureRecord<'a> {
    /// Reads one line, with or without its line end.
    ///
    /// BASE64 bodies are decoded here; what is wrong with a body is said when it is asked for, so
    /// that the record can still be named and attributed.
    pub fn parse(line: &'a [u8]) -> Result<Self, SkipReason> {
        let line = std::str::from_utf8(without_bom(line)).map_err(|_| SkipReason::InvalidUtf8)?;
        if !line.trim_start().starts_with('{') {
            return Err(SkipReason::InvalidJson);
        }
        let raw: RawRecord<'a> = serde_json::from_str(line).map_err(|error| broken_line(&error))?;
        let (Some(data), Some(metadata)) = (raw.capture_data.into_object(), raw.event_metadata.into_object())
        else {
            return Err(SkipReason::NotACapture);
        };
        let event_id = metadata.event_id.into_text().filter(|id| (1..=LONGEST_EVENT_ID).contains(&id.len()));
        let event_id = event_id.ok_or(SkipReason::MissingEventId)?;
        let inference_time = inference_time(&metadata.inference_time)?;
        let custom_attributes = match metadata.custom_attributes {
            Shape::Text(text) => vec![text],
            list => list.into_items().into_iter().filter_map(Shape::into_text).collect(),
        };
        Ok(Self {
            event_id,
            inference_time,
            custom_attributes,
            inference_id: metadata.inference_id.into_text().filter(|id| !id.is_empty()),
            input: data.endpoint_input.into_object().map(CapturedSide::from_raw),
            output: data.endpoint_output.into_object().map(CapturedSide::from_raw),
        })
    }

    /// What was said and answered.
    pub fn decode(&self) -> Result<Conversation<'_>, SkipReason> {
        let input = self.input.as_ref().ok_or(SkipReason::NoInput)?.body()?;
        if input.is_empty() {
            return Err(SkipReason::NoInput);
        }
        let output = self.output.as_ref().map(CapturedSide::body).transpose()?;
        payload::decode(input, output)
    }
}

fn broken_line(error: &serde_json::Error) -> SkipReason {
    if error.is_data() {
        SkipReason::NotACapture
    } else if error.is_eof() {
        SkipReason::TruncatedLine
    } else {
        SkipReason::InvalidJson
    }
}

fn inference_time(raw: &Scalar<'_>) -> Result<Timestamp, SkipReason> {
    match raw {
        Shape::Missing => Err(SkipReason::MissingInferenceTime),
        Shape::Text(text) => text.parse().map_err(|_| SkipReason::InvalidInferenceTime),
        _ => Err(SkipReason::InvalidInferenceTime),
    }
}

impl<'a> CapturedSide<'a> {
    fn from_raw(raw: RawSide<'a>) -> Self {
        let body = match (raw.data, raw.encoding) {
            (Shape::Text(data), encoding) => decoded(data, &encoding),
            (Shape::Missing, _) => Ok(Cow::Borrowed("")),
            _ => Err(SkipReason::NotACapture),
        };
        Self { content_type: raw.observed_content_type.into_text(), body: body.map(mended) }
    }

    /// The body as text, without byte order mark and surrounding white space.
    pub fn body(&self) -> Result<&str, SkipReason> {
        self.body.as_deref().map(trimmed).map_err(|reason| *reason)
    }
}

fn trimmed(body: &str) -> &str {
    body.trim_start_matches('\u{feff}').trim()
}

fn decoded<'a>(data: Cow<'a, str>, encoding: &Scalar<'_>) -> Result<Cow<'a, str>, SkipReason> {
    match encoding {
        Shape::Text(name) if name.eq_ignore_ascii_case("json") || name.eq_ignore_ascii_case("csv") => {
            Ok(data)
        }
        Shape::Text(name) if name.eq_ignore_ascii_case("base64") => from_base64(&data),
        // No encoding means BASE64, except for what cannot be BASE64.
        Shape::Missing if trimmed(&data).starts_with(['{', '[']) => Ok(data),
        Shape::Missing => from_base64(&data),
        _ => Err(SkipReason::UnknownEncoding),
    }
}

fn from_base64<'a>(data: &str) -> Result<Cow<'a, str>, SkipReason> {
    let bytes = BASE64.decode(data.trim()).map_err(|_| SkipReason::InvalidBase64)?;
    // Images, tensors and the like.
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| SkipReason::NotTextGeneration)
}

impl fmt::Debug for CapturedSide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedSide")
            .field("content_type", &self.content_type)
            .field("body", &self.body.as_ref().map(|body| body.len()))
            .finish()
    }
}
