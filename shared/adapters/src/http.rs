//! The HTTP client that all AWS clients of a process share, and connections to other services made
//! by the same code, so that one stack of TLS and HTTP is linked.

use std::sync::{Mutex, PoisonError};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The SDK's own HTTPS client, set up once. Left alone, each AWS client of a process sets up TLS
/// twice and reads the machine's certificate authorities for it: at the start, only to try it, and
/// at its first call. This one does at the first call, once for all clients of equal time-outs.
pub(crate) fn http_client() -> SharedHttpClient {
    let connectors: Mutex<Vec<(HttpConnectorSettings, SharedHttpConnector)>> = Mutex::default();
    http_client_fn(move |settings, components| {
        let mut connectors = connectors.lock().unwrap_or_else(PoisonError::into_inner);
        let known = connectors.iter().find(|(known, _)| are_equal(known, settings));
        if let Some((_, connector)) = known {
            return connector.clone();
        }
        let connector = connector(settings, components);
        connectors.push((settings.clone(), connector.clone()));
        connector
    })
}

/// Connections of their own to services other than AWS, made at the first call. Redirects are not
/// followed. Drop it with the invocation: Lambda freezes a process between events, and a connection
/// that was frozen breaks in the middle of the next call.
#[cfg(any(feature = "delivery", feature = "grafana"))]
pub(crate) fn connections(connect_timeout: std::time::Duration) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(connect_timeout).build();
    let builder = Connector::builder()
        .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env());
    SharedHttpConnector::new(builder.build())
}

fn are_equal(one: &HttpConnectorSettings, other: &HttpConnectorSettings) -> bool {
    one.connect_timeout() == other.connect_timeout() && one.read_timeout() == other.read_timeout()
}

/// As the SDK makes it by default, the proxy variables of the environment included.
fn connector(settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
    let mut builder = Connector::builder()
        .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env());
    builder.set_sleep_impl(components.sleep_impl());
    SharedHttpConnector::new(builder.build())
}
