//! Pay-results as numbers: found by the facts that name them, and made where they are new.
//!
//! A digest is random: an index of digests would have another of its pages written for nearly every pay-result. The event
//! that a pay-result reports leads to it as well, through an index that grows at its end.

use protocol::{CanonicalDigest, PaymentEvent};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::effect::event_of;
use super::intern::{KnownMessage, Numbers};
use super::optional::Optional;
use super::packed::Packed;
use super::row::{self, limit};
use super::{JournalError, column, hash, packed};
use crate::{Digests, Fact, FactKind, MessageDigest};

/// Facts that are looked at for a pay-result. What is beyond them gets a row of its own again: copies of a pay-result in
/// very many spellings.
const LOOKED_AT: usize = 64;

const OF_EVENT: &str = "SELECT message.id, message.biller, message.digest, message.canonical
    FROM fact CROSS JOIN message ON message.id = fact.message
    WHERE fact.kind = 6 AND fact.pay_id = ?1 AND fact.paid_at = ?2 ORDER BY fact.seq DESC LIMIT ?3";

const OF_REFUSALS: &str = "SELECT message.id, message.biller, message.digest, message.canonical
    FROM fact CROSS JOIN message ON message.id = fact.message
    WHERE fact.kind = 8 AND fact.bill = ?1 ORDER BY fact.seq DESC LIMIT ?2";

/// While rows move from an older version, which has an index of digests.
const FIND_MESSAGE: &str = "SELECT id, canonical FROM message
    WHERE substr(digest, 1, 8) = ?1 AND digest = ?2 AND biller = ?3";

/// Which facts name a pay-result.
#[derive(Clone, Copy, Debug)]
pub(super) enum NamedBy<'a> {
    /// The payments of the event that it reports.
    Event(&'a PaymentEvent),
    /// The refused pay-results of the bill with this number.
    Refusals(i64),
}

impl<'a> NamedBy<'a> {
    /// Of a fact that names a pay-result, of the bill with this number.
    pub(super) const fn of(kind: &'a FactKind, bill: i64) -> Self {
        match event_of(kind) {
            Some(event) => Self::Event(event),
            None => Self::Refusals(bill),
        }
    }
}

/// A pay-result of a biller, and what names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) biller: i64,
    pub(super) digests: &'a Digests,
    pub(super) by: NamedBy<'a>,
}

impl Numbers {
    /// Returns the number of a pay-result that a fact names, made where it is new.
    pub(super) fn named_message(
        &mut self,
        connection: &Connection,
        named: Named<'_>,
    ) -> Result<i64, JournalError> {
        match self.find_named(connection, named)? {
            Some(id) => Ok(id),
            None => self.make_message(connection, named.biller, named.digests, None),
        }
    }

    /// Keeps the bytes of a pay-result that some of these facts name.
    pub(super) fn keep_of_facts(
        &mut self,
        connection: &Connection,
        facts: &[Fact],
        (biller, digests, body): (i64, &Digests, &[u8]),
    ) -> Result<(), JournalError> {
        let found = match facts.iter().find(|fact| names(fact, &digests.bytes)) {
            Some(fact) => {
                let by = match event_of(&fact.kind) {
                    Some(event) => NamedBy::Event(event),
                    None => NamedBy::Refusals(self.bill(connection, &fact.bill)?.id),
                };
                let named = Named {
                    biller,
                    digests,
                    by,
                };
                self.find_named(connection, named)?
            }
            // No fact would find it again.
            None => None,
        };
        if let Some(id) = found {
            return packed::keep(connection, id, body);
        }
        self.make_message(connection, biller, digests, Some(body))?;
        Ok(())
    }

    fn find_named(
        &mut self,
        connection: &Connection,
        named: Named<'_>,
    ) -> Result<Option<i64>, JournalError> {
        let key = (named.biller, named.digests.bytes);
        let known = match self.remembered_message(&key) {
            Some(known) => Some(known),
            None => look_for(connection, named)?,
        };
        known
            .map(|known| self.learn_canonical(connection, key, (known, named.digests)))
            .transpose()
    }
}

impl Numbers {
    /// Takes it that a pay-result has this number: no index is asked.
    pub(super) fn remember_message(
        &mut self,
        key: (i64, MessageDigest),
        (id, has_canonical): (i64, bool),
    ) {
        if self.messages.get_mut(&key).is_none() {
            self.messages
                .insert(key, KnownMessage { id, has_canonical });
        }
    }

