//! Keys, credentials and tokens in small text files. What is found is named by path, line and a few
//! digits of its checksum; the secret itself is never written anywhere.
//!
//! Which files are read is decided by their names: keys and credentials wherever they are, other
//! text only where it is an app's own. Placeholders and what a template puts in are none.

use std::fs::File;
use std::io::Read as _;

use rustix::fs::Stat;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::bounded::Bounded;
use super::collector::hexadecimal;
use super::entry::Attributes;
use super::escape::escape;
use super::evidence::{Gap, List, Part};
use super::layered::{Layered, Lost};
use super::names::{Place, is_dependency};
use super::threads;
use super::tokens::{self, is_placeholder, is_secret_name};
use super::tree::Tree;
use super::walk::Seen;

/// The most files that are read, how much of each, and the bytes of their paths.
const MAX_FILES: usize = 20_000;
const MAX_FILE: u64 = 1 << 20;
const MAX_NAMES: usize = 16 << 20;
/// The most secrets of one file that are told.
const MAX_SECRETS: usize = 8;
/// The most secrets of lower layers and of the result together.
const MAX_TRACES: usize = 1_000;
/// Files without a suffix are read up to this size.
const MAX_PLAIN: u64 = 64 << 10;
/// Suffixes of text that an app may have tokens in.
const TEXT: &[&str] = &[
    "js",
    "mjs",
    "cjs",
    "ts",
    "json",
    "yaml",
    "yml",
    "toml",
    "ini",
    "conf",
    "cfg",
    "properties",
    "xml",
    "env",
    "sh",
    "py",
    "rb",
    "php",
    "txt",
    "cnf",
    "config",
    "tf",
    "tfvars",
    "crt",
    "cer",
];

/// What kind of secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A private key.
    PrivateKey,
    /// A file that a program reads its credentials from.
    Credential,
    /// Text with the form of a token.
    Token,
}

/// A secret, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretTrace {
    /// The path, escaped.
    pub path: String,
    /// The layer that it is seen from.
    pub layer: usize,
    /// Permissions and owner.
    #[serde(flatten)]
    pub attributes: Attributes,
    /// Whether the file belongs to a dependency.
    pub dependency: bool,
    /// What kind of secret it is.
    pub rule: Rule,
    /// What it is, in words.
    pub what: String,
    /// The line, from 1.
    pub line: u64,
    /// The first digits of its SHA-256, to tell one from another.
    pub digest: String,
    /// Why nobody sees it in a container although the image has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Buried>,
}

/// A file that a later layer takes away: it stays in its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buried {
    /// The layer that has it, from 1.
    pub layer: u32,
    /// How many layers the image has.
    pub of: u32,
    /// The layer that takes it away.
    pub by: u32,
    /// Whether nothing took its place.
    pub deleted: bool,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// For keys alone.
    Keys,
    /// As what its name says.
    Credentials(Format),
    /// For keys and tokens.
    Text,
}

/// The files that programs keep credentials in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Npm,
    Netrc,
    Pip,
    Urls,
    Docker,
    Aws,
    Kube,
    Environment,
}

#[derive(Debug)]
struct Text {
    layer: usize,
    stat: Stat,
    reading: Reading,
}

/// The files that are read for secrets.
#[derive(Debug)]
pub(crate) struct Texts {
    /// Files of keys and credentials, by their names.
    named: Bounded<Text>,
    /// Other text of the app.
    others: Bounded<Text>,
    whole: bool,
}

