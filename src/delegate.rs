//! A Dockerfile under the same gate: BuildKit's own frontend converts it, hardpan proves the result.
//!
//! In: the options as they came and the file. Out: what Docker's frontend answers, with every key
//! and attestation, the images solved again together with their proof and their users as numbers.
//! Nothing of the Dockerfile language is known here; calls, mistakes and warnings are Docker's own.

mod checked;
mod evidence;
mod reports;
mod stages;
mod user;

use std::collections::BTreeMap;

use jiff::civil::Date;
use tokio::sync::OnceCell;

use crate::context::Loaded;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::emit::{ProbeSettings, Whole};
use crate::frontend::evidence::{about, can_pass, position};
use crate::frontend::policy::{self, Gate};
use crate::frontend::reports::CALL;
use crate::frontend::{Failure, lint, making, prepare, proof, testing};
use crate::gateway::{Gateway, Graph, Refs, Solve, Solved, side_by_side};
use crate::harden::{self, Judgement, Subject};
use crate::image::{ImageConfig, with_user};
use crate::input::Input;
use crate::inspect::evidence::Inventory;
use crate::inspect::inventory;
use crate::llb::{ImportError, Output};
use crate::options::{Options, Outcome};
use crate::platform::Platform;
use crate::proto::frontend::{
    Attestation, Attestations, Ref, RefMap, Result as BuildResult, result,
};
use crate::proto::pb;
use crate::report::Document;
use crate::result::Answer;

/// BuildKit's own name for its Dockerfile frontend.
const FRONTEND: &str = "dockerfile.v0";
/// The key of an image's config in a result.
const CONFIG: &str = "containerimage.config";
/// Its stages, and where they start.
const TARGETS: &str = "frontend.targets";

/// Answers one build of a Dockerfile, or one call.
pub(crate) async fn answer(
    gateway: &Gateway,
    options: &Options,
    loaded: &Loaded,
) -> Result<Answer, Failure> {
    let inputs = gateway.inputs().await.map_err(Failure::Dockerfile)?;
    let delegate = Delegate { gateway, options, loaded, inputs, last_stage: OnceCell::new() };
    let is_report = options.request.as_deref() == Some(CALL);
    if let Some(request) = options.request.as_ref().filter(|_| !is_report) {
        if request == lint::NAME {
            return delegate.checked().await;
        }
        return Ok(Answer::made(in_result(only_told(delegate.convert(Some(request)).await?))));
    }
    let probes = prepare::probes(gateway, options).await?;
    let today = prepare::today();
    let central = policy::central(gateway, options, today).await?;
    let gate = Gate::of(None, options, central, today)?;
    proof::warn(gateway, &loaded.vertex, &proof::counted(&options.lint, &gate.warnings)?).await?;
    let proof = Proof { delegate: &delegate, probes, gate, today };
    // A report tells it beside all else.
    if !is_report && options.outcome == Outcome::Image && proof.gate.policy.tested.is_some() {
        let place = delegate.place().await;
        proof::refuse(proof.gate.of_dockerfile(place).into_iter().collect())?;
    }
    let converted = delegate.convert(None).await?;
    if is_report {
        return proof.told(converted).await;
    }
    match options.outcome {
        Outcome::Report => proof.reported(converted).await,
        Outcome::Image => Ok(Answer::made(proof.of_all(converted).await?)),
    }
}

/// A Dockerfile, and what its build was asked with.
struct Delegate<'a> {
    gateway: &'a Gateway,
    options: &'a Options,
    loaded: &'a Loaded,
    inputs: BTreeMap<String, pb::Definition>,
    /// Where the stage starts that is built; asked for once something is found in its image.
    last_stage: OnceCell<Span>,
}

impl Delegate<'_> {
    /// Has Docker's frontend answer, with all that it was asked.
    async fn convert(&self, request: Option<&str>) -> Result<Solved, Failure> {
        let graph = Graph::Frontend {
            name: FRONTEND.to_owned(),
            options: options_for_docker(self.options, request),
            inputs: self.inputs.clone(),
        };
        let solve = Solve { graph, ..Solve::of(pb::Definition::default()) };
        self.gateway.solve(solve).await.map_err(Failure::Dockerfile)
    }

    /// The line to point at: the `FROM` of the stage that is built.
    async fn place(&self) -> Span {
        let ask = async {
            let told = self.convert(Some(TARGETS)).await.ok()?;
            stages::place(told.metadata.get("result.json")?, self.options.target.as_deref())
        };
        *self.last_stage.get_or_init(async || ask.await.unwrap_or(Span::START)).await
    }

    async fn solve(&self, definition: pb::Definition) -> Result<Option<Ref>, Failure> {
        let cache_imports = self.options.cache_imports.clone();
        let solve = Solve { cache_imports, ..Solve::of(definition) };
        let solved = self.gateway.solve(solve).await.map_err(Failure::Dockerfile)?;
        match solved.refs {
            Refs::Single(found) => Ok(found),
            Refs::ByPlatform(_) => Err(Failure::internal("one graph has given several images")),
        }
    }
}

