"""Tests of `wireproof benchmark`: its figures, its checks of answers, its reports."""
