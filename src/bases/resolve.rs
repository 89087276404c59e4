//! Names of images → digests and configs, all of them side by side.
//!
//! The source that comes back is the one that goes into the graph: a policy of the builder may have
//! rewritten it (the answer of `ResolveSourceMeta`).

use crate::bases::{nearest, qualify};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::gateway::{Error, Gateway, ImageFailure, ImageQuery, image_failure, side_by_side};
use crate::image::{DEFAULT_PATH, ImageConfig};
use crate::llb::{Image, OciLayout, ResolveMode, Source};
use crate::options::{ContextSource, Options};
use crate::plan::{ImageUse, Role};
use crate::platform::Platform;
use crate::proto::pb;

/// The architectures that hardened images exist for.
const USUAL: [&str; 2] = ["amd64", "arm64"];
/// The largest config of an image that is read; real ones have some kilobytes.
const MAX_CONFIG: usize = 1 << 20;

/// An image with its digest and config.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Its name, complete, as the spec means it.
    pub reference: String,
    /// What goes into the graph: pinned, and rewritten where a policy says so.
    pub source: pb::SourceOp,
    /// The digest of the index or manifest.
    pub digest: String,
    /// Its config.
    pub config: ImageConfig,
    /// For which platform.
    pub platform: Platform,
    /// What it is used for.
    pub role: Role,
    /// Where the spec names it.
    pub span: Span,
}

impl Resolved {
    /// The name with the digest, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.reference.contains('@') || self.digest.is_empty() {
            return self.reference.clone();
        }
        format!("{}@{}", self.reference, self.digest)
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

/// How images are looked up.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// `--pull` and its kind.
    pub mode: ResolveMode,
    /// The session that oci-layout contexts are read from.
    pub session: String,
}

impl Lookup {
    /// As the options say.
    #[must_use]
    pub fn of(options: &Options) -> Self {
        Self { mode: options.resolve_mode, session: options.session.clone() }
    }
}

/// Resolves all images of a selection, or says for each one what is wrong with it.
pub async fn resolve(
    gateway: &Gateway,
    uses: &[ImageUse],
    lookup: &Lookup,
) -> Result<Vec<Resolved>, ResolveError> {
    let mut mistakes = Vec::new();
    let mut resolved = Vec::new();
    let all = side_by_side(uses.iter().map(|image| one(gateway, image, lookup))).await;
    for (image, outcome) in uses.iter().zip(all) {
        match outcome {
            Ok(image) => resolved.push(image),
            Err(Problem::Mistake(mistake)) => mistakes.push(mistake),
            Err(Problem::Gateway(error)) => match explain(image, &error) {
                Some(mistake) if mistake.code == Code::NoSuchPlatform => {
                    let has = platforms_of(gateway, image, lookup).await;
                    mistakes.push(without_platform(image, &has));
                }
                Some(mistake) => mistakes.push(mistake),
                None => return Err(ResolveError::Gateway(error)),
            },
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
    Gateway(Error),
}

async fn one(gateway: &Gateway, image: &ImageUse, lookup: &Lookup) -> Result<Resolved, Problem> {
    let (source, shown) = source_of(image, lookup).map_err(Problem::Mistake)?;
    let query = ImageQuery {
        source,
        platform: &image.platform,
        mode: lookup.mode.as_str(),
        log_name: format!("[internal] load metadata for {shown}"),
    };
    let answer = gateway.resolve_image(query).await.map_err(Problem::Gateway)?;
    let config = config_of(image, &answer.config).map_err(Problem::Mistake)?;
    if !fits(&config, &image.platform) {
        return Err(Problem::Mistake(wrong_platform(image, &config.platform())));
    }
    Ok(Resolved {
        reference: shown,
        source: answer.pinned(),
        digest: answer.digest,
        config,
        platform: image.platform.clone(),
        role: image.role,
        span: image.span,
    })
}

/// The source to look up, and its name for people.
fn source_of(image: &ImageUse, lookup: &Lookup) -> Result<(pb::SourceOp, String), Diagnostic> {
    let name = match &image.context {
        None => &image.reference,
        Some(ContextSource::Image(name)) => name,
        Some(ContextSource::OciLayout(layout)) => {
            let source = Source::OciLayout(OciLayout {
                reference: layout.clone(),
                session: Some(lookup.session.clone()),
                ..OciLayout::default()
            });
            return Ok((source.to_op(), image.reference.clone()));
        }
        Some(_) => {
            let message =
                format!("the context that stands in for {:?} is no image", image.reference);
            return Err(Diagnostic::error(Code::UnsupportedOption, image.span, message).help(
                "give an image: `--build-context NAME=docker-image://…` or `=oci-layout://…`",
            ));
        }
    };
    let reference = qualify("", name).map_err(|error| {
        Diagnostic::error(
            Code::InvalidReference,
            image.span,
            format!("{name:?} is no image: {error}"),
        )
    })?;
    let source = Source::Image(Image {
        reference: reference.with_default_tag().to_string(),
        resolve_mode: lookup.mode,
        ..Image::default()
    });
    Ok((source.to_op(), reference.to_string()))
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

fn wrong_platform(image: &ImageUse, has: &str) -> Diagnostic {
    let wanted = image.platform.id();
    let message = format!("{:?} is for {has}, not for {wanted}", image.reference);
    Diagnostic::error(Code::NoSuchPlatform, image.span, message)
        .help(format!("build for what it is made for: `--platform {has}`, or choose another base"))
}

/// Those of the usual platforms that an image has: a frontend cannot read its index.
async fn platforms_of(gateway: &Gateway, image: &ImageUse, lookup: &Lookup) -> Vec<String> {
    let usual = USUAL.map(|architecture| Platform::new("linux", architecture, ""));
    let uses = usual.map(|platform| ImageUse { platform, ..image.clone() });
    let found = side_by_side(uses.iter().map(|image| one(gateway, image, lookup))).await;
    let found = uses.iter().zip(found).filter(|(_, found)| found.is_ok());
    found.map(|(image, _)| image.platform.id()).collect()
}

fn without_platform(image: &ImageUse, has: &[String]) -> Diagnostic {
    let message = format!("{:?} has nothing for {}", image.reference, image.platform);
    let help = match has {
        [] => "choose another base".to_owned(),
        _ => {
            format!("it has {}: choose with `--platform`, or take another base", has.join(" and "))
        }
    };
    Diagnostic::error(Code::NoSuchPlatform, image.span, message).help(help)
}

fn explain(image: &ImageUse, error: &Error) -> Option<Diagnostic> {
    let name = &image.reference;
    let message = &error.status()?.message;
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
        ImageFailure::NotFound => (Code::UnknownBase, format!("{name:?} does not exist"), near(name)),
        ImageFailure::NoSuchPlatform => return Some(without_platform(image, &[])),
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
    Some(Diagnostic::error(code, image.span, text).help(help))
}

fn near(name: &str) -> String {
    let short = name.rsplit('/').next().unwrap_or(name);
    let others: Vec<String> = nearest(short).into_iter().filter(|other| other != short).collect();
    match others.as_slice() {
        [] => "check the name and the tag".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    }
}
