//! The table of contents of a build: from the options of the client to the image that goes back.
//!
//! options → spec → app → images → draft → facts → plan → graph → inventory → verdict → result, for
//! each platform. Nothing is returned that was not inspected; every failure points into the spec.

mod calls;
mod epoch;
pub(crate) mod evidence;
mod failure;
mod foreign;
pub(crate) mod making;
mod own;
pub(crate) mod policy;
pub mod prepare;
pub(crate) mod proof;
pub(crate) mod reports;
mod scan;
mod stage;
pub mod target;
pub(crate) mod testing;

use std::cell::RefCell;
use std::collections::BTreeMap;

use calls::Call;
pub(crate) use calls::lint;
pub use failure::Failure;
use policy::Gate;
use proof::LookedAt;
use target::Target;

use crate::context::{self, Fetched, LoadError, Loaded, Locations};
use crate::delegate;
use crate::diagnostic::Diagnostic;
use crate::emit::{self, Abilities, Emitted, Emitter, ProbeSettings, Scanner};
use crate::gateway::{Gateway, Solve, side_by_side};
use crate::input::Input;
use crate::llb::{ImportError, Output};
use crate::options::{Options, Outcome};
use crate::plan::{self, Draft, Plan, Request, Selection, variables::Variables};
use crate::platform::Platform;
use crate::proto::{Status, pb};
use crate::result::{Answer, ImageResult};
use crate::spec::{Parsed, model::App};

/// Answers one build or call; `mistakes` are those of the options.
pub async fn run(
    gateway: &Gateway,
    options: Options,
    mistakes: Vec<Diagnostic>,
) -> Result<Answer, Status> {
    // Boxed: what all ways through a build have to remember is more than a stack should hold.
    let answer = Box::pin(answer(gateway, options, mistakes)).await;
    answer.map_err(|failure| failure.into_status(gateway.source_file()))
}

async fn answer(
    gateway: &Gateway,
    options: Options,
    mut mistakes: Vec<Diagnostic>,
) -> Result<Answer, Failure> {
    prepare::require(gateway, &options).await?;
    mistakes.extend(prepare::mistakes(&options));
    // Most calls look at no more than the spec and the images that it names.
    let request = options.request.as_deref();
    let small = request.filter(|name| !calls::plan::needs_build(name));
    let mut opened = open(gateway, &options, small.is_none()).await?;
    let loaded = &mut opened.loaded;
    let input = prepare::input(&options, loaded);
    if let Ok(input) = &input {
        input.language().clone_into(&mut loaded.file.language);
    }
    if loaded.bytes.contains(&0) {
        loaded.file.text.clear(); // clients would print it, and terminals obey it
    }
    gateway.set_source_file(loaded.file.clone());
    match (input?, small) {
        (Input::Dockerfile, _) => {
            prepare::refuse_for_dockerfiles(&options)?;
            delegate::answer(gateway, &options, loaded).await
        }
        (Input::Spec, Some(request)) => {
            let call = Call { gateway, options: &options, loaded, mistakes };
            calls::answer(&call, request).await
        }
        (Input::Spec, None) => build(gateway, options, opened, mistakes).await,
    }
}

/// What is read before anything is built.
struct Opened {
    locations: Locations,
    loaded: Loaded,
    /// The patterns of `.dockerignore`.
    shared_ignore: Result<Vec<String>, LoadError>,
}

async fn open(gateway: &Gateway, options: &Options, builds: bool) -> Result<Opened, Failure> {
    let locations = context::locate(gateway, options).await?;
    if let emit::Tree::Graph(context) = &locations.context {
        prepare::require_all(gateway, context)?;
    }
    let shared_ignore = async {
        if builds { context::load_ignore(gateway, &locations).await } else { Ok(Vec::new()) }
    };
    // Side by side: each costs a turn to the client, and few specs have an ignore file of their own.
    let (loaded, shared_ignore) =
        tokio::join!(context::load_spec(gateway, &locations), shared_ignore);
    Ok(Opened { loaded: loaded?, shared_ignore, locations })
}

