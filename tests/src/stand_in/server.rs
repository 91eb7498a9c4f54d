//! The loopback server that all stand-ins share.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::bedrock::{Bedrock, NAME as BEDROCK};
use super::cloudwatch::CloudWatch;
use super::grafana::{Control, Estate, Grafana, Workspaces};
use super::opsgenie::Opsgenie;
use super::pagerduty::PagerDuty;
use super::pricing::Pricing;
use super::record::{Filter, Record};
use super::sagemaker::SageMaker;
use super::script::{self, Cue, Script};
use super::slack::Slack;
use super::stack_answers::StackAnswers;
use super::stage::Stage;
use super::webhook::Webhook;
use super::{Call, Reply, StandIn, wire};
use crate::failure::Outcome;
use crate::scenario::{self, Scenario};

/// No service takes a larger request: SageMaker's limit is 6 MB, Bedrock's 20 MB.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// How to start the stand-ins.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// 0 takes a free port.
    pub port: u16,
    /// How long the judge takes for every answer.
    pub judge_delay: Duration,
    /// The fleet that there is; the default one when it is left out.
    pub scenario: Option<Scenario>,
}

/// The running stand-ins. They have a thread of their own, so that a caller that blocks, or whose
/// runtime ends, does not silence them; they end when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stage: Stage,
    estate: Estate,
    pub(super) http: reqwest::Client,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts them on 127.0.0.1.
    pub fn start(options: Options) -> io::Result<Self> {
        Self::serve(options, None)
    }

    /// Starts them with a judge of their own behind Bedrock: calls are recorded and scripted as
    /// ever, and what is left goes to the Converse server at `judge`.
    pub fn forwarding_to(judge: &str) -> io::Result<Self> {
        Self::serve(Options::default(), Some(judge.to_owned()))
    }

    fn serve(options: Options, judge: Option<String>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let scenario = options.scenario.map_or_else(|| Scenario::named(scenario::DEFAULT), Ok);
        let stage = scenario.and_then(Stage::new).map_err(io::Error::other)?;
        let estate = Estate::new();
        let url = format!("http://{address}");
        let stand_ins: Vec<Box<dyn StandIn>> = vec![
            Box::new(Bedrock::new(options.judge_delay)),
            Box::new(SageMaker::new(stage.clone())),
            Box::new(Pricing::new(stage.clone())),
            Box::new(CloudWatch::new(stage.clone())),
            Box::new(Workspaces { estate: estate.clone(), url }),
            Box::new(Grafana(estate.clone())),
            Box::new(Control(estate.clone())),
            Box::new(StackAnswers),
            Box::<Slack>::default(),
            Box::<PagerDuty>::default(),
            Box::<Opsgenie>::default(),
            Box::<Webhook>::default(),
        ];
        let shared = Arc::new(Shared {
            stand_ins,
            judge,
            stage: stage.clone(),
            record: Mutex::default(),
            script: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            // A reply must not wait for the acknowledgement of an earlier segment: that would add
            // 40 ms to a call and make every latency measured against it wrong.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            tokio::select! {
                result = axum::serve(listener, router(shared)).into_future() => result,
                _ = stopped => Ok(()),
            }
        };
        let thread = std::thread::Builder::new()
            .name("stand-ins".to_owned())
            .spawn(move || drop(runtime.block_on(serve)))?;
        let http = reqwest::Client::new();
        Ok(Self { address, stage, estate, http, stop: Some(stop), thread: Some(thread) })
    }

    /// Where they listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`: what `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` is set to, and that of
    /// SageMaker and of the price list.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets SageMaker, the price list and CloudWatch answer for another fleet from now on.
    ///
    /// # Errors
    /// A fleet that cannot be placed.
    pub fn play(&self, scenario: Scenario) -> Outcome<()> {
        self.stage.set(scenario)
    }

    /// All that is in the Grafana of a workspace: folders, dashboards, rules, contact points and so on.
    pub fn grafana(&self, workspace: &str) -> Option<Value> {
        self.estate.shown(workspace)
    }

    /// The fleet that they answer for.
    pub fn scenario(&self) -> Scenario {
        self.stage.now().scenario.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[derive(Debug)]
struct Shared {
    /// Answers for Bedrock instead of the plain scorer.
    judge: Option<String>,
    stand_ins: Vec<Box<dyn StandIn>>,
    stage: Stage,
    record: Mutex<Record>,
    script: Mutex<Script>,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/_health", get(|| async { "ok\n" }))
        .route("/_requests", get(list_requests).delete(forget_requests))
        .route("/_stats", get(show_stats))
        .route("/_replies", get(list_replies).post(add_replies).delete(forget_replies))
        .route("/_scenario", get(show_scenario).put(set_scenario))
        .fallback(answer)
        .with_state(shared)
}

async fn list_requests(State(shared): State<Arc<Shared>>, Query(filter): Query<Filter>) -> Response {
    pretty(&shared.record().matching(&filter))
}

async fn forget_requests(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.record().clear();
    StatusCode::NO_CONTENT
}

async fn show_stats(State(shared): State<Arc<Shared>>) -> Response {
    pretty(shared.record().stats())
}

async fn list_replies(State(shared): State<Arc<Shared>>) -> Response {
    pretty(&shared.script().entries())
}

async fn add_replies(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match script::read(&body) {
        Ok(entries) => {
            shared.script().add(entries);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => {
            let text = format!("not a scripted reply: {error}; see tests/src/stand_in/script.rs\n");
            (StatusCode::BAD_REQUEST, text).into_response()
        }
    }
}

async fn forget_replies(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.script().clear();
    StatusCode::NO_CONTENT
}

async fn show_scenario(State(shared): State<Arc<Shared>>) -> Response {
    match toml::to_string(&shared.stage.now().scenario) {
        Ok(text) => text.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn set_scenario(State(shared): State<Arc<Shared>>, body: String) -> Response {
    match Scenario::parse(&body).and_then(|scenario| shared.stage.set(scenario)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => (StatusCode::BAD_REQUEST, format!("{failure}\n")).into_response(),
    }
}

/// Everything else is a call to one of the services.
async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let call = match read(request).await {
        Ok(call) => call,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let stand_in = shared.stand_ins.iter().find(|stand_in| stand_in.wants(&call));
    let name = stand_in.map_or("none", |stand_in| stand_in.name());
    shared.record().begin(name);
    let _in_flight = InFlight { shared: &shared, name };
    let own = async || match (&shared.judge, stand_in) {
        (Some(judge), Some(stand_in)) if stand_in.name() == BEDROCK => forwarded(judge, &call).await,
        (_, Some(stand_in)) => stand_in.answer(&call),
        (_, None) => nobody(&call),
    };
    let cue = shared.script().cue(name, &call);
    let scripted = cue.is_some();
    let (reply, delay) = match cue {
        None => {
            let reply = own().await;
            let delay = reply.delay;
            (Some(reply), delay)
        }
        Some(Cue::Say(reply)) => {
            let delay = reply.delay;
            (Some(reply), delay)
        }
        Some(Cue::Wait(delay)) => (Some(own().await), delay),
        Some(Cue::Drop(delay)) => (None, delay),
    };
    shared.record().keep(name, &call, scripted, reply.as_ref().map_or(0, |reply| reply.status));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    reply.map_or_else(closed_connection, |reply| whole(reply, wire::is_cbor(&call.headers)))
}

/// Counts a call as ended however it ends: also when the caller hangs up first.
struct InFlight<'a> {
    shared: &'a Shared,
    name: &'static str,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.shared.record().end(self.name);
    }
}

async fn read(request: Request) -> Result<Call, axum::Error> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await?;
    Ok(Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: wire::text(&parts.headers, &bytes),
        headers: parts.headers,
    })
}

