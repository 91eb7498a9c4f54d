//! Why a line gave nothing to judge. Each reason is counted under its own name, and none carries
//! any content of the record.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident, $text:literal, $metric:literal, $advice:literal;)*) => {
        /// Why a line or a record was not looked at any further.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum SkipReason {
            $($(#[$doc])* $name,)*
        }

        impl SkipReason {
            /// Every reason, in the order in which a line meets them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in logs and in the verdict store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The name of the metric that counts it.
            pub const fn metric_name(self) -> &'static str {
                match self { $(Self::$name => $metric,)* }
            }

            /// What an operator can do about it, in one sentence.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

reasons! {
    /// The line is longer than the reader's limit. Given by whoever reads the lines.
    LineTooLong, "line_too_long", "SkippedLineTooLong",
        "Raise MaxLineBytes, and MemorySize in template.yaml with it, if exchanges this long matter.";
    /// The line, as it lies in the object, is not UTF-8.
    InvalidUtf8, "invalid_utf8", "SkippedInvalidUtf8",
        "Check that nothing but data capture writes under this prefix, and that the object is not compressed without a .gz name.";
    /// The line starts as a JSON object and ends in the middle of it.
    TruncatedLine, "truncated_line", "SkippedTruncatedLine",
        "Check whether the object was cut on its way (a copy job, a full disk on the instance).";
    /// The line is not a JSON object.
    InvalidJson, "invalid_json", "SkippedInvalidJson",
        "Check that nothing but data capture writes under this prefix.";
    /// JSON, but without the `captureData` and `eventMetadata` of a capture record.
    NotACapture, "not_a_capture", "SkippedNotACapture",
        "Narrow the notification's prefix to the data-capture destination.";
    /// `eventMetadata.eventId` is missing, empty or longer than 256 bytes.
    MissingEventId, "missing_event_id", "SkippedMissingEventId",
        "Check what rewrote the record: data capture always writes eventMetadata.eventId.";
    /// `eventMetadata.inferenceTime` is missing.
    MissingInferenceTime, "missing_inference_time", "SkippedMissingInferenceTime",
        "Check what rewrote the record: data capture always writes eventMetadata.inferenceTime.";
    /// `eventMetadata.inferenceTime` is not an RFC 3339 time.
    InvalidInferenceTime, "invalid_inference_time", "SkippedInvalidInferenceTime",
        "Check what rewrote the record: eventMetadata.inferenceTime must look like 2026-02-19T01:34:30Z.";
    /// The record has no `endpointInput`, or an empty one.
    NoInput, "no_input", "SkippedNoInput",
        "Add the capture mode Input to the endpoint's DataCaptureConfig.";
    /// The record has no `endpointOutput`, or an empty one.
    NoOutput, "no_output", "SkippedNoOutput",
        "Add the capture mode Output to the endpoint's DataCaptureConfig; replies of InvokeEndpointWithResponseStream may not be captured at all.";
    /// `encoding` is none of JSON, CSV and BASE64.
    UnknownEncoding, "unknown_encoding", "SkippedUnknownEncoding",
        "Report it: data capture is documented to write JSON, CSV or BASE64.";
    /// `encoding` is BASE64, or missing, and `data` is not BASE64.
    InvalidBase64, "invalid_base64", "SkippedInvalidBase64",
        "Check what rewrote the record: its data is not what its encoding says.";
    /// Request or reply starts as JSON and is broken.
    InvalidPayload, "invalid_payload", "SkippedInvalidPayload",
        "Check whether the client sends, or the container answers, broken or cut JSON.";
    /// Request or reply is of no text-generation protocol that Assay knows.
    NotTextGeneration, "not_text_generation", "SkippedNotTextGeneration",
        "Nothing, if the endpoint also serves other models; else report the payload's shape.";
    /// The reply is JSON and carries no text, only token counts for example.
    NoOutputText, "no_output_text", "SkippedNoOutputText",
        "Check whether the container's replies carry generated_text, choices or outputs.";
    /// A batch whose reply has not one answer for each question.
    BatchMismatch, "batch_mismatch", "SkippedBatchMismatch",
        "Check the container: it answered a batch with another number of texts than it was asked.";
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_from_each_other_and_are_distinct() {
        let mut seen = BTreeSet::new();
        for reason in SkipReason::ALL {
            assert!(seen.insert(reason.as_str()), "{reason} stands twice");
            let camel: String = reason
                .as_str()
                .split('_')
                .flat_map(|word| [word[..1].to_uppercase(), word[1..].to_owned()])
                .collect();
            assert_eq!(reason.metric_name(), format!("Skipped{camel}"));
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{reason}\""));
            assert!(reason.advice().ends_with('.'), "{reason}");
        }
    }
}
