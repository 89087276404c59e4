//! Options about how steps run, about caches and about values: each reaches what it is for, through
//! `docker buildx build` where it has a flag, otherwise through `buildctl --opt`.

use std::fs;
use std::process;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::build::{BUILDX, Build, Door, fresh_name};
use crate::support::command::Program;
use crate::support::daemon::Daemon;
use crate::support::environment::environment;
use crate::support::image::Image;
use crate::support::project::Project;
use crate::support::registry::read_image;

/// A project with one step, whose output is the file /out.
fn says(script: &str) -> Project {
    let indented: Vec<String> = script.lines().map(|line| format!("      {line}\n")).collect();
    let indented = indented.concat();
    Project::new(&format!(
        "base: node:24\nbuild:\n  - run: |\n{indented}image:\n  - copy: out\n    from: build\n    to: /\nentrypoint: [node]\n"
    ))
}

fn out(build: Build) -> String {
    build.push().file("/out")
}

/// By its nature something else each time that it is run.
fn stamp() -> Project {
    says(&format!("date +%s%N > out # {}", fresh_name()))
}

/// Whether the step is run again. The inspection may be: a builder forgets small things first.
fn runs_again(build: &Build) -> bool {
    build.progress().run().iter().any(|name| name.contains("RUN "))
}

fn opt(project: &Project, options: &[&str]) -> Build {
    let options = options.iter().map(|option| format!("--opt={option}"));
    project.build().through(Door::Buildctl).args(options)
}

#[test]
fn proxies_reach_a_step_and_nothing_else() {
    let project =
        says(&format!("env | grep -i -E '^(http|no)_proxy=' | sort > out # {}", fresh_name()));
    let upper = ["--build-arg=HTTP_PROXY=http://one.invalid:3128", "--build-arg=no_proxy=here"];
    let image = project.build().args(upper).push();
    assert_eq!(
        image.file("/out"),
        "HTTP_PROXY=http://one.invalid:3128\nNO_PROXY=here\nhttp_proxy=http://one.invalid:3128\nno_proxy=here\n"
    );
    assert!(!image.config.to_string().contains("one.invalid"), "{}", image.config);
    let other = project.build().args(["--build-arg=http_proxy=http://two.invalid"]);
    assert!(!runs_again(&other), "another proxy");
    assert!(!runs_again(&project.build()), "none");
}

#[test]
fn a_proxy_that_the_spec_declares_is_an_argument_as_well() {
    let project = Project::new(
        "base: node:24\nargs: {HTTP_PROXY: , SOURCE_DATE_EPOCH: }\nlabels: {proxy: \"${HTTP_PROXY}\", time: \"${SOURCE_DATE_EPOCH}\"}\nentrypoint: [node]\n",
    );
    let arguments = ["--build-arg=HTTP_PROXY=http://p", "--build-arg=SOURCE_DATE_EPOCH=7"];
    let image = project.build().args(arguments).push();
    let labels = &image.run()["Labels"];
    assert_eq!((&labels["proxy"], &labels["time"]), (&"http://p".into(), &"7".into()));
}

#[test]
fn hosts_and_their_names() {
    let project = says("grep -E 'db|six' /etc/hosts | tr '\\t' ' ' > out");
    let build = project.build().args(["--add-host=DB:10.0.0.7", "--add-host=six:2001:db8::1"]);
    let found = out(build);
    assert!(found.contains("10.0.0.7 db\n") && found.contains("2001:db8::1 six\n"), "{found}");
    let project = says("hostname > out");
    assert_eq!(out(opt(&project, &["hostname=box"])), "box\n");
    let both = ["hostname=box", "build-arg:BUILDKIT_SANDBOX_HOSTNAME=named"];
    assert_eq!(out(opt(&project, &both)), "named\n");
}

#[test]
fn networks() {
    let project = says("ls /sys/class/net | tr '\\n' ' ' > out");
    assert_eq!(out(project.build().args(["--network=none"])), "lo ");
    assert_eq!(out(opt(&project, &["force-network-mode=none"])), "lo ");
    let host = || opt(&project, &["force-network-mode=host", "no-cache="]);
    let refusal = host().refused();
    assert!(refusal.text().contains("network.host is not allowed"), "{refusal}");
    assert!(out(host().args(["--allow=network.host"])).contains("lo "));
    assert!(out(project.build().args(["--network=host", "--no-cache"])).contains("lo "));
    assert!(out(opt(&project, &["force-network-mode=sandbox"])).contains("lo "));
}

#[test]
fn a_step_without_network_has_none_whatever_the_build_says() {
    let project = Project::new(
        "base: node:24\nbuild:\n  - run: ls /sys/class/net > out\n    network: none\nimage:\n  - copy: out\n    from: build\n    to: /\nentrypoint: [node]\n",
    );
    let host = project.build().args(["--network=host", "--allow=network.host"]);
    assert_eq!(out(host), "lo\n");
}

