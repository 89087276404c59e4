//! Images → what a frontend returns: refs, configs, annotations, attestations, by platform.
//!
//! An attestation makes an index of an image that would have been a manifest, and exporters without
//! OCI media types refuse it: one is added only where the client asked for some.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::image::{ImageConfig, NO_ENTRYPOINT, STAGE_LABEL};
use crate::options::Options;
use crate::plan::Plan;
use crate::platform::Platform;
use crate::proto::frontend::{
    Attestation, Attestations, Ref, RefMap, Result as BuildResult, result,
};

/// One image and what belongs to it.
#[derive(Debug, Clone)]
pub struct ImageResult {
    found: Ref,
    config: Vec<u8>,
    base_config: Vec<u8>,
    annotations: Vec<(String, String)>,
    attestations: Vec<Attestation>,
    /// The time of everything that the exporter makes, in seconds since 1970. It knows the build
    /// argument by itself only if that is a number.
    epoch: Option<i64>,
}

impl ImageResult {
    /// The image of a plan.
    #[must_use]
    pub fn new(found: Ref, plan: &Plan, options: &Options) -> Self {
        Self {
            found,
            config: plan.config.to_json(),
            base_config: plan.images[plan.runtime].config.to_json(),
            annotations: plan.annotations.clone(),
            attestations: Vec::new(),
            epoch: options.seconds(),
        }
    }

    /// Files instead of an image; `what` they are is on the label, and nothing in it starts.
    #[must_use]
    pub fn files(found: Ref, (what, platform): (&str, &Platform), options: &Options) -> Self {
        let mut config = ImageConfig {
            os: platform.os.clone(),
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone(),
            ..ImageConfig::default()
        };
        config.config.entrypoint = Some(vec![NO_ENTRYPOINT.to_owned()]);
        config.config.labels.insert(STAGE_LABEL.to_owned(), what.to_owned());
        Self {
            found,
            config: config.to_json(),
            base_config: b"{}".to_vec(),
            annotations: vec![(STAGE_LABEL.to_owned(), what.to_owned())],
            attestations: Vec::new(),
            epoch: options.seconds(),
        }
    }

    /// Adds statements about the image, for exporters that keep any.
    #[must_use]
    pub fn attested(mut self, statements: impl IntoIterator<Item = Attestation>) -> Self {
        self.attestations.extend(statements);
        self
    }
}

/// Everything that goes back to the builder.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    by_platform: bool,
    images: Vec<(Platform, ImageResult)>,
    metadata: BTreeMap<String, Vec<u8>>,
    /// Instead of all this: what another frontend has made.
    made: Option<BuildResult>,
}

#[derive(Debug, Serialize)]
struct Platforms {
    #[serde(rename = "Platforms")]
    platforms: Vec<PlatformEntry>,
}

#[derive(Debug, Serialize)]
struct PlatformEntry {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Platform")]
    platform: OciPlatform,
}

#[derive(Debug, Serialize)]
struct OciPlatform {
    architecture: String,
    os: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    variant: String,
}

impl Answer {
    /// An answer without images. `by_platform`: as a map, even if there is only one.
    #[must_use]
    pub fn new(by_platform: bool) -> Self {
        Self { by_platform, ..Self::default() }
    }

    /// The answer to a call: text for people and JSON for programs.
    #[must_use]
    pub fn of_call(metadata: BTreeMap<String, Vec<u8>>) -> Self {
        Self { metadata, ..Self::default() }
    }

    /// The answer of another frontend.
    #[must_use]
    pub fn made(result: BuildResult) -> Self {
        Self { made: Some(result), ..Self::default() }
    }

    /// Adds the image of a platform.
    pub fn add(&mut self, platform: &Platform, image: ImageResult) {
        self.images.push((platform.clone(), image));
    }

    fn platforms(&self) -> Vec<u8> {
        let platforms = self.images.iter().map(|(platform, _)| PlatformEntry {
            id: platform.id(),
            platform: OciPlatform {
                architecture: platform.architecture.clone(),
                os: platform.os.clone(),
                variant: platform.variant.clone(),
            },
        });
        let platforms = Platforms { platforms: platforms.collect() };
        serde_json::to_vec(&platforms).expect("plain strings are always JSON")
    }
}

impl From<Answer> for BuildResult {
    fn from(answer: Answer) -> Self {
        if let Some(made) = answer.made {
            return made;
        }
        if answer.images.is_empty() {
            return Self { metadata: answer.metadata, ..Self::default() };
        }
        let mut metadata = answer.metadata.clone();
        metadata.insert("refs.platforms".to_owned(), answer.platforms());
        let mut refs = BTreeMap::new();
        let mut attestations = BTreeMap::new();
        for (platform, image) in answer.images {
            let id = platform.id();
            // By platform, even if the images are not.
            if !image.attestations.is_empty() {
                let attestation = image.attestations;
                attestations.insert(id.clone(), Attestations { attestation });
            }
            let key = |name: &str| {
                if answer.by_platform { format!("{name}/{id}") } else { name.to_owned() }
            };
            metadata.insert(key("containerimage.config"), image.config);
            metadata.insert(key("containerimage.base.config"), image.base_config);
            if let Some(seconds) = image.epoch {
                metadata.insert(key("source.date.epoch"), seconds.to_string().into_bytes());
            }
            for (name, value) in image.annotations {
                let name = if answer.by_platform {
                    format!("annotation-manifest[{id}].{name}")
                } else {
                    format!("annotation.{name}")
                };
                metadata.insert(name, value.into_bytes());
            }
            refs.insert(id, image.found);
        }
        let found = if answer.by_platform {
            Some(result::Result::Refs(RefMap { refs }))
        } else {
            refs.into_values().next().map(result::Result::Ref)
        };
        Self { result: found, metadata, attestations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str) -> ImageResult {
        let found = Ref { id: id.to_owned(), ..Ref::default() };
        let statement = Attestation { path: "/sbom".to_owned(), ..Attestation::default() };
        let image = ImageResult {
            found,
            config: b"{}".to_vec(),
            base_config: b"{}".to_vec(),
            annotations: Vec::new(),
            attestations: Vec::new(),
            epoch: None,
        };
        image.attested([statement])
    }

    #[test]
    fn puts_attestations_under_their_platform_be_there_one_or_several() {
        for by_platform in [false, true] {
            let mut answer = Answer::new(by_platform);
            answer.add(&Platform::new("linux", "arm64", ""), image("one"));
            let result = BuildResult::from(answer);
            let all: Vec<_> = result.attestations.iter().collect();
            let [(id, statements)] = all.as_slice() else { panic!("{all:?}") };
            assert_eq!((id.as_str(), statements.attestation.len()), ("linux/arm64", 1));
        }
    }
}
