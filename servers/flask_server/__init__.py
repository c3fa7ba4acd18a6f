"""How the Flask application is hosted: Werkzeug's development server and gunicorn, made strict."""
