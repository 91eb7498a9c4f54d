//! Writes the generated dashboards, rules and alarms into a folder:
//! `cargo run -p domain --example dashboards -- dashboards`

use std::{env, error, fs, path};

fn main() -> Result<(), Box<dyn error::Error>> {
    let folder = env::args().nth(1).ok_or("give the folder to write to")?;
    let folder = path::Path::new(&folder);
    fs::create_dir_all(folder)?;
    for (name, text) in domain::dashboard::shipped_files()? {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