/// Builds what the target of a spec names, or answers a call that needs the same preparations.
async fn build(
    gateway: &Gateway,
    mut options: Options,
    Opened { locations, loaded, shared_ignore }: Opened,
    mistakes: Vec<Diagnostic>,
) -> Result<Answer, Failure> {
    let parsed = prepare::parse(&loaded, &options, mistakes)?;
    let spec = &parsed.spec;
    let target = target::choose(spec, &options)?;
    reports::refuse_stages(&options, &target)?;
    let today = prepare::today();
    let central = policy::central(gateway, &options, today).await?;
    let gate = Gate::of(Some(target.app), &options, central, today)?;
    // A report tells it beside all else.
    let is_image = options.request.is_none() && options.outcome == Outcome::Image;
    if is_image && target.stage.is_none() {
        proof::refuse(gate.without_test(target.app).into_iter().collect())?;
    }
    let given = prepare::arguments(&options, spec);
    let variables = Variables::new(&spec.args, &given).map_err(Failure::Refused)?;
    let probes = prepare::probes(gateway, &options).await?;
    let clock = epoch::Clock {
        gateway,
        locations: &locations,
        spec,
        variables: &variables,
        probes: &probes,
    };
    let timeless = clock.set(&mut options).await?;
    let variables = prepare::tell_time(&options, variables);
    let ignore = match &loaded.own_ignore {
        Some(own) => context::parse_ignore(own),
        None => shared_ignore?,
    };
    let platforms = prepare::platforms(&options, target.app, &variables)?;
    let abilities = Abilities::of(|cap| gateway.llb_caps().supports(cap));
    let build = Build {
        gateway,
        options: &options,
        fetched: locations.fetched.as_ref(),
        loaded: &loaded,
        parsed: &parsed,
        app: target.app,
        variables: &variables,
        settings: emit::Settings {
            several_platforms: platforms.len() > 1,
            ..prepare::settings(&options, locations.context.clone(), ignore, abilities)
        },
        probes,
        registry: prepare::registry(&options, spec, &variables)?,
        gate,
        today,
        apps: RefCell::default(),
    };
    build.warn(&target.news(&parsed.warnings).cloned().collect::<Vec<_>>()).await?;
    build.warn(target.warning(spec).as_slice()).await?;
    build.warn(&build.gate.warnings).await?;
    build.warn(timeless.as_slice()).await?;
    match options.request.as_deref() {
        Some(reports::CALL) => build.tell(&platforms).await,
        Some(request) => calls::plan::answer(&build, target.stage, &platforms, request).await,
        None => build.all(&target, &platforms).await,
    }
}

/// What all platforms of a build share.
pub(crate) struct Build<'a> {
    gateway: &'a Gateway,
    options: &'a Options,
    fetched: Option<&'a Fetched>,
    loaded: &'a Loaded,
    parsed: &'a Parsed,
    app: &'a App,
    variables: &'a Variables,
    settings: emit::Settings,
    probes: ProbeSettings,
    registry: String,
    gate: Gate,
    today: jiff::civil::Date,
    /// Apps that others copy from, by name and platform.
    apps: RefCell<BTreeMap<(String, String), pb::Definition>>,
}

/// An app for one platform, with everything that can be known without its base's files.
struct Drafted {
    draft: Draft,
    variables: Variables,
    /// Other apps that it copies from.
    apps: Vec<(String, pb::Definition)>,
}

/// An app in a graph.
struct LaidOut {
    plan: Plan,
    parts: Emitted,
    /// What was looked at for it.
    probes: Vec<Output>,
}

