//! Says over HTTP whether people can read a text in one colour on another.

mod color;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::thread;

use color::Color;
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tiny_http::{Header, Method, Request, Response, Server};

/// The least contrast for ordinary text, WCAG 2.2 success criteria 1.4.3 and 1.4.6.
const AA: f64 = 4.5;
const AAA: f64 = 7.0;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = Arc::new(Server::http("0.0.0.0:8080")?);
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let stopping = Arc::clone(&server);
    thread::spawn(move || {
        signals.forever().next();
        stopping.unblock();
    });
    for request in server.incoming_requests() {
        if let Err(error) = serve(request) {
            eprintln!("the client went away: {error}");
        }
    }
    Ok(())
}

fn serve(request: Request) -> std::io::Result<()> {
    let (status, body) = answer(request.method(), request.url());
    let json = Header::from_bytes("Content-Type", "application/json").expect("a plain header");
    request.respond(Response::from_string(body.to_string()).with_status_code(status).with_header(json))
}

fn answer(method: &Method, url: &str) -> (u16, Value) {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    match path {
        "/healthz" => (200, json!({ "ok": true, "architecture": std::env::consts::ARCH })),
        "/v1/contrast" if *method == Method::Get => contrast(query),
        "/v1/contrast" => (405, json!({ "error": "ask with GET" })),
        _ => (404, json!({ "error": "there is nothing here" })),
    }
}

fn contrast(query: &str) -> (u16, Value) {
    let given: HashMap<&str, &str> =
        query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let color = |name: &str| {
        let text = given.get(name).copied().unwrap_or_default().replace("%23", "#");
        Color::parse(&text).ok_or_else(|| format!("{name} is no color: {text:?}"))
    };
    match (color("text"), color("background")) {
        (Ok(text), Ok(background)) => {
            let ratio = text.contrast(background);
            let shown = (ratio * 100.0).floor() / 100.0;
            (200, json!({ "contrast": shown, "aa": ratio >= AA, "aaa": ratio >= AAA }))
        }
        (Err(error), _) | (_, Err(error)) => (422, json!({ "error": error })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(url: &str) -> (u16, String) {
        let (status, body) = answer(&Method::Get, url);
        (status, body.to_string())
    }

    #[test]
    fn answers_what_is_asked() {
        let (status, body) = get("/v1/contrast?text=%23000&background=fff");
        assert_eq!((status, body.contains("\"contrast\":21")), (200, true), "{body}");
        assert_eq!(get("/v1/contrast?text=777&background=fff").1.contains("\"aa\":false"), true);
        assert_eq!(get("/healthz").0, 200);
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        for (url, status) in
            [("/v1/contrast", 422), ("/v1/contrast?text=red&background=fff", 422), ("/", 404)]
        {
            assert_eq!(get(url).0, status, "{url}");
        }
        assert_eq!(answer(&Method::Post, "/v1/contrast").0, 405);
    }
}
