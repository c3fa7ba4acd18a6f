"""The tabs of the page `streamlit_page.py`: received files, files sent on, and streams."""
