//! Addresses as they are shown: in messages, in the builder's progress, in what the builder says.
//!
//! What stands before an `@` may be a password or a token, and so may what stands behind a `?`.
//! Neither is ever shown; the user of ssh, which everybody knows to be `git`, is. Everything that
//! prints an address takes it from here.

/// Names in the form of an address, whose `@` belongs to a digest.
const NO_ADDRESSES: [&str; 2] = ["docker-image", "oci-layout"];
/// What ends an address within a text.
const ENDS: [char; 6] = ['"', '\'', '`', '<', '>', '|'];

/// An address as it is shown: without user, password, token or query.
#[must_use]
pub fn shown(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        let is_github = address.starts_with("github.com/");
        let place =
            if is_github || address.contains('@') { plain(address) } else { address.into() };
        return match place.split_once('@') {
            Some((user, host)) if user.contains(':') && !host.starts_with("sha") => host.to_owned(),
            _ => place,
        };
    };
    if NO_ADDRESSES.contains(&scheme) {
        return address.to_owned();
    }
    let (user, place) = authority(rest);
    let user = user.filter(|user| is_known(scheme, user));
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    format!("{scheme}://{user}{}", plain(place))
}

/// A text of others with every address in it as it is shown.
#[must_use]
pub fn shown_in(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, from) = rest.split_at(scheme_before(rest, at));
        let (address, after) = from.split_at(end(from));
        result.push_str(before);
        result.push_str(&shown(address));
        rest = after;
    }
    result + rest
}

/// The same where it is known which address the text is about: its characters may be any.
#[must_use]
pub fn shown_about(text: &str, address: &str) -> String {
    if address.is_empty() {
        shown_in(text)
    } else {
        shown_in(&text.replace(address, &shown(address)))
    }
}

/// Whether an address holds what nobody else should read. A user of ssh is none of that.
#[must_use]
pub fn holds_credentials(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    authority(rest).0.is_some_and(|user| !is_known(scheme, user))
}

/// What stands before the host, and the host with all behind it.
fn authority(rest: &str) -> (Option<&str>, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
    let port = host.rsplit(']').next().and_then(|host| host.split_once(':'));
    // A password may hold a slash that should have been written as `%2F`: then no port follows.
    let is_broken = port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()));
    let at = if is_broken { rest.rfind('@') } else { rest[..end].rfind('@') };
    match at {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    }
}

/// Whether a user is no secret.
fn is_known(scheme: &str, user: &str) -> bool {
    let is_name = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    scheme.eq_ignore_ascii_case("ssh") && is_name
}

/// `HOST/PATH#REFERENCE:FOLDER` without the query, wherever it was written.
fn plain(place: &str) -> String {
    let (place, fragment) = place.split_once('#').unwrap_or((place, ""));
    let before = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
    match before(fragment) {
        fragment if fragment.is_empty() => before(place),
        fragment => format!("{}#{fragment}", before(place)),
    }
}

/// Where the scheme begins that ends at a place.
fn scheme_before(text: &str, at: usize) -> usize {
    let is_scheme = |one: char| one.is_ascii_alphanumeric() || matches!(one, '+' | '-');
    text[..at].trim_end_matches(is_scheme).len()
}

/// How long the address is that a text begins with: to where another begins, at most.
fn end(text: &str) -> usize {
    let is_end = |(at, one): &(usize, char)| {
        one.is_whitespace()
            || ENDS.contains(one)
            || (*one == '\\' && !text[at + 1..].starts_with('u'))
    };
    let all = text.char_indices().find(is_end).map_or(text.len(), |(at, _)| at);
    let body = text[..all].find("://").map_or(all, |at| at + 3);
    let next = text[body..all].find("://").map(|at| body + scheme_before(&text[body..], at));
    text[..next.unwrap_or(all)].trim_end_matches([':', '.', ';', ')', ',']).len().max(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_shown_with_what_may_be_secret() {
        for (address, expected) in [
            ("https://u:p@a/x.git#u@v", "https://a/x.git#u@v"),
            ("http://token@a:80/x", "http://a:80/x"),
            ("HTTPS://token@a/x", "HTTPS://a/x"),
            ("git://token@a/x", "git://a/x"),
            ("https://u:p/w@a/x", "https://a/x"),
            ("https://u:p?w@a/x", "https://a/x"),
            ("https://u:p#w@a/x", "https://a/x"),
            ("https://u:p@w@a/x", "https://a/x"),
            ("ssh://git@a/x", "ssh://git@a/x"),
            ("SSH://git@a:22/x", "SSH://git@a:22/x"),
            ("ssh://git:p@a/x", "ssh://a/x"),
            ("ssh://git%3Ap@a/x", "ssh://a/x"),
            ("https://a/x?sig=1#v1:docs", "https://a/x#v1:docs"),
            ("https://a/x#v1?sig=1", "https://a/x#v1"),
            ("https://a/x@y:z", "https://a/x@y:z"),
            ("https://[::1]:80/x@y", "https://[::1]:80/x@y"),
            ("git@a:x", "git@a:x"),
            ("git@a:x?ref=1#v1", "git@a:x#v1"),
            ("u:p@a:x", "a:x"),
            ("github.com/a/b?token=1", "github.com/a/b"),
            ("docker-image://debian:12@sha256:0a", "docker-image://debian:12@sha256:0a"),
            ("./what?", "./what?"),
            ("", ""),
        ] {
            assert_eq!(shown(address), expected, "{address}");
        }
    }

    #[test]
    fn no_text_shows_what_may_be_secret() {
        for (text, expected) in [
            ("Get \"https://t@a/x?sig=1\": dial tcp", "Get \"https://a/x\": dial tcp"),
            ("fatal: 'HTTP://u:p@a/x.git/': no", "fatal: 'HTTP://a/x.git/': no"),
            ("for https://a/x?sig=1: EOF, git://t@b.", "for https://a/x: EOF, git://b."),
            (r#"say \"https://t@a/?b=1\u0026c=2\" and"#, r#"say \"https://a/\" and"#),
            ("a=https://t@a,b=git://t@b,c", "a=https://a,b=git://b,c"),
            ("https://u:p,w@a/x?b=1,2, https://a", "https://a/x, https://a"),
            ("https://a/?b=https://t@b", "https://a/https://b"),
            ("https://://t@b", "https://://b"),
            ("no address: u@a, 1:2, :// and ü://t@x", "no address: u@a, 1:2, :// and ü://x"),
            ("", ""),
        ] {
            assert_eq!(shown_in(text), expected, "{text}");
        }
        let address = "https://u:p'w@a/x?sig=1";
        assert_eq!(shown_about(&format!("no {address}!"), address), "no https://a/x!");
        assert_eq!(shown_about("no https://t@a", ""), "no https://a");
    }

    #[test]
    fn tells_who_holds_credentials() {
        for address in [
            "https://u:p@a/x",
            "https://token@a/x",
            "HTTP://token@a/x",
            "https://@a/x",
            "git://token@a/x",
            "ssh://git:p@a/x",
            "ssh://git%3Ap@a/x",
        ] {
            assert!(holds_credentials(address), "{address}");
        }
        for address in ["https://a/x@y", "https://a?u=b@c", "ssh://git@a/x", "git@a:x", "./a@b"] {
            assert!(!holds_credentials(address), "{address}");
        }
    }
}
