//! Tests of a spec, run in the finished image: what they see, what makes them fail, and what ends
//! when they end.

use std::fs;

use crate::support::build::fresh_name;
use crate::support::daemon::{Daemon, runs_arm64};
use crate::support::progress::Progress;
use crate::support::project::Project;
use crate::support::refusal::Refusal;

/// Listens on a port and says so; ends on SIGTERM.
const SERVER: &str = "
import http from 'node:http';
const pages = { '/healthz': [200, 'ready\\n'], '/moved': [302, ''], '/empty': [204, ''] };
const server = http.createServer((request, response) => {
  const [status, body] = pages[request.url] ?? [404, 'nothing here'];
  response.writeHead(status).end(body);
});
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`listening as ${process.env.NAME}`));
process.on('SIGTERM', () => process.exit(0));
";

/// An image with one script, and what is tested in it.
fn project(script: &str, tests: &str) -> Project {
    let spec = "
        base: node:24
        image:
          - copy: app.mjs
        entrypoint: [node, app.mjs]
        ";
    let tests = crate::support::project::dedent(tests);
    // Of its own: what is built at the same time elsewhere is run once for all.
    let script = format!("// {}\n{script}", fresh_name());
    let spec = crate::support::project::dedent(spec);
    Project::new(&format!("{}\ntest:\n{tests}", spec.trim_end())).file("app.mjs", script)
}

/// The line of the proof.
#[track_caller]
fn summary(progress: &Progress) -> &str {
    let names = progress.names();
    let found = names.iter().find(|name| name.starts_with("[proof] runs as"));
    found.unwrap_or_else(|| panic!("{names:?}; {:?}", progress.warnings))
}

/// The one mistake: its code, its line, and what it says.
#[track_caller]
fn one(refusal: &Refusal) -> (&str, u32, &str, &str) {
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    (&mistake.code, mistake.place.0, &mistake.message, &mistake.help)
}

#[test]
fn an_app_that_answers_passes() {
    let tests = r#"
        - {start: true, http: 8080/healthz}
        - start: true
          http: {port: 9000, path: /healthz, status: 200, body: /^ready$/}
          port: 9000
          log: /^listening as one$/
          env: {PORT: 9000, NAME: one}
          stops: 5s
        - {start: true, http: {port: 8080, path: /moved, status: 302}}
        - {run: [node, --version], stdout: /^v24\./}
        - {run: [node, -e, "console.error('told'); process.exit(3)"], exit: 3, stderr: told}
        - {run: [./app.mjs], exit: 1, stderr: x}
    "#;
    // A program that cannot be started is a failure and no exit code.
    let refusal = project(SERVER, tests).refused();
    let (code, line, message, _) = one(&refusal);
    assert_eq!((code, line), ("TEST-01", 17), "{refusal}");
    let wanted = "the test `run ./app.mjs` failed: ./app.mjs cannot be started: Permission denied";
    assert!(message.starts_with(wanted), "{refusal}");

    let without = tests.lines().filter(|line| !line.contains("./app.mjs"));
    let project = project(SERVER, &without.collect::<Vec<_>>().join("\n"));
    let progress = project.build().progress();
    let told = summary(&progress);
    assert!(told.ends_with(", answers on 8080 and 9000, 2 commands tested"), "{told}");
    assert_eq!(progress.warnings, [""; 0], "it ends on SIGTERM");
    let plan = project.build().args(["--call=plan"]).run().succeeded().stdout;
    assert!(plan.contains("run node --version (line 15)"), "{plan}");
    assert!(plan.contains("port 9000 answers 200 to GET /healthz"), "{plan}");
}

