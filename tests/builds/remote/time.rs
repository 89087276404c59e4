//! `SOURCE_DATE_EPOCH` as a name: the time of what it stands for.

use std::fs;
use std::path::Path;

use super::{build, buildctl, fed, project, pushed};
use crate::support::build::Build;
use crate::support::image::Image;
use crate::support::project::{Project, SPEC};
use crate::support::site::{COMMIT_TIME, Site, archive};

const COMMITTED: &str = "2024-01-02T03:04:05Z";
/// One second earlier.
const CHANGED: &str = "Tue, 02 Jan 2024 03:04:04 GMT";

fn created(image: &Image) -> &str {
    image.config["created"].as_str().unwrap_or_default()
}

/// The same project whose files were all changed at a time, but for links and folders.
fn dated(project: Project, seconds: i64) -> Project {
    fn set(folder: &Path, seconds: i64) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                set(&path, seconds);
            } else {
                let time = std::time::UNIX_EPOCH
                    + std::time::Duration::from_secs(u64::try_from(seconds).unwrap());
                fs::File::open(&path).unwrap().set_modified(time).unwrap();
            }
        }
    }
    set(project.path(), seconds);
    project
}

#[test]
fn a_repository_gives_the_time_of_its_commit() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    let image = build(&address).build_arg("SOURCE_DATE_EPOCH=context").push();
    assert_eq!(created(&image), COMMITTED);
    let image = build(&format!("{address}#v1:deep")).build_arg("SOURCE_DATE_EPOCH=context").push();
    assert_eq!(created(&image), COMMITTED);
}

#[test]
fn the_exporter_learns_a_time_that_has_a_name() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    let context = format!("context={address}");
    let options = [&context, "filename=hardpan.yaml", "build-arg:SOURCE_DATE_EPOCH=context"];
    let name = crate::support::build::fresh_name();
    let output = format!("--output=type=image,name={name},push=true,rewrite-timestamp=true");
    buildctl(&options).args([output]).run().succeeded();
    let image = crate::support::registry::read_image(&name);
    let own = &image.layers[image.layers.len() - 1..];
    for layer in own {
        let tar = image.uncompressed(layer);
        for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
            let time = entry.unwrap().header().mtime().unwrap();
            assert!(time <= u64::try_from(COMMIT_TIME).unwrap(), "{time}");
        }
    }
}

#[test]
fn a_server_says_when_a_file_was_changed() {
    let (site, project) = (Site::new(), project());
    let address = site.file_changed("shop.tar", archive(project.path(), ""), CHANGED);
    let image = build(&address).build_arg("SOURCE_DATE_EPOCH=context").push();
    assert_eq!(created(&image), "2024-01-02T03:04:04Z");
}

#[test]
fn an_archive_is_as_old_as_its_newest_file() {
    let (site, project) = (Site::new(), dated(project(), 1_600_000_000));
    let file = fs::File::open(project.path().join("deep/b.txt")).unwrap();
    let newest = std::time::Duration::from_secs(1_600_000_060);
    file.set_modified(std::time::UNIX_EPOCH + newest).unwrap();
    for packer in ["", "gzip"] {
        let packed = archive(project.path(), packer);
        let address = site.file(&format!("shop{packer}"), packed.clone());
        let image = build(&address).build_arg("SOURCE_DATE_EPOCH=context").push();
        assert_eq!(created(&image), "2020-09-13T12:27:40Z", "{packer}");
        let args = ["-f", SPEC, "--build-arg=SOURCE_DATE_EPOCH=context", "-"];
        let image = pushed(fed(&args, packed, project.path()));
        assert_eq!(created(&image), "2020-09-13T12:27:40Z", "{packer} on stdin");
    }
}

#[test]
fn stages_and_named_contexts_give_their_time() {
    let (site, other) = (Site::new(), project());
    let repository = site.repository("shop", other.path());
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let project = Project::new(&format!(
        "
        base: node:24
        args: {{SOURCE_DATE_EPOCH: null}}
        build:
          release:
            - add: {}#{commit}
          told:
            - run: echo \"$SOURCE_DATE_EPOCH\" > told
              args: [SOURCE_DATE_EPOCH]
        image:
          - copy: told
            from: told
        entrypoint: [node]
        ",
        repository.address
    ));
    let image = project.build().build_arg("SOURCE_DATE_EPOCH=Release").push();
    assert_eq!(created(&image), COMMITTED);
    assert_eq!(image.file("/app/told").trim(), COMMIT_TIME.to_string());
    let context = format!("--build-context=sources={}#v1", repository.address);
    let named = project.build().args([context]).build_arg("SOURCE_DATE_EPOCH=sources");
    assert_eq!(created(&named.push()), COMMITTED);
    let number = project.build().build_arg("SOURCE_DATE_EPOCH=1600000000").push();
    assert_eq!(created(&number), "2020-09-13T12:26:40Z");
    assert_eq!(number.file("/app/told").trim(), "1600000000");
}

#[test]
fn a_name_without_a_time_is_a_warning() {
    let project = project();
    let build = |args: &[&str]| -> Build {
        project.build().args(args.iter().copied()).build_arg("SOURCE_DATE_EPOCH=context")
    };
    let outcome = build(&[]).run().succeeded();
    assert!(outcome.stderr.contains("SOURCE_DATE_EPOCH is not set"), "{outcome}");
    // Nothing else changes.
    assert_ne!(created(&build(&[]).push()), COMMITTED);
}

#[test]
fn a_name_that_stands_for_nothing_is_refused() {
    let project = Project::new(
        "
        base: node:24
        build:
          busy:
            - run: date > x
        image:
          - copy: x
            from: busy
        entrypoint: [node]
        ",
    );
    for (name, words) in [("soon", "cannot be \"soon\""), ("busy", "does more than fetch")] {
        let refusal = project.build().build_arg(&format!("SOURCE_DATE_EPOCH={name}")).refused();
        assert_eq!(refusal.errors()[0].code, "OPT-01", "{refusal}");
        assert!(refusal.errors()[0].message.contains(words), "{refusal}");
    }
}
