//! What is not run again: an unchanged rebuild, a second daemon with a cache from a registry, an
//! app on a patched base.

use std::collections::BTreeMap;

use crate::support::build::fresh_name;
use crate::support::daemon::Daemon;
use crate::support::image::Image;
use crate::support::progress::Progress;
use crate::support::project::Project;

/// A project whose run step gives something else each time that it is run.
fn stamped() -> Project {
    let spec = "
        base: node:24
        build:
          - copy: input.txt
          - run: |
              date +%s%N > stamp
              cat input.txt >> stamp
        image:
          - copy: stamp
            from: build
          - copy: server.mjs
          - mkdir: /srv/UNIQUE
        writable: data
        entrypoint: [node, server.mjs]
    ";
    let unique = fresh_name();
    // What is looked at is a project's own, too: builds share what they run at the same time.
    Project::new(&spec.replace("UNIQUE", &unique.replace(['/', ':'], "-")))
        .file("input.txt", &unique)
        .file("server.mjs", format!("// {unique}"))
}

/// Nothing of the spec: the image is looked at again, since a step was run for it.
fn assert_only_the_proof_ran(progress: &Progress) {
    let run = progress.run();
    assert!(run.contains(&"[proof] inspect the image"), "{run:?}");
    assert!(run.iter().all(|name| name.starts_with("[proof] ")), "{run:?}");
    assert_cached(progress);
}

fn assert_nothing_ran(progress: &Progress) {
    assert_eq!(progress.run(), [""; 0], "all: {:?}", progress.names());
    assert_cached(progress);
}

fn assert_cached(progress: &Progress) {
    let cached = progress.vertices.values().filter(|vertex| vertex.cached).count();
    assert!(cached >= 4, "{:?}", progress.names());
}

fn stamp(image: &Image) -> String {
    image.listing().at("/app/stamp").content.clone()
}

#[test]
fn an_unchanged_rebuild_runs_no_step() {
    let project = stamped();
    let first = project.build().progress();
    assert!(!first.run().is_empty());
    let image = project.push();
    assert_only_the_proof_ran(&project.build().progress());
    assert_eq!(stamp(&project.push()), stamp(&image));
}

#[test]
fn an_unchanged_image_without_steps_is_not_looked_at_again() {
    let spec = "base: node:24\nimage:\n  - copy: server.mjs\nentrypoint: [node, server.mjs]\n";
    let project = Project::new(spec).file("server.mjs", format!("// {}", fresh_name()));
    assert!(project.build().progress().run().contains(&"[proof] inspect the image"));
    assert_nothing_ran(&project.build().progress());
    let fresh = project.build().build_arg("HARDPAN_PROOF=fresh").progress();
    assert!(fresh.run().contains(&"[proof] inspect the image"), "{:?}", fresh.run());
}

#[test]
fn what_was_found_does_not_stand_for_other_files_of_the_same_steps() {
    let spec = |entrypoint: &str| {
        format!(
            "base: node:24\nbuild:\n  - run: cp /run/secrets/what data && chmod 755 data && echo {}\n    \
             secret: what\nimage:\n  - copy: data\n    from: build\nentrypoint: [node{entrypoint}]\n",
            fresh_name().replace(['/', ':'], "-")
        )
    };
    // Of its own: BuildKit gives a copy of the same content what the second build has left there.
    let project = Project::new(&spec(""));
    let project = project.file("harmless", fresh_name()).program("dash", "/bin/dash");
    let with = |project: &Project, what: &str| {
        let secret = format!("--secret=id=what,src={}", project.path().join(what).display());
        project.build().args([secret])
    };
    with(&project, "harmless").push();
    // The same steps, run again for an image that is refused: its layers are the newest now.
    let text = std::fs::read_to_string(project.spec()).unwrap();
    let other = Project::written(&text.replace("[node]", "[node, --x]"));
    let other = other.program("dash", "/bin/dash");
    let refusal = with(&other, "dash").args(["--no-cache"]).refused();
    assert!(
        refusal.errors().iter().any(|one| one.code == "SHL-02" || one.code == "SHL-03"),
        "{refusal}"
    );
    let refusal = with(&project, "harmless").refused();
    assert!(refusal.errors().iter().any(|one| one.code.starts_with("SHL-0")), "{refusal}");
}

