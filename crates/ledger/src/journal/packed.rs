//! Bytes that are kept of pay-results and answers, compressed: nearly all of them are the guide's member names.

use lz4_flex::block::{compress_with_dict, decompress_with_dict};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Row, params};

use super::JournalError;
use super::column::unreadable;

/// What pay-results and answers to them have in common; the more frequent, the later. It is a part of the file's format:
/// never change it.
const COMMON: &[u8] = include_bytes!("packed_common.txt");

/// Bytes that one byte of a compressed body can stand for, at most.
const MOST_PER_BYTE: usize = 255;

/// Bytes as they lie in a row.
pub(super) struct Packed<'a> {
    pub(super) bytes: ToSqlOutput<'a>,
    /// How many they were; `None` where they lie as they are.
    pub(super) unpacked: Option<i64>,
}

impl<'a> Packed<'a> {
    /// Packs a body, unless it is not shorter then.
    pub(super) fn of(body: &'a [u8]) -> Self {
        let packed = compress_with_dict(body, COMMON);
        match i64::try_from(body.len()) {
            Ok(length) if packed.len() < body.len() => Self {
                bytes: ToSqlOutput::from(packed),
                unpacked: Some(length),
            },
            _ => Self {
                bytes: ToSqlOutput::from(body),
                unpacked: None,
            },
        }
    }
}

/// Gives a pay-result its bytes, where it has none.
pub(super) fn keep(connection: &Connection, id: i64, body: &[u8]) -> Result<(), JournalError> {
    let body = Packed::of(body);
    connection
        .prepare_cached(
            "UPDATE message SET body = ?2, unpacked = ?3 WHERE id = ?1 AND body IS NULL",
        )?
        .execute(params![id, body.bytes, body.unpacked])?;
    Ok(())
}

/// Reads a body and, behind it, how long it was before it was packed. `None` where it is not kept.
pub(super) fn read(row: &Row<'_>, at: usize) -> Result<Option<Vec<u8>>, JournalError> {
    let Some(bytes) = row
        .get_ref(at)?
        .as_blob_or_null()
        .map_err(|_| unreadable("body"))?
    else {
        return Ok(None);
    };
    match row.get::<_, Option<i64>>(at + 1)? {
        None => Ok(Some(bytes.to_vec())),
        Some(unpacked) => unpack(bytes, unpacked)
            .map(Some)
            .ok_or_else(|| unreadable("body")),
    }
}

/// Returns the bytes as they were; `None` where they are damaged.
fn unpack(packed: &[u8], unpacked: i64) -> Option<Vec<u8>> {
    let length = usize::try_from(unpacked).ok()?;
    let most = packed.len().saturating_mul(MOST_PER_BYTE);
    let body = (length <= most).then(|| decompress_with_dict(packed, length, COMMON))?;
    body.ok().filter(|body| body.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(body: &[u8]) -> (Vec<u8>, Option<i64>) {
        let packed = Packed::of(body);
        let bytes = match packed.bytes {
            ToSqlOutput::Owned(rusqlite::types::Value::Blob(bytes)) => bytes,
            ToSqlOutput::Borrowed(value) => value.as_blob().unwrap().to_vec(),
            other => panic!("{other:?}"),
        };
        (bytes, packed.unpacked)
    }

    const PAY_RESULT: &str = r#"{"data":{"biller_user_key":"6000000123","billed_year_month":"202611","parameters":{"pay_rqt_seq":"KT000001"},"pay_by":"MONEY","pay_type":"P","pay_detail1":"","pay_detail2":"","amount":29000,"pay_amount":29000,"pay_fee_type":"BEFORE","pay_fee":150,"pay_fee_tax":15,"paid_at":"20261128101500","pay_id":2748877}}"#;

    #[test]
    fn every_body_reads_back_and_a_pay_result_takes_less_than_half() {
        let spaced = PAY_RESULT.replace(':', " : ").replace(',', ",\n\t");
        let any: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        for body in [
            PAY_RESULT.as_bytes(),
            spaced.as_bytes(),
            br#"{"res_code":"OK","message":"OK","data":null}"#,
            b"",
            b"{}",
            &any,
            &vec![0; 100_000],
        ] {
            let (bytes, unpacked) = packed(body);
            match unpacked {
                None => assert_eq!(bytes, body),
                Some(unpacked) => {
                    assert!(bytes.len() < body.len());
                    assert_eq!(unpack(&bytes, unpacked).as_deref(), Some(body));
                }
            }
        }
        assert!(packed(PAY_RESULT.as_bytes()).0.len() * 2 < PAY_RESULT.len());
    }

    /// `PAY_RESULT`, as the first version that packed bodies wrote it.
    const WRITTEN_ONCE: &str = "0f480109103683005f303031323348010720363165010f4b0109204b544500403031227d28000f43012d041f012d\
        3239320107130001ae020f3201052c313534012031359b00072101b136313132383130313530303c0102d50290323734383837377d7d";

    #[test]
    fn bytes_that_were_packed_once_are_read_for_ever() {
        let digits = WRITTEN_ONCE.as_bytes().chunks(2);
        let bytes =
            digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap());
        let bytes: Vec<u8> = bytes.collect();
        assert_eq!(bytes.len(), 100);
        let length = i64::try_from(PAY_RESULT.len()).unwrap();
        assert_eq!(
            unpack(&bytes, length).as_deref(),
            Some(PAY_RESULT.as_bytes())
        );
    }

    #[test]
    fn damaged_bytes_are_unreadable_and_take_no_memory() {
        let (bytes, unpacked) = packed(PAY_RESULT.as_bytes());
        let length = unpacked.unwrap();
        for wrong in [0, -1, length - 1, length + 1, i64::MAX] {
            assert_eq!(unpack(&bytes, wrong), None, "{wrong}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(unpack(&bytes[..cut], length), None, "{cut}");
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0xff;
            let read = unpack(&damaged, length);
            assert_ne!(read.as_deref(), Some(PAY_RESULT.as_bytes()), "{place}");
        }
    }
}
