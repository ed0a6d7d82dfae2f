//! Parsing of TOML files: documents, tables and the types of values, with every fault as a diagnostic.

pub(super) mod base_url;
pub(super) mod bounds;
pub(super) mod diagnostics;
pub(super) mod document;
pub(super) mod duration;
pub(super) mod host_port;
pub(super) mod named_file;
pub(super) mod redis_url;
pub(super) mod secret;
pub(super) mod section;
pub(super) mod sha256;
pub(super) mod size;
pub(super) mod spelling;
pub(super) mod value;
