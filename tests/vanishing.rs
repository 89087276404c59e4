//! The builder is gone at each of its calls in turn: whatever the frontend was waiting for, its
//! process ends at once, not with success, without a panic.
//!
//! The frontend runs as BuildKit runs it: a process with pipes, its own definition below /run. The
//! builder in this process answers everything that a build asks; its probes are run by hardpan
//! itself, on small folders.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail here")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hardpan::llb::{Constraints, Graph};
use hardpan::proto::frontend::{PongResponse, ReadFileRequest, SolveRequest};
use hardpan::proto::moby::buildkit::v1::apicaps::ApiCap;
use hardpan::proto::pb;
use prost::Message as _;
use support::fake_gateway::{self as fake, Call, Calls, Script};
use tempfile::TempDir;
use tokio::net::unix::pipe;

const HARDPAN: &str = env!("CARGO_BIN_EXE_hardpan");

/// What a process may take to end, on a machine that does other things as well.
const PROMPTLY: Duration = Duration::from_secs(5);

/// One stage that is used, and one that a warning is about.
const SPEC: &str = "base: node:24\nbuild:\n  used:\n    - run: echo 1 > a.js\n  spare:\n    - run: x\n\
                    image:\n  - copy: a.js\n    from: used\nentrypoint: [node, a.js]\n";

const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{"User":"node","WorkingDir":"/app",
    "Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":[]}}"#;

