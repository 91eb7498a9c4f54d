//! What a test or the demo tells the running stand-ins and asks them, over the wire like anybody.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Server;
use super::record::{Received, Stats};
use crate::failure::{During, Outcome};

impl Server {
    /// Tells them what to answer next; see [`super::script::Scripted`].
    pub async fn script(&self, replies: &Value) -> Outcome<()> {
        let url = format!("{}/_replies", self.url());
        let answer = self.http.post(url).json(replies).send().await.during("script the stand-ins")?;
        answer.error_for_status().during("script the stand-ins").map(drop)
    }

    /// Forgets what is still scripted and what was received.
    pub async fn forget(&self) -> Outcome<()> {
        for part in ["_replies", "_requests"] {
            let url = format!("{}/{part}", self.url());
            self.http.delete(url).send().await.during("reset the stand-ins")?;
        }
        Ok(())
    }

    /// What one of them was sent, oldest first.
    pub async fn received(&self, stand_in: &str) -> Outcome<Vec<Received>> {
        self.ask(&format!("_requests?stand_in={stand_in}")).await
    }

    /// How often each was called.
    pub async fn stats(&self) -> Outcome<BTreeMap<String, Stats>> {
        self.ask("_stats").await
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str) -> Outcome<T> {
        let url = format!("{}/{what}", self.url());
        let answer = self.http.get(url).send().await.during("ask the stand-ins' record")?;
        answer.json().await.during("read the stand-ins' record")
    }
}
