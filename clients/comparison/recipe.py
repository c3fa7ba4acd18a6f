r"""Requests that are too large to record byte by byte: `NAME.json` says how to make them.

A recipe is one of:

- a string; each character is one octet (ISO-8859-1);
- a list of recipes, which follow each other;
- `{"repeat": RECIPE, "times": COUNT}`; in its strings `{n}` is the number of the copy, from 0;
- `{"octets": COUNT}`: the octets 0 to 255 in order, again and again, COUNT in all.
"""

from typing import Any

_OCTETS = bytes(range(256))


class RecipeError(ValueError):
    """This value is not a recipe."""


def make_request(recipe: Any, copy: int | None = None) -> bytes:
    """The bytes of a recipe. `copy` is the number of the surrounding copy. Raises RecipeError."""
    match recipe:
        case str():
            text = recipe if copy is None else recipe.replace("{n}", str(copy))
            try:
                return text.encode("iso-8859-1")
            except UnicodeEncodeError:
                raise RecipeError(f"{text!r} has a character that is not an octet") from None
        case list():
            return b"".join(make_request(item, copy) for item in recipe)
        case {"repeat": repeated, "times": int(times), **rest} if not rest:
            if "{n}" in repr(repeated):
                return b"".join(make_request(repeated, number) for number in range(times))
            return make_request(repeated) * times
        case {"octets": int(count), **rest} if not rest:
            return (_OCTETS * (count // len(_OCTETS) + 1))[:count]
        case _:
            raise RecipeError(f"{recipe!r} is not a recipe")
