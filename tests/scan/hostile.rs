//! Archives that are wrong, by accident or on purpose: refused in one sentence, and nothing happens to
//! this machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::archive::{Image, archived, ended, hardpan, scan, sum_up};
use crate::tar::Tree;

/// One member that nobody may execute.
fn member(name: &str, flag: u8, link: &str, content: &[u8]) -> Vec<u8> {
    crate::archive::member(name, 0o644, (flag, link), content)
}

/// What is said about an image with this as its last layer.
#[track_caller]
fn refused(layer: Vec<u8>) -> String {
    let mut image = Image::sound();
    image.layers.push(layer);
    let place = image.layout();
    sentence(&place.path)
}

#[track_caller]
fn sentence(path: &Path) -> String {
    let scan = scan(path, &[]);
    assert_eq!(scan.code, 2, "{}", scan.said);
    assert_eq!(scan.said.lines().count(), 1, "{}", scan.said);
    let said = scan.said.strip_prefix("error: ").unwrap().trim_end();
    let path = format!("{}: ", path.display());
    said.strip_prefix(&path).unwrap_or(said).to_owned()
}

#[test]
fn names_that_lead_out_are_refused() {
    let out = |name| refused(ended(&[member(name, b'0', "", b"x")]));
    let says = "layer 2 of 2 cannot be unpacked: ";
    assert_eq!(out("../out"), format!("{says}../out leads out of its folder"));
    assert_eq!(out("a/../../out"), format!("{says}a/../../out leads out of its folder"));
    assert_eq!(out("/etc/out"), format!("{says}/etc/out is an absolute path"));
    assert_eq!(out(".wh.."), format!("{says}.wh.. takes away nothing that has a name"));
    assert_eq!(out("etc/.wh."), format!("{says}etc/.wh. takes away nothing that has a name"));
    let below = ended(&[member("a", b'0', "", b"x"), member("a/b", b'0', "", b"x")]);
    assert_eq!(refused(below), format!("{says}a/b lies below a file"));
}

#[test]
fn links_lead_nowhere_but_into_the_image() {
    let through =
        |target: &str| ended(&[member("l", b'2', target, b""), member("l/passwd", b'0', "", b"x")]);
    let says = "layer 2 of 2 cannot be unpacked: ";
    assert_eq!(refused(through("../../etc")), format!("{says}l/passwd leads out of the image"));
    assert_eq!(refused(through("l")), format!("{says}l/passwd leads through too many links"));
    // From the root of the image, as in a container.
    let mut image = Image::sound();
    image.layers.push(through("/new"));
    assert_eq!(scan(&image.layout().path, &[]).code, 0);
    let before = fs::metadata("/etc/passwd").unwrap().modified().unwrap();
    let mut image = Image::sound();
    image.layers.push(through("/etc"));
    scan(&image.layout().path, &[]);
    assert_eq!(fs::metadata("/etc/passwd").unwrap().modified().unwrap(), before);
}

#[test]
fn links_are_no_longer_than_a_path() {
    let link = |length: usize| {
        let target = "./".repeat(length / 2 - 1) + "ab";
        let text = format!(" linkpath={target}\n");
        let record = format!("{}{text}", text.len() + 4);
        vec![member("x", b'x', "", record.as_bytes()), member("l", b'2', "x", b"")]
    };
    assert_eq!(taken(&link(4_096)), []);
    let says = "layer 2 of 2 cannot be unpacked: ";
    assert_eq!(refused(ended(&link(4_098))), format!("{says}l is a link to what no path can be"));
}

