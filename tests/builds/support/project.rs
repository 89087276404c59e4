//! A spec and its sources in a temporary folder, ready to be built.
//!
//! A `▸` in the spec marks a place where a mistake is to be reported; it is not part of the file.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::build::Build;
use super::environment::environment;
use super::image::Image;
use super::refusal::Refusal;

/// The name of the spec.
pub const SPEC: &str = "hardpan.yaml";
const MARK: char = '▸';

/// A folder with a spec. It is gone when the test is over.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    /// Line and column of each mark.
    pub marks: Vec<(u32, u32)>,
}

impl Project {
    /// A project with a spec; the syntax line is put before it, so its first line is line 2.
    pub fn new(spec: &str) -> Self {
        Self::written(&format!("# syntax={}\n{}", environment().syntax, dedent(spec)))
    }

    /// A project with a spec exactly as it is.
    pub fn written(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (text, marks) = take_marks(text);
        Self { folder, marks }.file(SPEC, &text)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where its spec is.
    pub fn spec(&self) -> PathBuf {
        self.folder.path().join(SPEC)
    }

    /// Adds a file with mode 0644.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(path, 0o644, content)
    }

    /// Adds a file.
    #[must_use]
    pub fn file_with_mode(self, path: &str, mode: u32, content: impl AsRef<[u8]>) -> Self {
        let place = self.place(path);
        fs::write(&place, content).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Adds a copy of a program of this machine, mode 0755.
    #[must_use]
    pub fn program(self, path: &str, of: &str) -> Self {
        let bytes = fs::read(of).unwrap_or_else(|error| panic!("{of}: {error}"));
        self.file_with_mode(path, 0o755, bytes)
    }

    /// Adds a folder.
    #[must_use]
    pub fn folder(self, path: &str, mode: u32) -> Self {
        let place = self.place(path);
        fs::create_dir_all(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.place(path)).unwrap();
        self
    }

    fn place(&self, path: &str) -> PathBuf {
        let place = self.folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    /// A build of it.
    pub fn build(&self) -> Build {
        Build::new(self.path(), &self.spec())
    }

    /// Builds it and reads the image back from the registry.
    #[track_caller]
    pub fn push(&self) -> Image {
        self.build().push()
    }

    /// Builds it, which must be refused.
    #[track_caller]
    pub fn refused(&self) -> Refusal {
        self.build().refused()
    }
}

/// Removes the indentation that all lines share, and an empty first line.
pub fn dedent(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let indent =
        lines().map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0);
    let mut plain = String::new();
    for line in text.lines() {
        plain += line.get(indent..).unwrap_or_default();
        plain.push('\n');
    }
    plain
}

fn take_marks(text: &str) -> (String, Vec<(u32, u32)>) {
    let (mut plain, mut marks) = (String::new(), Vec::new());
    let (mut line, mut column) = (1, 1);
    for character in text.chars() {
        match character {
            MARK => marks.push((line, column)),
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
        if character != MARK {
            plain.push(character);
        }
    }
    (plain, marks)
}
