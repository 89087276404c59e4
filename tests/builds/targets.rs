//! `--target app/stage`: the files of a stage, handed out for debugging and for taking something
//! out, so marked that they never pass for the product.

use std::fs;

use tempfile::TempDir;

use crate::support::archive::read_oci;
use crate::support::build::Door;
use crate::support::build::fresh_name;
use crate::support::container::Container;
use crate::support::image::Image;
use crate::support::project::Project;

/// The small image has no shell; a stage needs none to place files.
const SPEC: &str = "
    base: {runtime: static:20250419}
    env: {OF_APP: a}
    labels: {of: app}
    build:
      common:
        base: dhi.io/static:20250419-glibc
        workdir: /work
        env: {OF_STAGE: s}
        steps:
          - copy: common.txt
      tool:
        base: common
        steps:
          - copy: tool
          - write: notes/made
            content: made
    apps:
      web:
        image:
          - copy: /work/tool
            from: tool
            to: /srv/tool
        expose: 80
        volumes: [/data]
        healthcheck: [/srv/tool]
        entrypoint: [/srv/tool]
      other:
        image:
          - copy: /work/tool
            from: common
            to: /srv/tool
        entrypoint: [/srv/tool]
    ";

fn project() -> Project {
    Project::new(SPEC).file("common.txt", "common").program("tool", "/bin/true")
}

/// What every handed out stage is.
fn is_marked(image: &Image, name: &str) {
    assert_eq!(image.run()["Labels"]["io.hardpan.stage"], name);
    assert_eq!(image.manifest["annotations"]["io.hardpan.stage"], name);
    assert_eq!(image.run()["Labels"]["of"], serde_json::Value::Null, "no label of the app");
    assert_eq!(image.words("Entrypoint"), ["/dev/null/this-is-a-stage-and-no-app"]);
    assert_eq!(image.words("Cmd"), [""; 0]);
    for key in ["ExposedPorts", "Volumes", "Healthcheck"] {
        assert_eq!(image.run()[key], serde_json::Value::Null, "{key}");
    }
    assert_eq!(image.run()["User"], "0:0");
    assert_eq!(image.statements().len(), 0, "nothing is said in its favour");
}

#[test]
fn a_stage_is_handed_out_marked_and_with_a_warning() {
    let project = project();
    let name = fresh_name();
    let build = project.build().args(["--target=web/tool", "--provenance=false"]);
    let progress = build.pushing_to(&name).progress();
    let warnings: Vec<&String> =
        progress.warnings.iter().filter(|text| text.contains("SPEC-20")).collect();
    assert_eq!(warnings.len(), 1, "{:?}", progress.warnings);
    assert!(warnings[0].contains("`web/tool` is a stage"), "{warnings:?}");
    let proofs: Vec<&str> =
        progress.names().into_iter().filter(|name| name.contains("proof")).collect();
    assert_eq!(proofs, [""; 0], "nothing is proven");
    let image = crate::support::registry::read_image(&name);
    is_marked(&image, "web/tool");
    assert_eq!(image.run()["WorkingDir"], "/work");
    let env = image.words("Env");
    assert!(env.contains(&"OF_STAGE=s") && !env.contains(&"OF_APP=a"), "{env:?}");
    assert_eq!(
        (image.file("/work/common.txt"), image.file("/work/notes/made")),
        ("common".into(), "made".into())
    );
    assert!(image.listing().has("/work/tool"));
}

#[test]
fn what_a_stage_would_start_cannot_be_started() {
    let image = project().build().args(["--target=web/tool"]).push();
    let outcome = Container::start(&image, &[]).wait().failed();
    assert!(outcome.stderr.contains("/dev/null/this-is-a-stage-and-no-app"), "{outcome}");
    // With a command of one's own it starts: that is what debugging needs.
    Container::start_with(&image, &["/work/tool"], &[]).wait().succeeded();
}

#[test]
fn the_files_of_a_stage_are_written_where_they_are_wanted() {
    let (project, folder) = (project(), TempDir::new().unwrap());
    let path = |name: &str| folder.path().join(name);
    let build = |target: &str, output: &str| {
        let outcome = project
            .build()
            .args([format!("--target={target}"), format!("--output={output}")])
            .run()
            .succeeded();
        assert_eq!(outcome.stdout, "", "warnings are no part of the answer");
    };
    build("web/tool", &format!("{}", path("files").display()));
    assert_eq!(fs::read_to_string(path("files/work/notes/made")).unwrap(), "made");
    assert!(path("files/work/tool").exists() && path("files/etc/passwd").exists());
    build("other/common", &format!("type=tar,dest={}", path("files.tar").display()));
    let archive = fs::read(path("files.tar")).unwrap();
    let layer = crate::support::listing::read_layer(&archive);
    let has = |path: &str| layer.entries.iter().any(|(entry, _)| entry == path);
    assert!(has("work/common.txt") && !has("work/tool"));
    build("web/tool", &format!("type=oci,dest={}", path("oci.tar").display()));
    assert_eq!(read_oci(&path("oci.tar")).run()["Labels"]["io.hardpan.stage"], "web/tool");
}

