//! Targets of bake that stand on each other: specs and Dockerfiles, both ways. What one target gives is
//! an input of the other, with its config.

use crate::support::bake;
use crate::support::build::fresh_name;
use crate::support::command::Outcome;
use crate::support::environment::environment;
use crate::support::image::Image;
use crate::support::project::{Project, dedent};
use crate::support::refusal::Refusal;
use crate::support::registry::{read_base, read_image};

const ON_STATIC: &str =
    "base: {runtime: static:20250419}\nimage:\n  - copy: start\nentrypoint: [./start]\n";

/// A folder for bake: targets are files in it.
struct Bake {
    project: Project,
    name: String,
}

impl Bake {
    /// With a `docker-bake.hcl` in which `NAME` is where the target `final` is pushed to, and a spec as
    /// `hardpan.yaml`.
    fn new(spec: &str, hcl: &str) -> Self {
        let name = fresh_name();
        let project = Project::new(spec)
            .program("start", "/sbin/ldconfig")
            .file("docker-bake.hcl", dedent(hcl).replace("NAME", &name));
        Self { project, name }
    }

    fn file(mut self, name: &str, content: &str) -> Self {
        self.project = self.project.file(name, content);
        self
    }

    /// Another spec.
    fn spec(self, name: &str, content: &str) -> Self {
        let text = format!("# syntax={}\n{content}", environment().syntax);
        self.file(name, &text)
    }

    fn run(&self) -> Outcome {
        bake::Bake::new(self.project.path()).args(["--allow=fs.read=*", "final"]).run()
    }

    #[track_caller]
    fn push(&self) -> Image {
        self.run().succeeded();
        read_image(&self.name)
    }

    #[track_caller]
    fn refused(&self) -> Refusal {
        Refusal::of(self.run().failed())
    }
}

const FINAL: &str = r#"
    target "other" {
      dockerfile = "other.Dockerfile"
    }
    target "final" {
      dockerfile = "hardpan.yaml"
      contexts   = { CONTEXT = "target:other" }
      output     = ["type=image,name=NAME,push=true"]
    }
"#;

#[test]
fn a_spec_copies_from_a_dockerfile() {
    let spec = format!("{ON_STATIC}\n").replace(
        "entrypoint",
        "  - copy: made.txt\n    from: made\n    to: /srv/made.txt\nentrypoint",
    );
    let bake = Bake::new(&spec, &FINAL.replace("CONTEXT", "made"))
        .file("other.Dockerfile", "FROM dhi.io/node:24-dev\nRUN echo made > /made.txt\n");
    assert_eq!(bake.push().file("/srv/made.txt"), "made\n");
}

#[test]
fn a_spec_ships_on_a_dockerfile() {
    let bake = Bake::new(ON_STATIC, &FINAL.replace("CONTEXT", "\"static:20250419\"")).file(
        "other.Dockerfile",
        "FROM dhi.io/static:20250419-glibc\nENV A=b\nLABEL mine=yes\nCOPY start /other\n",
    );
    let image = bake.push();
    assert_eq!(image.run()["Labels"]["mine"], "yes");
    assert!(image.words("Env").contains(&"A=b"));
    assert!(image.listing().has("/other") && image.listing().has("/start"));
    assert_eq!(image.words("Entrypoint"), ["./start"]);
}

#[test]
fn a_bad_base_cannot_hide_behind_a_target() {
    let at = |dockerfile: &str| {
        Bake::new(ON_STATIC, &FINAL.replace("CONTEXT", "\"static:20250419\""))
            .file("other.Dockerfile", dockerfile)
            .refused()
    };
    let refusal = at("FROM dhi.io/static:20250419-glibc\nUSER 0\n");
    assert_eq!(refusal.errors()[0].code, "REF-06", "{refusal}");
    let refusal = at("FROM scratch\nCOPY --from=dhi.io/node:24-dev / /\nUSER 1000\n");
    assert!(refusal.errors().iter().any(|one| one.code.starts_with("SHL-")), "{refusal}");
}

