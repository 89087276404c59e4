//! What is looked at while an image is built: the runtime base before its layers are laid out, the
//! layers and the base before the image is handed out.

use jiff::civil::Date;

use crate::bases::judge::{Side, judge_dev, judge_runtime};
use crate::bases::labels::Declared;
use crate::bases::resolve::{Resolved, Root};
use crate::diagnostic::{self, Code, Diagnostic, Span};
use crate::emit::{CollisionsProbe, Emitted, Emitter, InventoryProbe};
use crate::frontend::making::{Inputs, config_of};
use crate::frontend::{Build, Drafted, Failure, LaidOut, policy, testing};
use crate::gateway::{EntryKind, Gateway, Warning, status};
use crate::harden::{self, Finding, Judgement, Origin, Severity, Subject};
use crate::input::Input;
use crate::inspect::collisions::{self, Collisions};
use crate::inspect::entry::Kind;
use crate::inspect::evidence::Inventory;
use crate::inspect::facts::{self, Facts};
use crate::inspect::inventory;
use crate::llb::{Lineage, Output};
use crate::options::LintRules;
use crate::plan::{AllCollisions, Draft, Files, Pick, Plan, Request, Selection, What};
use crate::report::Document;

/// The largest answer of a probe that is read; they are bounded where they are written.
pub(crate) const MAX_ANSWER: usize = 64 << 20;
/// The most that a config may ask an inspection: the kernel takes 128 KiB as one argument.
const MAX_WORDS: usize = 120 << 10;
/// The most warnings of one kind that are shown: a client prints each of them.
const MAX_WARNINGS: usize = 20;

/// What a probe found, and the probe itself.
pub(super) struct Probed<T> {
    pub(super) value: T,
    pub(super) outputs: Vec<Output>,
}

/// What was found out about an image.
pub(super) struct Verdict {
    /// All of it, as a document for others.
    pub(super) document: Document,
    /// What the user is told; a mistake among it refuses the image.
    pub(super) found: Vec<Diagnostic>,
    pub(super) outputs: Vec<Output>,
}

/// An app in a graph, and what was found out about it.
pub(super) struct LookedAt {
    pub(super) laid: LaidOut,
    pub(super) verdict: Verdict,
}

