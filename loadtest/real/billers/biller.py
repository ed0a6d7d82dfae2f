"""What the Python billers have in common: which answer a request asks for, and which pay-results were heard."""

import os
import re

_FORM = re.compile(rb'"biller_user_key":"(\w+)\.(\w+)\.(\w+)')
_PAY_ID = re.compile(rb'"pay_id":(\d+)')


class Answer:
    """The answer to a request's body."""

    def __init__(self, request):
        text, framing, end = (part.decode() for part in _FORM.search(request).groups())
        self.status = 500 if text == "page" else 200
        self.content_type = "text/html" if text == "page" else "application/json;charset=utf-8"
        with open(f"@ANSWERS@/{text}", "rb") as file:
            self.body = file.read()
        self.has_length = framing == "length"
        self.is_closing = end == "close"
        _note(request)

    def pieces(self):
        half = len(self.body) // 2
        return [self.body[:half], self.body[half:]]


def _note(request):
    pay_id = _PAY_ID.search(request)
    if pay_id:
        # One write in append mode is whole, whichever process makes it.
        file = os.open("@HEARD@", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, pay_id[1] + b"\n")
        os.close(file)
