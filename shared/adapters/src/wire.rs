//! For tests: an HTTP client that replies from a script and keeps what was sent, so that a test
//! sees the bytes of the public constructors' clients and decides what comes back.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use http_body::Frame;
use serde_json::Value;

/// What comes back for one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A status, headers and a body in these parts.
    Http { status: u16, headers: Vec<(&'static str, String)>, parts: Vec<Vec<u8>>, breaks_off: bool },
    /// The connection is reset before an answer.
    Reset,
    /// The connection cannot be made in time.
    NoConnection,
    /// Nothing, ever.
    Silence,
    /// Another reply after a while.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// A whole answer.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::parts(status, vec![body.into()])
    }

    /// A good answer with a JSON body.
    pub(crate) fn json(body: &Value) -> Self {
        Self::new(200, body.to_string())
    }

    /// An answer whose body comes in these parts.
    pub(crate) fn parts(status: u16, parts: Vec<Vec<u8>>) -> Self {
        Self::Http { status, headers: Vec::new(), parts, breaks_off: false }
    }

    /// An error of a JSON protocol, with a message that must not be seen anywhere.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::json_error(status, code, SECRET)
    }

    /// An error of a JSON protocol.
    pub(crate) fn json_error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"__type": code, "message": message});
        Self::new(status, body.to_string()).header("x-amzn-errortype", code)
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }

    /// Whose connection is reset at the end of its parts.
    pub(crate) fn breaking_off(mut self) -> Self {
        if let Self::Http { breaks_off, .. } = &mut self {
            *breaks_off = true;
        }
        self
    }

    async fn come(self) -> Result<HttpResponse, ConnectorError> {
        match self {
            Self::Http { status, headers, parts, breaks_off } => {
                let parts = parts.into_iter().map(|part| Ok(Bytes::from(part)));
                let end = breaks_off.then(|| Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
                let body = SdkBody::from_body_1_x(Parts(parts.chain(end).collect()));
                let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), body);
                for (name, value) in headers {
                    response.headers_mut().insert(name, value);
                }
                Ok(response)
            }
            Self::Reset => Err(ConnectorError::io("connection reset by peer".into())),
            Self::NoConnection => Err(ConnectorError::timeout("connect timed out".into())),
            Self::Silence => std::future::pending().await,
            Self::After(pause, reply) => {
                tokio::time::sleep(pause).await;
                Box::pin(reply.come()).await
            }
        }
    }
}

/// A text that stands in every scripted error: captured content as a service might quote it.
pub(crate) const SECRET: &str = "the patient's diagnosis";

struct Parts(VecDeque<Result<Bytes, std::io::Error>>);

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(self.0.pop_front().map(|part| part.map(Frame::data)))
    }
}

/// A request as it went out.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A scripted AWS. The last reply is repeated.
#[derive(Debug, Clone)]
pub(crate) struct Wire(Arc<Mutex<Script>>);

#[derive(Debug)]
struct Script {
    replies: VecDeque<Reply>,
    sent: Vec<Sent>,
}

impl Wire {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self(Arc::new(Mutex::new(Script { replies: replies.into_iter().collect(), sent: Vec::new() })))
    }

    /// What an AWS client is built from in production, with this wire in place of the network.
    pub(crate) fn config(&self) -> SdkConfig {
        self.config_without_credentials().into_builder().credentials_provider(credentials()).build()
    }

    /// The same for a process that has no credentials.
    pub(crate) fn config_without_credentials(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .http_client(self.clone())
            .sleep_impl(TokioSleep::new())
            .build()
    }

    /// All requests so far, oldest first.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    /// The only request.
    pub(crate) fn only(&self) -> Sent {
        let sent = self.sent();
        assert_eq!(sent.len(), 1, "requests");
        sent.into_iter().next().unwrap()
    }
}

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("access", "secret", None, None, "test"))
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sent = Sent {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: headers.collect(),
            body: request.body().bytes().unwrap_or_default().to_vec(),
        };
        let mut script = self.0.lock().unwrap();
        script.sent.push(sent);
        let reply = if script.replies.len() > 1 {
            script.replies.pop_front()
        } else {
            script.replies.front().cloned()
        };
        let reply = reply.expect("a request that the script does not expect");
        HttpConnectorFuture::new(reply.come())
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
