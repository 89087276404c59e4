//! What one walk over a tree gathers, from names, permissions and attributes alone.
//!
//! Every list is bounded and does not depend on the order of the walk, so that several threads may
//! gather and what they have is put together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, RawFd};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::bounded::Bounded;
use super::content;
use super::entry::{Attributes, Kind};
use super::escape::escape;
use super::evidence::{Changed, Contents, Gap, Item, Part, WhoRuns};
use super::layered;
use super::names::{self, Place, Role};
use super::secrets::{self, Texts};
use super::tree::{self, Steps, Tree, Trouble};
use super::walk::{Seen, Visitor};

/// The attribute that holds a file's capabilities.
pub(crate) const CAPABILITY: &str = "security.capability";
/// Longer than any version of its format.
pub(crate) const MAX_CAPABILITY: usize = 64;
/// The most files of one role that are listed, and the bytes of their paths: there are many roles,
/// and one is as telling as a thousand.
const MAX_NOTED: usize = 200;
const MAX_NOTED_BYTES: usize = 32 << 10;
/// The most links called like programs that are followed.
const MAX_LINKS: usize = 10_000;
const MAX_LINK_BYTES: usize = 4 << 20;
/// What is none of an app's libraries wherever it lies; interpreters and what installs libraries may
/// be one.
const NEVER_LIBRARIES: [Role; 4] =
    [Role::PackageManager, Role::Elevator, Role::RemoteLogin, Role::NetworkTool];
/// The most steps that are taken along them.
const MAX_STEPS: usize = 1_000_000;

/// Whether the file system can be asked for capabilities, through `/proc`: there is no call that
/// takes an open folder and a name on kernels before 6.13.
pub(crate) fn supports_capabilities(tree: &Tree) -> bool {
    if tree.image().is_some() {
        return true;
    }
    let Ok(root) = tree.open_part(0, b"/") else { return false };
    let answer = Attribute::default().capability(tree::Place::Folder(root.as_fd()), b".");
    matches!(answer, Ok(_) | Err(Errno::NODATA))
}

/// Asks for the capabilities of files; keeps the path of the folder that was asked about last.
#[derive(Default)]
pub(crate) struct Attribute {
    folder: Option<RawFd>,
    path: Vec<u8>,
    /// How much of the path is the folder's.
    prefix: usize,
}

impl Attribute {
    /// The capabilities of a file, in hexadecimal.
    fn capability(&mut self, place: tree::Place<'_>, name: &[u8]) -> Result<String, Errno> {
        let value = match place {
            tree::Place::Folder(folder) => self.raw_capability(folder, name),
            tree::Place::Node(image, id) => match image.capability(id) {
                Some(value) if value.len() > MAX_CAPABILITY => Err(Errno::RANGE),
                value => value.map(<[u8]>::to_vec).ok_or(Errno::NODATA),
            },
        };
        match value {
            Ok(value) => Ok(hexadecimal(&value)),
            // Longer than any version of the format, or of another user namespace: it has some.
            Err(Errno::RANGE | Errno::OVERFLOW) => Ok("unreadable".to_owned()),
            Err(error) => Err(error),
        }
    }

