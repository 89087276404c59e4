//! The two halves of a base: the image that a stage builds in, and the one that an app ships on.
//!
//! A stage without a base takes the top level's whichever app is built, so that all apps of a file
//! share the stage.

use super::{Role, Walk};
use crate::bases::{self, ImageName, NameError};
use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::plan::origin::image_use;
use crate::platform::Platform;
use crate::spec::model::{Base, Stage};

/// What a base says of the image to build in, with its place.
const fn dev_half(base: &Base) -> Option<&Text> {
    match base {
        Base::Name(text) => Some(text),
        Base::Pair { dev, .. } => dev.as_ref(),
    }
}

impl Walk<'_, '_> {
    pub(super) fn dev_image(
        &mut self,
        stage: &Stage,
        platform: &Platform,
        dev: &mut Option<usize>,
    ) -> Option<usize> {
        let own = stage.base.is_some();
        let app = &self.request.app.base;
        // The same for all apps of the file, so that they share the stage.
        let shared = self.request.spec.base.as_ref().filter(|base| dev_half(base).is_some());
        let base = stage.base.as_ref().or(shared).unwrap_or(app);
        let (name, span) = match base {
            Base::Name(text) => {
                let name = self.expand(text)?;
                // A stage may name any image; only the base of an app is always a pair.
                let taken = if own {
                    self.dev_or_context(&name, platform)
                } else {
                    bases::pair(&name).map(|pair| pair.dev)
                };
                (taken, text.span)
            }
            Base::Pair { dev: Some(text), .. } => {
                let name = self.expand(text)?;
                (self.dev_or_context(&name, platform), text.span)
            }
            Base::Pair { dev: None, span, .. } => {
                self.mistakes.push(
                    Diagnostic::error(Code::NoPair, *span, "this base names no image to build in")
                        .help("add one: `base: {dev: node:24, runtime: …}`"),
                );
                return None;
            }
        };
        let name = self.take(name, span)?;
        let index = self.image(&name, platform.clone(), Role::Dev, span);
        if !own && dev_half(base) == dev_half(app) {
            *dev = Some(index);
        }
        Some(index)
    }

    /// The development image that a name means; a context of that very name, where none is given for
    /// the image.
    fn dev_or_context(&self, name: &str, platform: &Platform) -> Result<ImageName, NameError> {
        let taken = bases::dev(name);
        let find = |name: &str| {
            image_use(self.request, name, platform.clone(), Role::Dev, Span::START).context
        };
        let is_given = taken.as_ref().is_ok_and(|taken| find(&taken.name).is_some());
        if !is_given && find(name).is_some() { Ok(ImageName::as_written(name)) } else { taken }
    }

    /// The runtime image that a name means, or a context of that very name.
    fn runtime_or_context(
        &self,
        name: &str,
        taken: Result<ImageName, NameError>,
    ) -> Result<ImageName, NameError> {
        let target = self.request.target.clone();
        let given = image_use(self.request, name, target, Role::Runtime, Span::START).context;
        if given.is_some() { Ok(ImageName::as_written(name)) } else { taken }
    }

    pub(super) fn runtime(&mut self) -> Option<usize> {
        let (name, span) = match &self.request.app.base {
            Base::Name(text) => {
                let name = self.expand(text)?;
                // A base without a development image will do where nothing is built in it.
                let runtime = match bases::pair(&name) {
                    Ok(pair) => Ok(pair.runtime),
                    Err(NameError::NoPair { .. }) => bases::runtime(&name, None),
                    Err(error) => Err(error),
                };
                (self.runtime_or_context(&name, runtime), text.span)
            }
            Base::Pair { runtime: Some(text), dev, .. } => {
                let name = self.expand(text)?;
                let dev = dev.as_ref().and_then(|text| self.expand(text));
                let runtime = bases::runtime(&name, dev.as_deref());
                (self.runtime_or_context(&name, runtime), text.span)
            }
            Base::Pair { runtime: None, span, .. } => {
                self.mistakes.push(
                    Diagnostic::error(Code::NoPair, *span, "this base names no image to ship on")
                        .help("add one: `base: {dev: …, runtime: static}`"),
                );
                return None;
            }
        };
        let name = self.take(name, span)?;
        Some(self.image(&name, self.request.target.clone(), Role::Runtime, span))
    }

    fn take(&mut self, name: Result<ImageName, NameError>, span: Span) -> Option<String> {
        match name {
            Ok(name) => Some(name.name),
            Err(error) => {
                self.mistakes.push(error.at(span));
                None
            }
        }
    }
}
