//! Contexts that stand in for a base: of an app, of a stage, of the frontend itself.

use tempfile::TempDir;

use super::{build_layout, context, folder, layout, on_static};
use crate::support::build::{Door, fresh_name};
use crate::support::environment::environment;
use crate::support::project::Project;
use crate::support::registry::read_base;
use crate::support::serve::{archive, serve};

#[test]
fn an_oci_layout_is_shipped_on() {
    let layout = layout("FROM dhi.io/static:20250419-glibc\nLABEL mine=yes\n");
    let value = format!("oci-layout://{}", layout.path().display());
    for name in ["static:20250419", "dhi.io/static:20250419"] {
        let image = on_static("").build().args([context(name, &value)]).push();
        assert_eq!(image.run()["Labels"]["mine"], "yes", "{name}");
    }
}

#[test]
fn the_image_that_is_built_in_has_a_name_of_its_own() {
    let name = fresh_name();
    let dockerfile = "FROM dhi.io/node:24-dev\nRUN echo mine > /marker\n";
    Project::written(dockerfile).build().pushing_to(&name).run().succeeded();
    let project = Project::new(
        "
        base: node:24
        build:
          - run: cp /marker marker
        image:
          - copy: marker
            from: build
        entrypoint: [node]
        ",
    );
    let value = format!("docker-image://{name}");
    for half in ["node:24-dev", "dhi.io/node:24-dev"] {
        let image = project.build().args([context(half, &value)]).push();
        assert_eq!(image.file("/app/marker"), "mine\n", "{half}");
        let base = read_base("dhi.io/node:24");
        assert_eq!(image.layers[..base.layers.len()], base.layers, "{half}");
    }
}

#[test]
fn a_stage_may_name_a_context_that_is_no_image_of_the_catalogue() {
    let tools = layout("FROM dhi.io/node:24-dev\nRUN echo mine > /marker\n");
    let project = Project::new(
        "
        base: node:24
        build:
          made:
            base: tools
            steps:
              - run: cp /marker marker
        image:
          - copy: marker
            from: made
        entrypoint: [node]
        ",
    );
    let value = format!("oci-layout://{}", tools.path().display());
    let image = project.build().args([context("tools", &value)]).push();
    assert_eq!(image.file("/app/marker"), "mine\n");
}

#[test]
fn a_stage_may_start_from_files_alone() {
    let project = Project::new(
        "
        base: {runtime: static:20250419}
        build:
          gathered:
            base: files
            steps:
              - copy: y.txt
                to: /srv/y.txt
        image:
          - copy: start
          - copy: /srv
            from: gathered
            to: /srv
        entrypoint: [./start]
        ",
    )
    .program("start", "/sbin/ldconfig")
    .file("y.txt", "y");
    let files = Project::written("").file("srv/x.txt", "x");
    let web = format!("{}/x", serve(archive(&[("srv/x.txt", "x")])));
    for value in [folder(&files), web, "docker-image://scratch".to_owned()] {
        let image = project.build().args([context("files", &value)]).push();
        assert_eq!(image.file("/srv/y.txt"), "y");
        assert_eq!(image.listing().has("/srv/x.txt"), !value.ends_with("scratch"), "{value}");
    }
}

#[test]
fn the_variant_for_the_platform_wins() {
    let good = "docker-image://dhi.io/static:20250419-glibc";
    let bad = "docker-image://dhi.io/bad-root:1";
    let opt = |name: &str, value: &str| format!("--opt=context:{name}={value}");
    for (first, second) in [
        (opt("static:20250419", bad), opt("static:20250419::linux/amd64", good)),
        (opt("static:20250419::linux/arm64", bad), opt("static:20250419", good)),
    ] {
        let image = on_static("").build().through(Door::Buildctl).args([first, second]).push();
        let base = read_base("dhi.io/static:20250419-glibc");
        assert_eq!(image.layers[..base.layers.len()], base.layers);
    }
}

#[test]
fn the_frontend_itself_comes_from_a_folder() {
    let frontend = TempDir::new().unwrap();
    let dockerfile = format!("FROM {}\n", environment().syntax);
    build_layout(Project::written(&dockerfile).build(), frontend.path());
    let spec = "# syntax=registry.invalid/hardpan:mine\nbase: node:24\nentrypoint: [node]\n";
    let value = format!("oci-layout://{}", frontend.path().display());
    let project = Project::written(spec);
    let given = context("registry.invalid/hardpan:mine", &value);
    let image = project.build().args([given]).push();
    assert_eq!(image.words("Entrypoint"), ["node"]);
}
