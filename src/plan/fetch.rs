//! What `add` fetches: addresses with the checksum or commit that pins them. `spec` has checked what
//! is written out; what came of `${…}` is checked here.

use crate::diagnostic::{Code, Diagnostic, Text};
use crate::plan::pick::Scope;
use crate::plan::{Origin, Pick};
use crate::platform::Platform;
use crate::remote;
use crate::spec::model::{Add, Checksum};
use crate::spec::value;

/// A file behind a URL, under the name that the URL ends in.
pub(super) fn url(
    scope: &Scope<'_, '_>,
    add: &Add,
    url: &Text,
) -> Result<(Origin, Pick), Diagnostic> {
    value::fetch::no_credentials(url)?;
    let checksum = checksum(scope, add, url)?;
    let address = url.value.split(['?', '#']).next().unwrap_or_default();
    let (_, path) = address.split_once("://").unwrap_or(("", address));
    let name = path.split_once('/').and_then(|(_, path)| path.rsplit('/').next());
    let filename = name.filter(|name| !matches!(*name, "" | "." | "..")).unwrap_or("download");
    let pick = Pick::path(&format!("/{filename}"));
    let origin = Origin::Http { url: url.value.clone(), checksum, filename: filename.to_owned() };
    Ok((origin, pick))
}

fn checksum(scope: &Scope<'_, '_>, add: &Add, url: &Text) -> Result<String, Diagnostic> {
    let missing = |help: String| {
        let message = format!("{:?} is fetched without a checksum", remote::shown(&url.value));
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
    value::fetch::no_credentials(source)?;
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
    fn refuses_addresses_with_credentials() {
        for address in [
            "https://user:pw@a.example/x.git",
            "https://token@a.example/x.git",
            "HTTPS://token@a.example/x.git",
            "http://token@a.example/x.git",
            "git://token@a.example/x",
            "ssh://git:pw@a.example/x",
        ] {
            let written = Text::new(format!("{address}#{COMMIT}"), Span::START);
            let mistake = git(&written).unwrap_err();
            assert!(mistake.message.contains("a password or a token"), "{address}");
        }
        let url = |address: &str| {
            value::fetch::no_credentials(&Text::new(address.to_owned(), Span::START))
        };
        assert!(url("https://token@a.example/x.tar").is_err());
        assert!(url("https://a.example/x@y.tar").is_ok());
        for address in ["ssh://git@a.example/x", "git@a.example:x"] {
            assert!(git(&Text::new(format!("{address}#{COMMIT}"), Span::START)).is_ok());
        }
    }

    #[test]
    fn refuses_a_branch_that_came_of_an_argument() {
        let mistake = git(&Text::new("https://a.example/x.git#main".to_owned(), Span::START));
        assert_eq!(mistake.unwrap_err().code, Code::MissingChecksum);
    }
}
