//! The report as Markdown, for a comment on a change or a folder of records.
//!
//! In: the document. Out: the verdict first, tables after it, long ones folded. Names are escaped, so
//! that none of them ends a cell, links or calls somebody. It is short enough for a comment: of each
//! check `SHOWN` findings are listed, `LISTED` in all.

use std::fmt::Write as _;

use super::document::{Document, FindingEntry, Level};
use super::markup::{code, escaped, markdown as cell};
use super::standards::{SCOPE, standards};
use super::told::{self, Told};

/// Findings of one check that are listed.
const SHOWN: usize = 10;
/// Findings of all checks that are listed.
const LISTED: usize = 60;
/// Characters of a name or message that are shown.
const LONGEST: usize = 300;

/// The report as Markdown.
pub(super) fn render(document: &Document) -> String {
    let mut out = String::new();
    head(&mut out, document);
    let checks = Told::all(document);
    findings(&mut out, &checks);
    tests(&mut out, document);
    waivers(&mut out, document);
    all_checks(&mut out, &checks, document);
    evidence(&mut out, &checks);
    contract(&mut out, document);
    out
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn row(out: &mut String, cells: &[&str]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

fn table(out: &mut String, heads: &[&str]) {
    row(out, heads);
    let _ = writeln!(out, "|{}", "---|".repeat(heads.len()));
}

fn head(out: &mut String, document: &Document) {
    let verdict = told::verdict(document.result);
    let _ = writeln!(out, "## Hardening: {verdict}\n\n{}.\n", cell(&short(&document.summary.text)));
    table(out, &["", ""]);
    let image = &document.image;
    row(out, &["image", &cell(&short(&told::subject(document)))]);
    row(out, &["result", &format!("**{verdict}**: {}", told::numbers(document))]);
    row(out, &["checks", &told::tally(document)]);
    row(out, &["profile", &cell(&document.profile)]);
    row(out, &["user", &code(&short(&image.user))]);
    for base in &document.bases {
        let name = told::pinned(base);
        row(out, &[&format!("{} base", cell(&base.role)), &code(&short(&name))]);
    }
    if let Some(digest) = &document.source.digest {
        row(out, &[told::digest_of(&document.source.kind), &code(digest)]);
    }
    let tool = &document.tool;
    let tool = format!("{} {}, rules {}", tool.name, tool.version, document.rules);
    row(out, &["judged by", &cell(&tool)]);
}

fn findings(out: &mut String, checks: &[Told<'_>]) {
    let mut found: Vec<_> = checks.iter().filter(|told| told.check.findings > 0).collect();
    if found.is_empty() {
        return;
    }
    // The heaviest first; otherwise in the order of the checks.
    found.sort_by_key(|told| std::cmp::Reverse(told.worst()));
    out.push_str("\n### Findings\n");
    let mut left = LISTED;
    for told in found {
        let shown = &told.findings[..told.findings.len().min(SHOWN).min(left)];
        left -= shown.len();
        let page = linked(&told.check.id);
        // In a summary Markdown is not read.
        let (id, title) = (escaped(&told.check.id), escaped(&told.check.title));
        let is_open = if told.worst() == Some(Level::Block) { " open" } else { "" };
        let status = told.status();
        let _ = writeln!(
            out,
            "\n<details{is_open}><summary><b>{id}</b> {title} ({status})</summary>\n"
        );
        if !shown.is_empty() {
            table(out, &["where", "what", "fix"]);
        }
        for finding in shown {
            self::finding(out, finding);
        }
        if told.check.findings > shown.len() {
            let more = told::counted(told.check.findings - shown.len(), "finding");
            let _ = writeln!(out, "\n… and {more} more.");
        }
        let _ = writeln!(out, "\nWhat is looked at, and why: {page}\n\n</details>");
    }
}

fn finding(out: &mut String, finding: &FindingEntry) {
    let place = [told::line(finding), told::spot(finding)];
    let mut place: Vec<String> = place.iter().flatten().map(|text| code(&short(text))).collect();
    place.push(cell(&told::origin(finding)));
    let mark = if finding.waiver.is_some() { "waived" } else { finding.severity.name() };
    let what = format!("{mark}: {}", cell(&short(&finding.message)));
    row(out, &[&place.join("<br>"), &what, &cell(&short(&finding.help))]);
}

/// The id with a link to its page.
fn linked(id: &str) -> String {
    match told::page(id) {
        Some(page) => format!("[{id}]({page})"),
        None => cell(id),
    }
}

fn tests(out: &mut String, document: &Document) {
    if document.tests.is_empty() {
        return;
    }
    out.push_str("\n### Start\n\n");
    table(out, &["test", "outcome", "message"]);
    for test in &document.tests {
        let mut message = test.message.clone().unwrap_or_default();
        if let Some(late) = told::late(test) {
            let _ = write!(message, " ({late})");
        }
        let (name, outcome) = (cell(&short(&test.name)), cell(&test.outcome));
        row(out, &[&name, &outcome, &cell(&short(message.trim_start()))]);
    }
}

fn waivers(out: &mut String, document: &Document) {
    if document.waivers.is_empty() {
        return;
    }
    out.push_str("\n### Waivers\n\n");
    table(out, &["check", "path", "reason", "owner", "until", "from", "status"]);
    for waiver in &document.waivers {
        let path = waiver.path.as_ref().map(|path| code(&short(path))).unwrap_or_default();
        let status = format!("{}, {}", waiver.status, told::counted(waiver.findings, "finding"));
        row(
            out,
            &[
                &linked(&waiver.check),
                &path,
                &cell(&short(&waiver.reason)),
                &cell(&short(&waiver.owner)),
                &cell(&waiver.expires),
                &cell(&waiver.source),
                &cell(&status),
            ],
        );
    }
}

fn all_checks(out: &mut String, checks: &[Told<'_>], document: &Document) {
    let _ =
        writeln!(out, "\n### Checks\n\n<details><summary>{}</summary>\n", told::tally(document));
    table(out, &["check", "rules out", "result", "evidence for"]);
    for told in checks {
        let reason = told.reason(&document.profile);
        let separator = if reason.is_empty() { "" } else { ": " };
        let result = format!("{}{separator}{}", told.status(), short(&reason));
        row(
            out,
            &[
                &linked(&told.check.id),
                &cell(&told.check.title),
                &cell(&result),
                &cell(&told.check.standards.join(", ")),
            ],
        );
    }
    out.push_str("\n</details>\n");
}

fn evidence(out: &mut String, checks: &[Told<'_>]) {
    let _ = writeln!(out, "\n### Standards\n\n{}", cell(SCOPE));
    for standard in standards(checks) {
        let _ = writeln!(out, "\n<details><summary>{}</summary>\n", escaped(standard.name));
        if !standard.about.is_empty() {
            let _ = writeln!(out, "{}\n", cell(standard.about));
        }
        table(out, &["item", "asks for", "result", "checks", "remark"]);
        for item in standard.items {
            let checks: Vec<&str> = item.checks.iter().map(|(id, _)| *id).collect();
            row(
                out,
                &[
                    &cell(item.item),
                    &cell(item.title),
                    item.result.text(),
                    &cell(&checks.join(" ")),
                    &cell(item.note),
                ],
            );
        }
        out.push_str("\n</details>\n");
    }
}

fn contract(out: &mut String, document: &Document) {
    out.push_str("\n### How to start it\n\n");
    if let Some(unfit) = told::unfit(document) {
        let _ = writeln!(out, "{unfit}");
        return;
    }
    out.push_str("What was proven holds for a container that is started so.\n");
    for (title, language, text) in document.contract.shown() {
        let fence = fence(&text);
        let _ = writeln!(
            out,
            "\n<details><summary>{title}</summary>\n\n{fence}{language}\n{text}{fence}\n\n</details>"
        );
    }
    out.push('\n');
    for note in &document.contract.notes {
        let _ = writeln!(out, "- {}", cell(note));
    }
}

/// Longer than any row of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}
