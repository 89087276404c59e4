//! When the newest regular file of a tree was changed: the time of an archive that was unpacked.
//!
//! In: the tree. Out: `newest.json`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};

use super::arguments::run_mode;
use super::output;
use super::tree::Tree;
use super::walk::{Seen, Visitor, walk};

/// The file of the answer in the output folder.
pub const FILE: &str = "newest.json";

/// The newest file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// When it was changed, in seconds since 1970; `None`: there is no file.
    pub seconds: Option<i64>,
}

impl Newest {
    /// Reads the document.
    #[must_use]
    pub fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

impl Visitor for Newest {
    fn enter(&mut self, _: &[u8]) {}

    fn see(&mut self, seen: &Seen<'_>) {
        if seen.file_type() == FileType::RegularFile {
            self.seconds = self.seconds.max(Some(seen.stat.st_mtime));
        }
    }

    fn overlaid(&mut self, _: &[u8], _: &[(usize, Stat)]) {}

    fn skip(&mut self, _: &[u8], _: &str) {}

    fn merge(&mut self, other: Self) {
        self.seconds = self.seconds.max(other.seconds);
    }

    fn weight(&self) -> usize {
        0
    }
}

#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true)]
struct Arguments {
    /// The tree.
    #[arg(long)]
    tree: PathBuf,
    /// Where the answer goes.
    #[arg(long)]
    out: PathBuf,
}

/// The mode `newest`.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    run_mode("newest", arguments, |arguments: &Arguments| {
        let shown = arguments.tree.display();
        let tree = Tree::open(&[&arguments.tree]).map_err(|error| format!("{shown}: {error}"))?;
        let newest = walk(&tree, Newest::default);
        output::write_json(&arguments.out, FILE, &newest).map_err(|error| error.to_string())
    })
}
