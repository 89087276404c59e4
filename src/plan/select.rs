//! Which stages an app needs, in which order, and which images they stand on.
//!
//! Works on names alone: nothing has been resolved yet. The images come out as a list, so that all
//! of them can be resolved side by side.

mod pairs;

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::options::{Certificates, NamedContext, NamedContexts};
use crate::plan::origin::{
    From, copy_platform, image_use, is_on_build_platform, origin_of, stage_named, stand_in,
};
use crate::plan::variables::Variables;
use crate::plan::{Origin, StageBase};
use crate::platform::Platform;
use crate::spec::model::{App, Base, Place, Spec, Stage, Step};

/// What is asked for: an app of a spec, for one platform.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The file.
    pub spec: &'a Spec,
    /// The app.
    pub app: &'a App,
    /// The names that `${…}` may use, those of the platforms included.
    pub variables: &'a Variables,
    /// Named contexts.
    pub contexts: &'a NamedContexts,
    /// Whom steps trust.
    pub certificates: &'a Certificates,
    /// The prefix of image names without a slash.
    pub registry: &'a str,
    /// What the image is for.
    pub target: &'a Platform,
    /// What the builder is.
    pub build: &'a Platform,
}

/// What an image is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Stages run in it.
    Dev,
    /// The app ships on it.
    Runtime,
    /// Files are copied out of it.
    Source,
}

/// An image that has to be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUse {
    /// Its name, complete, as it would be pulled; of a context, as the spec has it.
    pub reference: String,
    /// The named context that stands in for it.
    pub context: Option<NamedContext>,
    /// The platform that is wanted of it.
    pub platform: Platform,
    /// What for.
    pub role: Role,
    /// The name in the spec.
    pub span: Span,
    /// A `from` without a slash or a tag, where a stage may have been meant: as it is written.
    pub bare: Option<String>,
}

impl ImageUse {
    /// Whether both mean the same bytes.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.reference == other.reference
            && self.platform == other.platform
            && self.context == other.context
    }
}

/// The stages and images that an app needs.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// Each stage after those that it uses.
    pub stages: Vec<SelectedStage<'a>>,
    /// Images, each once.
    pub images: Vec<ImageUse>,
    /// Other apps that files are copied from, each once.
    pub apps: Vec<String>,
    /// Which of the images is the runtime base, or what a stage starts from that is handed out.
    pub runtime: usize,
    /// Which of the images is the app's dev image, if a stage uses it.
    pub dev: Option<usize>,
}

/// A stage that is needed.
#[derive(Debug, Clone)]
pub struct SelectedStage<'a> {
    /// As the spec has it.
    pub stage: &'a Stage,
    /// What it starts from.
    pub base: StageBase,
    /// Where its steps run.
    pub platform: Platform,
    /// Whether that is the builder's platform by `platform: build`.
    pub on_build_platform: bool,
}

/// Finds what the app of the request needs, or everything that is wrong with its names.
pub fn select<'a>(request: &Request<'a>) -> Result<Selection<'a>, Vec<Diagnostic>> {
    let mut walk = Walk::new(request);
    let mut stages = Vec::new();
    for place in &request.app.image {
        if let Some(from) = from_of(place) {
            walk.visit(from, &mut stages);
        }
    }
    let (selected, dev) = walk.settle_all(stages);
    let runtime = walk.runtime();
    for place in &request.app.image {
        walk.source(&selected, place, request.target.clone());
    }
    walk.sources(&selected);
    walk.finish(selected, runtime, dev)
}

