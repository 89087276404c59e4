//! Finds the libraries of programs as their loaders do: `RPATH`, `LD_LIBRARY_PATH`, `RUNPATH`, the
//! cache of ld.so, the default folders; and the versions of symbols that they must have.
//!
//! A library of an app may count on what the program that loads it has loaded already, so one that
//! is anywhere in the image is not missing; the programs that are started have no such excuse.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::cache;
use super::dynamic::{self, Dynamic};
use super::entry::Kind;
use super::escape::escape;
use super::evidence::{Command, Gap, List, Lookup, Part};
use super::program::Program;
use super::tree::{Resolved, Steps, Tree, Trouble};

/// The most files that are looked at on behalf of an app, and on behalf of one program.
const MAX_OBJECTS: usize = 20_000;
const MAX_CLOSURE: usize = 512;
/// The most places that are looked at for all of them, names on the way and versions included, and
/// the bytes that are kept of what is there.
const MAX_STEPS: usize = 4_000_000;
const MAX_HELD: usize = 128 << 20;
/// What a path costs besides its bytes.
const OVERHEAD: usize = 64;
/// The most folders of one search path.
const MAX_FOLDERS: usize = 64;

/// Where loaders of glibc look when nothing else says so; those of Debian know their architecture.
const GLIBC: [&str; 4] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];
const MUSL: [&str; 3] = ["/lib", "/usr/local/lib", "/usr/lib"];
/// Names of Debian's folders by `e_machine`.
const MULTIARCH: [(u16, &str); 6] = [
    (62, "x86_64-linux-gnu"),
    (183, "aarch64-linux-gnu"),
    (40, "arm-linux-gnueabihf"),
    (3, "i386-linux-gnu"),
    (243, "riscv64-linux-gnu"),
    (22, "s390x-linux-gnu"),
];

/// What the config says about libraries.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings<'a> {
    /// `LD_LIBRARY_PATH`.
    pub(crate) library_path: Option<&'a str>,
}

/// A library that is not found, or not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlinked {
    /// The program or library of the app, escaped.
    pub path: String,
    /// The layer that it is seen from.
    pub layer: usize,
    /// Whether the command starts it.
    pub started: bool,
    /// The name of the library.
    pub library: String,
    /// The file that needs it: the program itself, or a library of it.
    pub needed_by: String,
    /// The version of symbols that the library lacks; `None`: there is no such library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A file as a loader sees it.
#[derive(Debug)]
struct Object {
    path: Vec<u8>,
    layer: usize,
    dynamic: Dynamic,
}

/// Everything that is not found for the commands and for the ELF files of an app.
pub(crate) fn unlinked(
    tree: &Tree,
    settings: &Settings<'_>,
    commands: &[Option<&Command>],
    objects: &[(Vec<u8>, usize)],
    gaps: &mut Bounded<Gap>,
) -> List<Unlinked> {
    let mut linker = Linker::new(tree, settings, objects);
    let mut list = Bounded::default();
    let mut seen = BTreeSet::new();
    let mut started = Vec::new();
    for command in commands.iter().flatten() {
        // The one that is executed is judged elsewhere; a place that cannot be executed does no harm.
        command.tried.iter().for_each(|lookup| programs(lookup, &mut started));
    }
    for path in started {
        if seen.insert(path.clone()) {
            linker.check(&path, true, &mut list);
        }
    }
    if objects.len() > MAX_OBJECTS {
        gaps.gap(b"/", Part::Programs, "there are too many programs and libraries");
    }
    // Packages bring libraries for other machines, too.
    let machine = seen.iter().find_map(|path| linker.object(path)).map(|found| found.machine());
    let ours = |object: &Arc<Object>| machine.is_some_and(|machine| object.machine() == machine);
    for (path, _) in objects.iter().take(MAX_OBJECTS) {
        if linker.is_spent {
            break;
        }
        if !linker.object(path).is_some_and(|object| ours(&object)) {
            continue;
        }
        if seen.insert(path.clone()) {
            linker.check(path, false, &mut list);
        }
    }
    if linker.is_spent {
        gaps.gap(b"/", Part::Programs, "programs and libraries need too much to look for it all");
    }
    list.into_list()
}

/// The ELF files that a command starts: itself, or the interpreters of a script.
fn programs(lookup: &Lookup, paths: &mut Vec<Vec<u8>>) {
    let Some(target) = lookup.found_kind(Kind::File) else { return };
    match target.program.as_deref() {
        Some(Program::Elf { .. }) => paths.push(target.path.clone().into_bytes()),
        Some(Program::Script { interpreter, env, .. }) => {
            programs(interpreter, paths);
            for lookup in env.iter().flat_map(|env| &env.tried) {
                programs(lookup, paths);
            }
        }
        _ => {}
    }
}

impl Object {
    fn machine(&self) -> (u8, u16, bool) {
        (self.dynamic.bits, self.dynamic.machine, self.dynamic.little_endian)
    }
}

