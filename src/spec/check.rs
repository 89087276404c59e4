//! What only the whole spec shows: names that do not exist, cycles, build arguments.

use super::model::Spec;
use crate::diagnostic::Diagnostic;

/// Looks at a spec, which may be incomplete.
pub(super) fn check(_spec: &Spec) -> Vec<Diagnostic> {
    Vec::new()
}
