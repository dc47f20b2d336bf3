"""Tables of the pages that the code knows, printed by cogapp: ``cog -r -I . README.md 'docs/*.md'``."""
