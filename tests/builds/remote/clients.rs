//! What only a client has: its stdin, its inputs, the usual name in small letters, and files that
//! are larger than anybody means.

use std::fs;

use super::{ALL, buildctl, fed, files, project, pushed, refused};
use crate::support::build::{BUILDX, fresh_name};
use crate::support::command::Program;
use crate::support::environment::environment;
use crate::support::project::{Project, SPEC};
use crate::support::registry::read_image;
use crate::support::site::{Site, archive};

#[test]
fn an_archive_on_stdin_is_the_context() {
    let project = project();
    let elsewhere = Project::written("");
    for packer in ["", "gzip", "zstd"] {
        let input = archive(project.path(), packer);
        let image = pushed(fed(&["-f", SPEC, "-"], input, elsewhere.path()));
        assert_eq!(files(&image), ALL, "{packer}");
    }
}

#[test]
fn a_spec_may_come_on_stdin_or_from_the_web() {
    let project = Project::new("base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n");
    let spec = fs::read(project.spec()).unwrap();
    let elsewhere = Project::written("").file("a.txt", "a");
    let image = pushed(fed(&["-f", "-", "."], spec.clone(), elsewhere.path()));
    assert!(image.listing().has("/app/a.txt"));
    let site = Site::new();
    let address = site.file("spec.yaml", &spec);
    let image = pushed(fed(&["-f", &address, "."], Vec::new(), elsewhere.path()));
    assert!(image.listing().has("/app/a.txt"));
    // Alone it has a context without files.
    let alone = Project::new("base: node:24\nenv: {A: stdin}\nentrypoint: [node]\n");
    let image = pushed(fed(&["-"], fs::read(alone.spec()).unwrap(), elsewhere.path()));
    assert!(image.words("Env").contains(&"A=stdin"));
}

#[test]
fn inputs_take_the_place_of_context_and_spec() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    // buildx sends the repository as an input then, and the address no more.
    let build = |args: &[&str], address: &str| {
        let name = fresh_name();
        let syntax = format!("--build-arg=BUILDKIT_SYNTAX={}", environment().syntax);
        let output = format!("--output=type=image,name={name},push=true");
        let program = Program::new(*BUILDX).args(["build", "--progress=plain", "--builder"]);
        let program = program.args([&environment().builder, &syntax, &output]).args(args);
        let program = program.args([address]).env("BUILDX_SEND_GIT_QUERY_AS_INPUT", "1");
        program.within(120).run().succeeded();
        read_image(&name)
    };
    let image = build(&["-f", SPEC], &format!("{address}?tag=v1"));
    assert_eq!(files(&image), ALL);
    let own = Project::new("base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n");
    let spec = own.spec().display().to_string();
    let image = build(&["-f", &spec], &format!("{address}?ref=main"));
    assert!(image.listing().has("/app/a.txt"));
}

fn local(project: &Project, options: &[&str]) -> Program {
    let folder = project.path().display();
    let locals = ["context", "dockerfile"].map(|name| format!("--local={name}={folder}"));
    buildctl(options).args(locals)
}

#[test]
fn the_usual_name_is_found_in_small_letters() {
    let spec = "base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n";
    let project = Project::written("").file("dockerfile", spec).file("a.txt", "a");
    let project = project.file("deep/dockerfile", spec).file("deep/DOCKERFILE", "");
    for options in [&[][..], &["filename=Dockerfile"], &["filename=deep/Dockerfile"]] {
        assert!(pushed(local(&project, options)).listing().has("/app/a.txt"), "{options:?}");
    }
    let refusal = refused(local(&project, &["filename=Other"]));
    assert_eq!(refusal.errors()[0].code, "CTX-02", "{refusal}");
    // A folder with both has one spec.
    let project = project.file("Dockerfile", "base: node:24\nenv: {A: b}\nentrypoint: [node]\n");
    assert!(pushed(local(&project, &[])).words("Env").contains(&"A=b"));
}

#[test]
fn a_session_of_its_own_may_hold_a_folder() {
    let spec = "base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n";
    let project = Project::written(spec).file("a.txt", "a");
    let filename = format!("filename={SPEC}");
    let session = |of: &str| {
        let session = format!("local-sessionid:{of}=nobodys");
        let options = ["requestid=frontend.llb", &filename, &session];
        local(&project, &options).run().succeeded().to_string()
    };
    assert!(session("context").contains("local.session: \"nobodys\""));
    assert!(!session("other").contains("local.session: \"nobodys\""));
}

#[test]
fn files_beyond_all_measure_are_refused_by_name() {
    let spec = "base: node:24\nentrypoint: [node]\n";
    let large = vec![b'#'; (16 << 20) + 1];
    let filename = format!("filename={SPEC}");
    for name in [SPEC, ".dockerignore", "hardpan.yaml.dockerignore"] {
        let project = Project::written(spec).file(name, &large);
        let refusal = refused(local(&project, &[&filename]));
        assert_eq!(refusal.errors().len(), 1, "{refusal}");
        let error = refusal.errors()[0];
        assert_eq!(error.code, "YAML-04", "{refusal}");
        assert_eq!(error.message, format!("{name:?} is larger than 16 MiB"), "{refusal}");
    }
}

#[test]
fn a_hundred_thousand_files_are_no_burden() {
    let project =
        Project::written("base: node:24\nimage:\n  - copy: one.txt\nentrypoint: [node]\n");
    let project = project.file("one.txt", fresh_name());
    for number in 0..100 {
        let folder = project.path().join(format!("many/{number}"));
        fs::create_dir_all(&folder).unwrap();
        for number in 0..1_000 {
            fs::write(folder.join(number.to_string()), "").unwrap();
        }
    }
    let filename = format!("filename={SPEC}");
    let image = pushed(local(&project, &[&filename]).within(60));
    assert!(image.listing().has("/app/one.txt"));
}

#[test]
fn a_dockerfile_is_found_in_the_same_places() {
    let dockerfile = "FROM dhi.io/node:24\nCOPY a.txt /app/\nENTRYPOINT [\"node\"]\n";
    let project = Project::written("").file("Dockerfile", dockerfile).file("a.txt", "a");
    let site = Site::new();
    let repository = site.repository("docker", project.path()).address;
    let packed = archive(project.path(), "gzip");
    let archive = site.file("docker.tar.gz", &packed);
    for address in [repository, archive] {
        let image = pushed(buildctl(&[&format!("context={address}")]));
        assert!(image.listing().has("/app/a.txt"), "{address}");
    }
    let syntax = format!("--build-arg=BUILDKIT_SYNTAX={}", environment().syntax);
    let image = pushed(fed(&[&syntax, "-"], packed, project.path()));
    assert!(image.listing().has("/app/a.txt"));
}
