"""One folder per outside system: ``client.py`` speaks HTTP, ``translate.py`` is pure. Found by name in ``BY_NAME``."""
