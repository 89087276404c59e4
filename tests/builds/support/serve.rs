//! Servers on this machine that a builder fetches from: a file over http, a repository over git's own
//! protocol. Both are gone when the test is over.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::command::{Program, Running};

/// Serves the same bytes under every path but `/gone`; gives its address.
pub fn serve(content: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or_default();
            let is_gone = request[..length].windows(6).any(|six| six == b" /gone");
            let status = if is_gone { "404 Not Found" } else { "200 OK" };
            let length = content.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            // A client that has seen enough may hang up.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&content));
        }
    });
    address
}

/// A tar archive with these files.
pub fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o640);
        tar.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A git repository that can be fetched.
#[derive(Debug)]
pub struct Repository {
    folder: TempDir,
    /// `git://HOST:PORT/repository.git`.
    pub address: String,
    _server: Running,
}

impl Repository {
    /// An empty repository behind a server of its own.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Program::new("git daemon --reuseaddr --export-all --listen=127.0.0.1")
            .args([format!("--port={port}"), format!("--base-path={}", folder.path().display())])
            .within(600)
            .start();
        let address = format!("git://127.0.0.1:{port}/repository.git");
        let repository = Self { folder, address, _server: server };
        fs::create_dir(repository.path()).unwrap();
        repository.git("init --quiet --initial-branch=main");
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "git daemon does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        repository
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("repository.git")
    }

    /// Runs git in it, the words separated by blanks; gives what it printed.
    pub fn git(&self, words: &str) -> String {
        let identity = ["-c", "user.name=A", "-c", "user.email=a@example.test"];
        let program = Program::new("git").args(["-C".as_ref(), self.path().as_os_str()]);
        let outcome = program.args(identity).args(words.split(' ')).run().succeeded();
        outcome.stdout.trim().to_owned()
    }

    /// Commits files; gives the commit.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let place = self.path().join(path);
            fs::create_dir_all(place.parent().unwrap_or(Path::new("/"))).unwrap();
            fs::write(place, content).unwrap();
        }
        self.git("add .");
        self.git("commit --quiet -m change");
        self.git("rev-parse HEAD")
    }
}
