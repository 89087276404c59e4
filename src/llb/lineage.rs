//! How the files of an image came about, as its graph says it: what was fetched without being
//! pinned, what ran with more rights than a step has, what made the image's own layers.
//!
//! In: a graph, the output that is handed out, and where a base is known the output that it is.
//! Out: facts in the order of the graph, without a judgement. Ops may be anybody's: what cannot be
//! read counts as unknown, and no walk recurses or goes round in circles.

use std::collections::BTreeSet;

use prost::Message as _;

use super::git::is_commit;
use super::graph::{Graph, Output, Vertex};
use crate::proto::pb;
use crate::proto::pb::op::Op;

/// Facts about how an image was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// Images without a digest, as sources name them.
    pub images: Vec<String>,
    /// Files from the web without a checksum.
    pub files: Vec<String>,
    /// Git repositories without a whole commit: `host/path` and what is wanted of it.
    pub repositories: Vec<String>,
    /// Steps, by their names in the progress, that run outside the sandbox.
    pub insecure: Vec<String>,
    /// Steps that see the network of the builder's machine.
    pub host_network: Vec<String>,
    /// Steps that ran a program to make a layer of the image itself.
    pub ran: Vec<String>,
    /// Paths that a layer of the image itself removes.
    pub removed: Vec<String>,
    /// Ops that say nothing about what they do: builds within the build.
    pub unknown: usize,
}

impl Graph {
    /// The facts about an image; `base` is what its own layers stand on, where that is known.
    pub fn lineage(&self, image: Output, base: Option<Output>) -> Lineage {
        let mut found = Lineage::default();
        let needed = self.vertices.iter().zip(self.reachable(image)).filter(|(_, needed)| *needed);
        for (vertex, _) in needed {
            match op_of(vertex) {
                Some(Op::Source(source)) => found.source(&source),
                Some(Op::Exec(exec)) => found.exec(&exec, name_of(vertex)),
                Some(Op::Build(_)) | None => found.unknown += 1,
                Some(Op::File(_) | Op::Merge(_) | Op::Diff(_) | Op::Passthrough(_)) => {}
            }
        }
        for output in self.layers(image, base) {
            let Some(vertex) = self.vertex(output) else { continue };
            match op_of(vertex) {
                Some(Op::Exec(_)) => found.ran.push(name_of(vertex)),
                Some(Op::File(file)) => {
                    let chain = chain(&file, vertex.inputs.len(), output.index);
                    found.removed.extend(chain.filter_map(removed_by));
                }
                _ => {}
            }
        }
        found
    }

    /// The outputs whose changes are the image's own layers, the lowest first.
    fn layers(&self, image: Output, base: Option<Output>) -> BTreeSet<Output> {
        let mut seen = BTreeSet::new();
        let mut open = vec![image];
        while let Some(output) = open.pop() {
            if Some(output) == base || !seen.insert(output) {
                continue;
            }
            let Some(vertex) = self.vertex(output) else { continue };
            let below = below(op_of(vertex).as_ref(), vertex.inputs.len(), output.index);
            open.extend(below.into_iter().filter_map(|input| vertex.inputs.get(input).copied()));
        }
        seen
    }
}

impl Lineage {
    /// Everything that is fetched without being pinned: names of images, addresses of files, host and
    /// path of repositories.
    pub fn unpinned(&self) -> impl Iterator<Item = &str> {
        let images = self.images.iter().map(|image| name_of_image(image));
        let repositories = self.repositories.iter().map(|place| repository(place));
        images.chain(self.files.iter().map(String::as_str)).chain(repositories)
    }

    fn source(&mut self, source: &pb::SourceOp) {
        let Some((scheme, place)) = source.identifier.split_once("://") else { return };
        let has = |key: &str| source.attrs.get(key).is_some_and(|value| !value.is_empty());
        match scheme {
            "docker-image" | "oci-layout" if !place.contains('@') => {
                self.images.push(source.identifier.clone());
            }
            "http" | "https" if !has("http.checksum") => {
                self.files.push(source.identifier.clone());
            }
            "git" => {
                let wanted = place.split_once('#').map_or("", |(_, wanted)| wanted);
                let reference = wanted.split(':').next().unwrap_or_default();
                let checksum = source.attrs.get("git.checksum").map_or("", String::as_str);
                if !is_commit(reference) && !is_commit(checksum) {
                    self.repositories.push(place.to_owned());
                }
            }
            _ => {}
        }
    }

    fn exec(&mut self, exec: &pb::ExecOp, name: String) {
        if exec.network == i32::from(pb::NetMode::Host) {
            self.host_network.push(name.clone());
        }
        if exec.security != i32::from(pb::SecurityMode::Sandbox) {
            self.insecure.push(name);
        }
    }
}

fn op_of(vertex: &Vertex) -> Option<Op> {
    pb::Op::decode(vertex.bytes.as_slice()).ok()?.op
}

