//! What the files of programs give away that keep their credentials in them, line by line: `.npmrc`,
//! `.netrc`, `.env` and others, which are known by their names.
//!
//! Placeholders and what a template puts in are none.

use super::secrets::{Rule, Sighting};
use super::tokens::{is_placeholder, is_secret, url_password};

/// The files that programs keep credentials in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Npm,
    Netrc,
    Pip,
    Urls,
    Docker,
    Aws,
    Kube,
    Environment,
}

/// Which program keeps its credentials in a file of that name.
pub(crate) fn format(folder: &[u8], name: &str) -> Option<Format> {
    let inside = folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match (inside, name) {
        (_, ".npmrc" | "npmrc") => Some(Format::Npm),
        (_, ".netrc" | "_netrc") => Some(Format::Netrc),
        (_, ".pypirc" | "pip.conf") => Some(Format::Pip),
        (_, ".git-credentials") | (b".git", "config") => Some(Format::Urls),
        (b".docker", "config.json") | (_, ".dockercfg") => Some(Format::Docker),
        (b".aws", "credentials" | "config") => Some(Format::Aws),
        (b".kube", "config") | (_, "kubeconfig") => Some(Format::Kube),
        _ => is_environment(name).then_some(Format::Environment),
    }
}

/// The same for names that are one only among the files of an app: `prod.env`, `dev.kubeconfig`.
pub(crate) fn file_of(name: &str) -> Option<Format> {
    match name.rsplit_once('.')? {
        (_, "env") => is_environment(&format!(".env.{name}")).then_some(Format::Environment),
        (_, "kubeconfig") | ("kubeconfig", "yaml" | "yml") => Some(Format::Kube),
        _ => None,
    }
}

/// `.env` and `.env.production`, but no template of one.
fn is_environment(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(".env") else { return false };
    let template = ["example", "sample", "template", "dist", "schema", "defaults"];
    rest.is_empty()
        || rest.starts_with(['.', '-', '_']) && !template.iter().any(|word| rest.contains(word))
}

/// Those of some sightings that overlap none of the known ones, which come in the order of their starts.
pub(crate) fn apart(known: &[Sighting], others: Vec<Sighting>) -> Vec<Sighting> {
    // How far all those reach that start no later.
    let reach = |far: &mut usize, one: &Sighting| {
        *far = (*far).max(one.end);
        Some((one.start, *far))
    };
    let known: Vec<(usize, usize)> = known.iter().scan(0, reach).collect();
    let is_apart = |other: &Sighting| {
        let before = known.partition_point(|(start, _)| *start < other.end);
        before.checked_sub(1).is_none_or(|last| known[last].1 <= other.start)
    };
    others.into_iter().filter(is_apart).collect()
}

/// What a file of credentials gives away, line by line.
pub(crate) fn credentials(content: &[u8], format: Format) -> Vec<Sighting> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        // In another encoding, what is around a letter that is none in ours is as long as before.
        let text = line.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect();
        let text = String::from_utf8(text).unwrap_or_default();
        if let Some((at, length)) = secret(&text, format) {
            let (start, what) = (start + at, shown(format));
            found.push(Sighting { rule: Rule::Credential, what, start, end: start + length });
        }
        start += line.len();
    }
    found
}

const fn shown(format: Format) -> &'static str {
    match format {
        Format::Npm => "a token of a registry",
        Format::Netrc | Format::Pip | Format::Environment => "a password or token",
        Format::Urls => "a password in a URL",
        Format::Docker => "a login of a registry",
        Format::Aws => "a secret access key",
        Format::Kube => "a credential of a cluster",
    }
}

