//! The Lambda Runtime API on loopback: runs one built function binary as Lambda would, without the
//! emulator, so that a test can set the deadline, kill the process and read its memory and its log.
//!
//! Format: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as PathParameters, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use crate::emulator::REGION;
use crate::failure::{During, Failure, Outcome};
use crate::process::Group;

/// How one invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The function's response.
    Response(Value),
    /// The error that it reported: `{"errorType": ..., "errorMessage": ...}`.
    Error(Value),
    /// The process ended first.
    Died,
    /// The deadline passed. Lambda would kill the process now; here the caller may.
    TimedOut,
}

impl Answer {
    /// The response; anything else is the error.
    pub fn response(self) -> Outcome<Value> {
        match self {
            Self::Response(response) => Ok(response),
            other => Err(Failure(format!("no response but {other:?}"))),
        }
    }

    /// The error that the function reported; anything else is the error.
    pub fn error(self) -> Outcome<Value> {
        match self {
            Self::Error(error) => Ok(error),
            other => Err(Failure(format!("no error but {other:?}"))),
        }
    }
}

/// What the process tells the Runtime API.
#[derive(Debug)]
enum Told {
    InitError(Value),
    Answer(String, Answer),
}

#[derive(Debug, Default)]
struct Desk {
    waiting: Mutex<VecDeque<Invocation>>,
    arrived: Notify,
    first_poll: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone)]
struct Invocation {
    id: String,
    deadline: Timestamp,
    payload: String,
}

#[derive(Clone)]
struct Shared {
    desk: Arc<Desk>,
    told: mpsc::UnboundedSender<Told>,
}

/// A function's process, and the Runtime API that it polls.
#[derive(Debug)]
pub struct Function {
    group: Group,
    started: Instant,
    desk: Arc<Desk>,
    told: mpsc::UnboundedReceiver<Told>,
    log: Log,
    server: AbortHandle,
    next_id: u64,
}

impl Function {
    /// Starts `binary` with these variables and nothing of this process's own environment.
    pub async fn start(binary: &Path, variables: &BTreeMap<String, String>) -> Outcome<Self> {
        let desk = Arc::new(Desk::default());
        let (sender, told) = mpsc::unbounded_channel();
        let (address, server) = serve(Shared { desk: Arc::clone(&desk), told: sender }).await?;
        let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(variables)
            .stdin(Stdio::null())
            .process_group(0);
        let log = Log::of(&mut command)?;
        let started = Instant::now();
        let group = Group::new(command.spawn().during(format!("start {}", binary.display()))?);
        Ok(Self { group, started, desk, told, log, server, next_id: 0 })
    }

    /// Sends an event and waits for what becomes of it.
    pub async fn invoke(&mut self, event: &Value, time: Duration) -> Outcome<Answer> {
        let id = self.send(event, time)?;
        self.answer(&id, time).await
    }

    /// Sends an event and does not wait. The returned id is what [`Function::answer`] takes.
    pub fn send(&mut self, event: &Value, time: Duration) -> Outcome<String> {
        self.next_id += 1;
        let id = format!("invocation-{}", self.next_id);
        let time = SignedDuration::try_from(time).during("read the time for the invocation")?;
        let deadline = Timestamp::now() + time;
        lock(&self.desk.waiting).push_back(Invocation {
            id: id.clone(),
            deadline,
            payload: event.to_string(),
        });
        self.desk.arrived.notify_one();
        Ok(id)
    }

