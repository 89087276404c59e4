//! What was judged, for others to read: one document, and the forms that people and programs ask for.
//!
//! In: the judgement of `harden` and what the caller knows besides (lines of the spec, names of bases,
//! outcomes of tests). Out: `Document`, which every other form is made of, so that none says more or
//! less than another. Pure, bounded, and the same input gives the same bytes: nothing tells the time.

mod attested;
pub mod contract;
pub mod document;
mod format;
mod html;
pub(crate) mod json;
mod junit;
mod listing;
mod markdown;
mod markup;
pub mod predicates;
mod sarif;
mod standards;
mod text;
mod told;
mod write;

pub use attested::{CTRF, TEST_RESULT, ctrf, test_result};
pub use document::Document;
pub use format::Format;
pub use write::About;
