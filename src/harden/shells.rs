//! Shells in the image, by name and by content, and commands that would need one.
//!
//! A file is reported once, under the check that says most about it: a program with a shell in it,
//! then a name, then content alone.

#![expect(clippy::unnecessary_wraps, reason = "all decisions of the table have one signature")]

use crate::input::Input;
use crate::inspect::escape::escape;
use crate::inspect::evidence::{Format, Part, ShellTrace};
use crate::inspect::shell::{MANAGED, named};
use crate::inspect::{behind_options, unwrap_init};

use super::arguments::{self, Runtime};
use super::{Decision, Fault, Origin, Severity, Subject};

/// Reserved words and variables that stand together in every POSIX shell and in nothing else that
/// was measured.
const MIN_WORDS: u32 = 4;
const MIN_VARIABLES: u32 = 2;
/// Shells whose signature alone is proof, and how many texts of it that takes.
const SIGNED: [(&str, usize, &str); 9] = [
    ("bash", 1, "GNU bash"),
    ("mksh", 1, "mksh"),
    ("yash", 1, "yash"),
    ("csh", 2, "csh"),
    ("sash", 1, "sash"),
    ("fish", 1, "fish"),
    ("elvish", 1, "elvish"),
    ("rc", 1, "rc"),
    ("nushell", 1, "nushell"),
];
/// Shells that other programs may carry as a library.
const EMBEDDED: [&str; 2] = ["mvdan.cc/sh", "brush-core"];
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
    Packed,
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
    // What dotnet runs needs no right to be executed.
    let is_managed = trace.named.as_deref() == Some(MANAGED);
    if is_managed || trace.named.is_some() && executable && counts_by_name(trace) {
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
    match embedded {
        Some(shell) => Verdict::Embedded(shell),
        None if traces.signatures_of("UPX") > 0 => Verdict::Packed,
        None => Verdict::Nothing,
    }
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
        Verdict::Packed => {
            let message = format!("{} is packed: what it holds was not searched", trace.path);
            let found = Fault::new(subject.origin(trace.layer), message).at(&trace.path);
            Some(found.help("place it as it was before `upx`").usually(Severity::Warn))
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

/// Programs that start what stands behind their options and so many words: their options that take
/// the next word.
const STARTERS: [(&str, usize, &[&str]); 12] = [
    ("nice", 0, &["-n", "--adjustment"]),
    ("ionice", 0, &["-c", "-n", "--class", "--classdata"]),
    ("nohup", 0, &[]),
    ("setsid", 0, &[]),
    ("stdbuf", 0, &["-i", "-o", "-e", "--input", "--output", "--error"]),
    ("timeout", 1, &["-s", "-k", "--signal", "--kill-after"]),
    (
        "setpriv",
        0,
        &["--reuid", "--regid", "--groups", "--inh-caps", "--ambient-caps", "--bounding-set"],
    ),
    ("gosu", 1, &[]),
    ("su-exec", 1, &[]),
    ("chroot", 1, &[]),
    ("chrt", 1, &[]),
    ("corepack", 0, &[]),
];
/// Options of `env` that take the next word.
const ENV_VALUES: [&str; 6] = ["-u", "--unset", "-C", "--chdir", "-S", "--split-string"];
/// Options of `npm` and `pnpm` that take the next word.
const NPM_VALUES: [&str; 10] = [
    "-C",
    "--prefix",
    "--dir",
    "-w",
    "--workspace",
    "-F",
    "--filter",
    "--loglevel",
    "--userconfig",
    "--cache",
];

/// The command that an init, `env` or another starter starts in the end; `None`: nobody puts so many in
/// a row.
fn behind_starters(argv: &[String]) -> Option<Vec<String>> {
    let mut argv = argv.to_vec();
    for _ in 0..MAX_STARTERS {
        match started(&argv).filter(|inner| !inner.is_empty() && *inner != argv) {
            Some(inner) => argv = inner,
            None => return Some(argv),
        }
    }
    None
}

/// What a starter starts.
fn started(argv: &[String]) -> Option<Vec<String>> {
    let (first, rest) = argv.split_first()?;
    let name = first.rsplit('/').next().unwrap_or(first);
    if name == "env" {
        return Some(behind_env(rest));
    }
    if let Some((_, words, valued)) = STARTERS.iter().find(|(starter, ..)| *starter == name) {
        return behind_options(rest, valued).get(*words..).map(<[String]>::to_vec);
    }
    unwrap_init(argv).map(<[String]>::to_vec)
}

/// What `env` starts: behind options and variables, or in the text that it is told to split.
fn behind_env(words: &[String]) -> Vec<String> {
    let command = behind_options(words, &ENV_VALUES);
    let options = &words[..words.len() - command.len()];
    let text = options.iter().enumerate().find_map(|(index, option)| {
        let long = option.strip_prefix("--split-string");
        // `-iS text`: nothing but flags stands in front of it.
        let short =
            || option.strip_prefix('-')?.trim_start_matches(['i', '0', 'v']).strip_prefix('S');
        let text = long.map_or_else(short, |text| Some(text.trim_start_matches('=')))?;
        Some(if text.is_empty() { options.get(index + 1)?.as_str() } else { text })
    });
    let split = text.unwrap_or_default().split_whitespace().map(str::to_owned);
    let all = split.chain(command.iter().cloned());
    let is_ahead = |word: &String| word.contains('=') || word.starts_with('-');
    all.skip_while(is_ahead).collect()
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
    let is_node = matches!(program, "node" | "nodejs");
    let is_run = |word: &&String| *word == "--run" || word.starts_with("--run=");
    if is_node && rest.iter().take_while(|word| word.starts_with('-')).any(|word| is_run(&word)) {
        return Some("`node --run` starts scripts of package.json through sh".to_owned());
    }
    let (tool, rest) = managed(&argv).unwrap_or((program, rest));
    runs_scripts(tool, rest)
        .then(|| format!("\"{shown}\" starts scripts of package.json through sh"))
}

/// A package manager that is a file for node, and its arguments: `node …/npm-cli.js start`.
fn managed(argv: &[String]) -> Option<(&'static str, &[String])> {
    let script = arguments::script(argv).filter(|script| script.runtime == Runtime::Node)?;
    let name = script.path.rsplit('/').next().unwrap_or(script.path);
    let numbered = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
    let tool = match name {
        "npm-cli.js" => "npm",
        "npx-cli.js" => "npx",
        "pnpm.cjs" => "pnpm",
        "yarn.js" => "yarn",
        _ if name.strip_prefix("yarn-").is_some_and(numbered) => "yarn",
        _ => return None,
    };
    let place = argv.iter().position(|word| word == script.path)?;
    Some((tool, argv.get(place + 1..).unwrap_or_default()))
}

/// Whether a package manager of node is told to start what package.json says.
fn runs_scripts(tool: &str, rest: &[String]) -> bool {
    let next = behind_options(rest, &NPM_VALUES).first().map_or("", String::as_str);
    // `corepack pnpm@9 start`
    match tool.split('@').next().unwrap_or(tool) {
        "npm" => matches!(
            next,
            "start"
                | "stop"
                | "restart"
                | "test"
                | "t"
                | "tst"
                | "run"
                | "run-script"
                | "rum"
                | "urn"
                | "exec"
                | "x"
        ),
        // Any other word is the name of a script.
        "pnpm" => !next.is_empty(),
        "yarn" | "yarnpkg" | "npx" | "pnpx" => true,
        _ => false,
    }
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
            (&["tini", "-p", "SIGTERM", "sh", "-c", "x"], true),
            (&["tini", "npm", "start", "--", "--port", "1"], true),
            (&["tini", "-p", "SIGTERM", "node", "sh"], false),
            (&["env", "-S", "A=b sh -c x"], true),
            (&["env", "-iSsh -c x"], true),
            (&["env", "--split-string=-i sh"], true),
            (&["env", "-u", "HOME", "-C", "/app", "sh"], true),
            (&["env", "-u", "sh", "node", "x.js"], false),
            (&["env", "--unset=PSsh", "node", "x.js"], false),
            (&["env", "-S", "node x.js", "sh"], false),
            (&["nice", "-n", "5", "sh"], true),
            (&["nice", "-n", "5", "node", "sh"], false),
            (&["timeout", "-s", "KILL", "5s", "bash"], true),
            (&["timeout", "5", "node"], false),
            (&["setpriv", "--reuid", "1000", "--", "/bin/dash"], true),
            (&["gosu", "node", "npm", "start"], true),
            (&["gosu", "sh", "node"], false),
            (&["npm", "--prefix", "/app", "start"], true),
            (&["npm", "--prefix", "start", "--version"], false),
            (&["pnpm", "dev"], true),
            (&["pnpm", "--version"], false),
            (&["corepack", "yarn@4.1.0", "start"], true),
            (&["node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "run", "x"], true),
            (&["node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "--version"], false),
            (&["node", ".yarn/releases/yarn-4.1.0.cjs", "start"], true),
            (&["node", "yarn-shop.js", "start"], false),
            (&["node", "--no-warnings", "--run", "start"], true),
            (&["node", "server.js", "--run"], false),
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
