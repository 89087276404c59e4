//! A small HTTP client: one request, one connection, everything read. HTTP/1.0, so that an answer
//! is never cut into chunks.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method; empty: GET.
    pub method: &'a str,
    /// The path, with a query if there is one.
    pub path: &'a str,
    /// Headers beside Host and Content-Length.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of a name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Asks `HOST:PORT`.
pub fn ask(address: &str, request: Request<'_>) -> io::Result<Response> {
    let to: SocketAddr = address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(head(address, &request).as_bytes())?;
    stream.write_all(request.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| io::Error::other("not an HTTP answer"))
}

fn head(address: &str, request: &Request<'_>) -> String {
    let method = if request.method.is_empty() { "GET" } else { request.method };
    let mut lines = vec![format!("{method} {} HTTP/1.0", request.path), format!("Host: {address}")];
    lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    if !request.body.is_empty() {
        lines.push(format!("Content-Length: {}", request.body.len()));
    }
    lines.join("\r\n") + "\r\n\r\n"
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let body = answer[end + 4..].to_vec();
    let response = Response { status, headers, body };
    // A connection that broke in the middle must not look like a short answer.
    let whole = response
        .header("content-length")
        .is_none_or(|length| length == response.body.len().to_string());
    (whole || response.body.is_empty()).then_some(response)
}
