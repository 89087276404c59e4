//! What `docker save` writes: `manifest.json`, which names for each image its config and the tars of
//! its layers. Docker of today writes an OCI layout beside it, which is read instead.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::blobs::Blobs;
use super::choose::Candidate;
use super::image::{Layer, Parts};
use super::oci;
use crate::image::ImageConfig;
use crate::llb::Digest;
use crate::platform::Platform;
use crate::words::escaped;

/// The most images of one archive.
const MAX_IMAGES: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// All images of an archive.
pub(super) fn images(blobs: &Blobs) -> Result<Vec<Candidate<Parts>>, String> {
    let images: Vec<Image> = oci::parse("manifest.json", &blobs.document("manifest.json")?)?;
    if images.len() > MAX_IMAGES {
        return Err(format!("it has more than {MAX_IMAGES} images"));
    }
    images.into_iter().map(|image| read(blobs, image)).collect()
}

fn read(blobs: &Blobs, image: Image) -> Result<Candidate<Parts>, String> {
    let bytes = blobs.document(&image.config)?;
    let digest = Digest::of(&bytes);
    if digest_in(&image.config).is_some_and(|said| said != digest) {
        return Err(format!("{} does not hold what its name says", escaped(&image.config)));
    }
    let config = ImageConfig::parse(&bytes).map_err(|error| error.to_string())?;
    let platform = Platform::new(&config.os, &config.architecture, &config.variant);
    let layer = |name: String| Layer { name, digest: None };
    let layers = image.layers.unwrap_or_default().into_iter().map(layer).collect();
    let names = image.repo_tags.unwrap_or_default();
    let digest = digest.to_string();
    let config_digest = digest.clone();
    Ok(Candidate { names, platform, image: Parts { digest, config_digest, config, layers } })
}

/// Refuses a list that names an image, config or layer which the index beside it does not have: what
/// is scanned would not be what `docker load` makes of the archive.
pub(super) fn agrees(blobs: &Blobs, indexed: &[Candidate<Parts>]) -> Result<(), String> {
    let parts = |image: &Parts| {
        let layers = image.layers.iter().map(|layer| blobs.place(&layer.name));
        (image.config_digest.clone(), layers.collect::<Vec<_>>())
    };
    let known: BTreeSet<_> = indexed.iter().map(|one| parts(&one.image)).collect();
    match images(blobs)?.iter().find(|one| !known.contains(&parts(&one.image))) {
        Some(other) => Err(format!(
            "manifest.json names an image with the config {}, which index.json does not have",
            other.image.config_digest
        )),
        None => Ok(()),
    }
}

/// The digest that a file is called by.
fn digest_in(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".json").unwrap_or(name);
    Digest::parse(&format!("sha256:{name}"))
}
