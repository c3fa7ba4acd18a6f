"""What a recipe may hold, and which bytes it makes."""

from typing import Any

import pytest

from clients.comparison.recipe import RecipeError, make_request


@pytest.mark.parametrize(
    ("recipe", "request_bytes"),
    [
        ("aé\r\n", b"a\xe9\r\n"),
        (["a", "b"], b"ab"),
        ({"repeat": "ab", "times": 3}, b"ababab"),
        ({"repeat": ["{n}", ";"], "times": 11}, b"0;1;2;3;4;5;6;7;8;9;10;"),
        ({"repeat": ["<", {"repeat": "x", "times": 2}, ">"], "times": 2}, b"<xx><xx>"),
        ({"repeat": "a", "times": 0}, b""),
        ("{n}", b"{n}"),
        ({"octets": 258}, bytes(range(256)) + b"\x00\x01"),
    ],
)
def test_a_recipe_makes_these_bytes(recipe: Any, request_bytes: bytes) -> None:
    assert make_request(recipe) == request_bytes


@pytest.mark.parametrize(
    "recipe", [1, None, {"repeat": "a"}, {"octets": "1"}, {"repeat": "a", "times": 1, "x": 1}, "€", [["文"]]]
)
def test_anything_else_is_not_a_recipe(recipe: Any) -> None:
    with pytest.raises(RecipeError):
        make_request(recipe)
