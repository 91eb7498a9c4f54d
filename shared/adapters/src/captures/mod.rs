//! Capture objects in S3, read as a stream of lines, and the verdict files written beside them.

use std::io::Cursor;
use std::pin::Pin;

use async_compression::tokio::bufread::GzipDecoder;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::Fault;
use crate::fault::CONNECTION;
use crate::patience::limited;

mod lines;
#[cfg(test)]
mod tests;

pub use lines::{Line, Lines};

/// What every gzip member starts with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes that are decompressed at a time.
const DECOMPRESSED_CHUNK: usize = 64 * 1024;

/// S3, as quality-judge uses it.
#[derive(Debug, Clone)]
pub struct Captures {
    client: Client,
}

/// An open capture object.
#[derive(Debug)]
pub struct CaptureObject {
    /// The version that is being read, without quotes.
    pub etag: String,
    /// Its lines, decompressed when it is gzip.
    pub lines: Lines<Reader>,
}

/// What [`Lines`] reads from.
pub struct Reader(Pin<Box<dyn AsyncBufRead + Send>>);

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

/// Why an object cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unopened {
    /// It is gone: deleted, or expired by a lifecycle rule.
    #[error("the object is gone")]
    Gone,
    /// It was written again since the event; the newer version has an event of its own.
    #[error("the object was written again since the event")]
    Superseded,
    /// Assay may not read it, or it does not exist and Assay may not list the bucket.
    #[error(
        "no permission to read the object: allow s3:GetObject (and kms:Decrypt when it is encrypted with a KMS key)"
    )]
    Forbidden,
    /// Another failure.
    #[error(transparent)]
    Failed(#[from] Fault),
}

impl Captures {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        Self { client: Client::new(&limited(config)) }
    }

    /// Opens an object for reading; with `etag` only that version of it.
    pub async fn open(
        &self,
        bucket: &str,
        key: &str,
        etag: Option<&str>,
        longest_line: usize,
    ) -> Result<CaptureObject, Unopened> {
        let request = self.client.get_object().bucket(bucket).key(key);
        let request = match etag {
            Some(etag) => request.if_match(format!("\"{}\"", unquoted(etag))),
            None => request,
        };
        let object = request.send().await.map_err(|error| {
            let fault = Fault::of("GetObject", &error);
            match (fault.status, fault.code.as_str()) {
                (Some(404), _) => Unopened::Gone,
                (Some(412), _) => Unopened::Superseded,
                // An archived object; no permission helps.
                (_, "InvalidObjectState") => Unopened::Failed(fault),
                (Some(403), _) => Unopened::Forbidden,
                _ => Unopened::Failed(fault),
            }
        })?;
        let etag = unquoted(object.e_tag().unwrap_or_default()).to_owned();
        let reader = decompressed(Box::pin(object.body.into_async_read())).await?;
        Ok(CaptureObject { etag, lines: Lines::new(Reader(reader), longest_line) })
    }

    /// Writes a verdict file, replacing one of the same name.
    pub async fn put_verdicts(&self, bucket: &str, key: &str, lines: String) -> Result<(), Fault> {
        let request = self.client.put_object().bucket(bucket).key(key).content_type("application/x-ndjson");
        request
            .body(ByteStream::from(lines.into_bytes()))
            .send()
            .await
            .map(drop)
            .map_err(|error| Fault::of("PutObject", &error))
    }
}

/// An entity tag as an event carries it: S3 answers with quotes, its events leave them out.
fn unquoted(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

/// Looks at the first bytes, not at the name: SageMaker writes plain `.jsonl`, and an archive may
/// keep the name and compress the content.
async fn decompressed(
    mut plain: Pin<Box<dyn AsyncBufRead + Send>>,
) -> Result<Pin<Box<dyn AsyncBufRead + Send>>, Fault> {
    let start = plain.fill_buf().await.map_err(|_| broken_off())?;
    if start.len() == 1 {
        // The network may cut anywhere, so also within the two bytes.
        let first = start[0];
        plain.consume(1);
        let second = plain.fill_buf().await.map_err(|_| broken_off())?.first().copied();
        let is_gzip = [Some(first), second] == GZIP.map(Some);
        plain = Box::pin(AsyncReadExt::chain(Cursor::new([first]), plain));
        return Ok(if is_gzip { gunzipped(plain) } else { plain });
    }
    Ok(if start.starts_with(&GZIP) { gunzipped(plain) } else { plain })
}

fn gunzipped(plain: Pin<Box<dyn AsyncBufRead + Send>>) -> Pin<Box<dyn AsyncBufRead + Send>> {
    let mut decoder = GzipDecoder::new(plain);
    decoder.multiple_members(true);
    Box::pin(BufReader::with_capacity(DECOMPRESSED_CHUNK, decoder))
}

fn broken_off() -> Fault {
    Fault::here("GetObject", CONNECTION)
}
