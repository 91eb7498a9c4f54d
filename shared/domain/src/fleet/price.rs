//! What a judge costs: the tables `[[judge_price]]`.
//!
//! A price of N USD per million tokens is N micro-dollars a token, so costs are computed in whole
//! micro-dollars per million tokens and rounded once.

use std::collections::BTreeMap;

use crate::money::MicroUsd;
use crate::settings::Section;
use crate::verdict::JudgeTokens;

/// One row of the price list. Prices are micro-dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgePrice {
    /// The model or inference profile id, or the ARN, that the row is for.
    pub model: String,
    /// The date of the price, as the file gives it.
    pub as_of: String,
    input: MicroUsd,
    output: MicroUsd,
    cache_write: MicroUsd,
    cache_read: MicroUsd,
}

impl JudgePrice {
    /// What the tokens cost, to the nearest micro-dollar.
    pub fn cost(&self, tokens: &JudgeTokens) -> MicroUsd {
        micro_usd(self.per_million(tokens).saturating_add(500_000) / 1_000_000)
    }

    /// The most that a call can cost: every input token at the dearest input price, since what the
    /// cache will hold is not known before the call, and the answer as long as allowed. Rounded up.
    pub fn at_most(&self, input_tokens: u64, max_output_tokens: u64) -> MicroUsd {
        let as_input =
            JudgeTokens { input: input_tokens, output: max_output_tokens, ..JudgeTokens::default() };
        let as_write = JudgeTokens { cache_write: input_tokens, input: 0, ..as_input };
        micro_usd(self.per_million(&as_input).max(self.per_million(&as_write)).div_ceil(1_000_000))
    }

    fn per_million(&self, tokens: &JudgeTokens) -> u128 {
        [
            (tokens.input, self.input),
            (tokens.output, self.output),
            (tokens.cache_write, self.cache_write),
            (tokens.cache_read, self.cache_read),
        ]
        .into_iter()
        .map(|(count, price)| u128::from(count) * u128::from(price.0.unsigned_abs()))
        .fold(0, u128::saturating_add)
    }
}

fn micro_usd(amount: u128) -> MicroUsd {
    MicroUsd(i64::try_from(amount).unwrap_or(i64::MAX))
}

/// All rows, by the id that they are for.
#[derive(Debug, Clone, Default)]
pub(super) struct PriceList(BTreeMap<String, JudgePrice>);

impl PriceList {
    /// Looks an id up: as it stands, then the id inside an ARN, then for a geography without a row
    /// of its own the dearest row of the same model, so that a budget is rather kept than overrun.
    ///
    /// The ARN of an application inference profile does not name the model behind it: it needs a
    /// row with the whole ARN.
    pub(super) fn find(&self, id: &str) -> Option<&JudgePrice> {
        if let Some(price) = self.0.get(id) {
            return Some(price);
        }
        let id = if id.starts_with("arn:") { id_in_arn(id)? } else { id };
        if let Some(price) = self.0.get(id) {
            return Some(price);
        }
        let (geography, base) = id.split_once('.')?;
        let is_geography = matches!(geography.len(), 2..=6)
            && geography.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        // `openai.gpt-oss` is a provider and a model, `us.openai.gpt-oss` has three parts.
        if !is_geography || !base.split_once('.').is_some_and(|(provider, _)| is_word(provider)) {
            return None;
        }
        let same_model = |row: &&JudgePrice| {
            row.model == base || row.model.split_once('.').is_some_and(|(_, rest)| rest == base)
        };
        self.0.values().filter(same_model).max_by_key(|row| (row.output, row.input))
    }

