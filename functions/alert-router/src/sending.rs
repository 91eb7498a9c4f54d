//! Makes the calls that tell a destination, and says what came of them: taken, to be tried again,
//! or refused for good.

use std::time::Duration;

use adapters::Secret;
use adapters::delivery::{Address, Answer, OpsgenieCall, Receipt as Posted, SlackCall};
use adapters::secrets::SecretRef;
use adapters::state::{NoTurn, Pace};
use domain::alert::lifecycle::{Delivery, Receipt};
use domain::alert::message::pagerduty::RoutingKey;
use domain::alert::notice::{Notice, StormSummary};
use domain::alert::rules::{Destination, DestinationKind, SecretArn};
use jiff::Timestamp;
use serde_json::Value;

use crate::telling::{Call, Message, OpsgenieWhat, Thread, messages, receipt, storm_messages};
use crate::work::Work;

/// A call is not begun when it might not end before the invocation does.
const ONE_CALL: Duration = Duration::from_secs(9);
/// Longer is not waited for a service that asks for patience: Lambda comes back in a minute.
const PATIENCE: Duration = Duration::from_secs(5);
/// A failure of the service is often gone by then.
const BREATH: Duration = Duration::from_millis(300);
/// Calls for one message: a wait, a failure, a fresh secret and a plainer form, each once.
const MOST_CALLS: usize = 6;

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    /// The destination has it.
    Delivered {
        /// How it is found again.
        receipt: Option<Receipt>,
        /// Whether only a plainer form was taken: why.
        plain: Option<String>,
        /// Calls that it took; none when there was nothing to say.
        calls: usize,
    },
    /// Not now, or not all of it.
    Owed {
        /// How the first of its messages is found again, when that was taken.
        begun: Option<Receipt>,
        /// Why.
        reason: String,
    },
    /// Not in this invocation, whose turns or time are used up, or not all of it.
    Later {
        /// How the first of its messages is found again, when that was taken.
        begun: Option<Receipt>,
        /// In how long.
        wait: Duration,
    },
    /// Never: why.
    Refused(String),
}

/// Why a message was not taken.
enum Stop {
    Owed(String),
    Later(Duration),
    Refused(String),
    Gone(String),
}

/// What a call is made with, where it has them: its secret and a webhook's token.
type Secrets = [Option<Secret>; 2];

/// A message that was taken.
struct Taken {
    posted: Posted,
    plain: Option<String>,
}