#[test]
fn memory_to_share_and_limits_of_a_process() {
    let project = says(
        "df -k --output=size /dev/shm | tail -1 | tr -d ' ' > out\nulimit -Sn >> out\nulimit -Hn >> out",
    );
    let build = project.build().args(["--shm-size=3m", "--ulimit=nofile=1234:2345"]);
    assert_eq!(out(build), "3072\n1234\n2345\n");
}

#[test]
fn limits_of_a_container_hold_and_run_nothing_again() {
    let read = |old: &str, new: &str| {
        format!("cat /sys/fs/cgroup/{old} /sys/fs/cgroup/{new} 2>/dev/null >> out || test -s out\n")
    };
    let script = read("memory/memory.limit_in_bytes", "memory.max")
        + &read("cpu/cpu.cfs_quota_us", "cpu.max")
        + &read("cpuset/cpuset.cpus", "cpuset.cpus");
    let project = says(&format!("{script}# {}", fresh_name()));
    let limits = |memory: &str| {
        let memory = format!("memory={memory}");
        let all = [
            &*memory,
            "memswap=-1",
            "cpushares=512",
            "cpuperiod=50000",
            "cpuquota=25000",
            "cpusetcpus=0",
        ];
        opt(&project, &all)
    };
    let found = out(limits("268435456"));
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[0], "268435456");
    assert!(lines[1].starts_with("25000"), "{found}");
    assert_eq!(lines[2], "0");
    assert!(!runs_again(&limits("134217728")), "limits are no part of the cache key");
}

#[test]
fn a_cgroup_of_the_users() {
    let number = process::id() * 10 + 200_000_000;
    let project = says(&format!("sleep {number}"));
    let name = format!("hardpan-test-{}", process::id());
    let running =
        project.build().args([format!("--cgroup-parent={name}")]).program("plain").start();
    let is_ours = |pid: &&str| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line == format!("sleep\0{number}\0").as_bytes()
    };
    let mut cgroup = None;
    for _ in 0..600 {
        let listed = Program::new("ps").args(["-eo", "pid="]).run().succeeded().stdout;
        cgroup = listed
            .split_whitespace()
            .find(is_ours)
            .and_then(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok());
        if cgroup.is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    running.signal(Signal::INT);
    drop(running.finish());
    let cgroup = cgroup.expect("the step has started");
    assert!(cgroup.contains(&format!("/{name}/")), "{cgroup}");
}

#[test]
fn stages_run_again_by_name_in_any_case_and_a_name_of_none_is_told() {
    let project = stamp();
    let first = out(project.build());
    assert_eq!(out(project.build()), first);
    assert_ne!(out(project.build().args(["--no-cache-filter=BUILD"])), first);
    let progress = project.build().args(["--no-cache-filter=biuld"]).progress();
    let told = progress.warnings.iter().any(|text| text.contains("biuld"));
    assert!(told, "{:?}", progress.warnings);
    assert_ne!(out(opt(&project, &["no-cache="])), first, "empty: all of them");
}

#[test]
fn cache_mounts_have_a_namespace() {
    let unique = fresh_name().replace(['/', ':', '.'], "-");
    let project = Project::new(&format!(
        "
        base: node:24
        args: {{ROUND: none}}
        build:
          - run: |
              echo $ROUND >> /var/cache/mine/rounds
              cp /var/cache/mine/rounds out
            cache: {{path: /var/cache/mine, id: {unique}}}
        image:
          - copy: out
            from: build
            to: /
        entrypoint: [node]
        "
    ));
    let round = |round: &str, namespace: &str| {
        let build = project.build().build_arg(&format!("ROUND={round}"));
        out(build.build_arg(&format!("BUILDKIT_CACHE_MOUNT_NS={namespace}")))
    };
    assert_eq!(round("1", "a"), "1\n");
    assert_eq!(round("2", "b"), "2\n");
    assert_eq!(round("3", "a"), "1\n3\n");
}

#[test]
fn an_old_cache_option_names_registries() {
    let project = stamp();
    let cache = fresh_name().replace("tests/image", "tests/cache");
    let to = format!("--cache-to=type=registry,ref={cache},mode=max");
    project.build().args([to]).run().succeeded();
    let daemon = Daemon::start("cache-from");
    let old = opt(&project, &[&format!("cache-from={cache}")]).on(&daemon.host);
    let progress = old.progress();
    let run = progress.run();
    // The image is looked at again, since a step was run for it.
    assert!(run.iter().all(|name| name.starts_with("[proof] ")), "{run:?}");
    drop(daemon);
}

