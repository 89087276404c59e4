//! The forms of a report: what they look like, and that no name in an image gets out of its place.
//!
//! Each folder of tests/reports holds what one document becomes. `UPDATE=1 cargo test --test reports`
//! writes what comes out: read it before you commit it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "reports/documents.rs"]
mod documents;
#[path = "reports/markup.rs"]
mod markup;

use std::fs;
use std::path::Path;

use hardpan::report::{Document, Format, ctrf, test_result};
use proptest::prelude::*;

#[test]
fn documents_look_like_this() {
    for (name, document) in [("clean", documents::clean()), ("failed", documents::failed())] {
        for format in Format::ALL {
            compare(&format!("{name}/{}", format.file_name()), &format.render(&document));
        }
        for (file, predicate) in
            [("test-result.json", test_result(&document)), ("ctrf.json", ctrf(&document))]
        {
            let text = serde_json::to_string_pretty(&predicate).unwrap() + "\n";
            compare(&format!("{name}/{file}"), text.as_bytes());
        }
    }
}

fn compare(file: &str, found: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports").join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let found = String::from_utf8(found.to_vec()).unwrap();
    for (index, (one, other)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(one, other, "{file}:{}", index + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{file}");
}

#[test]
fn the_json_is_the_document() {
    let document = documents::failed();
    let json = Format::Json.render(&document);
    assert_eq!(serde_json::from_slice::<Document>(&json).unwrap(), document);
}

/// What a name in an image could try.
const HOSTILE: &[&str] = &[
    "",
    "</script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "]]>&amp;&#0;<![CDATA[",
    "a|b\n| c | d |\n</details>",
    "```\n# heading\n```",
    "\u{0}\u{1}\u{1b}[2J\u{7f}\u{9b}\u{85}\u{2028}\u{202e}\u{fffe}\u{ffff}\u{10ffff}",
    "'; rm -rf / #\n$(id)`id`",
    "%0A%2e%2e/../..",
    "sha256:",
];

#[test]
fn no_name_leaves_its_place() {
    for text in HOSTILE {
        stays_well_formed(&documents::hostile(text));
    }
    let text = Format::Text.render(&documents::hostile("\u{1b}[2J\u{202e}"));
    let text = String::from_utf8(text).unwrap();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text}");
}

/// Every form of it can be read by whoever reads that form.
fn stays_well_formed(document: &Document) {
    for format in Format::ALL {
        let found = String::from_utf8(format.render(document)).unwrap();
        let controls = found.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(controls, None, "{format:?}");
        match format {
            Format::Json | Format::Sarif => {
                serde_json::from_str::<serde_json::Value>(&found).unwrap();
            }
            Format::Junit => markup::well_formed(&found, &[]),
            Format::Html => markup::well_formed(&found, markup::VOID),
            Format::Text | Format::Markdown => {}
        }
    }
    let mut names = test_result(document).to_string();
    names.push_str(&ctrf(document).to_string());
    assert!(!names.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_stays_in_its_place(text in "\\PC{0,40}|[<>&\"'`|\\\\\\[\\]!-]{0,12}|.{0,20}") {
        stays_well_formed(&documents::hostile(&text));
    }
}

#[test]
fn thousands_of_findings_stay_readable() {
    let document = documents::crowded(3_000);
    stays_well_formed(&document);
    let length = |format: Format| format.render(&document).len();
    // A comment on GitHub has at most 65,536 characters.
    assert!(length(Format::Markdown) < 65_536, "{}", length(Format::Markdown));
    assert!(length(Format::Text) < 60_000, "{}", length(Format::Text));
    for format in [Format::Json, Format::Sarif, Format::Junit, Format::Html] {
        // Each finding is there, once.
        let length = length(format);
        assert!((3_000 * 200..3_000 * 2_000).contains(&length), "{format:?}: {length}");
    }
}

#[test]
fn what_is_waived_does_not_hide_what_blocks() {
    let finding = |path: &str| documents::finding("SHL-03", path, "a shell is found");
    let waived = (0..60).map(|number| {
        let mut one = finding(&format!("/app/waived/{number}"));
        one.waiver = Some(0);
        one
    });
    let findings = waived.chain([finding("/app/bin/open")]).collect();
    let document = documents::found(documents::clean(), findings);
    for format in [Format::Text, Format::Markdown] {
        let text = String::from_utf8(format.render(&document)).unwrap();
        assert!(text.contains("/app/bin/open"), "{format:?}: {text}");
    }
}

fn sarif(document: &Document) -> serde_json::Value {
    let log: serde_json::Value = serde_json::from_slice(&Format::Sarif.render(document)).unwrap();
    log["runs"][0].clone()
}

#[test]
fn code_scanning_knows_a_finding_again() {
    let mut document = documents::failed();
    let run = sarif(&document);
    let results = run["results"].as_array().unwrap();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0, "{result}");
        assert!(place["artifactLocation"]["uri"].is_string(), "{result}");
    }
    let waived: Vec<_> = results.iter().filter(|one| !one["suppressions"].is_null()).collect();
    assert_eq!(waived.len(), 1);
    assert_eq!(waived[0]["ruleId"], "SHL-08");
    // A line that moves is the same finding; another path is another.
    let prints = |run: &serde_json::Value| -> Vec<String> {
        let results = run["results"].as_array().unwrap().iter();
        results.map(|one| one["partialFingerprints"].to_string()).collect()
    };
    let before = prints(&run);
    assert_eq!(before.iter().collect::<std::collections::BTreeSet<_>>().len(), before.len());
    document.findings[0].position.as_mut().unwrap().line += 10;
    document.findings[1].path = Some("/app/bin/third".to_owned());
    let after = prints(&sarif(&document));
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
}

