//! Progress for whoever waits: one line a step, with the seconds it took.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

/// A step that takes time. On a terminal its line counts the seconds while it lasts; elsewhere it
/// is written once when the step ends, and every 15 seconds before that.
#[derive(Debug)]
pub struct Step {
    title: String,
    start: Instant,
    last_note: Instant,
    is_terminal: bool,
}

const QUIET: Duration = Duration::from_secs(15);

impl Step {
    /// Announces it.
    pub fn start(title: impl Into<String>) -> Self {
        let now = Instant::now();
        let step =
            Self { title: title.into(), start: now, last_note: now, is_terminal: stderr().is_terminal() };
        step.show("...", "");
        step
    }

    /// How long it has taken.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Shows that it still goes on.
    pub fn tick(&mut self, detail: impl Display) {
        if self.is_terminal {
            self.show("...", &detail.to_string());
        } else if self.last_note.elapsed() >= QUIET {
            self.last_note = Instant::now();
            self.line("...", &detail.to_string());
        }
    }

    /// It came to a good end.
    pub fn done(self, detail: impl Display) {
        self.line("ok ", &detail.to_string());
    }

    /// It did not.
    pub fn failed(self, detail: impl Display) {
        self.line("FAILED", &detail.to_string());
    }

    fn show(&self, mark: &str, detail: &str) {
        if self.is_terminal {
            let text = self.text(mark, detail);
            // A progress line that cannot be written is no reason to stop.
            let _ = write!(stderr(), "\r\x1b[2K{text}");
        }
    }

    fn line(&self, mark: &str, detail: &str) {
        let clear = if self.is_terminal { "\r\x1b[2K" } else { "" };
        let _ = writeln!(stderr(), "{clear}{}", self.text(mark, detail));
    }

    fn text(&self, mark: &str, detail: &str) -> String {
        let gap = if detail.is_empty() { "" } else { "  " };
        format!("{:>6.1} s  {mark} {}{gap}{detail}", self.start.elapsed().as_secs_f64(), self.title)
    }
}
