//! Whether a builder runs programs of a platform that is not its own: found out by running one.

use crate::emit;
use crate::frontend::{Build, Failure};
use crate::gateway::{Error, Solve, detail};
use crate::platform::Platform;

impl Build<'_> {
    /// Says of a step that failed whether the builder could not run it at all.
    pub(super) async fn understand(&self, failure: Failure) -> Failure {
        let Failure::Gateway(Error::Refused(status)) = failure else { return failure };
        let step = detail::solve(&status).unwrap_or_default().op.platform.unwrap_or_default();
        let platform = Platform::new(&step.os, &step.architecture, &step.variant);
        if platform == self.options.build_platform() {
            return Failure::Gateway(Error::Refused(status));
        }
        match self.runs(&platform, &platform).await {
            Ok(Some(false)) => Failure::ForeignProgram(status, platform),
            _ => Failure::Gateway(Error::Refused(status)),
        }
    }

    /// Whether a program of a platform runs in a step that is said to be for another one; `None` where
    /// this release has no such program.
    pub(super) async fn runs(
        &self,
        platform: &Platform,
        started_as: &Platform,
    ) -> Result<Option<bool>, Error> {
        let Some((graph, output)) = emit::trial(platform, started_as) else { return Ok(None) };
        let solve = Solve { evaluate: true, ..Solve::of(graph.marshal(output, &[])) };
        match self.gateway.solve(solve).await {
            Ok(_) => Ok(Some(true)),
            Err(Error::Refused(_)) => Ok(Some(false)),
            Err(error) => Err(error),
        }
    }
}
