use crate::failure::Outcome;

/// (to be written)
pub async fn invoke(_function: &str, _event: &str) -> Outcome<()> {
    Ok(())
}
