//! Keys, credentials and tokens in small text files. What is found is named by path, line and a few
//! digits of its checksum; the secret itself is never written anywhere.
//!
//! Which files are read is decided by their names: keys and credentials wherever they are, other
//! text only where it is an app's own. Placeholders and what a template puts in are none.

use std::collections::BTreeSet;
use std::io::Read as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::bounded::Bounded;
use super::collector::hexadecimal;
use super::credentials::{Format, apart, credentials, file_of, format};
use super::entry::Attributes;
use super::escape::escape;
use super::evidence::{Gap, List, Part};
use super::layered::{Layered, Lost};
use super::names::{Place, is_dependency};
use super::spool::Content;
use super::threads;
use super::tokens;
use super::tree::Tree;
use super::walk::Seen;

/// The most files that are read, how much of each, and the bytes of their paths.
const MAX_FILES: usize = 20_000;
const MAX_FILE: u64 = 1 << 20;
const MAX_NAMES: usize = 16 << 20;
/// How much is read of a file that is called like one of keys or credentials.
const MAX_NAMED: u64 = 16 << 20;
/// How much is read in all: files of many names are read by each of them.
const MAX_TOTAL: u64 = 2 << 30;
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
    "asc",
    "jsx",
    "tsx",
    "mts",
    "cts",
    "vue",
    "go",
    "java",
    "kt",
    "cs",
    "rs",
    "lua",
    "pl",
    "ps1",
    "sql",
    "md",
    "html",
    "ipynb",
    "hcl",
    "gradle",
    "service",
    "log",
];

