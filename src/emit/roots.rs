//! Where the files of images and named contexts are: sources as they were resolved, an archive that is
//! unpacked, a graph that another frontend made.

use super::{Emitter, at};
use crate::bases::{Resolved, Root, resolve::ARCHIVE};
use crate::llb::{Constraints, Copy, FileOps, Local, Output, Source};

impl Emitter<'_> {
    /// The file system of an image or a named context; `name` is how the progress shows an image.
    pub(super) fn root(&mut self, index: usize, name: String) -> Output {
        let image = &self.images[index];
        match &image.root {
            Root::Scratch => Output::SCRATCH,
            Root::Source(source) => {
                let with = as_shown(image, name);
                self.graph.source_op(source.clone(), &with)
            }
            Root::Archive(source) => {
                let with = as_shown(image, name);
                let archive = self.graph.source_op(source.clone(), &with);
                self.unpacked(archive, image)
            }
            Root::Local(local) => {
                let follow = self.image_paths[index].clone().unwrap_or_default();
                let local = Local { follow, ..local.clone() };
                let name = format!("[context {}] load from client", image.reference);
                self.graph.source(&Source::Local(local), &Constraints::named(name))
            }
            // `bases::resolve` takes only what can be imported.
            Root::Input(definition) => self.graph.import(definition).unwrap_or(Output::SCRATCH),
        }
    }

    /// What an archive holds. A step of its own, so that one that is broken fails at the name.
    fn unpacked(&mut self, archive: Output, image: &Resolved) -> Output {
        let mut ops = FileOps::on(Output::SCRATCH);
        let copy = Copy {
            from: format!("/{ARCHIVE}"),
            to: "/".to_owned(),
            unpack: true,
            ..Copy::default()
        };
        ops.copy(archive, copy);
        let name = format!("[context {}] unpack", image.reference);
        self.graph.file(&ops, &at(image.span, name))
    }
}

/// How the progress shows what an image or context is loaded from.
fn as_shown(image: &Resolved, name: String) -> Constraints {
    let is_image = !image.digest.is_empty();
    let name = if is_image { name } else { format!("[context {}] load", image.reference) };
    Constraints { platform: Some((&image.platform).into()), ..at(image.span, name) }
}
