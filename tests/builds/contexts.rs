//! Where a build takes its files from: the context and what is left out of it, other specs, named
//! contexts; and that no more is sent than is asked for.

use crate::support::build::{Build, Door, fresh_name};
use crate::support::project::Project;
use crate::support::registry::{read_base, read_image};

const COPY_ALL: &str = "base: node:24\nimage:\n  - copy: .\n    to: /srv\nentrypoint: [node]\n";

#[test]
fn the_specs_own_ignore_file_comes_first() {
    let project = Project::new(COPY_ALL)
        .file("a.txt", "a")
        .file("b.txt", "b")
        .file(".dockerignore", "a.txt\n");
    let listing = project.push().listing();
    assert_eq!((listing.has("/srv/a.txt"), listing.has("/srv/b.txt")), (false, true));
    let project =
        project.file("hardpan.yaml.dockerignore", "b.txt\nhardpan.yaml*\n.dockerignore\n");
    let listing = project.push().listing();
    assert_eq!((listing.has("/srv/a.txt"), listing.has("/srv/b.txt")), (true, false));
    assert!(!listing.has("/srv/hardpan.yaml"));
}

#[test]
fn ignore_patterns_are_those_of_docker() {
    let project = Project::new(COPY_ALL)
        .file(
            ".dockerignore",
            "# words\n**/*.log\n!keep.log\n/dist\nhardpan.yaml\n.dockerignore\ndeep/*/x\n",
        )
        .file("keep.log", "1")
        .file("drop.log", "1")
        .file("deep/one/x/gone", "1")
        .file("deep/one/stays.log.txt", "1")
        .file("dist/out", "1")
        .file("src/dist/out", "1");
    let listing = project.push().listing();
    let found: Vec<&str> = listing
        .nodes
        .iter()
        .filter(|(path, node)| path.starts_with("srv/") && node.kind == '-')
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(found, ["srv/deep/one/stays.log.txt", "srv/keep.log", "srv/src/dist/out"]);
}

#[test]
fn the_spec_may_have_another_name_and_lie_elsewhere() {
    let spec = Project::new("base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n");
    let context = Project::written("not a spec").file("a.txt", "a");
    let image = Build::new(context.path(), &spec.spec()).push();
    assert!(image.listing().has("/app/a.txt"));

    let text = std::fs::read(spec.spec()).unwrap();
    let project = Project::written("not a spec").file("deploy/Dockerfile", text).file("a.txt", "a");
    let image = Build::new(project.path(), &project.path().join("deploy/Dockerfile")).push();
    assert!(image.listing().has("/app/a.txt"));
}

#[test]
fn a_named_context_gives_files() {
    let assets = Project::written("").file("logo.svg", "<svg/>").file("deep/x", "x");
    let project = Project::new(
        "
        base: node:24
        build:
          - copy: deep/x
            from: assets
          - run: cat deep/x > y
        image:
          - copy: logo.svg
            from: assets
          - copy: y
            from: build
        entrypoint: [node]
        ",
    );
    let context = format!("--build-context=assets={}", assets.path().display());
    let listing = project.build().args([context]).push().listing();
    assert!(listing.has("/app/logo.svg") && listing.has("/app/y"));
    let refusal = project.refused();
    assert!(refusal.text().contains("assets"), "without the context: {refusal}");
}

#[test]
fn a_named_context_stands_in_for_a_base() {
    let project = Project::new(
        "base: {runtime: static:20250419}\nimage:\n  - copy: start\nentrypoint: [./start]\n",
    )
    .program("start", "/sbin/ldconfig");
    for name in ["dhi.io/static:20250419", "static:20250419"] {
        let context = format!("--build-context={name}=docker-image://dhi.io/static:20250419-glibc");
        let image = project.build().args([context]).push();
        let other = read_base("dhi.io/static:20250419-glibc");
        assert_eq!(image.layers[..other.layers.len()], other.layers, "{name}");
    }
}

#[test]
fn a_bad_base_cannot_hide_behind_a_named_context() {
    let project = Project::new(
        "base: {runtime: static:20250419}\nimage:\n  - copy: start\nentrypoint: [./start]\n",
    )
    .program("start", "/sbin/ldconfig");
    let context = "--build-context=dhi.io/static:20250419=docker-image://dhi.io/bad-root:1";
    let refusal = project.build().args([context]).refused();
    assert_eq!(refusal.errors()[0].code, "REF-06", "{refusal}");
}

#[test]
fn another_registry_is_named_by_the_spec() {
    let registry = &crate::support::environment::environment().registry;
    let image =
        Project::new(&format!("registry: {registry}/dhi/\nbase: node:24\nentrypoint: [node]\n"))
            .push();
    let base = read_base("dhi.io/node:24");
    assert_eq!(image.layers, base.layers);
}

