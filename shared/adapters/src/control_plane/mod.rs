//! The SageMaker control plane: which endpoints there are, and what each should consist of.

use std::collections::BTreeSet;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::describe_inference_component::DescribeInferenceComponentOutput;
use aws_sdk_sagemaker::types::EndpointStatus;
use domain::capacity::topology::EndpointTopology;
use domain::names::{ComponentName, EndpointName};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use thiserror::Error;

use crate::Fault;
use crate::fault::{UNREADABLE, has_ended};
use crate::patience::limited;

mod read;
#[cfg(test)]
mod tests;

/// Entries on a page (API reference).
const PER_PAGE: i32 = 100;
/// Components of one endpoint that are described at once. SageMaker's quotas are small and shared
/// with whoever deploys.
const AT_ONCE: usize = 4;

/// SageMaker, as capacity-meter asks it.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    client: Client,
}

/// Why there is no topology.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoTopology {
    /// SageMaker does not know the endpoint.
    #[error("SageMaker knows no endpoint of this name")]
    Gone,
    /// Its variants serve models of their own: nothing on it is an inference component.
    #[error("the endpoint does not host inference components")]
    OtherHosting,
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] Fault),
}

impl ControlPlane {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        Self { client: Client::new(&limited(config)) }
    }

    /// The endpoints that have or may have instances. Costs one call for each 100.
    pub async fn endpoints(&self) -> Result<BTreeSet<EndpointName>, Fault> {
        let (mut names, mut next) = (BTreeSet::new(), None);
        let mut pages = self.client.list_endpoints().max_results(PER_PAGE).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Fault::of("ListEndpoints", &error))?;
            next = page.next_token;
            for endpoint in page.endpoints.unwrap_or_default() {
                let is_without_instances = matches!(
                    endpoint.endpoint_status,
                    Some(EndpointStatus::Creating | EndpointStatus::Deleting | EndpointStatus::Failed)
                );
                if !is_without_instances {
                    names.insert(name("ListEndpoints", endpoint.endpoint_name)?);
                }
            }
        }
        has_ended("ListEndpoints", next)?;
        Ok(names)
    }

    /// What an endpoint consists of. Costs two calls, one for each 100 components and one for each
    /// component.
    pub async fn topology(
        &self,
        endpoint: &EndpointName,
        now: Timestamp,
    ) -> Result<EndpointTopology, NoTopology> {
        let request = self.client.describe_endpoint().endpoint_name(endpoint.as_str());
        let described = request.send().await.map_err(|error| {
            let fault = Fault::of("DescribeEndpoint", &error);
            if is_missing(&fault) { NoTopology::Gone } else { NoTopology::Failed(fault) }
        })?;
        let config_name = described.endpoint_config_name.clone().unwrap_or_default();
        let config = self.client.describe_endpoint_config().endpoint_config_name(config_name).send().await;
        let config = config.map_err(|error| Fault::of("DescribeEndpointConfig", &error))?;
        let names = self.components(endpoint).await?;
        if names.is_empty() && read::has_models_of_its_own(&config) {
            return Err(NoTopology::OtherHosting);
        }
        let components: Vec<Option<DescribeInferenceComponentOutput>> =
            stream::iter(names.iter().map(|name| self.component(name)))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
        let components = names.into_iter().zip(components);
        let components = components.filter_map(|(name, described)| Some((name, described?)));
        Ok(read::topology(endpoint, &described, &config, components, now))
    }

    async fn components(&self, endpoint: &EndpointName) -> Result<Vec<ComponentName>, Fault> {
        let request = self.client.list_inference_components().endpoint_name_equals(endpoint.as_str());
        let (mut names, mut next) = (Vec::new(), None);
        let mut pages = request.max_results(PER_PAGE).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Fault::of("ListInferenceComponents", &error))?;
            next = page.next_token;
            for component in page.inference_components.unwrap_or_default() {
                names.push(name("ListInferenceComponents", component.inference_component_name)?);
            }
        }
        has_ended("ListInferenceComponents", next)?;
        Ok(names)
    }

    /// `None` for a component that was deleted since it was listed.
    async fn component(
        &self,
        name: &ComponentName,
    ) -> Result<Option<DescribeInferenceComponentOutput>, Fault> {
        let request = self.client.describe_inference_component().inference_component_name(name.as_str());
        match request.send().await {
            Ok(described) => Ok(Some(described)),
            Err(error) => {
                let fault = Fault::of("DescribeInferenceComponent", &error);
                if is_missing(&fault) { Ok(None) } else { Err(fault) }
            }
        }
    }
}

/// SageMaker has no error code of its own for this. The only input of these calls is a name whose
/// form is right, so a validation error says that nothing has it.
fn is_missing(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), "ValidationException" | "ResourceNotFound")
}

fn name<T: std::str::FromStr>(operation: &'static str, text: Option<String>) -> Result<T, Fault> {
    text.unwrap_or_default().parse().map_err(|_| Fault::here(operation, UNREADABLE))
}
