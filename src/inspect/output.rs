//! Writes the document of a mode into its output folder.

use std::io;
use std::path::Path;

use serde::Serialize;

/// Writes `value` as JSON, one line, into `folder/name`.
pub(crate) fn write_json(folder: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    std::fs::write(folder.join(name), text)
}
