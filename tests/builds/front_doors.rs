//! The same spec through every door and into every output: always the same image.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::{read_docker, read_oci};
use crate::support::build::Door;
use crate::support::image::Image;
use crate::support::listing::Listing;
use crate::support::project::Project;

fn project() -> Project {
    Project::new(
        "
        base: node:24
        build:
          - copy: src
          - run: cp -r src out
        image:
          - copy: out
            from: build
          - copy: server.mjs
        env: {A: b}
        writable: data
        expose: 3000
        entrypoint: [node, server.mjs]
        ",
    )
    .file("src/a.txt", "a")
    .file("src/deep/b.txt", "b")
    .file("server.mjs", "import 'node:http'")
}

/// The config without what says when it was made.
fn settled(image: &Image) -> Value {
    let mut config = image.config.clone();
    config["created"] = Value::Null;
    for entry in config["history"].as_array_mut().into_iter().flatten() {
        entry["created"] = Value::Null;
    }
    config
}

fn assert_same(one: &Image, other: &Image, what: &str) {
    one.listing().assert_same(&other.listing(), what);
    assert_eq!(settled(one)["config"], settled(other)["config"], "{what}");
    assert_eq!(settled(one), settled(other), "{what}");
}

#[test]
fn the_syntax_line_the_argument_and_buildctl_give_the_same_image() {
    let project = project();
    let header = project.build().push();
    assert!(header.listing().has("/app/out/deep/b.txt"));
    for door in [Door::Argument, Door::Buildctl] {
        let other = project.build().through(door).push();
        assert_same(&header, &other, &format!("{door:?}"));
        assert_eq!(header.layers, other.layers, "{door:?}");
    }
}

#[test]
fn a_spec_without_a_syntax_line_is_built_by_the_argument() {
    let project = Project::written("base: node:24\nentrypoint: [node]\n");
    let image = project.build().through(Door::Argument).push();
    assert_eq!(image.words("Entrypoint"), ["node"]);
}

#[test]
fn every_output_holds_the_same_image() {
    let (project, folder) = (project(), TempDir::new().unwrap());
    let path = |name: &str| folder.path().join(name);
    let pushed = project.build().push();
    let output =
        |kind: &str, name: &str| format!("--output=type={kind},dest={}", path(name).display());

    project.build().args([output("oci", "oci.tar")]).run().succeeded();
    assert_same(&pushed, &read_oci(&path("oci.tar")), "OCI tar");

    project.build().args([output("docker", "docker.tar")]).run().succeeded();
    assert_same(&pushed, &read_docker(&path("docker.tar")), "docker tar");

    project.build().args([output("local", "rootfs")]).run().succeeded();
    let exported = Listing::of_folder(&path("rootfs"));
    pushed.listing().owned_by(0, 0).assert_same(&exported.owned_by(0, 0), "local folder");

    project.build().args([output("tar", "rootfs.tar")]).run().succeeded();
    let mut flat = Listing::default();
    let bytes = std::fs::read(path("rootfs.tar")).unwrap();
    flat.apply(0, &crate::support::listing::read_layer(&bytes));
    pushed.listing().assert_same(&flat, "tar of the root file system");
}

#[test]
fn buildctl_writes_the_same_outputs() {
    let (project, folder) = (project(), TempDir::new().unwrap());
    let oci = folder.path().join("oci.tar");
    let output = format!("--output=type=oci,dest={}", oci.display());
    project.build().through(Door::Buildctl).args([output]).run().succeeded();
    assert_same(&project.build().push(), &read_oci(&oci), "OCI tar");
}

#[test]
fn stdout_is_the_digest_alone_with_quiet() {
    let project = project();
    let name = crate::support::build::fresh_name();
    let outcome = project.build().pushing_to(&name).args(["-q"]).program("quiet").run().succeeded();
    assert!(
        outcome.stdout.starts_with("sha256:") && outcome.stdout.trim().len() == 71,
        "{outcome}"
    );
}
