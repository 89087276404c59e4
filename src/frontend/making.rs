//! What the checks look at besides files: the config of an image, the options of its build, and
//! how its graph says that it was made. Pure: the same input gives the same config.

use std::collections::BTreeMap;

use crate::bases::qualify;
use crate::harden;
use crate::image::ImageConfig;
use crate::llb::{Graph, Lineage, Source};
use crate::options::{ContextSource, NetworkMode, Options};
use crate::proto::pb;
use crate::remote::{self, Remote};

/// Contexts that the client hands over as graphs, by name.
pub(crate) type Inputs = BTreeMap<String, pb::Definition>;

/// What the checks look at, of a whole config, the options of the build and its graph.
pub(crate) fn config_of(
    image: &ImageConfig,
    options: &Options,
    (lineage, inputs): (Lineage, &Inputs),
) -> harden::Config {
    harden::Config {
        build_args: options.build_args.clone(),
        epoch: options.seconds(),
        making: Some(making_of(options, (lineage, inputs))),
        ..image.into()
    }
}

fn making_of(options: &Options, (lineage, inputs): (Lineage, &Inputs)) -> harden::Making {
    let attest = &options.attest;
    // Without a mode, BuildKit writes down all of it.
    let is_whole = |mode: Option<&String>| mode.is_none_or(|mode| mode == "max");
    harden::Making {
        lineage,
        contexts: contexts_of(options).chain(handed_over(inputs)).collect(),
        host_network: options.execution.network == Some(NetworkMode::Host),
        sbom: attest.sbom.is_some(),
        provenance: attest.provenance.as_ref().is_some_and(|all| is_whole(all.get("mode"))),
    }
}

/// Where the contexts are that whoever builds has named, as sources of the graph name them.
fn contexts_of(options: &Options) -> impl Iterator<Item = String> {
    let main = options.context.remote.as_deref().map(remote::parse_context);
    let main = main.and_then(Result::ok).flatten();
    let all = || options.contexts.all().map(|context| &context.source);
    let named = all().filter_map(|source| match source {
        ContextSource::Remote(remote) => Some(remote.clone()),
        _ => None,
    });
    let images = all().filter_map(|source| match source {
        ContextSource::Image(name) => Some(qualify("", name).ok()?.with_default_tag().to_string()),
        _ => None,
    });
    let place = |remote: Remote| match remote {
        Remote::Http(address) => address,
        Remote::Git(git) => {
            let identifier = Source::Git(git).to_op().identifier;
            let place = identifier.trim_start_matches("git://");
            place.split('#').next().unwrap_or(place).to_owned()
        }
    };
    main.into_iter().chain(named).map(place).chain(images)
}

/// What the graphs fetch that a client has made of the contexts, such as buildx of a repository.
fn handed_over(inputs: &Inputs) -> impl Iterator<Item = String> {
    inputs.values().flat_map(|definition| {
        let mut graph = Graph::new();
        let lineage = graph.import(definition).map(|output| graph.lineage(output, None));
        let lineage = lineage.unwrap_or_default();
        lineage.unpinned().map(str::to_owned).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::{Constraints, Image};

    fn options(pairs: &[(&str, &str)]) -> Options {
        let pairs = pairs.iter().map(|(key, value)| format!("{key}={value}"));
        let pairs = pairs
            .enumerate()
            .map(|(index, pair)| (format!("BUILDKIT_FRONTEND_OPT_{index}").into(), pair.into()));
        Options::parse(pairs).0
    }

    #[test]
    fn provenance_counts_where_it_is_whole() {
        for (value, whole) in [("", true), ("mode=max", true), ("mode=min,inline-only=true", false)]
        {
            let making = making_of(
                &options(&[("attest:provenance", value)]),
                (Lineage::default(), &Inputs::new()),
            );
            assert_eq!((making.provenance, making.sbom), (whole, false), "{value:?}");
        }
        assert!(!making_of(&Options::default(), (Lineage::default(), &Inputs::new())).provenance);
        assert!(
            making_of(&options(&[("attest:sbom", "")]), (Lineage::default(), &Inputs::new())).sbom
        );
    }

    #[test]
    fn what_a_client_hands_over_is_a_context() {
        let mut graph = Graph::new();
        let image = Image { reference: "docker.io/library/x:1".to_owned(), ..Image::default() };
        let output = graph.source_op(Source::Image(image).to_op(), &Constraints::default());
        let inputs = Inputs::from([("x".to_owned(), graph.marshal(output, &[]))]);
        let making = making_of(&Options::default(), (Lineage::default(), &inputs));
        assert_eq!(making.contexts.into_iter().collect::<Vec<_>>(), ["docker.io/library/x:1"]);
    }

    #[test]
    fn contexts_are_named_as_sources_name_them() {
        let options = options(&[
            ("context", "https://token@github.com/a/b.git#main:sub"),
            ("context:lib", "git@h.example:c/d.git"),
            ("context:file", "https://h.example/x.tar"),
            ("context:image", "docker-image://x"),
        ]);
        let contexts: Vec<String> = contexts_of(&options).collect();
        let expected = [
            "github.com/a/b.git",
            "https://h.example/x.tar",
            "h.example/c/d.git",
            "docker.io/library/x:latest",
        ];
        assert_eq!(contexts, expected);
    }
}
