//! Takes the steps of a plan.

use adapters::grafana::{Answered, Grafana, GrafanaFault};
use domain::dashboard::Identity;
use domain::dashboard::provision::{Call, Change, Plan, Request, Step, policy};
use serde_json::Value;

use crate::failure::Failure;
use crate::summary::Summary;

/// Takes them in order, and stops at the first that fails: what comes later refers to it.
pub(crate) async fn carry_out(
    grafana: &Grafana,
    identity: &Identity,
    plan: Plan,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let steps = plan.steps.len();
    summary.unchanged.extend(plan.unchanged);
    summary.notes.extend(plan.notes);
    for (done, step) in plan.steps.into_iter().enumerate() {
        if !summary.is_dry_run {
            let taken = take(grafana, identity, &step, summary).await;
            taken.map_err(|fault| Failure::Step { object: step.object.clone(), fault, done, steps })?;
        }
        summary.enter(step.change, step.object);
    }
    Ok(())
}

async fn take(
    grafana: &Grafana,
    identity: &Identity,
    step: &Step,
    summary: &mut Summary,
) -> Result<(), GrafanaFault> {
    match &step.call {
        Call::Send(request) => {
            let answered = grafana.call(request).await?;
            settle(grafana, step, request, &answered, summary)
        }
        Call::SendOr(request, other) => {
            let answered = grafana.call(request).await?;
            if answered.status != 400 {
                return settle(grafana, step, request, &answered, summary);
            }
            // The first refusal is the one to tell: the other settings are a guess.
            let other_answered = grafana.call(other).await?;
            if !other_answered.is_success() {
                return Err(grafana.refused(request, &answered));
            }
            summary
                .notes
                .push(format!("{}: taken with the settings of the other kind of Grafana", step.object));
            settle(grafana, step, other, &other_answered, summary)
        }
        Call::Route(route) => place(grafana, identity, route.as_ref(), summary).await,
    }
}

fn settle(
    grafana: &Grafana,
    step: &Step,
    request: &Request,
    answered: &Answered,
    summary: &mut Summary,
) -> Result<(), GrafanaFault> {
    let path = &request.path;
    summary.warnings.extend(answered.warning.as_ref().map(|warning| format!("/{path}: {warning}")));
    let is_done = match (step.change, answered.status) {
        (Change::Deleted, 404) => true,
        // The try whose answer was lost has made it.
        (Change::Created, 409 | 412) => answered.was_retried,
        _ => answered.is_success(),
    };
    if is_done { Ok(()) } else { Err(grafana.refused(request, answered)) }
}

/// Reads the policy and writes it back at once.
async fn place(
    grafana: &Grafana,
    identity: &Identity,
    route: Option<&Value>,
    summary: &mut Summary,
) -> Result<(), GrafanaFault> {
    let tree = grafana.done(&Request::policies()).await?.body;
    let Some(fresh) = policy::placed(&tree, identity, route) else { return Ok(()) };
    let request = Request::put(Request::policies().path, fresh).editable(policy::stays_editable(&tree));
    let answered = grafana.done(&request).await?;
    let path = &request.path;
    summary.warnings.extend(answered.warning.map(|warning| format!("/{path}: {warning}")));
    Ok(())
}
