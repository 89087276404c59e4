//! `add` of a URL: only what its checksum names, unpacked only when asked.

use crate::support::image::digest;
use crate::support::project::Project;
use crate::support::serve::serve;

fn archive() -> Vec<u8> {
    crate::support::serve::archive(&[("inner/file", "f")])
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
