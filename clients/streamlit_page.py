"""A page that receives files with Streamlit and sends them on: streamlit run clients/streamlit_page.py

`wireproof streamlit` starts it too. Streamlit runs this file anew after each action of the user.
"""

import sys
from importlib import import_module
from pathlib import Path

if __package__:
    from .streamlit_tabs.command import main

    __all__ = ["main"]
else:  # run by its path: load it through its package, so that relative imports work
    _root = Path(__file__).resolve().parents[1]
    _prefix = "" if (_root / "pyproject.toml").is_file() else "wireproof."
    sys.path[0] = str(_root.parent if _prefix else _root)
    import_module(_prefix + "clients.streamlit_tabs.command").draw_or_start()
