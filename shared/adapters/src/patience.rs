//! How long a call other than the judge's may take.

use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

/// A connection that is not there by then will not come.
const CONNECT: Duration = Duration::from_secs(3);
/// All calls but the judge's are answered in well under a second. The SDK waits for ever by
/// itself, which would hold a lease until Lambda ends the invocation.
const ATTEMPT: Duration = Duration::from_secs(10);

/// `config` with a limit on each attempt, so that one that is lost is made again in time.
pub(crate) fn limited(config: &SdkConfig) -> SdkConfig {
    let limits = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT);
    config.to_builder().timeout_config(limits.build()).build()
}
