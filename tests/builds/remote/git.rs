//! Contexts from git repositories.

use super::{ALL, DEEP, build, buildctl, fed, files, project, pushed};
use crate::support::build::{Build, Door};
use crate::support::project::Project;
use crate::support::serve;
use crate::support::site::Site;

#[test]
fn a_repository_is_context_and_spec_through_every_door() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    for door in [Door::Header, Door::Argument] {
        assert_eq!(files(&build(&address).through(door).push()), ALL, "{door:?}");
    }
    let image = pushed(buildctl(&[&format!("context={address}"), "filename=hardpan.yaml"]));
    assert_eq!(files(&image), ALL);
}

#[test]
fn an_address_names_reference_folder_and_commit() {
    let (site, project) = (Site::new(), project());
    let repository = site.repository("shop", project.path());
    let first = repository.git(&["rev-parse", "HEAD"]);
    let project = project.file("new.txt", "new");
    let second = repository.commit();
    repository.git(&["branch", "other", "v1"]);
    repository.publish();
    let with_new = [&ALL[..], &["new.txt"]].concat();
    for (rest, expected) in [
        (String::new(), &with_new[..]),
        ("#v1".to_owned(), &ALL),
        ("#other".to_owned(), &ALL),
        (format!("#{first}"), &ALL),
        ("#v1:deep".to_owned(), &DEEP),
        ("#:/deep/".to_owned(), &DEEP),
        ("?tag=v1".to_owned(), &ALL),
        ("?branch=main&subdir=deep".to_owned(), &DEEP),
        (format!("?ref=main&checksum={second}"), &with_new),
        (format!("?commit={}#main", &second[..12]), &with_new),
    ] {
        let context = format!("context={}{rest}", repository.address);
        let image = pushed(buildctl(&[&context, "filename=hardpan.yaml"]));
        assert_eq!(files(&image), expected, "{rest}");
    }
    // buildx looks at the query itself.
    let address = format!("{}?tag=v1&subdir=deep", repository.address);
    assert_eq!(files(&build(&address).push()), DEEP);
    drop(project);
}

#[test]
fn gits_own_protocol_is_spoken() {
    let repository = serve::Repository::new();
    let spec = format!(
        "# syntax={}\nbase: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n",
        crate::support::environment::environment().syntax
    );
    repository.commit(&[("hardpan.yaml", &spec), ("a.txt", "a")]);
    assert!(build(&repository.address).push().listing().has("/app/a.txt"));
}

#[test]
fn the_repository_itself_is_kept_when_asked() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    assert!(!build(&address).push().listing().has("/srv/.git/HEAD"));
    // That it came along is told by the check that lets none into an image.
    let has_git = |build: Build| {
        let refusal = build.refused();
        assert_eq!(refusal.errors()[0].code, "PKG-08", "{refusal}");
    };
    has_git(build(&address).build_arg("BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"));
    has_git(build(&format!("{address}?keep-git-dir=true")));
}

#[test]
fn submodules_come_along_unless_they_are_not_wanted() {
    let site = Site::new();
    let part = Project::written("part").file("part.txt", "p");
    let part = site.repository("part", part.path());
    let project = project();
    let repository = site.repository("shop", project.path());
    let commit = part.git(&["rev-parse", "HEAD"]);
    let _project = project.file(
        ".gitmodules",
        format!("[submodule \"part\"]\n\tpath = part\n\turl = {}\n", part.address),
    );
    let entry = format!("160000,{commit},part");
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repository.git(&["add", ".gitmodules"]);
    repository.git(&["commit", "--quiet", "--message=submodule"]);
    repository.publish();
    let has_part = |query: &str| {
        let context = format!("context={}{query}", repository.address);
        let image = pushed(buildctl(&[&context, "filename=hardpan.yaml"]));
        files(&image).contains(&"part/part.txt".to_owned())
    };
    assert!(has_part(""));
    assert!(!has_part("?submodules=false"));
}

#[test]
fn the_client_may_have_the_spec_of_a_repository() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    let own = Project::new("base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n");
    let image = Build::new(address.as_ref(), &own.spec()).push();
    assert!(image.listing().has("/app/a.txt"));
    // …and on stdin.
    let spec = std::fs::read(own.spec()).unwrap();
    let image = pushed(fed(&["-f", "-", &address], spec, own.path()));
    assert!(image.listing().has("/app/a.txt"));
}

#[test]
fn options_name_the_context_and_a_folder_of_it() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    let mine = format!("mine={address}");
    let image = pushed(buildctl(&["contextkey=mine", &mine, "filename=hardpan.yaml"]));
    assert_eq!(files(&image), ALL);
    // The spec is named from the top all the same.
    let context = format!("context={address}");
    let options = [&context, "contextsubdir=deep", "filename=hardpan.yaml"];
    assert_eq!(files(&pushed(buildctl(&options))), DEEP);
    let own = Project::new("base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n");
    let local = format!("--local=specs={}", own.path().display());
    let options = [&context, "dockerfilekey=specs", "filename=hardpan.yaml"];
    assert!(pushed(buildctl(&options).args([local])).listing().has("/app/a.txt"));
}

#[test]
fn a_mistake_in_a_fetched_spec_is_shown_at_its_place() {
    let site = Site::new();
    let project = Project::new("base: node:24\nimage:\n  - copy: ▸gone.txt\nentrypoint: [node]\n");
    let address = site.repository("shop", project.path()).address;
    let refusal = build(&address).refused();
    let errors = refusal.errors();
    let found: Vec<_> = errors.iter().map(|one| (one.code.as_str(), one.place)).collect();
    assert_eq!(found, [("CTX-01", project.marks[0])], "{refusal}");
    assert_eq!(refusal.marked, [project.marks[0].0], "{refusal}");
}

#[test]
fn git_takes_its_options_from_the_build() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    let graph = |options: &[&str]| {
        let context = format!("context={address}");
        let all =
            [&["requestid=frontend.llb", &context, "filename=hardpan.yaml"], options].concat();
        buildctl(&all).args(["--opt=frontend.caps=moby.buildkit.frontend.subrequests"]).run()
    };
    let plain = graph(&[]).succeeded().to_string();
    assert!(!plain.contains("git.advice") && !plain.contains("git.mtime"), "{plain}");
    let asked = graph(&["build-arg:BUILDKIT_GIT_ADVICE=1", "build-arg:SOURCE_DATE_EPOCH=1"]);
    let asked = asked.succeeded().to_string();
    assert!(asked.contains("git.advice: \"true\""), "{asked}");
    assert!(asked.contains("git.mtime: \"commit\""), "{asked}");
}
