//! Golden tests: spec and options in, plan, graph and image config out, all of it pure.
//!
//! A case is a folder `tests/golden/NAME` with `hardpan.yaml` and, where it needs them, `options`
//! (one option of the frontend a line), `ignore`, `base.txt` (lines that are added to the root file
//! system of the base), `collisions.json` and `builder` (`no merge`, `no links`). What comes out is
//! kept in `plan`, `llb` and `image`, or in `error`. `UPDATE=1 cargo test --test golden` rewrites them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail here")]

#[path = "support/fake_base.rs"]
#[allow(unreachable_pub, missing_docs, missing_debug_implementations, reason = "a test's own")]
mod fake_base;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fake_base::Tree;
use hardpan::bases::Resolved;
use hardpan::context::parse_ignore;
use hardpan::diagnostic::{Diagnostic, Severity};
use hardpan::emit::{self, Abilities, Emitter, Settings};
use hardpan::frontend::{Failure, prepare, target};
use hardpan::gateway::{SourceFile, status};
use hardpan::inspect::collisions::{Collision, Collisions};
use hardpan::llb::{Digest, Output};
use hardpan::options::Options;
use hardpan::plan::{self, AllCollisions, Request, variables::Variables};
use hardpan::spec::{self, model::Stage};
use prost::Message as _;

/// One test for each folder.
macro_rules! cases {
    ($($name:ident)*) => {
        const CASES: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { check(stringify!($name)); })*
    };
}

cases! {
    a_build_argument_sets_the_registry
    a_context_takes_the_place_of_a_base
    a_context_takes_the_place_of_a_stage
    a_folder_of_the_base_that_is_poured_over_stays_the_users
    a_run_takes_all_kinds_of_mounts
    a_stage_is_handed_out_marked
    a_stage_on_the_build_platform_is_for_that_platform
    a_stage_on_the_build_platform_is_shared_up_to_the_first_target_name
    a_user_in_numbers
    add_takes_archives_urls_and_repositories
    an_openshift_folder_is_shared_with_the_group
    args_reach_the_runs_that_mention_them
    certificates_are_mounted_into_every_run
    copy_from_images_and_contexts
    copy_takes_exclude_optional_and_mode
    copy_with_parents_keeps_paths_from_the_pivot_on
    copy_with_to_is_placed_as_copy_does
    copy_without_to_keeps_the_path
    destinations_go_through_links_of_the_base
    everything_runs_again_without_cache
    folders_poured_over_the_base_leave_it_as_it_is
    one_of_several_apps_is_built
    only_what_is_named_is_sent
    product_example
    refuses_a_base_without_one_half
    refuses_a_checksum_for_other_platforms_only
    refuses_a_file_where_the_base_has_a_folder
    refuses_a_target_that_does_not_exist
    refuses_collisions_with_the_base
    refuses_copying_from_an_app
    refuses_patterns_that_flatten_a_tree
    refuses_addresses_with_credentials
    refuses_hardpans_own_place
    refuses_labels_that_are_hardpans
    refuses_links_to_hardpans_own_place
    refuses_other_systems_of_the_options
    refuses_other_systems_than_linux
    refuses_platforms_that_the_app_is_not_for
    refuses_root_from_the_base
    refuses_unknown_names
    refuses_users_that_the_base_does_not_have
    refuses_values_after_arguments_are_put_in
    refuses_what_arguments_do_not_allow
    refuses_writable_files_of_the_base
    refuses_writable_paths_of_the_system
    stages_continue_each_other
    steps_run_again_where_no_cache_says_so
    the_command_of_the_base_is_written_out
    the_config_says_what_the_spec_says
    two_platforms_have_two_images
    without_an_action_for_links_they_are_unpacked
    without_merge_the_layers_are_copied
    writable_paths_belong_to_the_user
    write_mkdir_and_link
}

/// Folders of other tests.
const OTHERS: [&str; 2] = ["bases", "llb-go"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[test]
fn every_folder_is_a_case() {
    let entries = std::fs::read_dir(root()).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: BTreeSet<String> =
        folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| !OTHERS.contains(&name.as_str()));
    let cases: BTreeSet<String> = CASES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(names, cases);
}

