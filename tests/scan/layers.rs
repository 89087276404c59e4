//! Layers laid one over the other give what they give when they are unpacked; and what they take
//! away is still in them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use hardpan::harden::Config;
use hardpan::image::ImageConfig;
use hardpan::inspect::evidence::Inventory;
use hardpan::inspect::inventory;
use hardpan::scan::{Request, scan as look};

use crate::archive::{Image, Pack, ended, hardpan, member, scan};
use crate::rootfs::Rootfs;
use crate::tar::Tree;

/// What `hardpan inventory` says about the image unpacked by tar, layer by layer, whiteouts done by
/// hand.
fn unpacked(image: &Image) -> Inventory {
    let root = Rootfs::new();
    for layer in &image.layers {
        for (name, entry) in &Tree::from_tar(layer).0 {
            take_away(root.path(), name);
            // What tar does not do: another kind of file takes the place of a folder.
            let there = root.path().join(name);
            if entry.kind != 'd' && there.symlink_metadata().is_ok_and(|there| there.is_dir()) {
                fs::remove_dir_all(there).unwrap();
            }
        }
        tar(layer, root.path(), &["-x", "-p", "--xattrs", "--xattrs-include=*", "--exclude=.wh.*"]);
    }
    let out = tempfile::tempdir().unwrap();
    let config = Config::from(&ImageConfig::parse(&image.config()).unwrap());
    let config = serde_json::to_string(&config.started()).unwrap();
    let base = root.path().to_str().unwrap();
    let to = out.path().to_str().unwrap();
    let words =
        ["--base", base, "--config", &config, "--out", to, "--rules", hardpan::harden::RULES];
    let code = inventory::run(words.into_iter().map(Into::into));
    assert_eq!(code, std::process::ExitCode::SUCCESS);
    Inventory::from_json(&fs::read(out.path().join(inventory::FILE)).unwrap()).unwrap()
}

fn tar(layer: &[u8], root: &Path, words: &[&str]) {
    let file = root.with_extension("layer");
    fs::write(&file, layer).unwrap();
    let mut tar = Command::new("tar");
    tar.args(words).arg("-f").arg(&file).arg("-C").arg(root).stderr(Stdio::piped());
    let output = tar.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(file).unwrap();
}

fn take_away(root: &Path, name: &str) {
    let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
    let Some(name) = name.strip_prefix(".wh.") else { return };
    let gone: Vec<_> = match name {
        ".wh..opq" => fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()).collect(),
        name => vec![root.join(folder).join(name)],
    };
    for path in gone {
        match path.symlink_metadata() {
            Ok(there) if there.is_dir() => fs::remove_dir_all(path).unwrap(),
            Ok(_) => fs::remove_file(path).unwrap(),
            Err(_) => {}
        }
    }
}

#[track_caller]
fn compare(image: &Image) -> Inventory {
    let place = image.layout();
    let path = place.path.as_path();
    let request =
        Request { path, base: None, platform: Some("linux/amd64"), image: None, config: None };
    let seen = look(&request).unwrap().inventory;
    let expected = serde_json::to_value(unpacked(image)).unwrap();
    let found = serde_json::to_value(&seen).unwrap();
    for (key, expected) in expected.as_object().unwrap() {
        assert_eq!(&found[key], expected, "{key}");
    }
    seen
}

