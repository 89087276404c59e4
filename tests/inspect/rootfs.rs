//! Builds small root file systems in a temporary folder.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

/// A tree that is gone when the test is over.
pub(crate) struct Rootfs {
    folder: TempDir,
}

impl Rootfs {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// A file system without any defect, apart from what comes to it.
    pub(crate) fn sound() -> Self {
        let root = Self::new();
        let accounts =
            "root:x:0:0::/root:/sbin/nologin\nnode:x:1000:1000::/home/node:/sbin/nologin\n";
        root.file("/etc/passwd", 0o644, accounts)
            .file("/etc/group", 0o644, "root:x:0:\nnode:x:1000:\n")
            .file("/usr/lib/os-release", 0o644, "ID=debian\n")
            .file("/var/lib/dpkg/status.d/node", 0o644, "Package: node\n")
            .file("/lib64/ld-linux-x86-64.so.2", 0o755, elf(AMD64, None))
            .file("/usr/bin/node", 0o755, elf(AMD64, Some("/lib64/ld-linux-x86-64.so.2")))
            .file("/app/server.js", 0o644, "serve()")
            .folder("/tmp", 0o1777)
            .link("/bin", "usr/bin");
        root
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where a path of the tree is on this machine; its parents are made.
    fn place(&self, path: &[u8]) -> PathBuf {
        let relative = path.strip_prefix(b"/").unwrap();
        let place = self.folder.path().join(OsStr::from_bytes(relative));
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).unwrap();
        }
        place
    }

    pub(crate) fn file(
        &self,
        path: impl AsRef<[u8]>,
        mode: u32,
        content: impl AsRef<[u8]>,
    ) -> &Self {
        let place = self.place(path.as_ref());
        fs::write(&place, content).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(crate) fn folder(&self, path: impl AsRef<[u8]>, mode: u32) -> &Self {
        let place = self.place(path.as_ref());
        fs::create_dir_all(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(crate) fn link(&self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> &Self {
        symlink(OsStr::from_bytes(target.as_ref()), self.place(path.as_ref())).unwrap();
        self
    }

    pub(crate) fn owner(&self, path: &str, uid: u32, gid: u32) -> &Self {
        let place = self.place(path.as_bytes());
        let before = fs::symlink_metadata(&place).unwrap();
        lchown(&place, Some(uid), Some(gid)).unwrap();
        if !before.is_symlink() {
            fs::set_permissions(&place, before.permissions()).unwrap(); // chown clears set-id bits
        }
        self
    }

    pub(crate) fn special(&self, path: &str, kind: FileType) -> &Self {
        let device = if kind == FileType::CharacterDevice { rustix::fs::makedev(1, 3) } else { 0 };
        mknodat(CWD, self.place(path.as_bytes()), kind, Mode::from(0o644), device).unwrap();
        self
    }

    pub(crate) fn hard_link(&self, path: &str, to: &str) -> &Self {
        fs::hard_link(self.place(to.as_bytes()), self.place(path.as_bytes())).unwrap();
        self
    }

    /// A program of this machine.
    pub(crate) fn program(&self, path: &str, from: &str) -> &Self {
        self.file(path, 0o755, fs::read(from).unwrap())
    }

    /// A file of holes.
    pub(crate) fn sparse(&self, path: &str, head: &[u8], size: u64) -> &Self {
        self.file(path, 0o755, head);
        let file = fs::File::options().write(true).open(self.place(path.as_bytes())).unwrap();
        file.set_len(size).unwrap();
        self
    }
}

/// A program of 64 bits that has nothing but a header and, if it needs one, the path of a loader.
pub(crate) fn elf(machine: u16, loader: Option<&str>) -> Vec<u8> {
    let mut file = vec![0; 64];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16] = 3; // ET_DYN
    file[18..20].copy_from_slice(&machine.to_le_bytes());
    file[20] = 1; // EV_CURRENT
    file[32] = 64; // e_phoff
    file[52] = 64; // e_ehsize
    file[54] = 56; // e_phentsize
    if let Some(loader) = loader {
        file[56] = 1; // e_phnum
        let mut header = vec![0; 56];
        header[0] = 3; // PT_INTERP
        header[8] = 120; // p_offset
        header[32..40].copy_from_slice(&(loader.len() as u64 + 1).to_le_bytes());
        file.extend(header);
        file.extend(loader.as_bytes());
        file.push(0);
    }
    file.resize(file.len().max(8 << 10), 0);
    file
}

/// `e_machine` of amd64.
pub(crate) const AMD64: u16 = 62;
/// `e_machine` of arm64.
pub(crate) const ARM64: u16 = 183;
