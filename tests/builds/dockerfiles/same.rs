//! Six Dockerfiles, built by Docker's own frontend and by hardpan: the same layers, root file system
//! and config, but for the user, which is numbers.

use serde_json::Value;

use super::{dockers, ours};
use crate::support::container::Container;
use crate::support::image::Image;
use crate::support::project::Project;

/// The config as far as two builds can agree: no times, no user.
fn settled(image: &Image) -> Value {
    let mut config = image.config.clone();
    config["created"] = Value::Null;
    for entry in config["history"].as_array_mut().into_iter().flatten() {
        entry["created"] = Value::Null;
    }
    config["config"]["User"] = Value::Null;
    config
}

/// Builds both ways; gives hardpan's image.
#[track_caller]
fn both(
    text: &str,
    args: &[&str],
    user: (&str, &str),
    files: impl Fn(Project) -> Project,
) -> Image {
    let build = |project: Project| project.build().within(240).args(args).push();
    let docker = build(files(dockers(text)));
    let image = build(files(ours(text)));
    assert_eq!(image.layers, docker.layers, "the very same layers");
    image.listing().assert_same(&docker.listing(), "hardpan (-) and Docker (+)");
    assert_eq!(settled(&image), settled(&docker));
    assert_eq!(
        (docker.run()["User"].as_str(), image.run()["User"].as_str()),
        (Some(user.0), Some(user.1))
    );
    image
}

