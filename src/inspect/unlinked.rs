//! What is told of a library that a program does not find, or that is of no use to it.

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::escape::escape;

/// A library that is not found, or not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlinked {
    /// The program or library of the app, escaped.
    pub path: String,
    /// The layer that it is seen from.
    pub layer: usize,
    /// Whether the command starts it.
    pub started: bool,
    /// The name of the library.
    pub library: String,
    /// The file that needs it: the program itself, or a library of it.
    pub needed_by: String,
    /// The version of symbols that the library lacks; `None`: there is no such library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file of that name that is there and is of no use, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub useless: Option<Useless>,
}

/// A library that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Useless {
    /// The path, escaped.
    pub path: String,
    /// Whether its end is missing; otherwise the user cannot read it.
    pub cut: bool,
}

impl Bounded<Unlinked> {
    /// Notes a library that is too old (`Ok`: the version that it lacks), or not there or of no use.
    pub(super) fn missing(
        &mut self,
        (root, layer, started): (&[u8], usize, bool),
        library: &[u8],
        by: &[u8],
        why: Result<&Vec<u8>, Option<Useless>>,
    ) {
        let version = why.as_ref().ok().map(|version| version.as_slice());
        let key = [root, b"\0", library, b"\0", version.unwrap_or_default()];
        let unlinked = Unlinked {
            path: escape(root),
            layer,
            started,
            library: escape(library),
            needed_by: escape(by),
            version: version.map(escape),
            useless: why.err().flatten(),
        };
        self.add(key.concat(), unlinked);
    }
}