#[test]
fn a_change_runs_only_what_depends_on_it() {
    let project = stamped();
    let image = project.push();
    let project = project.file("server.mjs", "// changed");
    let changed = project.push();
    assert_eq!(stamp(&changed), stamp(&image), "the stage was not run again");
    assert_ne!(changed.listing().at("/app/server.mjs"), image.listing().at("/app/server.mjs"));
    let project = project.file("input.txt", "changed");
    assert_ne!(stamp(&project.push()), stamp(&image), "now it was");
}

#[test]
fn an_argument_that_a_run_does_not_mention_does_not_run_it_again() {
    let spec = "
        base: node:24
        args: {GIT_SHA: none}
        build:
          - run: date +%s%N > stamp
        image:
          - copy: stamp
            from: build
        labels: {revision: \"${GIT_SHA}\"}
        entrypoint: [node]
    ";
    let project = Project::new(spec);
    let build = |sha: &str| project.build().build_arg(&format!("GIT_SHA={sha}")).push();
    let (one, two) = (build("one"), build("two"));
    assert_eq!(stamp(&one), stamp(&two));
    assert_eq!(
        (&one.run()["Labels"]["revision"], &two.run()["Labels"]["revision"]),
        (&"one".into(), &"two".into())
    );
}

#[test]
fn no_cache_runs_everything() {
    let project = stamped();
    let image = project.push();
    let again = project.build().args(["--no-cache"]).push();
    assert_ne!(stamp(&again), stamp(&image));
    let filtered = project.build().args(["--no-cache-filter=build"]).push();
    assert_ne!(stamp(&filtered), stamp(&again));
}

#[test]
fn an_empty_daemon_with_a_registry_cache_runs_no_step() {
    let project = stamped();
    let (name, cache) = (fresh_name(), fresh_name().replace("tests/image", "tests/cache"));
    let to = format!("--cache-to=type=registry,ref={cache},mode=max");
    let first = project.build().args([to]).pushing_to(&name);
    first.run().succeeded();
    let image = crate::support::registry::read_image(&name);

    let daemon = Daemon::start("cache");
    let from = format!("--import-cache=type=registry,ref={cache}");
    let build = || project.build().on(&daemon.host).args([from.clone()]);
    assert_nothing_ran(&build().build_arg("HARDPAN_PROOF=cached").progress());
    assert_only_the_proof_ran(&build().progress());
    let again = project.build().on(&daemon.host).args([from]).push();
    assert_eq!(stamp(&again), stamp(&image));
    assert_eq!(again.layers, image.layers);
}

#[test]
fn a_patched_base_leaves_the_layers_of_the_app_as_they_are() {
    // Two bases that differ in their layers only: the pair of `static`, with and without a C library.
    let spec = |base: &str| {
        format!(
            "base: {{runtime: {base}}}\nimage:\n  - copy: app\n    to: /app/\n  - copy: ldconfig\n    to: /app/\nentrypoint: [/app/ldconfig]\n"
        )
    };
    let built = |base: &str| {
        Project::new(&spec(base))
            .file("app/a.txt", "patched")
            .program("ldconfig", "/sbin/ldconfig")
            .push()
    };
    let (one, two) = (built("static:20250419"), built("static:20250419-glibc"));
    assert_ne!(one.layers, two.layers);
    let own = |image: &Image| -> BTreeMap<usize, String> {
        image.layers.iter().rev().take(2).cloned().enumerate().collect()
    };
    assert_eq!(own(&one), own(&two));
}
