//! Images for linux/amd64 and linux/arm64: in one call, with and without emulation.

use tempfile::TempDir;

use crate::examples;
use crate::support::archive::read_oci;
use crate::support::build::{Build, Door, fresh_name};
use crate::support::container::Container;
use crate::support::daemon::{Daemon, runs_arm64};
use crate::support::image::{digest, text};
use crate::support::progress::Progress;
use crate::support::project::Project;
use crate::support::registry::read_base;
use crate::support::site::Site;

const BOTH: &str = "--platform=linux/amd64,linux/arm64";
const ARM64: &str = "--platform=linux/arm64";
/// Without it every image that is pushed is in an index.
const NO_ATTESTATIONS: [&str; 2] = ["--provenance=false", "--sbom=false"];

/// A program of the platform on a base with its libc: nothing is run to build it.
fn project() -> Project {
    Project::new(
        "
        base: {runtime: static:20250419-glibc}
        image:
          - copy: /usr/bin/true
            from: debian-base:trixie
            to: /start
        env:
          TARGET: ${TARGETPLATFORM} ${TARGETOS} ${TARGETARCH} ${TARGETMACHINE}
          BUILDER: ${BUILDPLATFORM} ${BUILDARCH} ${BUILDMACHINE}
        annotations: {org.opencontainers.image.vendor: \"for ${TARGETARCH}\"}
        entrypoint: [/start]
        ",
    )
}

/// How many vertices have a name with this in it.
fn count(progress: &Progress, part: &str) -> usize {
    progress.names().iter().filter(|name| name.contains(part)).count()
}

#[test]
fn two_platforms_are_one_index() {
    let image = project().build().args([BOTH]).args(NO_ATTESTATIONS).push();
    assert_eq!(image.platforms(), ["linux/amd64", "linux/arm64"]);
    for (architecture, machine) in [("amd64", "x86_64"), ("arm64", "aarch64")] {
        let (image, base) = (image.on(architecture), "dhi.io/static:20250419-glibc");
        let below = read_base(base).on(architecture);
        assert_eq!(image.layers[..below.layers.len()], below.layers, "{architecture}");
        assert_eq!(image.config["architecture"], *architecture);
        let target = format!("TARGET=linux/{architecture} linux {architecture} {machine}");
        assert!(image.words("Env").contains(&target.as_str()), "{:?}", image.words("Env"));
        assert!(image.words("Env").contains(&"BUILDER=linux/amd64 amd64 x86_64"));
        let vendor = &image.manifest["annotations"]["org.opencontainers.image.vendor"];
        assert_eq!(text(vendor), format!("for {architecture}"), "an annotation of its own");
        let history = image.config["history"].as_array().unwrap().len();
        assert_eq!(history, image.layers.len(), "{architecture}");
    }
    assert_ne!(image.on("amd64").layers.last(), image.on("arm64").layers.last());
    let config = &image.on("arm64").config["config"]["Labels"]["com.docker.dhi.chain-id"];
    assert_ne!(*config, image.config["config"]["Labels"]["com.docker.dhi.chain-id"]);
}

#[test]
fn one_platform_is_an_index_where_that_is_asked_for() {
    let project = project();
    let plain = project.build().args([ARM64]).args(NO_ATTESTATIONS).push();
    assert!(plain.index.is_null(), "{:?}", plain.index);
    assert_eq!(plain.config["architecture"], "arm64");
    for asked in ["BUILDKIT_MULTI_PLATFORM=1", "BUILDKIT_MULTI_PLATFORM=true"] {
        let build = project.build().args(["--platform=linux/amd64"]).args(NO_ATTESTATIONS);
        assert_eq!(build.build_arg(asked).push().platforms(), ["linux/amd64"], "{asked}");
    }
    let build = project.build().through(Door::Buildctl);
    let image = build.args(["--opt=multi-platform=true"]).push();
    assert_eq!(image.platforms(), ["linux/amd64"]);
    // The build argument wins over the option.
    let build = project.build().through(Door::Buildctl).args(["--opt=multi-platform=true"]);
    let image = build.build_arg("BUILDKIT_MULTI_PLATFORM=false").push();
    assert!(image.index.is_null(), "{:?}", image.index);
}

#[test]
fn a_platform_named_twice_or_with_its_only_variant_is_one() {
    let project = project();
    let build = |platforms: &str| {
        let build = project.build().through(Door::Buildctl);
        build.args([format!("--opt=platform={platforms}")]).push()
    };
    for platforms in ["linux/arm64/v8", "linux/arm64,linux/arm64", "linux/aarch64"] {
        let image = build(platforms);
        assert!(image.index.is_null(), "{platforms}: {:?}", image.index);
        assert_eq!(image.config["architecture"], "arm64", "{platforms}");
    }
    let image = build("linux/arm64/v8,linux/amd64,linux/arm64");
    assert_eq!(image.platforms(), ["linux/arm64", "linux/amd64"]);
}

#[test]
fn the_platforms_of_the_app_are_what_is_built() {
    let image = Project::new(
        "
        base: {runtime: static:20250419-glibc}
        platforms: [linux/arm64, linux/amd64]
        image:
          - copy: /usr/bin/true
            from: debian-base:trixie
        entrypoint: [true]
        ",
    )
    .push();
    assert_eq!(image.platforms(), ["linux/arm64", "linux/amd64"], "in the order of the spec");
}

#[test]
fn an_archive_holds_both_platforms() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("out.tar");
    let output = format!("--output=type=oci,dest={}", file.display());
    project().build().args([BOTH, &output]).args(NO_ATTESTATIONS).run().succeeded();
    let image = read_oci(&file);
    assert_eq!(image.platforms(), ["linux/amd64", "linux/arm64"]);
    assert!(image.on("arm64").listing().has("/start"));
}

