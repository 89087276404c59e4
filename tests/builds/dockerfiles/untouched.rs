//! What Docker's own frontend says comes through as it is: mistakes, steps that fail, warnings, calls.

use super::{dockers, ours, without_syntax};
use crate::support::build::{Build, Door};
use crate::support::command::Outcome;
use crate::support::project::{Project, SPEC};

/// The excerpt and the message at the end, which both clients draw from the same details.
fn end(outcome: &Outcome) -> String {
    let text = without_syntax(&outcome.stderr);
    let from = text.rfind(&format!("\n{SPEC}:")).filter(|at| text[*at..].contains("\n-----"));
    let from = from.or_else(|| text.rfind("\nERROR: ")).unwrap_or(0);
    text[from..].to_owned()
}

/// Both fail with the same words and excerpt.
#[track_caller]
fn same_failure(text: &str, args: &[&str], words: &str) {
    let run = |project: &Project| project.build().args(args).run().failed();
    let (docker, hardpan) = (run(&dockers(text)), run(&ours(text)));
    assert!(end(&docker).contains(words), "{docker}");
    assert_eq!(end(&hardpan), end(&docker), "{hardpan}");
}

#[test]
fn mistakes_in_the_file() {
    same_failure(
        "FROM dhi.io/node:24\nRUNN x\n",
        &[],
        "unknown instruction: RUNN (did you mean RUN?)",
    );
    same_failure("FROM dhi.io/node:24\nCOPY a\n", &[], "COPY requires at least two arguments");
    same_failure("FROM dhi.io/node:24\nUSER\n", &[], "USER requires exactly one argument");
    same_failure("RUN x\nFROM dhi.io/node:24\n", &[], "no build stage in current context");
    same_failure("FROM dhi.io/node:24\nCOPY --from=gone /a /b\n", &[], "gone");
    same_failure("FROM dhi.io/node:24\nCOPY gone /b\n", &[], "\"/gone\": not found");
    same_failure("FROM dhi.io/node:gone\n", &[], "dhi.io/node:gone: not found");
    same_failure("FROM dhi.io/node:24\nRUN <<EOF\nx\n", &[], "EOF");
    same_failure(
        "# check=error=true\nFROM dhi.io/node:24 as last\nMAINTAINER me\n",
        &[],
        "lint violation",
    );
}

#[test]
fn a_step_that_fails() {
    let text = "FROM dhi.io/node:24-dev AS build\nRUN true\nRUN echo said; exit 7\nFROM dhi.io/node:24\nCOPY --from=build /x /y\n";
    same_failure(text, &[], "did not complete successfully: exit code: 7");
    let log = ours(text).build().run().failed().stderr;
    assert!(log.contains("said"), "{log}");
}

#[test]
fn a_target_that_does_not_exist() {
    let text = "FROM dhi.io/node:24 AS app\n";
    let refusal = ours(text).build().args(["--target=gone"]).refused();
    assert!(refusal.text().contains("target stage \"gone\" could not be found"), "{refusal}");
    assert!(!refusal.text().contains("error["), "nothing of ours: {refusal}");
}

#[test]
fn warnings_and_the_files_own_checks() {
    let text = "FROM dhi.io/node:24 as app\nENV A b\n";
    let warnings = |project: &Project| {
        let mut found = project.build().progress().warnings;
        found.sort();
        found
    };
    let docker = warnings(&dockers(text));
    assert_eq!(docker.len(), 2, "{docker:?}");
    assert_eq!(warnings(&ours(text)), docker);
    let quiet = format!("# check=skip=FromAsCasing\n{text}");
    assert_eq!(warnings(&ours(&quiet)).len(), 1);
}

#[test]
fn calls() {
    let text = "# what it is\nARG A=1\nFROM dhi.io/node:24-dev as build\nRUN --mount=type=secret,id=s true\n# the app\nFROM dhi.io/node:24 AS app\nARG A\n";
    for call in [
        "check",
        "outline",
        "targets",
        "check,format=json",
        "targets,format=json",
        "outline,format=json",
        "subrequests.describe",
    ] {
        let run = |project: &Project| {
            let outcome = project.build().args([format!("--call={call}")]).run();
            // The file itself is in the JSON, too; only its first line differs, in base64.
            let text = without_syntax(&outcome.stdout)
                .lines()
                .filter(|line| !line.contains("\"data\"") && line.len() < 300)
                .map(|line| format!("{line}\n"))
                .collect::<String>();
            (outcome.code, text)
        };
        let (docker, hardpan) = (run(&dockers(text)), run(&ours(text)));
        assert!(!docker.1.is_empty(), "{call}");
        assert_eq!(hardpan, docker, "{call}");
    }
}

