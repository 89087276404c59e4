//! What others say of the images: each of them is run once over all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cases::CASES;
use crate::gate;
use crate::support::command::Program;
use crate::support::image::{Image, json as parsed, list, text};

const RULES: &str = include_str!("docker.rego");
/// Where Docker Hardened Images and their stand-ins record packages: a file for each.
const PACKAGES: &str = "var/lib/dpkg/status.d/";

/// What one of them says of each case, by its number; nothing where it is silent.
type Said = BTreeMap<usize, BTreeSet<String>>;

/// A folder with the Dockerfile of each case, by its number.
fn dockerfiles() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, case) in CASES.iter().enumerate() {
        let place = folder.path().join(number.to_string());
        fs::create_dir(&place).unwrap();
        fs::write(place.join("Dockerfile"), case.dockerfile()).unwrap();
    }
    folder
}

/// The number of the case whose Dockerfile is meant.
fn number(path: &str) -> usize {
    let folder = Path::new(path).parent().and_then(Path::file_name).unwrap();
    folder.to_str().unwrap().parse().unwrap()
}

/// hadolint, on the Dockerfiles.
pub(crate) fn hadolint(tools: &Path) -> Said {
    let folder = dockerfiles();
    let files = (0..CASES.len()).map(|number| format!("{number}/Dockerfile"));
    let program = Program::new("hadolint").args(["--no-fail", "--format=json"]).args(files);
    let found = parsed(run(program, tools, folder.path()).as_bytes());
    let mut said = Said::new();
    for one in list(&found) {
        let rule = text(&one["code"]).to_owned();
        said.entry(number(text(&one["file"]))).or_default().insert(rule);
    }
    said
}

/// checkov, on the Dockerfiles.
pub(crate) fn checkov(tools: &Path) -> Said {
    let folder = dockerfiles();
    let program = Program::new("checkov").within(180).args([
        "--directory=.",
        "--framework=dockerfile",
        "--output=json",
        "--compact",
        "--quiet",
        "--soft-fail",
        "--skip-download",
    ]);
    let found = parsed(run(program, tools, folder.path()).as_bytes());
    let mut said = Said::new();
    for one in list(&found["results"]["failed_checks"]) {
        let rule = text(&one["check_id"]).to_owned();
        said.entry(number(text(&one["file_path"]))).or_default().insert(rule);
    }
    said
}

/// Docker's policies by their published rules, on the images as docker/dockerfile builds them.
pub(crate) fn docker(tools: &Path) -> Said {
    let seen = gate::each(|case| {
        let image = gate::image(case);
        json!({"config": image.run(), "packages": packages(&image)})
    });
    let numbered = seen.into_iter().enumerate().map(|(number, seen)| (number.to_string(), seen));
    let images: BTreeMap<String, Value> = numbered.collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("docker.rego"), RULES).unwrap();
    let program = Program::new("opa")
        .args(["eval", "--stdin-input", "--data=docker.rego", "--format=raw"])
        .args(["data.hardpan.docker.found"])
        .input(serde_json::to_vec(&images).unwrap());
    let found = parsed(run(program, tools, folder.path()).as_bytes());
    let mut said = Said::new();
    for (number, policies) in found.as_object().unwrap() {
        let policies = list(policies).iter().map(|one| text(one).to_owned());
        said.insert(number.parse().unwrap(), policies.collect());
    }
    said
}

/// The packages that an SBOM would name: those that are recorded in the image.
fn packages(image: &Image) -> Vec<String> {
    let listing = image.listing();
    let recorded = listing.nodes.keys().filter_map(|path| path.strip_prefix(PACKAGES));
    let mut found: Vec<String> =
        recorded.filter(|name| !name.ends_with(".md5sums")).map(str::to_owned).collect();
    if listing.has("var/lib/dpkg/status") {
        let status = image.file("var/lib/dpkg/status");
        found.extend(
            status.lines().filter_map(|line| line.strip_prefix("Package: ")).map(str::to_owned),
        );
    }
    found
}

/// Runs one of the tools; what it prints.
fn run(program: Program, tools: &Path, folder: &Path) -> String {
    let path = format!("{}:{}", tools.join("bin").display(), std::env::var("PATH").unwrap());
    program.at(folder).env("PATH", path).run().succeeded().stdout
}
