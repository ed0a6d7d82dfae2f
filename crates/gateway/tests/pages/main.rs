//! Every command on a page is run, or checked in a way that fails if it is wrong; and what the pages say of the
//! dependencies is so.
#![allow(missing_docs, clippy::unwrap_used)]

mod advisories;
mod cargo;
mod commands;
mod fallback_scsv;
mod machine;
mod reader;
mod scripts;

use std::path::{Path, PathBuf};

/// Returns the folder of the repository.
fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().unwrap()
}
