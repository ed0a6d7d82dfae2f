//! Events that are not open any more.

use protocol::{Decimal, PaymentEvent};
use rusqlite::{Connection, params};

use super::{JournalError, column};

/// What is open of an event: a payment whatever its amount, a cancel with its amount in either sign.
const OPEN_ROWS: &str = "SELECT seq, kind FROM fact WHERE open = 1 AND bill = ?1 AND pay_id = ?2
    AND paid_at = ?3 AND pay_type = ?4 AND (pay_type = 0 OR pay_amount = ?5 OR pay_amount = ?6)";

/// Ends what is open of an event. Returns how many of the rows that are not open any more are deliveries. The rows are
/// found first: an update that looks for them by what it changes, or returns them, makes a table of its own each time.
pub(super) fn end_open(
    connection: &Connection,
    bill: i64,
    event: &PaymentEvent,
) -> Result<i64, JournalError> {
    let amount = event.pay_amount.abs();
    let negative = Decimal::from_parts(-amount.units(), -amount.fraction()).unwrap_or(amount);
    let open: Vec<(i64, i64)> = {
        let mut statement = connection.prepare_cached(OPEN_ROWS)?;
        let rows = statement.query_map(
            params![
                bill,
                column::pay_id_value(event.pay_id),
                column::digits_number(event.paid_at.as_str()),
                column::pay_type_number(event.pay_type),
                column::amount_value(amount),
                column::amount_value(negative),
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        rows.collect::<Result<_, _>>()?
    };
    let mut deliveries = 0;
    for (seq, kind) in open {
        connection
            .prepare_cached("UPDATE fact SET open = NULL WHERE seq = ?1")?
            .execute([seq])?;
        deliveries += i64::from(kind == column::kind::DELIVERY);
    }
    Ok(deliveries)
}