    /// Returns the number of a pay-result, made where it is new.
    pub(super) fn message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
    ) -> Result<i64, JournalError> {
        match self.find_message(connection, biller, digests)? {
            Some(id) => Ok(id),
            None => self.make_message(connection, biller, digests, None),
        }
    }

    /// Keeps the bytes of a pay-result.
    pub(super) fn keep_message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
        body: &[u8],
    ) -> Result<(), JournalError> {
        if let Some(id) = self.find_message(connection, biller, digests)? {
            return packed::keep(connection, id, body);
        }
        self.make_message(connection, biller, digests, Some(body))?;
        Ok(())
    }

    /// Returns the number of a pay-result that the journal has.
    pub(super) fn find_message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
    ) -> Result<Option<i64>, JournalError> {
        let key = (biller, digests.bytes);
        let known = match self.remembered_message(&key) {
            Some(known) => known,
            None => match find_message(connection, key)? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        let id = self.learn_canonical(connection, key, (known, digests))?;
        Ok(Some(id))
    }

    /// Returns a pay-result that was used lately.
    pub(super) fn remembered_message(
        &mut self,
        key: &(i64, MessageDigest),
    ) -> Option<KnownMessage> {
        self.messages.get_mut(key).copied()
    }

    /// Writes the digest of the canonical form where the row of a pay-result has none. Returns its number.
    pub(super) fn learn_canonical(
        &mut self,
        connection: &Connection,
        key: (i64, MessageDigest),
        (mut known, digests): (KnownMessage, &Digests),
    ) -> Result<i64, JournalError> {
        if let (false, Some(canonical)) = (known.has_canonical, &digests.canonical) {
            connection
                .prepare_cached("UPDATE message SET canonical = ?2 WHERE id = ?1")?
                .execute(params![known.id, canonical.as_bytes()])?;
            known.has_canonical = true;
        }
        self.messages.insert(key, known);
        Ok(known.id)
    }

    /// Makes the row of a pay-result.
    pub(super) fn make_message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
        body: Option<&[u8]>,
    ) -> Result<i64, JournalError> {
        let bytes = digests.bytes.as_bytes();
        let canonical = digests.canonical.as_ref().map(CanonicalDigest::as_bytes);
        let body = body.map(Packed::of);
        let unpacked = body.as_ref().and_then(|body| body.unpacked);
        connection
            .prepare_cached(
                "INSERT INTO message (biller, digest, canonical, body, unpacked) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                biller,
                bytes,
                canonical,
                body.map(|body| body.bytes),
                unpacked
            ])?;
        let id = connection.last_insert_rowid();
        let has_canonical = canonical.is_some();
        let known = KnownMessage { id, has_canonical };
        self.messages.insert((biller, digests.bytes), known);
        Ok(id)
    }

    /// Pay-results left the journal.
    pub(super) fn forget_messages(&mut self) {
        self.messages.clear();
    }
}

/// Whether a fact names a pay-result.
fn names(fact: &Fact, message: &MessageDigest) -> bool {
    Optional::from(&fact.kind).message == Some(message)
}

fn look_for(
    connection: &Connection,
    named: Named<'_>,
) -> Result<Option<KnownMessage>, JournalError> {
    match named.by {
        NamedBy::Event(event) => {
            let pay_id = column::pay_id_value(event.pay_id);
            let paid_at = column::digits_number(event.paid_at.as_str());
            let most = limit(LOOKED_AT);
            find_among(connection, OF_EVENT, (&[&pay_id, &paid_at, &most], named))
        }
        NamedBy::Refusals(bill) => {
            let most = limit(LOOKED_AT);
            find_among(connection, OF_REFUSALS, (&[&bill, &most], named))
        }
    }
}

fn find_among(
    connection: &Connection,
    query: &str,
    (parameters, named): (&[&dyn ToSql], Named<'_>),
) -> Result<Option<KnownMessage>, JournalError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        let biller: i64 = row.get(1)?;
        if biller == named.biller && row::digest(row, 2)? == named.digests.bytes {
            let canonical: Option<CanonicalDigest> = row::canonical(row, 3)?;
            return Ok(Some(KnownMessage {
                id: row.get(0)?,
                has_canonical: canonical.is_some(),
            }));
        }
    }
    Ok(None)
}

fn find_message(
    connection: &Connection,
    (biller, digest): (i64, MessageDigest),
) -> Result<Option<KnownMessage>, JournalError> {
    let bytes = digest.as_bytes();
    let found = connection
        .prepare_cached(FIND_MESSAGE)?
        .query_row(params![hash::beginning(bytes), bytes, biller], |row| {
            Ok(KnownMessage {
                id: row.get(0)?,
                has_canonical: row.get_ref(1)?.as_blob_or_null()?.is_some(),
            })
        })
        .optional()?;
    Ok(found)
}