/// What a call answers is words: no image comes along that nothing has proven.
fn only_told(converted: Solved) -> Solved {
    let Solved { mut metadata, .. } = converted;
    metadata.retain(|key, _| !key.starts_with("containerimage."));
    Solved { metadata, ..Solved::default() }
}

/// The options as they came, without those that are ours.
fn options_for_docker(options: &Options, request: Option<&str>) -> BTreeMap<String, String> {
    let is_ours = |key: &str| key.starts_with("build-arg:HARDPAN_");
    let mut passed = options.raw.clone();
    passed.retain(|key, _| !is_ours(key));
    // Any value keeps Docker's frontend from following the syntax line, which leads back to us.
    passed.entry("cmdline".to_owned()).or_insert_with(|| options.source.clone());
    passed.remove("requestid"); // it may be one of ours
    if let Some(request) = request {
        passed.insert("requestid".to_owned(), request.to_owned());
    }
    passed
}

/// The proof of what came out.
struct Proof<'a> {
    delegate: &'a Delegate<'a>,
    probes: ProbeSettings,
    gate: Gate,
    today: Date,
}

/// One image of the answer.
struct Made {
    /// Its platform, where the answer is a map of them.
    id: Option<String>,
    found: Option<Ref>,
    /// As it came.
    config: Vec<u8>,
}

/// One image that was looked at and judged.
struct Looked {
    whole: Whole,
    probe: Output,
    /// With numbers for its user.
    config: Vec<u8>,
    verdict: Verdict,
}

/// What was found out about an image.
struct Verdict {
    summary: String,
    document: Document,
    /// What the user is told; a mistake among it refuses the image.
    found: Vec<Diagnostic>,
}

/// One image that was found to be in order.
struct Proven {
    found: Option<Ref>,
    config: Vec<u8>,
    statements: Vec<Attestation>,
}

