//! `gateway payments refused`: pay-results that a check refused although money may have moved.

use clap::Subcommand;
use ledger::journal::RefusedFilter;
use protocol::BillerCode;
use serde_json::{Value, json};

use super::{Act, OperatorName, list_page};
use crate::command::biller_code;
use crate::command::operator::{
    Access, Align, Completion, Failure, Page, Table, Wait, age, moment, number, text, won,
};

/// Characters of an id in a table.
const SHORT_ID: usize = 12;

/// Subcommands of `gateway payments refused`.
#[derive(Debug, Subcommand)]
pub(in crate::command) enum RefusedCommand {
    /// List refused pay-results, the oldest first.
    List {
        /// Only those in this state: open, closed or all.
        #[arg(long, value_name = "STATE", default_value = "open", value_parser = state)]
        state: RefusedFilter,
        /// Only those that name this biller.
        #[arg(long, value_name = "CODE", value_parser = biller_code)]
        biller: Option<BillerCode>,
        /// Most entries.
        #[arg(long, value_name = "LINES", default_value_t = 200)]
        limit: u16,
        #[command(flatten)]
        access: Access,
    },
    /// Show one with its bytes, which are personal data.
    Show {
        /// The id in the list, or its beginning.
        id: String,
        #[command(flatten)]
        access: Access,
    },
    /// Deliver one to its biller, byte for byte as Kakao Pay sent it; an acceptance closes it.
    Deliver {
        /// The id in the list, or its beginning.
        id: String,
        /// Deliver although Redis is out of reach and no other node can be asked.
        #[arg(long)]
        alone: bool,
        #[command(flatten)]
        operator: OperatorName,
        #[command(flatten)]
        access: Access,
    },
    /// Close one without delivering it.
    Close {
        /// The id in the list, or its beginning.
        id: String,
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        access: Access,
    },
}

impl RefusedCommand {
    pub(super) fn run(&self) -> std::process::ExitCode {
        match self {
            Self::List {
                state,
                biller,
                limit,
                access,
            } => access.exit(list(access, *state, *biller, *limit)),
            Self::Show { id, access } => access.exit(show(access, id)),
            Self::Deliver {
                id,
                alone,
                operator,
                access,
            } => access.exit(deliver(access, (id, *alone), operator)),
            Self::Close { id, act, access } => access.exit(close(access, id, act)),
        }
    }
}

fn state(name: &str) -> Result<RefusedFilter, String> {
    RefusedFilter::parse(name).ok_or_else(|| "must be one of open, closed, all".to_owned())
}

fn list(
    access: &Access,
    state: RefusedFilter,
    biller: Option<BillerCode>,
    limit: u16,
) -> Result<Completion, Failure> {
    let biller_part = biller.map(|biller| format!("&biller={biller}"));
    let path = format!(
        "/admin/payments/refused?state={}&limit={limit}{}",
        state.name(),
        biller_part.unwrap_or_default()
    );
    let listed = access.client()?.get(&path)?;
    let none = format!("No refused pay-result is {}.", kind(state));
    let page = list_page(&listed, ("refused", table), ("refused pay-result", &none));
    access.print(&listed, &page).map(|()| Completion::All)
}

const fn kind(state: RefusedFilter) -> &'static str {
    match state {
        RefusedFilter::Open => "open",
        RefusedFilter::Closed => "closed",
        RefusedFilter::All => "kept",
    }
}

fn table(refused: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("id", Align::Left),
        ("age", Align::Right),
        ("biller", Align::Left),
        ("came", Align::Right),
        ("last", Align::Left),
        ("res_code", Align::Left),
        ("reason", Align::Left),
        ("state", Align::Left),
    ]);
    for one in refused {
        table.row([
            short(text(one, "id")).to_owned(),
            age(number(one, "age_seconds")),
            text(one, "biller").to_owned(),
            number(one, "count").to_string(),
            moment(text(one, "last_at")),
            text(one, "res_code").to_owned(),
            text(one, "reason").to_owned(),
            text(one, "state").to_owned(),
        ]);
    }
    table
}

fn short(id: &str) -> &str {
    id.get(..SHORT_ID).unwrap_or(id)
}

fn show(access: &Access, id: &str) -> Result<Completion, Failure> {
    let client = access.client()?;
    let request = json!({ "id": id });
    let entry = client.post("/admin/payments/refused/show", &request, Wait::Bounded)?;
    access
        .print(&entry, &entry_page(&entry))
        .map(|()| Completion::All)
}

