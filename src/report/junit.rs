//! The report as `JUnit` XML, for CI that shows reports of tests.
//!
//! In: the document. Out: a suite for each family of checks and one for the start of the image. What
//! refuses the image is a failure, what was not decided is skipped with its reason, and warnings stand
//! in what the case has printed. Times are 0: the same document gives the same bytes.

use std::fmt::Write as _;

use super::document::{Document, FindingEntry, Level, Test};
use super::markup::{escaped, lines};
use super::told::{self, Outcome, Told};

/// A case: how it ended, and its XML.
struct Case(Outcome, String);

/// The report as XML.
pub(super) fn render(document: &Document) -> String {
    let mut suites: Vec<(String, Vec<Case>)> = Vec::new();
    for told in Told::all(document) {
        let (short, long) = told::group(&told.check.id);
        let name = format!("{short}: {long}");
        let case = check(&told, document);
        match suites.last_mut() {
            Some((last, cases)) if *last == name => cases.push(case),
            _ => suites.push((name, vec![case])),
        }
    }
    if !document.tests.is_empty() {
        suites.push(("Start".to_owned(), document.tests.iter().map(test).collect()));
    }
    let expired: Vec<Case> = told::expired(document).map(waiver).collect();
    if !expired.is_empty() {
        suites.push(("Waivers".to_owned(), expired));
    }
    let counts = counts(suites.iter().flat_map(|(_, cases)| cases));
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let name = escaped(&format!("hardening: {}", told::subject(document)));
    let _ = writeln!(xml, "<testsuites name=\"{name}\" {counts}>");
    for (name, cases) in &suites {
        let counts = self::counts(cases.iter());
        let _ = writeln!(xml, "  <testsuite name=\"{}\" {counts}>", escaped(name));
        for Case(_, case) in cases {
            xml.push_str(case);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for Case(outcome, _) in cases {
        tests += 1;
        failures += usize::from(*outcome == Outcome::Failed);
        skipped += usize::from(*outcome == Outcome::Skipped);
    }
    format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"0\""
    )
}

fn check(told: &Told<'_>, document: &Document) -> Case {
    let (id, title) = (&told.check.id, &told.check.title);
    let class = format!("hardening.{}", told::group(id).0);
    let file = told.open().find_map(|finding| finding.position.as_ref()).map(|place| &place.file);
    let file = file.or(document.source.file.as_ref());
    let outcome = told.outcome();
    let body = match outcome {
        Outcome::Skipped => {
            format!("      <skipped message=\"{}\"/>\n", escaped(&told.reason(&document.profile)))
        }
        Outcome::Failed if told.is_undecided => {
            let message = format!("cannot be decided: {}", told.reason(&document.profile));
            format!("      <failure type=\"block\" message=\"{}\"/>\n", escaped(&message))
        }
        Outcome::Failed => failure(told),
        Outcome::Passed | Outcome::Warned => printed(&told.findings),
    };
    // A title says what must not be.
    Case(outcome, case((&class, &format!("{id} rules out: {title}")), file, &body))
}

fn case((class, name): (&str, &str), file: Option<&String>, body: &str) -> String {
    let file = file.map(|file| format!(" file=\"{}\"", escaped(file))).unwrap_or_default();
    let (class, name) = (escaped(class), escaped(name));
    let open = format!("    <testcase classname=\"{class}\" name=\"{name}\"{file} time=\"0\"");
    if body.is_empty() { open + "/>\n" } else { format!("{open}>\n{body}    </testcase>\n") }
}

/// What blocks is the failure, everything else is printed.
fn failure(told: &Told<'_>) -> String {
    let blocks =
        |finding: &FindingEntry| finding.waiver.is_none() && finding.severity == Level::Block;
    let (blocking, others): (Vec<&FindingEntry>, Vec<&FindingEntry>) =
        told.findings.iter().copied().partition(|finding| blocks(finding));
    let first = blocking.first().map_or(&told.check.title, |finding| &finding.message);
    let message = match blocking.len() {
        0 | 1 => first.clone(),
        count => format!("{first}, and {} more", told::counted(count - 1, "finding")),
    };
    let mut text: String = blocking.iter().map(|finding| described(finding)).collect();
    if told.unlisted() > 0 {
        let _ = writeln!(text, "{} more", told::counted(told.unlisted(), "finding"));
    }
    let (message, text) = (escaped(&message), lines(&text));
    let failure = format!("      <failure type=\"block\" message=\"{message}\">{text}</failure>\n");
    failure + &printed(&others)
}

fn printed(findings: &[&FindingEntry]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let text: String = findings.iter().map(|finding| described(finding)).collect();
    format!("      <system-out>{}</system-out>\n", lines(&text))
}

fn described(finding: &FindingEntry) -> String {
    let mark = match finding.waiver {
        Some(_) => "waived",
        None => finding.severity.name(),
    };
    let line = told::line(finding).map(|line| line + ": ").unwrap_or_default();
    let spot = told::spot(finding).map(|spot| format!(", {spot}")).unwrap_or_default();
    let message = crate::words::escaped(&finding.message);
    let help = crate::words::escaped(&finding.help);
    format!("{line}{mark}: {message} [{}{spot}]\n  fix: {help}\n", told::origin(finding))
}

fn waiver((check, text): (&str, String)) -> Case {
    let body = format!("      <failure type=\"expired\" message=\"{}\"/>\n", escaped(&text));
    Case(Outcome::Failed, case(("hardening.waivers", &format!("waiver of {check}")), None, &body))
}

fn test(test: &Test) -> Case {
    let outcome = Outcome::of_test(test);
    let message = test.message.as_deref().unwrap_or_default();
    let output = test.output.as_deref().unwrap_or_default();
    let mut body = match outcome {
        Outcome::Failed => {
            format!("      <failure type=\"start\" message=\"{}\"/>\n", escaped(message))
        }
        Outcome::Skipped => format!("      <skipped message=\"{}\"/>\n", escaped(message)),
        Outcome::Passed | Outcome::Warned => String::new(),
    };
    let warning = Some(message).filter(|_| outcome == Outcome::Warned);
    let printed = warning.into_iter().chain(told::late(test)).chain([output]);
    let printed: Vec<&str> = printed.filter(|text| !text.is_empty()).collect();
    if !printed.is_empty() {
        let _ = writeln!(body, "      <system-out>{}</system-out>", lines(&printed.join("\n")));
    }
    let file = test.position.as_ref().map(|place| &place.file);
    Case(outcome, case(("hardening.start", &test.name), file, &body))
}
