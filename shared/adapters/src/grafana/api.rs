//! Grafana's own HTTP API.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use backon::{BackoffBuilder, ExponentialBuilder};
use domain::dashboard::provision::{Request, advice};
use serde_json::Value;
use thiserror::Error;

use super::Address;
use crate::Secret;
use crate::fault::{CONNECTION, TIMEOUT};
use crate::http::connections;

/// A connection that is not there by then will not come.
const CONNECT: Duration = Duration::from_secs(3);
/// Grafana writes a group of rules within a second or two.
const WHOLE: Duration = Duration::from_secs(20);
/// Calls after the first that fails for a passing reason.
const RETRIES: usize = 4;
/// Longer is not waited, whatever Grafana asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Two thousand dashboards in a list are a megabyte.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;
/// Of what Grafana says about a refusal.
const LONGEST_MESSAGE: usize = 300;

/// One Grafana, for one invocation: connections do not live through Lambda's freeze.
#[derive(Debug)]
pub struct Grafana {
    address: Address,
    token: Secret,
    connector: SharedHttpConnector,
}

/// An answer to a call that Grafana understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The status code: 2xx, or 4xx other than 408 and 429.
    pub status: u16,
    /// JSON; null when there is none.
    pub body: Value,
    /// What Grafana says about the call's future, such as that it will go away.
    pub warning: Option<String>,
    /// Whether an earlier try of the call may have been carried out.
    pub was_retried: bool,
}

/// Why a call was not carried out. Names the host, and never the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GrafanaFault {
    /// No answer.
    #[error(
        "{call} got no answer from {host}: {why}. The function must be able to reach it: a workspace with network \
         access control, or a Grafana in a private network, cannot be reached from outside"
    )]
    Unanswered {
        /// Verb and path.
        call: String,
        /// Scheme and host.
        host: String,
        /// `timeout` or `connection`.
        why: &'static str,
    },
    /// It was understood, and not done.
    #[error("{call} was refused by {host}: HTTP {status}{}{}", said.as_deref().map(|said| format!(" ({said})")).unwrap_or_default(), advice(*status, said.as_deref().unwrap_or_default()))]
    Refused {
        /// Verb and path.
        call: String,
        /// Scheme and host.
        host: String,
        /// The status code.
        status: u16,
        /// Grafana's words.
        said: Option<String>,
    },
    /// Something else answered.
    #[error("{call} was answered by {host} with something that is not JSON: is it the address of a Grafana?")]
    NotGrafana {
        /// Verb and path.
        call: String,
        /// Scheme and host.
        host: String,
    },
    /// A line break in it, say.
    #[error("the token holds characters that no header may hold")]
    BadToken,
    /// A path that is none.
    #[error("{0} is no call")]
    Unbuilt(String),
}

impl Answered {
    /// Whether it was carried out.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Grafana {
    /// Connects to nothing yet.
    pub fn open(address: Address, token: Secret) -> Self {
        Self::with(address, token, connections(CONNECT))
    }

