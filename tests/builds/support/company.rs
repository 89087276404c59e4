//! A company: an authority of its own, and a server whose certificate only that authority signs.
//! It serves a folder on this machine's loopback, which steps of the private buildkitd reach.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::command::Program;

/// Serves its working directory; says its port once it listens.
const SERVER: &str = "
import http.server, ssl, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";

/// A server behind an authority of its own. Dropped, it is ended.
#[derive(Debug)]
pub struct Company {
    folder: TempDir,
    server: Child,
    /// `https://localhost:PORT`.
    pub address: String,
}

impl Company {
    /// Makes an authority and serves files: path and content.
    pub fn serving(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        make_certificates(folder.path());
        for (path, content) in files {
            let place = at("site").join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, content).unwrap();
        }
        let mut server = Command::new("python3")
            .args(["-c", SERVER])
            .args([at("server.pem"), at("server.key")])
            .current_dir(at("site"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = format!("https://localhost:{}", line.trim());
        Self { folder, server, address }
    }

    /// The certificate of its authority, as PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// `ca.pem`, and `server.pem` with `server.key` that it signs, for localhost.
fn make_certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    // Python 3.13 is the strictest: it wants every extension that a real authority writes.
    let script = format!(
        "cd {folder} &&
         openssl req -x509 {key} -keyout ca.key -out ca.pem -subj '/CN=Authority of a company' \
             -addext keyUsage=critical,keyCertSign,cRLSign &&
         openssl req {key} -keyout server.key -out server.csr -subj /CN=localhost &&
         printf '%s\\n' subjectAltName=DNS:localhost subjectKeyIdentifier=hash \
             authorityKeyIdentifier=keyid > names &&
         openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
             -extfile names -out server.pem",
        folder = folder.display()
    );
    Program::new("sh").args(["-ec", &script]).run().succeeded();
}
