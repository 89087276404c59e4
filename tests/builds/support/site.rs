//! A web site on this machine that a builder fetches from: files, some of which say when they were
//! changed, and git repositories over plain http. Gone when the test is over.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use super::command::Program;

/// When the commits of a repository are made: 2024-01-02T03:04:05Z.
pub const COMMIT_TIME: i64 = 1_704_164_645;

/// A site.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    changed: Arc<Mutex<BTreeMap<String, String>>>,
    address: String,
}

impl Site {
    /// An empty site.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let folder = TempDir::new().unwrap();
        let changed = Arc::new(Mutex::new(BTreeMap::new()));
        let (root, times) = (folder.path().to_owned(), changed.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, root, times) = (stream.unwrap(), root.clone(), times.clone());
                // A client that has seen enough may hang up.
                thread::spawn(move || drop(answer(stream, &root, &times)));
            }
        });
        Self { folder, changed, address }
    }

    /// The address of something on it.
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.address)
    }

    /// Puts a file on it; gives its address.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.folder.path().join(path), content).unwrap();
        self.at(path)
    }

    /// The same for a file that says when it was changed, in the words of http.
    pub fn file_changed(&self, path: &str, content: impl AsRef<[u8]>, time: &str) -> String {
        self.changed.lock().unwrap().insert(format!("/{path}"), time.to_owned());
        self.file(path, content)
    }

    /// Puts a repository on it with everything in a folder as one commit, tagged `v1`, on `main`.
    pub fn repository(&self, name: &str, of: &Path) -> Repository {
        let place = self.folder.path().join(format!("{name}.git"));
        let repository =
            Repository { git: place, work: of.to_owned(), address: self.at(name) + ".git" };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        repository.git(&["tag", "v1"]);
        repository.publish();
        repository
    }
}

/// A repository on a site.
#[derive(Debug)]
pub struct Repository {
    git: PathBuf,
    work: PathBuf,
    /// Where it is.
    pub address: String,
}

impl Repository {
    /// Runs git on it; gives what it printed.
    pub fn git(&self, words: &[&str]) -> String {
        fs::create_dir_all(&self.git).unwrap();
        let date = format!("{COMMIT_TIME} +0000");
        let program = Program::new("git")
            .args([format!("--git-dir={}", self.git.display())])
            .args([format!("--work-tree={}", self.work.display())])
            .args(["-c", "user.name=A", "-c", "user.email=a@example.test"])
            .args(words);
        let program = program.at(&self.work);
        let program = program.env("GIT_COMMITTER_DATE", &date).env("GIT_AUTHOR_DATE", date);
        program.run().succeeded().stdout.trim().to_owned()
    }

    /// Commits the folder as it is now; gives the commit.
    pub fn commit(&self) -> String {
        self.git(&["add", "--all", "."]);
        self.git(&["commit", "--quiet", "--message=change"]);
        self.publish();
        self.git(&["rev-parse", "HEAD"])
    }

    /// Lists what there is, for clients that can only read files.
    pub fn publish(&self) {
        self.git(&["update-server-info"]);
    }
}

/// A tar archive of a folder, packed by a program such as `gzip`; empty: not at all.
pub fn archive(of: &Path, packer: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all("", of).unwrap();
    let tar = tar.into_inner().unwrap();
    if packer.is_empty() {
        return tar;
    }
    let folder = TempDir::new().unwrap();
    let (plain, small) = (folder.path().join("plain"), folder.path().join("small"));
    fs::write(&plain, tar).unwrap();
    let command = format!("{packer} -c < {} > {}", plain.display(), small.display());
    Program::new("sh -c").args([command]).run().succeeded();
    fs::read(small).unwrap()
}

fn answer(
    mut stream: TcpStream,
    root: &Path,
    changed: &Mutex<BTreeMap<String, String>>,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        let mut part = [0; 4096];
        match stream.read(&mut part)? {
            0 => return Ok(()),
            length => request.extend(&part[..length]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split('?').next().unwrap_or_default();
    let content = fs::read(root.join(path.trim_start_matches('/')));
    let status = if content.is_ok() { "200 OK" } else { "404 Not Found" };
    let content = content.unwrap_or_default();
    let time = changed.lock().unwrap().get(path).cloned();
    let time = time.map(|time| format!("Last-Modified: {time}\r\n")).unwrap_or_default();
    let length = content.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{time}\r\n");
    stream.write_all(head.as_bytes())?;
    if method == "HEAD" { Ok(()) } else { stream.write_all(&content) }
}
