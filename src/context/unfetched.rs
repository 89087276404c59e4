//! Why a build context could not be fetched, in words of the address that was given: of the builder's
//! message what matters, and what to do where that is known.

use super::{Fetched, LoadError, Locations};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::emit::Tree;
use crate::gateway::{Error, plain_text};
use crate::remote;

/// What the builder was doing when it failed, before what is wrong.
const LEADS: [&str; 3] = ["cache key: ", "checksum of ref ", "git stderr:\n"];

impl Locations {
    /// A failure to read something, in words that a user can act on.
    pub(super) fn explain(&self, error: Error, from: &Tree) -> LoadError {
        match (&error, &self.fetched, from) {
            (Error::TooLarge { path, limit }, ..) => {
                let message = format!("{path:?} is larger than {} MiB", limit >> 20);
                LoadError::Mistake(Diagnostic::error(Code::TooLarge, Span::START, message))
            }
            (_, Some(fetched), Tree::Graph(_)) => unfetched(fetched, error),
            (Error::Refused(status), _, Tree::Local(name)) => {
                let is_absent = ["no local sources enabled", "no access allowed to dir"]
                    .iter()
                    .any(|words| status.message.contains(words));
                if is_absent { LoadError::Mistake(absent(name)) } else { error.into() }
            }
            _ => error.into(),
        }
    }
}

/// A client that offers nothing, such as one whose standard input was empty.
fn absent(name: &str) -> Diagnostic {
    let (code, what, help) = match name {
        "context" => (
            Code::ContextNotFetched,
            "no build context",
            "give a folder, an address or an archive to build",
        ),
        _ => (
            Code::SpecNotFound,
            "no spec",
            "name the spec with `-f`, such as `docker buildx build -f hardpan.yaml .`; what comes on \
             stdin must not be empty",
        ),
    };
    let message = format!("the client sends {what}: it offers no folder {name:?}");
    Diagnostic::error(code, Span::START, message).help(help)
}

/// What the builder said when it was to fetch the context.
#[must_use]
pub fn unfetched(fetched: &Fetched, error: Error) -> LoadError {
    let Error::Refused(status) = &error else { return error.into() };
    let said = remote::shown_about(plain_text(&status.message), &fetched.address);
    let (why, help) = explain(&said);
    let message = format!("the build context {} cannot be used: {why}", fetched.shown());
    let mistake = Diagnostic::error(Code::ContextNotFetched, Span::START, message);
    LoadError::Mistake(mistake.help(help))
}

/// Why something could not be fetched, and what to do, of what the builder said.
#[must_use]
pub fn reason(message: &str) -> (String, &'static str) {
    explain(&remote::shown_in(plain_text(message)))
}

