//! Where things lie in this project, on the machine it was checked out on.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// The functions: each is a folder, a package and a binary of this name.
pub fn functions() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in fs::read_dir(root().join("functions"))? {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The sample events: the names of the files in `events/`.
pub fn events() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("events"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if is_event(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a file of this name is an event.
pub fn is_event(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "json")
}

/// A program of the pinned build tools (`sam`, `cargo-lambda`, `cfn-lint`).
pub fn build_tools() -> PathBuf {
    root().join(".tools/build/bin")
}

/// The emulator: its Python, and the program that starts it.
pub fn emulator() -> [PathBuf; 2] {
    [".tools/emulator/bin/python", "tests/emulator/start.py"].map(|path| root().join(path))
}

/// What a run leaves behind: logs, the deployable build, addresses. Not in version control.
pub fn local() -> PathBuf {
    root().join(".local")
}
