//! Stub.
/// A cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheImport {
    /// k
    pub kind: String,
    /// a
    pub attributes: std::collections::BTreeMap<String, String>,
}
