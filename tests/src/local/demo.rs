//! `local demo`: deploys Assay, lets it judge the sample captures, meter the fleet of a scenario and
//! tell an alert, shows what came out and says whether all of it came true.

use std::io::{Write as _, stdout};
use std::time::Duration;

use domain::capture::SkipReason;
use domain::check::Check;
use domain::metric::{CAPACITY_NAMESPACE, COMPOSITE_QUALITY_SCORE, QUALITY_NAMESPACE, RECORDS};
use domain::verdict::{Outcome as Ending, Verdict};
use jiff::Timestamp;
use serde_json::Value;

use super::report::{counts_table, metrics_table, scores_table};
use super::{alarm, capacity};
use crate::alarms;
use crate::environment::Environment;
use crate::failure::{During, Failure, Outcome};
use crate::progress::Step;
use crate::results::{self, Metered, Published};
use crate::samples::SAMPLES;
use crate::small_judge::SmallJudge;
use crate::stack;
use crate::stand_in::{JUDGE_NAME, Options, Server, WORKSPACE};

const PATIENCE: Duration = Duration::from_mins(2);

/// The small model takes seconds for a reply and answers one call at a time.
const SMALL: &[(&str, &str)] =
    &[("SampleRate", "0.15"), ("JudgeConcurrency", "1"), ("JudgeTimeoutSeconds", "120")];

/// Something that the demo promises, and whether it is so.
type Promise = (String, bool);

/// Runs the demo.
///
/// # Errors
/// What could not be done, or the promises that did not come true.
pub async fn demo(options: Options) -> Outcome<()> {
    let mut environment = Environment::start(options, &[]).await?;
    show(&mut environment, JUDGE_NAME.trim_end_matches(':'), promises, PATIENCE).await
}

/// Runs the demo with a real small model as the judge. Most of its replies break the form: what is
/// promised is that none of those becomes a score.
pub async fn demo_with_small_judge() -> Outcome<()> {
    let judge = SmallJudge::start()?;
    let stand_ins = Server::forwarding_to(judge.url()).during("start the stand-ins")?;
    let mut environment = Environment::around(stand_ins, SMALL).await?;
    let judge = "SmolLM2 with 135 million parameters";
    show(&mut environment, judge, promises_of_small_judge, 5 * PATIENCE).await
}

/// `judge` is what judges in place of the model that the verdicts name.
async fn show(
    environment: &mut Environment,
    judge: &str,
    promises: fn(&[&Verdict], &Published, u64) -> Vec<Promise>,
    patience: Duration,
) -> Outcome<()> {
    let scenario = environment.stand_ins.scenario();
    let stack = environment.stack.clone();
    let captures = stack.output("CaptureBucketName")?;
    let verdict_bucket = stack.output("VerdictBucketName")?;
    let table = stack.output("StateTableName")?;
    let keys = upload(environment, captures).await?;
    results::wait_until_judged(&environment.clients, table, captures, &keys, patience).await?;
    let verdicts = results::verdicts(&environment.clients, verdict_bucket).await?;
    let published = results::published(&environment.clients.cloudwatch).await?;
    // After the judge: the tokens that it has counted are a part of the costs.
    environment.keep_publishing().await?;
    let metered = capacity::meter(environment).await?;
    let told = alarm::raise(environment, &published).await?;
    let stats = environment.stand_ins.stats().await?;
    let calls = stats.get("bedrock").map_or(0, |stats| stats.calls);

    let only: Vec<&Verdict> = verdicts.iter().map(|(_, verdict)| verdict).collect();
    let mut promises = promises(&only, &published, calls);
    promises.extend(capacity::promises(&metered, &scenario));
    promises.extend(in_grafana(environment));
    let alarms = in_cloudwatch(environment).await?;
    promises.push(("the stack's dashboards and alarms are in CloudWatch too".to_owned(), alarms >= 15));
    for (name, service) in [("sagemaker", "SageMaker"), ("pricing", "the Price List API")] {
        let is_asked = stats.get(name).is_some_and(|stats| stats.calls > 0);
        promises.push((format!("the stand-in for {service} was asked"), is_asked));
    }
    promises.extend(told.promises());
    say(&report(&only, &published, verdict_bucket, judge, calls))?;
    say(&capacity_report(&metered))?;
    say(&grafana_report(environment))?;
    say(&cloudwatch_report(alarms))?;
    say(&told.shown())?;
    say(&promised(&promises))?;
    let broken: Vec<&str> =
        promises.iter().filter(|(_, is_kept)| !is_kept).map(|(promise, _)| promise.as_str()).collect();
    if broken.is_empty() { say(NEXT) } else { Err(Failure(format!("not true: {}", broken.join("; ")))) }
}

