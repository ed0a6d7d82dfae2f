//! The reader of the format.

use protocol::{Bill, Decimal, KoreanTime, PaidAt, PayId};

use super::{FIRST_VERSION, Unreadable, WIDE_PAY_ID, WITH_REFUSALS};
use crate::state::horizon::Horizon;
use crate::{Stamp, Timestamp};

/// A reader of this format.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    bytes: &'a [u8],
    version: u64,
    /// `None`: stamps are read as they are.
    horizon: Option<&'a Horizon>,
}

impl<'a> Decoder<'a> {
    /// Reads the version.
    ///
    /// # Errors
    /// When it is a later one than this code knows.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut decoder = Self {
            bytes,
            version: 0,
            horizon: None,
        };
        decoder.version = decoder.number()?;
        if (FIRST_VERSION..=WITH_REFUSALS).contains(&decoder.version) {
            Ok(decoder)
        } else {
            Err(Unreadable)
        }
    }

    /// The same for a value from outside, whose stamps `horizon` judges.
    ///
    /// # Errors
    /// When this code does not know the version.
    pub(crate) fn within(
        bytes: &'a [u8],
        horizon: Option<&'a Horizon>,
    ) -> Result<Self, Unreadable> {
        let decoder = Self::new(bytes)?;
        Ok(Self { horizon, ..decoder })
    }

    /// Returns the version of the value.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// Returns an error when bytes remain.
    pub(crate) fn finish(self) -> Result<(), Unreadable> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(Unreadable)
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.bytes.split_first().ok_or(Unreadable)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f)
                .checked_shl(shift)
                .ok_or(Unreadable)?;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Unreadable)
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Unreadable> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Unreadable> {
        Ok(self.byte()? != 0)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = usize::try_from(self.number()?).map_err(|_| Unreadable)?;
        let (bytes, rest) = self.bytes.split_at_checked(length).ok_or(Unreadable)?;
        self.bytes = rest;
        Ok(bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable)
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads a list. An item takes at least one byte, so a count above the remaining bytes is
    /// refused before anything is allocated.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Unreadable> {
        let items = usize::try_from(self.number()?).map_err(|_| Unreadable)?;
        if items > self.bytes.len() {
            return Err(Unreadable);
        }
        (0..items).map(|_| read(self)).collect()
    }

    pub(crate) fn stamp(&mut self) -> Result<Stamp, Unreadable> {
        let stamp = Stamp {
            time: self.signed()?,
            node: u32::try_from(self.number()?).map_err(|_| Unreadable)?,
        };
        Ok(self.horizon.map_or(stamp, |horizon| horizon.admit(stamp)))
    }

    pub(crate) fn timestamp(&mut self) -> Result<Timestamp, Unreadable> {
        self.signed().map(Timestamp::from_millis)
    }

    pub(crate) fn decimal(&mut self) -> Result<Decimal, Unreadable> {
        Decimal::from_parts(self.signed()?, self.signed()?).ok_or(Unreadable)
    }

    pub(crate) fn pay_id(&mut self) -> Result<PayId, Unreadable> {
        let units = self.signed()?;
        if units != WIDE_PAY_ID {
            let decimal = Decimal::from_parts(units, self.signed()?).ok_or(Unreadable)?;
            return Ok(PayId::from(decimal));
        }
        let (high, low) = (self.number()?, self.number()?);
        let whole = (u128::from(high) << 64) | u128::from(low);
        PayId::from_whole(whole.cast_signed()).ok_or(Unreadable)
    }

    pub(crate) fn korean_time(&mut self) -> Result<KoreanTime, Unreadable> {
        KoreanTime::parse(&format!("{:014}", self.number()?)).ok_or(Unreadable)
    }

    pub(crate) fn paid_at(&mut self) -> Result<PaidAt, Unreadable> {
        PaidAt::parse(&format!("{:014}", self.number()?)).ok_or(Unreadable)
    }

    /// Reads all members of a bill but the biller, which is that of `like`.
    pub(crate) fn bill_of(&mut self, like: &Bill) -> Result<Bill, Unreadable> {
        let (user_key, month, ordinal) = (self.text()?, self.text()?, self.text()?);
        let family = Bill::from_parts(like.biller_code(), user_key, month, ordinal, "", &[]);
        self.bill_like(&family)
    }

    /// Reads the members of a bill that its key does not hold; the others are taken from `like`.
    pub(crate) fn bill_like(&mut self, like: &Bill) -> Result<Bill, Unreadable> {
        let notice_key = self.text()?;
        let identity = self.list(|decoder| Ok((decoder.text()?, decoder.text()?)))?;
        Ok(Bill::from_parts(
            like.biller_code(),
            like.biller_user_key(),
            like.billed_year_month(),
            like.ordinal(),
            notice_key,
            &identity,
        ))
    }
}
