"""Endpoints of widely used frameworks whose answers tell what they read, so that compare can judge them.

Take the lines that build the answer into an application of your own. Each file is an application too:

    flask --app clients/adapters/flask_app.py run
    uvicorn clients.adapters.fastapi_app:app
    gunicorn clients.adapters.django_app:application
    node express_app.js 8000        # after npm install express multer
    php -S 127.0.0.1:8000 php_app.php
    go run go_app.go 8000
"""
