//! `HARDPAN_CA`: steps trust a company's own authority, and nothing of it is left in an image.

use std::fs;

use crate::support::build::{Build, Door, fresh_name};
use crate::support::company::Company;
use crate::support::image::Image;
use crate::support::project::Project;
use crate::support::registry::read_image;

/// What a step finds of the certificates: variables, the file, what is in it.
const LOOK: &str = "\
base: python:3.13
build:
  env: {GIT_SSL_CAINFO: /of/the/stage}
  steps:
    - run: |
        env | grep -E 'CA_|CERT|_CA|JAVA' | sort > out
        stat -c '%a %u:%g %n' /run/hardpan/* >> out
        cat /run/hardpan/ca.pem /run/hardpan/ca.java >> out
      env: {PIP_CERT: /of/the/step}
image:
  - copy: out
    from: build
    to: /
entrypoint: [python3]
";

fn with_secret(project: &Project, id: &str, content: &str) -> Build {
    let file = project.path().join(format!("{id}.secret"));
    fs::write(&file, content).unwrap();
    project.build().secret(id, &file)
}

#[test]
fn every_step_gets_the_certificates_and_the_variables_that_it_does_not_set() {
    let project = Project::new(LOOK);
    let build = with_secret(&project, "mine", "PEM\n").args(["--build-arg=HARDPAN_CA=mine"]);
    let java = project.path().join("java.secret");
    fs::write(&java, "STORE\n").unwrap();
    let image = build.secret("java", &java).build_arg("HARDPAN_CA_JAVA=java").push();
    let store = "-Djavax.net.ssl.trustStore=/run/hardpan/ca.java \
                 -Djavax.net.ssl.trustStorePassword=changeit";
    let pem = "/run/hardpan/ca.pem";
    let expected = format!(
        "CARGO_HTTP_CAINFO={pem}\nCURL_CA_BUNDLE={pem}\nGIT_SSL_CAINFO=/of/the/stage\n\
         JAVA_TOOL_OPTIONS={store}\nNODE_EXTRA_CA_CERTS={pem}\nPIP_CERT=/of/the/step\n\
         REQUESTS_CA_BUNDLE={pem}\nSSL_CERT_FILE={pem}\n\
         444 0:0 /run/hardpan/ca.java\n444 0:0 {pem}\nPEM\nSTORE\n"
    );
    assert_eq!(image.file("/out"), expected);
}

/// One program of each language fetches something; each says so in a file of its own.
fn fetching(address: &str) -> String {
    let spec = r#"
base: node:24
build:
  node:
    workdir: /work
    steps:
      - run: |
          node -e 'fetch("ADDRESS/hello").then(answer => answer.text()).then(text => require("fs").writeFileSync("node", text))'
          git ls-remote ADDRESS/repository.git | cut -f 2 > git
  python:
    base: python:3.13
    workdir: /work
    steps:
      - run: |
          python3 -c 'import urllib.request as u; print(u.urlopen("ADDRESS/hello").read().decode(), end="")' > python
          python3 -c 'from pip._vendor import requests; print(requests.get("ADDRESS/hello").text, end="")' > requests
          python3 -m pip index versions hello --index-url ADDRESS/simple | head -1 > pip
  go:
    base: golang:1.26
    workdir: /work
    env: {GOPROXY: ADDRESS/go, GOFLAGS: -mod=mod, GONOSUMDB: "*"}
    steps:
      - run: go list -m -versions example.test/hello > go
  cargo:
    base: rust:1
    workdir: /work
    steps:
      - write: Cargo.toml
        content: |
          [package]
          name = "x"
          version = "0.1.0"
          [lib]
          path = "x.rs"
          [dependencies]
          hello = "1"
      - write: x.rs
        content: ""
      - write: .cargo/config.toml
        content: |
          [source.crates-io]
          replace-with = "company"
          [source.company]
          registry = "sparse+ADDRESS/index/"
      - run: cargo generate-lockfile && grep -o 'name = "hello"' Cargo.lock > cargo
image:
  - copy: [/work/node, /work/git]
    from: node
    to: /out/
  - copy: [/work/python, /work/requests, /work/pip]
    from: python
    to: /out/
  - copy: /work/go
    from: go
    to: /out/
  - copy: /work/cargo
    from: cargo
    to: /out/
entrypoint: [node]
"#;
    spec.replace("ADDRESS", address)
}

const CRATE: &str = concat!(
    r#"{"name":"hello","vers":"1.0.0","deps":[],"features":{},"yanked":false,"cksum":"#,
    r#""0000000000000000000000000000000000000000000000000000000000000000"}"#
);

#[test]
fn programs_of_every_language_trust_the_authority() {
    let company = Company::serving(&[
        ("hello", "hello"),
        ("repository.git/info/refs", "0000000000000000000000000000000000000001\trefs/heads/main\n"),
        ("repository.git/HEAD", "ref: refs/heads/main\n"),
        ("simple/hello/hello-1.0-py3-none-any.whl", "not looked at"),
        ("go/example.test/hello/@v/list", "v1.0.0\nv1.2.0\n"),
        ("go/example.test/hello/@v/v1.2.0.info", r#"{"Version":"v1.2.0"}"#),
        ("go/example.test/hello/@v/v1.2.0.mod", "module example.test/hello\n"),
        ("index/config.json", r#"{"dl":"https://localhost/dl"}"#),
        ("index/he/ll/hello", CRATE),
    ]);
    let project = Project::new(&fetching(&company.address));
    let build = || project.build().within(300);
    let refusal = build().refused();
    assert_eq!(refusal.errors()[0].code, "BLD-02", "without it nothing is trusted: {refusal}");
    let image = build().secret("ca", &company.authority()).build_arg("HARDPAN_CA=ca").push();
    for (name, content) in [
        ("node", "hello"),
        ("git", "HEAD\nrefs/heads/main\n"),
        ("python", "hello"),
        ("requests", "hello"),
        ("pip", "hello (1.0)\n"),
        ("go", "example.test/hello v1.0.0 v1.2.0\n"),
        ("cargo", "name = \"hello\"\n"),
    ] {
        assert_eq!(image.file(&format!("/out/{name}")), content, "{name}");
    }
}

/// All that is in a layer that the base does not have, and all that is said of the image.
fn own_bytes(image: &Image, base_layers: usize) -> String {
    let layers = image.layers[base_layers..].iter().map(|layer| {
        let bytes = image.uncompressed(layer);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let all = layers.chain([image.config.to_string(), image.manifest.to_string()]);
    all.collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_of_the_certificates_ships() {
    let project = Project::new(
        "
        base: node:24
        build:
          workdir: /work
          steps:
            - run: |
                echo a > a
                chmod 0755 /run
        image:
          - copy: [/work, /run]
            from: build
            to: /left
        entrypoint: [node]
        ",
    );
    let base = crate::support::registry::read_base("dhi.io/node:24");
    let build = |build: Build| {
        let name = fresh_name();
        let output = format!("--output=type=image,name={name},push=true,rewrite-timestamp=true");
        let build = build.build_arg("SOURCE_DATE_EPOCH=1700000000").args([output]);
        build.run().succeeded();
        read_image(&name)
    };
    let plain = build(project.build());
    let secret = "-----BEGIN CERTIFICATE-----\nTHE-MARK-OF-A-COMPANY\n-----END CERTIFICATE-----\n";
    let trusting = with_secret(&project, "the-secrets-id", secret);
    let image = build(
        trusting.build_arg("HARDPAN_CA=the-secrets-id").build_arg("HARDPAN_CA_JAVA=the-secrets-id"),
    );
    assert!(image.listing().has("/left/a"));
    let all = own_bytes(&image, base.layers.len());
    for trace in
        ["THE-MARK", "the-secrets-id", "run/hardpan", "_CA_", "CERT_FILE", "CAINFO", "trustStore"]
    {
        assert!(!all.contains(trace), "{trace} is in the image");
    }
    assert_eq!(image.digest, plain.digest, "the same image, byte for byte");
}

#[test]
fn other_certificates_run_nothing_again() {
    let unique = fresh_name();
    let project = Project::new(&format!(
        "base: node:24\nbuild:\n  - run: date +%s%N > stamp # {unique}\nimage:\n  - copy: stamp\n    from: build\n    to: /\nentrypoint: [node]\n"
    ));
    let build = |content: &str| {
        with_secret(&project, "ca", content).build_arg("HARDPAN_CA=ca").push().file("/stamp")
    };
    assert_eq!(build("one"), build("two"));
}

#[test]
fn a_secret_that_was_not_given_is_named() {
    let project = Project::new(
        "base: node:24\nbuild:\n  - ▸run: \"true\"\nimage:\n  - copy: /etc/hostname\n    from: build\nentrypoint: [node]\n",
    );
    for door in [Door::Header, Door::Buildctl] {
        let refusal = project.build().through(door).build_arg("HARDPAN_CA=company-ca").refused();
        let [one] = refusal.errors()[..] else { panic!("{refusal}") };
        assert_eq!((one.code.as_str(), one.place), ("OPT-03", project.marks[0]), "{refusal}");
        for word in ["--secret id=company-ca,src=FILE", "HARDPAN_CA"] {
            assert!(one.help.contains(word), "{refusal}");
        }
    }
}

#[test]
fn a_value_that_is_no_id_is_refused() {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    for value in ["/etc/ssl/ca.pem", "-----BEGIN CERTIFICATE-----", "id=ca", "a b"] {
        let refusal = project.build().build_arg(&format!("HARDPAN_CA={value}")).refused();
        let [one] = refusal.errors()[..] else { panic!("{refusal}") };
        assert_eq!((one.code.as_str(), &*refusal.marked), ("OPT-01", &[1][..]), "{refusal}");
        assert!(one.message.contains("HARDPAN_CA"), "{refusal}");
        assert!(one.help.contains("company-ca"), "{refusal}");
    }
}
