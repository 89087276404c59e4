//! The files that programs keep credentials in: by their names, and what their lines give away.

use super::secrets::{Rule, Sighting};
use super::tokens::{is_placeholder, is_secret_name};

/// The files that programs keep credentials in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
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
pub(super) fn format(folder: &[u8], name: &str) -> Option<Format> {
    let inside = folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match (inside, name) {
        (_, ".npmrc" | "npmrc") => Some(Format::Npm),
        (_, ".netrc" | "_netrc") => Some(Format::Netrc),
        (_, ".pypirc" | "pip.conf") => Some(Format::Pip),
        (_, ".git-credentials") | (b".git", "config") => Some(Format::Urls),
        (b".docker", "config.json") | (_, ".dockercfg") => Some(Format::Docker),
        (b".aws", "credentials") => Some(Format::Aws),
        (b".kube", "config") | (_, "kubeconfig") => Some(Format::Kube),
        _ => is_environment(name).then_some(Format::Environment),
    }
}

/// `.env` and `.env.production`, but no template of one.
fn is_environment(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(".env") else { return false };
    let template = ["example", "sample", "template", "dist", "schema", "defaults"];
    rest.is_empty() || rest.starts_with('.') && !template.iter().any(|word| rest.contains(word))
}

/// What a file of credentials gives away, line by line.
pub(super) fn credentials(content: &[u8], format: Format) -> Vec<Sighting> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        if let Some((at, length)) = str::from_utf8(line).ok().and_then(|line| secret(line, format))
        {
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
            (!key.starts_with('#') && is_secret_name(key.trim())).then_some(value)
        }
    }?;
    let value = value.trim().trim_matches(['"', '\'', ',']);
    (!is_placeholder(value)).then_some((line.rfind(value)?, value.len()))
}

/// `p` of `https://u:p@host`.
fn url_password(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("://")?;
    let authority = rest.split(['/', ' ', '"', '\'']).next()?;
    let (login, _) = authority.rsplit_once('@')?;
    login.split_once(':').map(|(_, password)| password)
}

fn json_value<'a>(line: &'a str, keys: &[&str]) -> Option<&'a str> {
    let rest = keys.iter().find_map(|key| line.split_once(key))?.1;
    rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

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