#[test]
fn a_subfolder_with_its_own_ignore_file() {
    let dockerfile = std::fs::read(ours("FROM dhi.io/node:24\nCOPY . /srv/\n").spec()).unwrap();
    let project = Project::written("base: x")
        .file("deploy/app.Dockerfile", dockerfile)
        .file("deploy/app.Dockerfile.dockerignore", "*.log\nhardpan.yaml\n")
        .file(".dockerignore", "*.txt\n")
        .file("a.log", "1")
        .file("b.txt", "1");
    let listing =
        Build::new(project.path(), &project.path().join("deploy/app.Dockerfile")).push().listing();
    assert_eq!((listing.has("/srv/a.log"), listing.has("/srv/b.txt")), (false, true));
    assert!(!listing.has("/srv/hardpan.yaml") && listing.has("/srv/deploy/app.Dockerfile"));
}

#[test]
fn every_door_leads_to_the_same_image() {
    let project = ours("FROM dhi.io/node:24\nCOPY a.txt ./\n").file("a.txt", "a");
    let header = project.push();
    for door in [Door::Argument, Door::Buildctl] {
        let other = project.build().through(door).push();
        assert_eq!(header.layers, other.layers, "{door:?}");
        assert_eq!(header.run(), other.run(), "{door:?}");
    }
    let plain = dockers("FROM dhi.io/node:24\nCOPY a.txt ./\n").file("a.txt", "a");
    assert_eq!(
        plain.build().through(Door::Argument).push().run()["User"],
        "1000:1000",
        "without the line"
    );
}

#[test]
fn a_dockerfile_on_standard_input() {
    let project = ours("FROM dhi.io/node:24\nCOPY a.txt ./\n").file("a.txt", "a");
    let dockerfile = std::fs::read(project.spec()).unwrap();
    let name = crate::support::build::fresh_name();
    Build::new(project.path(), std::path::Path::new("-"))
        .pushing_to(&name)
        .program("plain")
        .input(dockerfile)
        .run()
        .succeeded();
    let image = crate::support::registry::read_image(&name);
    assert!(image.listing().has("/app/a.txt"));
    assert_eq!(image.run()["User"], "1000:1000");
}

#[test]
fn bake_with_targets_and_a_linked_one() {
    let syntax = &crate::support::environment::environment().syntax;
    let name = crate::support::build::fresh_name();
    let bake = format!(
        "target \"tools\" {{\n  dockerfile = \"tools.Dockerfile\"\n}}\ntarget \"web\" {{\n  dockerfile = \"Dockerfile\"\n  target = \"web\"\n  contexts = {{ tools = \"target:tools\" }}\n  args = {{ WHO = \"bake\" }}\n  output = [\"type=image,name={name},push=true\"]\n}}\n"
    );
    let dockerfile = format!(
        "# syntax={syntax}\nFROM dhi.io/node:24 AS web\nARG WHO\nLABEL who=$WHO\nCOPY --from=tools /out/x /opt/x\nFROM dhi.io/node:24-dev AS other\n"
    );
    let project = Project::written("")
        .file("docker-bake.hcl", bake)
        .file("Dockerfile", dockerfile)
        .file("tools.Dockerfile", "FROM dhi.io/node:24-dev\nRUN mkdir /out && echo x > /out/x\n");
    let builder = &crate::support::environment::environment().builder;
    let program = crate::support::command::Program::new(*crate::support::build::BUILDX);
    let folder = project.path().display();
    let script = project.path().join("docker-bake.hcl");
    program
        .args(["bake", "--builder", builder, "--allow=fs.read=/tmp", "--progress=plain", "-f"])
        .args([script.as_os_str()])
        .args([format!("--set=*.context={folder}"), "web".to_owned()])
        .within(120)
        .run()
        .succeeded();
    let image = crate::support::registry::read_image(&name);
    assert!(image.listing().has("/opt/x"));
    assert_eq!(image.run()["Labels"]["who"], "bake");
    assert_eq!(image.run()["User"], "1000:1000");
}

#[test]
fn arguments_of_hardpan_do_not_reach_the_dockerfile() {
    let text = "FROM dhi.io/node:24-dev AS build\nARG HARDPAN_PROOF\nRUN echo \"[$HARDPAN_PROOF]\" > /x\nFROM dhi.io/node:24\nCOPY --from=build /x /x\n";
    let project = ours(text);
    project.push();
    let again = project
        .build()
        .build_arg("HARDPAN_PROOF=fresh")
        .build_arg("HARDPAN_INPUT=dockerfile")
        .progress();
    assert_eq!(again.run(), ["[proof] inspect the image of the Dockerfile"], "looked at again");
    let refusal = project.build().build_arg("HARDPAN_PROOF=maybe").refused();
    assert_eq!(refusal.errors()[0].code, "OPT-01", "{refusal}");
}

#[test]
fn a_build_without_cache_is_looked_at_again() {
    let project = ours(
        "FROM dhi.io/node:24-dev AS build\nRUN date +%N > /x\nFROM dhi.io/node:24\nCOPY --from=build /x /x\n",
    );
    project.push();
    let run = |args: &[&str]| {
        let progress = project.build().args(args).progress();
        progress.run().iter().any(|name| name.contains("inspect the image"))
    };
    assert!(!run(&[]), "cached");
    assert!(run(&["--no-cache"]));
    assert!(run(&["--no-cache-filter=build"]));
}
