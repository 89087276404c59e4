//! Images as folders and archives, in all the forms that they are passed around in, and what
//! `hardpan scan` says about them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rootfs::Rootfs;
use crate::tar::Tree;

/// How layers are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pack {
    Plain,
    Gzip,
    Zstd,
}

/// An image: tars of layers and a config.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) config: Value,
    pub(crate) architecture: &'static str,
    pub(crate) pack: Pack,
}

/// A path that is gone when the test is over.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

/// What a scan printed.
pub(crate) struct Scan {
    pub(crate) code: i32,
    pub(crate) report: Value,
    pub(crate) said: String,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}, {:?}, {:?}", self.code, self.said, self.report["findings"])
    }
}

impl Scan {
    /// Check, severity, origin and path of everything that was found.
    pub(crate) fn found(&self) -> Vec<(String, String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = self.report["findings"].as_array().unwrap();
        let found = |one: &Value| {
            (text(&one["check"]), text(&one["severity"]), text(&one["origin"]), text(&one["path"]))
        };
        findings.iter().map(found).collect()
    }

    /// The checks that refuse the image, and the paths that they found.
    pub(crate) fn blocking(&self) -> Vec<(String, String)> {
        let found = self.found().into_iter().filter(|one| one.1 == "block");
        found.map(|(check, _, _, path)| (check, path)).collect()
    }

    pub(crate) fn status(&self, check: &str) -> String {
        let checks = self.report["checks"].as_array().unwrap();
        let one = checks.iter().find(|one| one["id"] == check).unwrap();
        one["status"].as_str().unwrap().to_owned()
    }
}

/// The command with these words.
pub(crate) fn hardpan(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hardpan")).args(words).output().unwrap()
}

/// Scans with JSON as the form of the report.
#[track_caller]
pub(crate) fn scan(path: &Path, more: &[&str]) -> Scan {
    let words = [&["scan", "--format", "json", path.to_str().unwrap()], more].concat();
    read(&hardpan(&words))
}

pub(crate) fn read(output: &Output) -> Scan {
    let code = output.status.code().unwrap();
    let report = match code {
        2 => Value::Null,
        _ => serde_json::from_slice(&output.stdout).unwrap(),
    };
    if code == 2 {
        assert!(output.stdout.is_empty(), "stdout is for the report");
    }
    Scan { code, report, said: String::from_utf8(output.stderr.clone()).unwrap() }
}

