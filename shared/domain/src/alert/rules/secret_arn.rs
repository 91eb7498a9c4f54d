//! Where a secret is.

use serde::{Deserialize, Serialize};

/// The ARN of a Secrets Manager secret or of an SSM parameter, and after `#` the key when it holds a
/// JSON object: where a secret is, not the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretArn(String);

/// The text is no [`SecretArn`]. It is not shown: it may be the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not the ARN of a secret. Store the URL, token or key in Secrets Manager or as an SSM SecureString, \
     and write here arn:aws:secretsmanager:<region>:<account>:secret:<name> or \
     arn:aws:ssm:<region>:<account>:parameter/<name>"
)]
pub struct NotASecretArn;

impl SecretArn {
    /// The ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SecretArn {
    type Error = NotASecretArn;

    fn try_from(text: String) -> Result<Self, NotASecretArn> {
        let (arn, key) = text.split_once('#').map_or((text.as_str(), None), |(arn, key)| (arn, Some(key)));
        let secret = arn_resource(arn, "secretsmanager").and_then(|rest| rest.strip_prefix("secret:"));
        let parameter = || arn_resource(arn, "ssm").and_then(|rest| rest.strip_prefix("parameter/"));
        let is_right =
            secret.or_else(parameter).is_some_and(is_name) && key.is_none_or(|key| !key.is_empty());
        if is_right { Ok(Self(text)) } else { Err(NotASecretArn) }
    }
}

impl From<SecretArn> for String {
    fn from(arn: SecretArn) -> Self {
        arn.0
    }
}

impl std::str::FromStr for SecretArn {
    type Err = NotASecretArn;

    fn from_str(text: &str) -> Result<Self, NotASecretArn> {
        Self::try_from(text.to_owned())
    }
}

/// Names of secrets and parameters: letters, digits and `/_+=.@-`.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
    (1..=1011).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// What follows `arn:<partition>:<service>:<region>:<account>:`.
pub(super) fn arn_resource<'a>(text: &'a str, service: &str) -> Option<&'a str> {
    let mut parts = text.splitn(6, ':');
    let is_right = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some(service)
        && parts.next().is_some_and(|region| !region.is_empty())
        && parts.next().is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()));
    parts.next().filter(|resource| is_right && !resource.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_be_one_value_of_an_object() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-AbCdEf";
        for (text, is_right) in [("", true), ("#token", true), ("#", false)] {
            assert_eq!(format!("{arn}{text}").parse::<SecretArn>().is_ok(), is_right, "{text}");
        }
    }
}
