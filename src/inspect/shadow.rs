//! `/etc/shadow` and `/etc/shells`: what passwords are like, and which shells may be logged in with.
//! Neither a password nor its hash is ever kept.

use serde::{Deserialize, Serialize};

use super::accounts::{self, Accounts, Password};
use super::escape::escape;
use super::read::small_file;
use super::tree::Tree;

/// The most lines of each file that are kept.
const MAX_LINES: usize = 1_024;
/// How much of each file is read.
const MAX_FILE: u64 = 1 << 20;
/// The longest path of a shell that is looked up.
const MAX_PATH: usize = 1_024;

/// A line of shadow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// The name, escaped.
    pub name: String,
    /// What stands in the password field.
    pub password: Password,
}

/// The lines of `/etc/shadow`, or why it cannot be read.
pub(crate) fn shadow(tree: &Tree) -> Result<Vec<Shadow>, String> {
    let content = small_file(tree, b"/etc/shadow", MAX_FILE)?.unwrap_or_default();
    let lines = content.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !matches!(line.first(), None | Some(b'#')));
    if lines.clone().count() > MAX_LINES {
        return Err(format!("it has more than {MAX_LINES} lines"));
    }
    let read = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b':');
        let name = escape(fields.next().unwrap_or_default());
        Shadow { name, password: accounts::password(fields.next().unwrap_or_default()) }
    };
    Ok(lines.map(read).collect())
}

/// The paths that `/etc/shells` lists.
pub(crate) fn listed_shells(tree: &Tree) -> Vec<String> {
    let content = small_file(tree, b"/etc/shells", MAX_FILE).ok().flatten().unwrap_or_default();
    let lines = content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let paths = lines.filter(|line| line.starts_with(b"/") && line.len() < MAX_PATH);
    paths.take(MAX_LINES).filter_map(|path| str::from_utf8(path).ok()).map(str::to_owned).collect()
}

/// The login shells of all accounts, each once.
pub(crate) fn login_shells(accounts: &Accounts) -> Vec<String> {
    let mut shells: Vec<String> = accounts.users.iter().map(|user| user.shell.clone()).collect();
    shells.sort_unstable();
    shells.dedup();
    shells.retain(|shell| shell.starts_with('/') && shell.len() < MAX_PATH);
    shells.truncate(MAX_LINES);
    shells
}
