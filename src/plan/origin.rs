//! What a `from` means: a stage, an app, a named context, or else an image; and how the names of
//! images are completed.

use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::options::ContextSource;
use crate::plan::Origin;
use crate::plan::select::{ImageUse, Request, Role, SelectedStage};
use crate::platform::Platform;
use crate::spec::model::Copy;
use crate::words::nearest;

/// A name without a slash takes the prefix of the registry; a context of that name stands in.
pub(super) fn image_use(
    request: &Request<'_>,
    name: &str,
    platform: Platform,
    role: Role,
    span: Span,
) -> ImageUse {
    let reference = complete(name, request.registry);
    let context = request.contexts.find(name, &platform);
    let context = context.or_else(|| request.contexts.find(&reference, &platform)).cloned();
    ImageUse { reference, context, platform, role, span }
}

fn complete(name: &str, registry: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("{registry}{name}") }
}

/// What a `from` means, once all stages are known.
pub(super) enum From {
    /// Files of the builder or a stage.
    Origin(Origin),
    /// An image that is copied from.
    Image(ImageUse),
}

/// Takes a `from` apart: a stage, a named context, or else an image.
pub(super) fn origin_of(
    request: &Request<'_>,
    stages: &[SelectedStage<'_>],
    from: &Text,
    platform: Platform,
) -> Result<From, Diagnostic> {
    let name = request.variables.expand(from)?;
    match request.contexts.find(&name, &platform) {
        Some(ContextSource::Local(local)) => return Ok(From::Origin(Origin::Local(local.clone()))),
        Some(ContextSource::Image(_) | ContextSource::OciLayout(_)) => {
            return Ok(From::Image(image_use(request, &name, platform, Role::Source, from.span)));
        }
        Some(ContextSource::Input(_) | ContextSource::Remote(_)) => {
            let message = format!("the context {name:?} is of a kind that is not there yet");
            return Err(Diagnostic::error(Code::UnsupportedOption, from.span, message)
                .help("give a folder, docker-image://… or oci-layout://…"));
        }
        None => {}
    }
    if let Some(index) = stages.iter().position(|stage| stage.stage.name.value == name) {
        return Ok(From::Origin(Origin::Stage(index)));
    }
    if request.spec.named_apps && request.spec.apps.iter().any(|app| app.name.value == name) {
        return Ok(From::Origin(Origin::App(name)));
    }
    if name.contains(['/', ':', '.']) {
        return Ok(From::Image(image_use(request, &name, platform, Role::Source, from.span)));
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
        None => Ok(From::Image(image_use(request, &name, platform, Role::Source, from.span))),
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
