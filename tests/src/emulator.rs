//! The AWS emulator (`MiniStack`): S3, SQS, EventBridge, DynamoDB, CloudWatch, Lambda and
//! CloudFormation on one loopback port. It starts the deployed binaries as processes. What it lacks to
//! take the template whole, `tests/emulator/start.py` adds.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::failure::{During, Failure, Outcome};
use crate::process::Group;
use crate::progress::Step;
use crate::project;

/// The region that everything runs in.
pub const REGION: &str = "us-east-1";

/// Where an SDK finds the services that the stand-ins answer for, and not the emulator.
pub const STOOD_IN_FOR: [&str; 4] = [
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_PRICING",
    "AWS_ENDPOINT_URL_GRAFANA",
];

/// Runs the program named by `$0` and its arguments, and ends its whole process group as soon as the standard input
/// closes: that is, also when this process is killed and can no longer tidy up.
const ENDS_WITH_US: &str = r#"
exec 3<&0
"$0" "$@" </dev/null 3<&- &
program=$!
(read -r _ <&3; kill -TERM 0; sleep 2; kill -KILL 0) &
wait $program
"#;

const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A running emulator. It ends, with every function that it started, when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    group: Group,
    address: SocketAddr,
    folder: PathBuf,
}

impl Emulator {
    /// Starts it on a free port of 127.0.0.1 and waits until it answers. `stand_ins` is where the
    /// functions find what it lacks; their binaries read it from the SDK's own endpoint variables.
    pub async fn start(stand_ins: &str) -> Outcome<Self> {
        let [python, start] = project::emulator();
        if !python.exists() {
            return Err(Failure(format!("{} is missing: run `make setup`", python.display())));
        }
        let mut step = Step::start("start the AWS emulator");
        let address = free_address()?;
        let folder = project::local().join(format!("emulator-{}", address.port()));
        fs::create_dir_all(folder.join("tmp")).during(format!("create {}", folder.display()))?;
        let log = File::create(folder.join("log.txt")).during("create the emulator's log")?;
        let errors = log.try_clone().during("open the emulator's log")?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", ENDS_WITH_US]).arg(python).arg(start);
        // Its functions inherit its environment: nothing but what is named here may get into them.
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &folder)
            .env("TMPDIR", folder.join("tmp"))
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .envs(STOOD_IN_FOR.map(|name| (name, stand_ins)))
            .env("BIND_HOST", address.ip().to_string())
            .env("GATEWAY_PORT", address.port().to_string())
            .env("MINISTACK_HOST", address.ip().to_string())
            .env("MINISTACK_REGION", REGION)
            // Each of these would open another port, the first one on all interfaces.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            .process_group(0);
        let group = Group::new(command.spawn().during("start the emulator")?);
        let mut emulator = Self { group, address, folder };
        match emulator.wait(&mut step).await {
            Ok(()) => {
                step.done(emulator.url());
                Ok(emulator)
            }
            Err(problem) => {
                step.failed(emulator.url());
                Err(problem)
            }
        }
    }

    /// `http://127.0.0.1:<port>`: what `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process, which leads the group of all functions.
    pub fn process_id(&self) -> u32 {
        self.group.id()
    }

    /// What it and the functions wrote.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log.txt")
    }

    async fn wait(&mut self, step: &mut Step) -> Outcome<()> {
        let health = format!("{}/_ministack/health", self.url());
        let client = reqwest::Client::new();
        loop {
            if let Some(status) = self.group.ended() {
                return Err(Failure(format!("the emulator ended ({status}); see {}", self.log().display())));
            }
            if client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if step.elapsed() > START_TIMEOUT {
                return Err(Failure(format!("the emulator is silent; see {}", self.log().display())));
            }
            step.tick("");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.group.stop();
        // The functions' unpacked code; the log stays.
        drop(fs::remove_dir_all(self.folder.join("tmp")));
    }
}

/// A port that is free now. Another process may take it before the emulator does, which then says
/// so and ends.
fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during("find a free port")?;
    listener.local_addr().during("find a free port")
}
