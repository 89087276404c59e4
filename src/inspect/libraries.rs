//! Finds the libraries of programs as their loaders do: `RPATH`, `LD_LIBRARY_PATH`, `RUNPATH`, the
//! cache of ld.so, the default folders; and the versions of symbols that they must have.
//!
//! A library of an app may count on what the program that loads it has loaded already, so one that
//! is anywhere in the image is not missing; the programs that are started have no such excuse.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accounts::Identity;
use super::bounded::Bounded;
use super::cache;
use super::dynamic::{self, Dynamic};
use super::entry::Kind;
use super::escape::escape;
use super::evidence::{Command, Gap, List, Lookup, Part};
use super::loader;
use super::program::Program;
use super::resolve::MAX_PATH;
use super::tree::{Resolved, Steps, Tree, Trouble};
use super::unlinked::{Unlinked, Useless};

/// The most files that are looked at on behalf of an app, and on behalf of one program.
const MAX_OBJECTS: usize = 20_000;
const MAX_CLOSURE: usize = 512;
/// The most places that are looked at for all of them, names on the way and versions included, and
/// the bytes that are kept of what is there.
const MAX_STEPS: usize = 4_000_000;
const MAX_HELD: usize = 128 << 20;
/// The most loaders whose own folders are looked up: each is read for them.
const MAX_LOADERS: usize = 64;
/// What a path costs besides its bytes.
const OVERHEAD: usize = 64;
/// The most folders of one search path.
const MAX_FOLDERS: usize = 64;

/// What the config says about libraries.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings<'a> {
    /// `LD_LIBRARY_PATH`.
    pub(crate) library_path: Option<&'a str>,
    /// `WorkingDir`, which relative folders are seen from.
    pub(crate) workdir: &'a str,
    /// Who loads the libraries; `None`: not known, so that nothing is closed.
    pub(crate) user: Option<&'a Identity>,
}

/// A file as a loader sees it.
#[derive(Debug)]
struct Object {
    path: Vec<u8>,
    layer: usize,
    dynamic: Dynamic,
    /// The folder that `$ORIGIN` stands for: of a library, the one that it was found in by its name.
    origin: Vec<u8>,
    /// Whether the user may read it, which a loader must.
    readable: bool,
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
    settings: Settings<'a>,
    /// `/etc/ld.so.cache`: library → paths.
    cache: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Names of all ELF files of the app.
    names: BTreeSet<Vec<u8>>,
    /// Files that were read, by the path that was asked for.
    known: BTreeMap<Vec<u8>, Option<Arc<Object>>>,
    /// Where loaders look at last, by their paths and machines.
    defaults: BTreeMap<(Vec<u8>, u16), Vec<Vec<u8>>>,
    /// The last library that had the right name and was of no use.
    useless: Option<Useless>,
    /// What may still be looked at and kept, and whether something was not.
    steps: Steps,
    held: usize,
    is_spent: bool,
}

/// A file that was loaded, and the one that needed it first.
type Chain = Vec<(Arc<Object>, Option<usize>)>;

