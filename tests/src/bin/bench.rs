//! Speed, memory, size and calls of the functions as they are deployed: `make bench`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::path::PathBuf;
use std::process::ExitCode;

use tests::bench;

const USAGE: &str = "bench [FOLDER]

Measures the functions in FOLDER, as `cargo lambda build --release` leaves them (target/lambda).
A missed target is shown and is no failure.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = match arguments.as_slice() {
        [] => bench::built_functions(),
        [folder] if !folder.starts_with('-') => PathBuf::from(folder),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match bench::run(&folder).await {
        Ok((table, misses)) => {
            println!("\n{table}\n");
            println!("{misses} targets missed");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}