    pub(super) fn read(root: &Section) -> Self {
        let mut rows = BTreeMap::new();
        for section in root.sections("judge_price") {
            for row in read_row(&section).into_iter().flatten() {
                if rows.contains_key(&row.model) {
                    section.mistake("model", format_args!("{} has a price already", row.model));
                }
                rows.insert(row.model.clone(), row);
            }
        }
        Self(rows)
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// The id in `arn:aws:bedrock:<region>:<account>:inference-profile/<id>`, or in that of a
/// `foundation-model`. Ids may hold colons.
fn id_in_arn(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    resource.strip_prefix("inference-profile/").or_else(|| resource.strip_prefix("foundation-model/"))
}

fn read_row(section: &Section) -> Option<Vec<JudgePrice>> {
    let model = section.text("model");
    let also = section.texts("also");
    let as_of = section.text("as_of");
    let wanted = "USD per million tokens, 0 to 10000";
    let is_right = |usd: f64| (0.0..=10_000.0).contains(&usd);
    let input = section.number("input", wanted, is_right).and_then(MicroUsd::from_usd);
    let output = section.number("output", wanted, is_right).and_then(MicroUsd::from_usd);
    let optional = |key| section.optional_number(key, wanted, is_right).and_then(MicroUsd::from_usd);
    // Without prices of its own the cache is taken to save nothing.
    let cache_write = optional("cache_write").or(input)?;
    let cache_read = optional("cache_read").or(input)?;
    let (model, as_of, input, output) = (model?, as_of?, input?, output?);
    let row =
        |id: String| JudgePrice { model: id, as_of: as_of.clone(), input, output, cache_write, cache_read };
    Some(std::iter::once(model).chain(also).map(row).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::fleet::{Fleet, SHIPPED};

    use super::*;

    fn shipped(id: &str) -> Option<JudgePrice> {
        Fleet::from_toml("fleet.toml", SHIPPED).unwrap().judge_price(id).cloned()
    }

    #[test]
    fn every_way_to_name_a_judge_finds_its_price() {
        for (id, row) in [
            ("anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"),
            ("global.anthropic.claude-sonnet-4-6", "global.anthropic.claude-sonnet-4-6"),
            ("eu.anthropic.claude-sonnet-4-6", "eu.anthropic.claude-sonnet-4-6"),
            ("us-gov.openai.gpt-oss-20b-1:0", "openai.gpt-oss-20b-1:0"),
            ("eu.amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            ),
            ("arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-oss-20b-1:0", "openai.gpt-oss-20b-1:0"),
        ] {
            assert_eq!(shipped(id).map(|price| price.model).as_deref(), Some(row), "{id}");
        }
        // A geography without a row: the dearest of the same model.
        let canada = shipped("ca.anthropic.claude-sonnet-4-6").unwrap();
        assert_eq!(canada.model, "us.anthropic.claude-sonnet-4-6");
        let output = JudgeTokens { output: 1_000_000, ..JudgeTokens::default() };
        assert_eq!(canada.cost(&output), MicroUsd(16_500_000));
        for unknown in [
            "",
            "anthropic.claude-sonnet",
            "mistral.mistral-large",
            "openai.claude-sonnet-4-6",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
        ] {
            assert_eq!(shipped(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_arn_can_have_a_row_of_its_own() {
        let arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";
        let text = format!("[[judge_price]]\nmodel = '{arn}'\nas_of = 'x'\ninput = 1\noutput = 2\n");
        let fleet = Fleet::from_toml("fleet.toml", &text).unwrap();
        let price = fleet.judge_price(arn).unwrap();
        let tokens = JudgeTokens { input: 1, output: 1, cache_read: 1, cache_write: 1 };
        assert_eq!(price.cost(&tokens), MicroUsd(5), "an unknown cache price is the input price");
    }

    #[test]
    fn costs_are_those_of_the_price_page() {
        // 1,800 tokens in and 200 out, as computed by hand from the price page.
        for (id, usd) in [
            ("global.anthropic.claude-sonnet-4-6", "0.008400"),
            ("us.anthropic.claude-sonnet-4-6", "0.009240"),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", "0.002800"),
        ] {
            let tokens = JudgeTokens { input: 1_800, output: 200, ..JudgeTokens::default() };
            assert_eq!(shipped(id).unwrap().cost(&tokens).to_string(), format!("{usd} USD"), "{id}");
        }
        let cached = JudgeTokens { input: 100, output: 200, cache_read: 1_700, cache_write: 0 };
        assert_eq!(shipped("anthropic.claude-sonnet-4-6").unwrap().cost(&cached), MicroUsd(3_810));
    }

    proptest! {
        #[test]
        fn no_call_costs_more_than_the_most(
            input in 0_u64..2_000_000,
            read in 0_u64..2_000_000,
            write in 0_u64..2_000_000,
            output in 0_u64..100_000,
            spare in 0_u64..10_000,
        ) {
            let price = shipped("us.anthropic.claude-sonnet-4-6").unwrap();
            let cost = price.cost(&JudgeTokens { input, output, cache_read: read, cache_write: write });
            prop_assert!(cost <= price.at_most(input + read + write, output + spare));
        }

        #[test]
        fn absurd_counts_saturate(count in any::<u64>()) {
            let price = shipped("us.anthropic.claude-sonnet-4-6").unwrap();
            let tokens = JudgeTokens { input: count, output: count, cache_read: count, cache_write: count };
            prop_assert!(price.cost(&tokens).0 >= 0 && price.at_most(count, count).0 >= 0);
        }
    }
}