#[test]
fn what_is_lacking_refuses_nothing() {
    let failed = |document: &Document| {
        let result = test_result(document);
        let failed = result["failedTests"].as_array().unwrap().iter();
        failed.map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut document = documents::failed();
    let told = failed(&document);
    assert!(told.contains(&"RUN-06".to_owned()) && told.contains(&"waiver of SHL-03".to_owned()));
    for waiver in &mut document.waivers {
        waiver.source = "policy".to_owned();
    }
    let lacking = "the config of the image is not known";
    let check = document.checks.iter_mut().find(|check| check.id == "RUN-06").unwrap();
    check.reason = Some(lacking.to_owned());
    let told = failed(&document);
    assert!(!told.contains(&"RUN-06".to_owned()) && !told.contains(&"waiver of SHL-03".to_owned()));
    // Unless somebody asks for that very check.
    document.policy.as_mut().unwrap().required.push("RUN-06".to_owned());
    assert!(failed(&document).contains(&"RUN-06".to_owned()));
}

#[test]
fn no_report_says_that_a_standard_is_met() {
    for document in [documents::clean(), documents::failed()] {
        for format in Format::ALL {
            let text = String::from_utf8(format.render(&document)).unwrap().to_lowercase();
            for word in ["complian", "certified", "conforms"] {
                assert!(!text.contains(word), "{format:?} says {word}");
            }
        }
    }
    let page = String::from_utf8(Format::Html.render(&documents::clean())).unwrap();
    for item in ["CIS Docker 4.12", "164.312(b)", "CC6.8", "NIST 800-190 4.1.2"] {
        assert!(page.contains(item), "{item}");
    }
}

#[test]
fn the_largest_document_stays_bounded() {
    let mut document = documents::clean();
    let ids: Vec<String> = document.checks.iter().map(|check| check.id.clone()).collect();
    let long = format!("/{}", "a".repeat(200));
    let findings = ids.iter().flat_map(|id| {
        let long = &long;
        (0..1_000).map(move |index| documents::finding(id, &format!("{long}{index}"), long))
    });
    document = documents::found(document.clone(), findings.collect());
    for format in Format::ALL {
        let length = format.render(&document).len();
        assert!(length < document.findings.len() * 2_500, "{format:?}: {length}");
    }
    assert!(Format::Markdown.render(&document).len() < 65_536);
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
    }
    assert_eq!(Format::parse("xml"), None);
}

/// To be looked at in a browser: `LOOK=FOLDER cargo test --test reports`.
#[test]
fn pages_for_a_look() {
    let Some(folder) = std::env::var_os("LOOK") else { return };
    let folder = Path::new(&folder);
    for (name, document) in [
        ("clean", documents::clean()),
        ("failed", documents::failed()),
        ("crowded", documents::crowded(3_000)),
    ] {
        for format in Format::ALL {
            let file = folder.join(format!("{name}.{}", format.file_name()));
            fs::write(file, format.render(&document)).unwrap();
        }
    }
}

