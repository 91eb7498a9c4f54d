//! Counters that concurrent invocations share: samples per hour, money per day. Each is moved by
//! one atomic `ADD`, which is refused where it would pass the limit.

use std::ops::AddAssign;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::money::MicroUsd;
use domain::names::{ComponentName, EndpointName};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{StateTable, expiry, malformed, number, number_of, text};
use crate::Fault;

/// What has a cap of its own: a component in one UTC hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentHour {
    endpoint: EndpointName,
    component: ComponentName,
    /// Hours since 1970.
    hour: i64,
}

impl ComponentHour {
    /// The hour that `at` is in.
    pub fn of(endpoint: &EndpointName, component: &ComponentName, at: Timestamp) -> Self {
        let hour = at.as_second().div_euclid(3600);
        Self { endpoint: endpoint.clone(), component: component.clone(), hour }
    }

    /// Whose hour it is.
    pub fn component(&self) -> &ComponentName {
        &self.component
    }

    fn key(&self) -> String {
        let hour = Timestamp::from_second(self.hour * 3600).unwrap_or(Timestamp::UNIX_EPOCH);
        format!("cap#{}/{}#{}", self.endpoint, self.component, hour.strftime("%Y-%m-%dT%H"))
    }
}

/// What a day's judge budget is used for, or a change of that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spending {
    /// Paid, or reserved for calls.
    pub spent: MicroUsd,
    /// The part of it that is reserved: calls that are not booked yet may give some of it back.
    pub reserved: MicroUsd,
}

impl AddAssign for Spending {
    fn add_assign(&mut self, other: Self) {
        self.spent += other.spent;
        self.reserved += other.reserved;
    }
}

impl StateTable {
    /// Takes sample slots, `wanted` or as many as are left below `cap`, and answers how many. One
    /// call, and another when only some are left.
    pub async fn take_slots(
        &self,
        of: &ComponentHour,
        wanted: u32,
        cap: u32,
        now: Timestamp,
    ) -> Result<u32, Fault> {
        let mut wanted = wanted.min(cap);
        while wanted > 0 {
            let request = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("pk", text(of.key()))
                .update_expression("ADD taken :wanted SET expires_at = :expiry")
                .condition_expression("attribute_not_exists(taken) OR taken <= :room")
                .expression_attribute_values(":wanted", number(wanted))
                .expression_attribute_values(":room", number(cap - wanted))
                .expression_attribute_values(":expiry", expiry(now))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = request.send().await else { break };
            let Some(UpdateItemError::ConditionalCheckFailedException(full)) = error.as_service_error()
            else {
                return Err(Fault::of("UpdateItem", &error));
            };
            let taken = full.item().and_then(|item| number_of(item, "taken"));
            let taken = taken.ok_or_else(|| malformed("UpdateItem", "hourly cap"))?;
            let left = u32::try_from(i64::from(cap) - taken).unwrap_or_default();
            // Fewer in each round, whatever others take and return meanwhile.
            wanted = left.min(wanted - 1);
        }
        Ok(wanted)
    }

    /// Gives back slots whose samples were not judged after all.
    pub async fn return_slots(&self, of: &ComponentHour, unused: u32, now: Timestamp) -> Result<(), Fault> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(of.key()))
            .update_expression("ADD taken :unused SET expires_at = :expiry")
            .expression_attribute_values(":unused", number(-i64::from(unused)))
            .expression_attribute_values(":expiry", expiry(now));
        request.send().await.map(drop).map_err(|error| Fault::of("UpdateItem", &error))
    }

    /// Reserves `amount` of the day's budget of `budget` for judge calls, or answers what the budget is
    /// used for when that is too much.
    pub async fn reserve(
        &self,
        day: Date,
        amount: MicroUsd,
        budget: MicroUsd,
        now: Timestamp,
    ) -> Result<Result<(), Spending>, Fault> {
        if amount > budget {
            return Ok(Err(Spending::default()));
        }
        let change = Spending { spent: amount, reserved: amount };
        let request = self
            .budget_change(day, change, now)
            .condition_expression("attribute_not_exists(#spent) OR #spent <= :room")
            .expression_attribute_values(":room", number((budget - amount).0))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(Ok(())) };
        let Some(UpdateItemError::ConditionalCheckFailedException(full)) = error.as_service_error() else {
            return Err(Fault::of("UpdateItem", &error));
        };
        let amount = |name| full.item().and_then(|item| number_of(item, name)).map(MicroUsd);
        let spent = amount("spent").ok_or_else(|| malformed("UpdateItem", "budget"))?;
        Ok(Err(Spending { spent, reserved: amount("reserved").unwrap_or_default() }))
    }

    /// Moves the day's judge spending by what is known after calls.
    pub async fn settle(&self, day: Date, change: Spending, now: Timestamp) -> Result<(), Fault> {
        let request = self.budget_change(day, change, now);
        request.send().await.map(drop).map_err(|error| Fault::of("UpdateItem", &error))
    }

    fn budget_change(&self, day: Date, by: Spending, now: Timestamp) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("budget#{day}")))
            .update_expression("ADD #spent :spent, #reserved :reserved SET expires_at = :expiry")
            .expression_attribute_names("#spent", "spent")
            .expression_attribute_names("#reserved", "reserved")
            .expression_attribute_values(":spent", number(by.spent.0))
            .expression_attribute_values(":reserved", number(by.reserved.0))
            .expression_attribute_values(":expiry", expiry(now))
    }

    /// Whether this is the first to note that the day's budget is used up.
    pub async fn first_to_note_exhaustion(&self, day: Date) -> Result<bool, Fault> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(format!("budget#{day}")))
            .update_expression("SET is_noted = :true")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .return_values(ReturnValue::UpdatedOld);
        let answer = request.send().await.map_err(|error| Fault::of("UpdateItem", &error))?;
        Ok(!answer.attributes().is_some_and(|old| old.contains_key("is_noted")))
    }
}
