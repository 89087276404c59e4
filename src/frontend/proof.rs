//! What is looked at while an image is built: the runtime base before its layers are laid out, the
//! layers and the base before the image is handed out.

use crate::bases::resolve::{Lookup, Resolved};
use crate::emit::{CollisionsProbe, Emitted, Emitter};
use crate::frontend::{Build, Failure};
use crate::inspect::collisions::{self, Collisions};
use crate::inspect::facts::{self, Facts};
use crate::llb::{self, Output};
use crate::options;
use crate::plan::{AllCollisions, Draft, Plan, Selection, What};

/// The largest answer of a probe that is read; they are bounded where they are written.
const MAX_ANSWER: usize = 64 << 20;

/// What a probe found, and the probe itself.
pub(super) struct Probed<T> {
    pub(super) value: T,
    pub(super) outputs: Vec<Output>,
}

/// An image that was found to be in order.
pub(super) struct Verdict {
    pub(super) summary: String,
    pub(super) outputs: Vec<Output>,
}

impl Build<'_> {
    /// All images of a selection, with digests and configs.
    pub(super) async fn resolve(&self, selection: &Selection<'_>) -> Result<Vec<Resolved>, Failure> {
        let lookup = Lookup {
            mode: match self.options.resolve_mode {
                options::ResolveMode::Default => llb::ResolveMode::Default,
                options::ResolveMode::Pull => llb::ResolveMode::Pull,
                options::ResolveMode::Local => llb::ResolveMode::Local,
            },
            session: self.options.session.clone(),
        };
        Ok(crate::bases::resolve::resolve(self.gateway, &selection.images, &lookup).await?)
    }

    /// What the runtime base has where something will be placed.
    pub(super) async fn facts(
        &self,
        emitter: &mut Emitter<'_>,
        draft: &Draft,
    ) -> Result<Probed<Facts>, Failure> {
        let base = emitter.base(draft.runtime);
        let output = emitter.facts(&self.probes, base, &draft.destinations())?;
        let json = self.read(emitter, output, facts::FILE).await?;
        let value = Facts::from_json(&json).map_err(|error| Failure::internal(error.to_string()))?;
        Ok(Probed { value, outputs: vec![output] })
    }

    /// What folders run into that are placed over folders of the base with something in them.
    pub(super) async fn collisions(
        &self,
        emitter: &mut Emitter<'_>,
        draft: &Draft,
        facts: &Facts,
    ) -> Result<Probed<AllCollisions>, Failure> {
        let mut all = AllCollisions::new();
        let mut outputs = Vec::new();
        for (index, item) in draft.items.iter().enumerate() {
            for (inner, placement) in item.placements.iter().enumerate() {
                let What::Files(files) = &placement.what else { continue };
                let wanted = crate::paths::join("/", &placement.dest);
                let folder = facts.destination(&wanted).and_then(|found| found.folder());
                let Some(folder) = folder.filter(|place| place.holds.folders || place.holds.links)
                else {
                    continue;
                };
                let source = emitter.poured(files);
                let base = emitter.base(draft.runtime);
                let probe = CollisionsProbe { base, source, destination: folder.path.clone() };
                let output = emitter.collisions(&self.probes, &probe)?;
                let json = self.read(emitter, output, collisions::FILE).await?;
                let found = Collisions::from_json(&json)
                    .map_err(|error| Failure::internal(error.to_string()))?;
                all.insert((index, inner), found);
                outputs.push(output);
            }
        }
        Ok(Probed { value: all, outputs })
    }

    /// Inspects the image and judges it.
    pub(super) async fn prove(
        &self,
        emitter: &mut Emitter<'_>,
        plan: &Plan,
        emitted: &Emitted,
    ) -> Result<Verdict, Failure> {
        let _ = (emitter, plan, emitted);
        Ok(Verdict { summary: "nothing yet".to_owned(), outputs: Vec::new() })
    }

    async fn read(
        &self,
        emitter: &Emitter<'_>,
        output: Output,
        file: &str,
    ) -> Result<Vec<u8>, Failure> {
        let found = self.solve(self.marshal(emitter, output)).await?.single()?;
        Ok(self.gateway.read_file(&found, file, MAX_ANSWER).await?)
    }
}