const NEXT: &str = "
What to try next
  make local          keep this environment up; it says how to look into it
  make invoke FUNCTION=quality-judge EVENT=events/quality-judge.s3-put.json
  make invoke FUNCTION=capacity-meter EVENT=events/capacity-meter.schedule.json
  make invoke FUNCTION=alert-router EVENT=events/alert-router.grafana-quality.json
  make demo SCENARIO=mixed   another fleet; tests/scenarios holds them, and you can write your own
  make invoke FUNCTION=grafana-provisioner EVENT=events/grafana-provisioner.dry-run.json
  config/rubric.toml  switch a dimension on, run the demo again
  make deploy         the same template into your AWS account
";

async fn upload(environment: &Environment, bucket: &str) -> Outcome<Vec<String>> {
    let step = Step::start(format!("upload {} capture objects", SAMPLES.len()));
    let now = Timestamp::now();
    let mut keys = Vec::new();
    for sample in SAMPLES {
        let key = sample.key(now);
        sample.upload(&environment.clients, bucket, &key, now).await?;
        keys.push(key);
    }
    step.done(format!("s3://{bucket}/data-capture/support-chat/AllTraffic/..."));
    Ok(keys)
}

fn capacity_report(metered: &Metered) -> String {
    format!(
        "\nEndpoints: instances, GPUs, US dollars an hour, namespace {CAPACITY_NAMESPACE}\n{endpoints}\n\n\
         Components: copies, GPUs, US dollars an hour, for 1,000 invocations, for 1,000,000 tokens\n{components}\n",
        endpoints = capacity::endpoints_table(metered),
        components = capacity::components_table(metered),
    )
}

/// What the stack's name stands in.
fn of_stack(environment: &Environment, part: &str) -> usize {
    let grafana = environment.stand_ins.grafana(WORKSPACE).unwrap_or_default();
    let objects = grafana[part].as_array().into_iter().flatten();
    let start = format!("{}-", stack::NAME);
    let is_ours = |object: &&Value| {
        [&object["uid"], &object["dashboard"]["uid"]]
            .iter()
            .any(|uid| uid.as_str().is_some_and(|uid| uid.starts_with(&start)))
    };
    objects.filter(is_ours).count()
}

fn grafana_report(environment: &Environment) -> String {
    let count = |part| of_stack(environment, part);
    format!(
        "\nGrafana (stand-in) has {} dashboards and {} alert rules of the stack: {}/_grafana/{WORKSPACE}\n",
        count("dashboards"),
        count("rules"),
        environment.stand_ins.url(),
    )
}

fn in_grafana(environment: &Environment) -> Vec<Promise> {
    let has = |part, least| of_stack(environment, part) >= least;
    vec![
        ("the stack's dashboards are in Grafana".to_owned(), has("dashboards", 3)),
        ("the stack's alert rules are in Grafana, and a contact point".to_owned(), {
            has("rules", 20) && has("contact_points", 1)
        }),
    ]
}

/// What CloudWatch shows where there is no Grafana. Got one by one: the SDK cannot read the times in the
/// emulator's list.
const DASHBOARDS: [&str; 4] = ["health", "quantity", "quality", "models"];

/// How many alarms watch the same as the rules in Grafana, beside the dashboards.
async fn in_cloudwatch(environment: &Environment) -> Outcome<usize> {
    let cloudwatch = &environment.clients.cloudwatch;
    for name in DASHBOARDS {
        let request = cloudwatch.get_dashboard().dashboard_name(format!("{}-{name}", stack::NAME));
        request.send().await.during(format!("get the dashboard {name} from CloudWatch"))?;
    }
    Ok(alarms::of_alerts(cloudwatch, &environment.stack).await?.len())
}

fn cloudwatch_report(alarms: usize) -> String {
    format!("CloudWatch has {} dashboards and {alarms} alarms for the same\n", DASHBOARDS.len())
}

