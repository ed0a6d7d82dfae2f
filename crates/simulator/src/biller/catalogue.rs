//! Which bills a biller has.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Bill;
use crate::request::Request;

/// A customer whose key begins with this has no bill unless one is set.
const NO_BILL: &str = "no-bill";

/// Every customer has a bill, [`Bill::of`]; what was set or removed comes before that. Bounded by what
/// a test sets: callers add nothing.
#[derive(Debug, Default)]
pub(crate) struct Catalogue(Mutex<HashMap<String, Customer>>);

/// The bills set for one customer.
#[derive(Debug, Default)]
struct Customer {
    bills: Vec<Bill>,
    is_removed: bool,
}

impl Catalogue {
    pub(crate) fn set(&self, bill: Bill) {
        let mut customers = self.lock();
        let bills = &mut customers
            .entry(bill.biller_user_key.clone())
            .or_default()
            .bills;
        bills.retain(|other| identity(other) != identity(&bill));
        bills.push(bill);
    }

    pub(crate) fn remove(&self, biller_user_key: &str) {
        let removed = Customer {
            bills: Vec::new(),
            is_removed: true,
        };
        self.lock().insert(biller_user_key.to_owned(), removed);
    }

    /// The bill that the request names.
    pub(crate) fn find(&self, request: &Request) -> Option<Bill> {
        let key = request.text("biller_user_key");
        let named = [
            request.text("billed_year_month"),
            request.text("ordinal"),
            request.text("biller_notice_key"),
        ];
        let customers = self.lock();
        let Some(customer) = customers.get(key) else {
            return (!key.is_empty() && !key.starts_with(NO_BILL)).then(|| Bill::of(key));
        };
        let with = |wanted: [&str; 3]| customer.bills.iter().find(|bill| identity(bill) == wanted);
        match with(named).or_else(|| with([""; 3])) {
            Some(bill) => Some(bill.clone()),
            None => (!customer.is_removed).then(|| Bill::of(key)),
        }
    }

    /// A panic elsewhere leaves the map whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Customer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(bill: &Bill) -> [&str; 3] {
    [
        &bill.billed_year_month,
        &bill.ordinal,
        &bill.biller_notice_key,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::example;

    fn amount(catalogue: &Catalogue, key: &str, month: &str) -> Option<i64> {
        let body =
            format!(r#"{{"data":{{"biller_user_key":"{key}","billed_year_month":"{month}"}}}}"#);
        catalogue
            .find(&example("/kakao/prepay", &body))
            .map(|bill| bill.amount_won)
    }

    #[test]
    fn a_bill_that_is_set_comes_before_the_one_that_everybody_has() {
        let catalogue = Catalogue::default();
        assert_eq!(amount(&catalogue, "K0", "202611"), Some(28_900));
        catalogue.set(Bill::of("K0").amount(5));
        assert_eq!(amount(&catalogue, "K0", "202611"), Some(5));
        catalogue.set(Bill::of("K0").month("202611").amount(6));
        assert_eq!(amount(&catalogue, "K0", "202611"), Some(6));
        assert_eq!(amount(&catalogue, "K0", "202612"), Some(5));
        catalogue.set(Bill::of("K0").month("202611").amount(7));
        assert_eq!(amount(&catalogue, "K0", "202611"), Some(7));
    }

    #[test]
    fn some_customers_have_no_bill() {
        let catalogue = Catalogue::default();
        assert_eq!(amount(&catalogue, "no-bill-1", ""), None);
        assert_eq!(amount(&catalogue, "", ""), None);
        catalogue.remove("K0");
        assert_eq!(amount(&catalogue, "K0", ""), None);
        catalogue.set(Bill::of("K0").month("202611"));
        assert_eq!(amount(&catalogue, "K0", "202611"), Some(28_900));
        assert_eq!(amount(&catalogue, "K0", "202612"), None);
    }
}
