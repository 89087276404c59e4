//! A folder of this machine as a file system of one layer, to compare another one with it.
//!
//! Names and attributes are read as they are; contents stay where they are until somebody asks.
//! Nothing is followed, and what may not be read is told.

use std::collections::BTreeMap;
use std::path::Path;

use rustix::fd::AsFd as _;
use rustix::fs::FileType;

use super::{Base, Body, Id, Inode, Layered, Node, ROOT};
use crate::inspect::collector::Attribute;
use crate::inspect::read;
use crate::inspect::resolve::MAX_PATH;
use crate::inspect::tree::{Tree, stat_at};

/// Reads a folder with everything in it.
pub(crate) fn read(path: &Path) -> Result<Layered, String> {
    let shown = crate::words::escaped(&path.to_string_lossy());
    let text = |error: std::io::Error| format!("{shown}: {error}");
    let tree = Tree::open(&[path]).map_err(|error| text(error.into()))?;
    let mut layered = Layered::new(Base::Unknown).map_err(text)?;
    layered.begin();
    let root = tree.open_part(0, b"/").map_err(|error| text(error.into()))?;
    let stat = rustix::fs::fstat(&root).map_err(|error| text(error.into()))?;
    let of = &mut layered.inodes[0];
    (of.mode, of.uid, of.gid) = (stat.st_mode, stat.st_uid, stat.st_gid);
    layered.disk = Some(root);
    let mut reading = Reading { tree: &tree, layered, files: BTreeMap::new(), pending: vec![] };
    reading.pending.push((ROOT, Vec::new()));
    while let Some((id, path)) = reading.pending.pop() {
        if let Err(trouble) = reading.list(id, &path) {
            // What is too much of it all is not told of every folder.
            reading.layered.bounded()?;
            reading.layered.unread.push((path, trouble));
        }
    }
    Ok(reading.layered)
}

struct Reading<'a> {
    tree: &'a Tree,
    layered: Layered,
    /// Files with several names, by device and number.
    files: BTreeMap<(u64, u64), u32>,
    pending: Vec<(Id, Vec<u8>)>,
}

impl Reading<'_> {
    fn list(&mut self, folder: Id, path: &[u8]) -> Result<(), String> {
        let open = self.tree.open_part(0, path).map_err(|error| error.to_string())?;
        let (names, complete) = read::names(&open).map_err(|error| error.to_string())?;
        for name in names {
            let stat = stat_at(&open, &name).map_err(|trouble| trouble.to_string())?;
            let Some(stat) = stat else { continue };
            let whole = [path, b"/", &name].concat();
            let kind = FileType::from_raw_mode(stat.st_mode);
            let body = match kind {
                FileType::RegularFile => {
                    let size = u64::try_from(stat.st_size).unwrap_or(0);
                    Body::Disk(whole.as_slice().into(), size)
                }
                FileType::Symlink => {
                    let target = rustix::fs::readlinkat(&open, name.as_slice(), Vec::new());
                    let target = target.map_err(|error| error.to_string())?;
                    Body::Link(target.into_bytes().into())
                }
                _ => Body::None,
            };
            let known = self.files.get(&(stat.st_dev, stat.st_ino)).copied();
            let inode = known.unwrap_or_else(|| {
                let asked = Attribute::default().raw_capability(open.as_fd(), &name);
                let (mode, uid, gid) = (stat.st_mode, stat.st_uid, stat.st_gid);
                let capability = asked.ok().map(Into::into);
                let of = Inode { mode, uid, gid, links: 0, capability, body };
                self.layered.inodes.push(of);
                u32::try_from(self.layered.inodes.len() - 1).unwrap_or(u32::MAX)
            });
            if kind != FileType::Directory && stat.st_nlink > 1 {
                self.files.insert((stat.st_dev, stat.st_ino), inode);
            }
            self.layered.inodes[inode as usize].links += 1;
            let names = (kind == FileType::Directory).then(Box::default);
            let node = Node { inode, layer: 0, names, below: None };
            let id = self.layered.add(folder, &name, node)?;
            if kind == FileType::Directory && whole.len() > MAX_PATH {
                self.layered.unread.push((whole, "it lies too deep".to_owned()));
            } else if kind == FileType::Directory {
                self.pending.push((id, whole));
            }
        }
        if complete { Ok(()) } else { Err("it has too many names".to_owned()) }
    }
}
