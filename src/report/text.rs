//! The report for a terminal: the verdict first, then what was found, then everything else.
//!
//! In: the document. Out: lines of at most `WIDTH` characters where words allow it, without colours and
//! without anything that a terminal obeys. Of each check the first `SHOWN` findings are listed.

use std::fmt::Write as _;

use super::document::{CheckStatus, Document, FindingEntry, Level, Test};
use super::told::{self, Told};
use crate::words;

/// Longer lines are hard to read.
const WIDTH: usize = 100;
/// Findings of one check that a person looks through.
const SHOWN: usize = 50;
/// Lines of an app's output that are shown.
const OUTPUT: usize = 20;

/// The report as text.
pub(super) fn render(document: &Document) -> String {
    let mut out = String::new();
    head(&mut out, document);
    let checks = Told::all(document);
    let found: Vec<_> = checks.iter().filter(|told| told.check.findings > 0).collect();
    for level in [Level::Block, Level::Warn, Level::Info] {
        for told in found.iter().filter(|told| told.worst() == Some(level)) {
            check(&mut out, told);
        }
    }
    for told in found.iter().filter(|told| told.worst().is_none()) {
        check(&mut out, told);
    }
    tests(&mut out, &document.tests);
    waivers(&mut out, document);
    undecided(&mut out, &checks, document);
    contract(&mut out, document);
    let _ = writeln!(out, "\n{}", told::tally(document));
    out
}

fn head(out: &mut String, document: &Document) {
    let verdict = told::verdict(document.result);
    let _ = writeln!(out, "hardening: {verdict}: {}", told::subject(document));
    wrapped(out, 2, &document.summary.text);
    wrapped(out, 2, &told::numbers(document));
    let tool = &document.tool;
    let text = format!(
        "profile {}, {} {}, rules {}",
        document.profile, tool.name, tool.version, document.rules
    );
    wrapped(out, 2, &text);
    for base in &document.bases {
        wrapped(out, 2, &format!("{} base {}", base.role, told::pinned(base)));
    }
    if let Some(policy) = &document.policy {
        let mut text = format!("policy from {}: waivers {}", policy.source, policy.waivers);
        if let Some(profile) = &policy.profile_of_file {
            let _ = write!(text, ", instead of profile {profile}");
        }
        if !policy.required.is_empty() {
            let _ = write!(text, ", required {}", policy.required.join(" "));
        }
        wrapped(out, 2, &text);
    }
}

fn check(out: &mut String, told: &Told<'_>) {
    let title = format!("{} {} ({})", told.check.id, told.check.title, told.status());
    let _ = writeln!(out, "\n{}", words::escaped(&title));
    let shown = &told.findings[..told.findings.len().min(SHOWN)];
    for (index, finding) in shown.iter().enumerate() {
        self::finding(out, finding, told.worst());
        // The same advice once, after the last one that it is for.
        if shown.get(index + 1).is_none_or(|next| next.help != finding.help) {
            wrapped(out, 4, &format!("fix: {}", finding.help));
        }
    }
    match told.check.findings.saturating_sub(shown.len()) {
        0 => {}
        more => {
            let _ = writeln!(out, "  … and {} more", told::counted(more, "finding"));
        }
    }
}

fn finding(out: &mut String, finding: &FindingEntry, usual: Option<Level>) {
    let line = told::line(finding).map(|line| line + ": ").unwrap_or_default();
    let mark = match finding.waiver {
        Some(_) => "waived: ",
        None if Some(finding.severity) == usual => "",
        None => match finding.severity {
            Level::Block => "blocks: ",
            Level::Warn => "warning: ",
            Level::Info => "note: ",
        },
    };
    let spot =
        told::spot(finding).filter(|spot| !words::escaped(&finding.message).contains(&**spot));
    let spot = spot.map(|spot| format!(", {spot}")).unwrap_or_default();
    let text = format!("{line}{mark}{} [{}{spot}]", finding.message, told::origin(finding));
    wrapped(out, 2, &text);
}

fn tests(out: &mut String, tests: &[Test]) {
    if tests.is_empty() {
        return;
    }
    out.push_str("\nstarted under the runtime contract\n");
    for test in tests {
        let place = test.position.as_ref().map(|place| format!("{}:{}: ", place.file, place.line));
        let place = place.filter(|_| test.outcome == "failed").unwrap_or_default();
        let message = test.message.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        wrapped(out, 2, &format!("{place}{}: {}{message}", test.outcome, test.name));
        if let Some(late) = told::late(test) {
            wrapped(out, 4, late);
        }
        let Some(output) = &test.output else { continue };
        let lines: Vec<&str> = output.lines().collect();
        let last = lines.len().saturating_sub(OUTPUT);
        if last > 0 {
            let _ = writeln!(out, "    | … {} before", told::counted(last, "line"));
        }
        for line in &lines[last..] {
            let _ = writeln!(out, "    | {}", words::escaped(line));
        }
    }
}

fn waivers(out: &mut String, document: &Document) {
    if document.waivers.is_empty() {
        return;
    }
    out.push_str("\nwaived\n");
    for waiver in &document.waivers {
        let path = waiver.path.as_ref().map(|path| format!(" {path}")).unwrap_or_default();
        let text = format!(
            "{}{path}: {} ({} until {}, from {}; {}, {})",
            waiver.check,
            waiver.reason,
            waiver.owner,
            waiver.expires,
            waiver.source,
            waiver.status,
            told::counted(waiver.findings, "finding"),
        );
        wrapped(out, 2, &text);
    }
}

/// Those with the same reason together: without a base there are a dozen.
fn undecided(out: &mut String, checks: &[Told<'_>], document: &Document) {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for told in checks {
        if !matches!(told.check.status, CheckStatus::NotEvaluated | CheckStatus::Off) {
            continue;
        }
        let mark = if told.is_undecided { "blocking: " } else { "" };
        let reason = format!("{mark}{}", told.reason(&document.profile));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, ids)) => ids.push(&told.check.id),
            None => reasons.push((reason, vec![&told.check.id])),
        }
    }
    if !reasons.is_empty() {
        out.push_str("\nnot evaluated\n");
    }
    for (reason, ids) in reasons {
        wrapped(out, 2, &format!("{}: {reason}", ids.join(" ")));
    }
}

fn contract(out: &mut String, document: &Document) {
    if let Some(unfit) = told::unfit(document) {
        out.push_str("\nhow to start it\n");
        return wrapped(out, 2, unfit);
    }
    out.push_str("\nhow to start it, so that this holds\n");
    for line in document.contract.docker.command().lines() {
        let _ = writeln!(out, "  {line}");
    }
}

/// A sentence over as many lines as it needs; the later ones stand further in.
fn wrapped(out: &mut String, indent: usize, text: &str) {
    let (mut width, mut used) = (indent, false);
    let _ = write!(out, "{:indent$}", "");
    for word in words::escaped(text).split(' ') {
        let length = word.chars().count();
        if used && width + 1 + length > WIDTH {
            let deeper = indent + 4;
            let _ = write!(out, "\n{:deeper$}", "");
            width = deeper;
        } else if used {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
        used = true;
    }
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}
