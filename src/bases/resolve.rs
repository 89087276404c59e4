//! Names of images → digests and configs, all of them side by side; and named contexts, which may
//! stand in for an image without being one.
//!
//! The source that comes back is the one that goes into the graph: a policy of the builder may have
//! rewritten it (the answer of `ResolveSourceMeta`). Whatever can be pinned is.

mod contexts;

use std::collections::BTreeMap;

use crate::bases::{nearest, qualify};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::gateway::{Error, Gateway, ImageFailure, ImageQuery, image_failure, side_by_side};
use crate::image::{DEFAULT_PATH, ImageConfig};
use crate::llb::{Image, Local, Source};
use crate::options::{ContextSource, Options};
use crate::plan::{ImageUse, Role};
use crate::platform::Platform;
use crate::proto::pb;

/// The architectures that hardened images exist for.
const USUAL: [&str; 2] = ["amd64", "arm64"];
/// The largest config of an image that is read; real ones have some kilobytes.
const MAX_CONFIG: usize = 1 << 20;

/// An image with its digest and config, or what a named context gives in its place.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Its name, complete, as the spec means it.
    pub reference: String,
    /// Where its files are.
    pub root: Root,
    /// The digest of the index or manifest; empty where it is no image.
    pub digest: String,
    /// Its config; an empty one where there is none.
    pub config: ImageConfig,
    /// For which platform.
    pub platform: Platform,
    /// What it is used for.
    pub role: Role,
    /// Where the spec names it.
    pub span: Span,
}

/// Where the files of an image or a named context are.
#[derive(Debug, Clone, PartialEq)]
pub enum Root {
    /// In a source: pinned, and rewritten where a policy says so.
    Source(pb::SourceOp),
    /// In an archive from the web, under the name [`ARCHIVE`].
    Archive(pb::SourceOp),
    /// In a folder of the client.
    Local(Local),
    /// In what another frontend or bake hands over; one that can be imported.
    Input(pb::Definition),
    /// There are none.
    Scratch,
}

/// The name of a file from the web that is a context, as docker/dockerfile has it.
pub const ARCHIVE: &str = "context";

impl Resolved {
    /// The name with the digest, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.reference.contains('@') || self.digest.is_empty() {
            return self.reference.clone();
        }
        format!("{}@{}", self.reference, self.digest)
    }

    /// Whether its files are the user's own, a folder or a repository, and not a system.
    #[must_use]
    pub fn is_checkout(&self) -> bool {
        match &self.root {
            Root::Local(_) => true,
            Root::Source(source) => source.identifier.starts_with("git://"),
            _ => false,
        }
    }

    /// Its environment, with a PATH where the config has none: an engine would put one there, too.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let pairs = self.config.config.env.iter();
        let mut env: Vec<(String, String)> = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if !env.iter().any(|(name, _)| name == "PATH") {
            env.insert(0, ("PATH".to_owned(), DEFAULT_PATH.to_owned()));
        }
        env
    }
}

/// Resolves all images of a selection, or says for each one what is wrong with it.
pub async fn resolve(
    gateway: &Gateway,
    uses: &[ImageUse],
    options: &Options,
) -> Result<Vec<Resolved>, ResolveError> {
    let is_input = |image: &ImageUse| {
        image.context.as_ref().is_some_and(|given| matches!(given.source, ContextSource::Input(_)))
    };
    let inputs = if uses.iter().any(is_input) {
        gateway.inputs().await.map_err(ResolveError::Gateway)?
    } else {
        BTreeMap::new()
    };
    let builder = Builder { gateway, options, inputs };
    let mut mistakes = Vec::new();
    let mut resolved = Vec::new();
    let all = side_by_side(uses.iter().map(|image| builder.one(image))).await;
    for (image, outcome) in uses.iter().zip(all) {
        match outcome {
            Ok(image) => resolved.push(image),
            Err(Problem::Mistake(mistake)) => mistakes.push(mistake),
            Err(Problem::NoPlatform(mistake)) => {
                let has = builder.platforms_of(image).await;
                mistakes.push(mistake.help(elsewhere(&has)));
            }
            Err(Problem::Gateway(error)) => return Err(ResolveError::Gateway(error)),
        }
    }
    if mistakes.is_empty() { Ok(resolved) } else { Err(ResolveError::Mistakes(mistakes)) }
}

