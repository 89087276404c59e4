//! What an image runs as and on: users, groups, signals, platforms.

use crate::diagnostic::{Code, Diagnostic, Text};

use super::invalid;
use crate::start::signal::NAMES;
use crate::words::{nearest, quoted};

/// The architectures that BuildKit knows.
const ARCHITECTURES: &[&str] = &[
    "amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64", "mips64", "mips64le",
];

/// Other names of architectures.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("x86_64", "amd64"),
    ("x86-64", "amd64"),
    ("x64", "amd64"),
    ("aarch64", "arm64"),
    ("arm64v8", "arm64"),
    ("armhf", "arm/v7"),
    ("armv7", "arm/v7"),
    ("i386", "386"),
];

/// The user of an image: `NAME`, `UID`, each with an optional `:GROUP`; never root.
pub fn user(text: &Text) -> Result<(), Diagnostic> {
    let written = text.value.as_str();
    let (user, group) = match written.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (written, None),
    };
    if user == "root" || (!user.is_empty() && user.bytes().all(|byte| byte == b'0')) {
        let message = format!("{} as the user: an image never runs as root", quoted(written));
        return Err(Diagnostic::error(Code::RootUser, text.span, message).help(
            "leave `user` out to take the runtime image's own user; paths that the app must write stand in `writable`",
        ));
    }
    if is_identity(user) && group.is_none_or(is_identity) {
        return Ok(());
    }
    Err(invalid(
        text,
        format!("{} is not a user", quoted(written)),
        "write a name or a number, with a group behind a colon if it needs one: `node`, `65532` or `65532:0`",
    ))
}

/// A group as a number.
pub fn group(text: &Text) -> Result<(), Diagnostic> {
    if is_id(&text.value) {
        return Ok(());
    }
    let help = "write its number, such as `0`; the runtime user's group is taken without it";
    Err(invalid(text, format!("{} is not the number of a group", quoted(&text.value)), help))
}

/// A name of passwd or group, or a number that the kernel takes.
fn is_identity(text: &str) -> bool {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return is_id(text);
    }
    let rest = text.strip_suffix('$').unwrap_or(text);
    text.len() <= 256
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && rest
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "._-".contains(character))
}

/// 4294967295 means "no change" to the kernel and is nobody's number.
fn is_id(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.parse::<u32>().is_ok_and(|id| id != u32::MAX)
}

/// A stop signal: `SIGTERM`, `SIGRTMIN+3` or a number.
pub fn signal(text: &Text) -> Result<(), Diagnostic> {
    let written = text.value.as_str();
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    if digits && written.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number)) {
        return Ok(());
    }
    let real_time = |prefix: &str, sign: char| {
        let rest = written.strip_prefix(prefix)?;
        let offset = rest.strip_prefix(sign).unwrap_or("-");
        Some(rest.is_empty() || offset.parse::<u8>().is_ok_and(|offset| (1..=30).contains(&offset)))
    };
    if NAMES.iter().any(|(name, _)| *name == written)
        || real_time("SIGRTMIN", '+') == Some(true)
        || real_time("SIGRTMAX", '-') == Some(true)
    {
        return Ok(());
    }
    let upper = written.to_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    let help = match nearest(&full, NAMES.iter().map(|(name, _)| *name)) {
        Some(signal) => format!("write `{signal}`"),
        None => "write a signal such as `SIGTERM` or `SIGINT`, or its number".to_owned(),
    };
    Err(invalid(text, format!("{} is not a signal", quoted(written)), help))
}

/// A platform: `linux/amd64`, `linux/arm/v7`.
pub fn platform(text: &Text) -> Result<(), Diagnostic> {
    let written = text.value.as_str();
    let message = format!("{} is not a platform that can be built", quoted(written));
    let parts: Vec<&str> = written.split('/').collect();
    let known = |architecture: &str| ARCHITECTURES.contains(&architecture);
    let variant = |variant: &str| {
        !variant.is_empty()
            && variant.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let architecture = match parts.as_slice() {
        ["linux", architecture] if known(architecture) => return Ok(()),
        ["linux", architecture, version] if known(architecture) && variant(version) => {
            return Ok(());
        }
        ["linux", architecture] | [architecture] => architecture.to_lowercase(),
        _ => return Err(invalid(text, message, "write `linux/amd64` or `linux/arm64`")),
    };
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == architecture).map(|(_, right)| *right);
    let help = match other.or_else(|| nearest(&architecture, ARCHITECTURES.iter().copied())) {
        Some(right) => format!("write `linux/{right}`"),
        None => "write `linux/amd64` or `linux/arm64`".to_owned(),
    };
    Err(invalid(text, message, help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn text(value: &str) -> Text {
        Text::new(value.to_owned(), Span::START)
    }

    #[test]
    fn root_cannot_be_written() {
        for written in ["root", "0", "00", "0:0", "0:1000", "root:node", "000000"] {
            assert_eq!(user(&text(written)).unwrap_err().code, Code::RootUser, "{written}");
        }
        for written in
            ["node", "1000", "1000:0", "65532:65532", "node:root", "_apt", "4294967294", "svc$"]
        {
            assert_eq!(user(&text(written)), Ok(()), "{written}");
        }
        for written in [
            "",
            ":",
            "1000:",
            ":0",
            "a:b:c",
            "+0",
            "-1",
            "0x0",
            "4294967295",
            "a b",
            "99999999999",
            "a/b",
        ] {
            assert_eq!(user(&text(written)).unwrap_err().code, Code::InvalidValue, "{written}");
        }
    }

    #[test]
    fn groups_are_numbers() {
        for (written, fine) in [
            ("0", true),
            ("65532", true),
            ("root", false),
            ("", false),
            ("-1", false),
            ("4294967295", false),
        ] {
            assert_eq!(group(&text(written)).is_ok(), fine, "{written}");
        }
    }

    #[test]
    fn signals_have_their_full_name() {
        for (written, fine) in [
            ("SIGTERM", true),
            ("SIGRTMIN", true),
            ("SIGRTMIN+3", true),
            ("SIGRTMAX-1", true),
            ("9", true),
            ("TERM", false),
            ("sigterm", false),
            ("0", false),
            ("65", false),
            ("SIGRTMIN+", false),
            ("SIGRTMIN3", false),
            ("SIGFOO", false),
            ("", false),
        ] {
            assert_eq!(signal(&text(written)).is_ok(), fine, "{written}");
        }
        assert_eq!(signal(&text("term")).unwrap_err().help.as_deref(), Some("write `SIGTERM`"));
    }

    #[test]
    fn platforms_are_those_of_linux() {
        for (written, help) in [
            ("linux/amd64", None),
            ("linux/arm/v7", None),
            ("amd64", Some("write `linux/amd64`")),
            ("linux/x86_64", Some("write `linux/amd64`")),
            ("aarch64", Some("write `linux/arm64`")),
            ("linux/amr64", Some("write `linux/arm64`")),
            ("windows/amd64", Some("write `linux/amd64` or `linux/arm64`")),
            ("", Some("write `linux/amd64` or `linux/arm64`")),
            ("linux/", Some("write `linux/amd64` or `linux/arm64`")),
            ("linux/arm/", Some("write `linux/amd64` or `linux/arm64`")),
        ] {
            let problem = platform(&text(written)).err();
            assert_eq!(problem.and_then(|problem| problem.help).as_deref(), help, "{written}");
        }
    }
}
