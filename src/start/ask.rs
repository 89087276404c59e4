//! Asks an app on the loopback: whether a port is open, and what it answers over HTTP/1.1.
//!
//! Every question is bounded in time and every answer in size; what comes back is nobody's to
//! trust.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::order::Http;
use super::pattern;
use crate::inspect::escape::escape;

/// A connection within one machine.
const CONNECT: Duration = Duration::from_secs(1);
/// Between two parts of an answer.
const READ: Duration = Duration::from_secs(5);
/// A whole answer.
const WHOLE: Duration = Duration::from_secs(10);
/// What is read of an answer.
const ANSWER: usize = 1 << 20;

/// Characters of an answer that are shown.
const SHOWN: usize = 120;

/// Whether something listens on a port.
pub(super) fn is_open(port: u16) -> bool {
    connect(port).is_ok()
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let connect =
        |address: IpAddr| TcpStream::connect_timeout(&SocketAddr::new(address, port), CONNECT);
    connect(Ipv4Addr::LOCALHOST.into())
        .or_else(|error| connect(Ipv6Addr::LOCALHOST.into()).map_err(|_| error))
}

/// Asks once; the error says what is wrong with the answer.
pub(super) fn answers(http: &Http) -> Result<(), String> {
    let Http { port, path, status, body } = http;
    let stream = connect(*port).map_err(|_| format!("nothing listens on port {port}"))?;
    let nothing = |_| format!("port {port} does not answer to GET {path}");
    let answer = exchange(stream, http).map_err(nothing)?;
    let answer = Answer::read(&answer)
        .ok_or_else(|| format!("what port {port} answers to GET {path} is no HTTP"))?;
    let is_wanted = match status {
        Some(status) => answer.status == *status,
        None => (200..300).contains(&answer.status),
    };
    if !is_wanted {
        let wanted = status.map_or("2xx".to_owned(), |status| status.to_string());
        let status = answer.status;
        let mut told = format!("port {port} answers {status} to GET {path}, not {wanted}");
        if !answer.body.is_empty() {
            let _ = write!(told, "; the answer begins with {}", begin(&answer.body));
        }
        return Err(told);
    }
    match body {
        Some(wanted) if !pattern::holds(&String::from_utf8_lossy(&answer.body), wanted) => {
            let begin = begin(&answer.body);
            Err(format!(
                "the answer to GET {path} does not hold {wanted:?}: it begins with {begin}"
            ))
        }
        _ => Ok(()),
    }
}

/// As much of an answer as tells what it is.
fn begin(body: &[u8]) -> String {
    let whole = escape(body);
    match whole.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

/// Sends the question and reads until the other side closes, or has said all that it announced.
fn exchange(mut stream: TcpStream, http: &Http) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(READ))?;
    stream.set_write_timeout(Some(READ))?;
    let Http { port, path, .. } = http;
    let question = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: hardpan\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(question.as_bytes())?;
    let deadline = Instant::now() + WHOLE;
    let mut answer = Vec::new();
    let mut buffer = [0; 8 << 10];
    while answer.len() < ANSWER && Instant::now() < deadline {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(size) => answer.extend_from_slice(&buffer[..size]),
            // Some servers keep a connection although they are asked not to.
            Err(_) if Answer::read(&answer).is_some_and(|answer| answer.is_whole) => break,
            Err(error) => return Err(error),
        }
        if Answer::read(&answer).is_some_and(|answer| answer.is_whole) {
            break;
        }
    }
    Ok(answer)
}

/// An answer, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    body: Vec<u8>,
    /// Whether all of it is there, as far as it says how much that is.
    is_whole: bool,
}

impl Answer {
    /// `None` as long as there is no head of an answer.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let rest = &bytes[end + 4..];
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("http/1.")?.split(' ').nth(1)?.parse().ok()?;
        let header = |name: &str| {
            let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
            fields.find(|(field, _)| *field == name).map(|(_, value)| value.trim())
        };
        if header("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
            let (body, is_whole) = unchunk(rest);
            return Some(Self { status, body, is_whole });
        }
        let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
        let is_empty = status == 204 || status == 304;
        let is_whole = is_empty || length.is_some_and(|length| rest.len() >= length);
        Some(Self { status, body: rest.to_vec(), is_whole })
    }
}

/// The content of chunks, and whether the last one is there.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let line = String::from_utf8_lossy(&rest[..end]);
        let size = line.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(size, 16) else { break };
        if size == 0 {
            return (body, true);
        }
        let chunk = &rest[end + 2..];
        body.extend_from_slice(&chunk[..size.min(chunk.len())]);
        rest = chunk.get(size.saturating_add(2)..).unwrap_or_default();
    }
    (body, false)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What is asked of a server that gives one answer, and then holds the connection.
    fn asked(answer: &'static [u8], status: Option<u16>, body: Option<&str>) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 1024];
            let size = stream.read(&mut question).unwrap();
            assert!(question[..size].starts_with(b"GET /healthz HTTP/1.1\r\nHost: localhost:"));
            stream.write_all(answer).unwrap();
        });
        let (path, body) = ("/healthz".to_owned(), body.map(str::to_owned));
        let found = answers(&Http { port, path, status, body });
        server.join().unwrap();
        found.map_err(|message| message.replace(&port.to_string(), "PORT"))
    }

    #[test]
    fn a_status_and_a_body_are_what_counts() {
        let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
        assert_eq!(asked(ok, None, None), Ok(()));
        assert_eq!(asked(ok, Some(200), Some("/^ready$/")), Ok(()));
        let wrong = asked(ok, Some(204), None).unwrap_err();
        assert_eq!(
            wrong,
            "port PORT answers 200 to GET /healthz, not 204; the answer begins with ready"
        );
        let wrong = asked(ok, None, Some("up")).unwrap_err();
        assert_eq!(wrong, "the answer to GET /healthz does not hold \"up\": it begins with ready");
        let long = b"HTTP/1.1 500 No\r\n\r\n\x1b[2Jaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let wrong = asked(long, None, None).unwrap_err();
        assert!(wrong.ends_with("aaa…") && wrong.contains("begins with \\u{1b}[2Ja"), "{wrong}");
        let moved = b"HTTP/1.0 302 Found\r\nLocation: /login\r\n\r\n";
        let wrong = asked(moved, None, None).unwrap_err();
        assert_eq!(wrong, "port PORT answers 302 to GET /healthz, not 2xx");
        assert_eq!(asked(moved, Some(302), None), Ok(()));
    }

    #[test]
    fn chunks_are_put_together() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2;x=y\r\ndy\r\n0\r\n\r\n";
        assert_eq!(asked(chunked, None, Some("/^ready$/")), Ok(()));
        assert_eq!(unchunk(b"ffffffffffffffff\r\nabc"), (b"abc".to_vec(), false));
        assert_eq!(unchunk(b"zz\r\nabc"), (Vec::new(), false));
    }

    #[test]
    fn what_is_no_http_is_told() {
        assert!(asked(b"SSH-2.0-x\r\n\r\n", None, None).unwrap_err().contains("is no HTTP"));
        assert!(asked(b"", None, None).unwrap_err().contains("is no HTTP"));
    }

    #[test]
    fn a_port_that_nobody_listens_on() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_open(port));
        drop(listener);
        assert!(!is_open(port));
        let six = TcpListener::bind("[::1]:0");
        if let Ok(six) = six {
            assert!(is_open(six.local_addr().unwrap().port()));
        }
    }
}
