//! Looks at an image without a builder: a folder, an OCI layout, the tar of either kind of image, or
//! the tar of a file system.
//!
//! In: paths and what is asked for. Out: the same inventory and config as a build has, for `harden` to
//! judge. Archives are read as streams, without privileges and without unpacking a file by its name;
//! whatever cannot be read for what it claims to be ends the scan with one sentence.

mod blobs;
mod choose;
mod docker;
mod image;
mod oci;
mod stream;
mod tar;

use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::{Path, PathBuf};

use self::blobs::{Archive, Blobs};
use self::choose::choose;
use self::image::Parts;
use crate::harden::{self, Need};
use crate::image::ImageConfig;
use crate::inspect::evidence::Inventory;
use crate::inspect::inventory;
use crate::inspect::layered::{Base, Layered, read_folder};
use crate::inspect::tree::Tree;
use crate::platform::Platform;
use crate::report::document;
use crate::words::escaped;

/// What is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The folder or archive.
    pub path: &'a Path,
    /// What the image stands on: another folder or archive.
    pub base: Option<&'a Path>,
    /// Which platform of several.
    pub platform: Option<&'a str>,
    /// Which image of several, by its name.
    pub image: Option<&'a str>,
    /// The config of a file system that has none of its own.
    pub config: Option<&'a Path>,
}

/// What was seen.
#[derive(Debug)]
pub struct Scanned {
    /// The evidence.
    pub inventory: Inventory,
    /// The config of the image; empty where there is none.
    pub config: harden::Config,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// What was looked at.
    pub source: document::Source,
    /// What it stands on.
    pub bases: Vec<document::Base>,
    /// Whether layer 0 of the inventory is the base.
    pub is_base_known: bool,
    /// What nobody can know of it.
    pub unknown: Vec<Need>,
    /// What the user should be told, one sentence each.
    pub notes: Vec<String>,
}

/// A path that was opened.
enum Opened {
    /// A file system as a folder.
    Folder(PathBuf),
    /// A file system in a tar, which may be packed.
    Root(File),
    /// An image.
    Image { blobs: Blobs, parts: Box<Parts>, kind: &'static str, platform: Platform },
}

/// Looks at what is asked for.
pub fn scan(request: &Request<'_>) -> Result<Scanned, String> {
    let about = |path: &Path| {
        let shown = escaped(&path.to_string_lossy());
        move |why: String| format!("{shown}: {why}")
    };
    let mut notes = Vec::new();
    let opened = open(request.path, request, &mut notes).map_err(about(request.path))?;
    let base = match request.base {
        Some(path) => {
            // The same platform of the base as of the image.
            let platform = match &opened {
                Opened::Image { platform, .. } => Some(platform.id()),
                _ => request.platform.map(str::to_owned),
            };
            let of = Request { platform: platform.as_deref(), image: None, ..*request };
            Some((path, open(path, &of, &mut Vec::new()).map_err(about(path))?))
        }
        None => None,
    };
    let own = config_of(&opened, request)?;
    let mut unknown = Vec::new();
    if own.is_none() {
        unknown.extend([Need::Config, Need::SomeConfig]);
    }
    let platform = match (&opened, request.platform) {
        (Opened::Image { platform, .. }, _) => platform.id(),
        (_, Some(text)) => Platform::parse(text, &here()).map_err(|error| error.to_string())?.id(),
        (_, None) => own.as_ref().map_or_else(|| here().id(), ImageConfig::platform),
    };
    if !platform.starts_with("linux/") {
        return Err(about(request.path)(format!("it is for {platform}; only Linux is known")));
    }
    let mut config = own.as_ref().map(harden::Config::from).unwrap_or_default();
    let mut bases = Vec::new();
    if let Some((path, base)) = &base {
        match config_of(base, &Request { config: None, ..*request })? {
            Some(of) => {
                config.base =
                    harden::Base { labels: of.config.labels, env: of.config.env, ..config.base };
                config.history.drain(..of.history.len().min(config.history.len()));
            }
            None => unknown.push(Need::BaseConfig),
        }
        bases.push(described(path, base));
    }
    let (kind, digest) = (opened.kind(), opened.digest());
    let tree = tree(opened, base.map(|(_, base)| base)).map_err(about(request.path))?;
    let inventory = inventory::take(&tree, &config.started(), harden::RULES)?;
    let file = Some(escaped(&request.path.to_string_lossy()));
    let source = document::Source { kind: kind.to_owned(), file, digest };
    let is_base_known = request.base.is_some();
    Ok(Scanned { inventory, config, platform, source, bases, is_base_known, unknown, notes })
}

/// What programs of this machine are for.
fn here() -> Platform {
    Platform::new("linux", std::env::consts::ARCH, "")
}

fn described(path: &Path, base: &Opened) -> document::Base {
    let name = escaped(&path.to_string_lossy());
    document::Base { role: "runtime".to_owned(), name, digest: base.digest().unwrap_or_default() }
}

impl Opened {
    fn kind(&self) -> &'static str {
        match self {
            Self::Folder(_) => "directory",
            Self::Root(_) => "tar",
            Self::Image { kind, .. } => kind,
        }
    }

    fn digest(&self) -> Option<String> {
        match self {
            Self::Image { parts, .. } => Some(parts.digest.clone()),
            _ => None,
        }
    }
}

