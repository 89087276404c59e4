//! Of several images and platforms the one that is meant is scanned, or none.

use std::fs;

use serde_json::json;

use crate::archive::{Image, layout, scan};

fn arm64() -> Image {
    let mut image = Image::sound();
    image.architecture = "arm64";
    image
}

fn platform(architecture: &str) -> serde_json::Value {
    json!({"platform": {"os": "linux", "architecture": architecture}})
}

#[test]
fn a_platform_is_chosen() {
    let (amd64, arm64) = (Image::sound(), arm64());
    let attestation = json!({
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    });
    let images = [(&amd64, platform("amd64")), (&arm64, platform("arm64")), (&amd64, attestation)];
    let place = layout(&images);
    let chosen = scan(&place.path, &["--platform", "linux/arm64/v8"]);
    assert_eq!(chosen.report["image"]["platform"], "linux/arm64");
    assert_eq!(chosen.said, "note: linux/arm64 is scanned, of linux/amd64, linux/arm64\n");
    // Its program is for another machine.
    assert_eq!(chosen.blocking()[0].0, "RUN-05");
    let missing = scan(&place.path, &["--platform", "linux/s390x"]);
    assert_eq!(missing.code, 2);
    let says = "it holds no image for linux/s390x, but linux/amd64, linux/arm64\n";
    assert!(missing.said.ends_with(says), "{}", missing.said);
    let here = scan(&place.path, &[]);
    let expected = match std::env::consts::ARCH {
        "aarch64" => "linux/arm64",
        _ => "linux/amd64",
    };
    assert_eq!(here.report["image"]["platform"], expected);
}

#[test]
fn the_only_one_is_taken_whatever_it_is_for() {
    let mut image = Image::sound();
    image.architecture = "s390x";
    let scan = scan(&image.layout().path, &[]);
    assert_eq!(scan.report["image"]["platform"], "linux/s390x");
}

#[test]
fn a_name_chooses_among_images() {
    let (one, mut two) = (Image::sound(), Image::sound());
    two.config["User"] = json!("0:0");
    let named = |name: &str| json!({"annotations": {"io.containerd.image.name": name}});
    let place = layout(&[
        (&one, named("docker.io/library/one:1")),
        (&two, named("docker.io/library/two:latest")),
    ]);
    assert_eq!(scan(&place.path, &["--image", "one:1"]).code, 0);
    assert_eq!(scan(&place.path, &["--image", "two"]).code, 1);
    let both = scan(&place.path, &[]);
    assert_eq!(both.code, 2);
    assert!(both.said.contains("docker.io/library/one:1 (linux/amd64)"), "{}", both.said);
    assert!(both.said.ends_with("choose with --platform or --image\n"), "{}", both.said);
    assert_eq!(scan(&place.path, &["--image", "three"]).code, 2);
}

#[test]
fn images_of_which_nothing_is_there_are_left_out() {
    let (amd64, arm64) = (Image::sound(), arm64());
    let place = layout(&[(&amd64, platform("amd64")), (&arm64, platform("arm64"))]);
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path.join("index.json")).unwrap()).unwrap();
    let digest = index["manifests"][0]["digest"].as_str().unwrap();
    let blob = format!("blobs/sha256/{}", digest.trim_start_matches("sha256:"));
    fs::remove_file(place.path.join(blob)).unwrap();
    let scan = scan(&place.path, &[]);
    assert_eq!(scan.report["image"]["platform"], "linux/arm64");
}