impl Build<'_> {
    /// All images of a selection, with digests and configs.
    pub(super) async fn resolve(
        &self,
        selection: &Selection<'_>,
    ) -> Result<Vec<Resolved>, Failure> {
        let images = &selection.images;
        Ok(crate::bases::resolve::resolve(self.gateway, images, self.options).await?)
    }

    /// What the runtime base has where something will be placed.
    pub(super) async fn facts(
        &self,
        emitter: &mut Emitter<'_>,
        draft: &Draft,
    ) -> Result<Probed<Facts>, Failure> {
        let base = emitter.base(draft.runtime);
        let output = emitter.facts(&self.probes, base, &draft.destinations())?;
        let json = self.read(emitter, output, facts::FILE).await?;
        let value =
            Facts::from_json(&json).map_err(|error| Failure::internal(error.to_string()))?;
        Ok(Probed { value, outputs: vec![output] })
    }

    /// What folders run into that are placed over folders of the base with something in them.
    pub(super) async fn collisions(
        &self,
        emitter: &mut Emitter<'_>,
        draft: &Draft,
        facts: &Facts,
    ) -> Result<Probed<AllCollisions>, Failure> {
        let mut all = AllCollisions::new();
        let mut outputs = Vec::new();
        for (index, item) in draft.items.iter().enumerate() {
            for (inner, placement) in item.placements.iter().enumerate() {
                let What::Files(files) = &placement.what else { continue };
                let wanted = crate::paths::join("/", &placement.dest);
                let destination = facts.destination(&wanted);
                let there = destination.and_then(|found| found.end().entry.as_ref());
                if let Some(entry) = there.filter(|_| !placement.dest.ends_with('/')) {
                    let is_folder = entry.attributes.kind == Kind::Folder;
                    self.require_kind(emitter, files, (&wanted, item.span, is_folder)).await?;
                }
                let folder = destination.and_then(|found| found.folder());
                let Some(folder) = folder.filter(|place| place.holds.folders || place.holds.links)
                else {
                    continue;
                };
                let source = emitter.poured(files);
                let base = emitter.base(draft.runtime);
                let probe = CollisionsProbe { base, source, destination: folder.path.clone() };
                let output = emitter.collisions(&self.probes, &probe)?;
                let json = self.read(emitter, output, collisions::FILE).await?;
                let found = Collisions::from_json(&json)
                    .map_err(|error| Failure::internal(error.to_string()))?;
                all.insert((index, inner), found);
                outputs.push(output);
            }
        }
        Ok(Probed { value: all, outputs })
    }

    /// Refuses a file where the base has a folder, and a folder where it has a file. A copy would
    /// put the file into the folder, and a merge replace one by the other without a word.
    async fn require_kind(
        &self,
        emitter: &mut Emitter<'_>,
        files: &Files,
        (dest, span, is_folder): (&str, Span, bool),
    ) -> Result<(), Failure> {
        let Pick::Path { path, .. } = &files.pick else { return Ok(()) };
        let output = emitter.source_of(files);
        let found = self.solve(self.marshal(emitter, output)).await?.single()?;
        let entry = match self.gateway.stat_file(&found, path).await {
            Ok(entry) => entry,
            // What is absent fails in the copy itself, or may be absent.
            Err(error) if error.is_missing_file() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if (entry.kind == EntryKind::Folder) == is_folder {
            return Ok(());
        }
        let (has, gets) = if is_folder { ("folder", "file") } else { ("file", "folder") };
        let message =
            format!("{dest:?} is a {has} of the runtime base, and a {gets} would take its place");
        let help = if is_folder {
            format!("write `to: {dest}/` to place the file in it, or choose another place")
        } else {
            "choose another place with `to`".to_owned()
        };
        let mistake = Diagnostic::error(Code::FileOverFolder, span, message).help(help);
        Err(Failure::Refused(vec![mistake]))
    }

    /// Lays an image out and judges what comes of it.
    pub(super) async fn look(
        &self,
        emitter: &mut Emitter<'_>,
        drafted: &Drafted,
    ) -> Result<LookedAt, Failure> {
        let mut laid = self.lay_out(emitter, self.app, drafted).await?;
        let mut verdict = self.prove(emitter, &laid.plan, &laid.parts).await?;
        let tested = if verdict.found.iter().any(Diagnostic::refuses) {
            self.untested(&laid.plan)
        } else {
            self.test(emitter, &laid.plan, laid.parts.image).await?
        };
        verdict.add(tested);
        verdict.add(self.unproven());
        laid.probes.append(&mut verdict.outputs);
        Ok(LookedAt { laid, verdict })
    }

    /// Inspects the image and judges it: what is found, at the lines that brought it about.
    async fn prove(
        &self,
        emitter: &mut Emitter<'_>,
        plan: &Plan,
        parts: &Emitted,
    ) -> Result<Verdict, Failure> {
        let lineage = emitter.graph().lineage(parts.image, Some(parts.base));
        // Of a spec, all is pinned but what whoever builds hands over.
        let is_pinned = lineage.unpinned().next().is_none();
        let inputs = if is_pinned { Inputs::new() } else { self.gateway.inputs().await? };
        let config = self.judged(plan, (lineage, &inputs));
        let platform = plan.platform.id();
        let writable: Vec<String> =
            plan.writable.iter().map(|path| path.resolved.clone()).collect();
        let args = inventory_args(&config, &platform, &testing::asked(plan, &writable))?;
        let probe = InventoryProbe { base: parts.base, layers: &parts.layers, args };
        let output = emitter.inventory(&self.probes, &probe)?;
        let inventory = parse(&self.read(emitter, output, inventory::FILE).await?)?;
        let subject = Subject {
            inventory: &inventory,
            config: &config,
            platform: &platform,
            today: self.today,
            writable: &writable,
            base_known: true,
            input: Input::Spec,
        };
        let judgement = harden::judge(&subject, &self.gate.policy);
        let base = plan.images[plan.runtime].span;
        // Said when the base was found (`judge_bases`).
        let is_known = |one: &&Finding| one.check.0 == "SUP-04" && one.severity == Severity::Warn;
        let news = judgement.findings.iter().filter(|one| !is_known(one)).cloned();
        let news: Vec<Finding> = news.collect();
        let news = self.gate.explained(news, self.today);
        let mut found = diagnostics(&news, |finding| place(finding, plan));
        found.extend(undecided(&judgement, base));
        found.extend(self.gate.told(&judgement));
        found.extend(testing::occupied(plan, &inventory));
        let document = self.written(plan, &subject, &judgement);
        Ok(Verdict { document, found, outputs: vec![output] })
    }

    /// What the checks look at besides files: the config, and how it came about.
    fn judged(&self, plan: &Plan, made: (Lineage, &Inputs)) -> harden::Config {
        let base = &plan.images[plan.runtime];
        // What bake hands over has no digest: the graph that it is made by pins it.
        let is_image = matches!(base.root, Root::Source(_));
        let layers = plan.config.history.iter().skip(base.config.history.len());
        harden::Config {
            history: layers.map(|entry| entry.created_by.clone()).collect(),
            base: harden::Base {
                name: if is_image { base.shown() } else { String::new() },
                from_catalogue: base.reference.starts_with(&self.registry),
                labels: base.config.config.labels.clone(),
                env: base.config.config.env.clone(),
            },
            ..config_of(&plan.config, self.options, made)
        }
    }

    /// Refuses bases that will not do, before anything is built.
    pub(super) async fn judge_bases(
        &self,
        request: &Request<'_>,
        selection: &Selection<'_>,
        images: &[Resolved],
    ) -> Result<(), Failure> {
        let found = base_findings(request, selection, images, self.today);
        let found = policy::excuse(found, &self.gate.policy, self.today);
        self.warn(&refuse(found)?).await
    }

    /// Shows warnings to the user; the build goes on, unless the user wants none.
    pub(super) async fn warn(&self, found: &[Diagnostic]) -> Result<(), Failure> {
        let found = counted(&self.options.lint, found)?;
        warn(self.gateway, &self.loaded.vertex, &found).await
    }

    pub(super) async fn read(
        &self,
        emitter: &Emitter<'_>,
        output: Output,
        file: &str,
    ) -> Result<Vec<u8>, Failure> {
        let found = self.solve(self.marshal(emitter, output)).await?.single()?;
        Ok(self.gateway.read_file(&found, file, MAX_ANSWER).await?)
    }
}

