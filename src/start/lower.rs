//! `hardpan lower`: gives up everything that the runtime contract withholds, and becomes a program
//! of the image.
//!
//! It is a process of its own, because what is given up cannot be had back. Standard input is the
//! way back to whoever started it: a line on it says why there is no program. It is closed by the
//! program's start itself, so that no line means that the program runs.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::fs::fchown;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::stdio::dup2_stdin;
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

/// Processes and threads of one user: more than any app has, and fewer than a machine bears.
const PROCESSES: u64 = 4_096;
/// Beyond the last capability that any kernel has.
const CAPABILITIES: u32 = 64;

/// What went wrong: the program's fault, or ours.
#[derive(Debug)]
pub(super) enum Refused {
    /// The program cannot be started.
    Program(String),
    /// The contract cannot be kept here.
    Contract(String),
}

impl Refused {
    /// As [`Refused::read`] reads it.
    fn write(&self) -> String {
        match self {
            Self::Program(why) => format!("p{why}"),
            Self::Contract(why) => format!("c{why}"),
        }
    }

    /// What was said on the way back; `None`: nothing, the program runs.
    pub(super) fn read(said: &str) -> Option<Self> {
        let (kind, why) = said.split_at_checked(1)?;
        let why = why.to_owned();
        Some(if kind == "p" { Self::Program(why) } else { Self::Contract(why) })
    }
}

/// Runs `hardpan lower UID GID WORKDIR PROGRAM ARGUMENT…`.
pub fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Ok(mut back) = way_back() else { return ExitCode::from(2) };
    let mut number = || arguments.next()?.to_str()?.parse::<u32>().ok();
    let user = number().zip(number());
    let (Some((uid, gid)), Some(workdir), Some(program)) =
        (user, arguments.next(), arguments.next())
    else {
        return ExitCode::from(2);
    };
    let refused = match give_up(uid, gid) {
        Err((what, error)) => Refused::Contract(format!("{what}: {error}")),
        Ok(()) => become_it(&workdir, &program, arguments),
    };
    // Whoever listened is gone if this fails.
    let _ = back.write_all(refused.write().as_bytes());
    ExitCode::from(127)
}

/// Becomes the program; what comes back is why not.
fn become_it(
    workdir: &OsStr,
    program: &OsStr,
    arguments: impl Iterator<Item = OsString>,
) -> Refused {
    if let Err(error) = std::env::set_current_dir(workdir) {
        let workdir = workdir.display();
        return Refused::Program(format!(
            "its working directory {workdir} cannot be entered: {error}"
        ));
    }
    let error = Command::new(program).args(arguments).exec();
    Refused::Program(format!("{} cannot be started: {error}", program.display()))
}

/// Standard input under another number, which no program inherits; `/dev/null` in its place.
fn way_back() -> std::io::Result<File> {
    let back: OwnedFd = fcntl_dupfd_cloexec(std::io::stdin(), 3)?;
    let nothing = File::open("/dev/null")?;
    dup2_stdin(&nothing)?;
    Ok(File::from(back))
}

/// In an order in which each step still may: what is left at the end is an ordinary user.
fn give_up(uid: u32, gid: u32) -> Result<(), (&'static str, rustix::io::Errno)> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    let limit = Rlimit { current: Some(PROCESSES), maximum: Some(PROCESSES) };
    let named = |what: &'static str| move |error: rustix::io::Errno| (what, error);
    // What opens /dev/stdout opens the pipe anew, and has to be allowed to: engines do the same.
    for stream in [std::io::stdout().as_fd(), std::io::stderr().as_fd()] {
        fchown(stream, Some(uid), Some(gid)).map_err(named("output"))?;
    }
    setrlimit(Resource::Nproc, limit).map_err(named("limit of processes"))?;
    // Kernels without ambient capabilities have none to clear.
    let _ = clear_ambient_capability_set();
    for capability in 0..CAPABILITIES {
        let one = CapabilitySet::from_bits_retain(1 << capability);
        match remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            Err(rustix::io::Errno::INVAL) => break, // one more than the kernel has
            Err(error) => return Err(("bounding set", error)),
        }
    }
    set_thread_groups(&[]).map_err(named("groups"))?;
    set_thread_res_gid(gid, gid, gid).map_err(named("group"))?;
    set_thread_res_uid(uid, uid, uid).map_err(named("user"))?;
    let none = CapabilitySet::empty();
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, none).map_err(named("capabilities"))?;
    set_no_new_privs(true).map_err(named("no new privileges"))
}