#[test]
fn whiteouts_take_away_and_other_files_cover() {
    let image = Image::sound()
        .layer(
            "
            d 0755 0:0 opt
            f 4755 0:0 opt/gone x
            f 0666 5:6 opt/kept x
            d 0777 0:0 opt/full
            f 0666 0:0 opt/full/old x
            d 0755 0:0 opt/full/deep
            f 0666 0:0 opt/full/deep/old x
            f 2755 0:0 opt/becomes-folder x
            d 0755 0:0 opt/becomes-file
            f 2755 0:0 opt/becomes-file/inner x
            l 0:0 opt/link -> /usr/bin
            ",
        )
        .layer(
            "
            d 0700 7:7 opt
            f 0644 0:0 opt/.wh.gone
            f 0644 0:0 opt/.wh.never-there
            d 0755 0:0 opt/full
            f 0644 0:0 opt/full/.wh..wh..opq
            f 0666 0:0 opt/full/new x
            d 0755 0:0 opt/becomes-folder
            f 0666 0:0 opt/becomes-folder/inner x
            f 0666 0:0 opt/becomes-file x
            f 0644 0:0 opt/.wh..wh.plnk
            ",
        );
    for pack in [Pack::Plain, Pack::Gzip] {
        let seen = compare(&image.clone().pack(pack));
        let open: Vec<_> = seen.world_writable.items.iter().map(|one| &*one.path).collect();
        let expected = ["becomes-file", "becomes-folder/inner", "full/new", "kept"];
        assert_eq!(open, expected.map(|name| format!("/opt/{name}")));
        assert!(seen.set_id.items.is_empty(), "{:?}", seen.set_id);
        assert!(seen.whiteouts.items.is_empty());
    }
}

#[test]
fn an_opaque_folder_keeps_what_its_own_layer_brings() {
    let image = Image::sound()
        .layer("d 0755 0:0 a\nd 0755 0:0 a/b\nf 0666 0:0 a/b/old x\nf 0666 0:0 a/b/c x")
        .layer("d 0755 0:0 a\nf 0600 0:0 a/.wh..wh..opq\nd 0755 0:0 a/b\nf 0666 0:0 a/b/new x");
    let seen = compare(&image);
    let open: Vec<_> = seen.world_writable.items.iter().map(|one| &*one.path).collect();
    assert_eq!(open, ["/a/b/new"]);
}

#[test]
fn hard_links_reach_into_lower_layers() {
    let image = Image::sound()
        .layer("d 0755 0:0 x\nf 0644 0:0 x/a one\nf 0644 0:0 x/b two\nh x/c -> x/b")
        .layer("d 0755 0:0 x\nh x/link -> x/a\nf 0755 0:0 x/b three")
        .layer("d 0755 0:0 x\nf 0644 0:0 x/.wh.a");
    let seen = compare(&image);
    assert_eq!(seen.layers[0].bytes, compare(&Image::sound()).layers[0].bytes + 3 + 5 + 3);
}

#[test]
fn shells_under_several_names_are_one() {
    let root = Rootfs::sound();
    root.program("/usr/bin/one", "/bin/dash").hard_link("/usr/bin/two", "/usr/bin/one");
    root.link("/usr/local/bin/three", "/usr/bin/two");
    let mut image = Image::of(root.path());
    // Engines apply what a link says of mode and owner.
    image.layers.push(ended(&[member("usr/lib/four", 0o755, (b'1', "usr/bin/one"), b"")]));
    let seen = compare(&image);
    assert_eq!(seen.shells.items.len(), 1);
    assert_eq!(
        seen.shells.items[0].aliases,
        ["/usr/bin/two", "/usr/lib/four", "/usr/local/bin/three"]
    );
}

#[test]
fn attributes_come_from_the_archive() {
    let root = Rootfs::sound();
    root.special("/dev/null", rustix::fs::FileType::CharacterDevice)
        .special("/dev/pipe", rustix::fs::FileType::Fifo)
        .file("/usr/bin/su", 0o6755, "x")
        .owner("/usr/bin/su", 12, 34)
        .file(format!("/{}/{}", "n".repeat(200), "m".repeat(200)), 0o666, "long");
    let capability = "\\x01\\x00\\x00\\x02\\x00\\x20\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00";
    let image = Image::of(root.path()).layer(&format!(
        "d 0755 0:0 usr\nd 0755 0:0 usr/bin\nf 0755 0:0 usr/bin/ping x {{security.capability={capability}}}"
    ));
    let seen = compare(&image);
    let capabilities = seen.capabilities.unwrap().items;
    assert_eq!(capabilities[0].detail.as_deref(), Some("0100000200200000000000000000000000000000"));
    assert_eq!(seen.special.items.len(), 2);
}

