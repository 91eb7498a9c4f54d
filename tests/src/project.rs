//! Where things lie in this project, on the machine it was checked out on.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// A program of the pinned build tools (`sam`, `cargo-lambda`, `cfn-lint`).
pub fn build_tools() -> PathBuf {
    root().join(".tools/build/bin")
}

/// The emulator's program.
pub fn emulator() -> PathBuf {
    root().join(".tools/emulator/bin/ministack")
}

/// What a run leaves behind: logs, the deployable build, addresses. Not in version control.
pub fn local() -> PathBuf {
    root().join(".local")
}