struct Linker<'a> {
    tree: &'a Tree,
    library_path: Vec<Vec<u8>>,
    /// `/etc/ld.so.cache`: library → paths.
    cache: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Names of all ELF files of the app.
    names: BTreeSet<Vec<u8>>,
    /// Files that were read, by the path that was asked for.
    known: BTreeMap<Vec<u8>, Option<Arc<Object>>>,
    /// What may still be looked at and kept, and whether something was not.
    steps: Steps,
    held: usize,
    is_spent: bool,
}

impl<'a> Linker<'a> {
    fn new(tree: &'a Tree, settings: &Settings<'_>, objects: &[(Vec<u8>, usize)]) -> Self {
        let split = |byte: &u8| matches!(byte, b':' | b';');
        let library_path = settings.library_path.unwrap_or_default().as_bytes();
        let folders = library_path.split(split).filter(|folder| folder.starts_with(b"/"));
        let name = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().unwrap_or(path).to_vec();
        Self {
            tree,
            library_path: folders.take(MAX_FOLDERS).map(<[u8]>::to_vec).collect(),
            cache: cache::read(tree),
            names: objects.iter().map(|(path, _)| name(path)).collect(),
            known: BTreeMap::new(),
            steps: Steps::of(MAX_STEPS),
            held: MAX_HELD,
            is_spent: false,
        }
    }

    /// Takes steps; `false` if there are no more, after which nothing that is not found is missing.
    fn spend(&mut self, count: usize) -> bool {
        self.is_spent |= self.steps.spend(count).is_err();
        !self.is_spent
    }

    /// Takes memory in the same way.
    fn hold(&mut self, bytes: usize) -> bool {
        match self.held.checked_sub(bytes) {
            Some(left) => self.held = left,
            None => self.is_spent = true,
        }
        !self.is_spent
    }

    /// Adds everything that one program or library does not find.
    fn check(&mut self, path: &[u8], started: bool, list: &mut Bounded<Unlinked>) {
        let Some(root) = self.object(path) else { return };
        // Without its loader nothing is loaded, which is said elsewhere.
        if root.dynamic.loader.as_ref().is_some_and(|loader| !self.exists(loader)) {
            return;
        }
        let mut loaded: BTreeMap<Vec<u8>, Option<Arc<Object>>> = BTreeMap::new();
        let mut waiting = VecDeque::from([root.clone()]);
        let mut missing = |library: &[u8], by: &Object, version: Option<&[u8]>| {
            let key = [root.path.as_slice(), b"\0", library, b"\0", version.unwrap_or_default()];
            let unlinked = Unlinked {
                path: escape(&root.path),
                layer: root.layer,
                started,
                library: escape(library),
                needed_by: escape(&by.path),
                version: version.map(escape),
            };
            list.add(key.concat(), unlinked);
        };
        while let Some(object) = waiting.pop_front() {
            for name in &object.dynamic.needed {
                if !loaded.contains_key(name) {
                    let found = self.find(name, &object, &root);
                    if self.is_spent {
                        return;
                    }
                    if found.is_none() && !self.is_excused(name, &object, &root, started) {
                        missing(name, &object, None);
                    }
                    if loaded.len() < MAX_CLOSURE {
                        waiting.extend(found.clone());
                        loaded.insert(name.clone(), found);
                    }
                }
                let Some(Some(library)) = loaded.get(name) else { continue };
                let gives = &library.dynamic.gives;
                // A library without versions fits any.
                let wants = object.dynamic.wants.get(name).filter(|_| !gives.is_empty());
                if !self.spend(wants.map_or(0, Vec::len)) {
                    return;
                }
                let lacks = wants.into_iter().flatten().find(|version| !gives.contains(*version));
                if let Some(version) = lacks {
                    missing(name, &object, Some(version));
                }
            }
        }
    }

    fn exists(&mut self, path: &[u8]) -> bool {
        let resolved = self.follow(path);
        resolved.is_ok_and(|resolved| resolved.found.is_some())
    }

    fn follow(&mut self, path: &[u8]) -> Result<Resolved, Trouble> {
        let resolved = self.tree.follow(path, &mut self.steps);
        self.is_spent |= resolved.as_ref().is_err_and(Trouble::is_cut);
        resolved
    }

    /// Whether a library need not be found: the loader is it, or something else has loaded it.
    fn is_excused(&self, name: &[u8], by: &Object, root: &Object, started: bool) -> bool {
        let musl = is_musl(&root.dynamic);
        if musl && name.starts_with(b"libc.") {
            return true;
        }
        if started {
            return false;
        }
        // Built for another libc: what loads it chooses one that fits.
        let foreign =
            name.starts_with(b"libc.musl-") || name.starts_with(b"ld-musl-") || name == b"libc.so";
        foreign
            || root.dynamic.loader.is_none() && (self.names.contains(name) || by.path != root.path)
    }

