//! What the command reads once it is started, what would run the scripts of an image, and paths that
//! somebody asked about.

use std::collections::{BTreeMap, BTreeSet};

use super::bounded::Bounded;
use super::content::Script;
use super::escape::escape;
use super::evidence::{Gap, List, Lookup, Part, Scripts, StartFile};
use super::lookup::Finder;
use super::names::is_dependency;
use super::read::small_file;
use super::tree::{LastLink, Tree};

/// The most paths that are looked up.
const MAX_ASKED: usize = 1_024;
/// The most first lines of scripts that are told apart.
const MAX_LINES: usize = 256;
/// How much of a start file is searched.
const MAX_START: u64 = 4 << 20;
/// Calls that start a shell, by what else must stand in the file.
const SHELL_CALLS: [(&str, &str); 8] = [
    ("exec(", "child_process"),
    ("execSync(", "child_process"),
    ("shell: true", "child_process"),
    ("os.system(", "os"),
    ("os.popen(", "os"),
    ("shell=True", "subprocess"),
    ("subprocess.getoutput(", "subprocess"),
    ("asyncio.create_subprocess_shell(", "asyncio"),
];

/// Looks paths up, each once, the first ones first: those beyond the limit have no answer.
pub(crate) fn look_up(finder: &mut Finder<'_>, paths: impl Iterator<Item = String>) -> Vec<Lookup> {
    let mut seen = BTreeSet::new();
    let paths = paths.filter(|path| seen.insert(path.clone())).take(MAX_ASKED);
    let ask = |path: String| {
        finder.was_cut();
        let lookup = finder.ask(&path);
        // An answer that was cut off is none.
        (!finder.was_cut()).then_some(lookup)
    };
    paths.filter_map(ask).collect()
}

/// What runs the scripts, those with one first line in one layer together.
pub(crate) fn scripts(
    finder: &mut Finder<'_>,
    scripts: Vec<Script>,
    gaps: &mut Bounded<Gap>,
) -> List<Scripts> {
    let mut groups: BTreeMap<_, (Vec<u8>, u64)> = BTreeMap::new();
    for script in scripts {
        let dependency = is_dependency(&script.path);
        let group = groups.entry((script.layer, dependency, script.shebang));
        let (first, count) = group.or_insert_with(|| (script.path.clone(), 0));
        *count += 1;
        if script.path < *first {
            *first = script.path;
        }
    }
    if groups.len() > MAX_LINES {
        gaps.gap(b"/", Part::Scripts, "there are too many kinds of scripts");
    }
    finder.was_cut();
    let mut list = Bounded::default();
    for ((layer, dependency, line), (path, count)) in groups.into_iter().take(MAX_LINES) {
        let program = Box::new(finder.runner(&line));
        let scripts = Scripts { path: escape(&path), layer, count, dependency, program };
        list.add(path, scripts);
    }
    if finder.was_cut() {
        gaps.gap(b"/", Part::Scripts, "what runs them was not looked up to its end");
    }
    list.into_list()
}

/// What the file does that the command's interpreter is told to read.
pub(crate) fn start_file(tree: &Tree, path: &str) -> Option<StartFile> {
    let resolved = tree.resolve(path.as_bytes(), LastLink::Follow).ok()?;
    let layer = resolved.found?.layer;
    let content = small_file(tree, path.as_bytes(), MAX_START).ok()??;
    let text = String::from_utf8_lossy(&content);
    let calls =
        SHELL_CALLS.iter().filter(|(call, with)| is_called(&text, call) && text.contains(with));
    let shell_calls = calls.map(|(call, _)| (*call).to_owned()).collect();
    Some(StartFile { path: escape(&resolved.path), layer, shell_calls })
}

/// Whether a call stands in a text by itself: `regex.exec(` is another one than `exec(`.
fn is_called(text: &str, call: &str) -> bool {
    text.match_indices(call).any(|(place, _)| {
        const MODULE: [&str; 4] =
            ["child_process.", "child_process').", "child_process\").", "cp."];
        let before = text[..place].chars().next_back();
        let qualified = MODULE.iter().any(|module| text[..place].ends_with(module));
        let part = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
        qualified || !part
    })
}
