//! Divides an amount so that the parts add up to it.

/// Divides `amount` in proportion to `weights` by largest remainder: every part is its exact share
/// rounded down or up, and together they are `amount`. Of equal remainders the earlier is rounded
/// up. `None` when there is nothing to divide by: no weights, or only zeros.
pub fn split(amount: u64, weights: &[u64]) -> Option<Vec<u64>> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if total == 0 {
        return None;
    }
    let exact = |weight: &u64| u128::from(amount) * u128::from(*weight);
    // A quotient is at most `amount`.
    let whole = |weight: &u64| u64::try_from(exact(weight) / total).unwrap_or(amount);
    let mut parts: Vec<u64> = weights.iter().map(whole).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|place| std::cmp::Reverse(exact(&weights[*place]) % total));
    let left = amount - parts.iter().sum::<u64>();
    for place in by_remainder.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        parts[place] += 1;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_earlier_of_equals_is_rounded_up() {
        assert_eq!(split(10, &[1, 1, 1]), Some(vec![4, 3, 3]));
        assert_eq!(split(5_752_000, &[4, 0]), Some(vec![5_752_000, 0]));
        assert_eq!(split(1, &[0, 0]), None);
        assert_eq!(split(1, &[]), None);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_within_one_of_their_share(
            amount in 0_u64..1 << 50,
            weights in prop::collection::vec(0_u64..1 << 20, 1..40),
        ) {
            let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
            prop_assume!(total > 0);
            let parts = split(amount, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<u64>(), amount);
            for (part, weight) in parts.iter().zip(&weights) {
                let floor = u128::from(amount) * u128::from(*weight) / total;
                prop_assert!(u128::from(*part) == floor || u128::from(*part) == floor + 1);
            }
        }
    }
}
