"""A biller on aiohttp."""

import sys

from aiohttp import web
from biller import Answer


async def answer_call(request):
    answer = Answer(await request.read())
    headers = {"Content-Type": answer.content_type}
    if answer.is_closing:
        headers["Connection"] = "close"
    if answer.has_length:
        return web.Response(status=answer.status, body=answer.body, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    for piece in answer.pieces():
        await response.write(piece)
    await response.write_eof()
    return response


application = web.Application()
application.router.add_post("/{path:.*}", answer_call)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]))
