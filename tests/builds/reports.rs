//! The report on an image: as files instead of it, and as the answer to a call. An image that is
//! refused has one, too: that is when it is needed.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::evidence::is_document;
use crate::support::build::{Build, fresh_name};
use crate::support::image::{json, list};
use crate::support::progress::Progress;
use crate::support::project::Project;
use crate::support::registry::read_image;

const REPORT: &str = "HARDPAN_OUTPUT=report";
const FILES: [&str; 6] = [
    "hardening.html",
    "hardening.json",
    "hardening.junit.xml",
    "hardening.md",
    "hardening.sarif",
    "hardening.txt",
];

fn good() -> Project {
    Project::new("base: node:24\nimage:\n  - copy: a\nentrypoint: [node]\n").file("a", "a")
}

/// A shell under another name.
fn bad() -> Project {
    let spec = "base: node:24\nimage:\n  - ▸copy: tool\n    to: /opt/helper\nentrypoint: [node]\n";
    Project::new(spec).program("tool", "/bin/dash")
}

fn dockerfile(with: &str) -> Project {
    Project::new(&format!("FROM dhi.io/node:24\n{with}\n")).program("tool", "/bin/dash")
}

/// The report in a folder, and how the build went.
fn reported(build: Build) -> (TempDir, Progress) {
    let out = TempDir::new().unwrap();
    let build = build.build_arg(REPORT).args([format!("--output={}", out.path().display())]);
    let progress = build.progress();
    (out, progress)
}

/// All its forms, and the document among them.
#[track_caller]
fn document(folder: &Path) -> Value {
    let entries = fs::read_dir(folder).unwrap().map(|one| one.unwrap());
    let mut names: Vec<String> =
        entries.map(|one| one.file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, FILES);
    for name in FILES {
        assert!(fs::metadata(folder.join(name)).unwrap().len() > 100, "{name}");
    }
    let found = json(&fs::read(folder.join("hardening.json")).unwrap());
    is_document(&found);
    found
}

#[test]
fn a_folder_has_the_report_in_every_form() {
    for project in [good(), dockerfile("")] {
        let (out, progress) = reported(project.build());
        let found = document(out.path());
        assert_ne!(found["result"], "failed", "{found}");
        progress.vertex("runs as 1000:1000");
        let exported = found["findings"].as_array().unwrap();
        assert!(exported.iter().all(|one| one["severity"] != "block"), "{exported:?}");
    }
}

#[test]
fn an_image_that_is_refused_has_a_report() {
    let project = bad();
    let (out, progress) = reported(project.build());
    let found = document(out.path());
    assert_eq!(found["result"], "failed");
    let shell = list(&found["findings"]).iter().find(|one| one["check"] == "SHL-03");
    let shell = shell.unwrap_or_else(|| panic!("{found}"));
    assert_eq!((&shell["severity"], &shell["path"]), (&"block".into(), &"/opt/helper".into()));
    assert_eq!(shell["position"]["line"], project.marks[0].0);
    progress.vertex("[proof] the image is refused: SHL-03");
    let told = progress.warnings.iter().any(|text| {
        text.starts_with("SHL-03: the image is refused: ") && text.contains("/opt/helper")
    });
    assert!(told, "{:?}", progress.warnings);
    assert_eq!(project.refused().errors()[0].code, "SHL-03", "without it nothing is given");

    let project = dockerfile("COPY tool /opt/helper\nUSER root");
    let (out, progress) = reported(project.build());
    assert_eq!(document(out.path())["result"], "failed");
    progress.vertex("[proof] the image is refused: SHL-03, USR-01");
}

#[test]
fn each_platform_has_a_folder() {
    for project in [good(), dockerfile("")] {
        let (out, _) = reported(project.build().args(["--platform=linux/amd64,linux/arm64"]));
        for (folder, platform) in [("linux_amd64", "linux/amd64"), ("linux_arm64", "linux/arm64")] {
            let found = document(&out.path().join(folder));
            assert_eq!(found["image"]["platform"], platform);
        }
    }
}

#[test]
fn a_report_that_is_pushed_is_no_image_that_starts() {
    for project in [good(), dockerfile("")] {
        let name = fresh_name();
        project.build().build_arg(REPORT).pushing_to(&name).run().succeeded();
        let image = read_image(&name);
        assert_eq!(image.words("Entrypoint"), ["/dev/null/this-is-a-stage-and-no-app"]);
        assert_eq!(image.run()["Labels"]["io.hardpan.stage"], "report");
        let ours =
            image.statements().iter().any(|one| one.to_string().contains("attestation/hardening"));
        assert!(!ours, "nothing is said in its favour");
        assert!(image.listing().has("/hardening.json"));
    }
}