/// Finds what a stage needs that is handed out by itself; it is the last of the selection, and
/// what the selection names as runtime base is the image that it starts from.
pub fn select_stage<'a>(
    request: &Request<'a>,
    stage: &'a Stage,
) -> Result<Selection<'a>, Vec<Diagnostic>> {
    let name = &stage.name;
    if request.contexts.contains(&name.value) {
        let message =
            format!("a named context stands in for the stage {:?}, which is not built", name.value);
        return Err(vec![
            Diagnostic::error(Code::UnknownTarget, name.span, message)
                .help(format!("leave `--build-context {}=…` out", name.value)),
        ]);
    }
    let mut walk = Walk::new(request);
    let mut stages = Vec::new();
    walk.visit_stage(stage, &mut stages);
    let (selected, dev) = walk.settle_all(stages);
    walk.sources(&selected);
    let mut base = selected.last().map(|stage| stage.base);
    while let Some(StageBase::Stage(index)) = base {
        base = Some(selected[index].base);
    }
    let ground = match base {
        Some(StageBase::Image(index)) => Some(index),
        _ => None,
    };
    walk.finish(selected, ground, dev)
}

/// The `from` of a step that has one.
fn from_of(place: &Place) -> Option<&Text> {
    match place {
        Place::Copy(copy) => copy.from.as_ref(),
        _ => None,
    }
}

struct Walk<'a, 'r> {
    request: &'r Request<'a>,
    /// Stages that were seen, by name; `true` once all that they need comes before them.
    found: BTreeMap<&'a str, bool>,
    mistakes: Vec<Diagnostic>,
    images: Vec<ImageUse>,
    apps: Vec<String>,
}

impl<'a, 'r> Walk<'a, 'r> {
    const fn new(request: &'r Request<'a>) -> Self {
        Self {
            request,
            found: BTreeMap::new(),
            mistakes: Vec::new(),
            images: Vec::new(),
            apps: Vec::new(),
        }
    }

    /// Decides about stages that stand in order, and gives the app's dev image if one uses it.
    fn settle_all(&mut self, stages: Vec<&'a Stage>) -> (Vec<SelectedStage<'a>>, Option<usize>) {
        let (mut selected, mut dev) = (Vec::new(), None);
        for stage in stages {
            if let Some(stage) = self.settle(stage, &selected, &mut dev) {
                selected.push(stage);
            }
        }
        (selected, dev)
    }