/// Runs a case and compares what comes out with what is kept.
#[track_caller]
fn check(name: &str) {
    let folder = root().join(name);
    let case = Case::read(&folder);
    let outputs = match case.run() {
        Ok(built) => [
            ("plan", Some(join(&built, |one| one.plan.clone()))),
            ("llb", Some(join(&built, |one| one.graph.clone()))),
            ("image", Some(join(&built, |one| one.image.clone()))),
            ("error", None),
        ],
        Err(mistakes) => {
            let error = status::refusal(Some(&case.file()), &mistakes).message + "\n";
            [("plan", None), ("llb", None), ("image", None), ("error", Some(error))]
        }
    };
    let update = std::env::var_os("UPDATE").is_some();
    let mut differences = String::new();
    for (file, found) in outputs {
        let path = folder.join(file);
        let kept = std::fs::read_to_string(&path).ok();
        if kept == found {
            continue;
        }
        match (&found, update) {
            (Some(found), true) => std::fs::write(&path, found).unwrap(),
            (None, true) => std::fs::remove_file(&path).unwrap(),
            (found, false) => {
                let _ = writeln!(differences, "--- tests/golden/{name}/{file}\n+++ now");
                let (kept, found) = (kept.unwrap_or_default(), found.clone().unwrap_or_default());
                differences.push_str(&difference(&kept, &found));
            }
        }
    }
    assert!(differences.is_empty(), "\n{differences}UPDATE=1 accepts this\n");
}

fn join(built: &[Built], part: impl Fn(&Built) -> String) -> String {
    if let [only] = built {
        return part(only);
    }
    let parts = built.iter().map(|one| format!("=== {} ===\n{}", one.platform, part(one)));
    parts.collect::<Vec<_>>().join("\n")
}

/// What a build of one platform comes to.
struct Built {
    platform: String,
    plan: String,
    graph: String,
    image: String,
    definition: Vec<u8>,
}

struct Case {
    spec: String,
    options: Vec<String>,
    ignore: Vec<String>,
    tree: Tree,
    collisions: AllCollisions,
    builder: Abilities,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let options = text("options");
        let options = options.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let base = std::fs::read_to_string(root().join("base.txt")).unwrap() + &text("base.txt");
        let builder = text("builder");
        let known = |line: &str| ["no merge", "no links"].contains(&line);
        assert!(builder.lines().all(known), "{builder}");
        Self {
            spec: std::fs::read_to_string(folder.join("hardpan.yaml")).unwrap(),
            options: options.map(str::to_owned).collect(),
            ignore: parse_ignore(text("ignore").as_bytes()),
            tree: Tree::parse(&base),
            collisions: collisions(&text("collisions.json")),
            builder: Abilities {
                can_merge: !builder.contains("no merge"),
                can_link: !builder.contains("no links"),
            },
        }
    }

    fn file(&self) -> SourceFile {
        SourceFile {
            filename: "hardpan.yaml".to_owned(),
            text: self.spec.clone(),
            language: "YAML".to_owned(),
            definition: None,
        }
    }

    fn options(&self) -> (Options, Vec<Diagnostic>) {
        let workers = r#"[{"id":"w","platforms":[{"os":"linux","architecture":"amd64"}]}]"#;
        let fixed = [("BUILDKIT_WORKERS", workers), ("BUILDKIT_SESSION_ID", "the-session")];
        let fixed = fixed.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let given = self.options.iter().enumerate().map(|(index, option)| {
            (OsString::from(format!("BUILDKIT_FRONTEND_OPT_{index}")), OsString::from(option))
        });
        Options::parse(fixed.into_iter().chain(given))
    }

    /// The pure part of a build, as the frontend does it.
    fn run(&self) -> Result<Vec<Built>, Vec<Diagnostic>> {
        let (options, mistakes) = self.options();
        if mistakes.iter().any(|one| one.severity == Severity::Error) {
            return Err(mistakes);
        }
        let parsed = spec::parse(self.spec.as_bytes())?;
        let target = target::choose(&parsed.spec, &options).map_err(refused)?;
        let app = target.app;
        let given = prepare::arguments(&options, &parsed.spec);
        let variables = Variables::new(&parsed.spec.args, &given)?;
        let registry = prepare::registry(&options, &parsed.spec, &variables).map_err(refused)?;
        let platforms = prepare::platforms(&options, app, &variables).map_err(refused)?;
        let build = options.build_platform();
        let settings = Settings {
            several_platforms: platforms.len() > 1,
            ..prepare::settings(&options, emit::Tree::default(), self.ignore.clone(), self.builder)
        };
        let mut all = Vec::new();
        for platform in &platforms {
            let variables = variables.on(platform, &build);
            let request = Request {
                spec: &parsed.spec,
                app,
                variables: &variables,
                contexts: &options.contexts,
                certificates: &options.certificates,
                registry: &registry,
                target: platform,
                build: &build,
            };
            all.push(match target.stage {
                Some(stage) => stage_of(&request, stage, &options, &settings)?,
                None => self.build(&request, &options, &settings)?,
            });
        }
        Ok(all)
    }

    fn build(
        &self,
        request: &Request<'_>,
        options: &Options,
        settings: &Settings,
    ) -> Result<Built, Vec<Diagnostic>> {
        let app = request.app;
        let selection = plan::select(request)?;
        let images: Vec<Resolved> = selection.images.iter().map(fake_base::resolve).collect();
        let draft = plan::draft(request, &selection, images)?;
        let facts = self.tree.facts(&draft.destinations());
        let said = prepare::plan_settings(options, app, request.variables);
        let plan = plan::finish(draft.clone(), &facts, &self.collisions, &said.view())?;
        let mut emitter = Emitter::new(&draft, settings);
        let image = emitter.image(&plan).image;
        Ok(Built::of(&plan, &emitter, image))
    }
}

