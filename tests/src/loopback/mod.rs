//! The built functions against the emulator, without a deployed stack: for what a test must set or
//! see itself, such as the deadline, a crash or the log.

mod alerts;
mod events;
mod provisioning;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use domain::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION, QUALITY_NAMESPACE};
use serde_json::Value;

pub use alerts::{GrafanaAlert, MARK, Rules, grafana, sns};
pub use events::{ENDPOINT, batch, created, key, notification, record, record_at, records};
pub use provisioning::{Provisioning, TOKEN_SECRET};

use crate::clients::Clients;
use crate::emulator::Emulator;
use crate::failure::{During, Failure, Outcome};
use crate::functions::{self, CAPACITY_METER, QUALITY_JUDGE, TABLE};
pub use crate::functions::{CAPTURES, VERDICTS};
use crate::permission::{Deployment, Gate, Grant, Policy};
use crate::results::{self, Numbers};
use crate::runtime_api::Function;
use crate::stand_in::record::Received;
use crate::stand_in::{Options, Server};
use crate::template::{self, Template};

/// What [`Loopback::rules`] makes: the parameter `AlertsSecretArns` of a stack with them.
const SECRETS: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:slack-*,\
                       arn:aws:secretsmanager:us-east-1:000000000000:secret:pagerduty-*,\
                       arn:aws:secretsmanager:us-east-1:000000000000:secret:opsgenie-*,\
                       arn:aws:ssm:us-east-1:000000000000:parameter/assay/webhook";

/// An emulator with two buckets and a state table, and stand-ins that can be scripted.
#[derive(Debug)]
pub struct Loopback {
    /// The emulator's clients.
    pub clients: Clients,
    /// What the emulator lacks.
    pub stand_ins: Server,
    /// One for each function that was started.
    gates: Mutex<Vec<Gate>>,
    granted: Mutex<BTreeMap<String, BTreeSet<Grant>>>,
    emulator: Emulator,
}

impl Loopback {
    /// Starts it all with empty buckets and the fleet of the blog.
    pub async fn start() -> Outcome<Self> {
        Self::start_with(Options::default()).await
    }

    /// The same with other stand-ins.
    pub async fn start_with(options: Options) -> Outcome<Self> {
        let stand_ins = Server::start(options).during("start the stand-ins")?;
        let emulator = Emulator::start(&stand_ins.url()).await?;
        let clients = Clients::of(&emulator.url()).await;
        for bucket in [CAPTURES, VERDICTS] {
            clients.s3.create_bucket().bucket(bucket).send().await.during("create a bucket")?;
        }
        let attribute =
            AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let table = clients
            .dynamodb
            .create_table()
            .table_name(TABLE)
            .attribute_definitions(attribute.build().during("describe the state table")?)
            .key_schema(key.build().during("describe the state table")?)
            .billing_mode(BillingMode::PayPerRequest);
        table.send().await.during("create the state table")?;
        Ok(Self { clients, stand_ins, gates: Mutex::default(), granted: Mutex::default(), emulator })
    }

    /// Starts quality-judge with the default settings but a sample rate of 1, changed by `changes`,
    /// and waits for its first poll.
    pub async fn function(&self, changes: &[(&str, &str)]) -> Outcome<Function> {
        self.ready(QUALITY_JUDGE, changes).await
    }

    /// Starts capacity-meter with the default settings, changed by `changes`, and waits for its
    /// first poll.
    pub async fn meter(&self, changes: &[(&str, &str)]) -> Outcome<Function> {
        self.ready(CAPACITY_METER, changes).await
    }

    async fn ready(&self, name: &str, changes: &[(&str, &str)]) -> Outcome<Function> {
        let mut function = self.launch(name, changes).await?;
        function.ready(Duration::from_secs(20)).await?;
        Ok(function)
    }

    /// Starts a function, and does not wait for it. It may do what its policy in the template allows,
    /// and a test in which it tries more fails.
    pub async fn launch(&self, name: &str, changes: &[(&str, &str)]) -> Outcome<Function> {
        let (aws, stand_ins) = (self.emulator.url(), self.stand_ins.url());
        let id = template::logical_id(name);
        let variables = self.variables(name, changes);
        let deployment = Deployment::of(Template::load()?, &id, &variables, &[("AlertsSecretArns", SECRETS)]);
        let gate = Gate::open(name, Policy::of(&deployment, &id)?, &aws, &stand_ins).await?;
        let all = Policy::of(&deployment.with_every_option(), &id)?.all();
        self.granted().entry(name.to_owned()).or_default().extend(all);
        let variables = functions::variables(name, &gate.url(), &gate.url(), changes);
        self.gates().push(gate);
        Function::start(&functions::binary(name)?, &variables).await
    }

    fn variables(&self, name: &str, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        functions::variables(name, &self.emulator.url(), &self.stand_ins.url(), changes)
    }