#[test]
fn a_folder_is_emptied_once_in_a_layer() {
    let files: Vec<_> = (0..20_000).map(|at| member(&format!("d/e/{at}"), b'0', "", b"")).collect();
    let again = |name| (0..10_000).map(move |_| member(name, b'0', "", b""));
    let all = files.into_iter().chain(again("d/.wh..wh..opq")).chain(again("d/.wh.e"));
    let all: Vec<_> = all.collect();
    // A minute if each of them went through all files.
    let begin = std::time::Instant::now();
    assert_eq!(taken(&all), []);
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

#[test]
fn emptying_a_folder_keeps_what_is_new_however_deep() {
    let suid = |name: &str| crate::archive::member(name, 0o4755, (b'0', ""), b"x");
    let opaque = |folder: &str| member(&format!("{folder}/.wh..wh..opq"), b'0', "", b"");
    let new = || suid("a/b/c/new");
    let orders = [
        vec![new(), opaque("a")],
        vec![new(), opaque("a/b"), opaque("a")],
        vec![opaque("a/b"), new(), opaque("a"), opaque("a/b/c")],
        vec![opaque("a"), opaque("a"), new(), opaque("a/b"), opaque("a")],
    ];
    for members in orders {
        let mut image = Image::sound();
        image.layers.push(ended(&[suid("a/old"), suid("a/b/old"), suid("a/b/c/old"), suid("b")]));
        image.layers.push(ended(&members));
        let found = ["/a/b/c/new", "/b"].map(|path| ("PRV-01".to_owned(), path.to_owned()));
        assert_eq!(scan(&image.layout().path, &[]).blocking(), found);
    }
}

#[test]
fn hard_links_need_a_file() {
    let link = |target| refused(ended(&[member("l", b'1', target, b"")]));
    let says = "layer 2 of 2 cannot be unpacked: l is a hard link to";
    assert_eq!(link("gone"), format!("{says} gone, which is not there"));
    assert_eq!(link("../out"), format!("{says} ../out, which is no path in the image"));
    assert_eq!(link("etc"), format!("{says} etc, which is a folder"));
}

#[test]
fn a_file_stands_in_a_layer_once() {
    let twice = ended(&[member("x", b'0', "", b"1"), member("./x", b'0', "", b"2")]);
    assert_eq!(refused(twice), "layer 2 of 2 cannot be unpacked: ./x stands in it twice");
    // A folder twice does no harm.
    let mut image = Image::sound();
    image.layers.push(ended(&[member("d/", b'5', "", b""), member("d", b'5', "", b"")]));
    assert_eq!(scan(&image.layout().path, &[]).code, 0);
}

#[test]
fn headers_are_bounded_and_whole() {
    let says = "layer 2 of 2 cannot be unpacked: ";
    let mut giant = member("x", b'x', "", b"");
    giant[124..136].copy_from_slice(b"77777777777\0");
    sum_up(&mut giant);
    let expected = format!("{says}an extended header has more than 1048576 bytes");
    assert_eq!(refused(giant), expected);
    let mut damaged = member("x", b'0', "", b"x");
    damaged[3] = b'y';
    assert_eq!(refused(ended(&[damaged])), format!("{says}a header is damaged"));
    let wrong = member("x", b'x', "", b"99 path=y\n");
    assert_eq!(refused(ended(&[wrong])), format!("{says}an extended header is damaged"));
    let many: Vec<_> = (0..9).map(|_| member("x", b'g', "", b"10 a=bcde\n")).collect();
    assert_eq!(refused(ended(&many)), format!("{says}one file has too many headers"));
    let kind = ended(&[member("x", b'V', "", b"")]);
    assert_eq!(refused(kind), format!("{says}x is of a kind that engines do not unpack"));
    let long = member("x", b'L', "", &vec![b'n'; 300]);
    let long = refused(ended(&[long, member("x", b'0', "", b"")]));
    assert!(long.ends_with("has a name of more than 255 bytes"), "{long}");
}

/// An extended header of pax.
fn records(records: &[&str]) -> Vec<u8> {
    let record = |text: &&str| {
        let plain = text.len() + " \n".len();
        let length = plain + if plain < 9 { 1 } else { 2 };
        assert!(length < 100, "two digits at most");
        format!("{length} {text}\n")
    };
    member("x", b'x', "", records.iter().map(record).collect::<String>().as_bytes())
}

/// What is found in an image with these members as its last layer, apart from the tar's own end.
#[track_caller]
fn taken(members: &[Vec<u8>]) -> Vec<(String, String)> {
    let mut image = Image::sound();
    image.layers.push(ended(members));
    let scan = scan(&image.layout().path, &[]);
    assert_ne!(scan.code, 2, "{}", scan.said);
    scan.blocking()
}

#[test]
fn headers_that_readers_disagree_about_are_refused() {
    let says = "layer 2 of 2 cannot be unpacked: ";
    let file = || crate::archive::member("bin/x", 0o4755, (b'0', ""), b"x");
    let hidden = || records(&["path=.wh.zz"]);
    let all = || member("g", b'g', "", b"10 a=bcde\n");
    let two = format!("{says}one file has two extended headers of a kind");
    assert_eq!(refused(ended(&[hidden(), records(&["mtime=0"]), file()])), two);
    for flag in [b'L', b'K'] {
        let long = || member("x", flag, "", b".wh.zz");
        assert_eq!(refused(ended(&[long(), long(), file()])), two);
    }
    let between = format!("{says}a header for all files stands between a file and its own");
    assert_eq!(refused(ended(&[hidden(), all(), file()])), between);
    for key in ["path", "linkpath", "size", "uid", "gid", "SCHILY.xattr.security.capability"] {
        let expected = format!("{says}an extended header says {key} twice, or nothing");
        let (one, none) = (format!("{key}=000000"), format!("{key}="));
        assert_eq!(refused(ended(&[records(&[&one, &one]), file()])), expected);
        assert_eq!(refused(ended(&[records(&[&none]), file()])), expected);
    }
    let empty = format!("{says}a long name is empty");
    assert_eq!(refused(ended(&[member("x", b'L', "", b"\0"), file()])), empty);
    // One of each in front of each file, as programs write them, and keys that decide nothing.
    let long = |flag| member("x", flag, "", b"usr/bin/y");
    let mut members =
        vec![all(), records(&["mtime=0", "mtime=1", "atime="]), long(b'L'), long(b'K')];
    members.extend([file(), records(&["path=usr/bin/z"]), file()]);
    let blocking = ["/usr/bin/y", "/usr/bin/z"].map(|path| ("PRV-01".to_owned(), path.to_owned()));
    assert_eq!(taken(&members), blocking);
}

#[test]
fn numbers_are_read_as_engines_read_them() {
    let with = |at: usize, field: &[u8]| {
        let mut file = member("usr/bin/x", b'0', "", b"x");
        file[at..at + field.len()].copy_from_slice(field);
        sum_up(&mut file);
        file
    };
    let setuid = [("PRV-01".to_owned(), "/usr/bin/x".to_owned())];
    for mode in [b"\x00004755\0", b"\x000004755", b"   4755 ", b" \x004755 \0", b"0004755\0"] {
        assert_eq!(taken(&[with(100, mode)]), setuid, "{mode:?}");
    }
    let says = "layer 2 of 2 cannot be unpacked: ";
    for mode in [b"47 \x0055 \0", b"00047+5\0", b"00 4755\0"] {
        let expected = format!("{says}usr/bin/x has a mode that is no number");
        assert_eq!(refused(ended(&[with(100, mode)])), expected);
    }
    // A size of 1 that begins with NUL: what follows would be taken for headers if it read as 0.
    assert_eq!(taken(&[with(124, b"\x0000000000001")]), []);
    let mut summed = member("usr/bin/x", b'0', "", b"x");
    let sum = summed[148..154].to_owned();
    summed[148..156].copy_from_slice(&[b"\0 ", &*sum].concat());
    assert_eq!(taken(&[summed]), []);
}

#[test]
fn a_file_is_not_called_like_a_folder() {
    let says = "layer 2 of 2 cannot be unpacked: ";
    for flag in *b"07" {
        let expected = format!("{says}bin/run/ is a file that is called like a folder");
        assert_eq!(refused(ended(&[member("bin/run/", flag, "", &[1; 512])])), expected);
    }
    let expected = format!("{says}bin/run/ is a folder with a content");
    assert_eq!(refused(ended(&[member("bin/run/", 0, "", &[1; 512])])), expected);
    // As programs of old mark a folder.
    let old = member("usr/bin/run/", 0, "", b"");
    let inside = crate::archive::member("usr/bin/run/x", 0o4755, (0, ""), b"x");
    assert_eq!(taken(&[old, inside]), [("PRV-01".to_owned(), "/usr/bin/run/x".to_owned())]);
}

#[test]
fn a_tar_that_is_cut_off_is_refused() {
    let whole = ended(&[member("x", b'0', "", &[1; 2_000])]);
    let says = "layer 2 of 2 cannot be unpacked: ";
    assert_eq!(refused(whole[..600].to_vec()), format!("{says}x: it ends in the middle of a file"));
    assert_eq!(refused(whole[..100].to_vec()), format!("{says}it ends in the middle of a header"));
    let place = archived(Image::sound().layout().folder);
    let bytes = fs::read(&place.path).unwrap();
    for length in [bytes.len() / 2, 700, 0] {
        fs::write(&place.path, &bytes[..length]).unwrap();
        sentence(&place.path);
    }
}

#[test]
fn parts_that_are_not_what_their_digests_say_are_refused() {
    let place = Image::sound().layout();
    let blobs = place.path.join("blobs/sha256");
    for blob in fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path()) {
        let before = fs::read(&blob).unwrap();
        let mut other = before.clone();
        // Somewhere where the form stays whole: a space, or the last byte of padding.
        match other.iter().rposition(|byte| *byte == b'x') {
            Some(at) => other[at] = b'y',
            None => other[0] ^= 1,
        }
        fs::write(&blob, &other).unwrap();
        sentence(&place.path);
        fs::write(&blob, before).unwrap();
    }
    assert_eq!(scan(&place.path, &[]).code, 0);
}

