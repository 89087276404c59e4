//! The least that a frontend can be: it answers the builder, returns nothing and exits. What a build
//! costs with it is the price of starting a container; `benches/bench.py` measures ours against it.

use std::process::ExitCode;

use hardpan::gateway;
use hardpan::proto::{Status, frontend};

fn main() -> ExitCode {
    gateway::serve(async |_| Ok::<_, Status>(frontend::Result::default()))
}
