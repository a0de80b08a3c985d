"""Reports as HTML files that need no other file."""

import base64
from importlib import resources

import jinja2

from vot_integration.workspaces.records import OWN


def render_template(name: str, **values: object) -> str:
    """Fill in a template of the package's resources.

    Args:
        name: of the template.
        **values: what it shows.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = lambda value: "–" if value is None else f"{value:.3f}"
    environment.filters["percent"] = lambda value: f"{100 * value:.2f}"
    environment.filters["image"] = _data_address
    environment.tests["own"] = lambda record: record.weights == OWN
    return environment.get_template(name).render(**values)


def _template(name: str) -> str:
    file = resources.files("vot_integration") / "resources" / name
    return file.read_text(encoding="utf-8")


def _data_address(content: str | bytes) -> str:
    """A data: address of an SVG text or a JPEG."""
    kind, data = ("jpeg", content) if isinstance(content, bytes) else ("svg+xml", content.encode())
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
