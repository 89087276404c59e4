//! `add` of a URL: only what its checksum names, unpacked only when asked.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::support::image::digest;
use crate::support::project::Project;

/// Serves the same bytes under every path but `/gone`; gives its address.
fn serve(content: Vec<u8>) -> String {
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

fn archive() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o640);
    tar.append_data(&mut header, "inner/file", &b"f"[..]).unwrap();
    tar.into_inner().unwrap()
}

fn project(url: &str, more: &str) -> Project {
    Project::new(&format!(
        "base: node:24\nimage:\n  - add: ▸{url}\n    {more}\nentrypoint: [node]\n"
    ))
}

#[test]
fn what_the_checksum_names_is_placed_as_it_is() {
    let address = serve(archive());
    let sum = digest(&archive());
    let listing =
        project(&format!("{address}/app.tar"), &format!("checksum: {sum}")).push().listing();
    let node = listing.at("/app/app.tar");
    assert_eq!((node.content.as_str(), node.mode, node.uid), (sum.as_str(), 0o644, 0));
}

#[test]
fn an_archive_is_unpacked_when_asked() {
    let address = serve(archive());
    let more = format!("checksum: {}\n    unpack: true\n    to: /srv/x", digest(&archive()));
    let listing = project(&format!("{address}/app.tar"), &more).push().listing();
    let node = listing.at("/srv/x/inner/file");
    assert_eq!((node.mode, node.uid, node.gid), (0o644, 0, 0));
}

#[test]
fn other_bytes_than_the_checksum_names_are_refused() {
    let address = serve(b"not what was promised".to_vec());
    let project =
        project(&format!("{address}/app.tar"), &format!("checksum: {}", digest(b"promised")));
    let refusal = project.refused();
    assert_eq!(refusal.errors().len(), 1, "{refusal}");
    assert!(refusal.marked.contains(&project.marks[0].0), "{refusal}");
    assert!(refusal.text().contains(&digest(b"promised")), "{refusal}");
}

#[test]
fn a_url_that_is_not_there_is_named() {
    let address = serve(Vec::new());
    let project = project(&format!("{address}/gone"), &format!("checksum: {}", digest(b"x")));
    let refusal = project.refused();
    assert!(refusal.marked.contains(&project.marks[0].0), "{refusal}");
    assert!(refusal.outcome.stderr.contains(">>>   - add: http"), "{refusal}");
}
