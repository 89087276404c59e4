//! `make demo` on a Docker that somebody has already: it is used, and nothing of it is changed but
//! the demo's own image and the build cache.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::builder::Builder;
use crate::support::build::fresh_name;
use crate::support::command::{Outcome, Program};

/// A user with a Docker of their own: a client configuration with a context and a builder.
struct User<'a> {
    engine: &'a Builder,
    home: TempDir,
}

impl<'a> User<'a> {
    fn of(engine: &'a Builder, config: &str) -> Self {
        let home = TempDir::new().unwrap();
        fs::create_dir(home.path().join("docker")).unwrap();
        fs::write(home.path().join("docker/config.json"), config).unwrap();
        Self { engine, home }
    }

    fn run(&self, words: &str, args: &[&str]) -> Program {
        let folder = self.home.path().join("docker");
        let program = Program::new(words).args(args).within(600);
        let program = program.env("DOCKER_HOST", self.engine.variable("DOCKER_HOST"));
        let program = program.env("BUILDX_CONFIG", folder.join("buildx"));
        program.env("HOME", self.home.path()).env("DOCKER_CONFIG", folder)
    }

    fn docker(&self, args: &[&str]) -> String {
        self.run("docker", args).run().succeeded().stdout
    }

    fn demo(&self, bases: &str) -> Outcome {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/env/demo");
        let program = self.run(script.to_str().unwrap(), &[]);
        program.env("ARGS", "--network=host").env("BASES", bases).env("DOCKER", "").run()
    }

    /// Everything that somebody may have set up.
    fn possessions(&self) -> Vec<String> {
        let listed = [
            vec!["context", "ls", "--format", "{{json .}}"],
            vec![
                "image",
                "ls",
                "--all",
                "--no-trunc",
                "--format",
                "{{.ID}} {{.Repository}}:{{.Tag}}",
            ],
            vec!["volume", "ls", "--format", "{{.Name}}"],
            vec!["network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"],
            vec!["ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}"],
        ];
        let listed = listed.iter().flat_map(|args| {
            let text = self.docker(args);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        let mut all: Vec<String> =
            listed.filter(|line| !line.contains(" hardpan-demo/medplum-server:")).collect();
        files_of(self.home.path(), &mut all);
        all.sort();
        all
    }
}

/// Every file with what is in it.
fn files_of(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_of(&path, all);
        } else {
            let content = fs::read(&path).unwrap();
            all.push(format!("{} {}", path.display(), String::from_utf8_lossy(&content)));
        }
    }
}

/// Contexts, builders, images, volumes, networks, containers and files are the same afterwards.
pub fn changes_nothing_else(engine: &Builder) {
    let user = User::of(engine, r#"{"auths": {"registry.example": {"auth": "dTpw"}}}"#);
    let host = user.engine.variable("DOCKER_HOST").to_owned();
    user.docker(&["context", "create", "theirs", "--docker", &format!("host={host}")]);
    user.docker(&["volume", "create", "theirs"]);
    let image = fresh_name();
    let dockerfile = user.home.path().join("Dockerfile");
    fs::write(&dockerfile, "FROM scratch\nCOPY Dockerfile /\n").unwrap();
    let (file, folder) = (dockerfile.to_str().unwrap(), user.home.path().to_str().unwrap());
    let build =
        user.run("buildx", &["build", "--builder=default", "-t", &image, "-f", file, folder]);
    build.run().succeeded();
    let before = user.possessions();
    assert!(before.iter().any(|line| line.contains(&image)), "{before:#?}");

    let outcome = user.demo("").succeeded();
    for words in [
        "by your Docker Engine",
        "shells: 0, package managers: 0, set-id programs: 0",
        "of dhi.io/node:24 untouched",
        "capabilities 0x0 of 0x0; no new privileges: yes",
        "root file system read-only",
        "GET /healthcheck → 200",
        "stopped with exit code 0",
        "`sh -c id` in the same image: cannot start, there is no sh",
    ] {
        assert!(outcome.stdout.contains(words), "no {words:?}: {outcome}");
    }
    let after = user.possessions();
    let changed: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(changed.is_empty() && new.is_empty(), "gone: {changed:#?}\nnew: {new:#?}");
    let left = user.docker(&["image", "ls", "--quiet", "hardpan-demo/medplum-server"]);
    assert!(!left.trim().is_empty(), "the demo's own image stays");
}

/// One sentence each, before anything is built.
pub fn says_why_the_real_bases_cannot_be_had(engine: &Builder) {
    let user = User::of(engine, "{}");
    let outcome = user.demo("dhi.io").failed();
    assert!(outcome.stderr.contains("needs a login: docker login dhi.io"), "{outcome}");
    let login = r#"{"auths": {"127.0.0.1:1": {"auth": "dTpw"}}}"#;
    let outcome = User::of(engine, login).demo("127.0.0.1:1/dhi").failed();
    assert!(outcome.stderr.contains("127.0.0.1:1 cannot be reached"), "{outcome}");
    assert!(!outcome.stderr.contains("Traceback"), "{outcome}");
}
