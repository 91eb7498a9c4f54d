//! Secrets by their ARN, from Secrets Manager or Systems Manager Parameter Store, kept in memory
//! for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::patience::limited;
use crate::{Fault, Secret};

mod reference;
#[cfg(test)]
mod tests;

pub use reference::{NotASecretRef, SecretRef, Store};

/// Where secrets are read, and those that were read.
#[derive(Debug)]
pub struct Secrets {
    manager: aws_sdk_secretsmanager::Client,
    parameters: aws_sdk_ssm::Client,
    kept_for: Duration,
    kept: Mutex<HashMap<SecretRef, Arc<Kept>>>,
}

/// One that is being read, or was.
#[derive(Debug)]
struct Kept {
    since: Instant,
    secret: OnceCell<Secret>,
}

/// Why there is no secret. Tells the ARN, never the content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoSecret {
    /// AWS did not hand it out.
    #[error("{of} could not be read: {fault}{}", advice(fault))]
    Unread {
        /// Which one.
        of: SecretRef,
        /// Why.
        fault: Fault,
    },
    /// It is binary, or empty.
    #[error("{0} holds no text")]
    NoText(SecretRef),
    /// It was to be a JSON object.
    #[error("{0} must be a JSON object with a text under the key that follows '#'")]
    NoKey(SecretRef),
}

impl NoSecret {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unread { fault, .. } if fault.is_transient())
    }
}

fn advice(fault: &Fault) -> &'static str {
    match fault.code.as_str() {
        "AccessDeniedException" => "; allow the function to read it, and to use its KMS key",
        "ResourceNotFoundException" | "ParameterNotFound" => {
            "; check the ARN, it must be of the stack's region"
        }
        _ => "",
    }
}

impl Secrets {
    /// Uses the region, credentials and endpoint of `config`. A secret is read again after
    /// `kept_for`.
    pub fn new(config: &aws_types::SdkConfig, kept_for: Duration) -> Self {
        let config = limited(config);
        Self {
            manager: aws_sdk_secretsmanager::Client::new(&config),
            parameters: aws_sdk_ssm::Client::new(&config),
            kept_for,
            kept: Mutex::default(),
        }
    }

    /// The secret that `of` names. Callers at the same time share one call.
    pub async fn get(&self, of: &SecretRef) -> Result<Secret, NoSecret> {
        let kept = {
            let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = all.get(of).filter(|kept| kept.since.elapsed() < self.kept_for) {
                Arc::clone(kept)
            } else {
                let fresh = Arc::new(Kept { since: Instant::now(), secret: OnceCell::new() });
                all.insert(of.clone(), Arc::clone(&fresh));
                fresh
            }
        };
        kept.secret.get_or_try_init(|| self.read(of)).await.cloned()
    }

    /// Forgets `refused`, so that the next [`Secrets::get`] reads again. One that was read since is
    /// kept: several deliveries that were refused with the old one cause one reading.
    pub fn forget(&self, of: &SecretRef, refused: &Secret) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(of).is_some_and(|kept| kept.secret.get() == Some(refused)) {
            all.remove(of);
        }
    }

    async fn read(&self, of: &SecretRef) -> Result<Secret, NoSecret> {
        let unread = |fault| NoSecret::Unread { of: of.clone(), fault };
        let text = match of.store() {
            Store::SecretsManager => {
                let answer = self.manager.get_secret_value().secret_id(of.arn()).send().await;
                let answer = answer.map_err(|error| unread(Fault::of("GetSecretValue", &error)))?;
                answer.secret_string
            }
            Store::ParameterStore => {
                let request = self.parameters.get_parameter().name(of.arn()).with_decryption(true);
                let answer =
                    request.send().await.map_err(|error| unread(Fault::of("GetParameter", &error)))?;
                answer.parameter.and_then(|parameter| parameter.value)
            }
        };
        let text = text.ok_or_else(|| NoSecret::NoText(of.clone()))?;
        let text = match of.key() {
            None => text,
            Some(key) => {
                let object: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                let value = object.get(key).and_then(serde_json::Value::as_str);
                value.ok_or_else(|| NoSecret::NoKey(of.clone()))?.to_owned()
            }
        };
        let secret = Secret::new(&text);
        if secret.reveal().is_empty() { Err(NoSecret::NoText(of.clone())) } else { Ok(secret) }
    }
}
