"""A view of Django that tells what it read, in a project of one file."""

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path


def told(file: Any) -> dict[str, Any]:
    """One file."""
    digest = sha256(file.read()).hexdigest()
    return {"filename": file.name, "size": file.size, "content_type": file.content_type, "sha256": digest}


def upload(request: Any) -> Any:
    """Fields and files by name."""
    files = {name: list(map(told, of_name)) for name, of_name in request.FILES.lists()}
    return JsonResponse(
        {"form": dict(request.POST.lists()), "files": files, "args": dict(request.GET.lists())}
    )


settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="any")
urlpatterns = [path("upload", upload)]
application = get_wsgi_application()
