//! The proof of an image that another frontend has made: its definition comes in, what comes out
//! stands on it, with the same ops, names and source positions.
//!
//! Nothing says which of its layers are a base's, so the whole root file system is looked at as one.

use super::probes::{InventoryProbe, ProbeSettings, add, inventory};
use crate::llb::{Constraints, Graph, ImportError, Lineage, Output};
use crate::proto::pb;

/// An image of another frontend, in a graph of its own.
#[derive(Debug)]
pub struct Whole {
    pub(super) graph: Graph,
    image: Output,
    /// Whether any step of it runs again: what stands on it is found by the definition alone.
    again: bool,
    /// In front of names: the platform, where there are several.
    prefix: String,
}

impl Whole {
    /// Takes the definition of an image. `prefix` is put before names.
    pub fn import(definition: &pb::Definition, prefix: String) -> Result<Self, ImportError> {
        let mut graph = Graph::new();
        let image = graph.import(definition)?;
        let again = definition.metadata.values().any(|metadata| metadata.ignore_cache);
        Ok(Self { graph, image, again, prefix })
    }

    /// How it was made. Nothing says where its base ends, so all of its layers count.
    #[must_use]
    pub fn lineage(&self) -> Lineage {
        self.graph.lineage(self.image, None)
    }

    /// Looks at all of it.
    pub fn inventory(
        &mut self,
        settings: &ProbeSettings,
        args: Vec<String>,
    ) -> Result<Output, ImportError> {
        let name = format!("[{}proof] inspect the image of the Dockerfile", self.prefix);
        let probe = InventoryProbe { base: self.image, layers: &[], args };
        self.again |= settings.again.holds(self.graph.runs(&[self.image]));
        let (probe, mounts) = inventory(&probe, name, self.again);
        add(&mut self.graph, settings, probe, mounts)
    }

    /// The image, handed on only once it was looked at.
    pub fn pass(&mut self, probe: Output, summary: &str) -> Output {
        self.pass_on(self.image, probe, summary)
    }

    /// Something else than the image, handed on only once that was looked at.
    pub fn pass_on(&mut self, output: Output, probe: Output, summary: &str) -> Output {
        let with = self.constraints(summary);
        self.graph.passthrough(output, &[probe], &with)
    }

    pub(super) fn constraints(&self, title: &str) -> Constraints {
        let name = format!("[{}proof] {title}", self.prefix);
        Constraints { ignore_cache: self.again, ..Constraints::named(name) }
    }

    /// An output, to be solved.
    #[must_use]
    pub fn definition(&self, output: Output) -> pb::Definition {
        self.graph.marshal(output, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::super::probes::Again;
    use super::*;
    use crate::llb::{FileOps, MakeDir};
    use crate::platform::Platform;

    fn image(again: bool) -> pb::Definition {
        let mut graph = Graph::new();
        let mut ops = FileOps::on(Output::SCRATCH);
        ops.make_dir(MakeDir { path: "/app".to_owned(), mode: 0o755, ..MakeDir::default() });
        let with = Constraints { ignore_cache: again, ..Constraints::named("RUN mkdir /app") };
        let output = graph.file(&ops, &with);
        let file = pb::SourceInfo { filename: "Dockerfile".to_owned(), ..Default::default() };
        graph.marshal(output, &[file])
    }

    fn settings(again: Again) -> ProbeSettings {
        let mut graph = Graph::new();
        let source =
            pb::SourceOp { identifier: "docker-image://hardpan".to_owned(), ..Default::default() };
        let output = graph.source_op(source, &Constraints::default());
        ProbeSettings {
            frontend: graph.marshal(output, &[]),
            binary: "/hardpan".to_owned(),
            platform: Platform::new("linux", "amd64", ""),
            again,
        }
    }

    /// Names that are run again.
    fn again(definition: &pb::Definition) -> Vec<&str> {
        let mut names: Vec<&str> = definition
            .metadata
            .values()
            .filter(|metadata| metadata.ignore_cache)
            .map(|metadata| metadata.description["llb.customname"].as_str())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_ops_and_files_of_the_image_stay() {
        let theirs = image(false);
        let mut whole = Whole::import(&theirs, "linux/amd64 ".to_owned()).unwrap();
        let probe = whole.inventory(&settings(Again::IfRun), vec!["--rules".to_owned()]).unwrap();
        let passed = whole.pass(probe, "it holds");
        let ours = whole.definition(passed);
        assert_eq!(ours.def[0], theirs.def[0]);
        assert_eq!(ours.source.as_ref().unwrap().infos, theirs.source.unwrap().infos);
        assert_eq!(again(&ours), [""; 0]);
        let names: Vec<&String> = ours
            .metadata
            .values()
            .filter_map(|metadata| metadata.description.get("llb.customname"))
            .collect();
        assert!(names.iter().any(|name| *name == "[linux/amd64 proof] it holds"), "{names:?}");
    }

    #[test]
    fn what_stands_on_a_step_that_runs_again_runs_again() {
        let mut whole = Whole::import(&image(true), String::new()).unwrap();
        let probe = whole.inventory(&settings(Again::IfRun), Vec::new()).unwrap();
        let passed = whole.pass(probe, "it holds");
        let all =
            ["RUN mkdir /app", "[proof] inspect the image of the Dockerfile", "[proof] it holds"];
        assert_eq!(again(&whole.definition(passed)), all);
    }

    #[test]
    fn a_fresh_proof_looks_again_at_an_image_from_the_cache() {
        let mut whole = Whole::import(&image(false), String::new()).unwrap();
        let probe = whole.inventory(&settings(Again::Always), Vec::new()).unwrap();
        let definition = whole.definition(probe);
        assert_eq!(again(&definition), ["[proof] inspect the image of the Dockerfile"]);
    }
}
