//! (being written)
/// x
#[derive(Debug, Default)]
pub struct MetricNaming;
impl MetricNaming {
    /// x
    pub fn published_name<'a>(&'a self, n: &'a str) -> &'a str {
        n
    }
    /// x
    pub fn label(&self, _: &crate::names::ComponentName) -> Option<(String, String)> {
        None
    }
}
