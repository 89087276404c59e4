//! Unpacks the layers of an image, one after the other, each in one pass: names and attributes into
//! the tree that is looked at, contents into its spool.
//!
//! A layer that is not what its digest says, or that no engine would unpack, ends the scan.

use std::io::Read;

use super::blobs::Blobs;
use super::stream::{self, Measured};
use super::tar::{Kind, Member, Tar};
use crate::image::ImageConfig;
use crate::inspect::escape::escape;
use crate::inspect::layered::{Base, Layered, Placed, What};
use crate::words::escaped;

/// The most layers of an image; engines take 127.
const MAX_LAYERS: usize = 512;
/// The most that all files of an image hold.
const MAX_BYTES: u64 = 32 << 30;
/// What begins names that say what a layer takes away.
const WHITEOUT: &[u8] = b".wh.";
/// What says that a layer takes away all that a folder held.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Other notes of an old storage driver.
const NOTE: &[u8] = b".wh..wh.";

/// The parts of an image.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// The digest of the manifest, or of the config where there is none.
    pub(super) digest: String,
    /// The digest of the config.
    pub(super) config_digest: String,
    pub(super) config: ImageConfig,
    /// The lowest first.
    pub(super) layers: Vec<Layer>,
}

/// A layer: where it is, and the digest and size of the file that holds it.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) digest: Option<(String, u64)>,
}

/// Unpacks all layers.
pub(super) fn unpack(blobs: &Blobs, parts: &Parts, base: Base) -> Result<Layered, String> {
    let layers = &parts.layers;
    let said = &parts.config.rootfs.diff_ids;
    if layers.len() > MAX_LAYERS {
        return Err(format!("the image has more than {MAX_LAYERS} layers"));
    }
    if !said.is_empty() && said.len() != layers.len() {
        let (said, has) = (said.len(), layers.len());
        return Err(format!("the config names {said} layers, and the image has {has}"));
    }
    let mut image = Layered::new(base).map_err(|error| spool_trouble(&error))?;
    let mut left = MAX_BYTES;
    for (index, layer) in layers.iter().enumerate() {
        let wrong = |why: String| {
            format!("layer {} of {} cannot be unpacked: {why}", index + 1, layers.len())
        };
        image.begin();
        let said = said.get(index).map(String::as_str);
        read_layer(blobs, (layer, said), &mut image, &mut left).map_err(wrong)?;
    }
    Ok(image)
}

fn spool_trouble(error: &std::io::Error) -> String {
    let folder = std::env::temp_dir();
    format!("no temporary file can be made in {}: {error}", escaped(&folder.to_string_lossy()))
}

fn read_layer(
    blobs: &Blobs,
    (layer, diff_id): (&Layer, Option<&str>),
    image: &mut Layered,
    left: &mut u64,
) -> Result<(), String> {
    let (stream, length) = blobs.open(&layer.name)?;
    let text = |error: std::io::Error| error.to_string();
    let mut packed = Measured::new(stream);
    let mut plain = Measured::new(stream::unpacked(&mut packed, length).map_err(text)?);
    lay(&mut plain, image, left)?;
    let (digest, _) = plain.digest().map_err(text)?;
    if diff_id.is_some_and(|said| said != digest) {
        return Err(format!(
            "it is {digest}, and the config says {}",
            escaped(diff_id.unwrap_or(""))
        ));
    }
    let (digest, size) = packed.digest().map_err(text)?;
    match &layer.digest {
        Some((said, length)) if *said != digest || *length != size => Err(format!(
            "it is {digest} with {size} bytes, and the manifest says {} with {length}",
            escaped(said)
        )),
        _ => Ok(()),
    }
}

/// Unpacks the tar of a whole file system, which has one layer and takes nothing away.
pub(super) fn unpack_root(stream: &mut dyn Read) -> Result<Layered, String> {
    let mut image = Layered::new(Base::Unknown).map_err(|error| spool_trouble(&error))?;
    image.begin();
    let mut left = MAX_BYTES;
    let mut tar = Tar::new(stream).marked();
    while let Some(member) = tar.next().map_err(|error| error.to_string())? {
        let (name, placed) = placed(&mut tar, member, &mut image, &mut left)?;
        image.place(&name, &placed)?;
    }
    Ok(image)
}

/// Lays down everything that the tar of a layer holds.
fn lay(stream: &mut dyn Read, image: &mut Layered, left: &mut u64) -> Result<(), String> {
    let mut tar = Tar::new(stream);
    while let Some(member) = tar.next().map_err(|error| error.to_string())? {
        let name = last(&member.name);
        if name.starts_with(WHITEOUT) {
            take_away(image, &member.name)?;
            continue;
        }
        let (name, placed) = placed(&mut tar, member, image, left)?;
        image.place(&name, &placed)?;
    }
    Ok(())
}

/// The name and what the archive has there.
fn placed<R: Read>(
    tar: &mut Tar<R>,
    member: Member,
    image: &mut Layered,
    left: &mut u64,
) -> Result<(Vec<u8>, Placed), String> {
    let what = match member.kind {
        Kind::Folder => What::Folder,
        Kind::Link => What::Link(member.link),
        Kind::Name => What::Name(member.link),
        Kind::Other(kind) => What::Other(kind),
        Kind::File => {
            *left = left.checked_sub(member.size).ok_or_else(|| {
                format!("the files of the image hold more than {} GiB", MAX_BYTES >> 30)
            })?;
            let stored = image.spool.add(tar, member.size);
            What::File(stored.map_err(|error| format!("{}: {error}", escape(&member.name)))?)
        }
    };
    let Member { mode, uid, gid, capability, .. } = member;
    Ok((member.name, Placed { mode, uid, gid, capability, what }))
}

fn last(path: &[u8]) -> &[u8] {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Does what a whiteout says.
fn take_away(image: &mut Layered, path: &[u8]) -> Result<(), String> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let name = last(path);
    let folder = &path[..path.len() - name.len()];
    match name {
        OPAQUE => image.empty(if folder.is_empty() { b"." } else { folder }),
        _ if name.starts_with(NOTE) => Ok(()),
        _ if matches!(&name[WHITEOUT.len()..], b"" | b"." | b"..") => {
            Err(format!("{} takes away nothing that has a name", escape(path)))
        }
        _ => image.delete(&[folder, &name[WHITEOUT.len()..]].concat()),
    }
}