#[test]
fn what_fails_before_anything_is_judged_fails() {
    let wrong = Project::new("base: node:24\n▸entrpoint: [node]\n");
    let refusal = wrong.build().build_arg(REPORT).refused();
    assert_eq!((refusal.errors()[0].code.as_str(), refusal.marked[0]), ("SPEC-01", 3), "{refusal}");
    let step = Project::new(
        "base: node:24\nbuild:\n  - run: exit 7\nimage:\n  - {copy: ., from: build}\nentrypoint: [node]\n",
    );
    let refusal = step.build().build_arg(REPORT).refused();
    assert_eq!(refusal.errors()[0].code, "BLD-02", "{refusal}");
}

#[test]
fn a_stage_has_no_report() {
    let project = Project::new(
        "base: node:24\nbuild:\n  ▸tools:\n    steps:\n      - run: touch x\nimage:\n  - {copy: ., from: tools}\nentrypoint: [node]\n",
    );
    for build in [project.build().build_arg(REPORT), project.build().args(["--call=report"])] {
        let refusal = build.args(["--target=tools"]).refused();
        let [error] = refusal.errors()[..] else { panic!("{refusal}") };
        assert_eq!((error.code.as_str(), error.place.0), ("SPEC-20", project.marks[0].0));
        assert!(error.message.contains("there is no report on it"), "{refusal}");
    }
}

#[test]
fn other_words_are_refused_with_the_nearest() {
    let refusal = good().build().build_arg("HARDPAN_OUTPUT=reprot").refused();
    let [error] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!(error.code, "OPT-01");
    assert!(error.help.contains("`report`"), "{refusal}");
}

#[test]
fn a_call_answers_with_the_report_and_a_status() {
    let refused = dockerfile("USER root");
    for (project, code) in [(good(), 0), (dockerfile(""), 0), (bad(), 1), (refused, 1)] {
        let call = project.build().args(["--call=report"]).run();
        assert_eq!(call.code, Some(code), "{call}");
        assert!(call.stdout.contains("linux/amd64"), "{call}");
        let call = project.build().args(["--call=report,format=json"]).run();
        let found = json(call.stdout.as_bytes());
        let [found] = list(&found) else { panic!("{found}") };
        is_document(found);
        assert_eq!(found["result"] == "failed", code == 1, "{found}");
    }
    let project = good();
    let both = project.build().args(["--platform=linux/amd64,linux/arm64"]);
    let call = both.args(["--call=report,format=json"]).run().succeeded();
    assert_eq!(list(&json(call.stdout.as_bytes())).len(), 2, "{call}");
}

#[test]
fn what_was_not_tested_is_said_to_be() {
    let tested = |spec: Project| {
        let (out, _) = reported(spec.build());
        let found = document(out.path());
        let tests = list(&found["tests"]).iter().map(|one| {
            let of = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            (of("outcome"), of("message"))
        });
        (found["result"].clone(), tests.collect::<Vec<_>>())
    };
    let with = |spec: Project, test: &str| {
        let text = fs::read_to_string(spec.spec()).unwrap() + test;
        Project::written(&text).file("a", "a").program("tool", "/bin/dash")
    };
    let test = "test:\n  - {run: [node, --version]}\n";
    let (result, tests) = tested(with(bad(), test));
    assert_eq!(result, "failed");
    let not_run = ("skipped".to_owned(), "not run: the image is refused".to_owned());
    assert_eq!(tests, [not_run]);
    let (_, tests) = tested(with(good(), test));
    assert_eq!(tests, [("passed".to_owned(), String::new())]);
    // An app without a handler is passed with a word of it.
    let endless = "test:\n  - {start: true, port: 8080}\n";
    let spec = "base: node:24\nimage:\n  - copy: a\n\
                entrypoint: [node, -e, \"http.createServer().listen(8080)\"]\n";
    let (result, tests) = tested(with(Project::new(spec), endless));
    assert_eq!((result, tests[0].0.as_str()), ("warned".into(), "passed"));
    let (_, tests) = tested(bad());
    assert!(tests.is_empty(), "a spec without tests");
}
