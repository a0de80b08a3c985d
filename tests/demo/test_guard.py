"""Who may use the page, and what is sent with it."""

from collections.abc import Iterator

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.demo.serving import SECONDS, Page, served


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, served(patch) as address:
        yield address


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, served(patch, host="0.0.0.0") as address:
        yield address


def get(url: str, **options: object) -> requests.Response:
    return requests.get(url, timeout=SECONDS, allow_redirects=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["127.0.0.1:1", "localhost:7860", "[::1]:80"])
def test_a_loopback_page_answers_under_its_names(address: str, name: str) -> None:
    assert get(address, headers={"host": name}).status_code == 200


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example:80", ""])
def test_a_loopback_page_has_no_other_name(address: str, name: str) -> None:
    answer = get(address, headers={"host": name})
    assert (answer.status_code, answer.text.count("\n")) == (403, 1)


def test_another_origin_can_ask_for_nothing(address: str) -> None:
    evil = {"origin": "http://evil.example"}
    assert requests.post(f"{address}api/pages", headers=evil, timeout=SECONDS).status_code == 403
    own = {"origin": address.rstrip("/")}
    opened = requests.post(f"{address}api/pages", headers=own, timeout=SECONDS)
    assert opened.status_code == 200
    events = f"{address}api/pages/{opened.json()['page']}/events".replace("http", "ws", 1)
    with pytest.raises(InvalidStatus), connect(events, additional_headers=evil):
        pass


def test_a_page_for_other_machines_wants_the_token(guarded: str) -> None:
    base, token = guarded.split("?token=")
    assert len(token) >= 16
    for url in (base, f"{base}demo.js", f"{base}?token=wrong", f"{base}?token={token}x"):
        answer = get(url)
        assert (answer.status_code, answer.text.count("\n")) == (403, 1)
        assert "the token is missing or wrong" in answer.text
    assert requests.post(f"{base}api/pages", timeout=SECONDS).status_code == 403
    entered = get(guarded)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert get(base, cookies=entered.cookies).status_code == 200
    [name] = entered.cookies.keys()
    assert get(base, cookies={name: "wrong"}).status_code == 403
    with pytest.raises(InvalidStatus), connect(f"{base}api/pages/x/events".replace("http", "ws")):
        pass


def test_what_the_page_may_load_is_only_its_own(address: str) -> None:
    answer = get(address)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "http" not in policy and "unsafe" not in policy
    for path in ("", "demo.js", "demo.css"):
        text = get(f"{address}{path}").text.replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text and 'src="//' not in text


def test_a_page_that_was_closed_is_told_so(address: str) -> None:
    events = f"{address}api/pages/nobody/events".replace("http", "ws", 1)
    with connect(events) as socket:
        with pytest.raises(Exception) as error:
            socket.recv(SECONDS)
        assert "4410" in str(error.value)


def test_pages_that_are_left_make_room(address: str) -> None:
    for _ in range(10):
        left = Page(address)
    with left:
        left.until("empty")
        pages = [Page(address) for _ in range(7)]
        for page in pages:
            page.__enter__()
        full = requests.post(f"{address}api/pages", timeout=SECONDS)
        assert (full.status_code, "8 pages are open" in full.text) == (503, True)
        pages[0].until("empty")
        for page in pages:
            page.__exit__()
