//! The smallest program of a platform as an exec: whether a builder can run it at all.
//!
//! A program of another platform fails with `exec format error` in the log of its step, which a
//! frontend does not get to see; what a builder lists as its platforms is no answer, since BuildKit's
//! own image brings emulators that are not listed. So the program is tried: an ELF header and the
//! system call `exit(0)`, on an empty file system.

use crate::llb::{Constraints, Exec, FileOps, Graph, MakeFile, Mount, Network, Output};
use crate::platform::Platform;

const PATH: &str = "/try";
/// Where the program is loaded to, as linkers do.
const BASE: u64 = 0x40_0000;
/// Of the ELF header and its one program header.
const HEADERS: u64 = 64 + 56;
/// Pages are at most this large.
const PAGE: u64 = 0x1_0000;

/// `exit(0)` for a platform; `None` where it is not written down.
fn exit(platform: &Platform) -> Option<(u16, &'static [u8])> {
    match (platform.os.as_str(), platform.architecture.as_str()) {
        // xor edi, edi; mov eax, 60; syscall
        ("linux", "amd64") => Some((62, b"\x31\xff\xb8\x3c\0\0\0\x0f\x05")),
        // mov x0, #0; mov x8, #93; svc #0
        ("linux", "arm64") => Some((183, b"\0\0\x80\xd2\xa8\x0b\x80\xd2\x01\0\0\xd4")),
        _ => None,
    }
}

/// An ELF file (ELF-64 object file format): one segment, loaded as a whole and executed.
fn program(machine: u16, code: &[u8]) -> Vec<u8> {
    let size = HEADERS + code.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // An executable.
    file.extend([2, machine].into_iter().flat_map(u16::to_le_bytes));
    file.extend(1_u32.to_le_bytes());
    file.extend([BASE + HEADERS, 64, 0].into_iter().flat_map(u64::to_le_bytes));
    file.extend(0_u32.to_le_bytes());
    // Sizes of the headers, and how many there are; no sections.
    file.extend([64_u16, 56, 1, 0, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    // PT_LOAD, readable and executable.
    file.extend([1_u32, 5].into_iter().flat_map(u32::to_le_bytes));
    file.extend([0, BASE, BASE, size, size, PAGE].into_iter().flat_map(u64::to_le_bytes));
    file.extend(code);
    file
}

/// A graph that can be solved if the builder runs programs of a platform; `None` where this release
/// knows no program of it. `started_as` is the platform that the builder is told: its own, where the
/// kernel alone has to run the program, without an emulator that the builder brings.
#[must_use]
pub fn trial(platform: &Platform, started_as: &Platform) -> Option<(Graph, Output)> {
    let (machine, code) = exit(platform)?;
    let named = |name: String| {
        let platform = Some(started_as.into());
        Constraints { platform, ..Constraints::named(name) }
    };
    let mut graph = Graph::new();
    let mut files = FileOps::on(Output::SCRATCH);
    let data = program(machine, code);
    files.make_file(MakeFile { path: PATH.to_owned(), mode: 0o755, data, ..MakeFile::default() });
    let root = graph.file(&files, &named(format!("[internal] write a program for {platform}")));
    let exec = Exec {
        args: vec![PATH.to_owned()],
        cwd: "/".to_owned(),
        network: Network::None,
        mounts: vec![Mount::output("/", root)],
        ..Exec::default()
    };
    // Whoever installs QEMU and asks again gets a new answer: a failure is never cached.
    let with = named(format!("[proof] run a program for {platform}"));
    let output = graph.exec(&exec, &with).first().copied()?;
    Some((graph, output))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_program_of_this_machine_ends_well() {
        let here = Platform::new("linux", std::env::consts::ARCH, "");
        let Some((machine, code)) = exit(&here) else { return };
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&program(machine, code)).unwrap();
        let path = file.into_temp_path();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let status = Command::new(&path).status().unwrap();
        assert!(status.success(), "{status}");
    }

    #[test]
    fn what_is_not_written_down_is_not_tried() {
        let is_tried = |os: &str, architecture: &str| {
            let platform = Platform::new(os, architecture, "");
            trial(&platform, &platform).is_some()
        };
        assert!(!is_tried("linux", "s390x"));
        assert!(!is_tried("windows", "amd64"));
        assert!(is_tried("linux", "arm64"));
    }
}
