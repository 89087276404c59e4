//! Builds that end early: cancelled by the client, or with the daemon gone. Nothing goes on, and
//! nothing is left.

use std::collections::BTreeMap;
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::build::Door;
use crate::support::command::{Program, Running};
use crate::support::daemon::Daemon;
use crate::support::project::Project;

/// A process: parent and command line.
type Processes = BTreeMap<i32, (i32, String)>;

fn processes() -> Processes {
    let listed = Program::new("ps").args(["-eo", "pid=,ppid=,args="]).run().succeeded().stdout;
    let line = |line: &str| {
        let (pid, rest) = line.trim().split_once(' ')?;
        let (parent, args) = rest.trim().split_once(' ')?;
        Some((pid.parse().ok()?, (parent.parse().ok()?, args.to_owned())))
    };
    listed.lines().filter_map(line).collect()
}

fn below(all: &Processes, ancestor: i32) -> Processes {
    let mut found = Processes::new();
    loop {
        let more: Vec<i32> = all
            .iter()
            .filter(|(pid, (parent, _))| {
                (*parent == ancestor || found.contains_key(parent)) && !found.contains_key(*pid)
            })
            .map(|(pid, _)| *pid)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more.into_iter().map(|pid| (pid, all[&pid].clone())));
    }
}

/// Waits until something holds; says whether it did in time.
fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < limit {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Seconds that are longer than any test, and that no other process on this machine sleeps.
fn endless_number(test: u32) -> u32 {
    process::id() * 10 + 100_000_000 + test
}

/// A project with a step that takes that long.
fn endless(number: u32) -> Project {
    Project::new(&format!(
        "base: node:24\nbuild:\n  - run: sleep {number}\nimage:\n  - copy: /etc/hostname\n    from: build\nentrypoint: [node]\n"
    ))
}

fn runs(number: u32) -> bool {
    let wanted = format!("sleep {number}");
    processes().values().any(|(_, args)| args == &wanted)
}

#[test]
fn a_cancelled_build_ends_with_all_that_it_started() {
    let daemon = Daemon::start("cancel");
    let number = endless_number(1);
    let project = endless(number);
    let mut running = project.build().on(&daemon.host).program("plain").start();
    assert!(
        within(Duration::from_secs(60), || runs(number) || running.has_ended()),
        "the step has started"
    );
    assert!(!running.has_ended(), "{}", running.finish());
    let pid = daemon.pid();
    assert!(!below(&processes(), pid).is_empty(), "what is started is found");
    let began = Instant::now();
    running.signal(Signal::INT);
    let outcome = running.finish();
    assert_ne!(outcome.code, Some(0), "{outcome}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?} to cancel", began.elapsed());
    let left = || below(&processes(), pid);
    assert!(within(Duration::from_secs(3), || left().is_empty()), "still there: {:?}", left());
}

#[test]
fn buildx_can_be_cancelled_as_well() {
    let number = endless_number(2);
    let project = endless(number);
    let folder = tempfile::TempDir::new().unwrap();
    let output = format!("--output=type=local,dest={}", folder.path().join("out").display());
    let mut running = project.build().through(Door::Header).args([output]).program("plain").start();
    assert!(
        within(Duration::from_secs(60), || runs(number) || running.has_ended()),
        "the step has started"
    );
    assert!(!running.has_ended(), "{}", running.finish());
    running.signal(Signal::INT);
    assert_ne!(running.finish().code, Some(0));
    assert!(within(Duration::from_secs(3), || !runs(number)), "the step goes on");
    assert!(!Path::new(&folder.path().join("out/etc")).exists(), "nothing was exported");
}

#[test]
fn a_daemon_that_dies_takes_the_frontend_with_it() {
    let daemon = Daemon::start("dies");
    let number = endless_number(3);
    let project = endless(number);
    let mut running = project.build().on(&daemon.host).within(90).program("plain").start();
    assert!(
        within(Duration::from_secs(60), || runs(number) || running.has_ended()),
        "the step has started"
    );
    assert!(!running.has_ended(), "{}", running.finish());
    let frontends: Vec<i32> = below(&processes(), daemon.pid())
        .iter()
        .filter(|(_, (_, args))| args.starts_with("/hardpan"))
        .map(|(pid, _)| *pid)
        .collect();
    assert!(!frontends.is_empty(), "the frontend runs: {:?}", below(&processes(), daemon.pid()));
    let killed = Instant::now();
    kill_process(Pid::from_raw(daemon.pid()).unwrap(), Signal::KILL).unwrap();
    let gone = || {
        let all = processes();
        frontends
            .iter()
            .all(|pid| !all.get(pid).is_some_and(|(_, args)| args.starts_with("/hardpan")))
    };
    assert!(within(Duration::from_secs(1), gone), "a frontend without a builder goes on");
    says_once_that_the_builder_is_gone(running, killed);
    drop(daemon);
    assert!(!runs(number), "what the daemon left is cleared away");
    assert_eq!(mounts_of("dies"), [""; 0]);
}

/// The client ends soon after its builder, with one message.
fn says_once_that_the_builder_is_gone(running: Running, killed: Instant) {
    let outcome = running.finish().failed();
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}: {outcome}", killed.elapsed());
    let said = outcome.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(said, 1, "{outcome}");
}

/// A part of every path below the root of a daemon of that name.
fn root_of(name: &str) -> String {
    format!("/.hardpan/buildkit/{name}/")
}

/// What is still mounted below the root of a daemon of that name.
fn mounts_of(name: &str) -> Vec<String> {
    let mounted = std::fs::read_to_string("/proc/self/mounts").unwrap();
    mounted.lines().filter(|line| line.contains(&root_of(name))).map(str::to_owned).collect()
}

/// Whether a daemon of that name inspects an image: seen without starting `ps`, since an inspection
/// takes no longer than that.
fn inspects(name: &str) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries.into_iter().any(|entry| {
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let root = || std::fs::read_to_string(entry.path().join("mountinfo")).unwrap_or_default();
        words.starts_with(b"/hardpan\0inventory\0") && root().contains(&root_of(name))
    })
}

#[test]
fn a_daemon_that_dies_while_an_image_is_inspected_leaves_nothing() {
    let daemon = Daemon::start("dies-looking");
    let project = Project::new(
        "
        base: node:24
        build:
          - run: |
              #!/usr/bin/env node
              for (let i = 0; i < 5000; i++) require('fs').writeFileSync(`${i}.js`, `${i}`);
        image:
          - copy: .
            from: build
            to: /app/files
        entrypoint: [node]
        ",
    );
    let pid = daemon.pid();
    let mut running = project.build().on(&daemon.host).program("plain").start();
    while !inspects("dies-looking") {
        assert!(!running.has_ended(), "nothing was seen of the inspection: {}", running.finish());
    }
    let killed = Instant::now();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    says_once_that_the_builder_is_gone(running, killed);
    drop(daemon);
    assert!(within(Duration::from_secs(3), || !inspects("dies-looking")), "the inspection goes on");
    assert_eq!(mounts_of("dies-looking"), [""; 0]);
}
