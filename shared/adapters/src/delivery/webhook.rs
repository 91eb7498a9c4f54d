//! Any HTTPS address that takes Assay's own JSON.

use serde_json::Value;

use super::{Address, Answer, Outbound};
use crate::Secret;

impl Outbound {
    /// Posts to `url`, with `token` as a bearer token when there is one.
    pub async fn webhook(&self, url: &Address, token: Option<&Secret>, body: &Value) -> Answer {
        let authorization = token.map(|token| ("authorization", format!("Bearer {}", token.reveal())));
        let headers: Vec<_> = authorization.into_iter().collect();
        match self.post(url, &headers, body).await {
            Ok(response) => response.by_status(),
            Err(answer) => answer,
        }
    }
}
