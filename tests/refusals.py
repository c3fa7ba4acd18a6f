"""The code with which something is refused."""

from collections.abc import Callable

import pytest

from servers.contract.problems import Problem


def refusal_code(call: Callable[..., object], *given: object, **named: object) -> str:
    """The code of the Problem that this call must raise."""
    with pytest.raises(Problem) as raised:
        call(*given, **named)
    return raised.value.code
