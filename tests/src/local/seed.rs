//! `local seed`: another fleet in the environment that is up.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::clients::Clients;
use crate::emulator::REGION;
use crate::environment::Endpoints;
use crate::failure::{During, Failure, Outcome};
use crate::scenario::Scenario;
use crate::seed as publish;

/// Lets the stand-ins answer for the scenario `name`, and publishes its metrics of the last minutes
/// into the emulator's CloudWatch.
///
/// # Errors
/// Nothing is up, there is no such scenario, or it is refused.
pub async fn seed(name: &str) -> Outcome<()> {
    let scenario = Scenario::named(name)?;
    let Some(endpoints) = Endpoints::of_running().await else {
        return Err(Failure("no environment is up: `make local` starts one".to_owned()));
    };
    let text = toml::to_string(&scenario).during("write the scenario as TOML")?;
    let url = format!("{}/_scenario", endpoints.stand_ins);
    let answer = reqwest::Client::new().put(url).body(text).send().await;
    answer.and_then(reqwest::Response::error_for_status).during("tell the stand-ins")?;
    let clients = Clients::of(&endpoints.aws_endpoint_url).await;
    forget(&clients, endpoints.output("StateTableName")?, &scenario).await?;
    publish::seed(&clients.cloudwatch, &scenario, Timestamp::now()).await.map(drop)
}

/// Takes away what capacity-meter keeps of endpoints and prices between runs, as if it were old
/// already.
async fn forget(clients: &Clients, table: &str, scenario: &Scenario) -> Outcome<()> {
    let topologies = scenario.endpoints.iter().map(|endpoint| format!("topology#{}", endpoint.name));
    let others = ["endpoints".to_owned(), format!("prices#{REGION}")];
    for key in others.into_iter().chain(topologies) {
        let request = clients.dynamodb.delete_item().table_name(table).key("pk", AttributeValue::S(key));
        request.send().await.during("take the old fleet out of the state table")?;
    }
    Ok(())
}