#[test]
fn what_is_fetched_has_a_checksum_for_each_platform() {
    let site = Site::new();
    for architecture in ["amd64", "arm64"] {
        site.file(&format!("tool-{architecture}"), format!("for {architecture}"));
    }
    let spec = |other: &str| {
        format!(
            "
            base: {{runtime: static:20250419-glibc}}
            image:
              - add: {}-${{TARGETARCH}}
                to: /tool
                checksum:
                  linux/amd64: {}
                  linux/arm64: {other}
              - copy: /usr/bin/true
                from: debian-base:trixie
            entrypoint: [true]
            ",
            site.at("tool"),
            digest(b"for amd64"),
        )
    };
    let image = Project::new(&spec(&digest(b"for arm64"))).build().args([BOTH]).push();
    assert_eq!(image.file("/tool"), "for amd64");
    assert_eq!(image.on("arm64").file("/tool"), "for arm64");
    let refusal = Project::new(&spec(&digest(b"else"))).build().args([BOTH]).refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!((mistake.code.as_str(), mistake.place.0), ("BLD-02", 4), "{refusal}");
    assert!(mistake.message.starts_with("for linux/arm64: "), "{refusal}");
    assert!(mistake.help.contains("checksum"), "{refusal}");
}

/// Steps on the builder's platform: two that all targets share, and two from the first `TARGET…` on.
fn cross(unique: &str) -> Project {
    Project::new(&format!(
        "
        base: {{dev: debian-base:trixie, runtime: static:20250419-glibc}}
        workdir: /out
        build:
          platform: build
          cache: {{path: /var/cache/mine, id: {unique}}}
          steps:
            - run: echo {unique} > shared
            - write: both
              content: b
            - run: |
                printf '%s on %s\\n' \"$TARGETARCH\" \"$(uname -m)\" > own
                echo \"$TARGETARCH\" >> /var/cache/mine/seen
            - run: cp /var/cache/mine/seen seen
        image:
          - copy: [shared, own, seen]
            from: build
          - copy: /usr/bin/true
            from: debian-base:trixie
        entrypoint: [true]
        "
    ))
}

fn unique() -> String {
    fresh_name().replace(['/', ':', '.'], "-")
}