/// One member of a tar, with a plain header.
pub(crate) fn member(name: &str, mode: u32, (flag, link): (u8, &str), content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(156, &[flag]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    sum_up(&mut header);
    header.extend(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

/// Writes the checksum of a header.
pub(crate) fn sum_up(header: &mut [u8]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header[..512].iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Members as a whole archive.
pub(crate) fn ended(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1_024]].concat()
}

/// A folder as a tar: the same bytes for the same files, whenever they were made.
pub(crate) fn tar_of(folder: &Path) -> Vec<u8> {
    let mut tar = Command::new("tar");
    tar.args(["--xattrs", "--xattrs-include=*", "--format=pax", "--sort=name", "--mtime=@0"]);
    tar.args(["--pax-option=delete=atime,delete=ctime", "-C"]).arg(folder);
    let output = tar.args(["-cf", "-", "."]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Image {
    /// One layer with a file system without any defect.
    pub(crate) fn sound() -> Self {
        Self::of(Rootfs::sound().path())
    }

    pub(crate) fn of(root: &Path) -> Self {
        let labels = ["source", "revision", "version", "licenses"]
            .map(|name| (format!("org.opencontainers.image.{name}"), "x"));
        let config = json!({
            "User": "1000:1000",
            "Entrypoint": ["node", "server.js"],
            "WorkingDir": "/app",
            "Env": ["PATH=/usr/local/bin:/usr/bin"],
            "Healthcheck": {"Test": ["CMD", "/usr/bin/node", "health.js"]},
            "Labels": labels.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        });
        let layers = vec![tar_of(root)];
        Self { layers, config, architecture: "amd64", pack: Pack::Plain }
    }

    /// Adds a layer of the lines of `tar::Tree`.
    pub(crate) fn layer(mut self, tree: &str) -> Self {
        self.layers.push(Tree::parse(tree).to_tar());
        self
    }

    pub(crate) fn pack(mut self, pack: Pack) -> Self {
        self.pack = pack;
        self
    }

    pub(crate) fn config(&self) -> Vec<u8> {
        let ids: Vec<_> = self.layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({
            "architecture": self.architecture,
            "os": "linux",
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": ids},
        });
        config.to_string().into_bytes()
    }

    fn packed(&self, layer: &[u8]) -> Vec<u8> {
        match self.pack {
            Pack::Plain => layer.to_vec(),
            Pack::Gzip => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                packed.write_all(layer).unwrap();
                packed.finish().unwrap()
            }
            Pack::Zstd => compress_to_vec(layer, CompressionLevel::Fastest),
        }
    }

    /// Writes the blobs of the image into a layout; the descriptor of its manifest.
    fn blobs(&self, folder: &Path) -> Value {
        let layers = self.layers.iter().map(|layer| blob(folder, &self.packed(layer), "layer"));
        let manifest = json!({
            "schemaVersion": 2,
            "config": blob(folder, &self.config(), "application/vnd.oci.image.config.v1+json"),
            "layers": layers.collect::<Vec<_>>(),
        });
        let kind = "application/vnd.oci.image.manifest.v1+json";
        blob(folder, manifest.to_string().as_bytes(), kind)
    }

    /// As an OCI layout in a folder.
    pub(crate) fn layout(&self) -> Place {
        layout(&[(self, json!({"platform": {"os": "linux", "architecture": self.architecture}}))])
    }

    /// As `docker save` wrote it until version 24: a folder for each layer.
    pub(crate) fn old_docker(&self) -> Place {
        let folder = TempDir::new().unwrap();
        let mut layers = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let name = format!("{index:064}");
            fs::create_dir(folder.path().join(&name)).unwrap();
            fs::write(folder.path().join(&name).join("layer.tar"), layer).unwrap();
            layers.push(format!("{name}/layer.tar"));
        }
        let config = self.config();
        let name = format!("{}.json", digest(&config).trim_start_matches("sha256:"));
        fs::write(folder.path().join(&name), config).unwrap();
        let manifest = json!([{"Config": name, "RepoTags": ["app:1"], "Layers": layers}]);
        fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
        archived(folder)
    }

    /// As `docker save` writes it today: an OCI layout with a list of its own.
    pub(crate) fn docker(&self) -> Place {
        let Place { folder, path } = self.layout();
        let place =
            |bytes: &[u8]| format!("blobs/sha256/{}", digest(bytes).trim_start_matches("sha256:"));
        let layers: Vec<_> = self.layers.iter().map(|layer| place(&self.packed(layer))).collect();
        let manifest = json!([{"Config": place(&self.config()), "RepoTags": [], "Layers": layers}]);
        fs::write(path.join("manifest.json"), manifest.to_string()).unwrap();
        archived(folder)
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    hardpan::llb::Digest::of(bytes).to_string()
}

fn blob(folder: &Path, bytes: &[u8], kind: &str) -> Value {
    let digest = digest(bytes);
    let name = digest.trim_start_matches("sha256:");
    fs::write(folder.join("blobs/sha256").join(name), bytes).unwrap();
    json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
}

/// A layout of several images, each with more keys for its descriptor.
pub(crate) fn layout(images: &[(&Image, Value)]) -> Place {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    fs::create_dir_all(path.join("blobs/sha256")).unwrap();
    let mut manifests = Vec::new();
    for (image, more) in images {
        let mut descriptor = image.blobs(&path);
        for (key, value) in more.as_object().unwrap() {
            descriptor[key] = value.clone();
        }
        manifests.push(descriptor);
    }
    let index = json!({"schemaVersion": 2, "manifests": manifests});
    fs::write(path.join("index.json"), index.to_string()).unwrap();
    fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    Place { folder, path }
}

/// A folder as a tar beside it.
pub(crate) fn archived(folder: TempDir) -> Place {
    let tar = tar_of(folder.path());
    let place = TempDir::new().unwrap();
    let path = place.path().join("image.tar");
    fs::write(&path, tar).unwrap();
    folder.close().unwrap();
    Place { folder: place, path }
}