/// The same for a stage that is handed out.
fn stage_of(
    request: &Request<'_>,
    stage: &Stage,
    options: &Options,
    settings: &Settings,
) -> Result<Built, Vec<Diagnostic>> {
    let selection = plan::select_stage(request, stage)?;
    let images: Vec<Resolved> = selection.images.iter().map(fake_base::resolve).collect();
    let draft = plan::draft_stage(request, &selection, images)?;
    let said = prepare::plan_settings(options, request.app, request.variables);
    let plan = plan::finish_stage(draft.clone(), &said.view());
    let mut emitter = Emitter::new(&draft, settings);
    let files = emitter.last_stage();
    Ok(Built::of(&plan, &emitter, files))
}

impl Built {
    fn of(plan: &plan::Plan, emitter: &Emitter<'_>, result: Output) -> Self {
        Self {
            platform: plan.platform.id(),
            plan: plan.to_text(),
            graph: emitter.graph().to_text(result),
            image: config(plan),
            definition: emitter.graph().marshal(result, &[]).encode_to_vec(),
        }
    }
}

fn refused(failure: Failure) -> Vec<Diagnostic> {
    match failure {
        Failure::Refused(mistakes) => mistakes,
        other => panic!("{other:?}"),
    }
}

fn config(plan: &plan::Plan) -> String {
    let config: serde_json::Value = serde_json::from_slice(&plan.config.to_json()).unwrap();
    serde_json::to_string_pretty(&config).unwrap() + "\n"
}

/// `[{"item": 0, "placement": 0, "entries": […]}]`.
fn collisions(text: &str) -> AllCollisions {
    #[derive(serde::Deserialize)]
    struct One {
        item: usize,
        placement: usize,
        entries: Vec<Collision>,
    }
    if text.is_empty() {
        return AllCollisions::new();
    }
    let all: Vec<One> = serde_json::from_str(text).unwrap();
    let found =
        |entries| Collisions { version: 1, destination: String::new(), entries, truncated: false };
    all.into_iter().map(|one| ((one.item, one.placement), found(one.entries))).collect()
}

/// The lines that differ, with two around them, by the longest common subsequence.
fn difference(kept: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), found.lines().collect());
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    let near = |at: usize| {
        lines[at.saturating_sub(2)..(at + 3).min(lines.len())].iter().any(|(sign, _)| *sign != ' ')
    };
    let shown = lines.iter().enumerate().filter(|(at, _)| near(*at));
    shown.fold(String::new(), |text, (_, (sign, line))| text + &format!("{sign} {line}\n"))
}

#[test]
fn differences_are_shown_with_what_is_around_them() {
    assert_eq!(
        difference("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nx\ne\nf\n"),
        "  b\n  c\n- d\n+ x\n  e\n  f\n"
    );
    assert_eq!(difference("", "x\n"), "+ x\n");
    assert_eq!(difference("a\n", "a\n"), "");
}

/// The bytes of a definition are its cache key: a change here builds everything again for everyone.
#[test]
fn the_same_input_gives_the_same_bytes() {
    let digests = || {
        let built = Case::read(&root().join("product_example")).run().unwrap();
        let digest = Digest::of(&built[0].definition);
        digest.to_string()
    };
    let first = digests();
    assert_eq!(first, digests());
    assert_eq!(first, "sha256:cad9bf90576d169ca725fa409c1cde47a8c6683fcf61f9dc40018ab8ab816eee");
}
