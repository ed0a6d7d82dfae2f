"""A biller on Django, in one file: `django_biller.py runserver PORT --noreload`."""

import sys

from biller import Answer
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import re_path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of no use", USE_TZ=True)


def answer_call(request):
    answer = Answer(request.body)
    kind = {"status": answer.status, "content_type": answer.content_type}
    if answer.has_length:
        return HttpResponse(answer.body, headers={"Content-Length": str(len(answer.body))}, **kind)
    return StreamingHttpResponse(iter(answer.pieces()), **kind)


urlpatterns = [re_path(".*", answer_call)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
