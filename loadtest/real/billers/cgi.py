#!/usr/bin/env python3
"""A biller as a CGI script."""

import os
import sys
from http import HTTPStatus

from biller import Answer

answer = Answer(sys.stdin.buffer.read(int(os.environ["CONTENT_LENGTH"])))
headers = [f"Status: {answer.status} {HTTPStatus(answer.status).phrase}", f"Content-Type: {answer.content_type}"]
if answer.has_length:
    headers.append(f"Content-Length: {len(answer.body)}")
if answer.is_closing:
    headers.append("Connection: close")
sys.stdout.buffer.write("\r\n".join([*headers, "", ""]).encode())
for piece in answer.pieces():
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
