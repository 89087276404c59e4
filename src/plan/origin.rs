//! What a `from` means: a stage, an app, a named context, or else an image; and how the names of
//! images are completed.

use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::options::NamedContext;
use crate::plan::Origin;
use crate::plan::select::{ImageUse, Request, Role, SelectedStage};
use crate::platform::Platform;
use crate::spec::model::{Base, Copy, Stage};
use crate::words::nearest;

/// An image by its name, which takes the prefix of the registry where it has no slash; a context of
/// that name, short or complete, stands in.
pub(super) fn image_use(
    request: &Request<'_>,
    name: &str,
    platform: Platform,
    role: Role,
    span: Span,
) -> ImageUse {
    let complete = complete(name, request.registry);
    let short = complete.strip_prefix(request.registry).unwrap_or(name);
    let find = |name: &str| request.contexts.find(name, &platform).cloned();
    let context = find(name).or_else(|| find(&complete)).or_else(|| find(short));
    let is_only_a_context = context.is_some() && role == Role::Source;
    let reference = if is_only_a_context { name.to_owned() } else { complete };
    let is_bare = role == Role::Source && !name.contains(['/', ':']);
    let bare = is_bare.then(|| name.to_owned());
    ImageUse { reference, context, platform, role, span, bare }
}

fn complete(name: &str, registry: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("{registry}{name}") }
}

/// The stage of a name, whether or not a context stands in for it.
pub(super) fn stage_named<'a>(request: &Request<'a>, name: &str) -> Option<&'a Stage> {
    request.spec.stages.iter().find(|stage| stage.name.value == name)
}

/// Whether a stage runs on the builder's platform: as it says itself, or the stage that it continues.
pub(super) fn is_on_build_platform(request: &Request<'_>, stage: &Stage) -> bool {
    let mut at = stage;
    // As many turns as there are stages at most: arguments may make a circle of them.
    for _ in &request.spec.stages {
        if let Some(written) = &at.on_build_platform {
            return written.value;
        }
        let Some(Base::Name(base)) = &at.base else { return false };
        let parent = request.variables.expand(base).ok();
        match parent.and_then(|name| stage_named(request, &name)) {
            Some(parent) => at = parent,
            None => return false,
        }
    }
    false
}

/// The context that stands in for a name, and for which platform: that of the stage of this name, or
/// else of what uses it.
pub(super) fn stand_in<'r>(
    request: &Request<'r>,
    name: &str,
    user: &Platform,
) -> Option<(&'r NamedContext, Platform)> {
    if !request.contexts.contains(name) {
        return None;
    }
    let platform = match stage_named(request, name) {
        Some(stage) if is_on_build_platform(request, stage) => request.build,
        Some(_) => request.target,
        None => user,
    };
    Some((request.contexts.find(name, platform)?, platform.clone()))
}

/// What a `from` means, once all stages are known.
pub(super) enum From {
    /// Files of the builder or a stage.
    Origin(Origin),
    /// An image that is copied from.
    Image(Box<ImageUse>),
}

/// Takes a `from` apart: a stage, a named context, or else an image.
pub(super) fn origin_of(
    request: &Request<'_>,
    stages: &[SelectedStage<'_>],
    from: &Text,
    platform: Platform,
) -> Result<From, Diagnostic> {
    let name = request.variables.expand(from)?;
    let image = |platform| {
        From::Image(Box::new(image_use(request, &name, platform, Role::Source, from.span)))
    };
    if let Some((_, platform)) = stand_in(request, &name, &platform) {
        return Ok(image(platform));
    }
    if let Some(index) = stages.iter().position(|stage| stage.stage.name.value == name) {
        return Ok(From::Origin(Origin::Stage(index)));
    }
    if request.spec.named_apps && request.spec.apps.iter().any(|app| app.name.value == name) {
        return Ok(From::Origin(Origin::App(name.clone())));
    }
    if name.contains(['/', ':', '.']) {
        return Ok(image(platform));
    }
    let names = request.spec.stages.iter().map(|stage| stage.name.value.as_str());
    let names = names.chain(request.contexts.names());
    match nearest(&name, names) {
        Some(near) => Err(Diagnostic::error(
            Code::UnknownStage,
            from.span,
            format!("no stage or context is named {name:?}"),
        )
        .help(format!("did you mean {near:?}?"))),
        None => Ok(image(platform)),
    }
}

/// The platform of the image that a copy takes files from.
pub(super) fn copy_platform(
    request: &Request<'_>,
    copy: &Copy,
    default: Platform,
) -> Result<Platform, Diagnostic> {
    let Some(text) = &copy.platform else { return Ok(default) };
    let name = request.variables.expand(text)?;
    Platform::parse(&name, request.build).map_err(|problem| {
        let message = format!("{name:?} is no platform: {problem}");
        Diagnostic::error(Code::InvalidValue, text.span, message)
            .help("write it as `linux/amd64` or `linux/arm64`")
    })
}