#[test]
fn node_in_two_stages() {
    let text = r#"
        ARG NODE=24
        FROM dhi.io/node:${NODE}-dev AS build
        WORKDIR /src
        COPY package.json .
        RUN npm install --offline --no-audit && mkdir dist
        COPY src src
        RUN cp -r src/. dist && rm dist/secret.txt

        FROM dhi.io/node:${NODE}
        ENV NODE_ENV=production
        COPY --from=build --chown=node:node /src/dist ./
        EXPOSE 3000
        USER node
        ENTRYPOINT ["node", "main.mjs"]
        CMD ["hello"]
        "#;
    let image = both(text, &[], ("node", "1000:1000"), |project| {
        project
            .file("package.json", r#"{"name":"x","version":"1.0.0"}"#)
            .file("src/main.mjs", "console.log(process.argv[2], process.getuid())")
            .file("src/secret.txt", "x")
    });
    let outcome = Container::start(&image, &[]).wait();
    assert_eq!((outcome.code, outcome.stdout.trim()), (Some(0), "hello 1000"), "{outcome}");
}

#[test]
fn python_with_a_venv() {
    let text = r#"
        FROM dhi.io/python:3.13-dev AS build
        RUN python3 -m venv --without-pip /opt/venv
        COPY app.py /opt/venv/lib/python3.13/site-packages/
        RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib
        FROM dhi.io/python:3.13
        WORKDIR /srv
        COPY --from=build /opt/venv /opt/venv
        ENV PATH=/opt/venv/bin:$PATH
        CMD ["python", "-m", "app"]
        "#;
    let image = both(text, &[], ("nonroot", "65532:65532"), |project| {
        project.file("app.py", "import os\nprint('uid', os.getuid())\n")
    });
    let outcome = Container::start(&image, &[]).wait();
    assert_eq!((outcome.code, outcome.stdout.trim()), (Some(0), "uid 65532"), "{outcome}");
}

#[test]
fn a_static_program_of_go() {
    let text = r#"
        FROM --platform=$BUILDPLATFORM dhi.io/golang:1-dev AS build
        ARG TARGETOS TARGETARCH VERSION=none
        WORKDIR /src
        COPY main.go .
        RUN --mount=type=cache,target=/root/.cache/go-build,id=dockerfiles-go CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
            go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/app main.go
        FROM dhi.io/static:20250419
        COPY --from=build /out/app /usr/local/bin/app
        USER 65532
        ENTRYPOINT ["app"]
        "#;
    let main = "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nvar version string\n\nfunc main() { fmt.Println(version, os.Getuid()) }\n";
    let image = both(text, &["--build-arg=VERSION=7"], ("65532", "65532:65532"), |project| {
        project.file("main.go", main)
    });
    let outcome = Container::start(&image, &[]).wait();
    assert_eq!((outcome.code, outcome.stdout.trim()), (Some(0), "7 65532"), "{outcome}");
}

#[test]
fn a_site_behind_nginx() {
    let text = r#"
        # check=error=true
        FROM dhi.io/nginx:1-dev AS build
        WORKDIR /site
        COPY site .
        RUN gzip -k9 index.html
        FROM dhi.io/nginx:1
        COPY --link --from=build /site /srv/site
        COPY --chmod=0444 nginx.conf /etc/nginx/site.conf
        STOPSIGNAL SIGQUIT
        EXPOSE 8080/tcp
        ENTRYPOINT ["nginx", "-e", "stderr", "-c", "/etc/nginx/site.conf"]
        CMD ["-g", "daemon off;"]
        "#;
    let image = both(text, &[], ("nginx", "65532:65532"), |project| {
        project.file("site/index.html", "<p>hello</p>").file("nginx.conf", "events {}\n")
    });
    assert!(image.listing().has("/srv/site/index.html.gz"));
}

#[test]
fn every_key_of_a_config_and_heredocs() {
    let text = r#"
        # escape=`
        FROM dhi.io/node:24
        ARG GREETING=hello
        LABEL org.opencontainers.image.title="a \"title\" with <&> é" `
              empty=""
        ENV GREETING=${GREETING} EMPTY="" SPACED="a  b"
        WORKDIR /srv/app
        COPY <<main.mjs <<notes.txt ./
        console.log(process.env.GREETING);
        main.mjs
        $GREETING, in "quotes"
        notes.txt
        SHELL ["/usr/bin/node", "-e"]
        RUN console.log('no shell is needed for this')
        VOLUME ["/data", "/srv/cache"]
        HEALTHCHECK --interval=5s --timeout=2s --start-period=1s --start-interval=1s --retries=2 CMD ["node", "-e", "0"]
        STOPSIGNAL SIGINT
        EXPOSE 80/udp 8080-8082
        ONBUILD COPY . .
        ONBUILD LABEL built=on
        CMD ["node", "main.mjs"]
        "#;
    let args =
        ["--label=from=outside", "--build-arg=GREETING=good day", "--annotation=some.key=value"];
    let image = both(text, &args, ("node", "1000:1000"), |project| project);
    assert_eq!(image.run()["Healthcheck"]["StartInterval"], 1_000_000_000);
    assert_eq!(image.words("OnBuild"), ["COPY . .", "LABEL built=on"]);
    assert_eq!(image.run()["Labels"]["from"], "outside");
    assert_eq!(image.manifest["annotations"]["some.key"], "value");
    assert!(image.run()["Volumes"]["/data"].is_object());
}

#[test]
fn mounts_and_a_named_context() {
    let assets =
        Project::written("").file("logo.svg", "<svg/>").file("deep/run.mjs", "console.log(1)");
    let text = r#"
        FROM dhi.io/debian-base:trixie-dev AS build
        WORKDIR /out
        RUN --mount=type=bind,source=in,target=/in --mount=type=cache,target=/cache,id=dockerfiles-c `
            --mount=type=secret,id=token,required=true --mount=type=tmpfs,target=/t `
            cat /in/a.txt > a.txt && wc -c < /run/secrets/token > size && touch /cache/x /t/y
        RUN --network=none --mount=from=assets,target=/assets cp /assets/deep/run.mjs .
        FROM dhi.io/node:24
        COPY --link --chmod=0555 --from=assets deep/run.mjs /opt/
        COPY --link --chmod=go= --chown=1000:1000 --from=build /out /opt/out/
        COPY --from=assets --exclude=deep . /srv/
        ENTRYPOINT ["node", "/opt/run.mjs"]
        "#
    .replace(" `\n", " \\\n");
    let token = Project::written("").file("token", "12345");
    let context = format!("--build-context=assets={}", assets.path().display());
    let secret = format!("--secret=id=token,src={}", token.path().join("token").display());
    let image = both(&text, &[&context, &secret], ("node", "1000:1000"), |project| {
        project.file("in/a.txt", "a")
    });
    assert_eq!(image.listing().at("/opt/run.mjs").mode, 0o555);
    assert_eq!(image.file("/opt/out/size").trim(), "5");
    assert!(image.listing().has("/srv/logo.svg") && !image.listing().has("/srv/deep"));
}

#[test]
fn a_user_in_any_form_becomes_numbers() {
    for (user, expected) in [
        ("node:node", "1000:1000"),
        ("1000", "1000:1000"),
        ("4711", "4711:0"),
        ("1000:0", "1000:0"),
    ] {
        let image = ours(&format!("FROM dhi.io/node:24\nUSER {user}\n")).push();
        assert_eq!(image.run()["User"], expected, "USER {user}");
    }
}
