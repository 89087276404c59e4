//! An image started by runc under the runtime contract: its numeric user, read-only root, /tmp and
//! the writable paths only, no capabilities, no new privileges.
//!
//! Each container has a network of its own with a loopback, so that tests run side by side; it is
//! asked from within that network.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::ask::Asked;
use super::command::{Outcome, Program, Running};
use super::http::{Request, Response, ask};
use super::image::Image;

const START: Duration = Duration::from_secs(15);
/// How long an app may take to stop, and its longest life.
const STOP_SECONDS: u64 = 10;
const LIFE_SECONDS: u64 = 240;
/// An emulated program may take this many times as long.
const EMULATED: u32 = 8;

/// A running container. Dropped, it is killed and removed.
#[derive(Debug)]
pub struct Container {
    name: String,
    bundle: TempDir,
    running: Option<Running>,
    stop_signal: String,
    /// How many times as long as usual things may take.
    pub patience: u32,
}

impl Container {
    /// Starts the image's own command.
    pub fn start(image: &Image, writable: &[&str]) -> Self {
        let command: Vec<&str> = [image.words("Entrypoint"), image.words("Cmd")].concat();
        Self::start_with(image, &command, writable)
    }

    /// Starts another command.
    pub fn start_with(image: &Image, command: &[&str], writable: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hardpan-test-{}-{number}", process::id());
        let bundle = TempDir::new().unwrap();
        let root = bundle.path().join("rootfs");
        fs::create_dir(&root).unwrap();
        image.unpack(&root);
        let config = config(image, command, &mounts(&root, image, writable));
        fs::write(bundle.path().join("config.json"), config.to_string()).unwrap();
        let stop_signal = image.run()["StopSignal"].as_str().unwrap_or("SIGTERM").to_owned();
        let own = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
        let patience = if image.config["architecture"] == own { 1 } else { EMULATED };
        let mut container = Self { name, bundle, running: None, stop_signal, patience };
        container.run();
        container
    }

    fn run(&mut self) {
        let pid_file = self.pid_file();
        let program = Program::new("runc").args(["run", "--bundle"]).args([self.bundle.path()]);
        let program =
            program.args(["--pid-file".as_ref(), pid_file.as_os_str(), self.name.as_ref()]);
        let running = self.running.insert(program.within(LIFE_SECONDS).start());
        let deadline = Instant::now() + START;
        while !pid_file.exists() && !running.has_ended() {
            assert!(Instant::now() < deadline, "runc has not started {} in time", self.name);
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn pid_file(&self) -> PathBuf {
        self.bundle.path().join("pid")
    }

    /// Sends the image's stop signal and waits for the end; one that does not stop fails the test.
    pub fn stop(mut self) -> Outcome {
        let kill = Program::new("runc").args(["kill", &self.name, &self.stop_signal]);
        kill.run().succeeded();
        let began = Instant::now();
        let outcome = self.running.take().unwrap().finish();
        let limit = STOP_SECONDS * u64::from(self.patience);
        assert!(began.elapsed().as_secs() < limit, "slow to stop: {outcome}");
        outcome
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Outcome {
        self.running.take().unwrap().finish()
    }
}

impl Asked for Container {
    fn patience(&self) -> u32 {
        self.patience
    }

    fn ask(&self, port: u16, request: Request<'_>) -> std::io::Result<Response> {
        ask_within(&fs::read_to_string(self.pid_file())?, port, request)
    }

    fn runs(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| !running.has_ended())
    }

    fn last_words(&mut self) -> String {
        let Some(running) = self.running.take() else { return String::new() };
        drop(Program::new("runc").args(["kill", &self.name, "KILL"]).run());
        running.finish().to_string()
    }
}

/// Asks over HTTP from within the network of a process.
pub fn ask_within(pid: &str, port: u16, request: Request<'_>) -> std::io::Result<Response> {
    let network = File::open(format!("/proc/{}/ns/net", pid.trim()))?;
    let inside = || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        ask(&format!("127.0.0.1:{port}"), request)
    };
    // A thread of its own: the network of a thread is not changed back.
    thread::scope(|scope| scope.spawn(inside).join().unwrap())
}

impl Drop for Container {
    fn drop(&mut self) {
        // Removes what runs as well; one that has ended is gone already.
        drop(Program::new("runc").args(["delete", "--force", &self.name]).run());
    }
}

/// Numbers only: a name would have to be looked up by whoever starts the image.
pub fn numeric_user(image: &Image) -> (u32, u32) {
    let user = image.run()["User"].as_str().unwrap_or_default();
    let numbers =
        user.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
    numbers.unwrap_or_else(|| panic!("the user {user:?} is not `uid:gid`"))
}

fn mounts(root: &Path, image: &Image, writable: &[&str]) -> Vec<Value> {
    let (uid, gid) = numeric_user(image);
    let mut mounts = vec![
        mount("/proc", "proc", &[]),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/tmp", "tmpfs", &["nosuid", "nodev", "mode=1777"]),
    ];
    for path in writable {
        let source = root.join(path.trim_start_matches('/'));
        let owner =
            fs::metadata(&source).unwrap_or_else(|error| panic!("writable {path}: {error}"));
        assert_eq!((owner.uid(), owner.gid()), (uid, gid), "the owner of writable {path}");
        mounts.push(json!({
            "destination": path, "type": "bind", "source": source, "options": ["bind", "rw"],
        }));
    }
    mounts
}

fn mount(at: &str, kind: &str, options: &[&str]) -> Value {
    json!({ "destination": at, "type": kind, "source": kind, "options": options })
}

fn config(image: &Image, command: &[&str], mounts: &[Value]) -> Value {
    let (uid, gid) = numeric_user(image);
    let folder = image.run()["WorkingDir"].as_str().filter(|path| !path.is_empty()).unwrap_or("/");
    let spaces = ["pid", "ipc", "uts", "mount", "network"];
    let spaces: Vec<Value> = spaces.iter().map(|kind| json!({ "type": kind })).collect();
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": uid, "gid": gid },
            "args": command,
            "env": image.words("Env"),
            "cwd": folder,
            "capabilities": { "bounding": [], "effective": [], "permitted": [], "ambient": [] },
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "app",
        "mounts": mounts,
        "linux": {
            "namespaces": spaces,
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    })
}