fn report(verdicts: &[&Verdict], published: &Published, bucket: &str, judge: &str, calls: u64) -> String {
    let cost: f64 =
        verdicts.iter().filter_map(|verdict| Some(verdict.judging().call.as_ref()?.cost.usd())).sum();
    let tokens = |count: fn(&domain::verdict::JudgeTokens) -> u64| -> u64 {
        verdicts.iter().filter_map(|verdict| Some(count(&verdict.judging().call.as_ref()?.tokens))).sum()
    };
    let model = verdicts.first().map_or("", |verdict| &verdict.judging().judge_model);
    format!(
        "\nScores, as means of the verdicts (number of samples)\n{scores}\n\n\
         Samples by outcome\n{outcomes}\n\nExchanges by what a check found, free of charge\n{checks}\n\n\
         Lines that were not judged, by reason\n{skips}\n\n\
         Read back from CloudWatch, namespace {QUALITY_NAMESPACE}\n{metrics}\n\n\
         Verdicts  s3://{bucket}/verdicts/date=.../component=.../*.jsonl, {count} lines\n\
         Judge     {judge}, in place of {model}: {calls} calls, {input} tokens in, {output} out; \
         {cost:.2} USD at its list price\n",
        scores = scores_table(verdicts),
        outcomes =
            counts_table(published, Ending::ALL.iter().map(|ending| (ending.as_str(), ending.metric_name()))),
        checks =
            counts_table(published, Check::ALL.iter().map(|check| (check.as_str(), check.metric_name()))),
        skips = counts_table(
            published,
            SkipReason::ALL.iter().map(|reason| (reason.as_str(), reason.metric_name()))
        ),
        metrics = metrics_table(published),
        count = verdicts.len(),
        input = tokens(|tokens| tokens.input),
        output = tokens(|tokens| tokens.output),
    )
}

/// What must be true of a demo that works.
fn promises(verdicts: &[&Verdict], published: &Published, calls: u64) -> Vec<Promise> {
    let sum = |component: &str, metric: &str| {
        published.get(&(component.to_owned(), metric.to_owned())).map_or(0.0, |numbers| numbers.sum)
    };
    let total = |metric: &str| -> f64 {
        published.iter().filter(|((_, name), _)| name == metric).map(|(_, numbers)| numbers.sum).sum()
    };
    let scored: Vec<&&Verdict> =
        verdicts.iter().filter(|verdict| verdict.outcome() == Ending::Scored).collect();
    let mut promises = vec![
        (
            "the stand-in judge was asked once for each verdict".to_owned(),
            calls > 0 && calls == verdicts.len() as u64,
        ),
        ("every verdict has scores".to_owned(), !scored.is_empty() && scored.len() == verdicts.len()),
        ("CloudWatch counts as many scored samples as there are verdicts".to_owned(), {
            #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
            let expected = scored.len() as f64;
            (total(Ending::Scored.metric_name()) - expected).abs() < 0.5
        }),
        ("two components were told apart".to_owned(), {
            sum("gpt-oss-20b", RECORDS.name) > 0.0 && sum("qwen-7b", RECORDS.name) > 0.0
        }),
    ];
    for component in ["gpt-oss-20b", "qwen-7b"] {
        let of_component = scored.iter().filter(|verdict| verdict.subject().component.as_str() == component);
        let composites: Vec<f64> =
            of_component.filter_map(|verdict| verdict.composite()).map(domain::rubric::Score::get).collect();
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let mean = composites.iter().sum::<f64>() / composites.len() as f64;
        let metric = (component.to_owned(), COMPOSITE_QUALITY_SCORE.name.to_owned());
        let read_back = published.get(&metric).and_then(|numbers| numbers.mean());
        let is_same = read_back.is_some_and(|read_back| (read_back - mean).abs() < 1e-6);
        promises.push((format!("CloudWatch has the composite score of {component}"), is_same));
    }
    let missed: Vec<&str> = Check::ALL
        .iter()
        .filter(|check| total(check.metric_name()) < 1.0)
        .map(|check| check.as_str())
        .collect();
    promises.push((format!("each check found what was planted{}", missing(&missed)), missed.is_empty()));
    promises.push(("broken lines are counted by reason, and cost no neighbour".to_owned(), {
        SkipReason::ALL.iter().filter(|reason| total(reason.metric_name()) >= 1.0).count() >= 10
    }));
    promises
}

fn promises_of_small_judge(verdicts: &[&Verdict], published: &Published, calls: u64) -> Vec<Promise> {
    let scored = verdicts.iter().filter(|verdict| verdict.composite().is_some()).count();
    let counted: f64 = published
        .iter()
        .filter(|((_, name), _)| name == COMPOSITE_QUALITY_SCORE.name)
        .map(|(_, numbers)| numbers.samples)
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let expected = scored as f64;
    vec![
        ("a real model was asked for each verdict".to_owned(), calls > 0 && calls >= verdicts.len() as u64),
        ("each sample has a named outcome".to_owned(), !verdicts.is_empty()),
        (
            "no reply that breaks the form is a score in CloudWatch".to_owned(),
            (counted - expected).abs() < 0.5,
        ),
    ]
}

fn missing(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!(" (missing: {})", names.join(", ")) }
}

fn promised(promises: &[Promise]) -> String {
    let line = |(promise, is_kept): &Promise| {
        format!("  {}  {promise}\n", if *is_kept { "ok    " } else { "FAILED" })
    };
    format!("\nWhat came true\n{}", promises.iter().map(line).collect::<String>())
}

fn say(text: &str) -> Outcome<()> {
    stdout().write_all(text.as_bytes()).during("write to standard output")
}
