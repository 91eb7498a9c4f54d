//! Calls of Grafana's HTTP API, as data.

use serde_json::{Value, json};

/// The verb of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// As HTTP has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// Below the address of the Grafana, without a slash at its start.
    pub path: String,
    /// JSON.
    pub body: Option<Value>,
    /// Whether what is written stays editable in the UI (`X-Disable-Provenance`). What was written
    /// without must be changed without.
    pub stays_editable: bool,
}

impl Request {
    /// `GET`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path, None)
    }

    /// `POST`.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::Post, path, Some(body))
    }

    /// `PUT`.
    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::Put, path, Some(body))
    }

    /// `DELETE`.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path, None)
    }

    /// `POST /api/dashboards/db`: creates or replaces.
    pub fn dashboard(dashboard: &Value, folder: &str) -> Self {
        let body = json!({
            "dashboard": dashboard,
            "folderUid": folder,
            "overwrite": true,
            "message": "deployed by grafana-provisioner",
        });
        Self::post("api/dashboards/db", body)
    }

    /// The whole notification policy.
    pub fn policies() -> Self {
        Self::get("api/v1/provisioning/policies")
    }

    /// With the header that keeps an object editable, or without.
    #[must_use]
    pub fn editable(self, stays_editable: bool) -> Self {
        Self { stays_editable, ..self }
    }

    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), body, stays_editable: false }
    }
}
