//! Dockerfiles that build and are refused, at the line where the stage starts that is built; and
//! near misses, which pass.

use super::ours;
use crate::support::project::Project;

/// Refused by this check, at the mark, with these words.
#[track_caller]
fn refused(project: &Project, check: &str, words: &str) {
    let refusal = project.build().within(240).refused();
    let (line, _) = project.marks[0];
    let found = refusal.errors().into_iter().find(|mistake| mistake.code == check);
    let found = found.unwrap_or_else(|| panic!("no {check}: {refusal}"));
    assert!(found.message.contains(words), "{words}: {refusal}");
    assert_eq!(found.place.0, line, "{refusal}");
    assert!(refusal.marked.contains(&line), "{refusal}");
    let is_of_a_spec = |help: &str| {
        ["`entrypoint:", "`copy`", "`mode:", "`user`"].iter().any(|word| help.contains(word))
    };
    assert!(!found.help.is_empty() && !is_of_a_spec(&found.help), "{refusal}");
}

const RUN: &str = "ENTRYPOINT [\"node\", \"-e\", \"0\"]";

#[test]
fn root_in_every_form() {
    for user in ["root", "0", "0:1000", "root:node"] {
        let project = ours(&format!("▸FROM dhi.io/node:24\nUSER {user}\n{RUN}\n"));
        refused(&project, "USR-01", "is uid 0");
        let refusal = project.refused();
        assert_eq!(refusal.errors().len(), 1, "once is enough: {refusal}");
    }
    let program = |text: &str| ours(text).program("app", "/sbin/ldconfig");
    refused(
        &program("▸FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\"]\n"),
        "USR-01",
        "has no user",
    );
}

#[test]
fn a_name_that_is_root() {
    let passwd = "root:x:0:0::/:\ntoor:x:0:0::/:\nnode:x:1000:1000::/:\n";
    let text = format!("▸FROM dhi.io/node:24\nCOPY passwd /etc/passwd\nUSER toor\n{RUN}\n");
    refused(&ours(&text).file("passwd", passwd), "USR-01", "user \"toor\" is uid 0");
    let near_miss = text.replace("USER toor", "USER node");
    let passwd = passwd.replace("toor:x:0:", "toor:x:7:");
    assert_eq!(ours(&near_miss).file("passwd", passwd).push().run()["User"], "1000:1000");
}

#[test]
fn a_user_that_does_not_exist() {
    refused(
        &ours(&format!("▸FROM dhi.io/node:24\nUSER ghost\n{RUN}\n")),
        "USR-05",
        "no user \"ghost\"",
    );
    refused(
        &ours(&format!("▸FROM dhi.io/node:24\nUSER node:ghosts\n{RUN}\n")),
        "USR-05",
        "no group \"ghosts\"",
    );
}

#[test]
fn a_development_image() {
    let text = format!(
        "FROM dhi.io/node:24-dev AS build\nRUN true\n\n▸FROM dhi.io/node:24-dev AS last\nUSER 1000\n{RUN}\n"
    );
    refused(&ours(&text), "SHL-02", "/usr/bin/bash");
    let target = ours("▸FROM dhi.io/node:24-dev AS Build\nUSER node\nFROM dhi.io/node:24\n");
    let refusal = target.build().args(["--target=build"]).refused();
    assert_eq!(refusal.errors()[0].place.0, target.marks[0].0, "{refusal}");
    target.push();
}

#[test]
fn commands_that_need_a_shell() {
    for command in
        ["ENTRYPOINT node -e 0", "CMD exec node -e 0", "ENTRYPOINT [\"sh\", \"-c\", \"node\"]"]
    {
        refused(&ours(&format!("▸FROM dhi.io/node:24\n{command}\n")), "SHL-05", "needs a shell");
    }
    let text = format!("▸FROM dhi.io/node:24\n{RUN}\nHEALTHCHECK CMD node -e 0\n");
    refused(&ours(&text), "SHL-06", "only a shell can run");
    ours(&format!("FROM dhi.io/node:24\n{RUN}\nHEALTHCHECK CMD [\"node\", \"-e\", \"0\"]\n"))
        .push();
    ours(&format!("FROM dhi.io/node:24\n{RUN}\nHEALTHCHECK NONE\n")).push();
}

#[test]
fn a_command_that_is_not_there_or_cannot_start() {
    let text = |entrypoint: &str| {
        format!("▸FROM dhi.io/node:24\nCOPY run ./\nENTRYPOINT [\"{entrypoint}\"]\n")
    };
    refused(&ours(&text("/app/gone")).file("run", "x"), "RUN-01", "/app/gone does not exist");
    refused(&ours(&text("gone")).file("run", "x"), "RUN-01", "none of the folders of PATH");
    let placed =
        |mode: u32, content: &str| ours(&text("./run")).file_with_mode("run", mode, content);
    refused(&placed(0o644, "#!/usr/bin/node\n"), "RUN-02", "cannot execute /app/run");
    refused(&placed(0o755, "#!/usr/bin/env node\n"), "RUN-03", "/usr/bin/env");
    refused(&placed(0o755, "console.log(1)\n"), "RUN-04", "without a #! line");
    placed(0o755, "#!/usr/bin/node\nconsole.log(1)\n").push();
    let other = ours("▸FROM dhi.io/static:20250419\nCOPY start /start\nENTRYPOINT [\"/start\"]\n");
    refused(&other.program("start", "/bin/true"), "RUN-05", "ld-linux");
}