/// Why images could not be resolved.
#[derive(Debug)]
pub enum ResolveError {
    /// What the user can do something about.
    Mistakes(Vec<Diagnostic>),
    /// The builder is gone, or does not keep to the protocol.
    Gateway(Error),
}

enum Problem {
    Mistake(Diagnostic),
    /// The image is for other platforms; which ones, its index says, and a frontend cannot read it.
    NoPlatform(Diagnostic),
    Gateway(Error),
}

impl From<Diagnostic> for Problem {
    fn from(mistake: Diagnostic) -> Self {
        Self::Mistake(mistake)
    }
}

/// Who is asked, and with what the client gave along.
struct Builder<'a> {
    gateway: &'a Gateway,
    options: &'a Options,
    /// Definitions from other frontends and bake.
    inputs: BTreeMap<String, pb::Definition>,
}

/// What a name leads to.
struct Found {
    /// For people.
    reference: String,
    root: Root,
    digest: String,
    /// The config of an image, as it is; what is no image has none.
    config: Option<Vec<u8>>,
}

impl Builder<'_> {
    /// Those of the usual platforms that an image has, found by asking.
    async fn platforms_of(&self, image: &ImageUse) -> Vec<String> {
        let usual = USUAL.map(|architecture| Platform::new("linux", architecture, ""));
        let uses = usual.map(|platform| ImageUse { platform, ..image.clone() });
        let found = side_by_side(uses.iter().map(|image| self.one(image))).await;
        let found = uses.iter().zip(found).filter(|(_, found)| found.is_ok());
        found.map(|(image, _)| image.platform.id()).collect()
    }

    async fn one(&self, image: &ImageUse) -> Result<Resolved, Problem> {
        let found = match &image.context {
            None => self.image(image, &image.reference).await?,
            Some(context) => self.context(image, context).await?,
        };
        let config = match &found.config {
            Some(bytes) => config_of(image, bytes)?,
            None if image.role == Role::Runtime => return Err(no_config(image).into()),
            None => ImageConfig::default(),
        };
        // Files of another target of bake may be for any platform; the proof looks at them.
        let is_only_files = image.role == Role::Source && matches!(found.root, Root::Input(_));
        if !is_only_files && !fits(&config, &image.platform) {
            return Err(wrong_platform(image, &config.platform()).into());
        }
        Ok(Resolved {
            reference: found.reference,
            root: found.root,
            digest: found.digest,
            config,
            platform: image.platform.clone(),
            role: image.role,
            span: image.span,
        })
    }

    /// An image of a registry.
    async fn image(&self, image: &ImageUse, name: &str) -> Result<Found, Problem> {
        let reference = qualify("", name).map_err(|error| {
            let message = format!("{name:?} is no image: {error}");
            Diagnostic::error(Code::InvalidReference, image.span, message)
                .help("write the name as `docker pull` takes it")
        })?;
        let source = Source::Image(Image {
            reference: reference.with_default_tag().to_string(),
            resolve_mode: self.options.resolve_mode,
            ..Image::default()
        });
        let log_name = format!("[internal] load metadata for {reference}");
        let explain = |message: &str| explain(image, name, message);
        self.look_up(image, (source, log_name, reference.to_string()), explain).await
    }

    /// Asks for the digest and config of an image, wherever it is.
    async fn look_up(
        &self,
        image: &ImageUse,
        (source, log_name, reference): (Source, String, String),
        explain: impl Fn(&str) -> Diagnostic,
    ) -> Result<Found, Problem> {
        let query = ImageQuery {
            source: source.to_op(),
            platform: &image.platform,
            mode: self.options.resolve_mode.as_str(),
            log_name,
        };
        let answer = self.gateway.resolve_image(query).await;
        let answer = answer.map_err(|error| Problem::of(error, explain))?;
        let root = Root::Source(answer.pinned());
        Ok(Found { reference, root, digest: answer.digest, config: Some(answer.config) })
    }
}

