//! What the items of `test` hold: ports and paths, exit codes, statuses, patterns.

use crate::diagnostic::{Diagnostic, Text};
use crate::start::pattern::Pattern;
use crate::words::quoted;

use super::invalid;
use super::numbers::port_number;

/// A build is to end: nothing is waited for longer.
pub const LONGEST: u64 = 600_000_000_000;

/// `8080` or `8080/healthz`, as a port and a path.
pub fn http(text: &Text) -> Result<(u16, String), Diagnostic> {
    let written = text.value.as_str();
    let (number, path) = match written.split_once('/') {
        Some((number, path)) => (number, format!("/{path}")),
        None => (written, "/".to_owned()),
    };
    if let Some(port) = port_number(number).filter(|_| is_path(&path)) {
        return Ok((port, path));
    }
    let message = format!("{} is not a port and a path", quoted(written));
    let behind = written.split_once("://").map(|(_, rest)| rest);
    let address = behind.and_then(|rest| rest.split_once(':')).map(|(_, rest)| rest);
    let help = match address {
        Some(address) => format!("write `{address}`: the app is asked where it runs, without TLS"),
        None => "write the port that the app listens on, and a path: `8080/healthz`".to_owned(),
    };
    Err(invalid(text, message, help))
}

/// A path of HTTP.
pub fn http_path(text: &Text) -> Result<(), Diagnostic> {
    if is_path(&text.value) {
        return Ok(());
    }
    let message = format!("{} is not a path", quoted(&text.value));
    Err(invalid(text, message, "write a path from the root, such as `/healthz`"))
}

/// It becomes a line of a request: nothing in it may end that line.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= 2_000 && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A port of TCP, alone.
pub fn port(text: &Text) -> Result<u16, Diagnostic> {
    let written = text.value.as_str();
    if let Some(port) = port_number(written) {
        return Ok(port);
    }
    let help = match written.split_once('/') {
        Some((_, "udp" | "sctp")) => "only TCP can be tried: wait for a line of the `log` instead",
        Some((_, "tcp")) => "write the number alone",
        _ => "write the number of a port that the app listens on, such as `8080`",
    };
    Err(invalid(text, format!("{} is not a port that can be tried", quoted(written)), help))
}

/// An exit code.
pub fn exit(text: &Text) -> Result<u8, Diagnostic> {
    let written = text.value.as_str();
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    written.parse().ok().filter(|_| digits).ok_or_else(|| {
        let message = format!("{} is not an exit code", quoted(written));
        invalid(text, message, "write a number from 0 to 255")
    })
}

/// A status of HTTP.
pub fn status(text: &Text) -> Result<u16, Diagnostic> {
    let written = text.value.as_str();
    let status = written.parse().ok().filter(|status| (100..600).contains(status));
    status.filter(|_| written.len() == 3).ok_or_else(|| {
        let message = format!("{} is not a status of HTTP", quoted(written));
        invalid(text, message, "write three digits, such as `204`")
    })
}

/// Text, or a pattern between slashes.
pub fn found(text: &Text) -> Result<(), Diagnostic> {
    let written = text.value.as_str();
    if written.is_empty() {
        let help = "write the text that must be there, or leave it out";
        return Err(invalid(text, "the empty text is found everywhere", help));
    }
    Pattern::read(written).map(drop).map_err(|problem| {
        let message = format!("{} is not a pattern: {problem}", quoted(written));
        let help = "between slashes stands a regular expression, such as `/^v2[0-9]/`; text without them is \
                    looked for as it is";
        invalid(text, message, help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn text(written: &str) -> Text {
        Text::new(written.to_owned(), Span::START)
    }

    #[test]
    fn a_port_and_a_path() {
        for (written, value) in [
            ("8080", Some((8080, "/"))),
            ("8080/", Some((8080, "/"))),
            ("8080/a?b=c", Some((8080, "/a?b=c"))),
            ("0/a", None),
            ("65536", None),
            ("8080/a b", None),
            ("8080/a\r\nX: y", None),
            ("/healthz", None),
            ("localhost:8080/a", None),
        ] {
            let value = value.map(|(port, path)| (port, path.to_owned()));
            assert_eq!(http(&text(written)).ok(), value, "{written}");
        }
        let help = http(&text("http://localhost:8080/a")).unwrap_err().help.unwrap();
        assert!(help.starts_with("write `8080/a`"), "{help}");
        assert!(port(&text("53/udp")).unwrap_err().help.unwrap().contains("`log`"));
        assert_eq!(port(&text("53")).ok(), Some(53));
    }

    #[test]
    fn codes_and_statuses() {
        assert_eq!(exit(&text("255")).ok(), Some(255));
        for wrong in ["256", "-1", "+1", "", "x"] {
            assert!(exit(&text(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(status(&text("204")).ok(), Some(204));
        for wrong in ["99", "600", "0204", "2xx", "+20"] {
            assert!(status(&text(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patterns_are_read_before_anything_is_built() {
        assert!(found(&text("(")).is_ok(), "text");
        assert!(found(&text("/^v[0-9]+/")).is_ok());
        let mistake = found(&text("/(/")).unwrap_err();
        assert!(mistake.message.starts_with("`/(/` is not a pattern: "), "{}", mistake.message);
        assert!(found(&text("")).is_err());
    }
}
