//! A bill as the biller has it.

/// A block of a bill's `details` (guide 5.2). The contents are the guide's own examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Titles with values, indented by level.
    KeyValue,
    /// Lines of text.
    Text,
    /// A head and rows.
    Table,
    /// Points to draw.
    Graph,
    /// The block in the guide's example answer, which breaks the guide's own table: `itemType`, and
    /// levels that are texts.
    Example,
}

impl Detail {
    /// The block as JSON.
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

/// One bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// Whose bill.
    pub biller_user_key: String,
    /// `YYYYMM`; empty: none.
    pub billed_year_month: String,
    /// Empty: none.
    pub ordinal: String,
    /// Empty: none.
    pub biller_notice_key: String,
    /// What a municipal biller compares `user_birth` with; empty: nothing.
    pub user_birth: String,
    /// Its name.
    pub title: String,
    /// What is to be paid, in won.
    pub amount_won: i64,
    /// Until when (`YYYYMMDD`), for show only.
    pub pay_expire_date: String,
    /// The blocks of its page.
    pub details: Vec<Detail>,
}

impl Bill {
    /// The bill that every biller has for this customer unless another is set. With `n` the number
    /// that the last three digits of the key make (0 without any), 28,900 won and 100 for each of
    /// `n`: the guide's customer `0000000001` owes the guide's 29,000. `n` modulo 6 chooses the
    /// details: 1 the guide's example, 2 text, 3 a table, 4 a graph, 5 keys with values, 0 all types.
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

    /// With another amount, in won.
    #[must_use]
    pub fn amount(mut self, won: i64) -> Self {
        self.amount_won = won;
        self
    }

    /// Of this month only (`YYYYMM`).
    #[must_use]
    pub fn month(mut self, billed_year_month: &str) -> Self {
        billed_year_month.clone_into(&mut self.billed_year_month);
        self
    }

    /// With this ordinal only.
    #[must_use]
    pub fn ordinal(mut self, ordinal: &str) -> Self {
        ordinal.clone_into(&mut self.ordinal);
        self
    }

    /// With this notice key only.
    #[must_use]
    pub fn notice_key(mut self, biller_notice_key: &str) -> Self {
        biller_notice_key.clone_into(&mut self.biller_notice_key);
        self
    }
}

/// The number that the last three digits of the key make, wherever they stand; 0 without any.
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
    fn amounts_follow_from_the_customers_number() {
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
