//! The binary: as a frontend it answers every build with what it cannot do yet.

use std::process::ExitCode;

use hardpan::gateway::{self, Gateway, status};
use hardpan::proto::{Status, frontend};

fn main() -> ExitCode {
    gateway::serve(async |_: &Gateway| -> Result<frontend::Result, Status> {
        Err(status::failure("hardpan builds nothing yet"))
    })
}
