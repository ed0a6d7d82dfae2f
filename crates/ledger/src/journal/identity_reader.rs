//! Reading which identity parameters are in force.

use protocol::BillerCode;

use super::identity::IdentityInForce;
use super::{JournalError, Reader};
use crate::Timestamp;

impl Reader {
    /// Returns the identity parameters in force, of every biller for which they were kept.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn identities_in_force(&self) -> Result<Vec<IdentityInForce>, JournalError> {
        let unreadable = || JournalError::Row("identity_in_force".to_owned());
        let connection = self.lock();
        let query = "SELECT biller_code, names, changed_on, since FROM identity_in_force";
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (code, names): (String, String) = (row.get(0)?, row.get(1)?);
            found.push(IdentityInForce {
                biller: BillerCode::parse(&code).ok_or_else(unreadable)?,
                names: serde_json::from_str(&names).map_err(|_| unreadable())?,
                changed_on: row.get(2)?,
                since: Timestamp::from_millis(row.get(3)?),
            });
        }
        Ok(found)
    }
}
