//! Shells in the image, by name and by content, and commands that would need one.
//!
//! A file is reported once, under the check that says most about it: a program with a shell in it,
//! then a name, then content alone.

#![expect(clippy::unnecessary_wraps, reason = "all decisions of the table have one signature")]

use crate::input::Input;
use crate::inspect::escape::escape;
use crate::inspect::evidence::{Format, Part, ShellTrace};
use crate::inspect::shell::named;
use crate::inspect::unwrap_init;

use super::{Decision, Fault, Origin, Severity, Subject};

/// Reserved words and variables that stand together in every POSIX shell and in nothing else that
/// was measured.
const MIN_WORDS: u32 = 4;
const MIN_VARIABLES: u32 = 2;
/// Shells whose signature alone is proof, and how many texts of it that takes.
const SIGNED: [(&str, usize, &str); 8] = [
    ("bash", 1, "GNU bash"),
    ("mksh", 1, "mksh"),
    ("yash", 1, "yash"),
    ("csh", 2, "csh"),
    ("sash", 1, "sash"),
    ("fish", 1, "fish"),
    ("elvish", 1, "elvish"),
    ("rc", 1, "rc"),
];
/// Shells that other programs may carry as a library.
const EMBEDDED: [&str; 1] = ["mvdan.cc/sh"];
/// The most programs in a row that only start the next one.
const MAX_STARTERS: usize = 64;
/// How many names of one file a message shows.
const SHOWN_ALIASES: usize = 3;

/// What a trace amounts to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Multicall(&'static str),
    Named,
    Content(String),
    Embedded(&'static str),
    Nothing,
}

fn verdict(trace: &ShellTrace) -> Verdict {
    let executable = is_executable(trace);
    let traces = &trace.traces;
    let is_named = |name: &str| trace.named.as_deref() == Some(name) && trace.format == Format::Elf;
    if traces.signatures_of("busybox") >= 2 || is_named("busybox") {
        return Verdict::Multicall("BusyBox");
    }
    let is_shell = traces.words >= MIN_WORDS && traces.variables >= MIN_VARIABLES;
    if is_named("toybox") || is_shell && traces.signatures_of("toybox") > 0 {
        return Verdict::Multicall("toybox");
    }
    if trace.named.is_some() && executable && counts_by_name(trace) {
        return Verdict::Named;
    }
    let signed = SIGNED.iter().find(|(shell, least, _)| traces.signatures_of(shell) >= *least);
    if let Some((_, _, shown)) = signed {
        return Verdict::Content(format!("it holds the texts of {shown}"));
    }
    if is_shell {
        let (words, variables) = (traces.words, traces.variables);
        let text = format!(
            "{words} reserved words and {variables} variables of a shell stand together in it"
        );
        return Verdict::Content(text);
    }
    let embedded = EMBEDDED.into_iter().find(|shell| traces.signatures_of(shell) > 0);
    embedded.map_or(Verdict::Nothing, Verdict::Embedded)
}

/// A script that is called like a shell counts where programs are, not among a package's files.
fn counts_by_name(trace: &ShellTrace) -> bool {
    const ELSEWHERE: [&str; 4] =
        ["/usr/share/", "/node_modules/", "/site-packages/", "/dist-packages/"];
    match trace.format {
        Format::Elf => true,
        Format::Script => !ELSEWHERE.iter().any(|folder| trace.path.contains(folder)),
        Format::Other => false,
    }
}

fn faults(subject: &Subject<'_>, message: impl Fn(&ShellTrace) -> Option<Fault>) -> Decision {
    let traces = &subject.inventory.shells;
    let mut faults: Vec<_> = traces.items.iter().filter_map(&message).collect();
    match (traces.truncated, faults.last_mut()) {
        (false, _) => {}
        (true, Some(last)) => last.and_more(),
        // A shell may stand behind a thousand files that only look a little like one.
        (true, None) => return Err("too many files look like shells".to_owned()),
    }
    Ok(faults)
}

