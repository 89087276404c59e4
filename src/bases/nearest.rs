//! x
/// x
pub fn nearest(_name: &str) -> Vec<String> {
    Vec::new()
}
