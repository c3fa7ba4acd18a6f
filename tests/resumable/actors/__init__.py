"""Clients of others, each a script that gets URL and PATH and uploads the file by tus."""
