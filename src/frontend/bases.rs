//! What the configs of the bases of an app say, judged before anything is built.

use jiff::civil::Date;

use crate::bases::judge::{Side, judge_dev, judge_runtime};
use crate::bases::labels::Declared;
use crate::bases::resolve::Resolved;
use crate::diagnostic::Diagnostic;
use crate::frontend::proof::refuse;
use crate::frontend::{Build, Failure, policy};
use crate::plan::{Request, Selection};

impl Build<'_> {
    /// Refuses bases that will not do, before anything is built.
    pub(super) async fn judge_bases(
        &self,
        request: &Request<'_>,
        selection: &Selection<'_>,
        images: &[Resolved],
    ) -> Result<(), Failure> {
        let found = base_findings(request, selection, images, self.today);
        let found = policy::excuse(found, &self.gate.policy, self.today);
        self.warn(&refuse(found)?).await
    }
}

/// What the configs of the bases of an app say against them.
pub(super) fn base_findings(
    request: &Request<'_>,
    selection: &Selection<'_>,
    images: &[Resolved],
    today: Date,
) -> Vec<Diagnostic> {
    let declared: Vec<Declared> =
        images.iter().map(|image| Declared::read(&image.config.config.labels)).collect();
    let side = |index: usize| {
        let image: &Resolved = &images[index];
        Side {
            name: image.reference.strip_prefix(request.registry).unwrap_or(&image.reference),
            declared: &declared[index],
            user: &image.config.config.user,
            span: image.span,
        }
    };
    let runtime = side(selection.runtime);
    let mut found = judge_runtime(&runtime, request.app.user.is_some(), today);
    if let Some(dev) = selection.dev {
        found.extend(judge_dev(&side(dev), &runtime, today));
    }
    found
}
