//! `hardpan scan` on what real builds export: what the frontend has let through passes, in every form,
//! and what it would refuse is found in an image that was built without it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::build::Build;
use crate::support::project::Project;

const FORMS: [(&str, &str); 3] =
    [("oci-tar", "type=oci"), ("oci-layout", "type=oci,tar=false"), ("docker-tar", "type=docker")];
/// How a layer starts that is packed by zstd (RFC 8878, section 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The report of each form that a build exports, and the exit code.
fn scans(build: impl Fn() -> Build, more: &[&str]) -> Vec<(i32, Value)> {
    let folder = TempDir::new().unwrap();
    let scan = |(index, (kind, form)): (usize, &(&str, &str))| {
        let place = folder.path().join(index.to_string());
        export(build(), form, &place);
        let (code, report) = scan(&place, more);
        assert_eq!(report["source"]["kind"], *kind);
        (code, report)
    };
    FORMS.iter().enumerate().map(scan).collect()
}

fn export(build: Build, form: &str, place: &Path) {
    let output = format!("--output={form},dest={}", place.display());
    build.args([output, "--provenance=false".to_owned()]).run().succeeded();
}

fn scan(path: &Path, more: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hardpan"));
    let output = command.args(["scan", "--format", "json"]).args(more).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().unwrap();
    assert!(code < 2, "{said}");
    (code, serde_json::from_slice(&output.stdout).unwrap())
}

fn blocking(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let blocking = findings.filter(|one| one["severity"] == "block");
    blocking.map(|one| (text(&one["check"]), text(&one["path"]))).collect()
}

#[test]
fn what_the_frontend_lets_through_passes_in_every_form() {
    let project =
        Project::new("base: node:24\nimage:\n  - copy: server.js\nentrypoint: [node, server.js]\n")
            .file("server.js", "setInterval(() => {}, 1000)");
    let base = TempDir::new().unwrap();
    let place = base.path().join("base");
    let dockerfile = Project::written("FROM dhi.io/node:24\n");
    export(dockerfile.build(), "type=oci,tar=false", &place);
    for (code, report) in scans(|| project.build(), &["--base", place.to_str().unwrap()]) {
        assert_eq!((code, blocking(&report)), (0, vec![]), "{}", report["findings"]);
        assert_eq!(report["summary"]["blocking"], 0);
        assert_eq!(report["image"]["uid"], 1000);
    }
}

#[test]
fn what_was_built_without_the_frontend_is_found() {
    let project = Project::written(
        "FROM dhi.io/node:24\nUSER 0\nCOPY tool /app/helper\nCOPY .npmrc /app/\nCMD [\"node\"]\n",
    )
    .program("tool", "/bin/dash")
    .file(".npmrc", "//npm.example.com/:_authToken=npm_s3cr3tvalue");
    let expected =
        [("USR-01", ""), ("USR-02", ""), ("SHL-03", "/app/helper"), ("SEC-02", "/app/.npmrc")];
    let expected = expected.map(|(check, path)| (check.to_owned(), path.to_owned()));
    for (code, report) in scans(|| project.build(), &[]) {
        assert_eq!((code, blocking(&report)), (1, expected.to_vec()), "{}", report["findings"]);
    }
}

/// Layers of its own: a builder packs each once, and keeps it so for everybody's exports.
#[test]
fn layers_packed_by_zstd_are_read() {
    let project = Project::written(
        "FROM dhi.io/node:24\nCOPY packed /app/packed\nUSER 1000:1000\nCMD [\"node\"]\n",
    )
    .program("packed", "/bin/dash");
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("layout");
    export(project.build(), "type=oci,tar=false,compression=zstd", &place);
    let blobs = std::fs::read_dir(place.join("blobs/sha256")).unwrap();
    let is_packed = |path: &Path| std::fs::read(path).unwrap().starts_with(&ZSTD);
    let packed = blobs.filter(|blob| is_packed(&blob.as_ref().unwrap().path())).count();
    assert!(packed > 0, "the builder has packed no layer by zstd");
    let (code, report) = scan(&place, &[]);
    let expected = ("SHL-03".to_owned(), "/app/packed".to_owned());
    assert_eq!((code, blocking(&report)), (1, vec![expected]), "{}", report["findings"]);
}
