//! An image as it was read back: manifest, config and layers, wherever they lay.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::listing::{Layer, Listing, read_file, read_layer, unpack_layer};

/// Where the bytes of an image are.
pub trait Blobs: Send + Sync {
    /// The bytes behind a key: a digest, or a name in an archive.
    fn blob(&self, key: &str) -> Vec<u8>;
}

/// One image of one platform.
pub struct Image {
    /// The digest of its manifest; empty where the format has none.
    pub digest: String,
    /// Its manifest.
    pub manifest: Value,
    /// The index that it came with; null if there was none.
    pub index: Value,
    /// Its config, whole.
    pub config: Value,
    /// The keys of its layers, from the base upwards; digests except in a docker tar.
    pub layers: Vec<String>,
    blobs: Arc<dyn Blobs>,
}

/// Layers that were read before, by digest: the bases are in every image.
static LAYERS: LazyLock<Mutex<BTreeMap<String, Arc<Layer>>>> = LazyLock::new(Mutex::default);

impl Image {
    /// The image behind a manifest or index, the one for linux/amd64 of several.
    pub fn read(digest: &str, blobs: Arc<dyn Blobs>) -> Self {
        let found = json(&blobs.blob(digest));
        let (digest, manifest, index) = match found["manifests"].as_array() {
            None => (digest.to_owned(), found, Value::Null),
            Some(manifests) => {
                let digest = chosen(manifests, "amd64");
                (digest.clone(), json(&blobs.blob(&digest)), found)
            }
        };
        let config = json(&blobs.blob(text(&manifest["config"]["digest"])));
        let layers =
            list(&manifest["layers"]).iter().map(|layer| text(&layer["digest"]).to_owned());
        Self { digest, config, layers: layers.collect(), manifest, index, blobs }
    }

    /// An image in parts, for formats without digests.
    pub fn of_parts(config: Value, layers: Vec<String>, blobs: Arc<dyn Blobs>) -> Self {
        Self {
            digest: String::new(),
            manifest: Value::Null,
            index: Value::Null,
            config,
            layers,
            blobs,
        }
    }

    /// A blob or manifest of the place that it was read from.
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        self.blobs.blob(digest)
    }

    /// The same image for another architecture of its index.
    pub fn on(&self, architecture: &str) -> Self {
        assert!(!self.index.is_null(), "an image of one platform was pushed without an index");
        let digest = chosen(list(&self.index["manifests"]), architecture);
        let image = Self::read(&digest, Arc::clone(&self.blobs));
        Self { index: self.index.clone(), ..image }
    }

    /// The platforms of its index, without attestations; empty where there is none.
    pub fn platforms(&self) -> Vec<String> {
        let manifests = self.index["manifests"].as_array().into_iter().flatten();
        let platforms = manifests.map(|one| &one["platform"]).filter(|one| one["os"] != "unknown");
        let words = |platform: &Value| {
            let parts = ["os", "architecture", "variant"].map(|key| platform[key].as_str());
            parts.into_iter().flatten().collect::<Vec<_>>().join("/")
        };
        platforms.map(words).collect()
    }

    /// `config.config`: what a container is started with.
    pub fn run(&self) -> &Value {
        &self.config["config"]
    }

    /// A list of texts of `config.config`; empty if it is absent or null.
    pub fn words(&self, key: &str) -> Vec<&str> {
        self.run()[key].as_array().into_iter().flatten().map(text).collect()
    }

    /// The digests of the layers' uncompressed bytes, as the config says them.
    pub fn diff_ids(&self) -> Vec<&str> {
        list(&self.config["rootfs"]["diff_ids"]).iter().map(text).collect()
    }

    /// The root file system: every path with all that an image says of it.
    pub fn listing(&self) -> Listing {
        let mut listing = Listing::default();
        for (number, key) in self.layers.iter().enumerate() {
            listing.apply(number, &self.layer(key));
        }
        listing
    }

    /// The bytes of a blob that the manifest names, as they are.
    pub fn bytes(&self, key: &str) -> Vec<u8> {
        self.blobs.blob(key)
    }

    /// What one layer holds.
    pub fn layer(&self, key: &str) -> Arc<Layer> {
        let is_content = key.starts_with("sha256:");
        if let Some(layer) = LAYERS.lock().unwrap().get(key).filter(|_| is_content) {
            return Arc::clone(layer);
        }
        let layer = Arc::new(read_layer(&self.uncompressed(key)));
        if is_content {
            LAYERS.lock().unwrap().insert(key.to_owned(), Arc::clone(&layer));
        }
        layer
    }

    /// The layer's archive, after checking that it is what the config says.
    pub fn uncompressed(&self, key: &str) -> Vec<u8> {
        let bytes = decompress(self.blobs.blob(key));
        let number = self.layers.iter().position(|layer| layer == key).unwrap();
        assert_eq!(self.diff_ids()[number], digest(&bytes), "the diff_id of layer {number}");
        bytes
    }

    /// The content of a small text file, from the uppermost layer that has it.
    #[track_caller]
    pub fn file(&self, path: &str) -> String {
        let path = path.trim_start_matches('/');
        let number = self.listing().layers.get(path).copied();
        let number = number.unwrap_or_else(|| panic!("no {path} in the image"));
        let bytes = read_file(&self.uncompressed(&self.layers[number]), path);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What was said of the image beside it: in-toto statements.
    pub fn statements(&self) -> Vec<Value> {
        let manifests = self.index["manifests"].as_array().into_iter().flatten();
        let beside = manifests.filter(|one| {
            let notes = &one["annotations"];
            notes["vnd.docker.reference.type"] == "attestation-manifest"
                && notes["vnd.docker.reference.digest"] == *self.digest
        });
        let read = |value: &Value| json(&self.blobs.blob(text(&value["digest"])));
        beside
            .flat_map(|one| list(&read(one)["layers"]).iter().map(read).collect::<Vec<_>>())
            .collect()
    }

    /// Writes the root file system into an empty folder, with owners and modes.
    pub fn unpack(&self, folder: &Path) {
        for key in &self.layers {
            unpack_layer(&decompress(self.blobs.blob(key)), folder);
        }
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image")
            .field("digest", &self.digest)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Attestations have the platform `unknown/unknown`.
fn chosen(manifests: &[Value], architecture: &str) -> String {
    let platform =
        |one: &&Value| one["platform"]["architecture"] == architecture || one["platform"].is_null();
    let found: Vec<&Value> = manifests.iter().filter(platform).collect();
    assert_eq!(found.len(), 1, "one image for linux/{architecture} in {manifests:?}");
    text(&found[0]["digest"]).to_owned()
}

fn decompress(bytes: Vec<u8>) -> Vec<u8> {
    let mut plain = Vec::new();
    match bytes.as_slice() {
        [0x1f, 0x8b, ..] => MultiGzDecoder::new(Cursor::new(bytes)).read_to_end(&mut plain),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            StreamingDecoder::new(Cursor::new(bytes)).unwrap().read_to_end(&mut plain)
        }
        _ => return bytes,
    }
    .expect("a layer that can be decompressed");
    plain
}

/// `sha256:…` of bytes.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold("sha256:".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Bytes that must be JSON.
pub fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

/// A value that must be a text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A value that must be a list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}
