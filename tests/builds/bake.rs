//! Several apps of one file, built by one call: bake files in HCL, and compose files.

use crate::support::bake::Bake;
use crate::support::build::fresh_name;
use crate::support::image::Image;
use crate::support::progress::Progress;
use crate::support::project::Project;
use crate::support::registry::read_image;

/// Two apps that share a stage; `RUN` is different in every test, so that no cache has it.
fn shop(run: &str) -> Project {
    let spec = "
        base: node:24
        workdir: /srv/shop
        args: {TITLE: shop}
        env: {TITLE: \"${TITLE}\", PORT: 8080}
        build:
          deps:
            - copy: common.txt
            - run: |
                : RUN
                date +%s%N > stamp
                sleep 1
          pages:
            base: deps
            steps:
              - copy: web.txt
              - run: |
                  echo \"$TITLE\" | cat - web.txt stamp > page
        apps:
          web:
            base: nginx:1
            workdir: /srv/web
            image:
              - copy: /srv/shop/page
                from: pages
                to: /srv/web/page
              - copy: /srv/shop/stamp
                from: deps
                to: /srv/web/stamp
            env: {PORT: null}
            entrypoint: [nginx]
          api:
            image:
              - copy: api.mjs
              - copy: stamp
                from: deps
              - copy: /srv/web/page
                from: web
                to: /srv/shop/page
            entrypoint: [node, api.mjs]
        ";
    Project::new(&spec.replace("RUN", run))
        .file("common.txt", "common\n")
        .file("web.txt", "web\n")
        .file("api.mjs", "console.log(1)")
}

const TWO_TARGETS: &str = r#"
group "default" {
  targets = ["web", "api"]
}
target "_spec" {
  dockerfile = "hardpan.yaml"
}
target "web" {
  inherits = ["_spec"]
  target   = "web"
}
target "api" {
  inherits = ["_spec"]
  target   = "api"
}
"#;

/// How often a script that contains a text was run.
fn count(progress: &Progress, text: &str) -> usize {
    progress.run().iter().filter(|name| name.contains("RUN") && name.contains(text)).count()
}

/// Both apps as they were pushed, after a look at what must be the same in them.
fn pushed(web: &str, api: &str) -> (Image, Image) {
    let (web, api) = (read_image(web), read_image(api));
    assert_eq!(
        (web.words("Entrypoint"), api.words("Entrypoint")),
        (vec!["nginx"], vec!["node", "api.mjs"])
    );
    let stamp = web.file("/srv/web/stamp");
    assert_eq!(api.file("/srv/shop/stamp"), stamp, "the shared stage ran once");
    assert_eq!(api.file("/srv/shop/page"), web.file("/srv/web/page"), "a file of the other app");
    (web, api)
}

#[test]
fn one_call_builds_both_apps_and_runs_a_shared_stage_once() {
    let unique = fresh_name();
    let project = shop(&unique).file("docker-bake.hcl", TWO_TARGETS);
    let (web, api) = (fresh_name(), fresh_name());
    let progress = Bake::new(project.path()).pushing("web", &web).pushing("api", &api).progress();
    assert_eq!(count(&progress, &unique), 1, "{:?}", progress.run());
    assert_eq!(count(&progress, "cat - web.txt"), 1, "{:?}", progress.run());
    let (web, api) = pushed(&web, &api);
    assert!(web.file("/srv/web/page").starts_with("shop\nweb\n"));
    assert!(web.words("Env").contains(&"TITLE=shop") && api.words("Env").contains(&"TITLE=shop"));
    assert!(!web.words("Env").contains(&"PORT=8080") && api.words("Env").contains(&"PORT=8080"));
    assert_eq!(
        (&web.run()["WorkingDir"], &api.run()["WorkingDir"]),
        (&"/srv/web".into(), &"/srv/shop".into())
    );
}

#[test]
fn an_app_that_copies_from_another_builds_both_in_one_build() {
    let unique = fresh_name();
    let project = shop(&unique);
    let progress = project.build().args(["--target=api"]).progress();
    assert_eq!(count(&progress, &unique), 1, "{:?}", progress.run());
    assert_eq!(count(&progress, "cat - web.txt"), 1, "{:?}", progress.run());
    let image = project.build().args(["--target=api"]).push();
    assert!(image.file("/srv/shop/page").contains(&image.file("/srv/shop/stamp")));
    // The first app is what is built if nothing is said.
    assert_eq!(project.push().words("Entrypoint"), ["nginx"]);
}

#[test]
fn a_compose_file_builds_both_apps() {
    let project = shop(&fresh_name()).file(
        "compose.yaml",
        "
services:
  web:
    build: {context: ., dockerfile: hardpan.yaml, target: web, args: {TITLE: composed}}
  api:
    build:
      context: .
      dockerfile: hardpan.yaml
      target: api
      args: {TITLE: composed}
      labels: {from: compose}
",
    );
    let (web, api) = (fresh_name(), fresh_name());
    let bake = Bake::new(project.path()).args(["-f", "compose.yaml"]);
    bake.pushing("web", &web).pushing("api", &api).run().succeeded();
    let (web, api) = pushed(&web, &api);
    assert!(web.file("/srv/web/page").starts_with("composed\n"));
    assert_eq!(api.run()["Labels"]["from"], "compose");
}

#[test]
fn a_bake_file_says_what_the_flags_say() {
    let bake = r#"
variable "TITLE" {
  default = "plain"
}
group "all" {
  targets = ["app", "files"]
}
target "base" {
  dockerfile = "hardpan.yaml"
  args = {
    TITLE = "${upper(TITLE)}"
  }
  contexts = {
    assets = "other"
  }
  secret    = ["id=token,src=token.txt"]
  platforms = ["linux/amd64"]
}
target "app" {
  inherits        = ["base"]
  no-cache-filter = ["stamp"]
  labels = {
    team = "shop"
  }
}
target "files" {
  inherits = ["base"]
  target   = "kept"
  output   = ["type=local,dest=out"]
}
"#;
    let spec = "
        base: node:24
        args: {TITLE: }
        build:
          kept:
            base: dhi.io/static:20250419
            steps:
              - copy: a.txt
                from: assets
                to: /a.txt
          once:
            - run: |
                : UNIQUE
                date +%s%N > once
                wc -c < /run/secrets/token > size
                echo \"$TITLE\" > title
              secret: token
          stamp:
            - run: |
                : UNIQUE
                date +%s%N > stamp
        image:
          - copy: [once, size, title]
            from: once
          - copy: stamp
            from: stamp
          - copy: /a.txt
            from: kept
        entrypoint: [node]
        ";
    let project = Project::new(&spec.replace("UNIQUE", &fresh_name()))
        .file("docker-bake.hcl", bake)
        .file("other/a.txt", "other\n")
        .file("token.txt", "secret");
    let baked = || {
        let name = fresh_name();
        Bake::new(project.path()).args(["all"]).pushing("app", &name).run().succeeded();
        read_image(&name)
    };
    let (first, second) = (baked(), baked());
    assert_eq!(first.file("/app/size").trim(), "6", "the secret was there");
    assert_eq!(first.file("/app/title"), "PLAIN\n");
    assert_eq!(first.file("/a.txt"), "other\n");
    assert_eq!(first.run()["Labels"]["team"], "shop");
    assert_eq!(second.file("/app/once"), first.file("/app/once"), "from the cache");
    assert_ne!(second.file("/app/stamp"), first.file("/app/stamp"), "no-cache-filter");
    let kept = std::fs::read_to_string(project.path().join("out/a.txt")).unwrap();
    assert_eq!(kept, "other\n");
}

#[test]
fn a_target_that_does_not_exist_is_refused_by_its_name() {
    let project = shop(&fresh_name()).file("docker-bake.hcl", TWO_TARGETS);
    let outcome = Bake::new(project.path()).args(["--set=api.target=apj"]).run().failed();
    assert!(outcome.stderr.contains("there is no target `apj`"), "{outcome}");
    assert!(outcome.stderr.contains("did you mean `--target api`?"), "{outcome}");
}
