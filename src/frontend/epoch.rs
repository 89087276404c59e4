//! `SOURCE_DATE_EPOCH` → seconds: a number as it is, the time of the build context, of a named
//! context, or of what a stage fetches.

use crate::context::{LoadError, Locations, only_source, time_of, unfetched};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::emit::{ProbeSettings, Tree};
use crate::frontend::Failure;
use crate::gateway::Gateway;
use crate::llb::{Http, Source};
use crate::options::{ContextSource, Options, SourceDateEpoch};
use crate::plan::variables::Variables;
use crate::proto::pb;
use crate::remote::{self, Remote};
use crate::spec::model::{Add, Place, Spec, Stage, Step};

/// The name of the build argument.
const NAME: &str = "SOURCE_DATE_EPOCH";

/// What a time is looked for in.
pub(super) struct Clock<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) locations: &'a Locations,
    pub(super) spec: &'a Spec,
    pub(super) variables: &'a Variables,
    pub(super) probes: &'a ProbeSettings,
}

impl Clock<'_> {
    /// Puts a time in the place of a name. A name without a time leaves none, with a warning.
    pub(super) async fn set(&self, options: &mut Options) -> Result<Option<Diagnostic>, Failure> {
        let Some(SourceDateEpoch::Of(name)) = options.epoch.clone() else { return Ok(None) };
        let source = self.source(&name, options).await?;
        let seconds = match &source {
            Some(source) => time_of(self.gateway, source, self.probes)
                .await
                .map_err(|error| self.explain(&name, error))?,
            None => None,
        };
        options.epoch = seconds.map(SourceDateEpoch::Seconds);
        Ok(seconds.is_none().then(|| {
            let message = format!("{NAME} is not set: {name:?} has no time");
            Diagnostic::warning(Code::InvalidOption, Span::START, message).help(
                "commits have a time, files of a web server that tells it, and archives with files",
            )
        }))
    }

    /// The one source that a name stands for; `None`: it is nothing that has a time.
    async fn source(&self, name: &str, options: &Options) -> Result<Option<pb::SourceOp>, Failure> {
        if name == "context" {
            return Ok(match &self.locations.context {
                Tree::Graph(definition) => only_source(definition),
                Tree::Local(_) => None,
            });
        }
        let context = options.contexts.find(name, &options.build_platform());
        match context.map(|context| &context.source) {
            Some(ContextSource::Remote(remote)) => return Ok(Some(source_of(remote).to_op())),
            Some(ContextSource::Input(input)) => {
                let inputs = self.gateway.inputs().await?;
                return Ok(inputs.get(input).and_then(only_source));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        let mut stages = self.spec.stages.iter();
        let Some(stage) = stages.find(|stage| stage.name.value.eq_ignore_ascii_case(name)) else {
            return Err(refused(
                &format!("the build argument {NAME} cannot be {name:?}"),
                "write seconds since 1970, `context`, or the name of a stage or context",
            ));
        };
        self.fetched_by(stage).map(Some)
    }

    /// What a stage fetches that does nothing else.
    fn fetched_by(&self, stage: &Stage) -> Result<pb::SourceOp, Failure> {
        let name = &stage.name.value;
        let unfit = || {
            refused(
                &format!("{NAME} cannot be the time of stage {name:?}, which does more than fetch"),
                "name a stage with one step: an `add` of one address",
            )
        };
        let [Step::Place(Place::Add(Add { sources, .. }))] = stage.steps.as_slice() else {
            return Err(unfit());
        };
        let [address] = sources.as_slice() else { return Err(unfit()) };
        let address = self.variables.expand(address).map_err(|one| Failure::Refused(vec![one]))?;
        match remote::parse(&address) {
            Ok(Some(remote)) => Ok(source_of(&remote).to_op()),
            _ => Err(unfit()),
        }
    }

    fn explain(&self, name: &str, error: LoadError) -> Failure {
        let fetched = self.locations.fetched.as_ref().filter(|_| name == "context");
        match (error, fetched) {
            (LoadError::Gateway(error), Some(fetched)) => unfetched(fetched, error).into(),
            (LoadError::Gateway(error), None) => refused(
                &format!("the time of {name:?} for {NAME} cannot be found: {error}"),
                "check its address, or write seconds since 1970",
            ),
            (mistake, _) => mistake.into(),
        }
    }
}

fn source_of(remote: &Remote) -> Source {
    match remote {
        Remote::Git(git) => Source::Git(git.clone()),
        Remote::Http(url) => Source::Http(Http { url: url.clone(), ..Http::default() }),
    }
}

/// The builder's words, and names that were given, may hold addresses.
fn refused(message: &str, help: &str) -> Failure {
    let message = remote::shown_in(message);
    let mistake = Diagnostic::error(Code::InvalidOption, Span::START, message);
    Failure::Refused(vec![mistake.help(help)])
}