fn fault(subject: &Subject<'_>, trace: &ShellTrace, what: &str) -> Fault {
    let origin = subject.origin(trace.layer);
    let from = match origin {
        Origin::App { .. } => ", placed by this spec",
        Origin::Base => ", part of the base",
        Origin::Image | Origin::Config(_) => "",
    };
    let also = also(trace);
    let message = format!("shell found: {}{also} {what}{from}", trace.path);
    let fault = Fault::new(origin, message).at(&trace.path);
    match origin {
        Origin::Base => fault.help("choose a base without a shell"),
        _ => fault,
    }
}

/// The other names of a file, in brackets.
fn also(trace: &ShellTrace) -> String {
    let names = &trace.aliases;
    let shown = &names[..names.len().min(SHOWN_ALIASES)];
    let more = (names.len() - shown.len()) as u64 + trace.more_aliases;
    match (shown, more) {
        ([], _) => String::new(),
        (shown, 0) => format!(" (also {})", shown.join(", ")),
        (shown, more) => format!(" (also {} and {more} more)", shown.join(", ")),
    }
}

/// SHL-02.
pub(crate) fn by_name(subject: &Subject<'_>) -> Decision {
    let mut found = faults(subject, |trace| {
        let shell = trace.named.as_deref().unwrap_or_default();
        (verdict(trace) == Verdict::Named)
            .then(|| fault(subject, trace, &format!("is called {shell}")))
    })?;
    let gaps = &subject.inventory.not_evaluated.items;
    found.extend(gaps.iter().filter(|gap| gap.part == Part::Folder).map(|gap| {
        let message = format!("{} cannot be searched for shells: {}", gap.path, gap.reason);
        let fault = Fault::new(Origin::Image, message).at(&gap.path);
        fault.help("place fewer files, or less deep")
    }));
    Ok(found)
}

/// SHL-03.
pub(crate) fn by_content(subject: &Subject<'_>) -> Decision {
    let mut found = faults(subject, |trace| match verdict(trace) {
        Verdict::Content(why) => is_executable(trace)
            .then(|| fault(subject, trace, &format!("is a shell under another name: {why}"))),
        Verdict::Embedded(shell) => {
            let found = fault(subject, trace, &format!("carries the shell {shell} as a library"));
            Some(found.usually(Severity::Warn))
        }
        _ => None,
    })?;
    let gaps = &subject.inventory.not_evaluated.items;
    found.extend(gaps.iter().filter(|gap| gap.part == Part::Content).map(|gap| {
        let message = format!("{} was not searched for a shell: {}", gap.path, gap.reason);
        let fault = Fault::new(Origin::Image, message).at(&gap.path);
        fault.help("place fewer or smaller executable files, so that all can be searched")
    }));
    Ok(found)
}

fn is_executable(trace: &ShellTrace) -> bool {
    trace.attributes.mode & 0o111 != 0
}

/// SHL-09: nothing but a loader runs it.
pub(crate) fn not_executable(subject: &Subject<'_>) -> Decision {
    faults(subject, |trace| match verdict(trace) {
        Verdict::Content(why) if !is_executable(trace) => {
            Some(fault(subject, trace, &format!("is a shell that only a loader runs: {why}")))
        }
        _ => None,
    })
}

/// SHL-04.
pub(crate) fn multicall(subject: &Subject<'_>) -> Decision {
    faults(subject, |trace| match verdict(trace) {
        Verdict::Multicall(program) => Some(fault(subject, trace, &format!("is {program}"))),
        _ => None,
    })
}

/// SHL-05.
pub(crate) fn needed(subject: &Subject<'_>) -> Decision {
    let config = subject.config;
    let argv = [config.entrypoint.as_slice(), &config.cmd].concat();
    let field = if config.entrypoint.is_empty() { "cmd" } else { "entrypoint" };
    let fault = |why| {
        let fault = Fault::new(Origin::Config(field), format!("{field} needs a shell: {why}"));
        match subject.input {
            Input::Spec => fault,
            // What is no list, and one with other quotes, is a text that a shell has to run.
            Input::Dockerfile => fault.help(format!(
                "write the program and its arguments as a list, such as `{} [\"node\", \
                 \"server.js\"]`: a list has double quotes",
                field.to_ascii_uppercase()
            )),
        }
    };
    Ok(why_a_shell(&argv).map(fault).into_iter().collect())
}

