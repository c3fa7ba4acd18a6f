"""The HTML reports: one file each, in which the component of the page `/ui/` shows bytes."""