impl Work<'_> {
    /// Tells a destination of an alert.
    pub(crate) async fn send(&self, notice: &Notice, delivery: &Delivery) -> Sent {
        let Some(destination) = self.terms.rules.destination(&delivery.destination) else {
            return Sent::Refused("no such destination is configured".to_owned());
        };
        let all = messages(destination, delivery, notice);
        self.send_all(destination, all, |slack| receipt(destination, notice, slack)).await
    }

    /// Tells a chat of a storm.
    pub(crate) async fn send_storm(
        &self,
        destination: &Destination,
        storm: &StormSummary,
        known: Option<&Receipt>,
    ) -> Sent {
        let all = storm_messages(destination, storm, known);
        let found =
            |slack: Option<(String, String)>| slack.map(|(channel, ts)| Receipt::Slack { channel, ts });
        self.send_all(destination, all, found).await
    }

    async fn send_all(
        &self,
        destination: &Destination,
        all: Vec<Message>,
        receipt: impl Fn(Option<(String, String)>) -> Option<Receipt>,
    ) -> Sent {
        let mut first: Option<(String, String)> = None;
        let mut plain = None;
        let calls = all.len();
        for mut message in all {
            if let (Call::SlackPost { thread, .. }, Some((_, ts))) = (&mut message.call, &first) {
                if matches!(thread, Thread::OfFirst) {
                    *thread = Thread::Of(ts.clone());
                } else if matches!(thread, Thread::Broadcast) {
                    message.body["reply_broadcast"] = true.into();
                    *thread = Thread::Of(ts.clone());
                }
            }
            let taken = match self.send_one(destination, &message).await {
                Err(Stop::Gone(reason)) => match posted_anew(message) {
                    Some(anew) => self.send_one(destination, &anew).await,
                    None => Err(Stop::Refused(reason)),
                },
                other => other,
            };
            match taken {
                Ok(taken) => {
                    plain = plain.or(taken.plain);
                    let named = taken.posted.channel.zip(taken.posted.ts);
                    first = first.or(named);
                }
                Err(Stop::Owed(reason)) => return Sent::Owed { begun: begun(first, receipt), reason },
                Err(Stop::Later(wait)) => return Sent::Later { begun: begun(first, receipt), wait },
                Err(Stop::Refused(reason) | Stop::Gone(reason)) => return Sent::Refused(reason),
            }
        }
        Sent::Delivered { receipt: if calls == 0 { None } else { receipt(first) }, plain, calls }
    }

    /// One message, with everything that may be tried about it.
    async fn send_one(&self, destination: &Destination, message: &Message) -> Result<Taken, Stop> {
        let names = [message.secret.as_ref(), message.call.token()];
        let mut secrets = self.secrets(names).await?;
        let mut plain: Option<String> = None;
        let (mut has_read_anew, mut has_failed) = (false, false);
        for _ in 0..MOST_CALLS {
            self.take_turn(destination).await?;
            if !self.has_time_for(ONE_CALL) {
                return Err(Stop::Later(Duration::ZERO));
            }
            let body = message.plain.as_ref().filter(|_| plain.is_some()).unwrap_or(&message.body);
            match self.call(message, body, &secrets).await {
                Answer::Delivered(posted) => return Ok(Taken { posted, plain }),
                Answer::Wait(wait) => {
                    self.hold(destination, wait).await;
                    let reason = format!("asks to wait {} s", wait.as_secs());
                    if wait > PATIENCE || !self.has_time_for(wait + ONE_CALL) {
                        return Err(Stop::Owed(reason));
                    }
                    tokio::time::sleep(wait).await;
                }
                // What timed out may have been taken: the retry a minute later is soon enough.
                Answer::Transient(reason) if has_failed || reason == "timeout" => {
                    return Err(Stop::Owed(reason));
                }
                Answer::Transient(_) => {
                    has_failed = true;
                    tokio::time::sleep(BREATH).await;
                }
                Answer::Malformed(reason) if plain.is_none() && message.plain.is_some() => {
                    let name = &destination.name;
                    tracing::warn!(destination = %name, reason, "message refused; sending a plainer one");
                    plain = Some(reason);
                }
                Answer::Unauthorized(reason) => {
                    if message.secret.is_none() {
                        return Err(Stop::Owed(reason));
                    }
                    self.forget(names, &secrets);
                    if has_read_anew {
                        return Err(Stop::Owed(format!("{reason}: the secret is refused")));
                    }
                    has_read_anew = true;
                    secrets = self.secrets(names).await?;
                }
                Answer::Gone(reason) => return Err(Stop::Gone(reason)),
                Answer::Malformed(reason) | Answer::Rejected(reason) => return Err(Stop::Refused(reason)),
            }
        }
        Err(Stop::Owed("too many tries".to_owned()))
    }

    async fn call(&self, message: &Message, body: &Value, secrets: &Secrets) -> Answer {
        let outbound = &self.outbound;
        let [secret, token] = secrets.each_ref().map(Option::as_ref);
        let address =
            |url: &str| Address::parse(url).map_err(|error| Answer::Unauthorized(error.to_string()));
        let missing = || Answer::Rejected("the destination has no secret".to_owned());
        let outcome = async {
            Ok(match &message.call {
                Call::SlackPost { base_url, channel, thread } => {
                    let mut body = body.clone();
                    body["channel"] = channel.as_str().into();
                    if let Thread::Of(ts) = thread {
                        body["thread_ts"] = ts.as_str().into();
                    }
                    if message.body["reply_broadcast"] == true {
                        body["reply_broadcast"] = true.into();
                    }
                    let token = secret.ok_or_else(missing)?;
                    outbound.slack(&address(base_url)?, SlackCall::Post, token, &body).await
                }
                Call::SlackUpdate { base_url, channel, ts } => {
                    let mut body = body.clone();
                    body["channel"] = channel.as_str().into();
                    body["ts"] = ts.as_str().into();
                    let token = secret.ok_or_else(missing)?;
                    outbound.slack(&address(base_url)?, SlackCall::Update, token, &body).await
                }
                Call::SlackWebhook => {
                    let url = secret.ok_or_else(missing)?;
                    outbound.slack_webhook(&address(url.reveal())?, body).await
                }
                Call::PagerDuty { base_url } => {
                    let key = secret.ok_or_else(missing)?.reveal().to_owned();
                    let key =
                        RoutingKey::try_from(key).map_err(|error| Answer::Unauthorized(error.to_string()))?;
                    let mut event = body.clone();
                    event["routing_key"] = serde_json::json!(key);
                    outbound.pagerduty(&address(base_url)?, &event).await
                }
                Call::Opsgenie { base_url, what } => {
                    let call = match what {
                        OpsgenieWhat::Create => OpsgenieCall::Create,
                        OpsgenieWhat::Close(alias) => OpsgenieCall::Close { alias },
                        OpsgenieWhat::Note(alias) => OpsgenieCall::Note { alias },
                    };
                    let key = secret.ok_or_else(missing)?;
                    outbound.opsgenie(&address(base_url)?, call, key, body).await
                }
                Call::Webhook { .. } => {
                    let url = address(secret.ok_or_else(missing)?.reveal())?;
                    outbound.webhook(&url, token, body).await
                }
                Call::AmazonQ { topic_arn } => {
                    match self.tools.topics.publish(topic_arn, &body.to_string()).await {
                        Ok(()) => Answer::Delivered(Posted::default()),
                        Err(fault) if fault.is_transient() => Answer::Transient(fault.to_string()),
                        Err(fault) if fault.code == "InvalidParameter" => Answer::Rejected(fault.to_string()),
                        Err(fault) => Answer::Unauthorized(fault.to_string()),
                    }
                }
            })
        };
        match outcome.await {
            Ok(answer) | Err(answer) => answer,
        }
    }

    async fn secrets(&self, names: [Option<&SecretArn>; 2]) -> Result<Secrets, Stop> {
        let mut secrets = Secrets::default();
        for (secret, arn) in secrets.iter_mut().zip(names) {
            if let Some(arn) = arn {
                *secret = Some(self.secret(arn).await?);
            }
        }
        Ok(secrets)
    }

    async fn secret(&self, arn: &SecretArn) -> Result<Secret, Stop> {
        let named = arn.as_str().parse::<SecretRef>().map_err(|error| Stop::Refused(error.to_string()))?;
        // Also what is not allowed is owed: an operator can allow it, and the event comes back.
        self.tools.secrets.get(&named).await.map_err(|error| Stop::Owed(error.to_string()))
    }

    /// Nobody says which of them was refused.
    fn forget(&self, names: [Option<&SecretArn>; 2], refused: &Secrets) {
        for (arn, refused) in names.into_iter().zip(refused) {
            if let (Some(arn), Some(refused)) = (arn, refused)
                && let Ok(named) = arn.as_str().parse::<SecretRef>()
            {
                self.tools.secrets.forget(&named, refused);
            }
        }
    }

    /// Waits for a turn of the pace that all invocations share.
    async fn take_turn(&self, destination: &Destination) -> Result<(), Stop> {
        let Some(pace) = self.pace(destination) else { return Ok(()) };
        let patience = self.time_left().saturating_sub(ONE_CALL);
        let subject = destination.name.as_str();
        match self.tools.state.take_turn(subject, pace, Timestamp::now(), patience).await {
            Ok(wait) => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                Ok(())
            }
            Err(NoTurn::In(wait)) => Err(Stop::Later(wait)),
            Err(NoTurn::Failed(fault)) => Err(Stop::Owed(fault.to_string())),
        }
    }

    /// Keeps all invocations away for as long as a service asked. A failure costs one more call
    /// that is answered in the same way.
    async fn hold(&self, destination: &Destination, wait: Duration) {
        let Some(pace) = self.pace(destination) else { return };
        let held = self.tools.state.hold_turns(destination.name.as_str(), pace, Timestamp::now(), wait).await;
        if let Err(fault) = held {
            tracing::warn!(destination = %destination.name, error = %fault, "pause not noted");
        }
    }

    fn pace(&self, destination: &Destination) -> Option<Pace> {
        let limits = self.terms.rules.storm();
        match destination.kind {
            DestinationKind::SlackBot { .. } | DestinationKind::SlackWebhook { .. } => {
                // Slack takes short bursts: a message and its reply are one thought.
                Some(Pace { interval: Duration::from_secs_f64(1.0 / limits.slack_per_second), burst: 4 })
            }
            DestinationKind::PagerDuty { .. } | DestinationKind::Opsgenie { .. } => {
                // Half at once, the other half over the minute.
                let interval = Duration::from_secs_f64(120.0 / limits.incidents_per_minute);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 60")]
                let burst = (limits.incidents_per_minute / 2.0).max(1.0) as u32;
                Some(Pace { interval, burst })
            }
            DestinationKind::Webhook { .. } | DestinationKind::AmazonQ { .. } => None,
        }
    }
}

/// Why a delivery is left to a later invocation.
pub(crate) fn next_turn(wait: Duration) -> String {
    format!("its next turn is in {} s", wait.as_secs())
}

/// How the first message of a delivery is found again, when it was taken and a later one was not.
fn begun(
    first: Option<(String, String)>,
    receipt: impl Fn(Option<(String, String)>) -> Option<Receipt>,
) -> Option<Receipt> {
    receipt(Some(first?))
}

/// An update whose message is gone, as a post.
fn posted_anew(message: Message) -> Option<Message> {
    match message.call {
        Call::SlackUpdate { base_url, channel, .. }
        | Call::SlackPost { base_url, channel, thread: Thread::Of(_) } => {
            let call = Call::SlackPost { base_url, channel, thread: Thread::New };
            Some(Message { call, ..message })
        }
        _ => None,
    }
}
