//! Why a build ends without an image, and what the builder is told about it.

use crate::bases::resolve::ResolveError;
use crate::context::{LoadError, reason};
use crate::diagnostic::{Code, Diagnostic, Position, Span};
use crate::gateway::{Error, SourceFile, detail, status};
use crate::llb::ImportError;
use crate::paths;
use crate::platform::Platform;
use crate::proto::Status;
use crate::remote;

/// Why there is no image.
#[derive(Debug)]
pub enum Failure {
    /// What the user wrote, or what came of it.
    Refused(Vec<Diagnostic>),
    /// What whoever builds wrote into the policy.
    InPolicy(Vec<Diagnostic>, Box<SourceFile>),
    /// The builder failed: a step did not work, a file was not there, the connection broke.
    Gateway(Error),
    /// The builder failed with a Dockerfile: its own frontend says what is wrong with one, in words
    /// and excerpts that people know.
    Dockerfile(Error),
    /// A step failed since the builder runs no programs of its platform.
    ForeignProgram(Box<Status>, Platform),
    /// One of several platforms failed, and not as the others did.
    Platform(String, Box<Self>),
    /// A call that does not exist, and what to write instead.
    UnknownCall(String, String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Gateway(error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Mistake(mistake) => Self::Refused(vec![mistake]),
            LoadError::Gateway(error) => Self::Gateway(error),
        }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Mistakes(mistakes) => Self::Refused(mistakes),
            ResolveError::Gateway(error) => Self::Gateway(error),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::internal(format!("the image of hardpan itself cannot be used: {error}"))
    }
}

impl Failure {
    /// The failures of several platforms as one: what the user can mend all together, each mistake
    /// once; otherwise the first. What only some of `asked` platforms have, names them.
    #[must_use]
    pub fn of_all(failures: Vec<(Platform, Self)>, asked: usize) -> Option<Self> {
        let everywhere = failures.len() == asked && is_one_step(&failures);
        let mut mistakes: Vec<(Diagnostic, Vec<String>)> = Vec::new();
        for (platform, failure) in failures {
            let id = platform.id();
            match failure {
                Self::Refused(more) => {
                    for mistake in more {
                        match mistakes.iter_mut().find(|(known, _)| *known == mistake) {
                            Some((_, platforms)) => platforms.push(id.clone()),
                            None => mistakes.push((mistake, vec![id.clone()])),
                        }
                    }
                }
                other if everywhere => return Some(other),
                other => return Some(Self::Platform(id, Box::new(other))),
            }
        }
        let named = mistakes.into_iter().map(|(mistake, platforms)| {
            let is_named = platforms.iter().any(|id| mistake.message.contains(id.as_str()));
            if platforms.len() == asked || is_named {
                return mistake;
            }
            let message = format!("for {}: {}", platforms.join(" and "), mistake.message);
            Diagnostic { message, ..mistake }
        });
        let mistakes: Vec<Diagnostic> = named.collect();
        (!mistakes.is_empty()).then_some(Self::Refused(mistakes))
    }

    /// A fault that is not the user's.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Refused(vec![Diagnostic::error(Code::Internal, Span::START, message)])
    }

    /// What goes back to the builder.
    #[must_use]
    pub fn into_status(self, file: Option<&SourceFile>) -> Status {
        match self {
            Self::Refused(mistakes) => status::refusal(file, &mistakes),
            Self::InPolicy(mistakes, policy) => status::refusal(Some(&policy), &mistakes),
            Self::UnknownCall(name, help) => status::unknown_call(&name, &help),
            Self::Gateway(Error::Refused(status)) => explain(*status, file, |mistake| mistake),
            Self::Gateway(error) | Self::Dockerfile(error) => error.into(),
            Self::ForeignProgram(status, platform) => {
                explain(*status, file, |mistake| foreign_program(mistake.span, &platform))
            }
            Self::Platform(id, failure) => match *failure {
                Self::Gateway(Error::Refused(status)) => explain(*status, file, |mistake| {
                    let message = format!("for {id}: {}", mistake.message);
                    Diagnostic { message, ..mistake }
                }),
                other => other.into_status(file),
            },
        }
    }
}

