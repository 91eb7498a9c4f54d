//! S3, `DynamoDB`, CloudWatch and the judge in one fast loopback server, for measuring only: an
//! emulator in Python on the same two cores would be what is measured. Every call is counted by
//! its operation. Nothing is stored but counters and whole items: each object is new, each lease is
//! free.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::traffic::Traffic;
use crate::failure::{During, Outcome};
use crate::functions::TABLE;
use crate::stand_in::{Bedrock, Call, StandIn as _};

const LARGEST_BODY: usize = 64 << 20;

/// The running services; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Services {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<Infallible>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Served>,
    /// The stand-in judge's answer to the first sample. It is a legal one for all others, and
    /// costs the measuring machine nothing.
    verdict: OnceLock<String>,
}

#[derive(Debug, Default)]
struct Served {
    objects: BTreeMap<String, Traffic>,
    counters: BTreeMap<String, i64>,
    items: BTreeMap<String, Value>,
    calls: BTreeMap<String, u64>,
    judge_delay: Duration,
}

impl Services {
    /// Starts them on a thread of their own.
    pub(super) fn start() -> Outcome<Self> {
        let doing = "start the services";
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(doing)?;
        listener.set_nonblocking(true).during(doing)?;
        let address = listener.local_addr().during(doing)?;
        let shared = Arc::<Shared>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().during(doing)?;
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            tokio::select! {
                result = axum::serve(listener, router).into_future() => result,
                _ = stopped => Ok(()),
            }
        };
        std::thread::spawn(move || drop(runtime.block_on(serve)));
        Ok(Self { address, shared, _stop: stop })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves `traffic` under `key`, whatever the bucket.
    pub(super) fn put(&self, key: &str, traffic: Traffic) {
        self.shared.served().objects.insert(key.to_owned(), traffic);
    }

    /// How long the judge takes for every answer from now on.
    pub(super) fn set_judge_delay(&self, delay: Duration) {
        self.shared.served().judge_delay = delay;
    }

    /// Calls by operation since the last time this was asked.
    pub(super) fn take_calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.shared.served().calls)
    }
}

impl Shared {
    fn served(&self) -> MutexGuard<'_, Served> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, operation: &str) {
        *self.served().calls.entry(operation.to_owned()).or_default() += 1;
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let arrived = Instant::now();
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let path = parts.uri.path();
    if path.ends_with("/converse") {
        shared.count("Converse");
        let verdict = shared.verdict.get_or_init(|| {
            let call = Call {
                method: parts.method.clone(),
                path: path.to_owned(),
                query: String::new(),
                headers: parts.headers.clone(),
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            Bedrock::new(Duration::ZERO).answer(&call).body
        });
        let delay = shared.served().judge_delay;
        if !delay.is_zero() {
            tokio::time::sleep_until(arrived + delay).await;
        }
        return ([("content-type", "application/json")], verdict.clone()).into_response();
    }
    if path.ends_with("/PutMetricData") {
        shared.count("PutMetricData");
        // An empty map in CBOR.
        let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
        return (headers, Bytes::from_static(&[0xbf, 0xff])).into_response();
    }
    if let Some(target) = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        let operation = target.rsplit('.').next().unwrap_or(target);
        shared.count(operation);
        let answer = state_table(&shared, operation, &body);
        return ([("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response();
    }
    object(&shared, &parts.method, path)
}

fn state_table(shared: &Shared, operation: &str, body: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let key = |of: &Value| of.pointer("/pk/S").and_then(Value::as_str).unwrap_or_default().to_owned();
    match operation {
        "BatchGetItem" => {
            let keys =
                request["RequestItems"][TABLE]["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
            let served = shared.served();
            let found: Vec<&Value> =
                keys.iter().filter_map(|wanted| served.items.get(&key(wanted))).collect();
            json!({"Responses": {TABLE: found}, "UnprocessedKeys": {}})
        }
        "PutItem" => {
            let item = request["Item"].clone();
            shared.served().items.insert(key(&item), item);
            json!({})
        }
        "BatchWriteItem" => json!({"UnprocessedItems": {}}),
        _ => {
            let text = |path: &str| request.pointer(path).and_then(Value::as_str);
            let counter = text("/ExpressionAttributeNames/#counter");
            let amount =
                text("/ExpressionAttributeValues/:amount/N").and_then(|amount| amount.parse::<i64>().ok());
            let (Some(counter), Some(amount)) = (counter, amount) else { return json!({}) };
            let mut served = shared.served();
            let total = served.counters.entry(text("/Key/pk/S").unwrap_or_default().to_owned()).or_default();
            *total += amount;
            json!({"Attributes": {counter: {"N": total.to_string()}}})
        }
    }
}

fn object(shared: &Shared, method: &Method, path: &str) -> Response {
    let etag = ("etag", "\"0123456789abcdef0123456789abcdef\"");
    if method == Method::PUT {
        shared.count("PutObject");
        return ([etag], "").into_response();
    }
    shared.count("GetObject");
    // Path style: the bucket comes first.
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    let Some(traffic) = shared.served().objects.get(key).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let length = traffic.bytes().to_string();
    let body = Body::from_stream(stream::iter(traffic.blocks().map(Ok::<_, Infallible>)));
    ([etag, ("content-length", length.as_str())], body).into_response()
}