#[test]
fn several_platforms_give_a_stage_for_each() {
    let spec = "
        base: {runtime: static:20250419}
        build:
          platform: build
          base: dhi.io/static:20250419
          steps:
            - write: /which
              content: one
            - copy: file
              to: /for-${TARGETARCH}
        image:
          - copy: /which
            from: build
        entrypoint: [/which]
    ";
    let (project, folder) = (Project::new(spec).file("file", "x"), TempDir::new().unwrap());
    let output = format!("--output={}", folder.path().display());
    let build = project.build().args(["--target=build", "--platform=linux/amd64,linux/arm64"]);
    let progress = build.args([output]).progress();
    for (platform, architecture) in [("linux_amd64", "amd64"), ("linux_arm64", "arm64")] {
        let root = folder.path().join(platform);
        assert!(root.join(format!("for-{architecture}")).exists(), "{platform}");
        assert_eq!(fs::read_to_string(root.join("which")).unwrap(), "one");
    }
    assert_eq!(progress.warnings.iter().filter(|text| text.contains("SPEC-20")).count(), 1);
}

#[test]
fn a_file_without_apps_has_its_stages_as_targets() {
    let spec = "
        base: {runtime: static:20250419-glibc}
        build:
          make:
            base: dhi.io/static:20250419
            steps:
              - write: /made
                content: made
        image:
          - copy: /made
            from: make
          - copy: tool
            to: /tool
        entrypoint: [/tool]
    ";
    let project = Project::new(spec).program("tool", "/bin/true");
    for (target, entrypoint) in [
        ("make", "/dev/null/this-is-a-stage-and-no-app"),
        ("app/make", "/dev/null/this-is-a-stage-and-no-app"),
        ("app", "/tool"),
        ("", "/tool"),
    ] {
        // buildx leaves an empty target out.
        let build =
            project.build().through(Door::Buildctl).args([format!("--opt=target={target}")]);
        let name = fresh_name();
        build.args([format!("--output=type=image,name={name},push=true")]).run().succeeded();
        let image = crate::support::registry::read_image(&name);
        assert_eq!(image.words("Entrypoint"), [entrypoint], "{target:?}");
    }
}

#[test]
fn a_stage_can_be_taken_out_of_an_app_that_is_refused() {
    let spec = "
        base: {runtime: static:20250419-glibc}
        build:
          make:
            base: dhi.io/static:20250419
            steps: [copy: tool]
        image:
          - copy: sh
            to: /bin/sh
          - copy: /tool
            from: make
        entrypoint: [/tool]
    ";
    let project = Project::new(spec).program("tool", "/bin/true").program("sh", "/bin/sh");
    project.refused();
    project.build().args(["--target=make"]).run().succeeded();
}

#[test]
fn a_stage_is_no_base_to_ship_on() {
    let name = fresh_name();
    let stage = project();
    let build = stage.build().args(["--target=web/tool"]);
    build.pushing_to(&name).run().succeeded();
    let spec = format!("base: {{runtime: \"{name}\"}}\nimage: [copy: tool]\nentrypoint: [/tool]\n");
    let project = Project::new(&spec).program("tool", "/bin/true");
    let refusal = project.refused();
    let errors = refusal.errors();
    assert_eq!(errors.len(), 1, "{refusal}");
    assert_eq!(errors[0].code, "REF-04");
    assert!(errors[0].message.contains("the stage `web/tool`"), "{refusal}");
}

#[test]
fn calls_know_stages() {
    let project = project();
    let call = |call: &str, target: &str| {
        let args = [format!("--call={call}"), format!("--target={target}")];
        project.build().args(args).run().succeeded().stdout
    };
    let targets = call("targets", "");
    for name in ["web (default)", "other", "web/common", "web/tool", "other/common"] {
        assert!(targets.lines().any(|line| line.starts_with(name)), "{name} in\n{targets}");
    }
    assert!(!targets.contains("other/tool"), "it does not need that\n{targets}");
    assert!(call("outline", "web/tool").contains("web/tool"));
    let plan = call("plan", "web/tool");
    assert!(plan.starts_with("stage web/tool for linux/amd64\n"), "{plan}");
    assert!(plan.contains("starts from dhi.io/static:20250419-glibc@sha256:"), "{plan}");
    assert!(plan.contains("io.hardpan.stage"), "{plan}");
    let graph = call("llb", "other/common");
    assert!(graph.contains("common.txt") && !graph.contains("MERGE"), "{graph}");
}

#[test]
fn no_cache_filter_runs_the_steps_of_a_stage_again() {
    let spec = "
        base: node:24
        build:
          kept:
            - run: |
                : UNIQUE
                date +%s%N > kept
          again:
            - run: |
                : UNIQUE
                date +%s%N > again
        image:
          - copy: kept
            from: kept
          - copy: again
            from: again
        entrypoint: [node]
        ";
    let project = Project::new(&spec.replace("UNIQUE", &fresh_name()));
    let built = || project.build().args(["--no-cache-filter=again"]).push();
    let (first, second) = (built(), built());
    assert_eq!(first.file("/app/kept"), second.file("/app/kept"));
    assert_ne!(first.file("/app/again"), second.file("/app/again"));
}
