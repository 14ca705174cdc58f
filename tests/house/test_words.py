"""Words for people: each is a literal, has its Chinese, and every command that the docs name exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests.house.source import APPS, ROOT, calls, name_of, python_files

CATALOGUE = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"
MARKERS = frozenset({"say", "_", "gettext", "gettext_lazy", "pgettext", "ngettext", "ngettext_lazy"})
NOT_WORDS = {"config/embedded", "config/run.py", "config/management"}  # terminal messages, English only
NO_LITERALS = {
    "audit/models/sentences.py": "the one place where a stored sentence is translated for its reader",
    "audit/admin/case.py": "a case's kind, a word of the code that the catalogue lists",
    "audit/admin/columns.py": "a job's name, a word of the code that the catalogue lists",
    "audit/admin/people.py": "names of models and permissions, marked where they are declared",
}
IN_TEMPLATE = re.compile(r"""{%\s*trans(?:late)?\s+(?:"([^"]+)"|'([^']+)')""")
PLACE = re.compile(r"%\((\w+)\)[sd]")
COMMAND = re.compile(r"\bmake +([a-z][a-z-]*)")
FENCED = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


def marked(path: Path) -> Iterator[ast.Call]:
    if not any(name_of(path).startswith(place) for place in NOT_WORDS):
        yield from calls(path, MARKERS)


@cache
def words_in_code() -> dict[str, str]:
    """Return each marked text with the first place where it stands."""
    found: dict[str, str] = {}
    for path in python_files(*APPS):
        for call in marked(path):
            for argument in call.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.setdefault(argument.value, f"{name_of(path)}:{call.lineno}")
    for folder in (ROOT / "templates", *(ROOT / app / "templates" for app in APPS)):
        for path in folder.rglob("*.html"):
            for match in IN_TEMPLATE.finditer(path.read_text(encoding="utf-8")):
                found.setdefault(match[1] or match[2], name_of(path))
    return found


@cache
def catalogue() -> dict[str, str]:
    """Return the finished translations."""
    with CATALOGUE.open("rb") as file:
        messages = read_po(file, locale="zh_Hans")
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (
            message.string if isinstance(message.string, str) else message.string[0]
        )
        for message in messages
        if message.id and not message.fuzzy and message.string
    }


def test_every_marked_text_is_a_literal():
    """A text put together at run time is found by no translator."""
    loose = {
        name_of(path): call.lineno
        for path in python_files(*APPS)
        for call in marked(path)
        if not (call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str))
    }
    assert set(loose) == set(NO_LITERALS), loose


@pytest.mark.skipif(not CATALOGUE.exists(), reason="there is no Chinese catalogue yet")
def test_every_text_has_its_chinese():
    known = catalogue()
    assert {text: place for text, place in words_in_code().items() if text not in known} == {}


@pytest.mark.skipif(not CATALOGUE.exists(), reason="there is no Chinese catalogue yet")
def test_a_translation_has_the_places_of_its_text():
    wrong = {
        text: translated
        for text, translated in catalogue().items()
        if set(PLACE.findall(text)) != set(PLACE.findall(translated))
    }
    assert wrong == {}


@pytest.mark.parametrize("document", ["README.md", "README.zh-CN.md"])
def test_every_command_of_the_readme_exists(document):
    path = ROOT / document
    if not path.exists():
        pytest.skip(f"there is no {document} yet")
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = " ".join(FENCED.findall(path.read_text(encoding="utf-8")))
    named = set(COMMAND.findall(code))
    assert named
    assert named - targets == set()


@pytest.mark.parametrize("document", ["README.md", "README.zh-CN.md"])
def test_every_file_that_the_readme_links_exists(document):
    path = ROOT / document
    if not path.exists():
        pytest.skip(f"there is no {document} yet")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
