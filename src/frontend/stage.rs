//! A stage handed out: `--target app/stage`. Its steps run as for the app; nothing is inspected, no
//! evidence goes along, and the image is marked (`plan::finish_stage`).

use crate::diagnostic::{Code, Diagnostic, Text};
use crate::emit::Emitter;
use crate::frontend::{Build, Drafted, Failure, prepare, unusable_app};
use crate::gateway::{Refs, Solved};
use crate::llb::Output;
use crate::plan::{self, Plan};
use crate::platform::Platform;
use crate::result::ImageResult;
use crate::spec::model::Stage;

impl Build<'_> {
    /// The files of a stage.
    pub(super) async fn stage(
        &self,
        stage: &Stage,
        platform: &Platform,
    ) -> Result<ImageResult, Failure> {
        let drafted = self.draft_stage(stage, platform).await?;
        let mut emitter = Emitter::new(&drafted.draft, &self.settings);
        let (plan, files) = self.lay_out_stage(&mut emitter, &drafted)?;
        let solved = self.solve(self.marshal(&emitter, files)).await?;
        refuse_empty(&stage.name, &solved)?;
        let found = solved.single()?;
        Ok(ImageResult::new(found, &plan, self.options))
    }

    /// Names → images → paths and commands. The images need not be fit to ship on.
    pub(super) async fn draft_stage(
        &self,
        stage: &Stage,
        platform: &Platform,
    ) -> Result<Drafted, Failure> {
        let build = self.options.build_platform();
        let variables = self.variables.on(platform, &build);
        let request = self.request(self.app, &variables, (platform, &build));
        let selection = plan::select_stage(&request, stage).map_err(Failure::Refused)?;
        let images = self.resolve(&selection).await?;
        let apps = self.apps(&selection, platform).await?;
        let draft = plan::draft_stage(&request, &selection, images).map_err(Failure::Refused)?;
        Ok(Drafted { draft, variables, apps })
    }

    /// Its graph, and what is said of it.
    pub(super) fn lay_out_stage(
        &self,
        emitter: &mut Emitter<'_>,
        drafted: &Drafted,
    ) -> Result<(Plan, Output), Failure> {
        for (name, definition) in &drafted.apps {
            emitter
                .add_app(name.clone(), definition)
                .map_err(|error| unusable_app(name, &error))?;
        }
        let settings = prepare::plan_settings(self.options, self.app, &drafted.variables);
        let plan = plan::finish_stage(drafted.draft.clone(), &settings.view());
        Ok((plan, emitter.last_stage()))
    }
}

/// The builder makes nothing of a stage without files: there is nothing to hand out.
fn refuse_empty(name: &Text, solved: &Solved) -> Result<(), Failure> {
    let Refs::Single(None) = solved.refs else { return Ok(()) };
    let message = format!("the stage {:?} has no files that could be handed out", name.value);
    let mistake = Diagnostic::error(Code::StageTarget, name.span, message);
    Err(Failure::Refused(vec![
        mistake.help("add a step that puts files into it, or another `base`"),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::proto::frontend::Ref;

    #[test]
    fn a_stage_without_files_is_refused_at_its_name() {
        let name = Text::new("empty".to_owned(), Span::at(4, 3));
        let Err(Failure::Refused(mistakes)) = refuse_empty(&name, &Solved::default()) else {
            panic!("there is nothing to hand out")
        };
        assert_eq!((mistakes[0].code, mistakes[0].span), (Code::StageTarget, Span::at(4, 3)));
        assert_eq!(
            mistakes[0].message,
            "the stage \"empty\" has no files that could be handed out"
        );
        let refs = Refs::Single(Some(Ref::default()));
        assert!(refuse_empty(&name, &Solved { refs, ..Solved::default() }).is_ok());
    }
}