fn close(access: &Access, id: &str, act: &Act) -> Result<Completion, Failure> {
    let request = json!({ "id": id, "reason": act.reason, "operator": act.operator.name()? });
    let client = access.client()?;
    let entry = client.post("/admin/payments/refused/close", &request, Wait::Bounded)?;
    let mut page = Page::new();
    page.line(&format!("{} is closed.", short(text(&entry, "id"))));
    access.print(&entry, &page).map(|()| Completion::All)
}

fn deliver(
    access: &Access,
    (id, alone): (&str, bool),
    operator: &OperatorName,
) -> Result<Completion, Failure> {
    let request = json!({ "id": id, "operator": operator.name()?, "alone": alone });
    let client = access.client()?;
    let answer = client.post("/admin/payments/refused/deliver", &request, Wait::Bounded)?;
    let outcome = text(&answer, "outcome");
    let answered = format!(
        "{} {}",
        number(&answer, "status"),
        text(&answer, "res_code")
    );
    let recorded = if answer["recorded"] == true {
        " Its payment is in the ledger, and among the undelivered pay-results."
    } else {
        ""
    };
    let said = match outcome {
        "accepted" if answer["recorded"] == true => {
            format!("accepted: the biller answered {answered}. The entry is closed.")
        }
        "accepted" => format!(
            "accepted: the biller answered {answered}. The entry is closed. Its payment cannot be read, so its bill is \
             NOT paid here and can be paid again: see `gateway bill classify`."
        ),
        "already_accepted" => {
            "not sent: the biller has accepted it already. The entry is closed.".to_owned()
        }
        "refused" => format!("refused: the biller answered {answered}.{recorded}"),
        "unknown" => format!(
            "unknown: no readable answer ({answered}); the biller may have received it.{recorded}"
        ),
        "not_sent" | "pending" => {
            format!("not sent: the biller was not reached ({answered}).{recorded}")
        }
        "already_closed" => "not sent: it is not open any more".to_owned(),
        "under_way" => "not sent: a copy is under way".to_owned(),
        "busy" => "not sent: the biller's bound on pay-results in flight is reached".to_owned(),
        "out_of_reach" => format!("not sent: {}", text(&answer, "hint")),
        "ledger_unreadable" => "not sent: the ledger cannot be read".to_owned(),
        other => other.to_owned(),
    };
    let mut page = Page::new();
    page.line(&format!("{} {said}", short(text(&answer, "id"))));
    access.print(&answer, &page)?;
    Ok(match outcome {
        "accepted" | "already_accepted" => Completion::All,
        _ => Completion::Partial,
    })
}

fn entry_page(entry: &Value) -> Page {
    let mut page = Page::new();
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let whole = if entry["whole"] == true {
        format!("{} bytes", number(entry, "bytes"))
    } else {
        format!("{} bytes, only the beginning", number(entry, "bytes"))
    };
    for (label, value) in [
        ("id", text(entry, "id").to_owned()),
        ("state", text(entry, "state").to_owned()),
        ("biller", text(entry, "biller").to_owned()),
        (
            "refused",
            format!("{}, {}", text(entry, "res_code"), text(entry, "reason")),
        ),
        ("from", text(entry, "source").to_owned()),
        ("came first", moment(text(entry, "first_at"))),
        ("came last", moment(text(entry, "last_at"))),
        ("times", number(entry, "count").to_string()),
        ("request id", text(entry, "request_id").to_owned()),
        ("size", whole),
    ] {
        table.row([label.to_owned(), value]);
    }
    let closed = &entry["closed"];
    if closed.is_object() {
        let by = format!(
            "by {} at {}: {}",
            text(closed, "operator"),
            moment(text(closed, "at")),
            text(closed, "reason")
        );
        table.row(["closed".to_owned(), by]);
    }
    let bill = &entry["bill"];
    for (label, member) in [
        ("user key", "user_key"),
        ("month", "month"),
        ("ordinal", "ordinal"),
        ("notice key", "notice_key"),
    ] {
        table.row([label, text(bill, member)]);
    }
    let event = &entry["event"];
    if event.is_object() {
        let paid = format!(
            "{} {} won, pay_id {}, paid at {}",
            text(event, "pay_type"),
            won(event),
            text(event, "pay_id"),
            moment(text(event, "paid_at"))
        );
        table.row(["event".to_owned(), paid]);
    }
    page.table(&table);
    page.gap();
    for line in text(entry, "body").lines() {
        page.line(line);
    }
    page
}