/// Finds out what a path is.
fn open(path: &Path, request: &Request<'_>, notes: &mut Vec<String>) -> Result<Opened, String> {
    let text = |error: std::io::Error| error.to_string();
    let missing = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file; an image has to be saved first: \
             `docker save NAME -o image.tar`, or `skopeo copy docker://NAME oci:FOLDER`"
            .to_owned(),
        _ => error.to_string(),
    };
    if std::fs::metadata(path).map_err(missing)?.is_dir() {
        let blobs = Blobs::of_folder(path.to_owned());
        if blobs.has("oci-layout") && blobs.has("index.json") {
            return image(blobs, "oci-layout", request, notes);
        }
        // The links of an inspected tree are not followed; this one is whoever scans it has named.
        return std::fs::canonicalize(path).map(Opened::Folder).map_err(text);
    }
    let (file, length) = plain(blobs::regular(path).map_err(text)?)?;
    let archive = Archive::open(file.try_clone().map_err(text)?, length);
    let blobs = Blobs::of_archive(archive.map_err(|error| format!("it is no archive: {error}"))?);
    if blobs.has("index.json") && blobs.has("oci-layout") {
        let kind = if blobs.has("manifest.json") { "docker-tar" } else { "oci-tar" };
        return image(blobs, kind, request, notes);
    }
    if blobs.has("manifest.json") {
        return image(blobs, "docker-tar", request, notes);
    }
    Ok(Opened::Root(file))
}

/// An archive as a whole may be packed, as by `docker save NAME | gzip`; unpacked, and how many bytes
/// it has as it is.
fn plain(mut file: File) -> Result<(File, u64), String> {
    let text = |error: std::io::Error| error.to_string();
    let length = file.metadata().map_err(text)?.len();
    if length == 0 {
        return Err("it is empty".to_owned());
    }
    let mut magic = [0; 8];
    let count = file.read(&mut magic).map_err(text)?;
    file.rewind().map_err(text)?;
    if !stream::is_packed(&magic[..count]) {
        return Ok((file, length));
    }
    let mut growth = stream::Growth::of(length);
    let mut unpacked = stream::unpacked(file, &mut growth).map_err(text)?;
    Ok((crate::inspect::spool::keep(&mut unpacked).map_err(text)?, length))
}

fn image(
    blobs: Blobs,
    kind: &'static str,
    request: &Request<'_>,
    notes: &mut Vec<String>,
) -> Result<Opened, String> {
    let has_index = blobs.has("index.json");
    let mut candidates = if has_index { oci::images(&blobs)? } else { Vec::new() };
    if blobs.has("manifest.json") {
        // Old programs write an index that names nothing beside the list that counts.
        if candidates.is_empty() {
            candidates = docker::images(&blobs)?;
        } else {
            docker::agrees(&blobs, &candidates)?;
        }
    }
    let (chosen, note) = choose(candidates, request)?;
    notes.extend(note);
    let (parts, platform) = (Box::new(chosen.image), chosen.platform);
    Ok(Opened::Image { blobs, parts, kind, platform })
}

/// The config: the image's own, or the one that was given.
fn config_of(opened: &Opened, request: &Request<'_>) -> Result<Option<ImageConfig>, String> {
    let own = match opened {
        Opened::Image { parts, .. } => Some(parts.config.clone()),
        _ => None,
    };
    let Some(path) = request.config else { return Ok(own) };
    let wrong = |why: String| format!("{}: {why}", escaped(&path.to_string_lossy()));
    if own.is_some() {
        return Err(wrong("the image has a config of its own".to_owned()));
    }
    let file = blobs::regular(path).map_err(|error| wrong(error.to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(blobs::MAX_JSON).read_to_end(&mut bytes);
    read.map_err(|error| wrong(error.to_string()))?;
    ImageConfig::parse(&bytes).map(Some).map_err(|error| wrong(error.to_string()))
}

/// The file system, with base and app told apart if a base was named.
fn tree(opened: Opened, base: Option<Opened>) -> Result<Tree, String> {
    let Some(base) = base else {
        return match opened {
            Opened::Folder(path) => Tree::open(&[path]).map_err(|error| error.to_string()),
            opened => layered(opened, Base::Unknown).map(Tree::of_image),
        };
    };
    if let Some(count) = shared(&opened, &base) {
        return layered(opened, Base::Layers(count)).map(Tree::of_image);
    }
    let mut image = layered(opened, Base::Unknown)?;
    image.compare(&layered(base, Base::Unknown)?);
    Ok(Tree::of_image(image))
}

/// How many layers an image has from its base, if they are the base's.
fn shared(image: &Opened, base: &Opened) -> Option<u32> {
    let layers = |opened: &Opened| match opened {
        Opened::Image { parts, .. } => parts.config.rootfs.diff_ids.clone(),
        _ => Vec::new(),
    };
    let (ours, theirs) = (layers(image), layers(base));
    let is_start = !theirs.is_empty() && ours.starts_with(&theirs);
    is_start.then(|| u32::try_from(theirs.len()).ok()).flatten()
}

fn layered(opened: Opened, base: Base) -> Result<Layered, String> {
    match opened {
        Opened::Folder(path) => read_folder(&path),
        Opened::Root(mut file) => {
            file.rewind().map_err(|error| error.to_string())?;
            image::unpack_root(&mut std::io::BufReader::with_capacity(64 << 10, file))
        }
        Opened::Image { blobs, parts, .. } => image::unpack(&blobs, &parts, base),
    }
}