impl<'a> Linker<'a> {
    fn new(tree: &'a Tree, settings: &Settings<'a>, objects: &[(Vec<u8>, usize)]) -> Self {
        let names = objects.iter().map(|(path, _)| loader::name(path).to_vec());
        let mut linker = Self {
            tree,
            settings: *settings,
            cache: BTreeMap::new(),
            names: names.collect(),
            known: BTreeMap::new(),
            defaults: BTreeMap::new(),
            useless: None,
            steps: Steps::of(MAX_STEPS),
            held: MAX_HELD,
            is_spent: false,
        };
        if linker.may_read(b"/etc/ld.so.cache") {
            linker.cache = cache::read(tree);
        }
        linker
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
        let is_musl = is_musl(&root.dynamic);
        let mut loaded: BTreeMap<Vec<u8>, Option<Arc<Object>>> = BTreeMap::new();
        let mut chain: Chain = vec![(root.clone(), None)];
        let mut next = 0;
        while let Some((object, _)) = chain.get(next).cloned() {
            for name in &object.dynamic.needed {
                if !loaded.contains_key(name) {
                    let found = self.find(name, &needing(&chain, next));
                    if self.is_spent {
                        return;
                    }
                    if found.is_none() && !self.is_excused(name, &object, &root, started) {
                        list.missing(
                            (&root.path, root.layer, started),
                            name,
                            &object.path,
                            Err(self.useless.take()),
                        );
                    }
                    if loaded.len() < MAX_CLOSURE {
                        // What is loaded already is found by the name that it gives itself, too.
                        let own = found.as_ref().and_then(|found| found.dynamic.soname.clone());
                        if let Some(own) = own.filter(|_| !is_musl) {
                            loaded.entry(own).or_insert_with(|| found.clone());
                        }
                        chain.extend(found.clone().map(|found| (found, Some(next))));
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
                    list.missing(
                        (&root.path, root.layer, started),
                        name,
                        &object.path,
                        Ok(version),
                    );
                }
            }
            next += 1;
        }
    }

    fn exists(&mut self, path: &[u8]) -> bool {
        let resolved = self.search(path);
        resolved.is_ok_and(|resolved| resolved.found.is_some())
    }

    /// Follows a path, and tells what was searched on the way: the user must be able to do the same.
    /// Nobody can by a path that is too long for the kernel.
    fn search(&mut self, path: &[u8]) -> Result<Resolved, Trouble> {
        let resolved = match path.len() {
            ..=MAX_PATH => self.tree.search(path, &mut self.steps),
            _ => self.tree.follow(path, &mut self.steps),
        };
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

    /// Where a library is, as the loader looks for it. `by` is what needs it, followed by what needed
    /// that one, down to the program.
    fn find(&mut self, name: &[u8], by: &[Arc<Object>]) -> Option<Arc<Object>> {
        self.useless = None;
        let root = by.last()?.clone();
        if let Some(loader) = root.dynamic.loader.as_ref().filter(|path| loader::name(path) == name)
        {
            // Which the kernel has loaded.
            return self.object(loader).filter(|found| found.machine() == root.machine());
        }
        if name.contains(&b'/') {
            return self.fitting(&self.absolute(name), &root);
        }
        let folders = self.folders(by, &root);
        if let Some(found) = self.find_in(&folders, name, &root) {
            return Some(found);
        }
        let cached = self.cache.get(name).cloned().unwrap_or_default();
        if !self.spend(cached.len() + 1) {
            return None;
        }
        if let Some(found) = cached.iter().find_map(|path| self.fitting(path, &root)) {
            return Some(found);
        }
        let folders = self.default_folders(&root.dynamic);
        self.find_in(&folders, name, &root)
    }

    fn find_in(&mut self, folders: &[Vec<u8>], name: &[u8], root: &Object) -> Option<Arc<Object>> {
        if !self.spend(folders.len()) {
            return None;
        }
        let path = |folder: &Vec<u8>| [folder, b"/".as_slice(), name].concat();
        folders.iter().find_map(|folder| self.fitting(&path(folder), root))
    }

    /// A library that a program can load.
    fn fitting(&mut self, path: &[u8], root: &Object) -> Option<Arc<Object>> {
        let found = self.object(path).filter(|found| found.machine() == root.machine())?;
        if found.readable && !found.dynamic.cut {
            return Some(found);
        }
        self.useless = Some(Useless { path: escape(&found.path), cut: found.dynamic.cut });
        None
    }

    fn default_folders(&mut self, root: &Dynamic) -> Vec<Vec<u8>> {
        let key = (root.loader.clone().unwrap_or_default(), root.machine);
        if let Some(known) = self.defaults.get(&key) {
            return known.clone();
        }
        if self.defaults.len() >= MAX_LOADERS {
            self.is_spent = true;
            return Vec::new();
        }
        let folders = loader::default_folders(self.tree, root);
        self.defaults.insert(key, folders.clone());
        folders
    }

    /// The folders that the files themselves and the environment name.
    fn folders(&self, by: &[Arc<Object>], root: &Object) -> Vec<Vec<u8>> {
        let mut folders = Vec::new();
        let environment = self.settings.library_path.unwrap_or_default().as_bytes();
        if is_musl(&root.dynamic) {
            // It knows no `$ORIGIN` there, and no difference between the two kinds of paths.
            let elements = environment.split(|byte| *byte == b':').filter(|one| !one.is_empty());
            folders.extend(elements.take(MAX_FOLDERS).map(|element| self.absolute(element)));
            for object in by {
                folders.extend(self.expand(&object.dynamic.rpath, object));
                folders.extend(self.expand(&object.dynamic.runpath, object));
            }
            return folders;
        }
        let needs = by.first().map(|object| &object.dynamic.runpath);
        if needs.is_none_or(Vec::is_empty) {
            folders.extend(by.iter().flat_map(|one| self.expand(&one.dynamic.rpath, one)));
        }
        if !environment.is_empty() {
            let elements = environment.split(|byte| matches!(byte, b':' | b';'));
            let elements = elements.take(MAX_FOLDERS);
            folders.extend(elements.map(|element| self.folder(element, root)));
        }
        folders.extend(by.first().iter().flat_map(|one| self.expand(&one.dynamic.runpath, one)));
        folders
    }

    /// The folders of a `RUNPATH`.
    fn expand(&self, path: &[u8], object: &Object) -> Vec<Vec<u8>> {
        let elements = path.split(|byte| *byte == b':').filter(|element| !element.is_empty());
        elements.take(MAX_FOLDERS).map(|element| self.folder(element, object)).collect()
    }

    /// `$ORIGIN` is where the file is.
    fn folder(&self, element: &[u8], object: &Object) -> Vec<u8> {
        let rest = element.strip_prefix(b"$ORIGIN").or(element.strip_prefix(b"${ORIGIN}"));
        match rest {
            Some(rest) => [&object.origin, rest].concat(),
            None => self.absolute(element),
        }
    }

    /// A path seen from the working folder.
    fn absolute(&self, path: &[u8]) -> Vec<u8> {
        if path.starts_with(b"/") {
            return path.to_vec();
        }
        [b"/", self.settings.workdir.as_bytes(), b"/", path].concat()
    }

    fn object(&mut self, path: &[u8]) -> Option<Arc<Object>> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let weight =
            |object: &Object| object.path.len() + object.origin.len() + object.dynamic.weight();
        let object = self.read(path).filter(|one| self.hold(weight(one))).map(Arc::new);
        if !self.hold(path.len() + OVERHEAD) {
            return None;
        }
        self.known.insert(path.to_vec(), object.clone());
        object
    }

    fn read(&mut self, path: &[u8]) -> Option<Object> {
        let resolved = self.search(path).ok()?;
        let readable = self.is_open(&resolved);
        let (found, parent) = (resolved.found?, resolved.parent.as_ref()?);
        let file = parent.open_file(resolved.name(), found.layer).ok()?;
        let dynamic = dynamic::read(&file)?;
        let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let origin = path[..slash].to_vec();
        Some(Object { path: resolved.path, layer: found.layer, dynamic, origin, readable })
    }

    fn may_read(&mut self, path: &[u8]) -> bool {
        self.search(path).is_ok_and(|resolved| self.is_open(&resolved))
    }

    /// Whether the user may search all folders on the way, and read what is there.
    fn is_open(&self, resolved: &Resolved) -> bool {
        self.settings.user.is_none_or(|user| {
            resolved.searched.iter().all(|(_, step)| user.may_search(&(&step.stat).into()))
                && resolved.found.is_none_or(|found| user.may_read(&(&found.stat).into()))
        })
    }
}

/// What needs a library, followed by what needed that one.
fn needing(chain: &Chain, at: usize) -> Vec<Arc<Object>> {
    let of = |at: &usize| chain.get(*at).and_then(|(_, by)| *by);
    let places = std::iter::successors(Some(at), of);
    places.filter_map(|at| chain.get(at)).map(|(object, _)| object.clone()).collect()
}

fn is_musl(dynamic: &Dynamic) -> bool {
    loader::musl(dynamic.loader.as_deref().unwrap_or_default()).is_some()
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