/// The warnings that the user wants to see; a refusal, if no build may have any.
pub(crate) fn counted(rules: &LintRules, found: &[Diagnostic]) -> Result<Vec<Diagnostic>, Failure> {
    let counts = |one: &&Diagnostic| rules.counts(one.code.id());
    let found: Vec<Diagnostic> = found.iter().filter(counts).cloned().collect();
    if rules.is_error && !found.is_empty() {
        return Err(Failure::Refused(found.into_iter().map(as_error).collect()));
    }
    Ok(found)
}

/// Shows warnings at the vertex that loaded the file.
pub(crate) async fn warn(
    gateway: &Gateway,
    vertex: &str,
    found: &[Diagnostic],
) -> Result<(), Failure> {
    for (index, one) in found.iter().take(MAX_WARNINGS).enumerate() {
        let code = one.code;
        let more = found.len() - MAX_WARNINGS.min(found.len());
        let rest = if index + 1 == MAX_WARNINGS && more > 0 {
            format!(" (and {more} more warnings)")
        } else {
            String::new()
        };
        let warning = Warning {
            vertex: vertex.to_owned(),
            short: status::escape(&format!("{code}: {}{rest}", one.message)).into_owned(),
            detail: one.help.iter().map(|help| status::escape(help).into_owned()).collect(),
            url: code.url(),
            span: Some(one.span),
        };
        gateway.warn(warning).await?;
    }
    Ok(())
}