/// A place in a file: where it begins, what it is, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) rule: Rule,
    pub(crate) what: &'static str,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Texts {
    pub(crate) fn new(whole: bool) -> Self {
        let list = || Bounded::with_limits(MAX_FILES, MAX_NAMES);
        Self { named: list(), others: list(), whole }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.named.merge(other.named);
        self.others.merge(other.others);
    }

    /// Notes a regular file if it may hold secrets.
    pub(crate) fn note_file(&mut self, seen: &Seen<'_>, place: Place) {
        let size = u64::try_from(seen.stat.st_size).unwrap_or(0);
        let own = seen.layer > 0 && !place.dependency || self.whole && !place.system;
        let Some(reading) = reading(seen.folder, seen.name, size, own && !place.dependency) else {
            return;
        };
        if size > 0 {
            let text = Text { layer: seen.layer, stat: *seen.stat, reading };
            let list = if reading == Reading::Text { &mut self.others } else { &mut self.named };
            list.add(seen.path(), text);
        }
    }

    /// Reads the files; what could not be read is told as gaps.
    pub(crate) fn search(self, tree: &Tree, gaps: &mut Bounded<Gap>) -> List<SecretTrace> {
        for (list, part) in [(&self.named, Part::Secrets), (&self.others, Part::Texts)] {
            if list.is_truncated() {
                gaps.gap(b"/", part, "there are too many files of that kind");
            }
        }
        let files: Vec<_> =
            self.named.into_map().into_iter().chain(self.others.into_map()).collect();
        let answers = threads::map(&files, |(path, text)| find(tree, path, text));
        let mut list = Bounded::default();
        for ((path, text), answer) in files.iter().zip(answers) {
            match answer.unwrap_or_else(|| Err("the search failed".to_owned())) {
                Ok(traces) => {
                    for (index, trace) in traces.into_iter().enumerate() {
                        let key = [path.as_slice(), b"\0", &[u8::try_from(index).unwrap_or(0)]];
                        list.add(key.concat(), trace);
                    }
                }
                Err(reason) if text.reading == Reading::Text => {
                    gaps.gap(path, Part::Texts, &reason);
                }
                Err(reason) => gaps.gap(path, Part::Secrets, &reason),
            }
        }
        list.into_list()
    }
}

fn find(tree: &Tree, path: &[u8], text: &Text) -> Result<Vec<SecretTrace>, String> {
    let file = tree.open_file(text.layer, path).map_err(|error| error.to_string())?;
    let attributes = Attributes::from(&text.stat);
    traces((path, text.layer, attributes), file, text.reading)
}

/// Everything that one file gives away.
fn traces(
    (path, layer, attributes): (&[u8], usize, Attributes),
    file: File,
    reading: Reading,
) -> Result<Vec<SecretTrace>, String> {
    let mut content = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut content).map_err(|error| error.to_string())?;
    let mut found = tokens::keys(&content);
    match reading {
        Reading::Keys => {}
        Reading::Credentials(format) => found.extend(credentials(&content, format)),
        Reading::Text => found.extend(tokens::tokens(&content)),
    }
    found.sort_by_key(|sighting| sighting.start);
    let trace = |sighting: &Sighting| SecretTrace {
        path: escape(path),
        layer,
        attributes,
        lost: None,
        dependency: is_dependency(path),
        rule: sighting.rule,
        what: sighting.what.to_owned(),
        line: 1 + memchr::memchr_iter(b'\n', &content[..sighting.start]).count() as u64,
        digest: digest(&content[sighting.start..sighting.end]),
    };
    Ok(found.iter().take(MAX_SECRETS).map(trace).collect())
}

/// Adds what files give away that later layers delete or cover.
pub(crate) fn search_lost(
    image: &Layered,
    seen: List<SecretTrace>,
    gaps: &mut Bounded<Gap>,
) -> List<SecretTrace> {
    let (lost, more) = image.lost();
    if more {
        gaps.gap(b"/", Part::Secrets, "too many files of lower layers are deleted or covered");
    }
    let answers = threads::map(lost, |one| find_lost(image, one));
    let List { items: mut found, total: mut count, truncated } = seen;
    for (one, answer) in lost.iter().zip(answers) {
        match answer.unwrap_or_else(|| Err("the search failed".to_owned())) {
            Ok(traces) => {
                let is_new = |trace: &SecretTrace| {
                    let same = |known: &&SecretTrace| {
                        (&known.path, &known.digest) == (&trace.path, &trace.digest)
                    };
                    !found.iter().any(|known| same(&known))
                };
                let new: Vec<_> = traces.into_iter().filter(is_new).collect();
                count += new.len() as u64;
                found.extend(new);
            }
            Err(reason) => gaps.gap(&one.path, Part::Secrets, &reason),
        }
    }
    // As many as any list has.
    let more = found.len() > MAX_TRACES;
    found.truncate(MAX_TRACES);
    List { truncated: truncated || more, items: found, total: count }
}

