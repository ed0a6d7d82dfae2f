-- The journal's tables as version 2 made them. Do not change.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS node (
    number       INTEGER NOT NULL,
    shared_up_to INTEGER NOT NULL DEFAULT 0, -- all facts up to this `seq` are in the shared state
    shared_with  TEXT    NOT NULL DEFAULT '' -- and this is who holds it
) STRICT;
-- One row per fact; `seq` is the order in which this node learned them.
CREATE TABLE IF NOT EXISTS fact (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT, -- a forgotten number never comes again
    at                TEXT    NOT NULL, -- UTC, for people; `stamp` is what counts
    stamp             INTEGER NOT NULL, -- hybrid logical time: Unix milliseconds << 20 | counter
    node              INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    biller_code       TEXT    NOT NULL,
    biller_user_key   TEXT    NOT NULL,
    billed_year_month TEXT    NOT NULL,
    ordinal           TEXT    NOT NULL,
    biller_notice_key TEXT    NOT NULL,
    identity          TEXT    NOT NULL, -- identity parameters as a JSON object, '' where none
    attempt_stamp     INTEGER,          -- released, uncertain, linked: the reservation
    attempt_node      INTEGER,
    after_unknown     INTEGER,
    until             INTEGER,          -- reserved: Unix milliseconds
    expire_at         TEXT,             -- linked, relinked: YYYYMMDDHH24MISS, Korean time
    pay_id            TEXT,             -- payment, delivery
    pay_type          TEXT,
    paid_at           TEXT,
    pay_amount        TEXT,
    mark_ends_at      INTEGER,          -- Unix milliseconds
    message           BLOB,             -- SHA-256 of the pay-result
    delivery          TEXT,
    reason            TEXT,
    operator          TEXT,
    request_id        TEXT,             -- of the call; from here on for people only
    canonical         BLOB,             -- payment, delivery: SHA-256 of the canonical form
    answer_status     INTEGER,          -- delivery: the biller's answer
    answer_code       TEXT,
    answer_message    TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS fact_by_bill ON fact (biller_code, biller_user_key);
CREATE INDEX IF NOT EXISTS fact_by_message ON fact (message, kind) WHERE message IS NOT NULL;
-- The pay-results as they came, byte for byte.
CREATE TABLE IF NOT EXISTS message (
    biller_code TEXT NOT NULL,
    message     BLOB NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (biller_code, message)
) STRICT, WITHOUT ROWID;
-- The answers of billers that accepted one.
CREATE TABLE IF NOT EXISTS answer (
    biller_code  TEXT    NOT NULL,
    message      BLOB    NOT NULL,
    status       INTEGER NOT NULL,
    content_type BLOB    NOT NULL,
    body         BLOB    NOT NULL, -- empty where it was above 64 KiB
    canonical    BLOB,             -- SHA-256 of the pay-result's canonical form
    PRIMARY KEY (biller_code, message)
) STRICT, WITHOUT ROWID;
-- Pay-results that a check refused, one per digest of the bytes, as they came the last time.
CREATE TABLE IF NOT EXISTS refused_pay_result (
    message        BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of `body`
    biller_code    TEXT    NOT NULL,             -- as the call named it, '' where it named none
    body           BLOB    NOT NULL,             -- personal data
    whole          INTEGER NOT NULL,             -- 0: only the beginning came
    res_code       TEXT    NOT NULL,
    refused_for    TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    request_id     TEXT    NOT NULL,
    count          INTEGER NOT NULL,
    first_at       INTEGER NOT NULL,             -- Unix milliseconds, as all times here
    last_at        INTEGER NOT NULL,
    closed_at      INTEGER,                      -- NULL while it is open
    outcome        TEXT,                         -- delivered, passed, closed
    closed_for     TEXT,
    operator       TEXT
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
