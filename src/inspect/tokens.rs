//! The forms that private keys and tokens have, and values that only stand for one.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::secrets::{Rule, Sighting};

/// The most of a text behind the head of a key in which its content must begin.
const KEY_BODY: usize = 4 << 10;
/// A key has at least this much content.
const MIN_BODY: usize = 40;
/// A token of fewer different characters is an example.
const MIN_VARIETY: usize = 8;

/// A form of tokens: how it starts, how many characters follow, and what it is.
struct Form {
    prefix: &'static str,
    least: usize,
    most: usize,
    upper_only: bool,
    what: &'static str,
}

const fn form(prefix: &'static str, least: usize, most: usize, what: &'static str) -> Form {
    Form { prefix, least, most, upper_only: false, what }
}

const FORMS: [Form; 20] = [
    Form { upper_only: true, ..form("AKIA", 16, 16, "an access key of AWS") },
    Form { upper_only: true, ..form("ASIA", 16, 16, "an access key of AWS") },
    form("ghp_", 36, 36, "a token of GitHub"),
    form("gho_", 36, 36, "a token of GitHub"),
    form("ghu_", 36, 36, "a token of GitHub"),
    form("ghs_", 36, 36, "a token of GitHub"),
    form("ghr_", 36, 255, "a token of GitHub"),
    form("github_pat_", 50, 255, "a token of GitHub"),
    form("npm_", 36, 36, "a token of npm"),
    form("xoxb-", 20, 255, "a token of Slack"),
    form("xoxp-", 20, 255, "a token of Slack"),
    form("xoxa-", 20, 255, "a token of Slack"),
    form("xoxs-", 20, 255, "a token of Slack"),
    form("xoxr-", 20, 255, "a token of Slack"),
    form("xoxe-", 20, 255, "a token of Slack"),
    form("sk_live_", 20, 255, "a key of Stripe"),
    form("rk_live_", 20, 255, "a key of Stripe"),
    form("glpat-", 20, 255, "a token of GitLab"),
    form("dckr_pat_", 20, 255, "a token of Docker Hub"),
    form("eyJ", 40, 4_096, "a JSON Web Token"),
];

static PREFIXES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(FORMS.iter().map(|form| form.prefix)).ok());

/// Private keys in a text.
pub(crate) fn keys(content: &[u8]) -> Vec<Sighting> {
    let mut found = blocks(content);
    found.extend(packed_keys(content));
    if content.starts_with(b"PuTTY-User-Key-File-") {
        let end = content.len().min(KEY_BODY);
        found.push(Sighting { rule: Rule::PrivateKey, what: "a private key", start: 0, end });
    }
    found
}

/// Private keys between two lines, each with content and not only its first line.
fn blocks(content: &[u8]) -> Vec<Sighting> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut found = Vec::new();
    for start in memchr::memmem::find_iter(content, BEGIN) {
        let rest = &content[start + BEGIN.len()..];
        let head = &rest[..rest.len().min(64)];
        let Some(end) = memchr::memmem::find(head, b"-----") else { continue };
        let kind = &head[..end];
        if !kind.ends_with(b"PRIVATE KEY") && kind != b"PGP PRIVATE KEY BLOCK" {
            continue;
        }
        let body = &rest[end + 5..];
        let body = &body[..body.len().min(KEY_BODY)];
        let length = body_length(body);
        if length >= MIN_BODY {
            let end = start + BEGIN.len() + end + 5 + body.len();
            found.push(Sighting { rule: Rule::PrivateKey, what: "a private key", start, end });
        }
    }
    found
}

/// Keys whose whole text is in base64 once more, as in a Secret of Kubernetes.
fn packed_keys(content: &[u8]) -> impl Iterator<Item = Sighting> + '_ {
    const BEGIN: &[u8] = b"LS0tLS1CRUdJTi"; // `-----BEGIN`
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    // Only where base64 begins: so all of it is read once, however often it says `BEGIN`.
    let is_first = move |start: &usize| !content[..*start].last().is_some_and(is_base64);
    memchr::memmem::find_iter(content, BEGIN).filter(is_first).filter_map(move |start| {
        let rest = &content[start..];
        let length = rest.iter().take(KEY_BODY).take_while(|byte| is_base64(byte)).count() / 4 * 4;
        let text = STANDARD.decode(&rest[..length]).ok()?;
        let key = blocks(&text).into_iter().next()?;
        Some(Sighting { start, end: start + length, ..key })
    })
}

/// How many characters of base64 follow, line ends and headers of old formats aside.
fn body_length(body: &[u8]) -> usize {
    let end = memchr::memmem::find(body, b"-----").unwrap_or(body.len());
    // Line ends as source code and JSON write them, however often they are escaped.
    let text = String::from_utf8_lossy(&body[..end]);
    let text = text.replace("\\n", "\n").replace("\\r", "\n").replace('\r', "\n");
    let text = text.replace('\\', "").replace("b\"", "\""); // a text of bytes in Python
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let lines = text.lines().map(|line| line.trim().trim_matches(['"', '\'', '+', ',']).trim());
    // With its middle left out it is an example.
    if lines.clone().any(|line| line.starts_with(['.', '…'])) {
        return 0;
    }
    // A key on one line has blanks where the line ends were.
    let is_key = |line: &&str| {
        let mut words = line.split(' ');
        line.chars().all(is_base64)
            || words.clone().next().is_some_and(|first| first.len() >= MIN_BODY)
                && words.all(|word| word.chars().all(is_base64))
    };
    lines.filter(is_key).map(str::len).sum()
}

