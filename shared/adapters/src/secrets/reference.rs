//! Names of secrets, as `alerts.toml` has them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Which service keeps a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Store {
    /// AWS Secrets Manager.
    SecretsManager,
    /// AWS Systems Manager Parameter Store; a `SecureString` is decrypted.
    ParameterStore,
}

/// An ARN, and after `#` the key when the secret is a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretRef {
    store: Store,
    arn: String,
    key: Option<String>,
}

/// Why a text names no secret. The text is not repeated: it may be the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be the ARN of a secret (arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME) or of a parameter \
     (arn:aws:ssm:REGION:ACCOUNT:parameter/NAME), with #KEY behind it when it is a JSON object"
)]
pub struct NotASecretRef;

impl SecretRef {
    /// Which service keeps it.
    pub fn store(&self) -> Store {
        self.store
    }

    /// The ARN, without the key.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The key within a JSON object.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl FromStr for SecretRef {
    type Err = NotASecretRef;

    fn from_str(text: &str) -> Result<Self, NotASecretRef> {
        let (arn, key) = match text.split_once('#') {
            None => (text, None),
            Some((_, "")) => return Err(NotASecretRef),
            Some((arn, key)) => (arn, Some(key.to_owned())),
        };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
            return Err(NotASecretRef);
        };
        let store = match *service {
            "secretsmanager" if resource.strip_prefix("secret:").is_some_and(is_name) => {
                Store::SecretsManager
            }
            "ssm" if resource.strip_prefix("parameter/").is_some_and(is_name) => Store::ParameterStore,
            _ => return Err(NotASecretRef),
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account || !is_name(partition) || !is_name(region) {
            return Err(NotASecretRef);
        }
        Ok(Self { store, arn: arn.to_owned(), key })
    }
}

fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "#{key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_stores_and_a_key() {
        let plain: SecretRef =
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:assay/slack-AbCdEf".parse().unwrap();
        assert_eq!((plain.store(), plain.key()), (Store::SecretsManager, None));
        let text = "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/assay/pager#routing_key";
        let keyed: SecretRef = text.parse().unwrap();
        assert_eq!((keyed.store(), keyed.key()), (Store::ParameterStore, Some("routing_key")));
        assert_eq!(keyed.arn(), "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/assay/pager");
        assert_eq!(keyed.to_string(), text);
    }

    #[test]
    fn a_secret_in_its_place_is_refused_and_not_repeated() {
        for wrong in [
            "",
            "xoxb-quokka",
            "https://hooks.slack.com/services/quokka",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a#",
            "arn:aws:secretsmanager:eu-central-1:1:secret:a",
            "arn:aws:secretsmanager::123456789012:secret:a",
            "arn:aws:s3:eu-central-1:123456789012:secret:a",
            "arn:aws:ssm:eu-central-1:123456789012:parameter",
        ] {
            let error = wrong.parse::<SecretRef>().unwrap_err().to_string();
            assert!(!error.contains("quokka"), "{wrong}: {error}");
        }
    }
}