#[test]
fn each_failure_is_told_at_its_test_with_the_output_of_the_app() {
    let tests = r#"
        - {start: true, http: 8080/gone, within: 2s}
        - {start: true, http: {port: 8080, path: /healthz, body: steady}, within: 2s}
        - {start: true, http: 8081, within: 2s}
        - {start: true, port: [8080, 8082], within: 2s}
        - {start: true, log: /^never$/, within: 2s}
        - {start: true, port: 8080, env: {NODE_OPTIONS: --require=/gone.js}}
        - {run: [node, -e, "process.kill(process.pid, 'SIGKILL')"]}
        - {run: [node, -e, "console.log('wrong'); process.exit(4)"]}
        - {run: [node, -e, "console.log('other')"], stdout: one}
        - {run: [node, -e, "setInterval(() => {}, 1000)"], within: 1500ms}
        - {run: [no-such-program]}
    "#;
    let refusal = project(SERVER, tests).refused();
    let said: Vec<_> = refusal.errors();
    let wanted = [
        ("it is not up after 2 s: port 8080 answers 404 to GET /gone, not 2xx", "listening as"),
        ("does not hold \"steady\": it begins with ready", ""),
        ("it is not up after 2 s: nothing listens on port 8081", "listening as undefined"),
        ("nothing listens on port 8082", ""),
        ("no line of its output holds \"/^never$/\"", "listening as undefined"),
        ("it ended with exit code 1", "Cannot find module '/gone.js'"),
        ("it was ended by SIGKILL", "it wrote nothing"),
        ("it ended with exit code 4", "wrong"),
        ("its standard output does not hold \"one\"", "other"),
        ("it does not end within 1500 ms", ""),
        ("no-such-program cannot be started: No such file or directory", ""),
    ];
    assert_eq!(said.len(), wanted.len(), "{refusal}");
    for (number, (mistake, (message, output))) in said.iter().zip(wanted).enumerate() {
        let line = u32::try_from(number).unwrap() + 7;
        assert_eq!((mistake.code.as_str(), mistake.place.0), ("TEST-01", line), "{refusal}");
        assert!(mistake.message.contains(message), "{message}: {refusal}");
        assert!(mistake.help.contains(output), "{output}: {refusal}");
    }
    assert!(refusal.marked.contains(&7) && refusal.marked.contains(&17), "{refusal}");
}

/// What a program of the image finds itself to be and to be able to do.
const CONTRACT: &str = r"
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
const status = fs.readFileSync('/proc/self/status', 'utf8').replaceAll(/[\t ]+/g, ' ');
for (const key of ['Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'])
  console.log(status.match(new RegExp(`^${key}:.*$`, 'm'))[0].trim());
const attempt = (name, action) => {
  try { action(); console.log(name, 'works'); } catch (error) { console.log(name, error.code); }
};
for (const path of ['/app/data/placed', '/app/data/new', '/app/state.json', '/srv/volume/new', '/tmp/new'])
  attempt(`write ${path}`, () => fs.appendFileSync(path, '+'));
for (const path of ['/app/new', '/etc/new', '/app/app.mjs', '/.hardpan/out/tests.json'])
  attempt(`write ${path}`, () => fs.appendFileSync(path, '+'));
attempt('open /dev/stdout', () => fs.closeSync(fs.openSync('/dev/stdout', 'a')));
attempt('read the order', () => fs.readFileSync('/.hardpan/order/order.json'));
attempt('end the judge', () => process.kill(1, 'SIGKILL'));
console.log('placed is', fs.readFileSync('/app/data/placed', 'utf8'));
console.log('interfaces', Object.keys(os.networkInterfaces()).join());
console.log('in', process.cwd(), 'home', process.env.HOME, 'with', process.env.OWN, process.env.NODE_ENV);
fs.readSync(0, Buffer.alloc(1)) === 0 && console.log('nothing to read');
net.connect(80, '192.0.2.1').on('error', (error) => { console.log('network', error.code); process.exit(7); });
";

