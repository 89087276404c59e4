//! A base, a source and layers that place files of the source on the base, solved by a real daemon
//! in both ways: the layers merged over the base, and the same actions copied onto it.

use hardpan::llb::{Constraints, Copy, FileOps, Folder, Graph, Local, Mode, Output, Owner, Source};
use tempfile::TempDir;

use super::buildctl::solve;
use super::tar::Tree;

/// The change of mode that every placed file gets.
pub const NORMAL: &str = "go-w,a-st,a+rX";

/// A layer: actions that copy from the source.
pub type Layer<'a> = &'a dyn Fn(&mut FileOps, Output);

/// What comes out when the layers are merged over the base, and when they are copied onto it.
#[derive(Debug)]
pub struct Outcome {
    pub merged: Result<Tree, String>,
    pub copied: Result<Tree, String>,
}

/// A graph with a base and a source, and the folder that holds their archives.
pub struct Lab {
    pub graph: Graph,
    pub base: Output,
    pub source: Output,
    context: TempDir,
}

impl Lab {
    /// Unpacks two trees, so that nothing of a client's file system gets in between.
    pub fn new(base: &str, source: &str) -> Self {
        let context = tempfile::tempdir().unwrap();
        let mut graph = Graph::new();
        let unique = Some(context.path().display().to_string());
        let local = Source::Local(Local { name: "context".to_owned(), unique, ..Local::default() });
        let local = graph.source(&local, &Constraints::default());
        let mut unpack = |name: &str, text: &str| {
            std::fs::write(context.path().join(name), Tree::parse(text).to_tar()).unwrap();
            let mut ops = FileOps::on(Output::SCRATCH);
            ops.copy(
                local,
                Copy {
                    from: format!("/{name}"),
                    to: "/".to_owned(),
                    unpack: true,
                    ..Copy::default()
                },
            );
            graph.file(&ops, &Constraints::default())
        };
        let (base, source) = (unpack("base.tar", base), unpack("source.tar", source));
        Self { graph, base, source, context }
    }

    /// Solves the layers in both ways.
    pub fn place(&mut self, layers: &[Layer<'_>]) -> Outcome {
        let with = Constraints::default();
        let (mut stack, mut chain) = (vec![self.base], self.base);
        for layer in layers {
            let mut make = |base: Output| {
                let mut ops = FileOps::on(base);
                layer(&mut ops, self.source);
                self.graph.file(&ops, &with)
            };
            stack.push(make(Output::SCRATCH));
            chain = make(chain);
        }
        let merged = self.graph.merge(&stack, &with);
        Outcome { merged: self.solve(merged), copied: self.solve(chain) }
    }

    /// The tree behind an output.
    pub fn solve(&self, output: Output) -> Result<Tree, String> {
        solve(&self.graph, output, self.context.path())
    }
}

/// A copy of a file, or of a folder's contents, as every placement does it.
pub fn place(from: &str, to: &str) -> Copy {
    Copy {
        from: from.to_owned(),
        to: to.to_owned(),
        contents: true,
        make_parents: true,
        owner: Some(Owner::ROOT),
        mode: Some(words(NORMAL)),
        ..Copy::default()
    }
}

/// A mode in chmod's words.
pub fn words(words: &str) -> Mode {
    Mode::Words(words.to_owned())
}

/// Folders from lines of a tree.
pub fn folders(text: &str) -> Vec<Folder> {
    let folder = |(path, entry): (String, super::tar::Entry)| {
        let (uid, gid) = entry.owner;
        Folder { path: format!("/{path}"), mode: entry.mode, owner: Owner { uid, gid } }
    };
    Tree::parse(text).0.into_iter().map(folder).collect()
}

/// The folders that a layer has to set: the ancestors of a destination as the base has them, or as
/// they are made, and what the base has below it with another mode or owner than the usual.
pub fn around(base: &Tree, destination: &str) -> Vec<Folder> {
    let path = destination.trim_start_matches('/');
    let ends = path.match_indices('/').map(|(end, _)| &path[..end]).filter(|path| !path.is_empty());
    let usual = Folder { path: String::new(), mode: 0o755, owner: Owner::ROOT };
    let folder = |path: &str| match base.0.get(path).filter(|entry| entry.kind == 'd') {
        Some(entry) => {
            let (uid, gid) = entry.owner;
            Folder { path: format!("/{path}"), mode: entry.mode, owner: Owner { uid, gid } }
        }
        None => Folder { path: format!("/{path}"), ..usual.clone() },
    };
    let below = base.0.iter().filter(|(known, entry)| entry.kind == 'd' && known.starts_with(path));
    let below = below.map(|(known, _)| folder(known));
    let unusual =
        below.filter(|folder| *folder != Folder { path: folder.path.clone(), ..usual.clone() });
    ends.map(folder).chain(unusual).collect()
}

/// A destination with the base's links followed, as facts about the base allow.
pub fn through(base: &Tree, destination: &str) -> String {
    let mut path = String::new();
    for part in destination.split('/').filter(|part| !part.is_empty()) {
        let next = format!("{path}/{part}");
        path = match base.0.get(&next[1..]).filter(|entry| entry.kind == 'l') {
            Some(link) if link.text.starts_with('/') => link.text.clone(),
            Some(link) => format!("{path}/{}", link.text),
            None => next,
        };
    }
    // a folder of the base is written as one: only so does a file go into it
    let slash = destination.ends_with('/')
        || path.is_empty()
        || base.0.get(&path[1..]).is_some_and(|e| e.kind == 'd');
    if slash { format!("{path}/") } else { path }
}