impl Proof<'_> {
    /// The whole answer, with every image proven and nothing else changed.
    async fn of_all(&self, converted: Solved) -> Result<BuildResult, Failure> {
        let Solved { refs, mut metadata, mut attestations } = converted;
        let images = made(refs, &metadata);
        let outcomes = side_by_side(images.iter().map(|image| self.of(image))).await;
        let proven = self.all_of(&images, outcomes)?;
        let mut by_platform = BTreeMap::new();
        let mut single = None;
        for (image, Proven { found, config, statements }) in images.iter().zip(proven) {
            if !statements.is_empty() {
                let key = evidence::key(image, &metadata);
                attestations.entry(key).or_default().attestation.extend(statements);
            }
            metadata.insert(config_key(image.id.as_deref()), config);
            match &image.id {
                Some(id) => drop(by_platform.insert(id.clone(), found)),
                None => single = found,
            }
        }
        let refs = if by_platform.is_empty() {
            Refs::Single(single)
        } else {
            Refs::ByPlatform(by_platform)
        };
        Ok(in_result(Solved { refs, metadata, attestations }))
    }

    /// What came out for each image, or all that is wrong with any of them.
    fn all_of<T>(
        &self,
        images: &[Made],
        outcomes: Vec<Result<T, Failure>>,
    ) -> Result<Vec<T>, Failure> {
        let (mut failures, mut done) = (Vec::new(), Vec::new());
        for (image, outcome) in images.iter().zip(outcomes) {
            match outcome {
                Ok(one) => done.push(one),
                Err(failure) => failures.push((self.platform(image), failure)),
            }
        }
        Failure::of_all(failures, images.len()).map_or(Ok(done), Err)
    }

    /// What an image is for; where the answer does not say it, there is only one.
    fn platform(&self, image: &Made) -> Platform {
        let builder = self.delegate.options.build_platform();
        let said = image.id.as_deref().and_then(|id| Platform::parse(id, &builder).ok());
        said.unwrap_or(builder)
    }

    /// One image: looked at, judged, handed on together with what was looked at.
    async fn of(&self, image: &Made) -> Result<Proven, Failure> {
        let Looked { mut whole, probe, config, verdict } = self.look(image).await?;
        self.tell(verdict.found).await?;
        let found = self.pass(image, (&mut whole, probe), &verdict.summary).await?;
        let statements = self.evidence((&mut whole, probe), &verdict.document).await?;
        Ok(Proven { found, config, statements })
    }

    /// Looks at an image and judges it.
    async fn look(&self, image: &Made) -> Result<Looked, Failure> {
        let parsed = ImageConfig::parse(&image.config)
            .map_err(|error| Failure::internal(error.to_string()))?;
        let platform = image.id.clone().unwrap_or_else(|| parsed.platform());
        self.refuse_other_systems(&platform, &parsed.os).await?;
        let prefix = image.id.as_ref().map(|id| format!("{id} ")).unwrap_or_default();
        let mut whole =
            Whole::import(&definition(image)?, prefix).map_err(|error| unreadable(&error))?;
        let config = making::config_of(
            &parsed,
            self.delegate.options,
            (whole.lineage(), &self.delegate.inputs),
        );
        let args = proof::inventory_args(&config, &platform, &[])?;
        let probe = whole.inventory(&self.probes, args)?;
        let inventory = self.read(whole.definition(probe)).await?;
        let numbers = user::as_numbers(&config.user, &inventory.user);
        // Boxed: the evidence is more than a stack should hold while the builder is asked.
        let verdict = self.judge(&platform, inventory, (config, numbers.as_deref()));
        let verdict = Box::pin(verdict).await;
        let config = match numbers {
            Some(numbers) => with_user(&image.config, &numbers)
                .map_err(|error| Failure::internal(error.to_string()))?,
            None => image.config.clone(),
        };
        Ok(Looked { whole, probe, config, verdict })
    }

    /// What the image says itself counts as well: engines go by it.
    async fn refuse_other_systems(&self, platform: &str, os: &str) -> Result<(), Failure> {
        let said = [platform.split('/').next().unwrap_or_default(), os];
        let Some(other) = said.into_iter().find(|os| !os.is_empty() && *os != "linux") else {
            return Ok(());
        };
        let place = self.delegate.place().await;
        Err(Failure::Refused(vec![prepare::not_linux(Code::NoSuchPlatform, place, other)]))
    }

    /// What holds for an image as it will be handed out, and what is wrong with it.
    async fn judge(
        &self,
        platform: &str,
        mut inventory: Inventory,
        (mut config, numbers): (harden::Config, Option<&str>),
    ) -> Verdict {
        let mut found = Vec::new();
        if let Some(numbers) = numbers {
            found.extend(user::lost_groups(&config.user, &mut inventory.user));
            numbers.clone_into(&mut config.user);
        }
        let subject = Subject {
            inventory: &inventory,
            config: &config,
            platform,
            today: self.today,
            writable: &[],
            base_known: false,
            input: Input::Dockerfile,
        };
        let judgement = harden::judge(&subject, &self.gate.policy);
        let news = self.gate.explained(told(&judgement), self.today);
        found.extend(proof::diagnostics(&news, |_| Span::START));
        found.extend(proof::undecided(&judgement, Span::START));
        let untested = self.gate.of_dockerfile(Span::START);
        found.extend(untested.clone());
        let is_told = !(found.is_empty() && judgement.findings.is_empty());
        let place = if is_told { self.delegate.place().await } else { Span::START };
        for one in &mut found {
            one.span = place;
        }
        let Delegate { loaded, .. } = self.delegate;
        let place = position(&loaded.file.filename, place);
        let about = about("dockerfile", loaded, &self.probes);
        let mut document = Document::new(&subject, &judgement, about, |_| Some(place.clone()));
        document
            .add_tests(untested.iter().map(|one| testing::required(one, place.clone())).collect());
        Verdict { summary: summary(&subject, &judgement), document, found }
    }

    async fn read(&self, definition: pb::Definition) -> Result<Inventory, Failure> {
        let found = self.delegate.solve(definition).await?;
        let found = found.ok_or_else(|| Failure::internal("the inspection has no answer"))?;
        let json = self.delegate.gateway.read_file(&found, inventory::FILE, proof::MAX_ANSWER);
        proof::parse(&json.await.map_err(Failure::Dockerfile)?)
    }

    /// Refuses the image, or shows what should be known of it.
    async fn tell(&self, mut found: Vec<Diagnostic>) -> Result<(), Failure> {
        name_way_out(&mut found, self.delegate.options.target.as_deref());
        let warned = proof::counted(&self.delegate.options.lint, &proof::refuse(found)?)?;
        proof::warn(self.delegate.gateway, &self.delegate.loaded.vertex, &warned).await
    }

    /// The image as BuildKit gives it only together with its inspection. An older one gets the image
    /// as Docker's frontend returned it; it was inspected all the same.
    async fn pass(
        &self,
        image: &Made,
        (whole, probe): (&mut Whole, Output),
        summary: &str,
    ) -> Result<Option<Ref>, Failure> {
        if !can_pass(self.delegate.gateway) {
            return Ok(image.found.clone());
        }
        let passed = whole.pass(probe, summary);
        self.delegate.solve(whole.definition(passed)).await
    }
}