#[test]
fn what_runs_has_the_runtime_contract_and_nothing_else() {
    let spec = "
        base: node:24
        env: {NODE_ENV: production}
        image:
          - copy: [app.mjs, data]
          - write: state.json
            content: '{}'
        writable: [data, state.json]
        volumes: /srv/volume
        entrypoint: [node, app.mjs]
        test:
          # Its output is what the refusal shows.
          - {run: [node, app.mjs], env: {OWN: variable}}
        ";
    let project = Project::new(spec).file("data/placed", "here").file("app.mjs", CONTRACT);
    let refusal = project.refused();
    let shown: Vec<&str> = refusal.text().lines().map(str::trim).collect();
    let none = "0000000000000000";
    for line in [
        "Uid: 1000 1000 1000 1000".to_owned(),
        "Gid: 1000 1000 1000 1000".to_owned(),
        "Groups:".to_owned(),
        format!("CapInh: {none}"),
        format!("CapPrm: {none}"),
        format!("CapEff: {none}"),
        format!("CapBnd: {none}"),
        format!("CapAmb: {none}"),
        "NoNewPrivs: 1".to_owned(),
        "Seccomp: 2".to_owned(),
        "write /app/data/placed works".to_owned(),
        "write /app/data/new works".to_owned(),
        "write /app/state.json works".to_owned(),
        "write /srv/volume/new works".to_owned(),
        "write /tmp/new works".to_owned(),
        "write /app/new EROFS".to_owned(),
        "write /etc/new EROFS".to_owned(),
        "write /app/app.mjs EACCES".to_owned(),
        "write /.hardpan/out/tests.json EACCES".to_owned(),
        "open /dev/stdout works".to_owned(),
        "read the order EACCES".to_owned(),
        "end the judge EPERM".to_owned(),
        "placed is here+".to_owned(),
        "interfaces lo".to_owned(),
        "in /app home /home/node with variable production".to_owned(),
        "nothing to read".to_owned(),
        "network ENETUNREACH".to_owned(),
    ] {
        assert!(shown.contains(&line.as_str()), "{line}: {refusal}");
    }
    assert!(one(&refusal).2.ends_with("it ended with exit code 7"), "{refusal}");
    // What a test writes is gone with it.
    let passing = CONTRACT.replace("process.exit(7)", "process.exit(0)");
    let project = project.file("app.mjs", passing);
    let image = project.push();
    assert_eq!(image.file("/app/data/placed"), "here");
    let listing = image.listing();
    for path in ["/app/data/new", "/.hardpan", "/srv/volume/new"] {
        assert!(!listing.has(path), "{path}");
    }
}

#[test]
fn what_a_test_leaves_behind_is_ended_whatever_it_is() {
    let tests = r"
        - {start: true, log: forked, env: {MODE: fork}, within: 20s}
        - {start: true, log: /^never$/, env: {MODE: daemon}, within: 5s}
        - {start: true, log: /^never$/, env: {MODE: flood}, within: 6s}
        - {run: [node, app.mjs], env: {MODE: flood}, within: 4s}
        - {start: true, log: deaf, env: {MODE: deaf}, stops: 1s}
        - {run: [node, app.mjs], env: {MODE: deaf}, within: 1s}
        - {run: [node, app.mjs], env: {MODE: count}, stdout: 2 processes}
    ";
    let script = r"
        import fs from 'node:fs';
        import { spawn } from 'node:child_process';
        const again = (env) => spawn(process.execPath, ['app.mjs'],
          { detached: true, stdio: 'inherit', env: { ...process.env, ...env } }).on('error', () => {});
        const modes = {
          // Two of each: it ends at the limit of processes, or with the test.
          fork: () => { again({}); again({}); setInterval(() => console.log('forked'), 500); },
          daemon: () => { again({ MODE: 'deaf' }); console.log('forked'); process.exit(0); },
          flood: () => { const line = Buffer.alloc(1 << 20, 'flood\n'); for (;;) fs.writeSync(1, line); },
          deaf: () => {
            for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
            setInterval(() => {}, 1000); console.log('deaf');
          },
          count: () => {
            const all = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
            console.log(all.length, 'processes');
          },
        };
        modes[process.env.MODE]();
    ";
    let build = project(script, tests);
    let refusal = build.refused();
    let said: Vec<_> =
        refusal.errors().iter().map(|one| (one.place.0, one.message.clone())).collect();
    let wanted = [
        (8, "it ended with exit code 0"),
        (9, "it is not up after 6 s: no line of its output holds"),
        (10, "it does not end within 4 s"),
        (11, "it is up, and does not end within 1 s after SIGTERM"),
        (12, "it does not end within 1 s"),
    ];
    assert_eq!(said.len(), wanted.len(), "{refusal}");
    for ((line, message), (wanted_line, wanted)) in said.iter().zip(wanted) {
        assert_eq!(*line, wanted_line, "{refusal}");
        assert!(message.contains(wanted), "{wanted}: {refusal}");
    }
    let flood = &refusal.errors()[1].help;
    assert!(flood.len() < 4_000 && flood.contains("flood"), "{}", flood.len());
    assert!(refusal.outcome.elapsed.as_secs() < 90, "{refusal}");
}