/// What progress calls it, without the stage in front: `RUN npm ci`.
fn name_of(vertex: &Vertex) -> String {
    let name = vertex.metadata.description.get("llb.customname").map_or("", String::as_str);
    let bare = name.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    bare.map_or(name, |(_, rest)| rest).to_owned()
}

/// The inputs that an output of an op is laid over.
fn below(op: Option<&Op>, inputs: usize, output: i64) -> Vec<usize> {
    let index = |number: i64| usize::try_from(number).ok();
    match op {
        Some(Op::Exec(exec)) => {
            let root = exec.mounts.iter().find(|mount| mount.output == output);
            root.and_then(|mount| index(mount.input)).into_iter().collect()
        }
        Some(Op::File(file)) => {
            let first = chain(file, inputs, output).last();
            first.and_then(|action| index(action.input)).into_iter().collect()
        }
        Some(Op::Merge(merge)) => merge.inputs.iter().filter_map(|one| index(one.input)).collect(),
        // All of the upper one, although what it shares with the lower one is left out.
        Some(Op::Diff(diff)) => diff.upper.iter().filter_map(|upper| index(upper.input)).collect(),
        Some(Op::Passthrough(pass)) => {
            let which = index(output).and_then(|which| pass.outputs.get(which));
            which.and_then(|input| index(*input)).into_iter().collect()
        }
        Some(Op::Source(_) | Op::Build(_)) | None => Vec::new(),
    }
}

/// The actions that lead to an output of a file op, the last one first. What a copy reads from is
/// none of them.
fn chain(file: &pb::FileOp, inputs: usize, output: i64) -> impl Iterator<Item = &pb::FileAction> {
    let last = file.actions.iter().position(|action| action.output == output);
    std::iter::successors(last, move |position| {
        let input = usize::try_from(file.actions[*position].input).ok()?;
        // An action only builds on earlier ones; others would lead round in circles.
        input.checked_sub(inputs).filter(|before| before < position)
    })
    .map(|position| &file.actions[position])
}

fn removed_by(action: &pb::FileAction) -> Option<String> {
    match &action.action {
        Some(pb::file_action::Action::Rm(remove)) => Some(remove.path.clone()),
        _ => None,
    }
}

/// What an image is called, without the kind of source.
pub(crate) fn name_of_image(identifier: &str) -> &str {
    identifier.split_once("://").map_or(identifier, |(_, name)| name)
}

