"""Django: its own parsers."""

import json
import sys

from answer import file_entry, serve_wsgi, told
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path


def upload(request):
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    files = [
        file_entry(n, f.name, f.content_type, f.read())
        for n, of_name in request.FILES.lists()
        for f in of_name
    ]
    body = json.loads(request.body) if request.content_type == "application/json" else None
    return JsonResponse({**told(fields, files), "json": body})


settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="any")
urlpatterns = [path("", upload)]
serve_wsgi(get_wsgi_application(), sys.argv[1])
