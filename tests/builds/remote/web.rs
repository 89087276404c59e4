//! Contexts from a web server: archives, and files that are a spec.

use super::{ALL, DEEP, build, buildctl, files, project, pushed};
use crate::support::build::Door;
use crate::support::project::Project;
use crate::support::site::{Site, archive};

#[test]
fn an_archive_is_context_and_spec_however_it_is_packed() {
    let (site, project) = (Site::new(), project());
    for packer in ["", "gzip", "bzip2", "xz", "zstd"] {
        let address = site.file("context", archive(project.path(), packer));
        let context = format!("context={address}?{packer}");
        let image = pushed(buildctl(&[&context, "filename=hardpan.yaml"]));
        assert_eq!(files(&image), ALL, "{packer}");
    }
}

#[test]
fn an_archive_is_built_by_docker() {
    let (site, project) = (Site::new(), project());
    let address = site.file("shop.tar.gz", archive(project.path(), "gzip"));
    for door in [Door::Header, Door::Argument] {
        assert_eq!(files(&build(&address).through(door).push()), ALL, "{door:?}");
    }
    let context = format!("context={address}");
    let options = [&context, "contextsubdir=deep", "filename=deep/hardpan.yaml"];
    assert_eq!(files(&pushed(buildctl(&options))), DEEP);
}

#[test]
fn a_file_that_is_no_archive_is_the_spec() {
    let site = Site::new();
    let project = Project::new("base: node:24\nenv: {A: web}\nentrypoint: [node]\n");
    let address = site.file("any.name", std::fs::read(project.spec()).unwrap());
    let image = build(&address).through(Door::Argument).push();
    assert!(image.words("Env").contains(&"A=web"));
    let image = pushed(buildctl(&[&format!("context={address}")]));
    assert!(image.words("Env").contains(&"A=web"));
}

#[test]
fn the_client_may_have_the_spec_of_an_archive() {
    let (site, project) = (Site::new(), project());
    let address = site.file("shop.tar", archive(project.path(), ""));
    let own = Project::new("base: node:24\nimage:\n  - copy: deep/b.txt\nentrypoint: [node]\n");
    let local = format!("--local=dockerfile={}", own.path().display());
    let context = format!("context={address}");
    let options = [&context, "dockerfilekey=dockerfile", "filename=hardpan.yaml"];
    assert!(pushed(buildctl(&options).args([local])).listing().has("/app/deep/b.txt"));
}
