//! What `make local` leaves for a function that is run by itself, with `cargo lambda watch`: its
//! variables, and the sample events.

use std::collections::BTreeMap;
use std::fs;

use super::event::made_true;
use crate::clients::Clients;
use crate::emulator::STOOD_IN_FOR;
use crate::environment::Endpoints;
use crate::failure::{During, Outcome};
use crate::project;
use crate::stack;

/// Writes `.local/<function>.env` for each function, and each event of `events/` into
/// `.local/events/`, made true for the environment at `endpoints`.
pub(super) async fn write(endpoints: &Endpoints) -> Outcome<()> {
    for function in project::functions().during("list the functions")? {
        let variables = variables(endpoints, &function).await?;
        let lines: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = project::local().join(format!("{function}.env"));
        fs::write(&path, lines.join("\n") + "\n").during(format!("write {}", path.display()))?;
    }
    let clients = Clients::of(&endpoints.aws_endpoint_url).await;
    let bucket = endpoints.output("CaptureBucketName")?;
    let folder = project::local().join("events");
    fs::create_dir_all(&folder).during(format!("create {}", folder.display()))?;
    for file in project::events().during("list the sample events")? {
        let event = made_true(&clients, bucket, &format!("events/{file}")).await?;
        let path = folder.join(file);
        fs::write(&path, format!("{event:#}\n")).during(format!("write {}", path.display()))?;
    }
    Ok(())
}

/// The variables that `function` has in the stack, and where it finds AWS and what stands in for the
/// rest of it: a function that Lambda starts has these from its surroundings.
pub async fn variables(endpoints: &Endpoints, function: &str) -> Outcome<BTreeMap<String, String>> {
    let clients = Clients::of(&endpoints.aws_endpoint_url).await;
    let mut variables = stack::variables(&clients, function).await?;
    let stood_in_for = STOOD_IN_FOR.map(|name| (name, endpoints.stand_ins.as_str()));
    let aws = [
        ("AWS_ENDPOINT_URL", endpoints.aws_endpoint_url.as_str()),
        ("AWS_REGION", &endpoints.aws_region),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    for (name, value) in aws.into_iter().chain(stood_in_for) {
        variables.insert(name.to_owned(), value.to_owned());
    }
    Ok(variables)
}