    /// Where a library is, as the loader of `root` looks for it.
    fn find(&mut self, name: &[u8], by: &Object, root: &Object) -> Option<Arc<Object>> {
        let fits = |found: &Arc<Object>| found.machine() == root.machine();
        if name.contains(&b'/') {
            return self.object(name).filter(fits);
        }
        let folders = self.folders(by, root);
        if !self.spend(folders.len()) {
            return None;
        }
        for folder in folders {
            let path = [&folder, b"/".as_slice(), name].concat();
            if let Some(found) = self.object(&path).filter(fits) {
                return Some(found);
            }
        }
        let cached = self.cache.get(name).cloned().unwrap_or_default();
        if !self.spend(cached.len() + 1) {
            return None;
        }
        let cached = cached.iter().find_map(|path| self.object(path).filter(fits));
        cached.or_else(|| {
            let folders = default_folders(&root.dynamic);
            let path = |folder: &Vec<u8>| [folder, b"/".as_slice(), name].concat();
            folders.iter().find_map(|folder| self.object(&path(folder)).filter(fits))
        })
    }

    /// The folders that the files themselves and the environment name.
    fn folders(&self, by: &Object, root: &Object) -> Vec<Vec<u8>> {
        let mut folders = Vec::new();
        if by.dynamic.runpath.is_empty() {
            folders.extend(expand(&by.dynamic.rpath, by));
            folders.extend(expand(&root.dynamic.rpath, root));
        }
        folders.extend(self.library_path.iter().cloned());
        folders.extend(expand(&by.dynamic.runpath, by));
        folders
    }

    fn object(&mut self, path: &[u8]) -> Option<Arc<Object>> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let weight = |object: &Object| object.path.len() + object.dynamic.weight();
        let object = self.read(path).filter(|one| self.hold(weight(one))).map(Arc::new);
        if !self.hold(path.len() + OVERHEAD) {
            return None;
        }
        self.known.insert(path.to_vec(), object.clone());
        object
    }

    fn read(&mut self, path: &[u8]) -> Option<Object> {
        let resolved = self.follow(path).ok()?;
        let (found, parent) = (resolved.found?, resolved.parent.as_ref()?);
        let file = parent.open_file(resolved.name(), found.layer).ok()?;
        let dynamic = dynamic::read(&file)?;
        Some(Object { path: resolved.path, layer: found.layer, dynamic })
    }
}

fn is_musl(dynamic: &Dynamic) -> bool {
    let loader = dynamic.loader.as_deref().unwrap_or_default();
    let name = loader.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.starts_with(b"ld-musl-")
}

fn default_folders(root: &Dynamic) -> Vec<Vec<u8>> {
    if is_musl(root) {
        return MUSL.iter().map(|folder| folder.as_bytes().to_vec()).collect();
    }
    let triplet = MULTIARCH.iter().find(|(machine, _)| *machine == root.machine);
    let triplets = triplet.into_iter().flat_map(|(_, triplet)| {
        ["/lib", "/usr/lib", "/usr/local/lib"].map(|folder| format!("{folder}/{triplet}"))
    });
    let plain = GLIBC.iter().map(|folder| (*folder).to_owned());
    triplets.chain(plain).map(String::into_bytes).collect()
}

/// The folders of a `RUNPATH`; `$ORIGIN` is where the file is.
fn expand(path: &[u8], object: &Object) -> Vec<Vec<u8>> {
    let slash = object.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let origin = &object.path[..slash];
    let elements = path.split(|byte| *byte == b':').filter(|element| !element.is_empty());
    let expand = |element: &[u8]| {
        let rest = element.strip_prefix(b"$ORIGIN").or(element.strip_prefix(b"${ORIGIN}"));
        rest.map_or_else(|| element.to_vec(), |rest| [origin, rest].concat())
    };
    elements.take(MAX_FOLDERS).map(expand).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn linker(tree: &Tree) -> Linker<'_> {
        Linker::new(tree, &Settings::default(), &[])
    }

    #[test]
    fn nothing_is_missing_that_was_not_looked_for() {
        // As if the image had nothing but the program.
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy("/bin/ls", folder.path().join("ls")).unwrap();
        let loader = File::open("/bin/ls").unwrap().into();
        let loader = dynamic::read(&loader).and_then(|dynamic| dynamic.loader).unwrap();
        let loader = folder.path().join(String::from_utf8_lossy(&loader).trim_start_matches('/'));
        std::fs::create_dir_all(loader.parent().unwrap()).unwrap();
        std::fs::write(loader, "").unwrap();
        let tree = Tree::open(&[folder.path()]).unwrap();
        let missing = |mut linker: Linker<'_>| {
            let mut list = Bounded::default();
            linker.check(b"/ls", true, &mut list);
            (list.into_list().total > 0, linker.is_spent)
        };
        assert_eq!(missing(linker(&tree)), (true, false));
        for steps in [0, 2, 8] {
            let cut = Linker { steps: Steps::of(steps), ..linker(&tree) };
            assert_eq!(missing(cut), (false, true), "{steps}");
        }
        assert_eq!(missing(Linker { held: 40, ..linker(&tree) }), (false, true));
    }
}
