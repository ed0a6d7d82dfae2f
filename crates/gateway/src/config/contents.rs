//! The contents of the certificates and keys that the configuration names.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use ledger::Timestamp;

use super::parse::diagnostics::{Diagnostic, Diagnostics, NamedFile, TlsTable};
use crate::tls::{EXPIRES_SOON, TlsFault, TlsFile, Validity, check_pair, moment};

/// A certificate of a file that has expired, or will soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiryNotice {
    /// The place that names the file, and the sentence.
    pub diagnostic: Diagnostic,
    /// Whether peers refuse it now: the gateway's own certificate, expired.
    pub is_refused: bool,
}

/// Checks what the files hold: the kind, the form, the key that belongs to the certificate. Each file is read once,
/// for thousands of billers may name the same authorities.
///
/// Returns what has expired or will soon. That is no fault: a gateway that did not start for it would make an outage
/// of a certificate that some callers do not even check.
pub(super) fn check(tables: &[TlsTable], diagnostics: &mut Diagnostics) -> Vec<ExpiryNotice> {
    let mut checker = Checker {
        diagnostics,
        files: HashMap::new(),
        told: HashSet::new(),
        notices: Vec::new(),
        now: Timestamp::now().millis() / 1000,
    };
    for table in tables {
        checker.table(table);
    }
    checker.notices
}

/// A file that was read, or why it cannot be used.
type Found = Result<Rc<TlsFile>, TlsFault>;

/// What a file is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Use {
    Chain,
    PrivateKey,
    Authorities,
}

struct Checker<'a> {
    diagnostics: &'a mut Diagnostics,
    files: HashMap<(PathBuf, Use), Found>,
    /// The files whose dates were judged: a file that many keys name is told of once.
    told: HashSet<PathBuf>,
    notices: Vec<ExpiryNotice>,
    now: i64,
}

impl Checker<'_> {
    fn table(&mut self, table: &TlsTable) {
        let certificate = self.file(table.certificate.as_ref(), Use::Chain);
        let private_key = self.file(table.private_key.as_ref(), Use::PrivateKey);
        self.file(table.authorities.as_ref(), Use::Authorities);
        if let (Some(certificate), Some(private_key)) = (certificate, private_key)
            && let Err(fault) = check_pair(&certificate, &private_key)
        {
            let is_certificates = fault.file == certificate.file();
            let named = if is_certificates {
                &table.certificate
            } else {
                &table.private_key
            };
            if let Some(named) = named {
                self.fault(named, &fault);
            }
        }
    }

    /// Checks one file and returns it if it can be used.
    fn file(&mut self, named: Option<&NamedFile>, usage: Use) -> Option<Rc<TlsFile>> {
        let named = named?;
        let found = self
            .files
            .entry((named.path.clone(), usage))
            .or_insert_with(|| {
                let file = TlsFile::read(&named.path)?;
                match usage {
                    Use::Chain => drop(file.chain()?),
                    Use::PrivateKey => drop(file.private_key()?),
                    Use::Authorities => drop(file.authorities()?),
                }
                Ok(Rc::new(file))
            });
        match found.clone() {
            Ok(file) => {
                if usage != Use::PrivateKey {
                    self.expiry(named, usage, &file);
                }
                Some(file)
            }
            Err(fault) => {
                self.fault(named, &fault);
                None
            }
        }
    }

    fn fault(&mut self, named: &NamedFile, fault: &TlsFault) {
        let fault = with_message(named, &fault.what);
        self.diagnostics.faults.push(fault);
    }

    fn expiry(&mut self, named: &NamedFile, usage: Use, file: &TlsFile) {
        if !self.told.insert(named.path.clone()) {
            return;
        }
        let Some(Validity {
            not_before,
            not_after,
            subject,
        }) = file.first_end()
        else {
            return;
        };
        let left = not_after.saturating_sub(self.now);
        let soon = i64::try_from(EXPIRES_SOON.as_secs()).unwrap_or(i64::MAX);
        let end = moment(not_after);
        let (what, is_refused) = if left < 0 {
            let who = match usage {
                Use::Authorities => "replace it with the authority's new one",
                Use::Chain | Use::PrivateKey => {
                    "peers refuse it; replace certificate and key, a reload takes them"
                }
            };
            (
                format!("holds the certificate {subject}, which expired on {end}: {who}"),
                usage == Use::Chain,
            )
        } else if not_before > self.now {
            let begin = moment(not_before);
            (
                format!(
                    "holds the certificate {subject}, which is not valid before {begin}: peers refuse it until then"
                ),
                usage == Use::Chain,
            )
        } else if left < soon {
            let days = left / 86_400;
            (
                format!(
                    "holds the certificate {subject}, which expires on {end}, in {days} days: renew it"
                ),
                false,
            )
        } else {
            return;
        };
        self.notices.push(ExpiryNotice {
            diagnostic: with_message(named, &what),
            is_refused,
        });
    }
}

fn with_message(named: &NamedFile, what: &str) -> Diagnostic {
    Diagnostic {
        message: format!("`{}` {what}", named.path.display()),
        ..named.place.clone()
    }
}