impl Problem {
    /// What the builder said, as a mistake; a builder that is gone is none.
    fn of(error: Error, explain: impl Fn(&str) -> Diagnostic) -> Self {
        match error.status() {
            Some(status) if image_failure(&status.message) == ImageFailure::NoSuchPlatform => {
                Self::NoPlatform(explain(&status.message))
            }
            Some(status) => Self::Mistake(explain(&status.message)),
            None => Self::Gateway(error),
        }
    }
}

fn config_of(image: &ImageUse, bytes: &[u8]) -> Result<ImageConfig, Diagnostic> {
    let unreadable = |why: String| {
        let message = format!("the config of {:?} cannot be read: {why}", image.reference);
        Diagnostic::error(Code::UnknownBase, image.span, message)
    };
    if bytes.len() > MAX_CONFIG {
        return Err(unreadable(format!("it is larger than {MAX_CONFIG} bytes")));
    }
    ImageConfig::parse(bytes).map_err(|error| unreadable(error.to_string()))
}

/// A single image (no index) is given for any platform: only its config says what it is for.
fn fits(config: &ImageConfig, platform: &Platform) -> bool {
    config.architecture.is_empty()
        || (config.os == platform.os && config.architecture == platform.architecture)
}

fn no_config(image: &ImageUse) -> Diagnostic {
    let message = format!(
        "what stands in for {:?} is no image: nothing says how an app starts on it",
        image.reference
    );
    Diagnostic::error(Code::NotAnImage, image.span, message).help(
        "give an image as context: `docker-image://…`, `oci-layout://…`, or a `target:…` of bake",
    )
}

fn wrong_platform(image: &ImageUse, has: &str) -> Diagnostic {
    let wanted = image.platform.id();
    let message = format!("{:?} is for {has}, not for {wanted}", image.reference);
    Diagnostic::error(Code::NoSuchPlatform, image.span, message)
        .help(format!("build for what it is made for: `--platform {has}`, or choose another base"))
}

/// What to do where an image is for other platforms than the one that is wanted.
fn elsewhere(has: &[String]) -> String {
    match has {
        [] => "choose another base".to_owned(),
        _ => {
            format!("it has {}: choose with `--platform`, or take another base", has.join(" and "))
        }
    }
}

fn explain(image: &ImageUse, name: &str, message: &str) -> Diagnostic {
    let host = name.split('/').next().unwrap_or(name);
    let (code, text, help) = match image_failure(message) {
        ImageFailure::LoginNeeded if host == "dhi.io" => (
            Code::LoginNeeded,
            format!("{host} gives {name:?} only to those who are logged in"),
            "run `docker login dhi.io` with a Docker account: a free one will do; the image may also be misspelt".to_owned(),
        ),
        ImageFailure::LoginNeeded => (
            Code::LoginNeeded,
            format!("{host} does not give {name:?} to this build"),
            format!("run `docker login {host}`, or check the name"),
        ),
        ImageFailure::NotFound => {
            let help = image.bare.as_deref().map_or_else(|| near(name), no_stage);
            (Code::UnknownBase, format!("{name:?} does not exist"), help)
        }
        ImageFailure::NoSuchPlatform => {
            let message = format!("{name:?} has nothing for {}", image.platform);
            return Diagnostic::error(Code::NoSuchPlatform, image.span, message);
        }
        ImageFailure::RateLimited => (
            Code::LoginNeeded,
            format!("{host} gives no more images to this address for now"),
            format!("run `docker login {host}`, or wait"),
        ),
        ImageFailure::Unreachable => (
            Code::UnknownBase,
            format!("{host} could not be reached for {name:?}: {message}"),
            "check the network of the builder, or name a mirror with `registry`".to_owned(),
        ),
        ImageFailure::Other => (
            Code::UnknownBase,
            format!("{name:?} could not be resolved: {message}"),
            near(name),
        ),
    };
    Diagnostic::error(code, image.span, text).help(help)
}

/// Where a stage may have been meant that does not exist.
fn no_stage(name: &str) -> String {
    let name = crate::words::escaped(name);
    format!(
        "no stage, app or context is named `{name}`: give `--build-context {name}=…`, or write the \
         image with its tag"
    )
}

fn near(name: &str) -> String {
    let short = name.rsplit('/').next().unwrap_or(name);
    let others: Vec<String> = nearest(short).into_iter().filter(|other| other != short).collect();
    match others.as_slice() {
        [] => "check the name and the tag".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    }
}