async fn forwarded(judge: &str, call: &Call) -> Reply {
    let request = reqwest::Client::new().post(format!("{judge}{}", call.path)).body(call.body.clone());
    let answer = async {
        let answer = request.send().await?;
        Ok::<_, reqwest::Error>((answer.status().as_u16(), answer.text().await?))
    };
    match answer.await {
        Ok((status, body)) => Reply { body, ..Reply::json(status, &Value::Null) },
        Err(error) => Reply::json(503, &json!({"message": error.to_string()})),
    }
}

fn nobody(call: &Call) -> Reply {
    let message = format!("no stand-in answers {} {}", call.method, call.path);
    Reply::json(404, &json!({"message": message}))
}

fn whole(reply: Reply, is_cbor: bool) -> Response {
    let (reply, body) = if is_cbor {
        wire::packed(reply)
    } else {
        let body = reply.body.clone().into_bytes();
        (reply, body)
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let bad_script = |error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
    response.body(Body::from(body)).unwrap_or_else(bad_script)
}

/// A body that fails before its first byte: the server closes the connection before anything of
/// the answer has left.
fn closed_connection() -> Response {
    let failure = || Err::<Bytes, io::Error>(io::ErrorKind::ConnectionReset.into());
    Response::new(Body::from_stream(futures_util::stream::once(async move { failure() })))
}

fn pretty(value: &impl serde::Serialize) -> Response {
    let text = serde_json::to_string_pretty(value)
        .unwrap_or_else(|error| Value::from(error.to_string()).to_string());
    ([(header::CONTENT_TYPE, "application/json")], text + "\n").into_response()
}
