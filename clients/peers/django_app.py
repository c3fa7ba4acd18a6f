"""Django without middleware: its parser with its two upload handlers, in memory and on disk."""

import json

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from stored import BLOCK, Stored

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a benchmark",
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
)


def keep(file):
    with Stored(file.name) as stored:
        for block in file.chunks(BLOCK):
            stored.write(block)
    return stored.told()


def upload(request):
    if request.content_type == "application/json":
        return JsonResponse({"form": {}, "files": {}, "json": json.loads(request.body)})
    files = {name: [keep(file) for file in of_name] for name, of_name in request.FILES.lists()}
    return JsonResponse({"form": dict(request.POST.lists()), "files": files, "json": None})


urlpatterns = [path("upload/", upload)]
application = get_wsgi_application()
