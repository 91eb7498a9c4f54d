//! The sample captures of `events/captures/`, as SageMaker would have written them just now.

use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::clients::Clients;
use crate::failure::{During, Failure, Outcome};
use crate::project;

/// The endpoint that all samples belong to.
pub const ENDPOINT: &str = "support-chat";

/// Where SageMaker would write them: the local stack's event rule passes these keys on.
pub const PREFIX: &str = "data-capture/";

/// The bucket's name in the sample events.
pub const EXAMPLE_BUCKET: &str = "example-capture-bucket";

/// What the fleet file needs in addition, so that a model's name is enough to tell the component.
pub const FLEET: &str = r#"
[[endpoint]]
name = "support-chat"
components = ["gpt-oss-20b", "qwen-7b"]
models = { "openai/gpt-oss-20b" = "gpt-oss-20b" }
"#;

/// A sample and the name that its object has in S3: `MM-SS-mmm-<uuid>.jsonl`.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Under `events/captures/`.
    pub file: &'static str,
    /// The last part of the key.
    pub object: &'static str,
}

/// All samples.
pub const SAMPLES: &[Sample] = &[
    Sample {
        file: "gpt-oss-20b.custom-attributes.jsonl",
        object: "34-30-683-55126149-826d-415a-967b-33fa7f4666f3.jsonl",
    },
    Sample {
        file: "qwen-7b.inference-id.jsonl",
        object: "36-02-117-9a1f4f0e-0c0b-4f0e-8f52-6a3f5d0c7e21.jsonl",
    },
    Sample {
        file: "gpt-oss-20b.model.jsonl",
        object: "38-11-254-1f0ad3b7-2c64-4a0e-b1d9-8e5f3f2a6c10.jsonl",
    },
    Sample {
        file: "gpt-oss-20b.findings.jsonl",
        object: "39-47-008-e2b8c1d4-7f3a-4d5e-9a6b-0c1d2e3f4a5b.jsonl",
    },
    Sample { file: "qwen-7b.findings.jsonl", object: "40-20-431-6d7e8f90-a1b2-4c3d-8e4f-5a6b7c8d9e0f.jsonl" },
    Sample { file: "hostile.jsonl", object: "41-55-902-c77d21f3-5d0a-4e6b-9b34-1f8f1d1f90aa.jsonl" },
];

impl Sample {
    /// The one whose object a key names, whatever stands before it.
    pub fn of_key(key: &str) -> Option<Self> {
        let object = key.rsplit('/').next().unwrap_or(key);
        SAMPLES.iter().copied().find(|sample| sample.object == object)
    }

    /// Its key, had it been captured at `now`.
    pub fn key(self, now: Timestamp) -> String {
        format!("{PREFIX}{ENDPOINT}/AllTraffic/{}/{}", now.strftime("%Y/%m/%d/%H"), self.object)
    }

    /// Its lines, with the inferences spread over the minute before `now`.
    pub fn text(self, now: Timestamp) -> Outcome<Vec<u8>> {
        let path = self.path();
        let bytes = fs::read(&path).during(format!("read {}", path.display()))?;
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let moved = lines.iter().zip(0..).map(|(line, index)| moved(line, now, index));
        Ok(moved.collect::<Vec<_>>().join(&b'\n'))
    }

    /// Uploads it under `key`.
    pub async fn upload(self, clients: &Clients, bucket: &str, key: &str, now: Timestamp) -> Outcome<()> {
        let request = clients.s3.put_object().bucket(bucket).key(key).body(self.text(now)?.into());
        request.send().await.during(format!("upload {} to s3://{bucket}/{key}", self.file))?;
        Ok(())
    }

    fn path(self) -> PathBuf {
        project::root().join("events/captures").join(self.file)
    }
}

/// The line with its time of inference moved. A line that is broken on purpose stays as it is.
fn moved(line: &[u8], now: Timestamp, index: i64) -> Vec<u8> {
    let Ok(mut record) = serde_json::from_slice::<Value>(line) else { return line.to_vec() };
    let Some(time) = record.pointer_mut("/eventMetadata/inferenceTime") else { return line.to_vec() };
    // One that is no time is broken on purpose too.
    if time.as_str().is_none_or(|time| time.parse::<Timestamp>().is_err()) {
        return line.to_vec();
    }
    let at = now - SignedDuration::from_secs(60 - index.min(59));
    *time = Value::String(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    record.to_string().into_bytes()
}

/// The settings folder for the samples: what `CONFIG_URI` is set to. `alerts` is its `alerts.toml`.
pub async fn upload_settings(clients: &Clients, alerts: &str) -> Outcome<String> {
    const BUCKET: &str = "assay-settings";
    let path = project::root().join("config/fleet.toml");
    let shipped = fs::read_to_string(&path).during(format!("read {}", path.display()))?;
    clients.s3.create_bucket().bucket(BUCKET).send().await.during("create the settings bucket")?;
    for (file, text) in [("fleet.toml", shipped + FLEET), ("alerts.toml", alerts.to_owned())] {
        let put = clients.s3.put_object().bucket(BUCKET).key(file).body(text.into_bytes().into());
        put.send().await.during(format!("upload {file}"))?;
    }
    Ok(format!("s3://{BUCKET}/"))
}

/// What is wrong with the table of samples: each file must be there.
pub fn check() -> Outcome<()> {
    let missing: Vec<&str> =
        SAMPLES.iter().filter(|sample| !sample.path().exists()).map(|sample| sample.file).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure(format!("events/captures lacks {}", missing.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inferences_move_to_now_and_broken_lines_stay() {
        let now: Timestamp = "2027-03-04T05:06:07Z".parse().unwrap();
        let line = br#"{"eventMetadata":{"inferenceTime":"2026-01-01T00:00:00Z"}}"#;
        assert_eq!(moved(line, now, 3), br#"{"eventMetadata":{"inferenceTime":"2027-03-04T05:05:10Z"}}"#);
        for broken in [&b"{\"a\": "[..], br#"{"eventMetadata":{"inferenceTime":"soon"}}"#, b"\xff", b""] {
            assert_eq!(moved(broken, now, 0), broken);
        }
    }

    #[test]
    fn keys_are_what_sagemaker_writes() {
        let now: Timestamp = "2027-03-04T05:06:07Z".parse().unwrap();
        let key = SAMPLES[0].key(now);
        assert!(key.starts_with("data-capture/support-chat/AllTraffic/2027/03/04/05/34-30-683-"), "{key}");
        assert_eq!(Sample::of_key(&key).unwrap().file, SAMPLES[0].file);
    }
}