/// A warning where `BUILDKIT_DOCKERFILE_CHECK=error=true` wants none.
fn as_error(warning: Diagnostic) -> Diagnostic {
    let why = "BUILDKIT_DOCKERFILE_CHECK makes this warning an error";
    let help = warning.help.map_or_else(|| why.to_owned(), |help| format!("{help}; {why}"));
    Diagnostic { severity: diagnostic::Severity::Error, help: Some(help), ..warning }
}

/// What the configs of the bases of an app say against them.
pub(super) fn base_findings(
    request: &Request<'_>,
    selection: &Selection<'_>,
    images: &[Resolved],
    today: Date,
) -> Vec<Diagnostic> {
    let declared: Vec<Declared> =
        images.iter().map(|image| Declared::read(&image.config.config.labels)).collect();
    let side = |index: usize| {
        let image: &Resolved = &images[index];
        Side {
            name: image.reference.strip_prefix(request.registry).unwrap_or(&image.reference),
            declared: &declared[index],
            user: &image.config.config.user,
            span: image.span,
        }
    };
    let runtime = side(selection.runtime);
    let mut found = judge_runtime(&runtime, request.app.user.is_some(), today);
    if let Some(dev) = selection.dev {
        found.extend(judge_dev(&side(dev), &runtime, today));
    }
    found
}

/// The words of an inventory's command line, apart from the mounts.
pub(crate) fn inventory_args(
    config: &harden::Config,
    platform: &str,
    writable: &[String],
) -> Result<Vec<String>, Failure> {
    let mut started = config.started();
    started.ask.extend_from_slice(writable);
    let words =
        serde_json::to_string(&started).map_err(|error| Failure::internal(error.to_string()))?;
    if words.len() > MAX_WORDS {
        return Err(Failure::Refused(vec![too_long()]));
    }
    let args = ["--config", &words, "--platform", platform, "--rules", harden::RULES];
    Ok(args.map(str::to_owned).to_vec())
}

fn too_long() -> Diagnostic {
    let kib = MAX_WORDS >> 10;
    let message = format!(
        "RUN-01 cannot be decided (the command is not in the image): command, PATH, volumes and \
         writable paths together are longer than {kib} KiB"
    );
    Diagnostic::error(Code::Check("RUN-01"), Span::START, message)
        .help("put fewer folders into PATH, and name fewer volumes")
}

/// What an inventory has answered.
pub(crate) fn parse(json: &[u8]) -> Result<Inventory, Failure> {
    Inventory::from_json(json).map_err(|error| Failure::internal(error.to_string()))
}

