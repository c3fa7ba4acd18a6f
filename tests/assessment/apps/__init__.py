"""Small applications of Flask, FastAPI and Express, each with one fault at most."""