/// Names of keys of SSH.
const KEYS: [&str; 6] =
    ["id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];
/// What is put behind the name of a file that is kept.
const COPIES: [&str; 5] = [".bak", ".old", ".orig", ".backup", "~"];

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

impl Reading {
    /// How much of a file is read.
    const fn most(self) -> u64 {
        match self {
            Self::Text => MAX_FILE,
            Self::Keys | Self::Credentials(_) => MAX_NAMED,
        }
    }
}

#[derive(Debug)]
struct Text {
    layer: usize,
    size: u64,
    attributes: Attributes,
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

    /// About how many bytes of memory it takes.
    pub(crate) fn weight(&self) -> usize {
        self.named.weight() + self.others.weight()
    }

    /// Notes a regular file if it may hold secrets.
    pub(crate) fn note_file(&mut self, seen: &Seen<'_>, place: Place) {
        let size = u64::try_from(seen.stat.st_size).unwrap_or(0);
        let own = seen.layer > 0 && !place.dependency || self.whole && !place.system;
        let Some(reading) = reading(seen.folder, seen.name, size, own && !place.dependency) else {
            return;
        };
        if size > 0 {
            let text = Text { layer: seen.layer, size, attributes: seen.stat.into(), reading };
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
        let mut left = MAX_TOTAL;
        let affordable = files.iter().take_while(|(_, text)| {
            let rest = left.checked_sub(text.size.min(text.reading.most()));
            left = rest.unwrap_or(0);
            rest.is_some()
        });
        let affordable = affordable.count();
        for reading in files[affordable..].iter().map(|(_, text)| text.reading) {
            let part = if reading == Reading::Text { Part::Texts } else { Part::Secrets };
            gaps.gap(b"/", part, &format!("there is more than {} GiB of text", MAX_TOTAL >> 30));
        }
        let files = &files[..affordable];
        let answers = threads::map(files, |(path, text)| find(tree, path, text));
        let mut list = Bounded::default();
        for ((path, text), answer) in files.iter().zip(answers) {
            match answer.unwrap_or_else(|| Err("the search failed".to_owned())) {
                Ok(sights) => {
                    for (index, sight) in sights.into_iter().enumerate() {
                        let key = [path.as_slice(), b"\0", &[u8::try_from(index).unwrap_or(0)]];
                        let of = (path.as_slice(), text.layer, text.attributes);
                        list.add_with(key.concat(), || sight.trace(of));
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

fn find(tree: &Tree, path: &[u8], text: &Text) -> Result<Vec<Sight>, String> {
    let file = tree.open_file(text.layer, path).map_err(|error| error.to_string())?;
    sights(file, text.reading)
}

/// What one place of a file gives away; whose path it is comes to it when it is told.
#[derive(Debug)]
struct Sight {
    rule: Rule,
    what: &'static str,
    line: u64,
    digest: String,
}

impl Sight {
    fn trace(self, (path, layer, attributes): (&[u8], usize, Attributes)) -> SecretTrace {
        SecretTrace {
            path: escape(path),
            layer,
            attributes,
            lost: None,
            dependency: is_dependency(path),
            rule: self.rule,
            what: self.what.to_owned(),
            line: self.line,
            digest: self.digest,
        }
    }
}

/// Everything that one file gives away.
fn sights(file: Content, reading: Reading) -> Result<Vec<Sight>, String> {
    let mut content = Vec::new();
    let most = reading.most();
    file.take(most + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    // Something of another kind that has such a name is as large as it likes.
    if content.len() as u64 > most && reading != Reading::Text && !content.contains(&0) {
        return Err(format!("it is larger than {most} bytes"));
    }
    let content = plain(content);
    let mut found = tokens::keys(&content);
    match reading {
        Reading::Keys => {}
        Reading::Credentials(format) => {
            found.extend(credentials(&content, format));
            found.sort_by_key(|sighting| sighting.start);
            let tokens = apart(&found, tokens::tokens(&content));
            found.extend(
                tokens.into_iter().map(|token| Sighting { rule: Rule::Credential, ..token }),
            );
        }
        Reading::Text => found.extend(tokens::tokens(&content)),
    }
    found.sort_by_key(|sighting| sighting.start);
    let sight = |sighting: &Sighting| Sight {
        rule: sighting.rule,
        what: sighting.what,
        line: 1 + memchr::memchr_iter(b'\n', &content[..sighting.start]).count() as u64,
        digest: digest(&content[sighting.start..sighting.end]),
    };
    Ok(found.iter().take(MAX_SECRETS).map(sight).collect())
}

/// What is written in UTF-16, as by Windows, in UTF-8; anything else as it is, without its mark.
fn plain(content: Vec<u8>) -> Vec<u8> {
    let pair: fn([u8; 2]) -> u16 = match content.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        [0xef, 0xbb, 0xbf, rest @ ..] => return rest.to_vec(),
        _ => return content,
    };
    let (pairs, _) = content[2..].as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|bytes| pair(*bytes)).collect();
    String::from_utf16_lossy(&units).into_bytes()
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
    // By checksums of their paths: there may be many, and long ones.
    let key = |path: &str, digest: &str| (Sha256::digest(path), digest.to_owned());
    let known = found.iter().map(|trace| key(&trace.path, &trace.digest));
    let mut known: BTreeSet<_> = known.collect();
    let mut more = false;
    for (one, answer) in lost.iter().zip(answers) {
        match answer.unwrap_or_else(|| Err("the search failed".to_owned())) {
            Ok(sights) => {
                let path = escape(&one.path);
                let is_new = |sight: &Sight| !known.contains(&key(&path, &sight.digest));
                let new: Vec<Sight> = sights.into_iter().filter(is_new).collect();
                for sight in new {
                    known.insert(key(&path, &sight.digest));
                    count += 1;
                    more |= found.len() >= MAX_TRACES;
                    // As many as any list has.
                    if !more {
                        found.push(lost_trace(image, one, sight));
                    }
                }
            }
            Err(reason) => gaps.gap(&one.path, Part::Secrets, &reason),
        }
    }
    List { truncated: truncated || more, items: found, total: count }
}

fn lost_trace(image: &Layered, one: &Lost, sight: Sight) -> SecretTrace {
    let trace = sight.trace((&one.path, image.layer_of(one), image.attributes_of(one)));
    let (layer, of, by) = (one.layer + 1, image.begun(), one.by + 1);
    SecretTrace { lost: Some(Buried { layer, of, by, deleted: one.is_deleted }), ..trace }
}

fn find_lost(image: &Layered, one: &Lost) -> Result<Vec<Sight>, String> {
    let place = Place::of(folder_of(&one.path).0);
    let own = !place.dependency && !place.system;
    let (folder, name) = folder_of(&one.path);
    let Some(reading) = reading(folder, name, 1, own) else { return Ok(Vec::new()) };
    let file = image.open_lost(one).map_err(|error| error.to_string())?;
    sights(file, reading)
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
    // Some come from file systems that know no difference, or write names in another encoding.
    let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
    let text = lower.as_str();
    // Most names begin otherwise.
    let format = match text.as_bytes().first() {
        Some(b'.' | b'_' | b'c' | b'k' | b'n' | b'p') => format(folder, text),
        _ => None,
    };
    if let Some(format) = format.or_else(|| file_of(text).filter(|_| own)) {
        return Some(Reading::Credentials(format));
    }
    // `server.key.bak` is one, too.
    let kept = COPIES.iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text);
    let suffix = |name: &str| Some(name.get(1..)?.rsplit_once('.')?.1.to_owned());
    if matches!(suffix(kept).as_deref(), Some("pem" | "key" | "p8" | "pk8" | "ppk" | "ovpn"))
        || KEYS.contains(&kept)
    {
        return Some(Reading::Keys);
    }
    let is_text = match suffix(kept) {
        Some(suffix) => TEXT.contains(&suffix.as_str()) && size <= MAX_FILE,
        None => size <= MAX_PLAIN,
    };
    (own && is_text).then_some(Reading::Text)
}

/// Whether a path is called like a file of keys or credentials.
pub(crate) fn is_kept_in(path: &[u8]) -> bool {
    let (folder, name) = folder_of(path);
    reading(folder, name, 1, false).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_files_of_credentials_by_name_and_folder() {
        for (path, expected) in [
            ("/root/.npmrc", true),
            ("/etc/npmrc", true),
            ("/root/_netrc", true),
            ("/etc/pip.conf", true),
            ("/app/.git/config", true),
            ("/app/config", false),
            ("/root/.docker/config.json", true),
            ("/app/config.json", false),
            ("/root/.aws/credentials", true),
            ("/root/.kube/config", true),
            ("/etc/kubeconfig", true),
            ("/app/.env", true),
            ("/app/id_rsa", true),
            ("/app/tls.key", true),
            ("/app/tls.txt", false),
        ] {
            assert_eq!(is_kept_in(path.as_bytes()), expected, "{path}");
        }
    }
}
