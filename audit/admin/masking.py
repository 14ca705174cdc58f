"""Personal data as everybody may see it: enough to recognise, too little to misuse."""

VISIBLE_DIGITS = 4


def name(text: str) -> str:
    """Return the first character and stars: 王** for 王小明."""
    return f"{text[0]}**" if text else ""


def phone(text: str) -> str:
    """Return the last four characters behind stars."""
    return f"****{text[-VISIBLE_DIGITS:]}" if len(text) > VISIBLE_DIGITS else "****" if text else ""


def key(text: str) -> str:
    """Return the last four characters of an opaque key."""
    return f"…{text[-VISIBLE_DIGITS:]}" if len(text) > VISIBLE_DIGITS else text


def address(text: str) -> str:
    """Return nothing but the fact that there is an address."""
    return "*****" if text else ""
