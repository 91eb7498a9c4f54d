//! What a function may do, as `template.yaml` says it, held against what it does.
//!
//! In the end-to-end tests every function talks to AWS through a [`Gate`]. The gate works out which
//! operation on which resource a request asks for, as IAM would, and lets through what the function's
//! policy allows. What it refuses fails the test, also when the function copes with it. What it lets
//! through is remembered, so that a permission that nothing uses can be found.

mod policy;
mod request;
mod stack;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use serde_json::json;
use tokio::task::AbortHandle;

pub use policy::{Grant, Policy};
pub use request::Asked;
pub use stack::Deployment;

use crate::failure::{During, Outcome};

const LARGEST_BODY: usize = 128 << 20;

/// Headers that belong to one connection, or that the next one makes anew.
const OF_THE_CONNECTION: [HeaderName; 4] =
    [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING];

/// Stands between one function and AWS. When it is dropped after a refusal, the test fails.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    function: String,
    policy: Mutex<Policy>,
    /// The emulator, and what answers for the services that it lacks.
    aws: String,
    stand_ins: String,
    http: reqwest::Client,
    used: Mutex<BTreeSet<Grant>>,
    refused: Mutex<BTreeSet<String>>,
}

impl Gate {
    /// Opens it for `function` on 127.0.0.1.
    pub async fn open(function: &str, policy: Policy, aws: &str, stand_ins: &str) -> Outcome<Self> {
        let shared = Arc::new(Shared {
            function: function.to_owned(),
            policy: Mutex::new(policy),
            aws: aws.to_owned(),
            stand_ins: stand_ins.to_owned(),
            http: reqwest::Client::new(),
            used: Mutex::default(),
            refused: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.during("listen for the function's calls")?;
        let address = listener.local_addr().during("listen for the function's calls")?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let task = tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self { address, shared, server: task.abort_handle() })
    }

    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The function that goes through it.
    pub fn function(&self) -> &str {
        &self.shared.function
    }

    /// The permissions that it has used so far.
    pub fn used(&self) -> BTreeSet<Grant> {
        lock(&self.shared.used).clone()
    }

    /// Has it go by another policy from now on.
    pub fn apply(&self, policy: Policy) {
        *lock(&self.shared.policy) = policy;
    }

    /// Takes a statement of the policy away.
    pub fn forbid(&self, sid: &str) {
        lock(&self.shared.policy).remove(sid);
    }

    /// What it was refused so far; forgotten with this call.
    pub fn refused(&self) -> BTreeSet<String> {
        std::mem::take(&mut *lock(&self.shared.refused))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
        let refused = self.refused();
        if !std::thread::panicking() {
            assert!(refused.is_empty(), "template.yaml does not allow {}: {refused:#?}", self.function());
        }
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let asked = Asked::of(&parts.method, &parts.uri, &parts.headers, &body);
    let grants = lock(&shared.policy).grants(&asked);
    if grants.is_empty() {
        lock(&shared.refused).insert(asked.to_string());
        return refusal(&asked);
    }
    lock(&shared.used).extend(grants);
    let at = if asked.is_stood_in_for() { &shared.stand_ins } else { &shared.aws };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let request = shared.http.request(parts.method, format!("{at}{path}")).headers(passed_on(parts.headers));
    let Ok(answer) = request.body(body).send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = passed_on(headers);
    response
}

fn passed_on(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    headers
}

fn refusal(asked: &Asked) -> Response {
    let message = format!("not allowed: {asked}");
    (StatusCode::FORBIDDEN, json!({"__type": "AccessDeniedException", "message": message}).to_string())
        .into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