#[test]
fn a_config_that_names_other_layers_is_refused() {
    let (image, other) = (Image::sound(), Image::sound().layer("f 0644 0:0 a x"));
    let place = image.old_docker();
    let work = tempfile::tempdir().unwrap();
    let tar = Command::new("tar").arg("-xf").arg(&place.path).arg("-C").arg(work.path()).status();
    assert!(tar.unwrap().success());
    let layer = work.path().join(format!("{:064}", 0)).join("layer.tar");
    fs::write(layer, &other.layers[1]).unwrap();
    let said = sentence(&archived(work).path);
    assert!(said.contains("and the config says sha256:"), "{said}");
}

#[test]
fn an_archive_that_grows_beyond_reason_is_refused() {
    let bomb = Command::new("sh")
        .args(["-c", "head -c 1200000000 /dev/zero | gzip -1"])
        .output()
        .unwrap()
        .stdout;
    let mut image = Image::sound();
    image.layers.push(bomb);
    let said = sentence(&image.layout().path);
    assert!(said.contains("unpacks to more than"), "{said}");
}

#[test]
fn two_lists_of_one_archive_name_the_same_images() {
    let (good, bad) = (Image::sound(), Image::sound().layer("f 4755 0:0 usr/bin/x x"));
    let index = json!({"platform": {"os": "linux", "architecture": "amd64"}});
    let place = |bytes: &[u8]| {
        format!("blobs/sha256/{}", crate::archive::digest(bytes).trim_start_matches("sha256:"))
    };
    let listed = |config: &Image, layers: &Image| {
        let layers: Vec<_> = layers.layers.iter().map(|layer| place(layer)).collect();
        json!([{"Config": place(&config.config()), "RepoTags": ["app:1"], "Layers": layers}])
    };
    let of = |config: &Image, layers: &Image| {
        // All parts are there; the index names the good image only.
        let both = crate::archive::layout(&[(&good, index.clone()), (&bad, index.clone())]);
        let name = both.path.join("index.json");
        let mut all: serde_json::Value = serde_json::from_slice(&fs::read(&name).unwrap()).unwrap();
        all["manifests"].as_array_mut().unwrap().truncate(1);
        fs::write(name, all.to_string()).unwrap();
        let list = listed(config, layers).to_string();
        fs::write(both.path.join("manifest.json"), list).unwrap();
        archived(both.folder)
    };
    let expected = |image: &Image| {
        let digest = crate::archive::digest(&image.config());
        let named = "manifest.json names an image with the config";
        format!("{named} {digest}, which index.json does not have")
    };
    assert_eq!(sentence(&of(&bad, &bad).path), expected(&bad));
    assert_eq!(sentence(&of(&good, &bad).path), expected(&good));
    assert_eq!(sentence(&of(&bad, &good).path), expected(&bad));
    assert_eq!(scan(&of(&good, &good).path, &[]).code, 0);
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "no archive").unwrap();
    assert_eq!(sentence(&path), "it is no archive: it ends in the middle of a header");
    fs::write(&path, "").unwrap();
    assert_eq!(sentence(&path), "it is empty");
    assert!(sentence(&folder.path().join("gone")).contains("`docker save NAME -o image.tar`"));
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(sentence(&pipe), "it is not a regular file");
    let output = hardpan(&["scan"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn other_systems_and_broken_documents_are_refused() {
    let place = Image::sound().layout();
    fs::write(place.path.join("index.json"), "{").unwrap();
    assert!(sentence(&place.path).starts_with("index.json: "));
    fs::write(place.path.join("index.json"), json!({"manifests": []}).to_string()).unwrap();
    assert_eq!(sentence(&place.path), "it holds no image");
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    fs::write(place.path.join("index.json"), deep).unwrap();
    assert!(sentence(&place.path).starts_with("index.json: "));
    let digest = "sha256:../../../../etc/passwd";
    let index = json!({"manifests": [{"digest": digest, "size": 1}]});
    fs::write(place.path.join("index.json"), index.to_string()).unwrap();
    assert_eq!(sentence(&place.path), format!("{digest} is no SHA-256 digest"));
}

#[test]
fn names_are_escaped_before_they_are_shown() {
    let layer = Tree::parse("f 4755 0:0 app/\\x1b[2Jx x").to_tar();
    let mut image = Image::sound();
    image.layers.push(layer);
    let scan = scan(&image.layout().path, &[]);
    let path = scan.blocking()[0].1.clone();
    assert!(!path.contains('\u{1b}'), "{path:?}");
}
