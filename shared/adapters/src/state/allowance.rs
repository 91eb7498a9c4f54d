//! Counters that concurrent invocations share: samples per hour, money per day. Each is moved by
//! one atomic `ADD`, whose answer says what stood there before.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::money::MicroUsd;
use domain::names::{ComponentName, EndpointName};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{StateTable, expiry, malformed, number, number_of, text};
use crate::Fault;

impl StateTable {
    /// Takes `wanted` sample slots of a component in the UTC hour of `hour`, and answers how many
    /// had been taken before. What goes beyond a cap is not to be used; the count may pass it.
    pub async fn take_slots(
        &self,
        endpoint: &EndpointName,
        component: &ComponentName,
        hour: Timestamp,
        wanted: u32,
        now: Timestamp,
    ) -> Result<u32, Fault> {
        let pk = format!("cap#{endpoint}/{component}#{}", hour.strftime("%Y-%m-%dT%H"));
        let after = self.add(pk, "taken", i64::from(wanted), now).await?;
        u32::try_from(after - i64::from(wanted)).map_err(|_| malformed("UpdateItem", "hourly cap"))
    }

    /// Moves the day's judge spending by `amount`, which may be negative, and answers what it was
    /// before.
    pub async fn move_budget(&self, day: Date, amount: MicroUsd, now: Timestamp) -> Result<MicroUsd, Fault> {
        let after = self.add(format!("budget#{day}"), "spent", amount.0, now).await?;
        Ok(MicroUsd(after) - amount)
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

    async fn add(&self, pk: String, counter: &str, amount: i64, now: Timestamp) -> Result<i64, Fault> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .update_expression("ADD #counter :amount SET expires_at = :expiry")
            .expression_attribute_names("#counter", counter)
            .expression_attribute_values(":amount", number(amount))
            .expression_attribute_values(":expiry", expiry(now))
            .return_values(ReturnValue::UpdatedNew);
        let answer = request.send().await.map_err(|error| Fault::of("UpdateItem", &error))?;
        answer
            .attributes()
            .and_then(|new| number_of(new, counter))
            .ok_or_else(|| malformed("UpdateItem", "counter"))
    }
}
