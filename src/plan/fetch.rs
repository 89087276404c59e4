//! What `add` fetches: addresses with the checksum or commit that pins them. `spec` has checked what
//! is written out; what came of `${…}` is checked here.

use crate::diagnostic::{Code, Diagnostic, Text};
use crate::plan::pick::Scope;
use crate::plan::{Origin, Pick};
use crate::platform::Platform;
use crate::spec::model::{Add, Checksum};
use crate::spec::value;

/// A file behind a URL, under the name that the URL ends in.
pub(super) fn url(
    scope: &Scope<'_, '_>,
    add: &Add,
    url: &Text,
) -> Result<(Origin, Pick), Diagnostic> {
    refuse_credentials(url)?;
    let checksum = checksum(scope, add, url)?;
    let address = url.value.split(['?', '#']).next().unwrap_or_default();
    let (_, path) = address.split_once("://").unwrap_or(("", address));
    let name = path.split_once('/').and_then(|(_, path)| path.rsplit('/').next());
    let filename = name.filter(|name| !matches!(*name, "" | "." | "..")).unwrap_or("download");
    let pick = Pick::path(&format!("/{filename}"));
    let origin = Origin::Http { url: url.value.clone(), checksum, filename: filename.to_owned() };
    Ok((origin, pick))
}

/// An address ends up in the provenance and in the builder's progress.
fn refuse_credentials(url: &Text) -> Result<(), Diagnostic> {
    let rest = url.value.split_once("://").map_or(url.value.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => Err(Diagnostic::error(
            Code::InvalidValue,
            url.span,
            "this address holds a password, which everybody could read in the provenance",
        )
        .help("fetch it with `run` and a `secret`, in a stage")),
        _ => Ok(()),
    }
}

fn checksum(scope: &Scope<'_, '_>, add: &Add, url: &Text) -> Result<String, Diagnostic> {
    let missing = |help: String| {
        let message = format!("{:?} is fetched without a checksum", url.value);
        Err(Diagnostic::error(Code::MissingChecksum, url.span, message).help(help))
    };
    let text = match &add.checksum {
        Some(Checksum::One(text)) => text,
        Some(Checksum::PerPlatform(entries)) => {
            let wanted = scope.request.target.id();
            let entry = entries.iter().find(|entry| {
                Platform::parse(&entry.name.value, scope.request.build)
                    .is_ok_and(|platform| platform.id() == wanted)
            });
            let Some(entry) = entry else {
                return missing(format!("add one for this platform: `{wanted}: sha256:…`"));
            };
            &entry.value
        }
        None => return missing("add `checksum: sha256:…`".to_owned()),
    };
    let expanded = Text::new(scope.variables.expand(text)?, text.span);
    value::fetch::checksum(&expanded)?;
    Ok(expanded.value)
}

/// A repository at a commit: `URL#COMMIT:FOLDER`, or the same as `?commit=…&subdir=…`.
pub(super) fn git(source: &Text) -> Result<Origin, Diagnostic> {
    let mut git = value::fetch::git_commit(source)?;
    if git.reference.is_empty() {
        // A commit needs no reference that leads to it, and older builders compare none.
        git.reference = git.checksum.take().unwrap_or_default();
    }
    Ok(Origin::Git(Box::new(git)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn takes_git_addresses_apart() {
        for (address, remote, subdir) in [
            (format!("https://a.example/x.git#{COMMIT}"), "https://a.example/x.git", ""),
            (format!("https://a.example/x.git#{COMMIT}:src"), "https://a.example/x.git", "src"),
            (format!("git@a.example:x/y.git#{COMMIT}"), "git@a.example:x/y.git", ""),
            (
                format!("https://a.example/x.git?commit={COMMIT}&subdir=src"),
                "https://a.example/x.git",
                "src",
            ),
        ] {
            let origin = git(&Text::new(address.clone(), Span::START)).unwrap();
            let Origin::Git(git) = origin else { panic!("{address}") };
            let found = [git.url.as_str(), git.reference.as_str(), git.subdir.as_str()];
            assert_eq!(found, [remote, COMMIT, subdir], "{address}");
        }
    }

    #[test]
    fn refuses_a_branch_that_came_of_an_argument() {
        let mistake = git(&Text::new("https://a.example/x.git#main".to_owned(), Span::START));
        assert_eq!(mistake.unwrap_err().code, Code::MissingChecksum);
    }
}
