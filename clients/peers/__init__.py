"""Minimal upload applications of others' frameworks, with which `wireproof benchmark` compares ours."""