    /// The capabilities of a file in an open folder.
    pub(crate) fn raw_capability(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &[u8],
    ) -> Result<Vec<u8>, Errno> {
        let number = folder.as_raw_fd();
        if self.folder != Some(number) {
            self.folder = Some(number);
            self.path = format!("/proc/self/fd/{number}/").into_bytes();
            self.prefix = self.path.len();
        }
        self.path.truncate(self.prefix);
        self.path.extend_from_slice(name);
        let mut value = [0; MAX_CAPABILITY];
        let length = rustix::fs::lgetxattr(self.path.as_slice(), CAPABILITY, &mut value)?;
        Ok(value[..length].to_vec())
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The user of the image, whose own files are told.
pub(crate) struct Owner {
    uid: u32,
    /// Its own and the supplementary ones, which every file is compared with.
    groups: BTreeSet<u32>,
}

impl Owner {
    pub(crate) fn of(user: &WhoRuns) -> Option<Arc<Self>> {
        match user {
            WhoRuns::Known(who) if who.uid != 0 => {
                let groups = who.groups.iter().copied().chain([who.gid]).collect();
                Some(Arc::new(Self { uid: who.uid, groups }))
            }
            // Root may write everything, which says nothing; so does nobody.
            _ => None,
        }
    }
}

/// What the walk gathers.
pub(crate) struct Collector {
    pub(crate) layers: Vec<Contents>,
    pub(crate) contents: content::Contents,
    pub(crate) texts: Texts,
    pub(crate) changed: Bounded<Changed>,
    pub(crate) replaced: Bounded<Changed>,
    pub(crate) hidden: Bounded<Changed>,
    pub(crate) covered: Bounded<Changed>,
    pub(crate) set_id: Bounded<Item>,
    pub(crate) capabilities: Option<Bounded<Item>>,
    pub(crate) world_writable: Bounded<Item>,
    pub(crate) writable: Bounded<Item>,
    pub(crate) noted: BTreeMap<Role, Bounded<Item>>,
    pub(crate) special: Bounded<Item>,
    pub(crate) whiteouts: Bounded<Item>,
    pub(crate) gaps: Bounded<Gap>,
    /// Links called like programs.
    links: Bounded<(usize, Role, &'static str)>,
    /// Files called like programs, where others are called so as well.
    namesakes: Bounded<(Role, Item)>,
    user: Option<Arc<Owner>>,
    attribute: Attribute,
    /// What the folder says that is being listed.
    place: Place,
}

impl Collector {
    pub(crate) fn new(layers: usize, capabilities: bool, user: Option<Arc<Owner>>) -> Self {
        let note = |role| (role, Bounded::with_limits(MAX_NOTED, MAX_NOTED_BYTES));
        Self {
            layers: vec![Contents::default(); layers],
            contents: content::Contents::new(layers == 1),
            texts: Texts::new(layers == 1),
            writable: Bounded::default(),
            noted: Role::ALL.into_iter().map(note).collect(),
            links: Bounded::with_limits(MAX_LINKS, MAX_LINK_BYTES),
            namesakes: Bounded::with_limits(MAX_LINKS, MAX_LINK_BYTES),
            user,
            attribute: Attribute::default(),
            place: Place::default(),
            changed: Bounded::default(),
            replaced: Bounded::default(),
            hidden: Bounded::default(),
            covered: Bounded::default(),
            set_id: Bounded::default(),
            capabilities: capabilities.then(Bounded::default),
            world_writable: Bounded::default(),
            special: Bounded::default(),
            whiteouts: Bounded::default(),
            gaps: Bounded::default(),
        }
    }

    /// The root itself is no name in any folder.
    pub(crate) fn compare_roots(&mut self, tree: &Tree) -> Result<(), String> {
        if let Some(image) = tree.image() {
            self.overlaid(b"/", &image.versions(layered::ROOT));
            return Ok(());
        }
        let root = tree.root().map_err(|trouble| trouble.to_string())?;
        let stat = |(layer, part)| rustix::fs::fstat(part).map(|stat| (layer, stat));
        let versions: Result<Vec<_>, _> = root.parts().map(stat).collect();
        self.overlaid(b"/", &versions.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Notes links called like programs that lead to executable files.
    pub(crate) fn follow_links(&mut self, tree: &Tree) {
        let links = std::mem::replace(&mut self.links, Bounded::with_limits(0, 0));
        if links.is_truncated() {
            self.gaps.gap(b"/", Part::Links, "there are too many links called like programs");
        }
        let mut steps = Steps::of(MAX_STEPS);
        for (path, (layer, role, name)) in links.into_map() {
            let resolved = match tree.follow(&path, &mut steps) {
                Ok(resolved) => resolved,
                Err(trouble) if trouble.is_cut() => {
                    let place = if trouble == Trouble::Spent { b"/".as_slice() } else { &path };
                    self.gaps.gap(place, Part::Links, &trouble.to_string());
                    continue;
                }
                Err(_) => continue,
            };
            let Some(found) = resolved.found else { continue };
            let attributes = Attributes::from(&found.stat);
            if attributes.kind == Kind::File && attributes.mode & 0o111 != 0 {
                let detail = Some(name.to_owned());
                // A link to a program of a lower layer brings nothing new.
                let layer = found.layer.min(layer);
                let item = Item { path: escape(&path), layer, attributes, detail };
                self.note(role, (layer, &path), || item);
            }
        }
    }

    /// Notes what is called like a program and is one, although files of dependencies are called so,
    /// too.
    pub(crate) fn read_namesakes(&mut self, tree: &Tree) {
        let namesakes = std::mem::replace(&mut self.namesakes, Bounded::with_limits(0, 0));
        if namesakes.is_truncated() {
            self.gaps.gap(b"/", Part::Links, "there are too many files called like programs");
        }
        for (path, (role, item)) in namesakes.into_map() {
            let mut magic = [0; 4];
            let file = tree.open_file(item.layer, &path);
            if file.and_then(|file| file.read_exact_at(&mut magic, 0)).is_ok()
                && magic == *b"\x7fELF"
            {
                self.note(role, (item.layer, &path), || item);
            }
        }
    }

    /// What an app brings itself comes first and what dependencies bring last: a list that is cut
    /// loses what weighs least, and a base with many hides nothing that was placed.
    fn note(&mut self, role: Role, (layer, path): (usize, &[u8]), item: impl FnOnce() -> Item) {
        let rank = 2 * u8::from(names::is_dependency(path)) + u8::from(layer == 0);
        if let Some(list) = self.noted.get_mut(&role) {
            list.add_with([&[rank], path].concat(), item);
        }
    }

    fn see_file(&mut self, seen: &Seen<'_>) {
        let mode = seen.stat.st_mode;
        if mode & 0o6000 != 0 {
            self.set_id.add_with(seen.path(), || item(seen, None));
        }
        if mode & 0o002 != 0 {
            self.world_writable.add_with(seen.path(), || item(seen, None));
        }
        self.see_capabilities(seen);
        let size = u64::try_from(seen.stat.st_size).unwrap_or(0);
        let executable = mode & 0o111 != 0;
        if let Some(role) = names::of_file(self.place, seen.name, (size, executable)) {
            self.note(role, (seen.layer, &seen.path()), || item(seen, None));
        }
        if executable && let Some((role, name)) = names::of_program(seen.name) {
            let found = || item(seen, Some(name.to_owned()));
            match self.place.namesakes {
                false => self.note(role, (seen.layer, &seen.path()), found),
                true if NEVER_LIBRARIES.contains(&role) => {
                    self.namesakes.add_with(seen.path(), || (role, found()));
                }
                true => {}
            }
        }
        self.contents.note_file(seen, self.place);
        self.texts.note_file(seen, self.place);
    }

    /// Every file is asked, executable or not: what is changed later makes it work.
    fn see_capabilities(&mut self, seen: &Seen<'_>) {
        let Some(capabilities) = &mut self.capabilities else { return };
        match self.attribute.capability(seen.open, seen.name) {
            Ok(value) => capabilities.add_with(seen.path(), || item(seen, Some(value))),
            Err(Errno::NODATA) => {}
            Err(error) => self.gaps.gap(&seen.path(), Part::Attributes, &error.to_string()),
        }
    }

    /// Who owns something may give itself the right to write it.
    fn see_writable(&mut self, seen: &Seen<'_>) {
        let Some(user) = &self.user else { return };
        let (stat, mode) = (seen.stat, seen.stat.st_mode);
        let shared = mode & 0o020 != 0 && user.groups.contains(&stat.st_gid);
        let writes = stat.st_uid == user.uid || shared;
        if writes && mode & 0o002 == 0 {
            self.writable.add_with(seen.path(), || item(seen, None));
        }
    }
}

fn item(seen: &Seen<'_>, detail: Option<String>) -> Item {
    let attributes = Attributes::from(seen.stat);
    Item { path: escape(&seen.path()), layer: seen.layer, attributes, detail }
}

impl Visitor for Collector {
    fn enter(&mut self, folder: &[u8]) {
        self.place = Place::of(folder);
    }

    fn see(&mut self, seen: &Seen<'_>) {
        let kind = seen.file_type();
        if seen.name.starts_with(b".wh.") {
            self.whiteouts.add_with(seen.path(), || item(seen, None));
        }
        let Some(counts) = self.layers.get_mut(seen.layer) else { return };
        match kind {
            FileType::RegularFile => {
                counts.files += 1;
                counts.bytes += u64::try_from(seen.stat.st_size).unwrap_or(0);
                self.see_writable(seen);
                self.see_file(seen);
            }
            FileType::Directory => {
                counts.folders += 1;
                self.see_writable(seen);
                if let Some(role) = names::of_folder(seen.name) {
                    self.note(role, (seen.layer, &seen.path()), || item(seen, None));
                }
                if seen.stat.st_mode & 0o1002 == 0o002 {
                    self.world_writable.add_with(seen.path(), || item(seen, None));
                }
            }
            FileType::Symlink => {
                counts.links += 1;
                let program = names::of_program(seen.name).filter(|_| !self.place.namesakes);
                if let Some((role, name)) = program {
                    self.links.add(seen.path(), (seen.layer, role, name));
                }
                self.contents.note_link(seen.path(), seen.layer);
            }
            _ => {
                counts.others += 1;
                self.special.add_with(seen.path(), || item(seen, None));
            }
        }
    }

    fn overlaid(&mut self, path: &[u8], versions: &[(usize, Stat)]) {
        let Some((&(layer, top), below)) = versions.split_first() else { return };
        let changed = |below: usize, before: &Stat, layer: usize, after: &Stat| Changed {
            path: escape(path),
            below,
            before: before.into(),
            layer,
            after: after.into(),
        };
        if let Some((0, base)) = below.last() {
            let change = changed(0, base, layer, &top);
            if change.before.kind != Kind::Folder && change.after.kind != Kind::Folder {
                self.replaced.add(path.to_vec(), change.clone());
            }
            if change.before != change.after {
                self.changed.add(path.to_vec(), change);
            }
        }
        for pair in versions.windows(2) {
            let [(upper, after), (lower, before)] = pair else { continue };
            if *lower == 0 {
                continue;
            }
            let change = || changed(*lower, before, *upper, after);
            let kinds = [before, after].map(|stat| Attributes::from(stat).kind);
            if kinds.contains(&Kind::Folder) && kinds[0] != kinds[1] {
                self.hidden.add_with(path.to_vec(), change);
            } else if secrets::is_kept_in(path) {
                self.covered.add_with(path.to_vec(), change);
            }
        }
    }

    fn skip(&mut self, path: &[u8], reason: &str) {
        let path = if path.is_empty() { b"/" } else { path };
        self.gaps.gap(path, Part::Folder, reason);
    }

    fn merge(&mut self, other: Self) {
        for (all, more) in self.layers.iter_mut().zip(other.layers) {
            all.files += more.files;
            all.folders += more.folders;
            all.links += more.links;
            all.others += more.others;
            all.bytes += more.bytes;
        }
        self.contents.merge(other.contents);
        self.texts.merge(other.texts);
        self.changed.merge(other.changed);
        self.replaced.merge(other.replaced);
        self.hidden.merge(other.hidden);
        self.covered.merge(other.covered);
        self.set_id.merge(other.set_id);
        if let (Some(all), Some(more)) = (&mut self.capabilities, other.capabilities) {
            all.merge(more);
        }
        self.world_writable.merge(other.world_writable);
        self.writable.merge(other.writable);
        for (role, more) in other.noted {
            if let Some(all) = self.noted.get_mut(&role) {
                all.merge(more);
            }
        }
        self.special.merge(other.special);
        self.whiteouts.merge(other.whiteouts);
        self.gaps.merge(other.gaps);
        self.links.merge(other.links);
        self.namesakes.merge(other.namesakes);
    }

    /// Of the lists that may be long.
    fn weight(&self) -> usize {
        self.contents.weight() + self.texts.weight() + self.links.weight() + self.namesakes.weight()
    }
}
