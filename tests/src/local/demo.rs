use crate::failure::Outcome;

/// (to be written)
pub async fn demo() -> Outcome<()> {
    Ok(())
}
