//! What stands behind a named context: an image, a folder of the client, a repository, a file from
//! the web, or what another frontend hands over. As docker/dockerfile v1.28 reads them
//! (frontend/dockerui/namedcontext.go), but pinned, and an archive is unpacked.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ARCHIVE, Builder, Found, Problem, Root};
use crate::archive;
use crate::context::{parse_ignore, reason};
use crate::diagnostic::{Code, Diagnostic};
use crate::gateway::{Error, ImageFailure, Solve, image_failure, plain_text};
use crate::llb::{Constraints, Git, Graph, Http, Local, OciLayout, Source};
use crate::options::{ContextSource, NamedContext};
use crate::plan::ImageUse;
use crate::proto::pb;
use crate::reference::{Reference, is_digest};
use crate::remote::{self, Remote};
use crate::words::quoted;

/// The image without anything in it.
const SCRATCH: &str = "scratch";
/// What the client sends along with an input, by the name of the exporter's metadata.
const CONFIG: &str = "containerimage.config";
/// As for the build context.
const MAX_IGNORE: usize = 16 << 20;
const IGNORE: &str = ".dockerignore";

impl Builder<'_> {
    /// What a context gives for a use of it.
    pub(super) async fn context(
        &self,
        image: &ImageUse,
        context: &NamedContext,
    ) -> Result<Found, Problem> {
        match &context.source {
            ContextSource::Image(name) if name == SCRATCH => Ok(files(context, Root::Scratch)),
            ContextSource::Image(name) => self.image(image, name).await,
            ContextSource::OciLayout(layout) => self.layout(image, (context, layout)).await,
            ContextSource::Local(name) => self.local(image, (context, name)).await,
            ContextSource::Input(name) => Ok(self.input(image, (context, name))?),
            ContextSource::Remote(remote) => self.remote(image, (context, remote)).await,
        }
    }

    /// An image in an OCI layout of the client: `STORE@DIGEST`, perhaps with a tag between.
    async fn layout(
        &self,
        image: &ImageUse,
        (context, layout): (&NamedContext, &str),
    ) -> Result<Found, Problem> {
        let (store, digest) = layout.split_once('@').unwrap_or((layout, ""));
        let store = store.split(':').next().unwrap_or_default();
        if store.is_empty() || !is_digest(digest) {
            let message = format!("the OCI layout {} names no image", quoted(layout));
            let help = "write `oci-layout://PATH@sha256:…`, or for buildctl \
                        `--oci-layout STORE=PATH --opt context:NAME=oci-layout://STORE@sha256:…`";
            return Err(unusable(image, context, &message).help(help).into());
        }
        let source = Source::OciLayout(OciLayout {
            reference: format!("{}@{digest}", repository(&image.reference)),
            session: Some(self.options.session.clone()),
            store: Some(store.to_owned()),
            ..OciLayout::default()
        });
        let log_name = format!("[context {}] load metadata for {digest}", context.key);
        let reference = format!("{}@{digest}", image.reference);
        let explain = |message: &str| unusable_layout((image, context), (store, digest), message);
        self.look_up(image, (source, log_name, reference), explain).await
    }

    /// A folder of the client, without what its own ignore file leaves out.
    async fn local(
        &self,
        image: &ImageUse,
        (context, name): (&NamedContext, &str),
    ) -> Result<Found, Problem> {
        let key = &context.key;
        let session = Some(self.options.session_of(name).to_owned());
        let ignore = Local {
            name: name.to_owned(),
            session: session.clone(),
            follow: vec![IGNORE.to_owned()],
            shared_key_hint: Some(format!("context:{key}-{IGNORE}")),
            differ: Some("none".to_owned()),
            ..Local::default()
        };
        let explain = |message: &str| {
            let text = format!("the client does not send its folder: {}", plain_text(message));
            unusable(image, context, &text)
                .help(format!("with buildctl, add `--local {name}=FOLDER`"))
        };
        let log_name = format!("[context {key}] load {IGNORE}");
        let exclude = match self.read(Source::Local(ignore), log_name).await {
            Ok(bytes) => parse_ignore(&bytes),
            Err(error) if error.is_missing_file() => Vec::new(),
            Err(Error::TooLarge { limit, .. }) => {
                let text = format!("its {IGNORE} is larger than {} MiB", limit >> 20);
                return Err(unusable(image, context, &text).into());
            }
            Err(error) => return Err(Problem::of(error, explain)),
        };
        let hint = self.options.shared_keys.get(key).map_or("", String::as_str);
        let local = Local {
            name: name.to_owned(),
            session,
            exclude,
            shared_key_hint: Some(format!("context:{key}-{hint}")),
            ..Local::default()
        };
        Ok(files(context, Root::Local(local)))
    }

    async fn read(&self, source: Source, log_name: String) -> Result<Vec<u8>, Error> {
        let mut graph = Graph::new();
        let output = graph.source(&source, &Constraints::named(log_name));
        let found = self.gateway.solve(Solve::of(graph.marshal(output, &[]))).await?.single()?;
        self.gateway.read_file(&found, IGNORE, MAX_IGNORE).await
    }

    /// A repository or a file from the web, pinned to what it is now.
    async fn remote(
        &self,
        image: &ImageUse,
        (context, remote): (&NamedContext, &Remote),
    ) -> Result<Found, Problem> {
        let (source, shown, is_file) = match remote {
            Remote::Git(git) => {
                let git = Git { advice: self.options.git_advice, ..git.clone() };
                let shown = remote::shown(&git.url);
                (Source::Git(git), shown, false)
            }
            Remote::Http(url) => {
                let (url, filename) = (url.clone(), Some(ARCHIVE.to_owned()));
                let shown = remote::shown(&url);
                (Source::Http(Http { url, filename, ..Http::default() }), shown, true)
            }
        };
        let fetch = |message: &str| {
            let (why, help) = reason(message);
            unusable(image, context, &format!("{shown}: {why}")).help(help)
        };
        let log_name = format!("[context {}] load metadata for {shown}", context.key);
        let answer = self.gateway.resolve_source(source.to_op(), log_name, false).await;
        let source = answer.map_err(|error| Problem::of(error, fetch))?.pinned();
        let root = if is_file
            && self
                .is_archive(&source, &context.key)
                .await
                .map_err(|error| Problem::of(error, fetch))?
        {
            Root::Archive(source)
        } else {
            Root::Source(source)
        };
        Ok(files(context, root))
    }

    async fn is_archive(&self, source: &pb::SourceOp, name: &str) -> Result<bool, Error> {
        let mut graph = Graph::new();
        let named = Constraints::named(format!("[context {name}] load"));
        let output = graph.source_op(source.clone(), &named);
        let found = self.gateway.solve(Solve::of(graph.marshal(output, &[]))).await?.single()?;
        let head = self.gateway.read_head(&found, ARCHIVE, archive::HEAD).await?;
        Ok(archive::is_archive(&head))
    }

    /// What another frontend or bake hands over, with the config that it gives along.
    fn input(
        &self,
        image: &ImageUse,
        (context, name): (&NamedContext, &str),
    ) -> Result<Found, Diagnostic> {
        let Some(definition) = self.inputs.get(name) else {
            let message = format!("the client sends no input {}", quoted(name));
            let help = "an input comes from bake: `contexts = { NAME = \"target:OTHER\" }`";
            return Err(unusable(image, context, &message).help(help));
        };
        let broken =
            |why: String| unusable(image, context, &format!("its input cannot be read: {why}"));
        Graph::new().import(definition).map_err(|error| broken(error.to_string()))?;
        let metadata = self.options.input_metadata.get(name);
        let config = metadata.map(|text| config_in(text)).transpose().map_err(broken)?.flatten();
        let root = Root::Input(definition.clone());
        Ok(Found { config, ..files(context, root) })
    }
}

