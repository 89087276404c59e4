//! The image that this very program was started from, for the steps that look at file systems.
//!
//! BuildKit mounts its definition, readable for the root of the builder alone. With user namespaces
//! (`userns-remap` of Docker Engine) the root of a container is somebody else: there the image is
//! looked up again by the name that the builder was given, and pinned.

use prost::Message as _;

use crate::bases::qualify;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::frontend::Failure;
use crate::gateway::{self, Gateway, ImageQuery};
use crate::llb::{Constraints, Digest, Graph, Image, OciLayout, Source};
use crate::options::{ContextSource, Options};
use crate::proto::pb;

/// The image as a graph, by digest.
pub(super) async fn image(gateway: &Gateway, options: &Options) -> Result<pb::Definition, Failure> {
    if let Some(definition) = gateway::own_definition()? {
        return Ok(definition);
    }
    let platform = options.build_platform();
    let source = source(options).ok_or_else(|| unknown(options, "the builder gives no name"))?;
    let query = ImageQuery {
        source,
        platform: &platform,
        mode: options.resolve_mode.as_str(),
        log_name: format!("[internal] load metadata for {}", options.source),
    };
    let found = gateway.resolve_image(query).await;
    let found = found.map_err(|error| unknown(options, &error.to_string()))?;
    let mut graph = Graph::new();
    let name = "[internal] the image of hardpan itself";
    let with = Constraints { platform: Some((&platform).into()), ..Constraints::named(name) };
    let output = graph.source_op(found.pinned(), &with);
    Ok(graph.marshal(output, &[]))
}

/// What the builder was told to start, or the named context that took its place.
fn source(options: &Options) -> Option<pb::SourceOp> {
    let name = match options
        .contexts
        .find(&options.source, &options.build_platform())
        .map(|found| &found.source)
    {
        None => &options.source,
        Some(ContextSource::Image(name)) => name,
        Some(ContextSource::OciLayout(layout)) => {
            let session = Some(options.session.clone());
            let reference = layout.clone();
            let layout = OciLayout { reference, session, ..OciLayout::default() };
            return Some(Source::OciLayout(layout).to_op());
        }
        Some(_) => return None,
    };
    let reference = qualify("", name).ok()?.with_default_tag().to_string();
    let image = Image { reference, resolve_mode: options.resolve_mode, ..Image::default() };
    Some(Source::Image(image).to_op())
}

/// The digest of the image, by which its definition names it.
pub(super) fn digest(frontend: &pb::Definition) -> Option<String> {
    let identifier = |op: &Vec<u8>| match pb::Op::decode(op.as_slice()).ok()?.op? {
        pb::op::Op::Source(source) => Some(source.identifier),
        _ => None,
    };
    let mut sources = frontend.def.iter().filter_map(identifier);
    let digest = sources.find_map(|name| Digest::parse(name.rsplit_once('@')?.1));
    digest.map(|digest| digest.to_string())
}

fn unknown(options: &Options, why: &str) -> Failure {
    let message = format!(
        "the image that hardpan was started from ({:?}) is needed to look at the result, and cannot \
         be had: {why}",
        options.source
    );
    let mistake = Diagnostic::error(Code::Internal, Span::START, message).help(
        "name the frontend as an image of a registry, or use a builder without user namespaces",
    );
    Failure::Refused(vec![mistake])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_of_hardpan_is_named_by_its_digest() {
        let sha = format!("sha256:{}", "a1".repeat(32));
        let named = |name: &str| {
            let mut graph = Graph::new();
            let source = pb::SourceOp { identifier: name.to_owned(), ..pb::SourceOp::default() };
            let output = graph.source_op(source, &Constraints::default());
            digest(&graph.marshal(output, &[]))
        };
        for pinned in ["docker-image://example.test:5000/hardpan:1", "oci-layout://store"] {
            assert_eq!(named(&format!("{pinned}@{sha}")).as_ref(), Some(&sha), "{pinned}");
        }
        assert_eq!(named("docker-image://example.test:5000/hardpan:1"), None);
        assert_eq!(named("docker-image://example.test/hardpan@sha256:1"), None);
    }
}