/// Tokens in a text.
pub(crate) fn tokens(content: &[u8]) -> Vec<Sighting> {
    let Some(prefixes) = PREFIXES.as_ref() else { return Vec::new() };
    let mut found: Vec<Sighting> = Vec::new();
    // Where what a form takes ends, which is the same for all places before it.
    let mut ends = [0; FORMS.len()];
    for hit in prefixes.find_iter(content) {
        let index = hit.pattern().as_usize();
        let (Some(form), Some(known)) = (FORMS.get(index), ends.get_mut(index)) else { continue };
        let start = hit.start();
        let before = start.checked_sub(1).and_then(|place| content.get(place));
        let joined =
            before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        // As a line end in JSON: `…\nghp_…`.
        let escapes: [&[u8]; 3] = [b"\\n", b"\\r", b"\\t"];
        let is_escape = escapes.iter().any(|escape| content[..start].ends_with(escape));
        if joined && !is_escape {
            continue;
        }
        if *known < hit.end() {
            let rest = &content[hit.end()..];
            *known = hit.end() + rest.iter().take_while(|byte| form.takes(**byte)).count();
        }
        let end = *known;
        let length = end - hit.end();
        if length < form.least || length > form.most {
            continue;
        }
        let token = &content[start..end];
        if form.is_whole(token) && is_varied(&content[hit.end()..end]) && !is_example(token) {
            found.push(Sighting { rule: Rule::Token, what: form.what, start, end });
        }
    }
    found
}

impl Form {
    fn takes(&self, byte: u8) -> bool {
        if self.upper_only {
            return byte.is_ascii_uppercase() || byte.is_ascii_digit();
        }
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-')
            || self.prefix == "eyJ" && byte == b'.'
    }

    /// A JSON Web Token has three parts, and the second one is JSON, too.
    fn is_whole(&self, token: &[u8]) -> bool {
        if self.prefix != "eyJ" {
            return true;
        }
        // Of more parts than three it does not matter how many there are.
        let parts: Vec<_> = token.splitn(4, |byte| *byte == b'.').collect();
        matches!(parts.as_slice(), [head, body, signature]
            if head.len() > 10 && body.starts_with(b"eyJ") && body.len() > 10 && signature.len() > 10)
    }
}

fn is_varied(token: &[u8]) -> bool {
    let mut seen = token.to_vec();
    seen.sort_unstable();
    seen.dedup();
    seen.len() >= MIN_VARIETY
}

fn is_example(token: &[u8]) -> bool {
    memchr::memmem::find(&token.to_ascii_lowercase(), b"example").is_some()
}

/// Whether a name of a variable is that of a secret, as BuildKit's own check decides it.
pub fn is_secret_name(name: &str) -> bool {
    const SECRET: [&str; 10] = [
        "apikey",
        "auth",
        "credential",
        "credentials",
        "key",
        "password",
        "pword",
        "passwd",
        "secret",
        "token",
    ];
    const PUBLIC: [&str; 3] = ["public", "file", "version"];
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| name.split('_').any(|part| words.contains(&part));
    has(&SECRET) && !has(&PUBLIC)
}

/// Whether a name and its value look like a secret. A place where one can be read is none.
pub fn is_secret(name: &str, value: &str) -> bool {
    let is_place = value.starts_with('/') || value.contains("://") && !value.contains('@');
    is_secret_name(name) && !is_place && !is_placeholder(value) && !is_fingerprint(name, value)
}

/// Whether a value gives something away whatever it is called: a key, a token, a password in a URL.
pub fn tells(value: &str) -> bool {
    let (text, password) = (value.as_bytes(), url_password(value));
    !keys(text).is_empty()
        || !tokens(text).is_empty()
        || password.is_some_and(|password| !is_placeholder(password))
}

/// `p` of `https://u:p@host`, of the first address in a text that has one.
pub(crate) fn url_password(text: &str) -> Option<&str> {
    let addresses = text.match_indices("://").map(|(place, marker)| &text[place + marker.len()..]);
    addresses.filter_map(password_of).find(|password| !is_placeholder(password))
}

fn password_of(address: &str) -> Option<&str> {
    let blank =
        |c: char| matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>') || c.is_whitespace();
    let (login, _) = address.split(blank).next()?.rsplit_once('@')?;
    login.split_once(':').map(|(_, password)| password)
}

/// A key that packages are verified with is named by its checksum, which is public.
fn is_fingerprint(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let digits = value.trim_start_matches("0x").bytes();
    name.split('_').any(|part| matches!(part, "gpg" | "pgp"))
        && digits.clone().count() >= 8
        && digits.clone().all(|byte| byte.is_ascii_hexdigit() || byte == b' ')
}

