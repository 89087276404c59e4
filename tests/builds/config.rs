//! What an image says of itself: user, environment, ports, labels, health check, history.

use serde_json::json;

use crate::support::project::Project;
use crate::support::registry::read_base;

#[test]
fn the_base_is_passed_on_and_made_numeric() {
    for (base, user) in
        [("node:24", "1000:1000"), ("nginx:1", "65532:65532"), ("static:20250419", "65532:65532")]
    {
        let spec =
            format!("base: {{runtime: {base}}}\nimage:\n  - copy: start\nentrypoint: [./start]\n");
        let image = Project::new(&spec).program("start", "/sbin/ldconfig").push();
        let below = read_base(&format!("dhi.io/{base}"));
        assert_eq!(image.run()["User"], user);
        assert_eq!(image.words("Env"), below.words("Env"));
        let workdir =
            below.run()["WorkingDir"].as_str().filter(|path| !path.is_empty()).unwrap_or("/");
        assert_eq!(image.run()["WorkingDir"], workdir);
        assert_eq!(image.run()["ExposedPorts"], below.run()["ExposedPorts"]);
        assert_eq!(image.run()["StopSignal"], below.run()["StopSignal"]);
    }
}

#[test]
fn entrypoint_and_cmd_are_both_said() {
    let of = |lines: &str| {
        let image = Project::new(&format!("base: node:24\n{lines}")).push();
        assert!(
            image.run().get("Entrypoint").is_some() && image.run().get("Cmd").is_some(),
            "{:?}",
            image.run()
        );
        let words = |key| image.words(key).into_iter().map(str::to_owned).collect::<Vec<_>>();
        (words("Entrypoint"), words("Cmd"))
    };
    let below = read_base("dhi.io/node:24");
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(of(""), (words(&below.words("Entrypoint")), words(&below.words("Cmd"))));
    assert_eq!(of("entrypoint: [node, -a]\n"), (words(&["node", "-a"]), words(&[])));
    assert_eq!(of("entrypoint: [node]\ncmd: [-b, \"\"]\n"), (words(&["node"]), words(&["-b", ""])));
    assert_eq!(of("cmd: [node, -b]\n"), (words(&[]), words(&["node", "-b"])));
}

#[test]
fn values_stay_as_they_are_written() {
    let image = Project::new(
        "
        base: node:24
        args: {PORT: 8080, EMPTY: \"\"}
        env:
          VERSION: 3.10
          YES: yes
          TRUE: True
          HEX: 0x10
          PATH: /opt/bin:${PATH}
          URL: http://x:${PORT}${EMPTY:-/y}
          DOLLAR: $$HOME $uri
        expose: [8080, 53/udp, 9000-9002]
        labels: {org.acme.version: 1.10, a: \"b c\"}
        stopsignal: SIGQUIT
        volumes: [/srv/data]
        user: 1234
        healthcheck:
          run: [node, -e, \"0\"]
          interval: 30s
          timeout: 2s
          start-period: 1m
          retries: 4
        entrypoint: [node]
        ",
    )
    .push();
    let path = read_base("dhi.io/node:24")
        .words("Env")
        .iter()
        .find_map(|one| one.strip_prefix("PATH="))
        .unwrap()
        .to_owned();
    let env = image.words("Env");
    for line in [
        "VERSION=3.10",
        "YES=yes",
        "TRUE=True",
        "HEX=0x10",
        "URL=http://x:8080/y",
        "DOLLAR=$HOME $uri",
    ] {
        assert!(env.contains(&line), "{line} in {env:?}");
    }
    assert!(env.contains(&format!("PATH=/opt/bin:{path}").as_str()), "{env:?}");
    let ports: Vec<&String> = image.run()["ExposedPorts"].as_object().unwrap().keys().collect();
    assert_eq!(ports, ["53/udp", "8080/tcp", "9000/tcp", "9001/tcp", "9002/tcp"]);
    assert_eq!(image.run()["Labels"]["org.acme.version"], "1.10");
    assert_eq!(image.run()["StopSignal"], "SIGQUIT");
    assert_eq!(image.run()["Volumes"], json!({"/srv/data": {}}));
    assert_eq!(image.run()["User"], "1234:1234");
    let health = &image.run()["Healthcheck"];
    assert_eq!(health["Test"], json!(["CMD", "node", "-e", "0"]));
    let second = 1_000_000_000_u64;
    assert_eq!(
        [&health["Interval"], &health["Timeout"], &health["StartPeriod"], &health["Retries"]],
        [&json!(30 * second), &json!(2 * second), &json!(60 * second), &json!(4)]
    );
    let data = image.listing().at("/srv/data").clone();
    assert_eq!((data.kind, data.uid, data.gid), ('d', 1234, 1234), "a volume is writable");
}

#[test]
fn labels_of_the_build_win_and_arguments_are_given() {
    let project = Project::new(
        "
        base: node:24
        args: {SHA: none}
        labels: {sha: \"${SHA}\", mine: spec}
        entrypoint: [node]
        ",
    );
    let image =
        project.build().build_arg("SHA=abc").args(["--label=mine=build", "--label=new=1"]).push();
    let labels = &image.run()["Labels"];
    assert_eq!(
        (&labels["sha"], &labels["mine"], &labels["new"]),
        (&"abc".into(), &"build".into(), &"1".into())
    );
}

#[test]
fn each_item_is_a_layer_and_an_entry_of_the_history() {
    let image = Project::new(
        "
        base: node:24
        image:
          - copy: a
          - write: /srv/b
            content: b
        entrypoint: [node]
        ",
    )
    .file("a", "a")
    .push();
    let below = read_base("dhi.io/node:24");
    let listing = image.listing();
    assert_eq!(listing.layers["app/a"], below.layers.len());
    assert_eq!(listing.layers["srv/b"], below.layers.len() + 1);
    let history = image.config["history"].as_array().unwrap();
    let own: Vec<&str> = history
        .iter()
        .filter(|entry| entry["empty_layer"] != true)
        .skip(below.layers.len())
        .filter_map(|entry| entry["created_by"].as_str())
        .collect();
    assert_eq!(own.len(), 2, "{own:?}");
    assert!(own[0].contains("COPY a") && own[1].contains("/srv/b"), "{own:?}");
}

#[test]
fn the_same_input_gives_the_same_digest() {
    let spec = "base: node:24\nimage:\n  - copy: a\nentrypoint: [node]\n";
    let build = || {
        let project = Project::new(spec).file("a", "same");
        let name = crate::support::build::fresh_name();
        let output = format!("--output=type=image,name={name},push=true,rewrite-timestamp=true");
        let build = project
            .build()
            .build_arg("SOURCE_DATE_EPOCH=1700000000")
            .args([output, "--no-cache".to_owned()]);
        build.run().succeeded();
        crate::support::registry::read_image(&name)
    };
    let (one, two) = (build(), build());
    assert_eq!(one.digest, two.digest);
    assert_eq!(
        one.layers[..one.layers.len() - 1],
        read_base("dhi.io/node:24").layers,
        "the base is left alone"
    );
}