/// The builder's words without what leads to them, and what to do.
fn explain(message: &str) -> (String, &'static str) {
    let short = LEADS
        .iter()
        .fold(message, |text, lead| text.rsplit_once(lead).map_or(text, |(_, rest)| rest));
    // git says many things; what ends it comes after "fatal: ".
    let said = |lead: &str| short.lines().find_map(|line| line.strip_prefix(lead));
    let short = said("fatal: ").or_else(|| said("error: ")).unwrap_or(short);
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["does not contain ref", "Unable to find", "not our ref"]) {
        let why = short.split(", output:").next().unwrap_or(short);
        return (
            why.to_owned(),
            "`git ls-remote` with the address lists branches, tags and commits",
        );
    }
    if let Some((wanted, found)) =
        short.strip_prefix("expected checksum to match ").and_then(|rest| rest.split_once(", got "))
    {
        let help = "if it was meant to move, look at it and write its new commit";
        return (format!("it is commit {found}, not {wanted}"), help);
    }
    if says(&["invalid subdir", "failed to open subdir"]) || short.ends_with(": not found") {
        let folder = match short.split_once("subdir ") {
            Some((_, rest)) => rest.split(':').next().unwrap_or(rest),
            None => short.rsplit('"').nth(1).unwrap_or(short),
        };
        let why = format!("it has no folder {:?}", folder.trim_start_matches('/'));
        return (why, "check the folder: it is named from the top of the repository or archive");
    }
    if let Some(status) = short.strip_prefix("invalid response status ") {
        let help = "check the address, with a browser for example";
        return (format!("the server answers {status}"), help);
    }
    let help = if says(&["SSH key", "SSH agent"]) {
        "lend the build your SSH agent: `--ssh default`"
    } else if says(&["could not read Username", "Authentication failed", "401", "403"]) {
        "a private repository needs a token: `--secret id=GIT_AUTH_TOKEN,env=…`"
    } else if says(&["unexpected EOF", "gzip", "flate", "bzip2", "xz", "zstd", "tar"]) {
        "give a whole tar archive: plain, or packed by gzip, bzip2, xz or zstd"
    } else if says(&["dial tcp", "unable to connect", "unable to access", "no such host"]) {
        "check the address: the machine of the builder must reach it"
    } else {
        "check the address"
    };
    (short.trim().to_owned(), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_matters_of_what_the_builder_says() {
        for (message, why) in [
            (
                "failed to load cache key: repository does not contain ref nosuch, output: \"\"",
                "repository does not contain ref nosuch",
            ),
            (
                "failed to load cache key: error fetching default branch for repository http://h/x.git: \
                 git stderr:\nfatal: repository 'http://h/x.git/' not found\n: exit status 128",
                "repository 'http://h/x.git/' not found",
            ),
            (
                "failed to load cache key: expected checksum to match abc, got a1215f",
                "it is commit a1215f, not abc",
            ),
            (
                "invalid subdir nosuch: failed to lstat \"nosuch\": statat nosuch: no such file or directory",
                "it has no folder \"nosuch\"",
            ),
            (
                "invalid subdir a.txt: git subpath \"a.txt\" contains non-directory \"a.txt\"",
                "it has no folder \"a.txt\"",
            ),
            (
                "failed to compute cache key: failed to calculate checksum of ref z8::r0: \"/nosuch\": not found",
                "it has no folder \"nosuch\"",
            ),
            ("failed to load cache key: invalid response status 404", "the server answers 404"),
            (
                "failed to fetch remote http://h/x.git: git stderr:\nerror: Unable to find 01 under http://h/x.git\n\
                 Cannot obtain needed object 01\nerror: fetch failed.\n: exit status 128",
                "Unable to find 01 under http://h/x.git",
            ),
            ("unexpected EOF", "unexpected EOF"),
        ] {
            assert_eq!(explain(message).0, why, "{message}");
        }
    }

    #[test]
    fn no_reason_shows_a_password_or_a_token() {
        let address = "https://u:sec'ret@h/x?sig=secret";
        let message = format!("Get \"{address}\": dial tcp: no such host");
        let status = crate::proto::Status { code: 2, message, details: Vec::new() };
        let error = Error::Refused(Box::new(status));
        let LoadError::Mistake(mistake) = unfetched(&Fetched::of(address), error) else {
            panic!("the builder has refused it")
        };
        assert_eq!(
            mistake.message,
            "the build context https://h/x cannot be used: Get \"https://h/x\": dial tcp: no such host"
        );
        let (why, _) = reason("fatal: unable to access 'HTTPS://token@h/x.git/'");
        assert!(why.contains("'HTTPS://h/x.git/'"), "{why}");
    }

    #[test]
    fn says_what_to_do() {
        for (message, help) in [
            (
                "failed to load cache key: no SSH key \"default\" forwarded from the client",
                "--ssh default",
            ),
            (
                "git stderr:\nfatal: could not read Username for 'https://h': terminal prompts disabled",
                "GIT_AUTH_TOKEN",
            ),
            (
                "Get \"http://h/x\": dial tcp 127.0.0.1:1: connect: connection refused",
                "must reach it",
            ),
            ("gzip: invalid header", "a whole tar archive"),
            ("something new", "check the address"),
        ] {
            assert!(explain(message).1.contains(help), "{message}: {}", explain(message).1);
        }
    }
}
