//! Child processes that end with us: each leads a process group, so that what it started ends too.

use std::io;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

/// How long a child may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// A child that leads a process group of its own (`CommandExt::process_group(0)`). When this is
/// dropped the whole group is asked to end, and killed when it does not.
#[derive(Debug)]
pub struct Group {
    child: Child,
}

impl Group {
    /// Takes over a child that was started with `process_group(0)`.
    pub fn new(child: Child) -> Self {
        Self { child }
    }

    /// The process id of its leader, which is also the group's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The leader itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks the whole group to end, and kills what is left of it after a while.
    pub fn stop(&mut self) {
        if self.ended().is_none() {
            self.signal(Signal::TERM);
            let start = Instant::now();
            while self.ended().is_none() && start.elapsed() < GRACE {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.kill();
    }

    /// `kill -9` for the whole group, now.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        drop(self.child.wait());
    }

    fn signal(&self, signal: Signal) {
        // A group that has ended already is as it should be.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits for Ctrl-C or a request to end.
pub async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
