//! Checks that need several tables or files.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::path::Path;

use super::biller::{Biller, BillerFile};
use super::kakao::Kakao;
use super::listen::Listen;
use super::parse::diagnostics::Diagnostics;

/// Warns of pinned client certificates where the listener requests none.
pub(super) fn warn_of_unrequested_certificates(
    file: &Path,
    listen: &Listen,
    kakao: &Kakao,
    billers: &[BillerFile],
    diagnostics: &mut Diagnostics,
) {
    const MESSAGE: &str = "pins certificates that `listen.tls` does not request: \
        every call of this party will be refused with E003";
    if listen.requests_certificates() {
        return;
    }
    if !kakao.client_certificates.is_empty() {
        diagnostics.warn(file, "kakao.client_certificates", MESSAGE);
    }
    for biller_file in billers {
        let pins = |biller: &Biller| !biller.client_certificates.is_empty();
        if biller_file.biller.as_ref().is_some_and(pins) {
            diagnostics.warn(&biller_file.path, "client_certificates", MESSAGE);
        }
    }
}

/// Warns of billers that share what should tell them apart: an `Authorization` value, or a base URL.
pub(super) fn warn_of_twins(billers: &[BillerFile], diagnostics: &mut Diagnostics) {
    let registered: Vec<(&Path, &Biller)> = billers
        .iter()
        .filter_map(|file| Some((&*file.path, file.biller.as_ref()?)))
        .collect();
    let digests = registered.iter().flat_map(|(path, biller)| {
        let digests = biller.authorization_sha256.iter();
        digests.map(move |digest| (*digest.as_bytes(), *path, *biller))
    });
    warn_of_shared(
        digests,
        diagnostics,
        "authorization_sha256",
        "the `Authorization` value of one admits calls in the other's name",
    );
    let urls = registered
        .iter()
        .map(|(path, biller)| (biller.base_url.to_string(), *path, *biller));
    warn_of_shared(
        urls,
        diagnostics,
        "base_url",
        "the bills and payments of both go to one place",
    );
}

/// Adds one warning for each value that several billers have, at the second of them.
fn warn_of_shared<'a, V: Eq + Hash>(
    values: impl Iterator<Item = (V, &'a Path, &'a Biller)>,
    diagnostics: &mut Diagnostics,
    key: &str,
    consequence: impl Display,
) {
    let mut owners: HashMap<V, Vec<(&Path, &Biller)>> = HashMap::new();
    for (value, path, biller) in values {
        let owners = owners.entry(value).or_default();
        if owners
            .last()
            .is_none_or(|(_, last)| last.code != biller.code)
        {
            owners.push((path, biller));
        }
    }
    for owners in owners.values() {
        let [(_, first), (path, _), others @ ..] = owners.as_slice() else {
            continue;
        };
        let more = match others.len() {
            0 => String::new(),
            count => format!(", and {count} more have it"),
        };
        let code = first.code;
        let message = format!("is also that of `{code}`{more}: {consequence}");
        diagnostics.warn(path, key, message);
    }
}