/// Whether all platforms failed at the same step, such as one of a stage that they share.
fn is_one_step(failures: &[(Platform, Failure)]) -> bool {
    let step = |failure: &Failure| match failure {
        Failure::Gateway(Error::Refused(status)) => detail::vertex(status),
        _ => None,
    };
    let mut steps = failures.iter().map(|(_, failure)| step(failure));
    let first = steps.next().flatten();
    first.is_some() && steps.all(|other| other == first)
}

/// Puts the place of a step that failed into the text, and says what to do where that is known. The
/// details stay: clients draw the excerpt and the log of the step from them.
fn explain(
    mut status: Status,
    file: Option<&SourceFile>,
    change: impl FnOnce(Diagnostic) -> Diagnostic,
) -> Status {
    status.message = remote::shown_in(&without_host_paths(&status.message));
    let Some(file) = file else { return status };
    let Some(range) = range_in(&status, file) else { return status };
    let mistake = match Missing::read(&status) {
        Some(missing) => missing.diagnostic(file, range),
        None => missing_secret(&status.message, file, range)
            .or_else(|| unusable_context(&status, range))
            .unwrap_or_else(|| step_failed(&status.message, range)),
    };
    status.message = status::refusal(Some(file), &[change(mistake)]).message;
    status
}

/// BuildKit's words: `secret NAME: not found`.
fn missing_secret(message: &str, file: &SourceFile, range: Span) -> Option<Diagnostic> {
    let id = message.strip_prefix("secret ")?.strip_suffix(": not found")?;
    let mut help = format!("give it to the build: `--secret id={id},src=FILE`");
    let span = find(file, range, id);
    if span.is_none() {
        help += "; the step does not ask for it by itself: HARDPAN_CA or HARDPAN_CA_JAVA does";
    }
    let message = format!("the build was not given the secret {id:?}");
    let span = span.unwrap_or(range);
    Some(Diagnostic::error(Code::MissingSecret, span, message).help(help))
}

/// A named context that could be resolved and not loaded: an archive that is broken, a folder that a
/// repository does not have. Its steps are called `[context NAME] …`.
fn unusable_context(status: &Status, range: Span) -> Option<Diagnostic> {
    let solve = detail::solve(status)?;
    let title = solve.description.get("llb.customname")?;
    let (name, step) = title.strip_prefix("[context ")?.split_once("] ")?;
    let (why, help) = reason(&status.message);
    let what = if step == "unpack" { "its archive cannot be unpacked: " } else { "" };
    let message = format!("the context `{name}` cannot be used: {what}{why}");
    Some(Diagnostic::error(Code::NamedContext, range, message).help(help))
}

fn foreign_program(range: Span, platform: &Platform) -> Diagnostic {
    let message = format!("this step is for {platform}, and the builder cannot run its programs");
    let emulator = emulator(platform);
    let help = format!("{emulator}, or cross-compile in a stage with `platform: build`");
    Diagnostic::error(Code::ForeignProgram, range, message).help(help)
}

/// How a builder comes to run programs of another platform.
pub(super) fn emulator(platform: &Platform) -> String {
    format!(
        "install QEMU where the builder runs (`docker run --privileged --rm tonistiigi/binfmt \
         --install {}`, or Debian's qemu-user-static)",
        platform.architecture
    )
}

fn step_failed(message: &str, range: Span) -> Diagnostic {
    let help = if message.contains("digest mismatch") {
        "what is behind the address is not what `checksum` says: if it was meant to change, look at \
         it and write its new checksum"
    } else if message.contains("did not complete successfully") {
        "the log of the step is above"
    } else {
        return Diagnostic::error(Code::StepFailed, range, message);
    };
    Diagnostic::error(Code::StepFailed, range, message).help(help)
}

