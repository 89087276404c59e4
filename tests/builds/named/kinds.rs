//! What a context may be, where files are copied out of it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use super::{context, digest_in, folder, layout, on_static};
use crate::support::build::{Build, Door, fresh_name};
use crate::support::image::Image;
use crate::support::project::Project;
use crate::support::serve::{Repository, archive, serve};

const COPY: &str = "  - copy: data/x.txt\n    from: extra\n    to: /srv/x.txt\n";

/// Builds a copy of `data/x.txt` out of a context.
#[track_caller]
fn copied(value: &str) -> Image {
    on_static(COPY).build().args([context("extra", value)]).push()
}

#[test]
fn a_folder_without_what_its_own_ignore_file_names() {
    let extra = Project::written("")
        .file("a.txt", "a")
        .file("b.txt", "b")
        .file(".dockerignore", "b.txt\nhardpan.yaml\n.dockerignore\n");
    let project = on_static("  - copy: .\n    from: extra\n    to: /srv\n")
        .file("hardpan.yaml.dockerignore", "a.txt\n");
    let listing = project.build().args([context("extra", &folder(&extra))]).push().listing();
    let found = |name: &str| listing.has(&format!("/srv/{name}"));
    assert_eq!([found("a.txt"), found("b.txt"), found("hardpan.yaml")], [true, false, false]);
}

#[test]
fn of_a_folder_only_what_is_used_is_sent() {
    let noise: Vec<u8> =
        (0_u32..8 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let extra = Project::written("").file("data/x.txt", fresh_name()).file("data/huge.bin", &noise);
    let project = on_static(COPY);
    let progress = project.build().args([context("extra", &folder(&extra))]).progress();
    assert!(progress.sent() < 4 << 20, "{} bytes were sent", progress.sent());
}

#[test]
fn an_image() {
    let name = fresh_name();
    let dockerfile = "FROM dhi.io/static:20250419-glibc\nCOPY x.txt /data/\n";
    let project = Project::written(dockerfile).file("x.txt", "of an image");
    project.build().pushing_to(&name).run().succeeded();
    assert_eq!(copied(&format!("docker-image://{name}")).file("/srv/x.txt"), "of an image");
}

#[test]
fn nothing_at_all() {
    let project = on_static("  - copy: x*\n    from: extra\n    optional: true\n");
    let image = project.build().args([context("extra", "docker-image://scratch")]).push();
    assert!(!image.listing().has("/x"));
}

#[test]
fn an_oci_layout_by_tag_digest_or_neither() {
    let layout =
        layout("FROM dhi.io/node:24-dev\nRUN mkdir /data && echo laid out > /data/x.txt\n");
    let path = layout.path().display();
    let digest = digest_in(layout.path());
    for value in [format!("oci-layout://{path}"), format!("oci-layout://{path}@{digest}")] {
        assert_eq!(copied(&value).file("/srv/x.txt"), "laid out\n", "{value}");
    }
}

#[test]
fn an_oci_layout_through_buildctl() {
    let layout =
        layout("FROM dhi.io/node:24-dev\nRUN mkdir /data && echo laid out > /data/x.txt\n");
    let digest = digest_in(layout.path());
    for reference in [format!("store@{digest}"), format!("store:1@{digest}")] {
        let image = on_static(COPY)
            .build()
            .through(Door::Buildctl)
            .args([
                format!("--oci-layout=store={}", layout.path().display()),
                format!("--opt=context:extra=oci-layout://{reference}"),
            ])
            .push();
        assert_eq!(image.file("/srv/x.txt"), "laid out\n", "{reference}");
    }
}

#[test]
fn a_repository_at_a_branch_tag_or_commit() {
    let repository = Repository::new();
    let first = repository.commit(&[("data/x.txt", "first"), ("sub/data/x.txt", "below")]);
    repository.git("tag -a v1 -m v1");
    repository.git("tag light");
    repository.commit(&[("data/x.txt", "second")]);
    let address = &repository.address;
    for (tail, content) in [
        (String::new(), "second"),
        ("#main".to_owned(), "second"),
        ("#v1".to_owned(), "first"),
        ("#light".to_owned(), "first"),
        (format!("#{first}"), "first"),
        ("#v1:sub".to_owned(), "below"),
        ("?tag=v1&subdir=sub".to_owned(), "below"),
        (format!("?branch=main&checksum={}", repository.git("rev-parse HEAD")), "second"),
    ] {
        let image = copied(&format!("{address}{tail}"));
        assert_eq!(image.file("/srv/x.txt"), content, "{tail}");
        assert!(!image.listing().has("/srv/.git"));
    }
}

#[test]
fn a_file_from_the_web_stays_a_file() {
    let address = serve(b"just text".to_vec());
    let project = on_static("  - copy: context\n    from: extra\n    to: /srv/x.txt\n");
    let image = project.build().args([context("extra", &format!("{address}/any"))]).push();
    assert_eq!(image.file("/srv/x.txt"), "just text");
}

#[test]
fn an_archive_from_the_web_is_unpacked() {
    let plain = archive(&[("data/x.txt", "unpacked")]);
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    compressed.write_all(&plain).unwrap();
    for bytes in [plain, compressed.finish().unwrap()] {
        let image = copied(&format!("{}/any", serve(bytes)));
        assert_eq!(image.file("/srv/x.txt"), "unpacked");
    }
}

/// What the provenance of a build says about the sources in its graph.
fn provenance(build: &Build) -> String {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("metadata.json");
    let build = build.program("plain").args([format!("--metadata-file={}", file.display())]);
    build.env("BUILDX_METADATA_PROVENANCE", "max").run().succeeded();
    let metadata: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    metadata["buildx.build.provenance"].to_string()
}

#[test]
fn what_has_no_checksum_is_pinned() {
    let repository = Repository::new();
    let commit = repository.commit(&[("data/x.txt", "x")]);
    let bytes = archive(&[("data/x.txt", "x")]);
    let digest = crate::support::image::digest(&bytes);
    for (value, pin) in [
        (repository.address.clone(), format!("\"git.checksum\":\"{commit}\"")),
        (format!("{}/x", serve(bytes)), format!("\"http.checksum\":\"{digest}\"")),
    ] {
        let project = on_static(COPY);
        let build = project.build().args([context("extra", &value)]);
        let found = provenance(&build.args(["--provenance=mode=max"]));
        assert!(found.contains(&pin), "{pin}: {found}");
    }
}