#[test]
fn shells_under_other_names() {
    let text = format!("▸FROM dhi.io/node:24\nCOPY tool /opt/server\n{RUN}\n");
    refused(
        &ours(&text).program("tool", "/bin/dash"),
        "SHL-03",
        "/opt/server is a shell under another name",
    );
    let busybox = format!(
        "FROM dhi.io/debian-base:trixie-dev AS build\nRUN apt-get update && apt-get install -y busybox-static\n▸FROM dhi.io/node:24\nCOPY --from=build /bin/busybox /opt/server\n{RUN}\n"
    );
    refused(&ours(&busybox), "SHL-04", "/opt/server");
    let names = format!("FROM dhi.io/node:24\nCOPY sh /opt/sh\nCOPY zsh.md /opt/zsh\n{RUN}\n");
    ours(&names).file("sh/readme", "a folder named sh").file("zsh.md", "a page").push();
}

#[test]
fn a_program_that_makes_the_last_layers_is_told() {
    let warned = |text: &str, args: &[&str]| {
        ours(&format!("{text}{RUN}\n")).build().args(args).progress().warnings
    };
    let step = "RUN [\"node\", \"-e\", \"0\"]\n";
    let told = warned(&format!("FROM dhi.io/node:24\n{step}"), &[]);
    assert!(
        told.len() == 1 && told[0].starts_with("SUP-06: a program made a layer of the image"),
        "{told:?}"
    );
    assert!(told[0].contains("RUN [\"node\", \"-e\", \"0\"]"), "{told:?}");
    let copied = "FROM dhi.io/node:24 AS build\nRUN [\"node\", \"-e\", \"0\"]\nFROM dhi.io/node:24\nCOPY --from=build /app /app\n";
    assert_eq!(warned(copied, &[]), [""; 0]);
    assert_eq!(warned(&copied.replace("COPY", "COPY --link"), &[]), [""; 0]);
    // Asked for by whoever builds, it is told; by the file, it is refused.
    let asked = warned(copied, &["--network=host", "--allow=network.host", "--no-cache"]);
    assert!(asked.len() == 1 && asked[0].contains("network of the builder's machine"), "{asked:?}");
    let host = copied.replace("RUN [", "RUN --network=host [");
    let refusal = ours(&format!("{host}{RUN}\n")).build().args(["--allow=network.host"]).refused();
    let found = refusal.errors().into_iter().find(|one| one.code == "SUP-06");
    let found = found.unwrap_or_else(|| panic!("{refusal}"));
    assert!(found.message.contains("the network of the builder's machine"), "{refusal}");
}

#[test]
fn what_is_added_without_a_checksum_is_told() {
    let address = crate::support::serve::serve(b"bytes".to_vec());
    let warned = |add: &str| {
        let text = format!("FROM dhi.io/node:24\n{add} {address}/file /srv/\n{RUN}\n");
        ours(&text).build().progress().warnings
    };
    let told = warned("ADD");
    let expected = format!("SUP-05: `{address}/file` is fetched without a checksum");
    assert_eq!(told, [expected]);
    let sum = crate::support::image::digest(b"bytes");
    assert_eq!(warned(&format!("ADD --checksum={sum}")), [""; 0]);
}

#[test]
fn names_that_delete_what_lies_below() {
    let text = format!("▸FROM dhi.io/node:24\nCOPY dir /srv/\n{RUN}\n");
    let project = ours(&text).file("dir/.wh.passwd", "");
    let refusal = project.refused();
    // BuildKit's own differ may refuse it first.
    assert!(refusal.errors().iter().any(|one| one.code == "BASE-04"), "{refusal}");
}

#[test]
fn groups_of_a_name_are_told() {
    let text = format!("FROM dhi.io/node:24\nCOPY group /etc/group\nUSER node\n{RUN}\n");
    let group = |members: &str| format!("root:x:0:\nnode:x:1000:\nvideo:x:44:{members}\n");
    let warned = ours(&text).file("group", group("node")).build().progress().warnings;
    assert!(
        warned.iter().any(|one| one.starts_with("FILE-02: user `node` is also in the groups 44")),
        "{warned:?}"
    );
    let silent = ours(&text).file("group", group("")).build().progress().warnings;
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn nothing_is_exported_when_the_gate_refuses() {
    let name = crate::support::build::fresh_name();
    ours("FROM dhi.io/node:24-dev\nUSER node\n").build().pushing_to(&name).refused();
    assert!(!crate::support::registry::has(&name));
}