/// The builder's own folders tell nothing to a user: of `/var/lib/…/snapshots/12/fs/app/a` only
/// what is behind `/fs` counts.
fn without_host_paths(message: &str) -> String {
    let shorten = |word: &str| match word.rsplit_once("/fs/") {
        Some((head, path)) if head.contains("/snapshots/") => {
            let quote = if word.starts_with('"') { "\"" } else { "" };
            format!("{quote}/{path}")
        }
        _ => word.to_owned(),
    };
    message.split(' ').map(shorten).collect::<Vec<_>>().join(" ")
}

/// The lines of the step that failed. Characters of BuildKit's positions count from 0.
fn range_in(status: &Status, file: &SourceFile) -> Option<Span> {
    let source =
        detail::sources(status).into_iter().find(|source| source.info.filename == file.filename)?;
    let range = source.ranges.first()?;
    let position = |at: &detail::Position| Position { line: at.line, column: at.character + 1 };
    Some(Span { start: position(&range.start), end: position(&range.end) })
}

/// Something that a copy did not find.
#[derive(Debug, PartialEq, Eq)]
struct Missing {
    code: Code,
    /// The path or pattern, as the spec has it if that is known.
    what: String,
}

impl Missing {
    /// Reads the builder's words: `… "/dist": not found`, `/* not found`, `lstat /dist: no such …`.
    fn read(status: &Status) -> Option<Self> {
        let message = &status.message;
        let solve = detail::solve(status).unwrap_or_default();
        let title = solve.description.get("llb.customname").map_or("", String::as_str);
        let (_, title) = title.split_once("] ").unwrap_or(("", title));
        let is_copy = title.starts_with("COPY ") || title.starts_with("ADD ");
        let code =
            if title.contains("--from=") { Code::NotFoundInStage } else { Code::NotFoundInContext };
        if message.ends_with("/* not found") {
            let pattern = title.split(' ').skip(1).find(|word| paths::is_pattern(word));
            let what = pattern.unwrap_or("the pattern").to_owned();
            return Some(Self { code: Code::NoMatch, what });
        }
        let path = message
            .strip_suffix(": not found")
            .or_else(|| message.strip_suffix(" not found"))
            .and_then(|rest| rest.rsplit([' ', '"']).find(|word| word.starts_with('/')))
            .or_else(|| {
                message.strip_suffix(": no such file or directory")?.rsplit("lstat ").next()
            });
        let path = path.filter(|_| is_copy || message.contains("failed to calculate checksum"))?;
        let what = path.trim_matches('"').to_owned();
        let code = if paths::is_pattern(&what) { Code::NoMatch } else { code };
        Some(Self { code, what })
    }

    /// The mistake, at the place of the path in the step if it can be found there.
    fn diagnostic(&self, file: &SourceFile, range: Span) -> Diagnostic {
        let short = self.what.trim_start_matches('/');
        let span = find_path(file, range, &self.what).unwrap_or(range);
        let (message, help) = match self.code {
            Code::NoMatch => (
                format!("{short:?} matches nothing"),
                "check the pattern, or write `optional: true` if there may be nothing",
            ),
            Code::NotFoundInStage => (
                format!("{:?} does not exist where `from` points to", self.what),
                "check the path: it is relative to the workdir of a stage, and to the root of an \
                 image or context; `optional: true` lets it be absent",
            ),
            _ => (
                format!("{short:?} is not in the build context"),
                "check the path, which is relative to the folder that is built, and \
                 .dockerignore, which may leave it out; `optional: true` lets it be absent",
            ),
        };
        Diagnostic::error(self.code, span, message).help(help)
    }
}

/// The first place of a path within some lines: standing alone, whole or without its first folders,
/// before any place where it is a part of something else, such as of a destination.
fn find_path(file: &SourceFile, range: Span, path: &str) -> Option<Span> {
    let short = path.trim_start_matches('/');
    let ends = short.match_indices('/').map(|(at, _)| &short[at + 1..]);
    let mut all = [path, short].into_iter().chain(ends);
    let alone = |line: &str, text: &str| {
        line.match_indices(text).map(|(at, _)| at).find(|at| is_alone(line, *at, text))
    };
    all.find_map(|text| find_as(file, range, text, alone)).or_else(|| {
        [path, short, paths::name(short)].iter().find_map(|text| find(file, range, text))
    })
}

