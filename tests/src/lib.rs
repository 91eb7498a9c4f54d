//! Runs Assay without an AWS account: the stand-ins for what the emulator lacks, the emulator, the
//! deployed stack, and what the demo and the end-to-end tests share.
//!
//! Nothing here is linked into a function, and no function knows about it: the only switch is the
//! SDK's own `AWS_ENDPOINT_URL*`.

pub mod alarms;
pub mod alert_rules;
pub mod bench;
pub mod clients;
pub mod destinations;
pub mod emulator;
pub mod environment;
pub mod failure;
pub mod functions;
pub mod local;
pub mod loopback;
pub mod permission;
pub mod preview;
pub mod process;
pub mod progress;
pub mod project;
pub mod results;
pub mod runtime_api;
pub mod samples;
pub mod scenario;
pub mod seed;
pub mod shown_answers;
pub mod small_judge;
pub mod stack;
pub mod stand_in;
pub mod template;
pub mod told;
