//! The bills of a simulated biller.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bill::Bill;
use crate::request::Request;

/// Customers whose keys begin with this have no default bill.
const NO_BILL: &str = "no-bill";

/// The bills that were set or removed. All other customers have the default bill, [`Bill::of`]. Calls do not
/// add bills.
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

    /// Returns the bill that the request identifies.
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

    /// A poisoned lock is ignored: the map is consistent after a panic.
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
    fn a_bill_that_is_set_replaces_the_default_bill() {
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
