//! Contexts that stand in for a stage.

use super::{context, folder};
use crate::support::build::{Build, Door};
use crate::support::project::Project;

fn project() -> Project {
    Project::new(
        "
        base: node:24
        build:
          made:
            - run: exit 7
          ready:
            base: made
            steps:
              - copy: more.txt
                to: /more.txt
        image:
          - copy: /x.txt
            from: made
          - copy: /more.txt
            from: ready
        entrypoint: [node]
        ",
    )
    .file("more.txt", "more")
}

/// A folder under a name; buildx takes none with a platform.
fn through_buildctl(project: &Project, name: &str, given: &Project) -> Build {
    let local = format!("--local=given={}", folder(given));
    let build = project.build().through(Door::Buildctl);
    build.args([local, format!("--opt=context:{name}=local:given")])
}

#[test]
fn a_context_stands_in_for_a_stage_that_others_continue() {
    let given = Project::written("").file("x.txt", "given");
    for name in ["made", "made::linux/amd64"] {
        let project = project();
        let image = through_buildctl(&project, name, &given).push();
        assert_eq!(image.file("/x.txt"), "given", "{name}");
        assert_eq!(image.file("/more.txt"), "more", "{name}");
    }
}

#[test]
fn a_context_for_another_platform_does_not() {
    let given = Project::written("").file("x.txt", "given");
    let project = project();
    let refusal = through_buildctl(&project, "made::linux/arm64", &given).refused();
    assert_eq!(refusal.errors()[0].code, "BLD-02", "{refusal}");
}

#[test]
fn a_context_is_mounted_into_a_step() {
    let given = Project::written("").file("dir/x.txt", "given");
    let project = Project::new(
        "
        base: node:24
        build:
          - run: cp /given/x.txt x.txt
            bind: {from: extra, source: dir, target: /given}
        image:
          - copy: x.txt
            from: build
        entrypoint: [node]
        ",
    );
    let image = project.build().args([context("extra", &folder(&given))]).push();
    assert_eq!(image.file("/app/x.txt"), "given");
}
