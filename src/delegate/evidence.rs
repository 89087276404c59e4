//! What is said of a Dockerfile's image beside what Docker's frontend says of it, under the same keys.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Made, Proof};
use crate::emit::Whole;
use crate::frontend::Failure;
use crate::frontend::evidence::{Statements, can_pass};
use crate::image::ImageConfig;
use crate::llb::Output;
use crate::platform::Platform;
use crate::proto::frontend::Attestation;
use crate::report::Document;

/// Where an answer says which platforms it is for.
const PLATFORMS: &str = "refs.platforms";

#[derive(Debug, Default, Deserialize)]
struct Platforms {
    #[serde(rename = "Platforms", default)]
    platforms: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "ID")]
    id: String,
}

/// The key of an image's attestations: there is one even where the image has none. Without a list of
/// platforms, BuildKit goes by the config (exporter/containerimage/exptypes).
pub(super) fn key(image: &Made, metadata: &BTreeMap<String, Vec<u8>>) -> String {
    let listed = || {
        let json = metadata.get(PLATFORMS)?;
        let Platforms { platforms } = serde_json::from_slice(json).ok()?;
        platforms.into_iter().next().map(|entry| entry.id)
    };
    let of_config = || {
        let config = ImageConfig::parse(&image.config).unwrap_or_default();
        Platform::new(&config.os, &config.architecture, &config.variant).id()
    };
    image.id.clone().or_else(listed).unwrap_or_else(of_config)
}

impl Proof<'_> {
    /// The evidence as attestations, where they are wanted.
    pub(super) async fn evidence(
        &self,
        (whole, probe): (&mut Whole, Output),
        document: &Document,
    ) -> Result<Vec<Attestation>, Failure> {
        let (gateway, options) = (self.delegate.gateway, self.delegate.options);
        let Some(statements) = Statements::of(document, gateway, options) else {
            return Ok(Vec::new());
        };
        let probes: &[Output] = if can_pass(gateway) { &[] } else { &[probe] };
        let output = statements.beside(whole, probes);
        let found = self.delegate.solve(whole.definition(output)).await?;
        let found = found.ok_or_else(|| Failure::internal("the evidence was not written"))?;
        Ok(statements.attached(&found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attestations_lie_under_the_platform_of_the_answer() {
        let made = |id: Option<&str>, config: &str| Made {
            id: id.map(str::to_owned),
            found: None,
            config: config.as_bytes().to_vec(),
        };
        let arm = r#"{"os":"linux","architecture":"arm","variant":"v7"}"#;
        let listed = |json: &str| BTreeMap::from([(PLATFORMS.to_owned(), json.into())]);
        let one = listed(r#"{"Platforms":[{"ID":"linux/amd64","Platform":{"os":"linux"}}]}"#);
        assert_eq!(key(&made(None, arm), &one), "linux/amd64");
        assert_eq!(key(&made(Some("linux/riscv64"), arm), &one), "linux/riscv64");
        for none in [BTreeMap::new(), listed("{}"), listed("x")] {
            assert_eq!(key(&made(None, arm), &none), "linux/arm/v7");
        }
        let arm64 = r#"{"os":"linux","architecture":"arm64","variant":"v8"}"#;
        assert_eq!(key(&made(None, arm64), &BTreeMap::new()), "linux/arm64");
    }
}
