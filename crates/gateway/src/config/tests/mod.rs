//! Tests of the complete configuration: defaults, diagnostics, the shipped files, robustness.

#![allow(clippy::unwrap_used)]

mod defaults;
mod faults;
mod folder;
mod reload;
mod robustness;
mod several_files;
mod shipped;
mod warnings;
