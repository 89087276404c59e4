//! Images that cost little to make and would cost a lot to look at: what is too much is cut off, and what
//! is cut off is said.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::archive::{Image, Scan, digest, ended, layout, scan};

fn member(name: &str, flag: u8, link: &str, content: &[u8]) -> Vec<u8> {
    crate::archive::member(name, 0o644, (flag, link), content)
}

/// A file with what no header has room for.
fn extended(key: &str, value: &str, (name, flag): (&str, u8)) -> Vec<u8> {
    let body = format!(" {key}={value}\n");
    let digits = |length: usize| length.to_string().len();
    let length = (1..9).map(|more| body.len() + more).find(|all| all - digits(*all) == body.len());
    let record = format!("{}{body}", length.unwrap());
    [member("x", b'x', "", record.as_bytes()), member(name, flag, "x", b"")].concat()
}

#[track_caller]
fn of_layer(members: &[Vec<u8>]) -> Scan {
    let mut image = Image::sound();
    image.layers.push(ended(members));
    scan(&image.layout().path, &[])
}

#[track_caller]
fn of_config(change: impl FnOnce(&mut Value)) -> Scan {
    let mut image = Image::sound();
    change(&mut image.config);
    scan(&image.layout().path, &[])
}

fn count(scan: &Scan, check: &str) -> usize {
    scan.found().iter().filter(|one| one.0 == check).count()
}

#[track_caller]
fn reason(scan: &Scan, check: &str) -> String {
    assert_eq!(scan.status(check), "not_evaluated", "{check}: {scan:?}");
    let checks = scan.report["checks"].as_array().unwrap();
    let one = checks.iter().find(|one| one["id"] == check).unwrap();
    one["reason"].as_str().unwrap().to_owned()
}

#[test]
fn of_too_many_links_called_like_programs_none_is_passed() {
    let dangling = |number| member(&format!("usr/bin/{number:05}/curl"), b'2', "/gone", b"");
    let mut members: Vec<_> = (0..10_000).map(dangling).collect();
    assert_eq!(of_layer(&members).status("PKG-05"), "passed");
    members.push(member("usr/bin/z/curl", b'2', "/usr/bin/node", b""));
    let scan = of_layer(&members);
    let expected = "/ was not followed: there are too many links called like programs";
    assert_eq!(reason(&scan, "PKG-05"), expected);
    assert_eq!(scan.code, 1);
}

#[test]
fn links_are_followed_so_far_together() {
    // Each goes down a hundred folders and up again, as often as fits into a link.
    let target = format!("/{}{}", "d/".repeat(100), "../d/".repeat(115));
    let path = format!("{}e", "d/".repeat(110));
    let mut members = vec![extended("path", &path, ("x", b'5'))];
    let link = |number| extended("linkpath", &target, (&format!("usr/bin/{number}/curl"), b'2'));
    members.extend((0..80).map(link));
    // Within what one link may take, and within what all of them may.
    assert_eq!(of_layer(&members).status("PKG-05"), "passed");
    members.extend((80..200).map(link));
    let expected = "/ was not followed: the paths of the image lead through too many names";
    assert_eq!(reason(&of_layer(&members), "PKG-05"), expected);
}

#[test]
fn a_link_that_goes_up_and_down_too_often_is_told() {
    let target = format!("/{}{}usr/bin/node", "d/".repeat(400), "../d/".repeat(600));
    let path = format!("{}e", "d/".repeat(410));
    let folder = extended("path", &path, ("x", b'5'));
    let link = extended("linkpath", &target, ("usr/bin/curl", b'2'));
    let scan = of_layer(&[folder, link]);
    let expected = "/usr/bin/curl was not followed: too many names in one path";
    assert_eq!(reason(&scan, "PKG-05"), expected);
}

#[test]
fn nothing_is_placed_where_no_path_leads() {
    let name = "d".repeat(200);
    let deep = format!("{name}/").repeat(19);
    let link = extended("linkpath", &deep, ("l", b'2'));
    let below = |levels: usize| member(&format!("l/{}x", "e/".repeat(levels)), b'0', "", b"");
    assert_ne!(of_layer(&[link.clone(), below(40)]).code, 2);
    let far = extended("path", &format!("l/{deep}x"), ("x", b'0'));
    let scan = of_layer(&[link, far]);
    assert!(scan.said.trim_end().ends_with(" leads to where no path can be"), "{}", scan.said);
}

