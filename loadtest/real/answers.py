"""The forms of an answer, which every biller gives on demand.

A call asks for a form by its `biller_user_key`, `TEXT.FRAMING.END/NUMBER`. The biller sends the file TEXT; with FRAMING
`length` it sets `Content-Length`, with `open` it sends two pieces and sets none; with END `close` it sets
`Connection: close`, where its server lets it. What the server makes of that is what is tested.
"""

import json
from dataclasses import dataclass

# Servers buffer 8 KB; what is larger leaves them before its length is known.
_LARGE_BYTES = 20_000

SMALL = json.dumps({"res_code": "OK", "message": "정상응답", "data": {"amount": 29000}}, ensure_ascii=False).encode()
LARGE = SMALL[:-2] + b',"filler":"' + b"0123456789" * (_LARGE_BYTES // 10) + b'"}}\n'
PAGE = b"<!DOCTYPE html>\n<html><head><title>500</title></head><body><h1>Internal Server Error</h1></body></html>\n"

TEXTS = {
    "small": SMALL,
    "large": LARGE,
    # As files of PHP or .NET that a Windows editor saved.
    "bom": b"\xef\xbb\xbf" + SMALL,
    "page": PAGE,
    "half": SMALL[: len(SMALL) // 2],
}


@dataclass(frozen=True)
class Form:
    """One form of an answer."""

    text: str
    framing: str
    end: str

    def __str__(self):
        return f"{self.text}.{self.framing}.{self.end}"

    @property
    def body(self):
        return TEXTS[self.text]

    @property
    def is_whole_json(self):
        return self.text in ("small", "large", "bom")


FORMS = [
    *(Form(text, framing, end) for text in ("small", "large") for framing in ("length", "open")
      for end in ("keep", "close")),
    Form("bom", "length", "keep"),
    Form("bom", "open", "close"),
    Form("page", "length", "keep"),
    Form("page", "open", "close"),
    Form("half", "open", "close"),
]

PLAIN = Form("small", "length", "keep")
ERROR_PAGE = Form("page", "open", "close")


def write(folder):
    """Writes one file per text, which the billers read; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in TEXTS.items():
        (folder / name).write_bytes(body)
    return folder
