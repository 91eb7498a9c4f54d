//! A real, very small language model in place of the plain scorer: a good source of replies that
//! break the form, and no judge to believe. `make small-judge` installs it; it needs Node.js.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::failure::{During, Failure, Outcome};
use crate::progress::Step;
use crate::project;

/// The running model. It ends when this is dropped.
#[derive(Debug)]
pub struct SmallJudge {
    process: Child,
    url: String,
}

impl SmallJudge {
    /// Loads the model and waits until it answers on 127.0.0.1.
    pub fn start() -> Outcome<Self> {
        let folder = project::root().join(".tools/small-judge");
        if !folder.join("model.gguf").exists() {
            return Err(Failure(format!("{} is missing: run `make small-judge`", folder.display())));
        }
        let step = Step::start("load the small judge");
        let mut command = Command::new("node");
        command.current_dir(&folder).args(["judge.mjs", "model.gguf"]);
        // Its standard input tells it when this process has ended.
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .during("start node for the small judge")?;
        let mut url = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut url).during("wait for the small judge")?;
        }
        let url = url.trim().to_owned();
        if url.is_empty() {
            step.failed("");
            return Err(Failure("the small judge ended before it answered".to_owned()));
        }
        step.done(&url);
        Ok(Self { process, url })
    }

    /// Where it answers Converse.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for SmallJudge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