#[test]
fn only_what_is_named_is_sent() {
    let noise: Vec<u8> =
        (0_u32..8 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let project =
        Project::new("base: node:24\nimage:\n  - copy: [a.txt, dir]\nentrypoint: [node]\n")
            .file("a.txt", fresh_name())
            .file("dir/b.txt", fresh_name())
            .file("huge.bin", &noise)
            .file("other/huge.bin", &noise);
    let sent = project.build().progress().sent();
    assert!((1..1 << 20).contains(&sent), "{sent} bytes were sent");
}

#[test]
fn a_spec_without_copies_needs_no_context() {
    let project =
        Project::new("base: node:24\nentrypoint: [node]\n").file("huge.bin", vec![7; 4 << 20]);
    let progress = project.build().progress();
    assert!(progress.sent() < 1 << 20, "{} bytes were sent", progress.sent());
}

#[test]
fn the_target_chooses_the_app() {
    let project = Project::new(
        "
        base: node:24
        env: {A: all}
        apps:
          web:
            env: {B: web}
            entrypoint: [node, --web]
          worker:
            env: {A: worker}
            entrypoint: [node, --worker]
        ",
    );
    let first = project.push();
    assert_eq!(first.words("Entrypoint"), ["node", "--web"]);
    assert!(first.words("Env").contains(&"A=all") && first.words("Env").contains(&"B=web"));
    let second = project.build().args(["--target=worker"]).push();
    assert_eq!(second.words("Entrypoint"), ["node", "--worker"]);
    assert!(second.words("Env").contains(&"A=worker") && !second.words("Env").contains(&"B=web"));
}

#[test]
fn the_platform_may_be_said() {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let image = project.build().args(["--platform=linux/amd64"]).push();
    assert_eq!(image.config["architecture"], "amd64");
}

#[test]
fn a_tag_that_moved_is_seen_with_pull() {
    let name = fresh_name();
    let derived = |content: &str| {
        let dockerfile = format!("FROM dhi.io/static:20250419-glibc\nLABEL moved={content}\n");
        Project::written(&dockerfile).build().pushing_to(&name).run().succeeded();
        read_image(&name)
    };
    let project = Project::new(&format!(
        "base: {{runtime: {name}}}\nimage:\n  - copy: start\nentrypoint: [./start]\n"
    ))
    .program("start", "/sbin/ldconfig");
    for content in ["first", "second"] {
        derived(content);
        let image = project.build().args(["--pull"]).push();
        assert_eq!(image.run()["Labels"]["moved"], content);
    }
}

#[test]
fn secrets_caches_and_binds_reach_the_steps_and_nothing_else() {
    let project = Project::new(
        "
        base: node:24
        build:
          - run: test \"$(cat /run/secrets/token)\" = hidden && test \"$TOKEN\" = hidden
            secret: [token, {id: token, env: TOKEN}]
          - run: |
              cp -r /src-bind/dir copied
              ! touch /src-bind/dir/x 2>/dev/null
            bind: {source: ., target: /src-bind}
          - run: date > /var/cache/mine/stamp; echo kept > /scratch/x
            cache: /var/cache/mine
            tmpfs: /scratch
          - run: ls /var/cache/mine /scratch > seen 2>&1 || true
            network: none
        image:
          - copy: [copied, seen]
            from: build
        entrypoint: [node]
        ",
    )
    .file("dir/file", "bound")
    .file("token.txt", "hidden");
    let secret = format!("--secret=id=token,src={}", project.path().join("token.txt").display());
    let image = project.build().args([secret]).push();
    assert!(image.listing().has("/app/copied/file"));
    assert!(!image.config.to_string().contains("hidden"));
}

#[test]
fn line_ends_and_marks_of_other_systems_are_read() {
    let plain = "base: node:24\nimage:\n  - copy: a.txt\nentrypoint: [node]\n";
    for text in [plain.replace('\n', "\r\n"), format!("\u{feff}{plain}")] {
        let image =
            Project::written(&text).file("a.txt", "a").build().through(Door::Argument).push();
        assert!(image.listing().has("/app/a.txt"));
    }
}

#[test]
fn names_may_be_odd() {
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: .
            to: /srv
          - copy: [\"a b/ü n.txt\", .hidden]
            to: /opt/x/
        entrypoint: [node]
        ",
    )
    .file("a b/ü n.txt", "1")
    .file(".hidden", "1")
    .file("*star", "1")
    .file("[x].txt", "1")
    .file("new\nline", "1")
    .link("outside", "../../../etc/passwd")
    .link("dangling", "/nowhere");
    let listing = project.push().listing();
    for path in ["a b/ü n.txt", ".hidden", "*star", "[x].txt", "new\nline"] {
        assert!(listing.has(&format!("/srv/{path}")), "{path:?}");
    }
    assert_eq!(listing.at("/srv/outside").link, "../../../etc/passwd", "links stay links");
    assert_eq!(listing.at("/srv/dangling").link, "/nowhere");
    assert!(listing.has("/opt/x/ü n.txt") && listing.has("/opt/x/.hidden"));
}