fn find_lost(image: &Layered, one: &Lost) -> Result<Vec<SecretTrace>, String> {
    let attributes = image.attributes_of(one);
    let place = Place::of(folder_of(&one.path).0);
    let own = !place.dependency && !place.system;
    let (folder, name) = folder_of(&one.path);
    let Some(reading) = reading(folder, name, 1, own) else { return Ok(Vec::new()) };
    let file = image.open_lost(one).map_err(|error| error.to_string())?;
    let mut found = traces((&one.path, image.layer_of(one), attributes), file, reading)?;
    let (layer, of, by) = (one.layer + 1, image.begun(), one.by + 1);
    for trace in &mut found {
        trace.lost = Some(Buried { layer, of, by, deleted: one.is_deleted });
    }
    Ok(found)
}

fn folder_of(path: &[u8]) -> (&[u8], &[u8]) {
    let split = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    (&path[..split], path.get(split + 1..).unwrap_or_default())
}

/// Whether a file is one that may be read for secrets.
pub(crate) fn may_hold(path: &[u8], size: u64) -> bool {
    let (folder, name) = folder_of(path);
    let place = Place::of(folder);
    reading(folder, name, size, !place.dependency && !place.system).is_some()
}

fn digest(secret: &[u8]) -> String {
    hexadecimal(&Sha256::digest(secret)[..4])
}

fn reading(folder: &[u8], name: &[u8], size: u64, own: bool) -> Option<Reading> {
    let text = str::from_utf8(name).ok()?;
    let inside = folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let format = match (inside, text) {
        (_, ".npmrc" | "npmrc") => Some(Format::Npm),
        (_, ".netrc" | "_netrc") => Some(Format::Netrc),
        (_, ".pypirc" | "pip.conf") => Some(Format::Pip),
        (_, ".git-credentials") | (b".git", "config") => Some(Format::Urls),
        (b".docker", "config.json") | (_, ".dockercfg") => Some(Format::Docker),
        (b".aws", "credentials") => Some(Format::Aws),
        (b".kube", "config") | (_, "kubeconfig") => Some(Format::Kube),
        _ => is_environment(text).then_some(Format::Environment),
    };
    if let Some(format) = format {
        return Some(Reading::Credentials(format));
    }
    let suffix = text.rsplit_once('.').map(|(_, suffix)| suffix);
    if matches!(suffix, Some("pem" | "key" | "p8" | "pk8" | "ppk" | "ovpn"))
        || matches!(text, "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ed25519")
    {
        return Some(Reading::Keys);
    }
    let is_text = match suffix {
        Some(suffix) => TEXT.contains(&suffix) && size <= MAX_FILE,
        None => size <= MAX_PLAIN,
    };
    (own && is_text).then_some(Reading::Text)
}

/// Whether a path is called like a file of keys or credentials.
pub(crate) fn is_kept_in(path: &[u8]) -> bool {
    let (folder, name) = folder_of(path);
    reading(folder, name, 1, false).is_some()
}

/// `.env` and `.env.production`, but no template of one.
fn is_environment(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(".env") else { return false };
    let template = ["example", "sample", "template", "dist", "schema", "defaults"];
    rest.is_empty() || rest.starts_with('.') && !template.iter().any(|word| rest.contains(word))
}

/// What a file of credentials gives away, line by line.
fn credentials(content: &[u8], format: Format) -> Vec<Sighting> {
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
