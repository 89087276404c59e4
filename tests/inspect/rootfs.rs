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
}