    pub(super) fn with(address: Address, token: Secret, connector: SharedHttpConnector) -> Self {
        Self { address, token, connector }
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Makes a call, again when it failed for a passing reason.
    pub async fn call(&self, request: &Request) -> Result<Answered, GrafanaFault> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(300))
            .with_max_times(RETRIES)
            .with_jitter()
            .build();
        let mut was_retried = false;
        loop {
            let (fault, asked) = match self.once(request).await? {
                Attempt::Done(answered) => return Ok(Answered { was_retried, ..answered }),
                Attempt::Failed(fault, asked) => (fault, asked),
            };
            let Some(pause) = pauses.next() else { return Err(fault) };
            tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            was_retried = true;
        }
    }

    /// Makes a call that is to succeed, and gives its answer.
    pub async fn done(&self, request: &Request) -> Result<Answered, GrafanaFault> {
        let answered = self.call(request).await?;
        if answered.is_success() { Ok(answered) } else { Err(self.refused(request, &answered)) }
    }

    /// What a call asks for; `None` when it is not there.
    pub async fn read(&self, request: &Request) -> Result<Option<Value>, GrafanaFault> {
        let answered = self.call(request).await?;
        match answered.status {
            404 => Ok(None),
            200..300 => Ok(Some(answered.body)),
            _ => Err(self.refused(request, &answered)),
        }
    }

    /// An answer as the fault that it is.
    pub fn refused(&self, request: &Request, answered: &Answered) -> GrafanaFault {
        GrafanaFault::Refused {
            call: call_of(request),
            host: self.address.origin().to_owned(),
            status: answered.status,
            said: self.said(&answered.body),
        }
    }

    async fn once(&self, request: &Request) -> Result<Attempt, GrafanaFault> {
        let sent = self.build(request)?;
        let fault = |why| GrafanaFault::Unanswered {
            call: call_of(request),
            host: self.address.origin().to_owned(),
            why,
        };
        let response = match tokio::time::timeout(WHOLE, self.exchange(sent)).await {
            Ok(Ok(response)) => response,
            Ok(Err(why)) => return Ok(Attempt::Failed(fault(why), None)),
            Err(_) => return Ok(Attempt::Failed(fault(TIMEOUT), None)),
        };
        let body = if response.body.iter().all(u8::is_ascii_whitespace) {
            Some(Value::Null)
        } else {
            serde_json::from_slice(&response.body).ok()
        };
        let answered = Answered {
            status: response.status,
            body: body.clone().unwrap_or_default(),
            warning: response.warning,
            was_retried: false,
        };
        match response.status {
            408 | 429 | 500.. => Ok(Attempt::Failed(self.refused(request, &answered), response.retry_after)),
            200..300 if body.is_none() => Err(GrafanaFault::NotGrafana {
                call: call_of(request),
                host: self.address.origin().to_owned(),
            }),
            _ => Ok(Attempt::Done(answered)),
        }
    }

    fn build(&self, request: &Request) -> Result<HttpRequest, GrafanaFault> {
        let unbuilt = || GrafanaFault::Unbuilt(call_of(request));
        let body = request.body.as_ref().map(ToString::to_string);
        let mut sent = HttpRequest::new(body.map_or_else(SdkBody::empty, SdkBody::from));
        sent.set_method(request.method.as_str()).map_err(|_| unbuilt())?;
        sent.set_uri(self.address.join(&request.path).as_str().to_owned()).map_err(|_| unbuilt())?;
        let headers = sent.headers_mut();
        headers.insert("accept", "application/json");
        headers.insert("user-agent", "assay");
        if request.body.is_some() {
            headers.insert("content-type", "application/json");
        }
        if request.stays_editable {
            headers.insert("x-disable-provenance", "true");
        }
        let bearer = format!("Bearer {}", self.token.reveal());
        headers.try_insert("authorization", bearer).map_err(|_| GrafanaFault::BadToken)?;
        Ok(sent)
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Response, &'static str> {
        let response = self.connector.call(request).await;
        let response = response.map_err(|error| if error.is_timeout() { TIMEOUT } else { CONNECTION })?;
        let header = |name: &str| response.headers().get(name).map(str::to_owned);
        let (retry_after, warning) = (header("retry-after"), header("warning"));
        let status = response.status().as_u16();
        let mut parts = ByteStream::new(response.into_body());
        let mut body = Vec::new();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part.map_err(|_| CONNECTION)?);
            if body.len() > LONGEST_ANSWER {
                return Err("an answer without end");
            }
        }
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        Ok(Response { status, retry_after, warning, body })
    }

    /// Grafana's own words: what it was sent holds no captured text, and the token is taken out
    /// should it be repeated.
    fn said(&self, body: &Value) -> Option<String> {
        let message = body["message"].as_str().filter(|message| !message.is_empty())?;
        let message = match self.token.reveal() {
            "" => message.to_owned(),
            token => message.replace(token, "(the token)"),
        };
        Some(message.chars().filter(|letter| !letter.is_control()).take(LONGEST_MESSAGE).collect())
    }
}

enum Attempt {
    Done(Answered),
    /// For a passing reason, and how long Grafana asks to wait.
    Failed(GrafanaFault, Option<Duration>),
}

struct Response {
    status: u16,
    retry_after: Option<Duration>,
    warning: Option<String>,
    body: Vec<u8>,
}

/// `PUT api/folders/x`: without the query, which is long.
fn call_of(request: &Request) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    format!("{} /{path}", request.method.as_str())
}
