//! With a base, what it has is told apart from what an app adds: by its layers, or by comparing.

use std::fs;

use serde_json::json;

use crate::archive::{Image, Place, Scan, archived, digest, scan, tar_of};
use crate::rootfs::Rootfs;

/// A base with a defect of its own.
fn base() -> Image {
    let root = Rootfs::sound();
    root.file("/usr/bin/base-set-id", 0o4755, "x").file("/etc/config", 0o644, "x");
    Image::of(root.path())
}

/// An app on it with another one.
fn app() -> Image {
    base()
        .layer("d 0755 0:0 app\nf 4755 0:0 app/set-id x\nd 0755 0:0 usr\nd 0755 0:0 usr/bin\nf 0755 0:0 usr/bin/node replaced")
        .layer("d 0755 0:0 etc\nf 0644 0:0 etc/.wh.config")
}

fn origins(scan: &Scan) -> Vec<(String, String, String)> {
    let found = scan.found().into_iter().filter(|one| one.0 == "PRV-01" || one.0 == "BASE-01");
    found.map(|(check, _, origin, path)| (check, origin, path)).collect()
}

#[track_caller]
fn is_told_apart(scan: &Scan) {
    let expected = [
        ("PRV-01", "app", "/app/set-id"),
        ("PRV-01", "base", "/usr/bin/base-set-id"),
        ("BASE-01", "app", "/usr/bin/node"),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(origins(scan), expected, "{scan:?}");
    assert_eq!(scan.code, 1);
}

#[test]
fn layers_that_are_the_base_s_are_the_base() {
    let (app, base) = (app().layout(), archived(base().layout().folder));
    let scan = scan(&app.path, &["--base", base.path.to_str().unwrap()]);
    is_told_apart(&scan);
    let layers = scan.report["findings"].as_array().unwrap();
    let layer = layers.iter().find(|one| one["path"] == "/app/set-id").unwrap();
    assert_eq!(layer["layer"], 0);
    assert_eq!(scan.report["bases"][0]["role"], "runtime");
}

/// Scans it with a base, and says what is there of one check.
fn with_base(app: &Image, base: &Place, check: &str) -> Vec<(String, String)> {
    let scan = scan(&app.layout().path, &["--base", base.path.to_str().unwrap()]);
    let found = origins(&scan).into_iter().filter(|one| one.0 == check);
    found.map(|(_, origin, path)| (origin, path)).collect()
}

#[test]
fn only_layers_tell_who_placed_the_same_file() {
    // In both ways the result has what the base has; its layers show that the app brought it again.
    let again = "d 0755 0:0 usr\nd 0755 0:0 usr/bin\nf 4755 0:0 usr/bin/base-set-id x";
    let app = base().layer(again);
    let same = base();
    assert_eq!(digest(&app.layers[0]), digest(&same.layers[0]), "not the base's layer");
    let found = |origin: &str| vec![(origin.to_owned(), "/usr/bin/base-set-id".to_owned())];
    assert_eq!(with_base(&app, &same.layout(), "PRV-01"), found("app"));
    let other = same.layer("d 0755 0:0 etc");
    assert_eq!(with_base(&app, &other.layout(), "PRV-01"), found("base"));
}

#[test]
fn other_layers_are_compared_file_by_file() {
    let root = Rootfs::sound();
    root.file("/usr/bin/base-set-id", 0o4755, "x").file("/etc/config", 0o644, "x");
    let (app, squashed) = (app().layout(), Image::of(root.path()));
    // Its layer has other bytes, so that none is shared.
    let mut squashed = squashed.layer("d 0755 0:0 etc");
    squashed.architecture = "amd64";
    let tar = squashed.old_docker();
    let places = [squashed.layout().path, tar.path.clone(), root.path().to_owned()];
    let kept = squashed.layout();
    for path in [&kept.path, &places[1], &places[2]] {
        is_told_apart(&scan(&app.path, &["--base", path.to_str().unwrap()]));
    }
}

#[test]
fn folders_are_compared_as_well() {
    let (base, app) = (Rootfs::sound(), Rootfs::sound());
    for root in [&base, &app] {
        root.file("/usr/bin/base-set-id", 0o4755, "x");
    }
    app.file("/app/set-id", 0o4755, "x").file("/usr/bin/node", 0o755, "replaced");
    is_told_apart(&scan(app.path(), &["--base", base.path().to_str().unwrap()]));
    let tar = tempfile::tempdir().unwrap();
    let tar = tar.path().join("root.tar");
    fs::create_dir_all(tar.parent().unwrap()).unwrap();
    fs::write(&tar, tar_of(base.path())).unwrap();
    is_told_apart(&scan(app.path(), &["--base", tar.to_str().unwrap()]));
    fs::remove_dir_all(tar.parent().unwrap()).unwrap();
}

#[test]
fn a_path_with_another_mode_is_changed() {
    let app = base().layer("d 0755 0:0 etc\nf 0666 0:0 etc/config x");
    let base = base().layout();
    let scan = scan(&app.layout().path, &["--base", base.path.to_str().unwrap()]);
    let found = scan.blocking();
    assert!(found.contains(&("BASE-02".to_owned(), "/etc/config".to_owned())), "{found:?}");
}

#[test]
fn what_is_deleted_and_placed_again_is_replaced() {
    let app = base()
        .layer("d 0755 0:0 usr\nd 0755 0:0 usr/bin\nf 0644 0:0 usr/bin/.wh.node")
        .layer("d 0755 0:0 usr\nd 0755 0:0 usr/bin\nf 0755 0:0 usr/bin/node other");
    let base = base().layout();
    let scan = scan(&app.layout().path, &["--base", base.path.to_str().unwrap()]);
    assert!(scan.blocking().contains(&("BASE-01".to_owned(), "/usr/bin/node".to_owned())));
}

#[test]
fn without_a_base_its_checks_say_so() {
    let scan = scan(&app().layout().path, &[]);
    for check in ["BASE-01", "BASE-02", "SHL-07", "SUP-01"] {
        assert_eq!(scan.status(check), "not_evaluated", "{check}");
    }
    assert!(scan.found().iter().all(|one| one.2 != "base"), "{:?}", scan.found());
}

#[test]
fn the_base_s_variables_and_labels_are_its_own() {
    let mut base = base();
    base.config["Labels"]["com.docker.dhi.shell"] = json!("bash");
    let mut app = app();
    app.config["Env"] = base.config["Env"].clone();
    let base = base.layout();
    let scan = scan(&app.layout().path, &["--base", base.path.to_str().unwrap()]);
    assert_eq!(scan.status("SHL-01"), "failed");
    assert_eq!(scan.status("SUP-01"), "not_evaluated");
}