/// Where the secret of a line stands in it, and how long it is.
fn secret(line: &str, format: Format) -> Option<(usize, usize)> {
    let value = match format {
        Format::Npm => {
            let (key, value) = line.split_once('=')?;
            let key = key.trim().rsplit(':').next().unwrap_or_default();
            matches!(key, "_authToken" | "_auth" | "_password").then_some(value)
        }
        Format::Netrc => {
            let (_, rest) = line.split_once("password")?;
            rest.starts_with([' ', '\t']).then(|| rest.split_whitespace().next())?
        }
        Format::Pip => url_password(line).or_else(|| {
            let (key, value) = line.split_once(['=', ':'])?;
            (key.trim() == "password").then_some(value)
        }),
        Format::Urls => url_password(line),
        Format::Docker => json_value(line, &["\"auth\"", "\"identitytoken\"", "\"password\""]),
        Format::Aws => {
            let (key, value) = line.split_once('=')?;
            matches!(key.trim(), "aws_secret_access_key" | "aws_session_token").then_some(value)
        }
        Format::Kube => {
            let (key, value) = line.split_once(':')?;
            let key = key.trim().trim_start_matches("- ");
            matches!(key, "token" | "client-key-data" | "password").then_some(value)
        }
        Format::Environment => {
            let line = line.trim_start().strip_prefix("export ").unwrap_or(line);
            let (key, value) = line.split_once('=')?;
            let is_one = !key.starts_with('#') && is_secret(key.trim(), unquoted(value));
            if is_one { Some(value) } else { url_password(line) }
        }
    }?;
    let value = unquoted(value);
    (!is_placeholder(value)).then_some((line.rfind(value)?, value.len()))
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\'', ','])
}

/// The first value of one of the keys that is no placeholder; a whole document may be one line.
fn json_value<'a>(line: &'a str, keys: &[&str]) -> Option<&'a str> {
    let value = |rest: &'a str| {
        rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?.split('"').next()
    };
    let all = keys.iter().flat_map(|key| line.split(key).skip(1));
    all.filter_map(value).find(|value| !is_placeholder(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_told_once() {
        let at = |(start, end)| Sighting { rule: Rule::Token, what: "", start, end };
        let known: Vec<Sighting> = [(2, 9), (3, 4), (12, 14)].map(at).into();
        let others = [(0, 2), (0, 3), (5, 6), (9, 12), (11, 13), (14, 20)].map(at);
        let left: Vec<_> =
            apart(&known, others.into()).iter().map(|one| (one.start, one.end)).collect();
        assert_eq!(left, [(0, 2), (9, 12), (14, 20)]);
    }

    #[test]
    fn finds_credentials_and_leaves_templates_alone() {
        let cases = [
            (Format::Npm, "//registry.example/:_authToken=npm_s3cr3tvalue", true),
            (Format::Npm, "//registry.example/:_authToken=${NPM_TOKEN}", false),
            (Format::Npm, "registry=https://registry.example/", false),
            (Format::Netrc, "machine x login y password hunter2", true),
            (Format::Netrc, "machine x login y", false),
            (Format::Pip, "index-url = https://u:pw42@host/simple", true),
            (Format::Pip, "index-url = https://host/simple", false),
            (Format::Urls, "\turl = https://u:ghp123@github.com/x", true),
            (Format::Urls, "\turl = https://github.com/x", false),
            (Format::Docker, "\"auth\": \"dXNlcjpwYXNz\"", true),
            (Format::Docker, "\"auth\": \"\"", false),
            (Format::Aws, "aws_secret_access_key = wJalrXUtnFEMI", true),
            (Format::Aws, "region = eu-central-1", false),
            (Format::Kube, "    token: abc.def", true),
            (Format::Environment, "DB_PASSWORD=hunter2", true),
            (Format::Environment, "DB_PASSWORD=changeme", false),
            (Format::Environment, "DB_PASSWORD=${PW}", false),
            (Format::Environment, "DB_HOST=db", false),
        ];
        for (format, line, expected) in cases {
            assert_eq!(credentials(line.as_bytes(), format).len(), usize::from(expected), "{line}");
        }
    }

    #[test]
    fn knows_files_of_environments() {
        for (name, expected) in
            [(".env", true), (".env.production", true), (".env.example", false), (".envrc", false)]
        {
            assert_eq!(is_environment(name), expected, "{name}");
        }
    }
}