#[test]
fn a_test_that_proved_nothing_leaves_no_clean_result() {
    let told = |outcome: &str, stopped_in_time, message: Option<&str>| {
        let mut document = documents::clean();
        let mut test = document.tests.pop().expect("it has a test");
        test.outcome = outcome.to_owned();
        test.stopped_in_time = stopped_in_time;
        test.message = message.map(ToOwned::to_owned);
        document.tests.clear();
        document.add_tests(vec![test]);
        let told = test_result(&document);
        let listed = |key: &str| told[key].to_string().contains(&document.tests[0].name);
        let lists = ["passedTests", "warnedTests", "failedTests"];
        let list = lists.into_iter().find(|key| listed(key)).unwrap_or_default();
        (told["result"].as_str().unwrap_or_default().to_owned(), list)
    };
    let result = |result: &str, list| (result.to_owned(), list);
    let one = |outcome, stopped_in_time| told(outcome, stopped_in_time, None);
    let warned = told("passed", None, Some("no handler for SIGTERM"));
    assert_eq!(warned, result("WARNED", "warnedTests"));
    assert_eq!(one("passed", Some(true)), result("PASSED", "passedTests"));
    assert_eq!(one("passed", None), result("PASSED", "passedTests"));
    assert_eq!(one("passed", Some(false)), result("WARNED", "warnedTests"));
    assert_eq!(one("skipped", None), result("WARNED", "warnedTests"));
    assert_eq!(one("failed", None), result("FAILED", "failedTests"));
    let mut refused = documents::failed();
    refused.add_tests(documents::clean().tests);
    assert_eq!(test_result(&refused)["result"], "FAILED", "nothing makes it better");
}

#[test]
fn every_form_says_what_a_test_warns_of() {
    let mut document = documents::clean();
    let mut test = document.tests.pop().unwrap();
    test.message = Some("it has no handler for SIGTERM".to_owned());
    document.add_tests(vec![test]);
    let told = String::from_utf8(Format::Text.render(&document)).unwrap();
    assert!(told.contains("1 test with a warning"), "{told}");
    for format in [Format::Text, Format::Markdown, Format::Html, Format::Junit] {
        let report = String::from_utf8(format.render(&document)).unwrap();
        assert!(report.contains("no handler for SIGTERM"), "{format:?}: {report}");
    }
}

#[test]
fn what_is_not_listed_is_no_heavier_than_what_is() {
    let mut one = documents::finding("SHL-03", "/app/libx.so", "a shell as a library");
    one.severity = hardpan::report::document::Level::Warn;
    let mut document = documents::found(documents::clean(), vec![one]);
    document.checks.iter_mut().find(|check| check.id == "SHL-03").unwrap().findings = 2_000;
    assert_eq!(test_result(&document)["failedTests"].to_string(), "[]");
    assert!(test_result(&document)["warnedTests"].to_string().contains("SHL-03"));
}

/// What every form says of a check that has found something which refuses nothing.
#[test]
fn no_form_says_failed_of_what_refuses_nothing() {
    let all = [("META-01", "noted", "passed"), ("PRV-06", "warned", "other")];
    for (id, status, ctrf_status) in all {
        let one = documents::finding(id, "/app/x", "there is something");
        let document = documents::found(documents::clean(), vec![one]);
        let json = serde_json::to_value(&document).unwrap();
        let check = json["checks"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
        assert_eq!(check["status"], status);
        assert_eq!(json["summary"][status], 1);
        assert_eq!(json["summary"]["failed"], 0);
        assert_eq!(test_result(&document)["failedTests"].as_array().unwrap().len(), 0);
        assert_eq!(ctrf(&document)["results"]["summary"]["failed"], 0);
        assert!(ctrf(&document).to_string().contains(&format!("\"status\":\"{ctrf_status}\"")));
        for format in [Format::Text, Format::Markdown, Format::Html] {
            let text = String::from_utf8(format.render(&document)).unwrap();
            assert!(text.contains(&format!("11 checks passed, 1 {status}, 0 failed")), "{text}");
        }
        let junit = String::from_utf8(Format::Junit.render(&document)).unwrap();
        assert!(!junit.contains("<failure"), "{junit}");
        assert!(sarif(&document)["results"].to_string().contains("there is something"));
    }
}

#[test]
fn nobody_is_told_how_to_start_an_image_that_was_refused() {
    for (document, is_fit) in [(documents::clean(), true), (documents::failed(), false)] {
        for format in [Format::Text, Format::Markdown, Format::Html] {
            let text = String::from_utf8(format.render(&document)).unwrap();
            assert_eq!(text.contains("docker run"), is_fit, "{format:?}: {text}");
            assert_eq!(text.contains("the image was refused"), !is_fit, "{format:?}: {text}");
        }
    }
}
