//! Where BuildKit, the registry and the frontend under test are: the variables of `make env`.

use std::env;
use std::sync::LazyLock;

/// What `make env` prints.
#[derive(Debug)]
pub struct Environment {
    /// The buildx builder.
    pub builder: String,
    /// The address of the main buildkitd.
    pub host: String,
    /// The registry, `HOST:PORT`, plain HTTP.
    pub registry: String,
    /// The frontend image under test, by digest.
    pub syntax: String,
    /// The certificates of this machine, where it is told to trust others than its system does.
    pub certificates: Option<String>,
}

static ENVIRONMENT: LazyLock<Result<Environment, String>> = LazyLock::new(|| {
    Ok(Environment {
        builder: variable("HARDPAN_BUILDER")?,
        host: variable("BUILDKIT_HOST")?,
        registry: variable("HARDPAN_REGISTRY")?,
        syntax: variable("HARDPAN_SYNTAX")?,
        certificates: env::var("HARDPAN_TEST_CA").ok(),
    })
});

/// The environment of this test run; a test without one fails and says what to do.
#[track_caller]
pub fn environment() -> &'static Environment {
    ENVIRONMENT.as_ref().unwrap_or_else(|problem| panic!("{problem}"))
}

fn variable(name: &str) -> Result<String, String> {
    let advice = "run `make test`, or eval \"$(make -s env)\" first";
    env::var(name).map_err(|_| format!("{name} is not set: {advice}"))
}