#[test]
fn an_app_that_does_not_stop_is_told() {
    let quiet = SERVER.replace("process.on('SIGTERM'", "process.on('SIGUSR2'");
    let app = project(&quiet, "- {start: true, port: 8080}\n");
    let progress = app.build().progress();
    let [warning] = progress.warnings.as_slice() else { panic!("{:?}", progress.warnings) };
    assert!(warning.starts_with("TEST-03: the app does not stop when it is told to"), "{warning}");
    assert!(warning.contains("no handler of its own for SIGTERM"), "{warning}");
    // Written down, it must hold.
    let refusal = project(&quiet, "- {start: true, port: 8080, stops: 10s}\n").refused();
    let (code, line, message, _) = one(&refusal);
    assert_eq!((code, line), ("TEST-01", 7), "{refusal}");
    assert!(message.contains("no handler of its own for SIGTERM"), "{refusal}");
    // The signal is the image's.
    let spec = "base: node:24\nimage: [{copy: app.mjs}]\nstopsignal: SIGUSR2\nentrypoint: [node, app.mjs]\n\
                test: {start: true, port: 8080, stops: 10s}\n";
    let progress = Project::new(spec).file("app.mjs", &quiet).build().progress();
    assert_eq!(progress.warnings, [""; 0]);
}

const STEP: &str = "[proof] test the image";

#[test]
fn a_test_is_cached_where_no_program_was_run_for_the_image() {
    let tests = "- {start: true, port: 8080, within: 20s}\n";
    let first = project(SERVER, tests);
    assert!(first.build().progress().run().contains(&STEP));
    let again = first.build().progress();
    assert!(!again.run().contains(&STEP), "{:?}", again.run());
    assert!(summary(&again).ends_with("answers on 8080"), "{}", summary(&again));
    let fresh = first.build().build_arg("HARDPAN_PROOF=fresh").progress();
    assert!(fresh.run().contains(&STEP), "{:?}", fresh.run());
    let other = fs::read_to_string(first.spec()).unwrap().replace("20s", "21s");
    let script = fs::read_to_string(first.path().join("app.mjs")).unwrap();
    let other = Project::written(&other).file("app.mjs", script);
    assert!(other.build().progress().run().contains(&STEP), "another test");
    // A cache export carries it to another daemon.
    let cache = fresh_name().replace("tests/image", "tests/cache");
    let to = format!("--cache-to=type=registry,ref={cache},mode=max");
    first.build().args([to]).pushing_to(&fresh_name()).run().succeeded();
    let daemon = Daemon::start("tests");
    let from = format!("--import-cache=type=registry,ref={cache}");
    let there = first.build().on(&daemon.host).args([from]).progress();
    assert!(!there.run().contains(&STEP), "{:?}", there.run());
}