/// What the builder stands on: a base, a layer, and what its probes have found.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, mode, content: &[u8]| {
            let place = folder.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, content).unwrap();
            fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
        };
        write("base/etc/passwd", 0o644, b"node:x:1000:1000::/:/sbin/nologin\n");
        write("base/etc/group", 0o644, b"node:x:1000:\n");
        // Static, so that nothing else has to be there for it.
        write("base/bin/node", 0o755, &fs::read("/sbin/ldconfig").unwrap());
        write("layer/app/a.js", 0o644, b"1\n");
        fs::create_dir(folder.path().join("base/app")).unwrap();
        for path in ["base", "base/app", "base/bin", "base/etc", "layer", "layer/app"] {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(folder.path().join(path), mode).unwrap();
        }
        let mut graph = Graph::new();
        let image = pb::SourceOp {
            identifier: format!("docker-image://hardpan:1@sha256:{}", "2".repeat(64)),
            ..pb::SourceOp::default()
        };
        let output = graph.source_op(image, &Constraints::named("hardpan"));
        let own = graph.marshal(output, &[]).encode_to_vec();
        fs::write(folder.path().join("frontend.bin"), own).unwrap();
        Self(folder)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn script(&self, gone_at: Option<usize>) -> Script {
        let digest = format!("sha256:{}", "1".repeat(64));
        let image = |name: &str| {
            (format!("docker-image://dhi.io/{name}"), Ok(fake::image(&digest, CONFIG)))
        };
        let (folder, solves) = (self.0.path().to_owned(), AtomicUsize::new(0));
        let answers = folder.clone();
        Script {
            images: BTreeMap::from([image("node:24"), image("node:24-dev")]),
            solve: Some(Box::new(move |request| {
                let name = format!("ref-{}", solves.fetch_add(1, Ordering::Relaxed));
                let out = folder.join(&name);
                fs::remove_dir_all(&out).ok();
                fs::create_dir(&out).unwrap();
                if let Some(args) = probe(request) {
                    look(&folder, &out, &args);
                }
                Ok(fake::one_ref(&name))
            })),
            read: Some(Box::new(move |request: &ReadFileRequest| {
                if request.file_path == "hardpan.yaml" {
                    return Some(SPEC.as_bytes().to_vec());
                }
                fs::read(answers.join(&request.r#ref).join(&request.file_path)).ok()
            })),
            pong: able(),
            gone_at,
            ..Script::default()
        }
    }
}

/// A builder that has every capability of a graph that hardpan knows.
fn able() -> PongResponse {
    let known = include_str!("../src/llb/caps.rs").split('"').skip(1).step_by(2);
    let mut pong = fake::modern_pong();
    let cap = |id: &str| ApiCap { id: id.to_owned(), enabled: true, ..ApiCap::default() };
    pong.llb_caps.extend(known.map(cap));
    pong
}

/// The words of the last probe of a definition.
fn probe(request: &SolveRequest) -> Option<Vec<String>> {
    let ops = request.definition.as_ref()?.def.iter().rev();
    ops.filter_map(|bytes| match pb::Op::decode(bytes.as_slice()).unwrap().op? {
        pb::op::Op::Exec(exec) => Some(exec.meta?.args),
        _ => None,
    })
    .find(|args| matches!(&*args[1], "facts" | "collisions" | "inventory"))
}

/// Runs a probe, as BuildKit would in a container.
fn look(folder: &Path, out: &Path, args: &[String]) {
    let here = |word: &String| match word.strip_prefix("/run/hp/") {
        None => word.clone(),
        Some("out") => out.to_str().unwrap().to_owned(),
        Some("base") => folder.join("base").to_str().unwrap().to_owned(),
        Some(_) => folder.join("layer").to_str().unwrap().to_owned(),
    };
    let done = Command::new(HARDPAN).args(args[1..].iter().map(here)).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A frontend with a /run of its own.
fn frontend(machine: &Machine, call: Option<&str>) -> Child {
    let own_namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let script = "mount -t tmpfs none /run && mkdir -p /run/config/buildkit/metadata && \
                  cp \"$1\" /run/config/buildkit/metadata/ && exec \"$2\" frontend";
    let mut command = Command::new("unshare");
    command.args([own_namespace, "sh", "-ec", script, "sh"]);
    command.arg(machine.at("frontend.bin")).arg(HARDPAN);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("BUILDKIT_FRONTEND_OPT_0", "filename=hardpan.yaml");
    command.env("BUILDKIT_SESSION_ID", "session");
    let workers = r#"[{"id":"w","platforms":[{"os":"linux","architecture":"amd64"}]}]"#;
    command.env("BUILDKIT_WORKERS", workers);
    if let Some(call) = call {
        command.env("BUILDKIT_FRONTEND_OPT_1", format!("requestid=frontend.{call}"));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// How a frontend ended, what it wrote to stderr, and the calls that it made.
struct Ended {
    status: ExitStatus,
    said: String,
    calls: Calls,
    /// From the moment at which the builder was gone.
    took: Duration,
}

async fn run(machine: &Machine, call: Option<&str>, gone_at: Option<usize>) -> Ended {
    let mut child = frontend(machine, call);
    let input = OwnedFd::from(child.stdout.take().unwrap());
    let output = OwnedFd::from(child.stdin.take().unwrap());
    let stream = tokio::io::join(
        pipe::Receiver::from_owned_fd(input).unwrap(),
        pipe::Sender::from_owned_fd(output).unwrap(),
    );
    let calls = fake::serve(machine.script(gone_at), stream);
    let mut gone = None;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if gone.is_none() && Some(calls.all().len()) == gone_at {
            gone = Some(Instant::now());
        }
        let late = gone.is_some_and(|since| since.elapsed() > PROMPTLY);
        if late || began.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("still running; call {gone_at:?} of {call:?}, after {:?}", calls.all().last());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    Ended { status, said, calls, took: gone.map_or(Duration::ZERO, |since| since.elapsed()) }
}

fn name(call: &Call) -> String {
    format!("{call:?}").split(['(', ' ']).next().unwrap().to_owned()
}

/// Answers everything once; then nothing from the first call on, from the second on, and so forth.
async fn at_each_call(call: Option<&str>, expected: &[&str]) {
    let machine = Machine::new();
    let whole = run(&machine, call, None).await;
    assert!(whole.status.success(), "{:?}: {}", whole.calls.returned(), whole.said);
    let names: Vec<String> = whole.calls.all().iter().map(name).collect();
    for one in expected {
        assert!(names.iter().any(|name| name == one), "{one} in {names:?}");
    }
    for number in 1..=names.len() {
        let ended = run(&machine, call, Some(number)).await;
        let place = format!("call {number} ({}) of {call:?}: {}", names[number - 1], ended.said);
        assert!(ended.status.code().is_some_and(|code| code != 0), "{place}");
        assert!(ended.took < PROMPTLY, "{place}");
        assert!(!ended.said.contains("panic"), "{place}");
        assert!(ended.said.lines().count() <= 1, "one message: {place}");
    }
}

#[tokio::test]
async fn a_build_ends_with_its_builder() {
    let all = ["Ping", "ResolveSourceMeta", "Solve", "ReadFile", "Warn", "Return"];
    at_each_call(None, &all).await;
}

#[tokio::test]
async fn calls_end_with_their_builder() {
    for call in ["lint", "outline", "targets", "plan", "schema"] {
        at_each_call(Some(call), &["Ping", "Solve", "ReadFile", "Return"]).await;
    }
}
