//! The report on a Dockerfile's image: instead of it, or as the answer to a call.

use super::{Looked, Made, Proof, made};
use crate::frontend::evidence::can_pass;
use crate::frontend::{Failure, proof, reports};
use crate::gateway::{Solved, side_by_side};
use crate::result::{Answer, ImageResult};

impl Proof<'_> {
    /// The answer to the call.
    pub(super) async fn told(&self, converted: Solved) -> Result<Answer, Failure> {
        let images = made(converted.refs, &converted.metadata);
        let judged = async |image: &Made| Ok(self.look(image).await?.verdict.document);
        let outcomes = side_by_side(images.iter().map(judged)).await;
        Ok(reports::told(&self.all_of(&images, outcomes)?))
    }

    /// Files instead of the images.
    pub(super) async fn reported(&self, converted: Solved) -> Result<Answer, Failure> {
        let images = made(converted.refs, &converted.metadata);
        let outcomes = side_by_side(images.iter().map(|image| self.report(image))).await;
        let results = self.all_of(&images, outcomes)?;
        let mut answer = Answer::new(images.iter().any(|image| image.id.is_some()));
        for (image, result) in images.iter().zip(results) {
            answer.add(&self.platform(image), result);
        }
        Ok(answer)
    }

    async fn report(&self, image: &Made) -> Result<ImageResult, Failure> {
        let Looked { mut whole, probe, verdict, .. } = self.look(image).await?;
        let (gateway, options) = (self.delegate.gateway, self.delegate.options);
        let title = reports::title(&verdict.summary, &verdict.found);
        let warnings = reports::as_warnings(&options.lint, verdict.found);
        proof::warn(gateway, &self.delegate.loaded.vertex, &warnings).await?;
        let files = reports::files(&verdict.document);
        let output = if can_pass(gateway) {
            let output = whole.reports(files, "write the report");
            whole.pass_on(output, probe, &title)
        } else {
            whole.reports(files, &title)
        };
        let found = self.delegate.solve(whole.definition(output)).await?;
        let found = found.ok_or_else(|| Failure::internal("the report was not written"))?;
        Ok(ImageResult::files(found, (reports::LABEL, &self.platform(image)), options))
    }
}