#[test]
fn a_stage_is_built_in_a_dockerfile() {
    let spec = "
        base: node:24
        build:
          base: tools
          env: {B: \"${A}c\"}
          steps:
            - run: echo $A $B $(cat /marker) > out
        image:
          - copy: out
            from: build
        entrypoint: [node]
        ";
    let bake = Bake::new(spec, &FINAL.replace("CONTEXT", "tools"))
        .file("other.Dockerfile", "FROM dhi.io/node:24-dev\nENV A=b\nRUN echo mine > /marker\n");
    let image = bake.push();
    assert_eq!(image.file("/app/out"), "b bc mine\n");
    let node = read_base("dhi.io/node:24");
    assert_eq!(image.layers[..node.layers.len()], node.layers);
}

#[test]
fn a_dockerfile_stands_on_a_spec() {
    let hcl = r#"
        target "spec" {
          dockerfile = "hardpan.yaml"
        }
        target "final" {
          dockerfile = "final.Dockerfile"
          contexts   = { base = "target:spec" }
          output     = ["type=image,name=NAME,push=true"]
        }
    "#;
    let bake = Bake::new(ON_STATIC, hcl)
        .file("final.Dockerfile", "FROM base\nCOPY --from=base /start /again\nENV A=b\n");
    let image = bake.push();
    assert_eq!(image.words("Entrypoint"), ["./start"]);
    assert_eq!(image.run()["User"], "65532:65532");
    assert!(image.listing().has("/again") && image.words("Env").contains(&"A=b"));
}

#[test]
fn a_spec_stands_on_a_spec() {
    let hcl = r#"
        target "other" {
          dockerfile = "other.yaml"
        }
        target "final" {
          dockerfile = "hardpan.yaml"
          contexts   = { "static:20250419" = "target:other", other = "target:other" }
          output     = ["type=image,name=NAME,push=true"]
        }
    "#;
    let spec = ON_STATIC.replace(
        "entrypoint",
        "  - copy: /more.txt\n    from: other\n    to: /srv/more.txt\nentrypoint",
    );
    // Under another path than the base has its own.
    let spec = spec.replace("  - copy: start\n", "  - copy: start\n    to: /srv/start\n");
    let spec = spec.replace("[./start]", "[/srv/start]");
    let other = ON_STATIC.replace("  - copy: start\n", "  - copy: [start, more.txt]\n");
    let bake = Bake::new(&spec, hcl).spec("other.yaml", &other).file("more.txt", "more");
    let image = bake.push();
    assert_eq!(image.file("/srv/more.txt"), "more");
    assert_eq!(image.file("/more.txt"), "more");
}

/// With several platforms an input has a name and a config for each.
#[test]
fn a_target_gives_an_input_for_each_platform() {
    let hcl = FINAL.replace("CONTEXT", "\"static:20250419\"").replace(
        "dockerfile = \"other.Dockerfile\"",
        "dockerfile = \"other.Dockerfile\"\n      args       = { BUILDKIT_MULTI_PLATFORM = \"1\" }",
    );
    let bake = Bake::new(ON_STATIC, &hcl)
        .file("other.Dockerfile", "FROM dhi.io/static:20250419-glibc\nLABEL mine=yes\n");
    assert_eq!(bake.push().run()["Labels"]["mine"], "yes");
}

#[test]
fn targets_share_a_folder() {
    let hcl = r#"
        target "other" {
          dockerfile = "other.yaml"
          contexts   = { assets = "assets" }
        }
        target "final" {
          dockerfile = "hardpan.yaml"
          contexts   = { assets = "assets", other = "target:other" }
          output     = ["type=image,name=NAME,push=true"]
        }
    "#;
    let other = ON_STATIC
        .replace("entrypoint", "  - copy: y.txt\n    from: assets\n    to: /srv/y.txt\nentrypoint");
    let spec = ON_STATIC.replace(
        "entrypoint",
        "  - copy: x.txt\n    from: assets\n    to: /srv/x.txt\n  - copy: /srv/y.txt\n    from: other\n    \
         to: /srv/y.txt\nentrypoint",
    );
    let bake = Bake::new(&spec, hcl)
        .spec("other.yaml", &other)
        .file("assets/x.txt", "x")
        .file("assets/y.txt", "y");
    let image = bake.push();
    assert_eq!([image.file("/srv/x.txt"), image.file("/srv/y.txt")], ["x", "y"]);
}