#[test]
fn what_was_tested_is_never_that_of_another_run() {
    // Under the same definition the first run makes a good file, and each later one a bad one.
    let spec = "
        base: node:24
        build:
          - run: |
              echo UNIQUE
              if [ -e /kept/ran ]; then echo bad > made; else echo good > made; touch /kept/ran; fi
            cache: {path: /kept, id: UNIQUE}
        image:
          - {copy: made, from: build}
        entrypoint: [node]
        test:
          - {run: [node, -e, \"process.exit(fs.readFileSync('made', 'utf8') .startsWith('good') ? 0 : 7)\"]}
        ";
    let unique = fresh_name();
    let project = Project::new(&spec.replace("UNIQUE", unique.rsplit('/').next().unwrap()));
    assert!(project.build().progress().run().contains(&STEP));
    let again = project.build().progress();
    assert!(again.run().contains(&STEP), "tested as it is inspected: {:?}", again.run());
    let cached = project.build().build_arg("HARDPAN_PROOF=cached").progress();
    assert!(!cached.run().contains(&STEP), "{:?}", cached.run());
}

#[test]
fn nothing_of_an_image_takes_the_place_of_what_tests_it() {
    let fake = "#!/usr/bin/env node\n";
    let spec = "
        base: node:24
        image:
          - PLACED
        writable: WRITABLE
        entrypoint: [node]
        test:
          - {run: [node, -e, process.exit(7)]}
        ";
    let project = |placed: &str, writable: &str| {
        Project::new(&spec.replace("PLACED", placed).replace("WRITABLE", writable))
            .file("fake", fake)
            .file("root/.hardpan/frontend/hardpan", fake)
    };
    let named = "{copy: fake, to: /.hardpan/frontend/hardpan, mode: 0755}";
    let refusal = project(named, "/.hardpan/frontend").refused();
    let codes: Vec<_> =
        refusal.errors().iter().map(|one| (one.code.as_str(), one.place.0)).collect();
    assert_eq!(codes, [("PLACE-04", 4), ("PLACE-04", 5)], "{refusal}");
    // Poured with a folder, which nobody has looked into before.
    let refusal = project("{copy: root, to: /}", "/srv/data").refused();
    let (code, line, message, _) = one(&refusal);
    assert_eq!((code, line), ("PLACE-04", 4), "{refusal}");
    assert!(message.contains("the image has /.hardpan"), "{refusal}");
    // A near miss: it is tested, by who should.
    let refusal = project("{copy: root, to: /srv/}", "/srv/.hardpan").refused();
    assert_eq!(one(&refusal).0, "TEST-01", "{refusal}");
}

#[test]
fn an_image_for_another_processor_is_tested_by_emulation_or_skipped_aloud() {
    let tests = "
        - {start: true, http: 8080/healthz}
        - {run: [node, -p, process.arch], stdout: /^(arm64|x64)$/}
    ";
    let project = project(SERVER, tests);
    if runs_arm64() {
        let progress = project.build().args(["--platform=linux/amd64,linux/arm64"]).progress();
        for platform in ["linux/amd64", "linux/arm64"] {
            let name = format!("[{platform} proof] runs as");
            let told = &progress.vertex(&name).name;
            assert!(told.ends_with(", answers on 8080, 1 command tested"), "{told}");
        }
    }
    let Some(daemon) = Daemon::start_unemulated("untested") else { return };
    let build = || project.build().on(&daemon.host).args(["--opt=platform=linux/arm64"]);
    let progress = build().progress();
    let [warning] = progress.warnings.as_slice() else { panic!("{:?}", progress.warnings) };
    let wanted = "TEST-02: the image for linux/arm64 is not tested: the builder cannot run programs \
                  for linux/arm64";
    assert_eq!(warning, wanted);
    assert!(!summary(&progress).contains("answers"), "{}", summary(&progress));
    assert!(progress.names().iter().all(|name| !name.contains("test the image")));
    // Who wants no warnings wants it tested.
    let refusal = build().build_arg("BUILDKIT_DOCKERFILE_CHECK=error=true").refused();
    assert_eq!((one(&refusal).0, one(&refusal).1), ("TEST-02", 7), "{refusal}");
    let refusal = build().build_arg("HARDPAN_REQUIRE=test").refused();
    assert_eq!((one(&refusal).0, one(&refusal).1), ("TEST-04", 7), "{refusal}");
}