/// The config in the metadata of an input: JSON, a map of bytes in base64.
fn config_in(metadata: &str) -> Result<Option<Vec<u8>>, String> {
    let values: Option<BTreeMap<String, Option<String>>> = serde_json::from_str(metadata)
        .map_err(|error| format!("its metadata is not what a client writes: {error}"))?;
    let config = values.as_ref().and_then(|values| values.get(CONFIG)?.as_ref());
    let Some(config) = config else { return Ok(None) };
    let bytes = STANDARD.decode(config);
    bytes.map(Some).map_err(|error| format!("the {CONFIG} of its metadata is no base64: {error}"))
}

/// Files without a config.
fn files(context: &NamedContext, root: Root) -> Found {
    Found { reference: context.key.clone(), root, digest: String::new(), config: None }
}

fn unusable(image: &ImageUse, context: &NamedContext, why: &str) -> Diagnostic {
    let message = format!("the context {} cannot be used: {why}", quoted(&context.key));
    Diagnostic::error(Code::NamedContext, image.span, message)
}

fn unusable_layout(
    (image, context): (&ImageUse, &NamedContext),
    (store, digest): (&str, &str),
    message: &str,
) -> Diagnostic {
    let contents = "index.json of the layout lists what it has";
    if message.contains("unknown store") {
        return unusable(
            image,
            context,
            &format!("the client offers no OCI layout {}", quoted(store)),
        )
        .help(format!("with buildctl, add `--oci-layout {store}=FOLDER`"));
    }
    match image_failure(message) {
        ImageFailure::NotFound => {
            unusable(image, context, &format!("its OCI layout has no {digest}")).help(contents)
        }
        ImageFailure::NoSuchPlatform => {
            let wanted = image.platform.id();
            let message = format!("the context {} has nothing for {wanted}", quoted(&context.key));
            Diagnostic::error(Code::NoSuchPlatform, image.span, message)
                .help(format!("{contents}; choose a platform of these with `--platform`"))
        }
        _ => {
            let why = format!("its OCI layout gives no {digest}: {}", plain_text(message));
            unusable(image, context, &why).help(contents)
        }
    }
}

/// What the builder calls an image of a layout, in the provenance too: the name in the spec, if it can
/// be an image's.
fn repository(name: &str) -> String {
    let name = Reference::parse(name).map(|name| name.repository());
    name.unwrap_or_else(|_| "docker.io/library/context".to_owned())
}
