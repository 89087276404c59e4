//! What the checks look at besides files: the config of an image, the options of its build, and
//! how its graph says that it was made. Pure: the same input gives the same config.

use std::collections::BTreeSet;

use crate::harden;
use crate::image::ImageConfig;
use crate::llb::{Lineage, Source};
use crate::options::{ContextSource, NetworkMode, Options, SourceDateEpoch};
use crate::remote::{self, Remote};

/// What the checks look at, of a whole config, the options of the build and its graph.
pub(crate) fn config_of(
    image: &ImageConfig,
    options: &Options,
    lineage: Lineage,
) -> harden::Config {
    harden::Config {
        build_args: options.build_args.clone(),
        epoch: match options.epoch {
            Some(SourceDateEpoch::Seconds(seconds)) => Some(seconds),
            _ => None,
        },
        making: Some(making_of(options, lineage)),
        ..image.into()
    }
}

fn making_of(options: &Options, lineage: Lineage) -> harden::Making {
    let attest = &options.attest;
    // Without a mode, BuildKit writes down all of it.
    let is_whole = |mode: Option<&String>| mode.is_none_or(|mode| mode == "max");
    harden::Making {
        lineage,
        contexts: contexts_of(options),
        host_network: options.execution.network == Some(NetworkMode::Host),
        sbom: attest.sbom.is_some(),
        provenance: attest.provenance.as_ref().is_some_and(|all| is_whole(all.get("mode"))),
    }
}

/// Where the contexts are that whoever builds has named, as sources of the graph name them.
fn contexts_of(options: &Options) -> BTreeSet<String> {
    let main = options.context.remote.as_deref().map(remote::parse_context);
    let main = main.and_then(Result::ok).flatten();
    let named = options.contexts.all().filter_map(|context| match &context.source {
        ContextSource::Remote(remote) => Some(remote.clone()),
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
    main.into_iter().chain(named).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let making = making_of(&options(&[("attest:provenance", value)]), Lineage::default());
            assert_eq!((making.provenance, making.sbom), (whole, false), "{value:?}");
        }
        assert!(!making_of(&Options::default(), Lineage::default()).provenance);
        assert!(making_of(&options(&[("attest:sbom", "")]), Lineage::default()).sbom);
    }

    #[test]
    fn contexts_are_named_as_sources_name_them() {
        let options = options(&[
            ("context", "https://token@github.com/a/b.git#main:sub"),
            ("context:lib", "git@h.example:c/d.git"),
            ("context:file", "https://h.example/x.tar"),
            ("context:image", "docker-image://x"),
        ]);
        let contexts = contexts_of(&options);
        let expected = ["github.com/a/b.git", "h.example/c/d.git", "https://h.example/x.tar"];
        assert_eq!(contexts.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }
}