/// The first place of a text within some lines of the file.
fn find(file: &SourceFile, range: Span, text: &str) -> Option<Span> {
    find_as(file, range, text, |line, text| line.find(text))
}

/// The first place that a search gives within some lines of the file.
fn find_as(
    file: &SourceFile,
    range: Span,
    text: &str,
    search: impl Fn(&str, &str) -> Option<usize>,
) -> Option<Span> {
    let first = usize::try_from(range.start.line).ok()?;
    let last = usize::try_from(range.end.line).ok()?.max(first);
    let lines = file.text.lines().enumerate().skip(first.checked_sub(1)?).take(last + 1 - first);
    for (index, line) in lines.filter(|_| !text.is_empty()) {
        if let Some(at) = search(line, text) {
            // A value starts at its quote.
            let at = if line[..at].ends_with(['"', '\'']) { at - 1 } else { at };
            let line_number = u32::try_from(index + 1).ok()?;
            let column = u32::try_from(line[..at].chars().count() + 1).ok()?;
            let length = u32::try_from(text.chars().count()).ok()?;
            let start = Position { line: line_number, column };
            return Some(Span { start, end: Position { column: column + length, ..start } });
        }
    }
    None
}

/// Whether a text stands alone at a place of a line: not as a part of a path, a word or a key.
fn is_alone(line: &str, at: usize, text: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || "/_-.".contains(letter);
    let (before, after) = (&line[..at], &line[at + text.len()..]);
    let after = after.strip_prefix('/').unwrap_or(after); // of a folder
    !before.ends_with(is_part) && !after.starts_with(is_part) && !after.starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(message: &str) -> Status {
        Status { code: 2, message: message.to_owned(), details: Vec::new() }
    }

    #[test]
    fn reads_what_a_copy_did_not_find() {
        for (message, missing) in [
            (
                "failed to compute cache key: failed to calculate checksum of ref a1::b2: \"/dist/x\": not found",
                Some((Code::NotFoundInContext, "/dist/x")),
            ),
            ("/* not found", Some((Code::NoMatch, "the pattern"))),
            ("process \"/bin/sh -c x\" did not complete successfully: exit code: 1", None),
            ("sh: gcc: not found", None),
        ] {
            let found = Missing::read(&status(message));
            let expected = missing.map(|(code, what)| Missing { code, what: what.to_owned() });
            assert_eq!(found, expected, "{message}");
        }
    }

    #[test]
    fn says_which_secret_is_missing_and_who_asks_for_it() {
        let file = SourceFile {
            filename: "hardpan.yaml".to_owned(),
            text: "build:\n  - run: make\n    secret: token\n".to_owned(),
            language: "YAML".to_owned(),
            definition: None,
        };
        let range = Span { start: Span::at(2, 5).start, end: Span::at(3, 18).start };
        let found = |message| missing_secret(message, &file, range);
        let own = found("secret token: not found").unwrap();
        assert_eq!((own.code, own.span.start), (Code::MissingSecret, Span::at(3, 13).start));
        assert_eq!(own.help.as_deref(), Some("give it to the build: `--secret id=token,src=FILE`"));
        let trust = found("secret company-ca: not found").unwrap();
        assert_eq!(trust.span, range);
        assert!(trust.help.unwrap().contains("HARDPAN_CA"));
        assert_eq!(found("lstat /secret: not found"), None);
    }

    #[test]
    fn shows_no_folder_of_the_builder() {
        let message = "failed to stat /var/lib/buildkit/snapshots/12/fs/app/a: file name too long";
        assert_eq!(without_host_paths(message), "failed to stat /app/a: file name too long");
        assert_eq!(without_host_paths("lstat /srv/fs/x: no"), "lstat /srv/fs/x: no");
    }

    fn refused(messages: &[&str]) -> Failure {
        let mistake = |message: &&str| Diagnostic::error(Code::NoMatch, Span::START, *message);
        Failure::Refused(messages.iter().map(mistake).collect())
    }

    #[test]
    fn names_the_platforms_that_a_mistake_is_on() {
        let on = |architecture: &str, failure| (Platform::new("linux", architecture, ""), failure);
        let messages = |failures, asked| match Failure::of_all(failures, asked) {
            Some(Failure::Refused(found)) => {
                found.into_iter().map(|one| one.message).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let both = vec![on("amd64", refused(&["a", "b"])), on("arm64", refused(&["b", "c"]))];
        assert_eq!(messages(both, 2), ["for linux/amd64: a", "b", "for linux/arm64: c"]);
        assert_eq!(messages(vec![on("amd64", refused(&["a"]))], 1), ["a"]);
        let named = vec![on("arm64", refused(&["not for linux/arm64"]))];
        assert_eq!(messages(named, 2), ["not for linux/arm64"]);
        assert!(Failure::of_all(Vec::new(), 2).is_none());
    }

    #[test]
    fn a_step_that_all_platforms_share_is_no_platforms() {
        let step = |digest: &str| {
            let value = format!("{{\"digest\":\"{digest}\"}}").into_bytes();
            let type_url = "github.com/moby/buildkit/errdefs.Vertex+json".to_owned();
            let details = vec![crate::proto::google::protobuf::Any { type_url, value }];
            Failure::Gateway(Error::Refused(Box::new(Status { details, ..status("no") })))
        };
        let fails = |one: &str, other: &str| {
            let on =
                |architecture, digest| (Platform::new("linux", architecture, ""), step(digest));
            Failure::of_all(vec![on("amd64", one), on("arm64", other)], 2)
        };
        assert!(matches!(fails("sha256:a", "sha256:a"), Some(Failure::Gateway(_))));
        let named = matches!(fails("sha256:a", "sha256:b"), Some(Failure::Platform(id, _)) if id == "linux/amd64");
        assert!(named);
    }

    #[test]
    fn points_at_the_path_of_a_step() {
        let file = SourceFile {
            filename: "hardpan.yaml".to_owned(),
            text: "image:\n  - copy: [a, dist/x]\n".to_owned(),
            language: "YAML".to_owned(),
            definition: None,
        };
        let range = Span::at(2, 5);
        assert_eq!(find(&file, range, "dist/x").map(|span| span.start.column), Some(15));
        assert_eq!(find(&file, range, "other"), None);
        let quoted = SourceFile { text: "image:\n  - copy: \"*.js\"\n".to_owned(), ..file };
        assert_eq!(find(&quoted, range, "*.js").map(|span| span.start.column), Some(11));
    }

    #[test]
    fn points_at_the_source_of_a_copy_and_not_at_its_destination() {
        let place = |text: &str, path: &str| {
            let (filename, language) = ("hardpan.yaml".to_owned(), "YAML".to_owned());
            let text = format!("image:\n{text}");
            let file = SourceFile { filename, text, language, definition: None };
            let range = Span { start: Span::at(2, 5).start, end: Span::at(3, 30).start };
            find_path(&file, range, path).map(|span| (span.start.line, span.start.column))
        };
        for (text, path, expected) in [
            ("  - to: /app/theme.css\n    copy: theme.css\n", "/theme.css", Some((3, 11))),
            ("  - copy: theme.css\n    to: /app/theme.css\n", "/theme.css", Some((2, 11))),
            ("  - copy: [a-dist, dist/]\n", "/dist", Some((2, 20))),
            ("  - from: a\n    copy: dist/x\n", "/work/dist/x", Some((3, 11))),
            ("  - copy: copy\n", "/copy", Some((2, 11))),
            ("  - copy: a_b\n", "/b", Some((2, 13))),
            ("  - copy: a\n", "/gone", None),
        ] {
            assert_eq!(place(text, path), expected, "{text}: {path}");
        }
    }
}