#[test]
fn steps_on_the_builders_platform_run_once_up_to_the_first_that_names_a_target() {
    let project = cross(&unique());
    let progress = project.build().args([BOTH]).progress();
    assert_eq!(count(&progress, "RUN echo"), 1, "{:?}", progress.names());
    assert_eq!(count(&progress, "WRITE both"), 1, "{:?}", progress.names());
    assert_eq!(count(&progress, "RUN cp /var/cache/mine/seen seen"), 2, "{:?}", progress.names());
    let image = project.build().args([BOTH]).push();
    for architecture in ["amd64", "arm64"] {
        let image = image.on(architecture);
        assert_eq!(image.file("/out/own"), format!("{architecture} on x86_64\n"));
        assert_eq!(image.file("/out/seen"), format!("{architecture}\n"), "a cache of its own");
    }
}

#[test]
fn without_emulation_what_runs_on_the_builder_is_built_for_both() {
    let Some(daemon) = Daemon::start_unemulated("unemulated") else { return };
    let both = "--opt=platform=linux/amd64,linux/arm64";
    let image = cross(&unique()).build().on(&daemon.host).args([both]).push();
    assert_eq!(image.on("arm64").file("/out/own"), "arm64 on x86_64\n");
    for example in ["go-api", "static-web"] {
        let folder = examples::folder(example);
        let build = Build::new(&folder, &folder.join("hardpan.yaml")).on(&daemon.host).online();
        let image = build.args([both]).within(400).push();
        assert_eq!(image.platforms(), ["linux/amd64", "linux/arm64"], "{example}");
    }
    refuses_to_run(&daemon);
}

/// The counter-proof: this daemon runs nothing of arm64, and says so where the step is.
fn refuses_to_run(daemon: &Daemon) {
    let spec = "
        base: {dev: debian-base:trixie, runtime: static:20250419-glibc}
        build:
          - write: in
            content: x
          - ▸run: cp in out
        image:
          - copy: out
            from: build
        entrypoint: [/sbin/ldconfig]
        ";
    let project = Project::new(spec);
    for platforms in ["linux/arm64", "linux/amd64,linux/arm64"] {
        let build = project.build().on(&daemon.host);
        let refusal = build.args([format!("--opt=platform={platforms}")]).refused();
        let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
        let found = (mistake.code.as_str(), mistake.place);
        assert_eq!(found, ("BLD-04", project.marks[0]), "{refusal}");
        assert!(mistake.message.contains("linux/arm64"), "{refusal}");
        for advice in ["install QEMU", "platform: build"] {
            assert!(mistake.help.contains(advice), "{refusal}");
        }
        assert!(refusal.outcome.stderr.contains("exec format error"), "the log: {refusal}");
    }
    // A step that fails by itself is not blamed on the platform.
    let failing = Project::new(&spec.replace("cp in out", "exit 3").replace('▸', ""));
    let refusal = failing.build().on(&daemon.host).refused();
    assert_eq!(refusal.errors()[0].code, "BLD-02", "{refusal}");
}

#[test]
fn with_emulation_steps_run_as_the_platform() {
    if !runs_arm64() {
        return;
    }
    let spec = "
        base: {dev: debian-base:trixie, runtime: static:20250419-glibc}
        args: {CODE: 0}
        build:
          - run: uname -m > machine
          - run: test \"$(uname -m)\" = x86_64 || exit $CODE
        image:
          - copy: machine
            from: build
            to: /machine
          - copy: /usr/bin/cat
            from: debian-base:trixie
        entrypoint: [/usr/bin/cat, /machine]
        ";
    let project = Project::new(spec);
    let image = project.build().args([BOTH]).push();
    for (architecture, machine) in [("amd64", "x86_64\n"), ("arm64", "aarch64\n")] {
        let image = image.on(architecture);
        assert_eq!(image.file("/machine"), machine);
        let outcome = Container::start(&image, &[]).wait();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), machine), "{outcome}");
    }
    // Emulated or not, a command that fails is a command that fails.
    let refusal = project.build().args([BOTH]).build_arg("CODE=7").refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!(mistake.code, "BLD-02", "{refusal}");
    assert!(mistake.message.starts_with("for linux/arm64: "), "{refusal}");
    assert!(mistake.message.contains("exit code: 7"), "{refusal}");
}
