//! The fuzz target of the five requests' bodies.

use protocol::{
    Api, Bill, BillerCode, Check, LinkCreate, LinkRecreate, Member, Notice, PayResult, Prepay,
    Refusal, Rules,
};

use crate::checks::{Checks, Refused, value};
use crate::json::{Members, text};

/// Checks that each of the five parsers has the result of [`Checks`] and returns the values in the body.
pub fn request(body: &[u8]) {
    let identity = ["unit".to_owned(), "동".to_owned()];
    for identity_parameters in [&[][..], &identity] {
        let rules = Rules {
            parameter_max_length: 8,
            identity_parameters,
        };
        let biller = BillerCode::parse("B0001").expect("it is well-formed");
        let link_create = LinkCreate::parse(body, biller, &rules).map(|request| {
            let expire_at = ("expire_at", request.expire_at.as_str().to_owned());
            (request.bill, vec![expire_at])
        });
        compare(
            Api::LinkCreate,
            LinkCreate::MEMBERS,
            link_create,
            &rules,
            body,
        );
        let link_recreate = LinkRecreate::parse(body, biller, &rules).map(|request| {
            let expire_at = ("expire_at", request.expire_at.as_str().to_owned());
            (request.bill, vec![expire_at])
        });
        compare(
            Api::LinkRecreate,
            LinkRecreate::MEMBERS,
            link_recreate,
            &rules,
            body,
        );
        let notice = Notice::parse(body, biller, &rules).map(|request| (request.bill, vec![]));
        compare(Api::Notice, Notice::MEMBERS, notice, &rules, body);
        let prepay = Prepay::parse(body, biller, &rules).map(|request| (request.bill, vec![]));
        compare(Api::Prepay, Prepay::MEMBERS, prepay, &rules, body);
        let pay_result = PayResult::parse(body, biller, &rules).map(|request| {
            let pay_type = ("pay_type", request.event.pay_type.as_str().to_owned());
            let paid_at = ("paid_at", request.event.paid_at.as_str().to_owned());
            (request.bill, vec![pay_type, paid_at])
        });
        compare(Api::PayResult, PayResult::MEMBERS, pay_result, &rules, body);
    }
}

/// A parsed bill, and the names and texts of other members.
type Parsed = (Bill, Vec<(&'static str, String)>);

fn compare(
    api: Api,
    members: &'static [Member],
    ours: Result<Parsed, Refusal>,
    rules: &Rules<'_>,
    body: &[u8],
) {
    let caller = api.caller();
    let expected = Checks {
        caller,
        members,
        rules,
    }
    .read(body);
    match (ours, expected) {
        (Ok((bill, mut read)), Ok(data)) => {
            let bill_members = [
                ("biller_user_key", bill.biller_user_key()),
                ("billed_year_month", bill.billed_year_month()),
                ("ordinal", bill.ordinal()),
                ("biller_notice_key", bill.biller_notice_key()),
            ];
            read.extend(bill_members.map(|(name, read)| (name, read.to_owned())));
            for (name, read) in read {
                assert_eq!(read, text(value(&data, name)).unwrap_or_default(), "{name}");
            }
            check_identity(&bill, &data, rules);
        }
        (Err(ours), Err(expected)) => {
            let member = ours.member.filter(|_| expected.member.is_some());
            let check = match ours.check {
                // The second implementation does not tell the two parts of check 5 apart.
                Check::Type => Check::Parse,
                check => check,
            };
            let code = ours.code;
            assert_eq!(
                Refused {
                    check,
                    code,
                    member
                },
                expected,
                "{api:?}: {ours}"
            );
        }
        (Ok(_), Err(expected)) => panic!("{api:?}: accepted | {expected:?}"),
        (Err(ours), Ok(_)) => panic!("{api:?}: {ours} | accepted"),
    }
}

/// Checks that the bill has exactly the identity parameters of the body.
fn check_identity(bill: &Bill, data: &Members<'_>, rules: &Rules<'_>) {
    let parameters = Members::of(value(data, "parameters")).unwrap_or(Members(Vec::new()));
    for name in rules.identity_parameters {
        let mut read = bill.identity_parameters().filter(|(read, _)| read == name);
        let read = read.next().map(|(_, value)| value);
        match value(&parameters, name) {
            "null" | "\"\"" => assert_eq!(read, None, "{name}"),
            spelled => match text(spelled) {
                Some(text) => assert_eq!(read, Some(text.as_str()), "{name}"),
                None => assert!(read.is_some(), "{name}: {spelled} is not in the bill"),
            },
        }
    }
}