#[test]
fn what_is_not_for_a_frontend_changes_nothing() {
    let project = stamp();
    let build = |options: &[&str]| {
        let name = fresh_name();
        let output = format!("--output=type=image,name={name},push=true,rewrite-timestamp=true");
        let build = opt(&project, options).build_arg("SOURCE_DATE_EPOCH=1700000000");
        build.args([output]).run().succeeded();
        read_image(&name)
    };
    let plain = build(&[]);
    let told = build(&[
        "build-arg:BUILDKIT_INLINE_CACHE=1",
        "build-arg:BUILDKIT_BUILD_NAME=nightly",
        "build-arg:BUILDKIT_SYNTAX=elsewhere.invalid/x",
        "vcs:source=https://example.invalid/r.git",
        "vcs:revision=0123456789abcdef",
        "vcs:localdir:context=app",
        "frontend.caps=moby.buildkit.frontend.contexts+forward",
        "cmdline=hardpan:1 some=thing",
        "of-a-later-release=1",
    ]);
    assert_eq!(told.config, plain.config);
    assert_eq!(told.layers, plain.layers);
    let refused = opt(&project, &["frontend.caps=moby.buildkit.frontend.of-tomorrow"]).refused();
    assert!(refused.text().contains("of-tomorrow"), "{refused}");
}

#[test]
fn warnings_can_be_made_errors_and_left_out() {
    let project = Project::new(
        "base: node:24\nbuild:\n  used:\n    - mkdir: /a\n  ▸spare:\n    - run: \"false\"\nimage:\n  - copy: /a\n    from: used\nentrypoint: [node]\n",
    );
    let check =
        |rules: &str| project.build().build_arg(&format!("BUILDKIT_DOCKERFILE_CHECK={rules}"));
    let warned =
        |build: Build| build.progress().warnings.iter().any(|text| text.contains("SPEC-19"));
    assert!(warned(project.build()));
    assert!(!warned(check("skip=spec-19")));
    assert!(!warned(check("skip=all;error=true")));
    let refusal = check("error=true").refused();
    let [one] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!((one.code.as_str(), one.place), ("SPEC-19", project.marks[0]), "{refusal}");
    assert!(one.help.contains("BUILDKIT_DOCKERFILE_CHECK"), "{refusal}");
}

/// A scanner as BuildKit starts one: writes one statement about what it finds mounted.
fn scanner() -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let name = format!("{}/tests/scanner:{}", environment().registry, process::id());
    let statement = r#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3","name":"scanned"}}"#;
    let script = format!(
        "#!/bin/sh -e\ntest -e \"$BUILDKIT_SCAN_SOURCE/usr/bin/node\"\nprintf '%s' '{statement}' > \"$BUILDKIT_SCAN_DESTINATION/scan.spdx.json\"\n"
    );
    fs::write(folder.path().join("scan"), script).unwrap();
    let file = "FROM dhi.io/node:24-dev\nCOPY --chmod=0755 scan /scan\nENTRYPOINT [\"/scan\"]\n";
    fs::write(folder.path().join("Dockerfile"), file).unwrap();
    let path = folder.path().to_str().unwrap();
    let done = Program::new(*BUILDX).args(["build", "--builder", &environment().builder]);
    done.args([path, "--push", "-t", &name]).run().succeeded();
    name
}

fn attested(image: &str, what: &str) -> Value {
    let format = format!("{{{{json .{what}}}}}");
    let done = Program::new(*BUILDX).args(["imagetools", "inspect", image, "--format", &format]);
    serde_json::from_str(&done.run().succeeded().stdout).unwrap()
}

#[test]
fn attestations_are_made_as_they_are_asked_for() {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let name = fresh_name();
    let sbom = format!("--attest=type=sbom,generator={}", scanner());
    let build = project.build().args(["--attest=type=provenance,mode=max", &sbom]);
    build.pushing_to(&name).run().succeeded();
    let provenance = attested(&name, "Provenance").to_string();
    assert!(provenance.contains("buildDefinition") && provenance.contains("dhi.io/node"));
    assert_eq!(attested(&name, "SBOM")["SPDX"]["name"], "scanned");
    let plain = fresh_name();
    let none = project.build().args(["--provenance=false", "--sbom=false"]);
    none.pushing_to(&plain).run().succeeded();
    assert_eq!(attested(&plain, "SBOM"), serde_json::json!({}));
}

#[test]
fn a_label_of_the_build_wins() {
    let project = Project::new("base: node:24\nlabels: {a: spec, b: spec}\nentrypoint: [node]\n");
    let image: Image = opt(&project, &["label:a=build", "label:c="]).push();
    let labels = &image.run()["Labels"];
    assert_eq!(
        (&labels["a"], &labels["b"], &labels["c"]),
        (&"build".into(), &"spec".into(), &"".into())
    );
}

#[test]
fn an_option_of_128_kib_kills_every_frontend_before_it_starts() {
    let project = Project::new("base: node:24\nargs: {BIG: }\nentrypoint: [node]\n");
    let of_length = |length: usize| {
        let script = format!(
            "exec {} build --builder {} {} -f {} --build-arg BIG",
            *BUILDX,
            environment().builder,
            project.path().display(),
            project.spec().display()
        );
        let big = "x".repeat(length);
        Program::new("sh").args(["-c", &script]).env("BIG", big).run()
    };
    of_length(100_000).succeeded();
    let outcome = of_length(131_040).failed();
    assert!(outcome.stderr.contains("exit code: 1"), "{outcome}");
}
