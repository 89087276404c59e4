//! `--call=check` of a Dockerfile: what Docker's frontend answers, and beside it what hardpan knows
//! without an image: mistakes and warnings of the policy, and a test that is required.

use super::{Delegate, in_result, only_told};
use crate::frontend::policy::{self, Gate};
use crate::frontend::{Failure, lint, prepare};
use crate::result::Answer;

impl Delegate<'_> {
    /// Docker's answer, unchanged where there is nothing to add.
    pub(super) async fn checked(&self) -> Result<Answer, Failure> {
        let today = prepare::today();
        let central = policy::central(self.gateway, self.options, today).await?;
        let gate = Gate::of(None, self.options, central, today)?;
        let mut told = only_told(self.convert(Some(lint::NAME)).await?);
        let mut found = gate.warnings.clone();
        if gate.policy.tested.is_some() {
            found.extend(gate.of_dockerfile(self.place().await));
        }
        lint::add(&mut told.metadata, &found, (&self.options.lint, &self.loaded.file));
        Ok(Answer::made(in_result(told)))
    }
}
