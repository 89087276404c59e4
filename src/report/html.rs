//! The report as one page for a browser.
//!
//! In: the document. Out: a page that needs nothing from elsewhere, in light or dark as the reader has
//! it, readable without its script, which only filters. Its policy allows no style and no script but its
//! own, by their checksums, so that a name in an image can never become one.

mod findings;
mod tables;

use std::fmt::Write as _;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::document::{Document, Verdict};
use super::markup::{escaped, sentence};
use super::told::{self, Outcome, Told};
use crate::harden::thousands;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The report as a page.
pub(super) fn render(document: &Document) -> String {
    let checks = Told::all(document);
    let mut out = String::new();
    let (style, script) = (checksum(STYLE), checksum(SCRIPT));
    let title = escaped(&told::subject(document));
    let verdict = told::verdict(document.result);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Hardening {verdict}: {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    head(&mut out, document);
    contents(&mut out, document);
    out.push_str("<main>\n");
    findings::findings(&mut out, &checks);
    tables::tests(&mut out, document);
    tables::waivers(&mut out, document);
    tables::checks(&mut out, &checks, document);
    tables::standards(&mut out, &checks);
    tables::contract(&mut out, document);
    out.push_str("</main>\n");
    let tool = &document.tool;
    let tool = escaped(&format!("{} {}, rules {}", tool.name, tool.version, document.rules));
    let _ = write!(
        out,
        "<footer><p>Judged by {tool}. There is no date here: the same image gives the same page. \
         When it was built is in its provenance.</p></footer>\n<script>{SCRIPT}</script>\n\
         </body>\n</html>\n"
    );
    out
}

/// How a policy names a style or a script.
fn checksum(text: &str) -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    format!("sha256-{hash}")
}

fn head(out: &mut String, document: &Document) {
    let colour = match document.result {
        Verdict::Passed => "good",
        Verdict::Warned => "warn",
        Verdict::Failed => "bad",
    };
    let verdict = told::verdict(document.result);
    let _ = write!(
        out,
        "<header>\n<p class=\"top\">Hardening report <span class=\"badge verdict {colour}\">{verdict}</span></p>\n<h1>{}</h1>\n\
         <p class=\"dim\">{}</p>\n",
        escaped(&told::subject(document)),
        sentence(&document.summary.text)
    );
    cards(out, document);
    facts(out, document);
    out.push_str("</header>\n");
}

fn cards(out: &mut String, document: &Document) {
    let summary = &document.summary;
    let failed = document.tests.iter().filter(|test| Outcome::of_test(test) == Outcome::Failed);
    let failed = failed.count();
    let cards = [
        ("hot", summary.blocking, "blocking"),
        ("tepid", summary.warnings, "warnings"),
        ("", summary.infos, "notes"),
        ("", summary.waived, "waived"),
        ("hot", failed, "failed tests"),
        ("", summary.passed, "checks passed"),
        ("tepid", summary.not_evaluated, "not evaluated"),
    ];
    out.push_str("<ul class=\"cards\">\n");
    for (class, number, name) in cards {
        let class = if number > 0 { class } else { "" };
        let _ =
            writeln!(out, "<li class=\"{class}\"><b>{}</b>{name}</li>", thousands(number as u64));
    }
    out.push_str("</ul>\n");
}

fn facts(out: &mut String, document: &Document) {
    let image = &document.image;
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut code = |name: &str, text: String| {
        if !text.is_empty() {
            facts.push((name.to_owned(), format!("<code>{}</code>", escaped(&text))));
        }
    };
    code("User", image.user.clone());
    let command: Vec<String> = image.entrypoint.iter().chain(&image.cmd).cloned().collect();
    code("Command", if command.is_empty() { String::new() } else { format!("{command:?}") });
    code("Works in", image.workdir.clone());
    code("Ports", image.ports.join(", "));
    code("May write", image.writable.join(", "));
    code("Volumes", image.volumes.join(", "));
    for base in &document.bases {
        let name = if base.role == "runtime" { "Stands on" } else { "Built in" };
        code(name, told::pinned(base));
    }
    code(
        &told::digest_of(&document.source.kind).replacen('d', "D", 1),
        document.source.digest.clone().unwrap_or_default(),
    );
    let mut profile = escaped(&document.profile);
    if let Some(policy) = &document.policy {
        let file = policy.profile_of_file.as_ref();
        let file = file.map(|file| format!(" instead of {file}")).unwrap_or_default();
        let required = match policy.required.join(" ") {
            none if none.is_empty() => none,
            some => format!(", required: {some}"),
        };
        let text = format!("{file}, by {}; waivers: {}{required}", policy.source, policy.waivers);
        profile.push_str(&escaped(&text));
    }
    facts.push(("Profile".to_owned(), profile));
    facts.push(("Files".to_owned(), format!("{} ({})", thousands(image.files), size(image.bytes))));
    out.push_str("<dl>\n");
    for (name, value) in facts {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
    }
    out.push_str("</dl>\n");
}

fn contents(out: &mut String, document: &Document) {
    let tests = (!document.tests.is_empty()).then_some(("start", "Start"));
    let waivers = (!document.waivers.is_empty()).then_some(("waivers", "Waivers"));
    let fixed = [("checks", "Checks"), ("standards", "Standards"), ("contract", "How to start it")];
    let all = std::iter::once(("findings", "Findings")).chain(tests).chain(waivers).chain(fixed);
    out.push_str("<nav aria-label=\"Contents\"><ul>\n");
    for (id, name) in all {
        let _ = writeln!(out, "<li><a href=\"#{id}\">{name}</a></li>");
    }
    out.push_str("</ul></nav>\n");
}

/// `12.3 MB`.
#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// The id with a link to its page.
fn linked(id: &str) -> String {
    match told::page(id) {
        Some(page) => format!("<a href=\"{}\">{}</a>", escaped(&page), escaped(id)),
        None => escaped(id),
    }
}

/// The colour of what ended so.
fn colour(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "good",
        Outcome::Warned => "warn",
        Outcome::Failed => "bad",
        Outcome::Skipped => "",
    }
}