/// Whether a value only stands for a secret.
pub fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 12] = [
        "changeme",
        "change-me",
        "change_me",
        "example",
        "placeholder",
        "your-",
        "your_",
        "dummy",
        "redacted",
        "xxxx",
        "****",
        "todo",
    ];
    const WHOLE: [&str; 10] =
        ["", "password", "secret", "none", "null", "true", "false", "test", "undefined", "token"];
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    value.starts_with(['$', '<', '%', '{', '('])
        || WHOLE.contains(&lower.as_str())
        || WORDS.iter().any(|word| lower.contains(word))
        || lower.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_keys_with_content() {
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";
        let pem = |kind: &str, body: &str| {
            format!("x\n-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
        };
        let json =
            format!("\"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\\n\"");
        let cases = [
            (pem("PRIVATE KEY", body), 1),
            (pem("RSA PRIVATE KEY", body), 1),
            (pem("OPENSSH PRIVATE KEY", body), 1),
            (json, 1),
            (pem("RSA PRIVATE KEY", &format!("Proc-Type: 4,ENCRYPTED\n\n{body}")), 1),
            (pem("EC PRIVATE KEY", body).replace('\n', "\\r\\n"), 1),
            (pem("EC PRIVATE KEY", body).replace('\n', "\\\\n"), 1),
            (pem("EC PRIVATE KEY", &format!("{body} {body} Qx=")).replace('\n', " "), 1),
            (format!("x = '-----BEGIN PRIVATE KEY-----\\n' +\n  '{body}\\n' +\n"), 1),
            (STANDARD.encode(pem("PRIVATE KEY", body).trim_start_matches("x\n")), 1),
            (STANDARD.encode(pem("CERTIFICATE", body).trim_start_matches("x\n")), 0),
            (format!("b\"-----BEGIN PRIVATE KEY-----\\n\"\nb\"{body}\\n\""), 1),
            (pem("RSA PRIVATE KEY", &format!("{body}\n.")).replace('\n', "\\\\n"), 0),
            ("-----BEGIN PRIVATE KEY----- and then the text of your own key".to_owned(), 0),
            (pem("CERTIFICATE", body), 0),
            (pem("PUBLIC KEY", body), 0),
            (pem("PRIVATE KEY", "..."), 0),
            ("if (text.includes('-----BEGIN PRIVATE KEY-----')) {".to_owned(), 0),
        ];
        for (text, expected) in cases {
            assert_eq!(keys(text.as_bytes()).len(), expected, "{text}");
        }
    }

    #[test]
    fn finds_tokens_of_their_forms() {
        // Put together here, so that nobody's scanner takes this file for a leak.
        let random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let cases = [
            (format!("key = \"AKIA{}\"", "QWERTYUIOP123456"), 1),
            (format!("key = \"AKIA{}\"", "IOSFODNN7EXAMPLE"), 0),
            (format!("ghp_{random}"), 1),
            (format!("ghp_{}", "x".repeat(36)), 0),
            (format!("my_ghp_{random}"), 0),
            (format!("{{\"script\": \"x\\nghp_{random}\"}}"), 1),
            (format!("xoxs-{random}"), 1),
            (format!("npm_{random}"), 1),
            ("npm_config_registry".to_owned(), 0),
            (format!("glpat-{}", &random[..20]), 1),
            (format!("eyJ{random}.eyJ{random}.{random}"), 1),
            (format!("eyJ{random}.{random}.{random}"), 0),
        ];
        for (text, expected) in cases {
            assert_eq!(tokens(text.as_bytes()).len(), expected, "{text}");
        }
    }

    #[test]
    fn knows_what_gives_something_away_by_any_name() {
        let random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        for (value, expected) in [
            ("postgres://app:hunter2@db/app", true),
            ("https://h.example https://u:hunter2@i.example/simple", true),
            ("postgres://app:${PASSWORD}@db/app", false),
            ("postgres://app:password@db/app", false),
            ("https://h.example/a:b@c", false),
            ("git@github.com:acme/shop", false),
            (&format!("https://ghp_{random}@github.com/acme/shop"), true),
            ("hunter2", false),
        ] {
            assert_eq!(tells(value), expected, "{value}");
        }
        let fingerprint = "A035C8C19219BA821ECEA86B64E628F8D684696D";
        assert!(!is_secret("GPG_KEY", fingerprint) && !is_secret("X_PGP_KEY_ID", "0x0A9AF211"));
        assert!(is_secret("API_KEY", fingerprint) && is_secret("GPG_KEY", "hunter2"));
    }

    #[test]
    fn knows_names_of_secrets() {
        for (name, expected) in [
            ("DB_PASSWORD", true),
            ("API_KEY", true),
            ("token", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("PUBLIC_KEY", false),
            ("SSL_KEY_FILE", false),
            ("KEYBOARD", false),
            ("TOKENIZER", false),
        ] {
            assert_eq!(is_secret_name(name), expected, "{name}");
        }
    }
}
