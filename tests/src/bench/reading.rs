//! What a record costs that is not judged: parsing, attribution, checks, the sampling decision and
//! the tally, on one core. Once as quality-judge does it, and once in Python as one would write it.
//! Both in processor time, which other work on the machine changes little.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::traffic::Traffic;
use crate::failure::{During, Failure, Outcome};
use crate::{loopback, project};

/// How much our side reads, and how much is enough for Python.
const BYTES: usize = 64 << 20;
const PYTHON_BYTES: usize = 8 << 20;

/// Bytes per second of processor time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) ours: f64,
    pub(super) baseline: f64,
}

/// `probe` is the program `read-records`.
pub(super) fn measure(probe: &Path, folder: &Path) -> Outcome<Rates> {
    let script = project::root().join("tests/bench/baseline.py");
    let (file, bytes) = write(folder, BYTES)?;
    let ours = seconds(Command::new(probe).arg(&file).arg(loopback::key("bench")))?;
    let (part, part_bytes) = write(folder, PYTHON_BYTES)?;
    let baseline = seconds(Command::new(python()).arg(script).arg(&part))?;
    fs::remove_file(&part).during("remove the generated records")?;
    Ok(Rates { ours: rate(bytes, ours), baseline: rate(part_bytes, baseline) })
}

fn write(folder: &Path, bytes: usize) -> Outcome<(PathBuf, usize)> {
    let path = folder.join("records.jsonl");
    let traffic = Traffic::of_bytes(bytes, "r");
    let bytes = traffic.bytes();
    let mut file = File::create(&path).during(format!("create {}", path.display()))?;
    for block in traffic.blocks() {
        file.write_all(&block).during(format!("write {}", path.display()))?;
    }
    Ok((path, bytes))
}

/// The time that the program prints.
pub(super) fn seconds(command: &mut Command) -> Outcome<Duration> {
    let program = command.get_program().to_string_lossy().into_owned();
    Duration::try_from_secs_f64(number(command)?).during(format!("read the time that {program} prints"))
}

/// The number that the program prints.
pub(super) fn number(command: &mut Command) -> Outcome<f64> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().during(format!("run {program}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).trim().parse();
    let failed = |_| Failure(format!("{program} failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    printed.map_err(failed)
}

/// The Python that `make setup` installs.
pub(super) fn python() -> PathBuf {
    project::root().join(".tools/emulator/bin/python")
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^53")]
pub(super) fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64()
}
