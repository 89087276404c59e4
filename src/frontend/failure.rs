//! Why a build ends without an image, and what the builder is told about it.

use crate::bases::resolve::ResolveError;
use crate::context::LoadError;
use crate::diagnostic::{Code, Diagnostic, Position, Span};
use crate::gateway::{Error, SourceFile, detail, status};
use crate::llb::ImportError;
use crate::proto::Status;

/// Why there is no image.
#[derive(Debug)]
pub enum Failure {
    /// What the user wrote, or what came of it.
    Refused(Vec<Diagnostic>),
    /// The builder failed: a step did not work, a file was not there, the connection broke.
    Gateway(Error),
    /// A call that does not exist.
    UnknownCall(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Gateway(error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Mistake(mistake) => Self::Refused(vec![mistake]),
            LoadError::Gateway(error) => Self::Gateway(error),
        }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Mistakes(mistakes) => Self::Refused(mistakes),
            ResolveError::Gateway(error) => Self::Gateway(error),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::internal(format!("the image of hardpan itself cannot be used: {error}"))
    }
}

impl Failure {
    /// A fault that is not the user's.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Refused(vec![Diagnostic::error(Code::Internal, Span::START, message)])
    }

    /// What goes back to the builder.
    #[must_use]
    pub fn into_status(self, file: Option<&SourceFile>) -> Status {
        match self {
            Self::Refused(mistakes) => status::refusal(file, &mistakes),
            Self::UnknownCall(name) => status::unknown_call(&name),
            Self::Gateway(error) => match error {
                Error::Refused(status) => explain(*status, file),
                other => other.into(),
            },
        }
    }
}

/// Puts the place of a step that failed into the text, and says what to do where that is known. The
/// details stay: clients draw the excerpt and the log of the step from them.
fn explain(mut status: Status, file: Option<&SourceFile>) -> Status {
    let Some(file) = file else { return status };
    let Some(place) = place_in(&status, file) else { return status };
    let span = Span { start: place, end: place };
    let mistake = match missing_path(&status.message) {
        Some(path) => {
            let message = format!("{path:?} is not there to be copied ({})", status.message);
            Diagnostic::error(Code::NotFoundInContext, span, message).help(
                "check the path: it is relative to the build context, or to the workdir of the \
                 stage in `from`; .dockerignore may leave it out; `optional: true` lets it be absent",
            )
        }
        None => Diagnostic::error(Code::StepFailed, span, status.message.clone()),
    };
    status.message = status::refusal(Some(file), &[mistake]).message;
    status
}

fn place_in(status: &Status, file: &SourceFile) -> Option<Position> {
    let source =
        detail::sources(status).into_iter().find(|source| source.info.filename == file.filename)?;
    let start = source.ranges.first()?.start;
    Some(Position { line: start.line, column: start.character.max(1) })
}

/// The path in `… "/dist": not found`, as the copy of a file that is absent fails.
fn missing_path(message: &str) -> Option<&str> {
    let rest =
        message.strip_suffix(": not found").or_else(|| message.strip_suffix(" not found"))?;
    if !message.contains("failed to c") {
        return None; // copies fail with "failed to calculate checksum" or "failed to compute cache key"
    }
    let path = rest.rsplit(": ").next()?;
    Some(path.trim_matches('"').trim_start_matches('/'))
}
