//! Reads images back from the private registry, by its own protocol.

use std::sync::Arc;

use serde_json::Value;

use super::environment::environment;
use super::http::{Request, Response, ask};
use super::image::{Blobs, Image, digest, json};

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

struct Repository {
    registry: String,
    name: String,
}

impl Blobs for Repository {
    fn blob(&self, key: &str) -> Vec<u8> {
        // The same digest is either a manifest or a blob, and nobody says which.
        let path = |kind: &str| format!("/v2/{}/{kind}/{key}", self.name);
        let bytes = [path("manifests"), path("blobs")]
            .iter()
            .map(|path| get(&self.registry, path))
            .find(|answer| answer.status == 200)
            .unwrap_or_else(|| panic!("{key} is not in {}", self.name))
            .body;
        if key.starts_with("sha256:") {
            assert_eq!(digest(&bytes), key, "what the registry gave");
        }
        bytes
    }
}

fn get(registry: &str, path: &str) -> Response {
    let headers = [("Accept".to_owned(), ACCEPT.to_owned())];
    ask(registry, Request { path, headers: &headers, ..Request::default() }).unwrap()
}

/// Reads `HOST:PORT/NAME:TAG` or `HOST:PORT/NAME@DIGEST`.
pub fn read_image(reference: &str) -> Image {
    let (registry, rest) = reference.split_once('/').unwrap();
    let (name, key) = rest.split_once('@').or_else(|| rest.split_once(':')).unwrap();
    let found = Repository { registry: registry.to_owned(), name: name.to_owned() };
    Image::read(key, Arc::new(found))
}

/// Reads what is behind `HOST:PORT/NAME:TAG`, whatever it is.
pub fn read_manifest(reference: &str) -> Value {
    json(&read_blob(reference, reference.rsplit_once(':').unwrap().1))
}

/// Reads a blob beside `HOST:PORT/NAME:TAG`.
pub fn read_blob(reference: &str, digest: &str) -> Vec<u8> {
    let (registry, rest) = reference.split_once('/').unwrap();
    let name = rest.rsplit_once(':').unwrap().0.to_owned();
    Repository { registry: registry.to_owned(), name }.blob(digest)
}

/// Reads a stand-in base by its real name, such as `dhi.io/node:24`.
pub fn read_base(name: &str) -> Image {
    let name = name.strip_prefix("dhi.io/").unwrap();
    read_image(&format!("{}/dhi/{name}", environment().registry))
}

/// Whether the registry has a tag.
pub fn has(reference: &str) -> bool {
    let (registry, rest) = reference.split_once('/').unwrap();
    let (name, tag) = rest.split_once(':').unwrap();
    get(registry, &format!("/v2/{name}/manifests/{tag}")).status == 200
}