#[test]
fn many_entries_of_one_kind_are_told_up_to_a_thousand() {
    let env = |count: usize| -> Vec<String> {
        (0..count).map(|number| format!("TOKEN_{number}=s3cr3t{number}x")).collect()
    };
    for (has, told) in [(900, 900), (1_500, 1_000)] {
        let found = of_config(|config| config["Env"] = json!(env(has)));
        assert_eq!(count(&found, "SEC-03"), told);
        let findings = found.report["findings"].as_array().unwrap();
        let mut messages = findings.iter().filter(|one| one["check"] == "SEC-03");
        let last = messages.next_back().unwrap()["message"].as_str().unwrap();
        assert_eq!(last.ends_with("and there are more"), has > told, "{last}");
    }
    let path = format!("PATH=/usr/bin{}", ":".repeat(5_000));
    assert_eq!(count(&of_config(|config| config["Env"] = json!([path])), "PRV-09"), 1_000);
    let ports = (0..5_000).map(|number| (format!("{number}/tcp"), json!({})));
    let ports: serde_json::Map<String, Value> = ports.collect();
    assert_eq!(count(&of_config(|config| config["ExposedPorts"] = json!(ports)), "RUN-11"), 1_000);
}

#[test]
fn places_beyond_those_that_are_looked_up_are_not_decided() {
    let list = format!("SSL_CERT_FILE={}", "/x:".repeat(1_100));
    let scan = of_config(|config| config["Env"] = json!([list]));
    assert_eq!(reason(&scan, "RUN-13"), "there are too many paths to look up");
}

#[test]
fn a_name_longer_than_any_path_is_not_kept() {
    let long = "x".repeat(1 << 20);
    let scan = of_config(|config| config["Cmd"] = json!(["-c", long]));
    assert_ne!(scan.code, 2);
    let scan = of_config(|config| config["Entrypoint"] = json!([long]));
    assert_eq!(scan.status("RUN-01"), "failed");
    let findings = scan.report["findings"].as_array().unwrap();
    let about = findings.iter().find(|one| one["check"] == "RUN-01").unwrap();
    assert!(about["message"].as_str().unwrap().len() < 20_000);
}

/// Rewrites the index of a layout.
fn index(place: &Path, change: impl FnOnce(&mut Vec<Value>)) {
    let path = place.join("index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(index["manifests"].as_array_mut().unwrap());
    fs::write(&path, index.to_string()).unwrap();
}

fn named(place: &Path, bytes: &[u8], kind: &str) -> Value {
    let digest = digest(bytes);
    let file = place.join("blobs").join(digest.replace(':', "/"));
    fs::write(file, bytes).unwrap();
    json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
}

#[test]
fn images_and_their_names_are_counted_before_they_are_read() {
    let place = Image::sound().layout();
    index(&place.path, |all| *all = vec![all[0].clone(); 1_000]);
    assert_eq!(scan(&place.path, &[]).code, 0);
    // An index of many that is named a few times, with a name that all of them would have.
    let many = json!({"manifests": vec![json!({"digest": "sha256:0"}); 600]}).to_string();
    let many = named(&place.path, many.as_bytes(), "application/vnd.oci.image.index.v1+json");
    index(&place.path, |all| *all = vec![many; 500]);
    let said = scan(&place.path, &[]).said;
    assert!(said.trim_end().ends_with("it has more than 1000 images"), "{said}");
}

#[test]
fn documents_are_bounded_together() {
    let mut image = Image::sound();
    image.config["Labels"]["large"] = json!("x".repeat(7 << 20));
    let platform = json!({"platform": {"os": "linux", "architecture": "amd64"}});
    let place = layout(&[(&image, platform)]);
    let copies = |all: &mut Vec<Value>| {
        let digest = all[0]["digest"].as_str().unwrap().replace(':', "/");
        let manifest = fs::read(place.path.join("blobs").join(digest)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let copy = |number: usize| {
            let mut manifest = manifest.clone();
            manifest["annotations"] = json!({"number": number.to_string()});
            named(
                &place.path,
                manifest.to_string().as_bytes(),
                all[0]["mediaType"].as_str().unwrap(),
            )
        };
        *all = (0..10).map(copy).collect();
    };
    assert_ne!(scan(&place.path, &[]).code, 2);
    index(&place.path, copies);
    let said = scan(&place.path, &[]).said;
    let expected = "its indexes, manifests and configs hold more than 64 MiB";
    assert!(said.trim_end().ends_with(expected), "{said}");
}
