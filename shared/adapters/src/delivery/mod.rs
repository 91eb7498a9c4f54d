//! Messages to Slack, PagerDuty, Opsgenie and any HTTPS address.
//!
//! What a service answers comes back as an [`Answer`], not as an error: waiting, a plainer message,
//! a fresh secret and giving up are decisions of the caller. The AWS SDK's own HTTP stack does the
//! sending, so that nothing is linked twice.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;

use crate::fault::{CONNECTION, TIMEOUT};
use crate::http::connections;

mod answer;
mod opsgenie;
mod pagerduty;
mod slack;
#[cfg(test)]
mod tests;
mod webhook;

pub use crate::address::{Address, NotAnAddress};
pub use answer::{Answer, Receipt};
pub use opsgenie::OpsgenieCall;
pub use slack::SlackCall;

use answer::Response;

/// A connection that is not there by then will not come.
const CONNECT: Duration = Duration::from_secs(3);
/// Slack and the pagers answer within a second. A call may be tried again after a plainer message
/// or a fresh secret, and all of it must end before the invocation does.
const WHOLE: Duration = Duration::from_secs(8);
/// An error page may be long; a code stands at its start.
const LONGEST_ANSWER: usize = 64 * 1024;

/// The way out, for one invocation: see [`Outbound::open`].
#[derive(Debug, Clone)]
pub struct Outbound {
    connector: SharedHttpConnector,
}

impl Outbound {
    /// Connects to nothing yet. To be opened anew for each invocation: a connection that slept
    /// through Lambda's freeze breaks in the middle of a call.
    pub fn open() -> Self {
        Self { connector: connections(CONNECT) }
    }

    /// Posts JSON with these headers, and reads the answer.
    async fn post(
        &self,
        to: &Address,
        headers: &[(&'static str, String)],
        body: &Value,
    ) -> Result<Response, Answer> {
        let unbuilt = || Answer::Rejected("the request could not be built".to_owned());
        let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
        request.set_method("POST").map_err(|_| unbuilt())?;
        request.set_uri(to.as_str().to_owned()).map_err(|_| unbuilt())?;
        let own = [
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("user-agent", "assay".to_owned()),
        ];
        for (name, value) in own.iter().chain(headers) {
            // A line break in a token, say.
            request.headers_mut().try_insert(*name, value.clone()).map_err(|_| {
                Answer::Unauthorized("the secret holds characters that no header may hold".to_owned())
            })?;
        }
        match tokio::time::timeout(WHOLE, self.exchange(request)).await {
            Ok(answered) => answered,
            Err(_) => Err(Answer::Transient(TIMEOUT.to_owned())),
        }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Response, Answer> {
        let response = self.connector.call(request).await.map_err(|error| unanswered(&error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").map(str::to_owned);
        let body = start_of(response).await?;
        Ok(Response { status, retry_after, body })
    }
}

/// The start of a body; the rest is not read.
async fn start_of(response: HttpResponse) -> Result<String, Answer> {
    let mut body = ByteStream::new(response.into_body());
    let mut start = Vec::new();
    while let Some(part) = body.next().await {
        let part = part.map_err(|_| Answer::Transient(CONNECTION.to_owned()))?;
        start.extend_from_slice(&part);
        if start.len() >= LONGEST_ANSWER {
            start.truncate(LONGEST_ANSWER);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&start).into_owned())
}

fn unanswered(error: &ConnectorError) -> Answer {
    Answer::Transient(if error.is_timeout() { TIMEOUT } else { CONNECTION }.to_owned())
}
