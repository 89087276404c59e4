//! An OCI layout: `index.json`, the indexes that it names, the manifests of images, their configs.
//! Every part is compared with the digest and the size that name it.
//!
//! What is no image is left out: attestations, signatures and other artifacts, and images of which
//! the layout has no manifest, as Docker writes them for platforms that were never pulled.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

use super::blobs::Blobs;
use super::choose::Candidate;
use super::image::{Layer, Parts};
use crate::image::ImageConfig;
use crate::llb::Digest;
use crate::platform::Platform;
use crate::words::escaped;

/// The most images of a layout that are told apart, and how deep indexes lie in each other.
const MAX_IMAGES: usize = 1_000;
const MAX_DEPTH: usize = 4;
/// The longest name of an image; container engines take shorter ones.
const MAX_NAME: usize = 1_024;
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// Where names of images stand, the fuller one first.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
const ATTESTATION: &str = "vnd.docker.reference.type";

#[derive(Debug, Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Descriptor,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    platform: Option<Stated>,
}

#[derive(Debug, Clone, Deserialize)]
struct Stated {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    #[serde(default)]
    variant: String,
}

impl Descriptor {
    fn annotation(&self, name: &str) -> Option<&String> {
        self.annotations.as_ref()?.get(name)
    }

    /// Where a part of the layout is.
    fn place(&self) -> Result<String, String> {
        match Digest::parse(&self.digest) {
            Some(_) => Ok(format!("blobs/{}", self.digest.replace(':', "/"))),
            None => Err(format!("{} is no SHA-256 digest", escaped(&self.digest))),
        }
    }
}

/// All images of a layout.
pub(super) fn images(blobs: &Blobs) -> Result<Vec<Candidate<Parts>>, String> {
    let index: Index = parse("index.json", &blobs.document("index.json")?)?;
    let mut found: Vec<Candidate<Parts>> = Vec::new();
    let mut waiting: Vec<(Descriptor, Vec<String>, usize)> = Vec::new();
    let called = |one: Descriptor, names: &[String], depth| {
        let own = NAMES.iter().filter_map(|name| one.annotation(name).cloned());
        let own = own.filter(|name| name.len() <= MAX_NAME);
        let names = own.chain(names.iter().cloned()).collect();
        (one, names, depth)
    };
    waiting.extend(first(index.manifests).map(|one| called(one, &[], 1)));
    let mut seen = 0;
    loop {
        if seen + waiting.len() > MAX_IMAGES {
            return Err(format!("it has more than {MAX_IMAGES} images"));
        }
        let Some((one, names, depth)) = waiting.pop() else { return Ok(found) };
        seen += 1;
        if depth > MAX_DEPTH {
            return Err(format!("its indexes name each other more than {MAX_DEPTH} deep"));
        }
        if is_attestation(&one) || !blobs.has(&one.place()?) {
            continue;
        }
        if INDEXES.contains(&one.media_type.as_str()) {
            let index: Index = parse(&one.digest, &part(blobs, &one)?)?;
            waiting.extend(first(index.manifests).map(|one| called(one, &names, depth + 1)));
        } else if let Some(mut image) = image(blobs, &one)? {
            image.names = names;
            add(&mut found, image);
        }
    }
}

/// The last ones first, which is how they wait; one too many is enough to know.
fn first(mut manifests: Vec<Descriptor>) -> impl Iterator<Item = Descriptor> {
    manifests.truncate(MAX_IMAGES + 1);
    manifests.into_iter().rev()
}

/// The same image under two names is one.
fn add(found: &mut Vec<Candidate<Parts>>, image: Candidate<Parts>) {
    match found.iter_mut().find(|known| known.image.digest == image.image.digest) {
        Some(known) => known.names.extend(image.names),
        None => found.push(image),
    }
}

fn is_attestation(one: &Descriptor) -> bool {
    let unknown = one.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
    unknown || one.annotation(ATTESTATION).is_some()
}

/// The image of a manifest; `None`: it is another artifact.
fn image(blobs: &Blobs, one: &Descriptor) -> Result<Option<Candidate<Parts>>, String> {
    let manifest: Manifest = parse(&one.digest, &part(blobs, one)?)?;
    let media_type = manifest.config.media_type.as_str();
    if !CONFIGS.contains(&media_type) && !media_type.is_empty() {
        return Ok(None);
    }
    let config = part(blobs, &manifest.config)?;
    let parsed = ImageConfig::parse(&config).map_err(|error| error.to_string())?;
    let platform = match &one.platform {
        Some(stated) => Platform::new(&stated.os, &stated.architecture, &stated.variant),
        None => Platform::new(&parsed.os, &parsed.architecture, &parsed.variant),
    };
    let mut layers = Vec::new();
    for layer in manifest.layers {
        if layer.media_type.ends_with("+encrypted") {
            return Err(format!("the layer {} is encrypted", escaped(&layer.digest)));
        }
        let name = layer.place()?;
        layers.push(Layer { name, digest: Some((layer.digest, layer.size)) });
    }
    let (digest, config_digest) = (one.digest.clone(), manifest.config.digest);
    let image = Parts { digest, config_digest, config: parsed, layers };
    Ok(Some(Candidate { names: Vec::new(), platform, image }))
}

/// Reads a document and compares it with what names it.
fn part(blobs: &Blobs, one: &Descriptor) -> Result<Vec<u8>, String> {
    let bytes = blobs.document(&one.place()?)?;
    if Digest::parse(&one.digest) != Some(Digest::of(&bytes)) {
        return Err(format!("{} does not hold what its digest says", escaped(&one.digest)));
    }
    Ok(bytes)
}

pub(super) fn parse<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("{}: {error}", escaped(name)))
}