/// SHL-06.
pub(crate) fn healthcheck(subject: &Subject<'_>) -> Decision {
    let origin = Origin::Config("healthcheck");
    Ok(match subject.config.healthcheck.split_first() {
        Some((form, _)) if form == "CMD-SHELL" => {
            vec![Fault::new(origin, "healthcheck is a text, which only a shell can run")]
        }
        Some((form, argv)) if form == "CMD" => why_a_shell(argv)
            .map(|why| Fault::new(origin, format!("healthcheck needs a shell: {why}")))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    })
}

/// The command that an init or `env` starts in the end; `None`: nobody puts so many in a row.
fn behind_starters(argv: &[String]) -> Option<&[String]> {
    let mut argv = argv;
    for _ in 0..MAX_STARTERS {
        let is_env = argv.first().is_some_and(|first| first.rsplit('/').next() == Some("env"));
        let rest = argv.get(1..).unwrap_or_default();
        let inner = match rest.iter().position(|word| !word.starts_with('-') && !word.contains('='))
        {
            Some(start) if is_env => rest.get(start..),
            _ => unwrap_init(argv),
        };
        match inner {
            Some(inner) => argv = inner, // always shorter
            None => return Some(argv),
        }
    }
    None
}

/// Why a command needs a shell, if it does.
fn why_a_shell(argv: &[String]) -> Option<String> {
    let Some(argv) = behind_starters(argv) else {
        return Some(format!("it starts more than {MAX_STARTERS} programs in a row"));
    };
    let (first, rest) = argv.split_first()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    let shown = escape(first.as_bytes());
    if let Some((shell, _)) = named(program.as_bytes()) {
        return Some(format!("\"{shown}\" is {shell}"));
    }
    if ["ld-linux", "ld-musl", "ld64.so", "ld.so", "ld-2."]
        .iter()
        .any(|loader| program.starts_with(loader))
    {
        return Some(format!("\"{shown}\" is a loader, which runs any file, executable or not"));
    }
    let next = rest.iter().find(|word| !word.starts_with('-')).map_or("", String::as_str);
    let runs_scripts = match program {
        "npm" | "pnpm" => matches!(next, "start" | "run" | "run-script" | "exec" | "test" | "x"),
        "yarn" | "npx" => true,
        _ => false,
    };
    runs_scripts.then(|| format!("\"{shown}\" starts scripts of package.json through sh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_commands_that_need_a_shell() {
        let cases: &[(&[&str], bool)] = &[
            (&["/bin/sh", "-c", "node x.js"], true),
            (&["bash", "run.sh"], true),
            (&["npm", "start"], true),
            (&["/usr/bin/npm", "--silent", "run", "serve"], true),
            (&["yarn", "start"], true),
            (&["npm", "--version"], false),
            (&["tini", "--", "sh", "-c", "x"], true),
            (&["/sbin/tini", "-g", "--", "npm", "start"], true),
            (&["dumb-init", "/usr/bin/env", "A=b", "-i", "bash"], true),
            (&["env", "node", "server.js"], false),
            (&["env", "-i"], false),
            (&["tini", "--"], false),
            (&["node", "sh"], false),
            (&["/usr/bin/ssh"], false),
            (&[], false),
        ];
        for (argv, expected) in cases {
            let argv: Vec<_> = argv.iter().map(ToString::to_string).collect();
            assert_eq!(why_a_shell(&argv).is_some(), *expected, "{argv:?}");
        }
        let many = vec!["env".to_owned(); MAX_STARTERS + 2];
        assert!(why_a_shell(&many).is_some());
        assert!(why_a_shell(&many[2..]).is_none());
    }
}
