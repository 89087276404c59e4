//! Bases that cannot be what ships, and names that no registry has.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::{case, check};
use crate::support::project::Project;

#[test]
fn names_that_do_not_exist() {
    check(&[
        case("base: ▸nodee:24\nentrypoint: [node]\n", &[("REF-02", "nodee:24", "node")]),
        case("base: ▸node:99\nentrypoint: [node]\n", &[("REF-02", "node:99", "24")]),
        case("base: ▸node:24:x\nentrypoint: [node]\n", &[("REF-01", "24:x", "node:24")]),
        case("base: ▸node\nentrypoint: [node]\n", &[("REF-02", "node", "node:24")]),
        case(
            "base: ▸registry.invalid/x/y:1\nentrypoint: [node]\n",
            &[("REF-02", "registry.invalid", "")],
        ),
    ]);
}

#[test]
fn images_that_must_not_ship() {
    check(&[
        case(
            "base: {runtime: ▸dhi.io/node:24-dev}\nentrypoint: [node]\n",
            &[("REF-04", "node:24-dev", "node:24`")],
        ),
        case(
            "base: {runtime: ▸node:24-dev}\nentrypoint: [node]\n",
            &[("REF-04", "node:24-dev", "node:24")],
        ),
        case(
            "base: {dev: golang:1, runtime: ▸golang:1}\nentrypoint: [go]\n",
            &[("REF-05", "golang:1", "static")],
        ),
        case(
            "base: ▸debian-base:trixie\nentrypoint: [/bin/true]\n",
            &[("REF-05", "debian-base", "")],
        ),
        case("base: ▸bad-label:1\nentrypoint: [/x]\n", &[("REF-05", "bad-label", "")]),
        case("base: ▸bad-root:1\nentrypoint: [/x]\n", &[("REF-06", "bad-root", "user: 65532")]),
        case("base: ▸bad-uid:1\nentrypoint: [/x]\n", &[("REF-06", "bad-uid", "user: 65532")]),
        case("base: ▸bad-eol:1\nentrypoint: [/x]\n", &[("REF-07", "2024-01-31", "supported")]),
        case("base: ▸bad-user:1\nentrypoint: [/x]\n", &[("REF-10", "nobody-here", "user")]),
    ]);
}

#[test]
fn a_shell_that_no_label_tells_of_is_found_in_the_files() {
    let spec = "base: ▸bad-shell:1\nimage:\n  - write: /x\n    content: y\nentrypoint: [/usr/sbin/ldconfig]\n";
    let project = Project::new(spec);
    let refusal = project.refused();
    let codes: Vec<&str> = refusal.errors().iter().map(|mistake| mistake.code.as_str()).collect();
    assert!(codes.iter().any(|code| code.starts_with("SHL-")), "{refusal}");
    assert!(refusal.text().contains("/usr/bin/dash"), "{refusal}");
    assert!(refusal.errors().iter().any(|mistake| mistake.place == project.marks[0]), "{refusal}");
}

#[test]
fn halves_that_do_not_belong_together() {
    check(&[
        case(
            "base: {dev: ▸maven:3-jdk21-dev, runtime: static}\nbuild:\n  - run: \"true\"\nimage:\n  - copy: x\n    from: build\nentrypoint: [/x]\n",
            &[("REF-02", "maven:3-jdk21-dev", "")],
        ),
        case(
            "base: ▸static:20250419\nbuild:\n  - run: \"true\"\nimage:\n  - copy: x\n    from: build\nentrypoint: [/x]\n",
            &[("REF-11", "static", "dev")],
        ),
    ]);
}

/// Answers every request as a registry that wants a login.
fn registry_that_wants_a_login() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let realm = format!("http://{address}/token");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap_or_default();
            let body =
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
            let answer = format!(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{realm}\",service=\"test\"\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn a_registry_that_wants_a_login() {
    let address = registry_that_wants_a_login();
    let project =
        Project::new(&format!("base: {{runtime: ▸{address}/acme/app:1}}\nentrypoint: [/x]\n"));
    let refusal = project.refused();
    let errors = refusal.errors();
    assert_eq!(errors.len(), 1, "{refusal}");
    assert_eq!(
        (errors[0].code.as_str(), errors[0].place),
        ("REF-03", project.marks[0]),
        "{refusal}"
    );
    assert!(errors[0].help.contains(&format!("docker login {address}")), "{refusal}");
}
