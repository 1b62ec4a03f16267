"""The page: what it is made of, without a browser. It escapes by never writing markup from data."""

import re
from html.parser import HTMLParser

import pytest

from tests.api.client import Client
from tests.reports.small_program import BOB


class Outline(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def outline(client: Client) -> Outline:
    found = Outline()
    found.feed(client.get("/").text)
    return found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/page/page.css", "text/css"),
        ("/page/page.js", "text/javascript"),
        ("/favicon.svg", "image/svg"),
    ],
)
def test_the_parts_are_served_and_told_by_etag(client: Client, path: str, kind: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_has_landmarks_labels_and_one_heading(outline: Outline) -> None:
    for landmark in ("header", "main", "footer"):
        assert len(outline.all(landmark)) == 1
    assert len(outline.all("h1")) == 1
    ids = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    assert {each["for"] for each in outline.all("label")} == {each["id"] for each in outline.all("input")}
    assert {each["aria-labelledby"] for each in outline.all("section")} <= ids
    assert all(each.get("scope") == "col" for each in outline.all("th"))
    assert outline.all("html")[0]["lang"] == "en"


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(outline: Outline) -> None:
    sources = [
        each.get("src") or each.get("href") or "" for tag in ("script", "link", "img") for each in outline.all(tag)
    ]
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)
    assert outline.all("style") == []
    assert all("src" in each for each in outline.all("script"))
    assert not any(name.startswith("on") or name == "style" for _, each in outline.elements for name in each)


def test_the_script_never_writes_markup(client: Client) -> None:
    script = client.get("/page/page.js").text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


def test_every_element_that_the_script_looks_for_is_there(client: Client, outline: Outline) -> None:
    wanted = set(re.findall(r'element\("([a-z-]+)"\)', client.get("/page/page.js").text))
    ids = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    assert len(wanted) > 8
    assert wanted <= ids


def test_every_field_that_the_script_reads_is_in_the_answers(client: Client) -> None:
    """The script's words for the API are the API's."""
    script = client.get("/page/page.js").text
    answers = {
        "program": client.json("program"),
        "statistics": client.json("statistics"),
        "provider": client.json("providers/0x" + "b" * 40),
        "providers": client.json("providers"),
    }
    for name, told in answers.items():
        read = set(re.findall(rf"\b{name}\.([a-z_]+)\b", script))
        assert read, name
        assert read <= told.keys(), name


def test_why_a_reward_is_told_on_the_page_from_what_explain_answers(client: Client) -> None:
    """Every field of the explanation that the script reads is one that the explanation has."""
    script = client.get("/page/page.js").text
    told = client.json(f"providers/{BOB}/explain?epoch=2")
    day = told["days"][0]
    parts: dict[str, dict[str, object]] = {
        "why": told,
        "standing": told["standing"],
        "day": day,
        "point": day["prices"][0],
    }
    for name, part in parts.items():
        read = set(re.findall(rf"\b{name}\.(\w+)", script))
        assert read, name
        assert read <= part.keys(), name
    assert 'id="why"' in client.get("/").text


def test_points_are_hidden_until_the_program_has_some(client: Client, outline: Outline) -> None:
    assert client.json("leaderboard")["scores"] == []
    (section,) = [each for each in outline.all("section") if each.get("id") == "points"]
    assert "hidden" in section
    assert 'element("points").hidden = !leaderboard.scores.length' in client.get("/page/page.js").text


def test_every_field_of_points_that_the_script_reads_is_one_that_the_api_describes(client: Client) -> None:
    script = client.get("/page/page.js").text
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for name, schema in (
        ("leaderboard", "Leaderboard"),
        ("leader", "Leader"),
        ("rounds", "Rounds"),
        ("round", "VaultRound"),
        ("mine", "ProviderPoints"),
    ):
        read = set(re.findall(rf"\b{name}\.([a-z_]+)\b", script))
        assert read, name
        assert read <= schemas[schema]["properties"].keys(), name