    /// Waits at most `time` for the end of an invocation.
    pub async fn answer(&mut self, id: &str, time: Duration) -> Outcome<Answer> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            match self.next_told().await {
                Some(Told::Answer(answered, answer)) if answered == id => return Ok(answer),
                Some(Told::InitError(error)) => {
                    return Err(Failure(format!("the function did not start: {error}")));
                }
                None if self.group.ended().is_some() => return Ok(Answer::Died),
                None | Some(Told::Answer(..)) => {}
            }
        }
        Ok(Answer::TimedOut)
    }

    /// Waits until the function polls for its first event, and says how long that took. A function
    /// that refuses its configuration ends instead: that is the error, with its log.
    pub async fn ready(&mut self, time: Duration) -> Outcome<Duration> {
        while self.started.elapsed() < time {
            if let Some(at) = *lock(&self.desk.first_poll) {
                return Ok(at - self.started);
            }
            if let Some(status) = self.ended() {
                let log = self.log().join("\n");
                return Err(Failure(format!("the function ended before its first poll ({status}):\n{log}")));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err(Failure(format!("no poll within {time:?}")))
    }

    /// Why it refuses to work: its one complaint of a bad configuration. That is read while the first event
    /// is asked for, so that the poll may come before the refusal.
    pub async fn refusal(&mut self, time: Duration) -> Outcome<String> {
        while self.ended().is_none() {
            if self.started.elapsed() > time {
                return Err(Failure(format!("the function still runs after {time:?}")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        match self.entries("bad configuration").as_slice() {
            [complaint] if self.ended().is_some_and(|status| !status.success()) => {
                Ok(complaint["error"].as_str().unwrap_or_default().to_owned())
            }
            complaints => Err(Failure(format!("not one complaint: {complaints:?}"))),
        }
    }

    /// How the process ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.group.ended()
    }

    /// `kill -9`, as a crash would end it.
    pub fn kill(&mut self) {
        self.group.kill();
    }

    /// The most memory that it ever had, in bytes (`VmHWM`).
    pub fn peak_memory(&self) -> Outcome<u64> {
        self.memory("VmHWM:")
    }

    /// The memory that it has now, in bytes (`VmRSS`).
    pub fn memory_now(&self) -> Outcome<u64> {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> Outcome<u64> {
        let path = format!("/proc/{}/status", self.group.id());
        let status = fs::read_to_string(&path).during(format!("read {path}"))?;
        let kilobytes =
            status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok());
        kilobytes
            .map(|kilobytes: u64| kilobytes * 1024)
            .ok_or_else(|| Failure(format!("{path} has no {field}")))
    }

    /// Processor time used so far, in clock ticks of 10 ms.
    pub fn processor_ticks(&self) -> Outcome<u64> {
        let path = format!("/proc/{}/stat", self.group.id());
        let stat = fs::read_to_string(&path).during(format!("read {path}"))?;
        // The name in the second field may hold spaces; what follows its bracket does not.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|ticks| ticks.parse::<u64>().ok());
        ticks(11)
            .zip(ticks(12))
            .map(|(user, system)| user + system)
            .ok_or_else(|| Failure(format!("{path} is not readable")))
    }

    /// The lines that it wrote so far: all that it wrote before its last answer are among them.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// The fields of the log entries with this message.
    pub fn entries(&self, message: &str) -> Vec<Value> {
        let entries = self.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let fields = entries.map(|mut entry| entry["fields"].take());
        fields.filter(|fields| fields["message"] == message).collect()
    }

    /// The next thing that the process says, or nothing for a short while.
    async fn next_told(&mut self) -> Option<Told> {
        let pause = Duration::from_millis(50);
        tokio::time::timeout(pause, self.told.recv()).await.ok().flatten()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(shared: Shared) -> Outcome<(SocketAddr, AbortHandle)> {
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(axum::extract::DefaultBodyLimit::max(32 << 20))
        .with_state(shared);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.during("listen for the Runtime API")?;
    let address = listener.local_addr().during("listen for the Runtime API")?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let task = tokio::spawn(axum::serve(listener, router).into_future());
    Ok((address, task.abort_handle()))
}

async fn next(State(shared): State<Shared>) -> Response {
    lock(&shared.desk.first_poll).get_or_insert_with(Instant::now);
    let invocation = loop {
        let waiting = lock(&shared.desk.waiting).pop_front();
        match waiting {
            Some(invocation) => break invocation,
            None => shared.desk.arrived.notified().await,
        }
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", invocation.id),
        ("lambda-runtime-deadline-ms", invocation.deadline.as_millisecond().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:{REGION}:000000000000:function:local"),
        ),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0".to_owned()),
    ];
    (headers, invocation.payload).into_response()
}

async fn response(
    State(shared): State<Shared>,
    PathParameters(id): PathParameters<String>,
    body: Bytes,
) -> StatusCode {
    tell(&shared, Told::Answer(id, Answer::Response(json(&body))))
}

async fn error(
    State(shared): State<Shared>,
    PathParameters(id): PathParameters<String>,
    body: Bytes,
) -> StatusCode {
    tell(&shared, Told::Answer(id, Answer::Error(json(&body))))
}

async fn init_error(State(shared): State<Shared>, _headers: HeaderMap, body: Bytes) -> StatusCode {
    tell(&shared, Told::InitError(json(&body)))
}

fn tell(shared: &Shared, told: Told) -> StatusCode {
    // The test may have ended already.
    drop(shared.told.send(told));
    StatusCode::ACCEPTED
}

/// JSON, or the text that it is not.
fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(body)))
}

/// What a process writes, read as it comes: a process whose pipe is full stops.
#[derive(Debug)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    marks_seen: Mutex<std::sync::mpsc::Receiver<()>>,
    pipe: io::PipeWriter,
}

/// Ends a part of the log. No log entry holds control characters.
const MARK: &str = "\u{1}read to here\u{1}";

impl Log {
    /// The log of the process that `command` will start.
    fn of(command: &mut Command) -> Outcome<Self> {
        let (reader, pipe) = io::pipe().during("open a pipe for the log")?;
        let copy = || pipe.try_clone().during("open a pipe for the log");
        command.stdout(copy()?).stderr(copy()?);
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (seen, marks_seen) = std::sync::mpsc::channel();
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(io::Result::ok) {
                let Some(rest) = line.strip_suffix(MARK) else {
                    lock(&kept).push(line);
                    continue;
                };
                if !rest.is_empty() {
                    lock(&kept).push(rest.to_owned());
                }
                // Nobody waits when the function is being dropped.
                let _ = seen.send(());
            }
        });
        Ok(Self { lines, marks_seen: Mutex::new(marks_seen), pipe })
    }

    /// All lines up to now. The reading runs behind the process, so a mark goes down the same pipe
    /// and is waited for.
    fn lines(&self) -> Vec<String> {
        let marks_seen = lock(&self.marks_seen);
        if (&self.pipe).write_all(format!("{MARK}\n").as_bytes()).is_ok() {
            let _ = marks_seen.recv_timeout(Duration::from_secs(5));
        }
        lock(&self.lines).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