    /// The permissions that a function has used so far, in all its processes.
    pub fn used(&self, function: &str) -> BTreeSet<Grant> {
        self.gates().iter().filter(|gate| gate.function() == function).flat_map(Gate::used).collect()
    }

    /// The permissions that it could have in such stacks, whatever else their parameters are, and has not
    /// used. One of a parameter that some of them set counts for these alone.
    pub fn unused(&self, function: &str) -> BTreeSet<Grant> {
        let all = self.granted().get(function).cloned().unwrap_or_default();
        let is_set = |sid: &str| all.iter().any(|grant| grant.sid == sid && !grant.resource.is_empty());
        let used = self.used(function);
        let is_elsewhere = |grant: &Grant| grant.resource.is_empty() && is_set(&grant.sid);
        all.iter().filter(|grant| !used.contains(grant) && !is_elsewhere(grant)).cloned().collect()
    }

    /// Takes a statement of its policy away from every function.
    pub fn forbid(&self, sid: &str) {
        self.gates().iter().for_each(|gate| gate.forbid(sid));
    }

    /// What a function was refused; it fails the test no more.
    pub fn refused(&self, function: &str) -> BTreeSet<String> {
        self.gates().iter().filter(|gate| gate.function() == function).flat_map(Gate::refused).collect()
    }

    fn granted(&self) -> MutexGuard<'_, BTreeMap<String, BTreeSet<Grant>>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gates(&self) -> MutexGuard<'_, Vec<Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object and answers its ETag.
    pub async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> Outcome<String> {
        let put = self.clients.s3.put_object().bucket(CAPTURES).key(key).body(body.into().into());
        let put = put.send().await.during(format!("put {key}"))?;
        Ok(put.e_tag().unwrap_or_default().trim_matches('"').to_owned())
    }

    /// An attribute of an entry in the state table, a text or a number.
    pub async fn state(&self, pk: &str, name: &str) -> Outcome<String> {
        let key = AttributeValue::S(pk.to_owned());
        let item = self.clients.dynamodb.get_item().table_name(TABLE).key("pk", key).send().await;
        let item = item.during(format!("read {pk}"))?.item.unwrap_or_default();
        let value = item.get(name).and_then(|value| value.as_s().or_else(|_| value.as_n()).ok());
        value.cloned().ok_or_else(|| Failure(format!("{pk} has no {name}")))
    }

    /// See [`Server::script`].
    pub async fn script(&self, replies: Value) -> Outcome<()> {
        self.stand_ins.script(&replies).await
    }

    /// See [`Server::forget`].
    pub async fn forget(&self) -> Outcome<()> {
        self.stand_ins.forget().await
    }

    /// Where the stand-ins listen. A script can make them answer for any service.
    pub fn stand_ins(&self) -> String {
        self.stand_ins.url()
    }

    /// How often the judge was asked.
    pub async fn judge_calls(&self) -> Outcome<usize> {
        self.judge_requests().await.map(|requests| requests.len())
    }

    /// What the judge was sent: the bodies of its calls, oldest first.
    pub async fn judge_requests(&self) -> Outcome<Vec<Value>> {
        Ok(self.received("bedrock").await?.into_iter().map(|call| call.body).collect())
    }

    /// See [`Server::received`].
    pub async fn received(&self, stand_in: &str) -> Outcome<Vec<Received>> {
        self.stand_ins.received(stand_in).await
    }

    /// Every stored verdict line, by key and line.
    pub async fn verdicts(&self) -> Outcome<Vec<Value>> {
        let lines = results::lines(&self.clients, VERDICTS).await?;
        Ok(lines.into_iter().map(|(_, line)| line).collect())
    }

    /// The sum over the last days of a metric of a component of [`ENDPOINT`], read back from
    /// CloudWatch; 0 when there is none.
    pub async fn sum(&self, metric: &str, component: &str) -> Outcome<f64> {
        self.sum_at(ENDPOINT, metric, component).await
    }

    /// [`Loopback::sum`] for another endpoint.
    pub async fn sum_at(&self, endpoint: &str, metric: &str, component: &str) -> Outcome<f64> {
        Ok(self.numbers(endpoint, metric, component).await?.sum)
    }

    /// How many observations [`Loopback::sum`] is the sum of: a zero shows here only.
    pub async fn observations(&self, metric: &str, component: &str) -> Outcome<f64> {
        Ok(self.numbers(ENDPOINT, metric, component).await?.samples)
    }

    async fn numbers(&self, endpoint: &str, metric: &str, component: &str) -> Outcome<Numbers> {
        let dimensions = [(ENDPOINT_DIMENSION, endpoint), (COMPONENT_DIMENSION, component)];
        results::numbers(&self.clients.cloudwatch, QUALITY_NAMESPACE, metric, &dimensions).await
    }
}
