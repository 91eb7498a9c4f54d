//! The folder of `CONFIG_URI`: settings files that replace those compiled in.

use std::fmt;
use std::str::FromStr;

use aws_sdk_s3::Client;
use domain::settings::Mistakes;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::Fault;
use crate::fault::CONNECTION;
use crate::patience::limited;

/// An S3 folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFolder {
    bucket: String,
    /// Empty, or ends with a slash.
    prefix: String,
}

/// Why a text names no settings folder.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be s3://bucket/prefix/, is {0:?}")]
pub struct NotAFolder(pub String);

impl FromStr for SettingsFolder {
    type Err = NotAFolder;

    fn from_str(uri: &str) -> Result<Self, NotAFolder> {
        let path = uri.strip_prefix("s3://").and_then(|path| path.split_once('/'));
        let (bucket, prefix) =
            path.filter(|(bucket, _)| !bucket.is_empty()).ok_or_else(|| NotAFolder(uri.to_owned()))?;
        let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        Ok(Self { bucket: bucket.to_owned(), prefix: format!("{prefix}{slash}") })
    }
}

impl fmt::Display for SettingsFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl Serialize for SettingsFolder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A settings file, and where it was found, for whoever must correct it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFile {
    /// Its place, such as `s3://bucket/folder/fleet.toml`.
    pub source_name: String,
    /// Its text.
    pub text: String,
}

impl SettingsFile {
    /// The file `name` as it is compiled in.
    pub fn shipped(name: &str, text: &str) -> Self {
        Self { source_name: format!("config/{name}"), text: text.to_owned() }
    }
}

/// The files of a settings folder.
#[derive(Debug, Clone)]
pub struct SettingsFiles {
    client: Client,
    folder: SettingsFolder,
}

/// Why a settings file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "CONFIG_URI could not be read: {0}; allow s3:GetObject on the folder, and keep all settings files there \
     (S3 says 403 of a missing one unless s3:ListBucket is allowed)"
)]
pub struct Unread(#[from] pub Fault);

/// Why a function has no settings to work by.
#[derive(Debug, Clone, Error)]
pub enum NoSettings {
    /// Files have mistakes.
    #[error(transparent)]
    Mistaken(#[from] Mistakes),
    /// A file of `CONFIG_URI` could not be read.
    #[error(transparent)]
    Unread(#[from] Unread),
}

impl SettingsFiles {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig, folder: SettingsFolder) -> Self {
        Self { client: Client::new(&limited(config)), folder }
    }

    /// The file `name`, or `shipped` where there is none.
    pub async fn read(&self, name: &str, shipped: &str) -> Result<SettingsFile, Unread> {
        let text = self.text(name).await?.unwrap_or_else(|| shipped.to_owned());
        Ok(SettingsFile { source_name: format!("{}{name}", self.folder), text })
    }

    async fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        let SettingsFolder { bucket, prefix } = &self.folder;
        let request = self.client.get_object().bucket(bucket).key(format!("{prefix}{name}"));
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) => {
                let fault = Fault::of("GetObject", &error);
                return if fault.status == Some(404) { Ok(None) } else { Err(fault) };
            }
        };
        let bytes = object.body.collect().await.map_err(|_| Fault::here("GetObject", CONNECTION))?.to_vec();
        let text =
            String::from_utf8(bytes).map_err(|_| Fault::here("GetObject", "the object is not UTF-8 text"));
        text.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Reply, Wire};

    async fn read(reply: Reply) -> Result<SettingsFile, Unread> {
        let folder = "s3://bucket/config".parse().unwrap();
        SettingsFiles::new(&Wire::new([reply]).config(), folder).read("fleet.toml", "shipped").await
    }

    #[test]
    fn a_folder_is_the_same_with_and_without_its_slash() {
        for (uri, folder) in [
            ("s3://bucket/config/", "s3://bucket/config/"),
            ("s3://bucket/config", "s3://bucket/config/"),
            ("s3://bucket/", "s3://bucket/"),
        ] {
            assert_eq!(uri.parse::<SettingsFolder>().unwrap().to_string(), folder);
        }
        for wrong in ["", "bucket/config", "ftp://bucket/config", "s3://bucket", "s3:///config"] {
            assert_eq!(wrong.parse::<SettingsFolder>(), Err(NotAFolder(wrong.to_owned())));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_read_whole_or_is_the_shipped_one_or_fails() {
        let source_name = "s3://bucket/config/fleet.toml".to_owned();
        let file = |text: &str| Ok(SettingsFile { source_name: source_name.clone(), text: text.to_owned() });
        assert_eq!(read(Reply::new(200, "ü = 1")).await, file("ü = 1"));
        assert_eq!(read(Reply::new(404, "<Error><Code>NoSuchKey</Code></Error>")).await, file("shipped"));
        for (reply, code) in [
            (Reply::new(403, "<Error><Code>AccessDenied</Code></Error>"), "AccessDenied"),
            (Reply::new(200, vec![0xff]), "the object is not UTF-8 text"),
            (Reply::new(200, "text").breaking_off(), "connection"),
        ] {
            assert_eq!(read(reply).await.unwrap_err().0.code, code);
        }
    }
}
