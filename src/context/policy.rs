//! The named context `policy`: a file by which whoever builds says what is asked of every image.
//!
//! Only that file is read, and no more of it than a policy can have. A context without it is refused:
//! who gives a policy wants it to hold. A file of the web is the policy itself.

use super::locate::alone;
use super::{LoadError, head_of, reason};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::gateway::{Error, Gateway, Solve, Solved, SourceFile, plain_text};
use crate::llb::{Http, Image, Local, OciLayout, Source};
use crate::options::{ContextSource, Options};
use crate::reference::Reference;
use crate::remote::{self, Remote};
use crate::spec::MAX_BYTES;

/// The name of the context.
const POLICY: &str = "policy";
/// The name of the file.
const FILE: &str = "policy.yaml";

/// The file of a policy.
#[derive(Debug, Clone)]
pub struct PolicyFile {
    /// Its bytes, as they are.
    pub bytes: Vec<u8>,
    /// The same for excerpts.
    pub file: SourceFile,
}

/// Reads the policy, if there is one.
pub async fn load_policy(
    gateway: &Gateway,
    options: &Options,
) -> Result<Option<PolicyFile>, LoadError> {
    let Some(context) = options.contexts.find(POLICY, &options.build_platform()) else {
        return Ok(None);
    };
    let definition = match &context.source {
        ContextSource::Input(name) => {
            let mut inputs = gateway.inputs().await?;
            inputs.remove(name).ok_or_else(|| unusable(&format!("there is no input {name:?}")))?
        }
        other => alone(&source(other, options)?, format!("[context {POLICY}] load {FILE}")),
    };
    head_of(&definition)?; // what others made is looked at before it is sent on
    let solve = Solve { evaluate: true, ..Solve::of(definition.clone()) };
    let found = gateway.solve(solve).await.and_then(Solved::single).map_err(explain)?;
    let bytes = gateway.read_file(&found, FILE, MAX_BYTES).await.map_err(explain)?;
    let is_text = !bytes.contains(&0); // clients print what they are given, and terminals obey it
    let text = if is_text { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() };
    let (filename, language) = (FILE.to_owned(), "YAML".to_owned());
    let file = SourceFile { filename, text, language, definition: Some(definition) };
    Ok(Some(PolicyFile { bytes, file }))
}

/// Where a context takes the file from.
fn source(context: &ContextSource, options: &Options) -> Result<Source, LoadError> {
    Ok(match context {
        ContextSource::Local(name) => Source::Local(Local {
            name: name.clone(),
            session: Some(options.session_of(name).to_owned()),
            follow: vec![FILE.to_owned()],
            shared_key_hint: Some(format!("context:{POLICY}-{FILE}")),
            differ: Some("none".to_owned()),
            ..Local::default()
        }),
        ContextSource::Remote(Remote::Git(git)) => Source::Git(git.clone()),
        ContextSource::Remote(Remote::Http(url)) => Source::Http(Http {
            url: url.clone(),
            filename: Some(FILE.to_owned()),
            ..Http::default()
        }),
        ContextSource::Image(name) => {
            let reference = Reference::parse(name).map_err(|error| unusable(&error.to_string()))?;
            let reference = reference.with_default_tag().to_string();
            Source::Image(Image {
                reference,
                resolve_mode: options.resolve_mode,
                ..Image::default()
            })
        }
        ContextSource::OciLayout(layout) => {
            let (store, digest) = layout.split_once('@').unwrap_or((layout, ""));
            let store = store.split(':').next().unwrap_or_default();
            Source::OciLayout(OciLayout {
                reference: format!("{POLICY}.local/{POLICY}@{digest}"),
                session: Some(options.session.clone()),
                store: Some(store.to_owned()),
                ..OciLayout::default()
            })
        }
        ContextSource::Input(_) => return Err(unusable("an input is no source")),
    })
}

fn explain(error: Error) -> LoadError {
    match &error {
        Error::TooLarge { limit, .. } => {
            let message = format!("{FILE} is larger than {} KiB", limit >> 10);
            LoadError::Mistake(Diagnostic::error(Code::TooLarge, Span::START, message))
        }
        missing if missing.is_missing_file() => unusable(&format!("it has no file {FILE}")),
        Error::Refused(status) => unusable(&reason(plain_text(&status.message)).0),
        _ => error.into(),
    }
}

fn unusable(why: &str) -> LoadError {
    let why = remote::shown_in(why);
    let message = format!("the context `{POLICY}` cannot be used: {why}");
    let mistake = Diagnostic::error(Code::NamedContext, Span::START, message);
    LoadError::Mistake(mistake.help(format!(
        "the context `{POLICY}` is what whoever builds asks of every image, in a file {FILE}; another \
         context needs another name"
    )))
}