/// The graph of an image; no image at all is the empty one.
fn definition(image: &Made) -> Result<pb::Definition, Failure> {
    let Some(found) = &image.found else { return Ok(pb::Definition::default()) };
    let told = found.def.clone().filter(|definition| !definition.def.is_empty());
    told.ok_or_else(|| Failure::internal("the builder does not say what the image is made of"))
}

/// What a user is told: that root is no number helps nobody who is told not to be root.
fn told(judgement: &Judgement) -> Vec<harden::Finding> {
    let is_root = judgement.blocking().any(|finding| finding.check.0 == "USR-01");
    let mut findings = judgement.findings.clone();
    findings.retain(|finding| !(is_root && finding.check.0 == "USR-02"));
    findings
}

/// Tells whoever asks for a stage how to have one that is no product; once, behind the last mistake.
fn name_way_out(found: &mut [Diagnostic], target: Option<&str>) {
    let mut errors = found.iter_mut().filter(|one| one.refuses());
    let (Some(_), Some(last)) = (target, errors.next_back()) else { return };
    let way = "a stage that is no product is built without the gate by \
               `--build-arg BUILDKIT_SYNTAX=docker/dockerfile:1`";
    last.help =
        Some(last.help.take().map_or_else(|| way.to_owned(), |help| format!("{help}; {way}")));
}

/// What was proven, and what nobody could prove without the base.
fn summary(subject: &Subject<'_>, judgement: &Judgement) -> String {
    let open = judgement.checks.iter().filter_map(|(id, status)| {
        matches!(status, harden::Status::NotEvaluated(_)).then_some(id.0)
    });
    let open: Vec<&str> = open.collect();
    let proven = harden::summary(subject, judgement);
    let open = if open.is_empty() {
        String::new()
    } else {
        format!(", not evaluated: {}", open.join(" "))
    };
    format!("Dockerfile: {proven}{open}")
}

fn unreadable(error: &ImportError) -> Failure {
    Failure::internal(format!("what Docker's frontend made of the file cannot be read: {error}"))
}

fn config_key(id: Option<&str>) -> String {
    id.map_or_else(|| CONFIG.to_owned(), |id| format!("{CONFIG}/{id}"))
}

/// The images of an answer with their configs. One without a config starts as root, as BuildKit
/// would have it start.
fn made(refs: Refs, metadata: &BTreeMap<String, Vec<u8>>) -> Vec<Made> {
    let refs: Vec<(Option<String>, Option<Ref>)> = match refs {
        Refs::Single(found) => vec![(None, found)],
        Refs::ByPlatform(all) => all.into_iter().map(|(id, found)| (Some(id), found)).collect(),
    };
    let image = |(id, found): (Option<String>, Option<Ref>)| {
        let config = metadata.get(&config_key(id.as_deref()));
        Made { id, found, config: config.cloned().unwrap_or_else(|| b"{}".to_vec()) }
    };
    refs.into_iter().map(image).collect()
}

/// What goes back to the builder, which knows its refs by their ids.
fn in_result(Solved { refs, metadata, attestations }: Solved) -> BuildResult {
    let bare = |found: Ref| Ref { def: None, ..found };
    let result = match refs {
        Refs::Single(found) => found.map(bare).map(result::Result::Ref),
        Refs::ByPlatform(all) => {
            let refs = all.into_iter().map(|(id, found)| (id, bare(found.unwrap_or_default())));
            Some(result::Result::Refs(RefMap { refs: refs.collect() }))
        }
    };
    let without_definitions = |(id, mut all): (String, Attestations)| {
        for one in &mut all.attestation {
            one.r#ref = one.r#ref.take().map(bare);
        }
        (id, all)
    };
    let attestations = attestations.into_iter().map(without_definitions).collect();
    BuildResult { result, metadata, attestations }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn a_target_that_is_refused_has_a_way_out_that_is_told_once() {
        let error = |code| Diagnostic::error(Code::Check(code), Span::START, "no").help("write x");
        let warning = Diagnostic::warning(Code::Check("SHL-03"), Span::START, "no").help("write x");
        let helps = |target| {
            let mut found = vec![error("USR-01"), error("SHL-02"), warning.clone()];
            name_way_out(&mut found, target);
            found.into_iter().map(|one| one.help.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(helps(None), ["write x"; 3]);
        let helps = helps(Some("test"));
        assert_eq!((helps[0].as_str(), helps[2].as_str()), ("write x", "write x"));
        assert!(helps[1].starts_with("write x; a stage that is no product"), "{helps:?}");
        assert!(
            helps[1].contains("`--build-arg BUILDKIT_SYNTAX=docker/dockerfile:1`"),
            "{helps:?}"
        );
    }
}