impl Build<'_> {
    /// The images for all platforms, or everything that is wrong with any of them.
    async fn all(&self, target: &Target<'_>, platforms: &[Platform]) -> Result<Answer, Failure> {
        let scanner = self.scanner().await?;
        let mut answer = Answer::new(platforms.len() > 1 || self.options.multi_platform);
        let result = |platform| self.result(target, platform, scanner.as_ref());
        let images = side_by_side(platforms.iter().map(result)).await;
        let images = self.all_of(platforms, images).await;
        let images = images.map_err(|failure| self.gate.idle_as_well(failure, platforms.len()))?;
        for (platform, image) in platforms.iter().zip(images) {
            answer.add(platform, image);
        }
        if target.stage.is_none() {
            self.warn(&self.gate.unused()).await?;
        }
        Ok(answer)
    }

    /// What came out for each platform, or everything that is wrong with any of them.
    async fn all_of<T>(
        &self,
        platforms: &[Platform],
        outcomes: Vec<Result<T, Failure>>,
    ) -> Result<Vec<T>, Failure> {
        let (mut failures, mut done) = (Vec::new(), Vec::new());
        for (platform, outcome) in platforms.iter().zip(outcomes) {
            match outcome {
                Ok(one) => done.push(one),
                Err(failure) => failures.push((platform.clone(), self.understand(failure).await)),
            }
        }
        Failure::of_all(failures, platforms.len()).map_or(Ok(done), Err)
    }

    /// What the target is, for one platform.
    async fn result(
        &self,
        target: &Target<'_>,
        platform: &Platform,
        scanner: Option<&Scanner>,
    ) -> Result<ImageResult, Failure> {
        match target.stage {
            Some(stage) => self.stage(stage, platform).await,
            None => self.image(platform, scanner).await,
        }
    }

    /// One image, proven, or the report on it.
    async fn image(
        &self,
        platform: &Platform,
        scanner: Option<&Scanner>,
    ) -> Result<ImageResult, Failure> {
        let drafted = self.draft(self.app, platform).await?;
        let mut emitter = Emitter::new(&drafted.draft, &self.settings);
        let looked_at = self.look(&mut emitter, &drafted).await?;
        if self.options.outcome == Outcome::Report {
            return self.report(&mut emitter, looked_at, platform).await;
        }
        let LookedAt { laid: LaidOut { plan, parts, probes }, verdict } = looked_at;
        self.warn(&proof::refuse(verdict.found)?).await?;
        let image = self.pass(&mut emitter, parts.image, &probes, &verdict.document.summary.text);
        let definition = self.marshal(&emitter, image);
        let found = self.solve(definition).await?.single()?;
        let evidence = self.evidence(&mut emitter, &probes, &verdict.document).await?;
        let packages = self.scan(&mut emitter, image, scanner).await?;
        let result = ImageResult::new(found, &plan, self.options);
        Ok(result.attested(evidence.into_iter().chain(packages)))
    }

    /// Names → images → paths and commands.
    async fn draft(&self, app: &App, platform: &Platform) -> Result<Drafted, Failure> {
        let build = self.options.build_platform();
        let variables = self.variables.on(platform, &build);
        let request = self.request(app, &variables, (platform, &build));
        let selection = plan::select(&request).map_err(Failure::Refused)?;
        let images = self.resolve(&selection).await?;
        self.judge_bases(&request, &selection, &images).await?;
        let apps = self.apps(&selection, platform).await?;
        let draft = plan::draft(&request, &selection, images).map_err(Failure::Refused)?;
        Ok(Drafted { draft, variables, apps })
    }

    /// What is asked for, with all that it may name.
    fn request<'b>(
        &'b self,
        app: &'b App,
        variables: &'b Variables,
        (target, build): (&'b Platform, &'b Platform),
    ) -> Request<'b> {
        Request {
            spec: &self.parsed.spec,
            app,
            variables,
            contexts: &self.options.contexts,
            certificates: &self.options.certificates,
            registry: &self.registry,
            target,
            build,
        }
    }

    /// The apps that a selection copies from.
    async fn apps(
        &self,
        selection: &Selection<'_>,
        platform: &Platform,
    ) -> Result<Vec<(String, pb::Definition)>, Failure> {
        let mut apps = Vec::new();
        for name in &selection.apps {
            // Boxed: an app may copy from one that copies from a third; `spec::parse` has refused
            // circles.
            let definition = Box::pin(self.app_definition(name, platform)).await?;
            apps.push((name.clone(), definition));
        }
        Ok(apps)
    }

    /// Another app of the file, to copy from: only the app that is built has to prove itself.
    async fn app_definition(
        &self,
        name: &str,
        platform: &Platform,
    ) -> Result<pb::Definition, Failure> {
        let key = (name.to_owned(), platform.id());
        if let Some(known) = self.apps.borrow().get(&key) {
            return Ok(known.clone()); // several apps may copy from it
        }
        let app = self.parsed.spec.apps.iter().find(|app| app.name.value == name);
        let app = app.ok_or_else(|| Failure::internal(format!("no app is named {name:?}")))?;
        let drafted = self.draft(app, platform).await?;
        let mut emitter = Emitter::new(&drafted.draft, &self.settings);
        let LaidOut { parts, probes, .. } = self.lay_out(&mut emitter, app, &drafted).await?;
        let image = self.pass(&mut emitter, parts.image, &probes, &format!("files of {name}"));
        let definition = self.marshal(&emitter, image);
        self.apps.borrow_mut().insert(key, definition.clone());
        Ok(definition)
    }

    /// Has the context sent while the base is looked at, if the app uses one. Whatever goes wrong
    /// goes wrong again where a context of the client is used, with a place in the spec; one that
    /// cannot be fetched is the address's fault.
    fn load_context<'b>(
        &'b self,
        emitter: &mut Emitter<'_>,
        draft: &Draft,
    ) -> impl Future<Output = Result<(), Failure>> + use<'b> {
        let is_used = draft.context_paths.as_ref().is_none_or(|paths| !paths.is_empty());
        let definition = is_used.then(|| {
            let context = emitter.context();
            self.marshal(emitter, context)
        });
        async move {
            let Some(definition) = definition else { return Ok(()) };
            let solve = Solve { evaluate: true, ..Solve::of(definition) };
            match (self.gateway.solve(solve).await, self.fetched) {
                (Err(error), Some(fetched)) => Err(context::unfetched(fetched, error).into()),
                _ => Ok(()),
            }
        }
    }

    /// Looks at the base, then lays out the layers.
    async fn lay_out(
        &self,
        emitter: &mut Emitter<'_>,
        app: &App,
        drafted: &Drafted,
    ) -> Result<LaidOut, Failure> {
        for (name, definition) in &drafted.apps {
            emitter
                .add_app(name.clone(), definition)
                .map_err(|error| unusable_app(name, &error))?;
        }
        let draft = &drafted.draft;
        let early = self.load_context(emitter, draft);
        let (facts, early) = tokio::join!(self.facts(emitter, draft), early);
        early?;
        let facts = facts?;
        let collisions = self.collisions(emitter, draft, &facts.value).await?;
        let settings = prepare::plan_settings(self.options, app, &drafted.variables);
        let plan = plan::finish(draft.clone(), &facts.value, &collisions.value, &settings.view())
            .map_err(Failure::Refused)?;
        let parts = emitter.image(&plan);
        Ok(LaidOut { plan, parts, probes: [facts.outputs, collisions.outputs].concat() })
    }

    /// The image, which the builder gives only together with what it was proven by.
    fn pass(
        &self,
        emitter: &mut Emitter<'_>,
        image: Output,
        probes: &[Output],
        summary: &str,
    ) -> Output {
        if evidence::can_pass(self.gateway) { emitter.pass(image, probes, summary) } else { image }
    }

    fn marshal(&self, emitter: &Emitter<'_>, output: Output) -> pb::Definition {
        emitter.graph().marshal(output, &[self.source_info()])
    }

    fn source_info(&self) -> pb::SourceInfo {
        let file = &self.loaded.file;
        pb::SourceInfo {
            filename: file.filename.clone(),
            data: file.text.clone().into_bytes(),
            definition: file.definition.clone(),
            language: file.language.clone(),
        }
    }

    async fn solve(&self, definition: pb::Definition) -> Result<crate::gateway::Solved, Failure> {
        prepare::require_all(self.gateway, &definition)?;
        let cache_imports = self.options.cache_imports.clone();
        let solve = Solve { cache_imports, ..Solve::of(definition) };
        Ok(self.gateway.solve(solve).await?)
    }
}

/// A fault: the graph of an app is our own.
fn unusable_app(name: &str, error: &ImportError) -> Failure {
    Failure::internal(format!("the files of the app {name:?} cannot be taken: {error}"))
}