#[test]
fn members_are_placed_through_links_of_the_image() {
    let image = Image::sound().layer("f 0666 0:0 bin/tool x");
    // tar would follow the link as well.
    let seen = compare(&image);
    assert_eq!(seen.world_writable.items[0].path, "/usr/bin/tool");
}

const TOKEN: &str = "//r.example/:_authToken=npm_s3cr3tvalue";

#[test]
fn secrets_of_lower_layers_are_found_although_deleted() {
    let image = Image::sound()
        .layer(&format!("d 0755 0:0 app\nf 0600 0:0 app/.npmrc {TOKEN}\nf 0600 0:0 app/.netrc {TOKEN}"))
        .layer("d 0755 0:0 app\nf 0644 0:0 app/.wh.npmrc\nf 0644 0:0 app/.wh..npmrc\nf 0600 0:0 app/.netrc -");
    let place = image.layout();
    let scan = scan(&place.path, &[]);
    assert_eq!(scan.blocking(), [("SEC-02".to_owned(), "/app/.npmrc".to_owned())]);
    let message = scan.report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains(" in layer 2 of 3; layer 3 deletes it"), "{message}");
    assert!(!message.contains("s3cr3t"), "{message}");
}

#[test]
fn a_secret_that_is_replaced_or_moved_is_found_once_for_each_path() {
    let image = Image::sound()
        .layer(&format!("d 0755 0:0 app\nf 0600 0:0 app/.npmrc {TOKEN}\nf 0600 0:0 app/.pypirc password=hunter22"))
        .layer("d 0755 0:0 app\nf 0600 0:0 app/.npmrc //r.example/:_authToken=${TOKEN}")
        // The same once more, with another mode.
        .layer("d 0755 0:0 app\nf 0644 0:0 app/.pypirc password=hunter22");
    let scan = scan(&image.layout().path, &[]);
    let paths: Vec<_> = scan.blocking().into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths, ["/app/.pypirc", "/app/.npmrc"]);
    let messages = scan.report["findings"].as_array().unwrap();
    let lost = messages.iter().find(|one| one["path"] == "/app/.npmrc").unwrap();
    assert!(lost["message"].as_str().unwrap().contains("layer 3 replaces it"), "{lost}");
}

#[test]
fn a_whole_folder_that_is_deleted_is_searched() {
    let image = Image::sound()
        .layer(&format!("d 0755 0:0 app\nd 0755 0:0 app/x\nd 0755 0:0 app/x/y\nf 0600 0:0 app/x/y/.npmrc {TOKEN}"))
        .layer("d 0755 0:0 app\nf 0644 0:0 app/.wh.x");
    let scan = scan(&image.layout().path, &[]);
    assert_eq!(scan.blocking(), [("SEC-02".to_owned(), "/app/x/y/.npmrc".to_owned())]);
}

#[test]
fn nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::sound().layer("f 0644 0:0 a x");
    let (good, mut bad) = (image.layout(), image.clone());
    bad.layers[1].truncate(400);
    for (place, code) in [(good, 0), (bad.layout(), 2)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hardpan"));
        command.arg("scan").arg(&place.path).env("TMPDIR", folder.path());
        assert_eq!(command.output().unwrap().status.code(), Some(code));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_hardpan"));
    let place = image.layout();
    command.arg("scan").arg(&place.path).env("TMPDIR", "/nowhere");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("no temporary file can be made in /nowhere")
    );
}

#[test]
fn the_same_image_gives_the_same_bytes() {
    let place = Image::sound().layer("f 0666 0:0 a x\nf 0666 0:0 b x").layout();
    let path = place.path.to_str().unwrap();
    let words = ["scan", "--format", "json", path];
    assert_eq!(hardpan(&words).stdout, hardpan(&words).stdout);
}
