//! A stage handed out: `--target app/stage`. Its steps run as for the app; nothing is inspected, no
//! evidence goes along, and the image is marked (`plan::finish_stage`).

use crate::emit::Emitter;
use crate::frontend::{Build, Drafted, Failure, prepare};
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
        let found = self.solve(self.marshal(&emitter, files)).await?.single()?;
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
            emitter.add_app(name.clone(), definition)?;
        }
        let settings = prepare::plan_settings(self.options, self.app, &drafted.variables);
        let plan = plan::finish_stage(drafted.draft.clone(), &settings.view());
        Ok((plan, emitter.last_stage()))
    }
}