    fn finish(
        self,
        stages: Vec<SelectedStage<'a>>,
        runtime: Option<usize>,
        dev: Option<usize>,
    ) -> Result<Selection<'a>, Vec<Diagnostic>> {
        match runtime {
            Some(runtime) if self.mistakes.is_empty() => {
                Ok(Selection { stages, images: self.images, apps: self.apps, runtime, dev })
            }
            _ => Err(self.mistakes),
        }
    }

    /// The stage of a name, unless a named context stands in for it.
    fn stage(&self, name: &str) -> Option<&'a Stage> {
        if stand_in(self.request, name, self.request.target).is_some() {
            return None;
        }
        stage_named(self.request, name)
    }

    /// Puts the stage that `from` names, and all that it needs, at the end of `order`.
    fn visit(&mut self, from: &Text, order: &mut Vec<&'a Stage>) {
        if let Some(stage) = self.expand(from).and_then(|name| self.stage(&name)) {
            self.visit_stage(stage, order);
        }
    }

    /// A stack of our own, not of the machine: a file may hold thousands of stages in a chain.
    fn visit_stage(&mut self, first: &'a Stage, order: &mut Vec<&'a Stage>) {
        let mut open = vec![first];
        while let Some(stage) = open.last().copied() {
            let name = stage.name.value.as_str();
            if self.found.get(name) == Some(&true) {
                open.pop();
                continue;
            }
            let first_visit = self.found.insert(name, false).is_none();
            let needs: Vec<_> = if first_visit { self.needs(stage) } else { Vec::new() };
            let before = open.len();
            open.extend(
                needs.into_iter().filter(|need| !self.found.contains_key(need.name.value.as_str())),
            );
            if open.len() == before {
                self.found.insert(name, true);
                open.pop();
                order.push(stage);
            }
        }
    }

    fn expand(&mut self, text: &Text) -> Option<String> {
        match self.request.variables.expand(text) {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.mistakes.push(mistake);
                None
            }
        }
    }

    /// The stages that a stage names: its base, what it copies from, what it mounts.
    fn needs(&mut self, stage: &'a Stage) -> Vec<&'a Stage> {
        let mut names: Vec<&Text> = Vec::new();
        if let Some(Base::Name(name)) = &stage.base {
            names.push(name);
        }
        for step in &stage.steps {
            match step {
                Step::Run(run) => {
                    names.extend(run.binds.iter().filter_map(|bind| bind.from.as_ref()));
                }
                Step::Place(place) => names.extend(from_of(place)),
                Step::Packages { .. } => {}
            }
        }
        let names: Vec<String> = names.into_iter().filter_map(|name| self.expand(name)).collect();
        names.iter().filter_map(|name| self.stage(name)).collect()
    }

    /// Decides the base and the platform of a stage, and notes the images that it copies from.
    fn settle(
        &mut self,
        stage: &'a Stage,
        before: &[SelectedStage<'a>],
        dev: &mut Option<usize>,
    ) -> Option<SelectedStage<'a>> {
        let parent = match &stage.base {
            Some(Base::Name(name)) => {
                let name = self.expand(name)?;
                before
                    .iter()
                    .position(|other| other.stage.name.value == name && self.stage(&name).is_some())
            }
            _ => None,
        };
        let on_build_platform = match (&stage.on_build_platform, parent) {
            (Some(written), _) => written.value,
            (None, Some(parent)) => before[parent].on_build_platform,
            // A context may stand in for the stage that it continues.
            (None, None) => is_on_build_platform(self.request, stage),
        };
        let platform = if on_build_platform {
            self.request.build.clone()
        } else {
            self.request.target.clone()
        };
        let base = match parent {
            Some(parent) => StageBase::Stage(parent),
            None => StageBase::Image(self.dev_image(stage, &platform, dev)?),
        };
        Some(SelectedStage { stage, base, platform, on_build_platform })
    }

    /// Notes the images that the steps of stages copy from or mount.
    fn sources(&mut self, stages: &[SelectedStage<'a>]) {
        for stage in stages {
            for step in &stage.stage.steps {
                match step {
                    Step::Place(place) => self.source(stages, place, stage.platform.clone()),
                    Step::Run(run) => {
                        for from in run.binds.iter().filter_map(|bind| bind.from.as_ref()) {
                            self.origin(stages, from, stage.platform.clone());
                        }
                    }
                    Step::Packages { .. } => {}
                }
            }
        }
    }

    fn source(&mut self, stages: &[SelectedStage<'a>], place: &Place, platform: Platform) {
        let Place::Copy(copy) = place else { return };
        let Some(from) = &copy.from else { return };
        match copy_platform(self.request, copy, platform) {
            Ok(platform) => self.origin(stages, from, platform),
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    fn origin(&mut self, stages: &[SelectedStage<'a>], from: &Text, platform: Platform) {
        let named = self.request.variables.expand(from).ok().and_then(|name| self.stage(&name));
        let is_settled =
            |stage: &Stage| stages.iter().any(|other| other.stage.name.value == stage.name.value);
        if named.is_some_and(|stage| !is_settled(stage)) {
            return; // something is wrong with the stage, which has been said
        }
        match origin_of(self.request, stages, from, platform) {
            Ok(From::Image(image)) => {
                if !self.images.iter().any(|other| other.is_same(&image)) {
                    self.images.push(*image);
                }
            }
            Ok(From::Origin(Origin::App(name))) if !self.apps.contains(&name) => {
                self.apps.push(name);
            }
            Ok(From::Origin(_)) => {}
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    /// The index of an image; each image and platform is resolved once.
    fn image(&mut self, name: &str, platform: Platform, role: Role, span: Span) -> usize {
        let image = image_use(self.request, name, platform, role, span);
        if let Some(index) = self.images.iter().position(|other| other.is_same(&image)) {
            if role == Role::Runtime {
                self.images[index].role = role;
            }
            return index;
        }
        self.images.push(image);
        self.images.len() - 1
    }
}
