//! Calls: what a client asks without building.

use crate::context::Loaded;
use crate::frontend::Failure;
use crate::gateway::Gateway;
use crate::options::Options;
use crate::result::Answer;

/// Answers a call.
pub(super) async fn answer(
    _gateway: &Gateway,
    _options: &Options,
    _loaded: &Loaded,
    name: &str,
) -> Result<Answer, Failure> {
    Err(Failure::UnknownCall(name.to_owned()))
}