/// Refuses if there is a mistake; otherwise gives the warnings back.
pub(crate) fn refuse(found: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Failure> {
    let (refused, warned): (Vec<_>, Vec<_>) = found.into_iter().partition(Diagnostic::refuses);
    if refused.is_empty() {
        return Ok(warned);
    }
    Err(Failure::Refused(refused.into_iter().chain(warned).collect()))
}

/// Checks that would refuse the image and could not be decided.
pub(crate) fn undecided(judgement: &Judgement, place: Span) -> Vec<Diagnostic> {
    let open = judgement.undecided();
    open.filter(|(_, reason)| !is_told(judgement, reason))
        .map(|(check, reason)| {
            let (id, title) = (check.id, check.title);
            let message = format!("{id} cannot be decided ({title}): {reason}");
            let help = if reason.starts_with(harden::UNKNOWN_USER) {
                "name the user by numbers, such as `1000:1000`"
            } else if id.0.starts_with("RUN-") {
                "start the program by its whole path, or put fewer folders into PATH"
            } else {
                "place fewer or plainer files, so that all of them can be looked at"
            };
            Diagnostic::error(Code::Check(id.0), place, message).help(help)
        })
        .collect()
}

/// Whether a finding says already why a check could not be decided: whoever names a user that is not
/// there is told that, and not what follows from it; a folder that was not listed is told once.
fn is_told(judgement: &Judgement, reason: &str) -> bool {
    judgement.blocking().any(|finding| {
        let id = finding.check.0;
        let is_of_user =
            ["USR-03", "USR-05"].contains(&id) && finding.origin == Origin::Config("user");
        let folder = finding.path.as_ref().filter(|_| id == "SHL-02");
        is_of_user && reason.starts_with(harden::UNKNOWN_USER)
            || folder.is_some_and(|folder| harden::is_unlisted(reason, folder))
    })
}

/// The line that brought a finding about.
pub(super) fn place(finding: &Finding, plan: &Plan) -> Span {
    let base = plan.images[plan.runtime].span;
    match finding.origin {
        Origin::App { layer } => plan.layers.get(layer).map_or(base, |layer| layer.span),
        Origin::Base | Origin::Image => base,
        Origin::Config(field) => {
            // `8080` of the spec is `8080/tcp` of the config.
            let entry = finding.entry.as_deref().unwrap_or_default();
            let short = entry.split('/').next().unwrap_or(entry);
            let places = &plan.places;
            let exact = places.entry(field, entry).or_else(|| places.entry(field, short));
            exact.or_else(|| places.of(field)).unwrap_or(base)
        }
    }
}

/// The checks of how a command starts.
const OF_A_START: [&str; 5] = ["RUN-01", "RUN-02", "RUN-03", "RUN-04", "RUN-05"];

/// The findings that the user is told, each at its line; those that are waived are none of them.
pub(crate) fn diagnostics(
    findings: &[Finding],
    place: impl Fn(&Finding) -> Span,
) -> Vec<Diagnostic> {
    // That the shell of a command cannot start is no reason to look for a way to start it.
    let refuses = |one: &Finding| one.check.0 == "SHL-05" && one.blocks();
    let needs_shell = findings.iter().any(refuses);
    let is_moot = |finding: &Finding| needs_shell && OF_A_START.contains(&finding.check.0);
    let counts = |one: &&Finding| one.severity >= Severity::Warn && one.waived.is_none();
    let told = findings.iter().filter(counts).filter(|one| !is_moot(one));
    told.map(|finding| {
        let code = Code::Check(finding.check.0);
        let (span, message) = (place(finding), finding.message.clone());
        let found = match finding.severity {
            Severity::Block => Diagnostic::error(code, span, message),
            Severity::Warn | Severity::Info => Diagnostic::warning(code, span, message),
        };
        found.help(finding.help.clone())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::inspect::evidence::{Gap, Part};

    /// What an image with one user called `app` and one program looks like when it starts so.
    fn looked_at(config: &harden::Config) -> Inventory {
        let root = tempfile::tempdir().unwrap();
        let out = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("etc/passwd", "root:x:0:0::/:\napp:x:1000:1000::/:\n");
        write("etc/group", "root:x:0:\napp:x:1000:\n");
        let mut words = vec!["--base".into(), root.path().as_os_str().to_owned()];
        let args = inventory_args(config, "linux/amd64", &[]).unwrap();
        words.extend(args.into_iter().map(Into::into));
        words.extend(["--out".into(), out.path().as_os_str().to_owned()]);
        assert_eq!(inventory::run(words.into_iter()), std::process::ExitCode::SUCCESS);
        let path: &Path = out.path();
        parse(&std::fs::read(path.join(inventory::FILE)).unwrap()).unwrap()
    }

    /// The codes, messages and help of what a user is told of a Dockerfile's image.
    fn told(config: &harden::Config, change: impl FnOnce(&mut Inventory)) -> Vec<Diagnostic> {
        let mut inventory = looked_at(config);
        change(&mut inventory);
        let subject = Subject {
            inventory: &inventory,
            config,
            platform: "linux/amd64",
            today: jiff::civil::date(2026, 11, 23),
            writable: &[],
            base_known: false,
            input: Input::Dockerfile,
        };
        let judgement = harden::judge(&subject, &harden::Policy::default());
        let mut found = diagnostics(&judgement.findings, |_| Span::START);
        found.extend(undecided(&judgement, Span::START));
        found.retain(Diagnostic::refuses);
        found
    }

    fn codes(found: &[Diagnostic]) -> Vec<&str> {
        found.iter().map(|one| one.code.id()).collect()
    }

    fn config(user: &str, entrypoint: &[&str], cmd: &[&str]) -> harden::Config {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let (entrypoint, cmd) = (words(entrypoint), words(cmd));
        let platform = "linux/amd64".to_owned();
        let user = user.to_owned();
        harden::Config { user, entrypoint, cmd, platform, ..harden::Config::default() }
    }

    #[test]
    fn of_a_user_that_is_not_there_only_that_is_told() {
        let found = told(&config("gone:gone", &["/app"], &[]), |_| {});
        assert_eq!(codes(&found), ["USR-02", "USR-05"]);
        let found = told(&config("4000000000:1", &["/app"], &[]), |_| {});
        assert_eq!(codes(&found), ["USR-03"]);
    }

    #[test]
    fn what_cannot_be_decided_is_told_with_its_reason_and_a_way_out() {
        let cut = |inventory: &mut Inventory| {
            inventory.shells.truncated = true;
            inventory.entrypoint.as_mut().unwrap().truncated = true;
        };
        let found = told(&config("1000:1000", &["/app"], &[]), cut);
        let said = |code: &str| {
            let one = found.iter().find(|one| one.code.id() == code).unwrap();
            (one.message.clone(), one.help.clone().unwrap())
        };
        let (message, help) = said("SHL-04");
        assert_eq!(
            message,
            "SHL-04 cannot be decided (a program with a shell in it): too many files look like shells"
        );
        assert!(help.starts_with("place fewer or plainer files"), "{help}");
        let (message, help) = said("RUN-02");
        assert!(message.ends_with(": there are too many places to look at"), "{message}");
        assert!(help.contains("PATH"), "{help}");
    }

    #[test]
    fn a_folder_that_was_not_listed_is_told_once() {
        let gap = |inventory: &mut Inventory| {
            inventory.not_evaluated.items.push(Gap {
                path: "/app/deep".to_owned(),
                part: Part::Folder,
                reason: "it lies too deep".to_owned(),
            });
        };
        let found = told(&config("1000:1000", &["/app"], &[]), gap);
        let of_folder = found.iter().filter(|one| one.message.contains("it lies too deep"));
        assert_eq!(of_folder.map(|one| one.code.id()).collect::<Vec<_>>(), ["SHL-02"]);
    }

    #[test]
    fn a_config_that_no_argument_holds_is_refused_in_one_sentence() {
        let volumes = |count: usize| harden::Config {
            volumes: (0..count).map(|number| format!("/srv/{number:040}")).collect(),
            ..config("1000:1000", &["/app"], &[])
        };
        assert!(inventory_args(&volumes(1_000), "linux/amd64", &[]).is_ok());
        let Err(Failure::Refused(found)) = inventory_args(&volumes(4_000), "linux/amd64", &[])
        else {
            panic!("refused");
        };
        assert_eq!(codes(&found), ["RUN-01"]);
        assert!(found[0].message.ends_with("longer than 120 KiB"), "{}", found[0].message);
    }

    #[test]
    fn a_text_as_command_is_told_as_such_and_in_the_words_of_its_field() {
        let text = ["/bin/sh", "-c", "node server.mjs"];
        for (field, start) in [
            ("ENTRYPOINT", config("1000:1000", &text, &["x"])),
            ("CMD", config("1000:1000", &[], &text)),
        ] {
            let found = told(&start, |_| {});
            assert_eq!(codes(&found), ["SHL-05"], "no way to start the shell is looked for");
            let help = found[0].help.as_deref().unwrap();
            assert!(help.contains(&format!("`{field} [\"node\", ")), "{help}");
            assert!(help.ends_with("a list has double quotes"), "{help}");
        }
        let found = told(&config("1000:1000", &["/gone"], &[]), |_| {});
        assert_eq!(codes(&found), ["RUN-01"], "other commands are followed");
    }
}