/// Host and path, without what is wanted of it.
pub(crate) fn repository(place: &str) -> &str {
    place.split_once('#').map_or(place, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::super::{Access, ContentCache};
    use super::super::{
        Bind, Constraints, Copy, Exec, FileOps, Git, Http, Image, MakeFile, Mount, MountKind,
        Network, Remove, Security, Source,
    };
    use super::*;

    const DIGEST: &str = "sha256:ea88a177d6c8f42e9bc4cb1097e9668515265de4f314714b4f76372325e0a2ef";
    const COMMIT: &str = "0123456789012345678901234567890123456789";

    fn image(graph: &mut Graph, reference: &str) -> Output {
        let source = Image { reference: reference.to_owned(), ..Image::default() };
        graph.source(&Source::Image(source), &Constraints::default())
    }

    fn base(graph: &mut Graph) -> Output {
        image(graph, &format!("docker.io/library/a:1@{DIGEST}"))
    }

    /// A step whose changes to its root are its output.
    fn run(graph: &mut Graph, root: Output, name: &str, change: impl FnOnce(&mut Exec)) -> Output {
        let (path, access) = (String::new(), Access::Output);
        let bind = Bind { from: root, path, access, content_cache: ContentCache::Default };
        let mount = Mount { target: "/".to_owned(), kind: MountKind::Bind(bind) };
        let mut exec = Exec { args: vec!["x".to_owned()], mounts: vec![mount], ..Exec::default() };
        change(&mut exec);
        graph.exec(&exec, &Constraints::named(format!("[build 2/3] {name}")))[0]
    }

    fn copy(graph: &mut Graph, from: Output, to: Output) -> Output {
        let mut ops = FileOps::on(to);
        let copy = Copy { from: "/".to_owned(), to: "/".to_owned(), ..Copy::default() };
        ops.copy(from, copy);
        graph.file(&ops, &Constraints::named("COPY --from=build"))
    }

    /// Through a definition, as another frontend gives it.
    fn imported(graph: &Graph, image: Output) -> Lineage {
        let mut other = Graph::new();
        let image = other.import(&graph.marshal(image, &[])).unwrap();
        other.lineage(image, None)
    }

    #[test]
    fn what_earlier_stages_run_makes_no_layer() {
        let mut graph = Graph::new();
        let from = base(&mut graph);
        let built = run(&mut graph, from, "RUN make", |_| {});
        let image = copy(&mut graph, built, from);
        assert_eq!(graph.lineage(image, None), Lineage::default());
        let again = run(&mut graph, image, "RUN rm -r /bin", |_| {});
        let layer = copy(&mut graph, built, Output::SCRATCH);
        let merged = graph.merge(&[again, layer], &Constraints::default());
        let passed = graph.passthrough(merged, &[built], &Constraints::default());
        for image in [again, merged, passed] {
            let lineage = graph.lineage(image, None);
            assert_eq!(lineage.ran, ["RUN rm -r /bin"]);
            assert_eq!(lineage, imported(&graph, image));
        }
        assert_eq!(graph.lineage(merged, Some(again)), Lineage::default(), "the base's own");
    }

    #[test]
    fn only_what_is_removed_from_the_image_itself_counts() {
        let remove = |path: &str| Remove { path: path.to_owned(), ..Remove::default() };
        let mut graph = Graph::new();
        let from = base(&mut graph);
        let mut ops = FileOps::on(Output::SCRATCH);
        ops.make_file(MakeFile { path: "/a".to_owned(), ..MakeFile::default() });
        ops.remove(remove("/aside"));
        let aside = ops.here();
        ops.restart(from);
        ops.remove(remove("/etc/shadow"));
        ops.copy(aside, Copy { from: "/".to_owned(), to: "/".to_owned(), ..Copy::default() });
        let image = graph.file(&ops, &Constraints::default());
        assert_eq!(graph.lineage(image, None).removed, ["/etc/shadow"]);
        let other = copy(&mut graph, image, from);
        assert_eq!(graph.lineage(other, None), Lineage::default());
    }

    #[test]
    fn rights_and_networks_count_wherever_they_are() {
        let mut graph = Graph::new();
        let from = base(&mut graph);
        let free = run(&mut graph, from, "RUN a", |exec| exec.security = Security::Insecure);
        let seen = run(&mut graph, free, "RUN b", |exec| exec.network = Network::Host);
        let none = run(&mut graph, seen, "RUN c", |exec| exec.network = Network::None);
        let image = copy(&mut graph, none, from);
        let lineage = imported(&graph, image);
        assert_eq!(
            (lineage.insecure, lineage.host_network),
            (vec!["RUN a".to_owned()], vec!["RUN b".to_owned()])
        );
        assert!(lineage.ran.is_empty());
    }

    #[test]
    fn what_is_fetched_is_pinned_or_told() {
        let mut graph = Graph::new();
        let http = |checksum: Option<&str>| {
            let checksum = checksum.map(str::to_owned);
            Source::Http(Http { url: "https://a/b".to_owned(), checksum, ..Http::default() })
        };
        let git = |reference: &str, checksum: Option<&str>| {
            let (reference, subdir) = (reference.to_owned(), "x".to_owned());
            let checksum = checksum.map(str::to_owned);
            let url = "https://h/a.git".to_owned();
            Source::Git(Git { url, reference, subdir, checksum, ..Git::default() })
        };
        let sources = [
            http(None),
            http(Some(DIGEST)),
            git("main", None),
            git("", None),
            git("0123456", Some("0123456")),
            git(COMMIT, None),
            git("main", Some(COMMIT)),
        ];
        let mut all: Vec<Output> =
            sources.iter().map(|one| graph.source(one, &Constraints::default())).collect();
        all.push(base(&mut graph));
        all.push(image(&mut graph, "docker.io/library/b:1"));
        let merged = graph.merge(&all, &Constraints::default());
        let lineage = graph.lineage(merged, None);
        assert_eq!(lineage.files, ["https://a/b"]);
        assert_eq!(lineage.repositories, ["h/a.git#main:x", "h/a.git#:x", "h/a.git#0123456:x"]);
        assert_eq!(lineage.images, ["docker-image://docker.io/library/b:1"]);
    }

    #[test]
    fn a_graph_that_goes_round_in_circles_ends() {
        let action = |input: i64, output: i64| pb::FileAction {
            input,
            secondary_input: -1,
            output,
            action: None,
        };
        let file = pb::FileOp { actions: vec![action(2, -1), action(1, -1), action(2, 0)] };
        assert_eq!(chain(&file, 1, 0).count(), 3);
        assert_eq!(chain(&file, 0, 0).count(), 1, "an action that builds on itself");
        assert_eq!(chain(&file, usize::MAX, 0).count(), 1);
        assert_eq!(chain(&file, 1, 7).count(), 0);
    }

    #[test]
    fn a_build_within_the_build_is_unknown() {
        let build = pb::Op { op: Some(Op::Build(pb::BuildOp::default())), ..Default::default() };
        let build = build.encode_to_vec();
        let end = pb::Op {
            inputs: vec![pb::Input {
                digest: super::super::Digest::of(&build).to_string(),
                index: 0,
            }],
            ..Default::default()
        };
        let def = vec![build, end.encode_to_vec()];
        let mut graph = Graph::new();
        let image = graph.import(&pb::Definition { def, ..Default::default() }).unwrap();
        assert_eq!(graph.lineage(image, None).unknown, 1);
        assert_eq!(graph.lineage(Output::SCRATCH, None), Lineage::default());
    }
}
