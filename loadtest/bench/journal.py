"""Read access to the gateway's journal."""

import sqlite3


def payments(file):
    """Returns all payment events as (biller, pay_id, pay_type)."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT biller_code, pay_id, pay_type FROM facts WHERE kind = 'payment'"
        )
        return {(biller, int(pay_id), pay_type) for biller, pay_id, pay_type in rows}
    finally:
        connection.close()
