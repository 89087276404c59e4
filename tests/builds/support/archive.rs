//! Images in OCI and docker tars, as an output of a build.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::image::{Blobs, Image, json, list, text};

struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    fn read(path: &Path) -> Self {
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(File::open(path).unwrap()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(name, bytes);
        }
        Self(files)
    }

    fn json(&self, name: &str) -> Value {
        json(&self.0[name])
    }
}

impl Blobs for Files {
    fn blob(&self, key: &str) -> Vec<u8> {
        let name =
            key.strip_prefix("sha256:").map_or(key.to_owned(), |hex| format!("blobs/sha256/{hex}"));
        self.0.get(&name).unwrap_or_else(|| panic!("no {name} in the archive")).clone()
    }
}

/// Reads an OCI tar with one image.
pub fn read_oci(path: &Path) -> Image {
    let files = Files::read(path);
    assert_eq!(files.json("oci-layout")["imageLayoutVersion"], "1.0.0");
    let digest = text(&files.json("index.json")["manifests"][0]["digest"]).to_owned();
    Image::read(&digest, Arc::new(files))
}

/// Reads a docker tar with one image.
pub fn read_docker(path: &Path) -> Image {
    let files = Files::read(path);
    let manifest = files.json("manifest.json");
    let one = &manifest[0];
    let config = files.json(text(&one["Config"]));
    let layers = list(&one["Layers"]).iter().map(|layer| text(layer).to_owned()).collect();
    Image::of_parts(config, layers, Arc::new(files))
}
