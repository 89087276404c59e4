//! The messages of `proto/`, as Rust. Nothing here is written by hand but the names of the modules,
//! which the generated code needs to be as deep as the packages; the aliases below are shorter.
//!
//! Only `gateway` and `llb` should have to import these types.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "generated code")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

pub mod pb {
    tonic::include_proto!("pb");
}

pub mod fsutil {
    pub mod types {
        tonic::include_proto!("fsutil.types");
    }
}

pub mod google {
    pub mod protobuf {
        tonic::include_proto!("google.protobuf");
    }
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}

pub mod moby {
    pub mod buildkit {
        pub mod v1 {
            pub mod apicaps {
                tonic::include_proto!("moby.buildkit.v1.apicaps");
            }
            pub mod frontend {
                tonic::include_proto!("moby.buildkit.v1.frontend");
            }
            pub mod sourcepolicy {
                tonic::include_proto!("moby.buildkit.v1.sourcepolicy");
            }
            pub mod types {
                tonic::include_proto!("moby.buildkit.v1.types");
            }
        }
    }
}

pub use google::rpc::Status;
pub use moby::buildkit::v1::{frontend, sourcepolicy, types};
