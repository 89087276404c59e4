//! Files that the frontend has written itself, as a file system of their own: the evidence for
//! attestations, and the reports that a build gives instead of an image.
//!
//! In: paths below `/` and their bytes. Out: one op on scratch; the same files give the same bytes.

use super::{Emitter, Whole};
use crate::llb::{Constraints, Copy, FileOps, Graph, MakeFile, Output};

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub data: Vec<u8>,
}

/// What is written where.
struct Writing<'a> {
    files: Vec<Written>,
    /// What is copied beside them, so that a cache export carries it.
    probes: &'a [Output],
    /// The time of all, in nanoseconds since 1970.
    time: Option<i64>,
}

impl Writing<'_> {
    fn add_to(self, graph: &mut Graph, with: &Constraints) -> Output {
        let mut ops = FileOps::on(Output::SCRATCH);
        for (index, probe) in self.probes.iter().enumerate() {
            let (from, to) = ("/".to_owned(), format!("/probes/{index}/"));
            let time = self.time;
            let all =
                Copy { from, to, contents: true, make_parents: true, time, ..Copy::default() };
            ops.copy(*probe, all);
        }
        for Written { name, data } in self.files {
            let (path, time) = (format!("/{name}"), self.time);
            ops.make_file(MakeFile { path, mode: 0o644, data, time, ..MakeFile::default() });
        }
        graph.file(&ops, with)
    }
}

impl Emitter<'_> {
    /// What is said of the image, for attestations; with `probes`, what it was made from as well.
    pub fn evidence(&mut self, probes: &[Output], files: Vec<Written>) -> Output {
        let name = self.plain_name("proof", "write down the evidence");
        let with = self.again_if(probes, Constraints::named(name));
        Writing { files, probes, time: self.settings.epoch }.add_to(&mut self.graph, &with)
    }

    /// The reports on the image, instead of it.
    pub fn reports(&mut self, files: Vec<Written>, name: &str) -> Output {
        let with = Constraints::named(self.plain_name("proof", name));
        Writing { files, probes: &[], time: self.settings.epoch }.add_to(&mut self.graph, &with)
    }
}

impl Whole {
    /// The same as for an image of a spec.
    pub fn evidence(&mut self, probes: &[Output], files: Vec<Written>) -> Output {
        let with = self.constraints("write down the evidence");
        Writing { files, probes, time: None }.add_to(&mut self.graph, &with)
    }

    /// The reports on the image, instead of it.
    pub fn reports(&mut self, files: Vec<Written>, name: &str) -> Output {
        let with = self.constraints(name);
        Writing { files, probes: &[], time: None }.add_to(&mut self.graph, &with)
    }
}
