//! What Docker's own frontend says comes through as it is: mistakes, steps that fail, warnings, calls.

use std::path::Path;

use serde_json::Value;

use super::{dockers, ours, settled};
use crate::support::build::{BUILDX, Build, Door, fresh_name};
use crate::support::command::{Outcome, Program};
use crate::support::environment::environment;
use crate::support::image::json;
use crate::support::project::{Project, SPEC};
use crate::support::registry::read_image;
use crate::support::serve::{Repository, archive, serve};

/// The excerpt and the message at the end, which both clients draw from the same details. A mistake
/// without a place is shown at the syntax line, by any frontend that one names.
fn end(project: &Project, outcome: &Outcome) -> String {
    let text = settled(project, &outcome.stderr);
    let message = text.rfind("\nERROR: ").unwrap_or(0);
    let excerpt = text.rfind(&format!("\n{SPEC}:")).filter(|at| text[*at..].contains("\n-----"));
    let excerpt = excerpt.filter(|at| !text[*at..].starts_with(&format!("\n{SPEC}:1\n")));
    text[excerpt.unwrap_or(message)..].to_owned()
}

/// Both fail with the same words and excerpt.
#[track_caller]
fn same_failure(text: &str, args: &[&str], words: &str) {
    let run = |project: Project| end(&project, &project.build().args(args).run().failed());
    let docker = run(dockers(text));
    assert!(docker.contains(words), "{docker}");
    assert_eq!(run(ours(text)), docker);
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
    same_failure("FROM dhi.io/node:24\nCOPY --from=gone /a /b\n", &[], "gone");
    same_failure("FROM dhi.io/node:24\nCOPY gone /b\n", &[], "\"/gone\": not found");
    same_failure("FROM dhi.io/node:gone\n", &[], "dhi.io/node:gone: not found");
    same_failure("FROM dhi.io/node:24\nRUN <<EOF\nx\n", &[], "EOF");
    same_failure(
        // One rule: of several, Docker says the names in any order.
        "# check=error=true\nFROM dhi.io/node:24\nMAINTAINER me\n",
        &[],
        "lint violation found for rules: MaintainerDeprecated",
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
    let run = |project: Project, call: &str| {
        let outcome = project.build().args([format!("--call={call}")]).run();
        (outcome.code, settled(&project, &outcome.stdout))
    };
    for call in ["check", "outline", "targets", "subrequests.describe"] {
        let docker = run(dockers(text), call);
        assert!(!docker.1.is_empty(), "{call}");
        assert_eq!(run(ours(text), call), docker, "{call}");
        // The sources in the JSON hold the file itself and the name of the session.
        let as_json = |project: Project| {
            let (code, text) = run(project, &format!("{call},format=json"));
            let mut answer = json(text.as_bytes());
            if answer.is_object() {
                answer["sources"] = Value::Null;
            }
            (code, answer)
        };
        assert_eq!(as_json(ours(text)), as_json(dockers(text)), "{call}");
    }
    // A call of hardpan's own is none of Docker's.
    let (code, _) = run(ours(text), "plan");
    assert_eq!(code, Some(1));
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
    let name = fresh_name();
    Build::new(project.path(), Path::new("-"))
        .pushing_to(&name)
        .program("plain")
        .input(dockerfile)
        .run()
        .succeeded();
    let image = read_image(&name);
    assert!(image.listing().has("/app/a.txt"));
    assert_eq!(image.run()["User"], "1000:1000");
}

#[test]
fn bake_with_targets_and_linked_ones() {
    let syntax = &environment().syntax;
    let name = fresh_name();
    let bake = format!(
        r#"
        target "tools" {{ dockerfile = "tools.Dockerfile" }}
        target "base" {{ dockerfile = "base.Dockerfile" }}
        target "web" {{
          dockerfile = "Dockerfile"
          target = "web"
          contexts = {{ tools = "target:tools", base = "target:base" }}
          args = {{ WHO = "bake" }}
          output = ["type=image,name={name},push=true"]
        }}
        target "plain" {{
          dockerfile = "plain.Dockerfile"
          contexts = {{ base = "target:base" }}
        }}
        "#
    );
    let dockerfile = format!(
        "# syntax={syntax}\nFROM base AS web\nARG WHO\nLABEL who=$WHO\nCOPY --from=tools /out/x /opt/x\nFROM dhi.io/node:24-dev AS other\n"
    );
    let project = Project::written("")
        .file("docker-bake.hcl", bake)
        .file("Dockerfile", dockerfile)
        .file("plain.Dockerfile", "FROM base\nCOPY --from=base /opt/base /opt/again\n")
        .file(
            "base.Dockerfile",
            format!(
                "# syntax={syntax}\nFROM dhi.io/node:24\nCOPY docker-bake.hcl /opt/base\nENV A=b\n"
            ),
        )
        .file("tools.Dockerfile", "FROM dhi.io/node:24-dev\nRUN mkdir /out && echo x > /out/x\n");
    let script = project.path().join("docker-bake.hcl");
    Program::new(*BUILDX)
        .args(["bake", "--builder", &environment().builder, "--allow=fs.read=/tmp", "-f"])
        .args([script.as_os_str()])
        .args([format!("--set=*.context={}", project.path().display())])
        .args(["--progress=plain", "web", "plain"])
        .within(120)
        .run()
        .succeeded();
    let image = read_image(&name);
    assert!(image.listing().has("/opt/x") && image.listing().has("/opt/base"));
    assert_eq!(image.run()["Labels"]["who"], "bake");
    assert_eq!(image.run()["User"], "1000:1000");
    assert!(image.words("Env").contains(&"A=b"));
}

#[test]
fn arguments_of_hardpan_do_not_reach_the_dockerfile() {
    let text = "FROM dhi.io/node:24-dev AS build\nARG HARDPAN_PROOF\nRUN echo \"[$HARDPAN_PROOF]\" > /x\nFROM dhi.io/node:24\nCOPY --from=build /x /x\n";
    let project = ours(text);
    project.push();
    let again = project.build().build_arg("HARDPAN_PROOF=fresh");
    let again = again.build_arg("HARDPAN_INPUT=dockerfile").progress();
    let run = again.run();
    assert!(run.contains(&"[proof] inspect the image of the Dockerfile"), "{run:?}");
    assert!(run.iter().all(|name| name.starts_with("[proof] ")), "{run:?}");
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
    assert!(run(&[]), "a step was run for it");
    assert!(run(&["--no-cache", "--build-arg=HARDPAN_PROOF=cached"]));
    assert!(run(&["--no-cache-filter=build", "--build-arg=HARDPAN_PROOF=cached"]));
}

#[test]
fn a_dockerfile_in_a_repository_and_in_an_archive() {
    let dockerfile =
        format!("# syntax={}\nFROM dhi.io/node:24\nCOPY a.txt /opt/\n", environment().syntax);
    let files = [("Dockerfile", dockerfile.as_str()), ("a.txt", "a")];
    let repository = Repository::new();
    repository.commit(&files);
    let git = format!("{}#main", repository.address);
    let http = format!("{}/context.tar", serve(archive(&files)));
    for context in [git, http] {
        let image = Build::new(Path::new(&context), Path::new("Dockerfile")).push();
        assert!(image.listing().has("/opt/a.txt"), "{context}");
        assert_eq!(image.run()["User"], "1000:1000", "{context}");
    }
}
