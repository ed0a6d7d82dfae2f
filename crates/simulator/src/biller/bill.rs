//! A bill of a simulated biller.

/// A block of a bill's `details` (guide section 5.2). The contents are the guide's examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Titles and values, indented by level.
    KeyValue,
    /// Lines of text.
    Text,
    /// A header and rows.
    Table,
    /// Points of a graph.
    Graph,
    /// The block in the guide's example answer, which contradicts the guide's table: it has `itemType` and
    /// its levels are strings.
    Example,
}

impl Detail {
    /// Returns the block as JSON.
    pub(super) fn json(self) -> &'static str {
        match self {
            Self::KeyValue => include_str!("details/key_value.json"),
            Self::Text => include_str!("details/text.json"),
            Self::Table => include_str!("details/table.json"),
            Self::Graph => include_str!("details/graph.json"),
            Self::Example => include_str!("details/example.json"),
        }
    }
}

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The customer's key.
    pub biller_user_key: String,
    /// `YYYYMM`, or `""`.
    pub billed_year_month: String,
    /// The ordinal, or `""`.
    pub ordinal: String,
    /// The notice key, or `""`.
    pub biller_notice_key: String,
    /// The birth date that a municipal biller requires in `user_birth`; it does not check it if this is `""`.
    pub user_birth: String,
    /// The title.
    pub title: String,
    /// The amount to pay, in won.
    pub amount_won: i64,
    /// The due date (`YYYYMMDD`). It has no effect.
    pub pay_expire_date: String,
    /// The blocks of `details`.
    pub details: Vec<Detail>,
}

impl Bill {
    /// Returns the default bill of a customer. Let `n` be the number of the key's last three digits, or 0 if it
    /// has none. The amount is 28,900 + 100 × `n` won, so that the guide's customer `0000000001` has the guide's
    /// 29,000 won. The details depend on `n` modulo 6: 1 the guide's example, 2 text, 3 a table, 4 a graph,
    /// 5 titles and values, 0 all types.
    pub fn of(biller_user_key: &str) -> Self {
        let number = last_digits(biller_user_key);
        Self {
            biller_user_key: biller_user_key.to_owned(),
            billed_year_month: String::new(),
            ordinal: String::new(),
            biller_notice_key: String::new(),
            user_birth: "19900301".to_owned(),
            title: "통신요금".to_owned(),
            amount_won: 28_900 + 100 * i64::from(number),
            pay_expire_date: "20301231".to_owned(),
            details: match number % 6 {
                1 => vec![Detail::Example],
                2 => vec![Detail::Text],
                3 => vec![Detail::Table],
                4 => vec![Detail::Graph],
                5 => vec![Detail::KeyValue],
                _ => vec![Detail::KeyValue, Detail::Text, Detail::Table, Detail::Graph],
            },
        }
    }

    /// Sets the amount, in won.
    #[must_use]
    pub fn amount(mut self, won: i64) -> Self {
        self.amount_won = won;
        self
    }

    /// Sets the month (`YYYYMM`).
    #[must_use]
    pub fn month(mut self, billed_year_month: &str) -> Self {
        billed_year_month.clone_into(&mut self.billed_year_month);
        self
    }

    /// Sets the ordinal.
    #[must_use]
    pub fn ordinal(mut self, ordinal: &str) -> Self {
        ordinal.clone_into(&mut self.ordinal);
        self
    }

    /// Sets the notice key.
    #[must_use]
    pub fn notice_key(mut self, biller_notice_key: &str) -> Self {
        biller_notice_key.clone_into(&mut self.biller_notice_key);
        self
    }
}

/// Returns the number of the last three digits in the key, or 0 if it has none.
fn last_digits(key: &str) -> u32 {
    let digits = key
        .chars()
        .rev()
        .filter_map(|letter| letter.to_digit(10))
        .take(3);
    digits
        .zip([1, 10, 100])
        .map(|(digit, weight)| digit * weight)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_depend_on_the_customers_number() {
        for (key, won) in [
            ("0000000001", 29_000),
            ("no digits", 28_900),
            ("K12", 30_100),
            ("9999999", 128_800),
            ("a1b2c3", 41_200),
        ] {
            assert_eq!(Bill::of(key).amount_won, won, "{key}");
        }
    }

    #[test]
    fn there_are_customers_with_each_kind_of_details() {
        for (key, details) in [
            ("1", &[Detail::Example][..]),
            ("2", &[Detail::Text]),
            ("3", &[Detail::Table]),
            ("4", &[Detail::Graph]),
            ("5", &[Detail::KeyValue]),
            (
                "6",
                &[Detail::KeyValue, Detail::Text, Detail::Table, Detail::Graph],
            ),
        ] {
            assert_eq!(Bill::of(key).details, details);
        }
    }

    #[test]
    fn details_have_the_item_types_of_the_guide() {
        for (detail, name, item_type) in [
            (Detail::KeyValue, "item_type", "KEY_VALUE"),
            (Detail::Text, "item_type", "TEXT"),
            (Detail::Table, "item_type", "TABLE"),
            (Detail::Graph, "item_type", "GRAPH"),
            (Detail::Example, "itemType", "KEY_VALUE"),
        ] {
            let block: serde_json::Value = serde_json::from_str(detail.json()).unwrap();
            assert_eq!(block[name], item_type, "{detail:?}");
        }
    }
}
