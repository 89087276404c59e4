//! What happens in the stages: scripts, exec lists, environments, arguments, mounts, packages, and
//! stages that stand on each other.

use crate::support::image::Image;
use crate::support::project::Project;

#[track_caller]
fn assert_text(image: &Image, path: &str, content: &str) {
    assert_eq!(image.file(path), content, "{path}");
}

#[test]
fn scripts_stop_at_the_first_failure_and_lists_are_executed_as_they_are() {
    let image = Project::new(
        "
        base: node:24
        build:
          - run: |
              printf 'a%s' \"$((1 + 1))\" > script
              false || printf ' b' >> script
          - run: [/bin/sh, -c, 'printf \"%s\" \"$0 $1\" > list', 'x y', '$HOME']
          - run: |
              #!/usr/bin/env node
              require('fs').writeFileSync('node', `n${6 * 7}`)
          - run: |
              #!/usr/bin/perl -w
              open(my $f, '>', 'perl'); print $f 'p';
        image:
          - copy: [script, list, node, perl]
            from: build
        entrypoint: [node]
        ",
    )
    .push();
    assert_text(&image, "/app/script", "a2 b");
    assert_text(&image, "/app/list", "x y $HOME");
    assert_text(&image, "/app/node", "n42");
    assert_text(&image, "/app/perl", "p");
}

#[test]
fn environments_and_arguments_reach_only_what_they_are_for() {
    let project = Project::new(
        "
        base: node:24
        args: {MENTIONED: m, LISTED: l, OTHER: o, UNSET: }
        env: {OF_IMAGE: i}
        build:
          one:
            env: {OF_STAGE: s, FROM_ARG: \"<${MENTIONED}>\"}
            workdir: /work/one
            steps:
              - run: |
                  echo \"$OF_STAGE ${FROM_ARG} ${OF_RUN:-none} ${OF_IMAGE:-none}\" > out
                  echo \"$MENTIONED ${UNSET-absent}\" >> out
                  env | grep -c -e '^LIST''ED=' -e '^OTH''ER=' >> out || true
                env: {OF_RUN: r}
              - run: |
                  env | grep -e '^LIST''ED=' -e '^OTH''ER=' > listed
                  pwd >> listed
                args: [LISTED]
                workdir: /tmp
              - run: mv /tmp/listed .
        image:
          - copy: [/work/one/out, /work/one/listed]
            from: one
            to: /srv/
        entrypoint: [node]
        ",
    );
    let image = project.build().build_arg("MENTIONED=given").push();
    assert_text(&image, "/srv/out", "s <given> r none\ngiven absent\n0\n");
    assert_text(&image, "/srv/listed", "LISTED=l\n/tmp\n");
    let env = image.words("Env");
    assert!(env.contains(&"OF_IMAGE=i"), "{env:?}");
    assert!(
        !env.iter().any(|one| one.contains("OF_STAGE") || one.contains("MENTIONED")),
        "{env:?}"
    );
}

#[test]
fn a_stage_goes_on_where_another_one_stopped() {
    let image = Project::new(
        "
        base: node:24
        build:
          first:
            workdir: /work
            env: {A: a}
            steps:
              - write: script.sh
                content: |
                  echo \"$A$B in $(pwd)\"
                mode: 0755
              - mkdir: made
              - link: script.sh
                to: linked
          second:
            base: first
            env: {B: b}
            steps:
              - run: sh linked > made/out
          third:
            base: python:3.13
            steps:
              - copy: /work/made/out
                from: second
                to: /kept/
        image:
          - copy: /kept/out
            from: third
        entrypoint: [node]
        ",
    )
    .push();
    assert_text(&image, "/kept/out", "ab in /work\n");
}

#[test]
fn packages_of_a_stage_are_there_and_leave_nothing_behind() {
    let image = Project::new(
        "
        base: node:24
        build:
          - packages: [tree]
          - run: |
              tree --version > /dev/null && echo works > out
              ls /var/lib/apt/lists | grep -v -e lock -e partial -e auxfiles >> out || true
        image:
          - copy: out
            from: build
        entrypoint: [node]
        ",
    )
    .push();
    assert_text(&image, "/app/out", "works\n");
}

#[test]
fn caches_stay_between_builds_and_apart_from_the_image() {
    let unique = crate::support::build::fresh_name().replace(['/', ':', '.'], "-");
    let project = Project::new(&format!(
        "
        base: node:24
        args: {{ROUND: none}}
        build:
          - run: |
              echo \"$ROUND\" >> /var/cache/mine/rounds
              cp /var/cache/mine/rounds rounds
            cache: {{path: /var/cache/mine, id: {unique}, sharing: locked}}
          - run: ls -A /var/cache/mine 2>/dev/null > left || true
        image:
          - copy: [rounds, left]
            from: build
        entrypoint: [node]
        "
    ));
    project.build().build_arg("ROUND=one").push();
    let image = project.build().build_arg("ROUND=two").push();
    assert_text(&image, "/app/rounds", "one\ntwo\n");
    assert_text(&image, "/app/left", "");
}

#[test]
fn a_stage_on_the_builders_platform_knows_the_targets() {
    let project = Project::new(
        "
        base: node:24
        build:
          platform: build
          steps:
            - run: echo \"$TARGETOS/$TARGETARCH $TARGETMACHINE on $BUILDARCH\" > out
        image:
          - copy: out
            from: build
        entrypoint: [node]
        ",
    );
    assert_text(&project.push(), "/app/out", "linux/amd64 x86_64 on amd64\n");
}

#[test]
fn files_keep_their_modes_in_a_stage() {
    let project = Project::new(
        "
        base: node:24
        build:
          - copy: [tool, dir]
          - copy: dir/inner
            to: elsewhere
            mode: 0700
          - run: stat -c '%a %u:%g %n' tool dir dir/inner elsewhere > out
        image:
          - copy: out
            from: build
        entrypoint: [node]
        ",
    )
    .file_with_mode("tool", 0o775, "t")
    .file_with_mode("dir/inner", 0o640, "i");
    let image = project.push();
    assert_text(
        &image,
        "/app/out",
        "775 0:0 tool\n755 0:0 dir\n640 0:0 dir/inner\n700 0:0 elsewhere\n",
    );
}
