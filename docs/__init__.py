"""The documentation: Markdown pages, what prints their tables, and the script of the picture."""
