//! Slack, PagerDuty, Opsgenie and a webhook that stand-ins play: their secrets, and the part of
//! `alerts.toml` that names them.

use serde_json::json;

use crate::clients::Clients;
use crate::failure::{During, Outcome};

/// What alert-router has to know to tell the stand-ins.
#[derive(Debug)]
pub struct Destinations {
    /// The tables `[[destination]]`: `slack`, `pagerduty`, `opsgenie` and `webhook`, of which the
    /// shipped routes name the first two.
    pub toml: String,
    /// The ARNs of their secrets.
    pub secrets: Vec<String>,
}

/// Puts a secret that holds `word` for each of them into the emulator, and names the stand-ins at
/// this address.
pub async fn configure(clients: &Clients, stand_ins: &str, word: &str) -> Outcome<Destinations> {
    let slack = secret(clients, "slack", json!({"token": format!("xoxb-{word}")}).to_string()).await?;
    let pagerduty = secret(clients, "pagerduty", format!("{word:0<32}")).await?;
    let opsgenie = secret(clients, "opsgenie", format!("{word}-key")).await?;
    let url = format!("{stand_ins}/webhook/{word}");
    let parameter = clients.parameters.put_parameter().name("/assay/webhook").value(url);
    let parameter = parameter.r#type(aws_sdk_ssm::types::ParameterType::SecureString);
    parameter.send().await.during("put a parameter")?;
    let webhook = "arn:aws:ssm:us-east-1:000000000000:parameter/assay/webhook".to_owned();
    let toml = format!(
        r#"
[[destination]]
name = "slack"
kind = "slack_bot"
channel = "alerts"
token = "{slack}#token"
base_url = "{stand_ins}/slack/api"

[[destination]]
name = "pagerduty"
kind = "pagerduty"
routing_key = "{pagerduty}"
base_url = "{stand_ins}/pagerduty"

[[destination]]
name = "opsgenie"
kind = "opsgenie"
api_key = "{opsgenie}"
base_url = "{stand_ins}/opsgenie/v2/alerts"

[[destination]]
name = "webhook"
kind = "webhook"
url = "{webhook}"
"#
    );
    Ok(Destinations { toml, secrets: vec![slack, pagerduty, opsgenie, webhook] })
}

async fn secret(clients: &Clients, name: &str, text: String) -> Outcome<String> {
    let made = clients.secrets.create_secret().name(name).secret_string(text).send().await;
    Ok(made.during("create a secret")?.arn.unwrap_or_default())
}
