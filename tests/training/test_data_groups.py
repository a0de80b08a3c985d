"""Which part of a source is trained on."""

from pathlib import Path

import pytest

from alpharefine.errors import UsageError
from alpharefine.training.sources import HoldOut, SourceConfig, read_groups
from tests.training.layouts import blank_labels, write_image, write_labels, write_text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    labels = blank_labels(40, 60)
    labels[5:20, 5:25] = 1
    labels[22:38, 30:55] = 2
    for k in range(30):
        write_image(tmp_path / f"stills/images/{k}.jpg", 40, 60, k)
        write_labels(tmp_path / f"stills/masks/{k}.png", labels)
    for name in ("a", "b"):
        write_image(tmp_path / f"videos/{name}/color/1.jpg", 40, 60, 0)
        write_text(tmp_path / f"videos/{name}/groundtruth.txt", "1,2,10,12")
    write_text(tmp_path / "names.txt", "b", "c")
    return tmp_path


def test_held_out_images_are_not_trained_on(root: Path) -> None:
    sources = [SourceConfig("masks", "stills"), SourceConfig("video", "videos", 2.0)]
    held_out = HoldOut(one_in=5, sequences=("a",))
    parts = [read_groups(sources, root, held_out, validation) for validation in (False, True)]
    trained, held = (
        {group.source.sequence(int(i)).name for group in groups for i in group.indices}
        for groups in parts
    )
    assert trained and held and not trained & held
    assert "a" in held and "b" in trained
    assert sum(group.indices.size for groups in parts for group in groups) == 62
    assert [group.weight for group in parts[0]] == [1.0, 2.0]


def test_only_the_listed_sequences(root: Path) -> None:
    source = SourceConfig("video", "videos", only="names.txt")
    (group,) = read_groups([source], root, HoldOut(), False)
    assert [group.source.sequence(int(i)).name for i in group.indices] == ["b"]
    with pytest.raises(UsageError, match="a name a line"):
        read_groups([SourceConfig("video", "videos", only="none.txt")], root, HoldOut(), False)


def test_isolated_objects_are_never_held_out(root: Path) -> None:
    source = SourceConfig("masks", "stills", isolated=True)
    (group,) = read_groups([source], root, HoldOut(one_in=2), False)
    assert group.indices.size == 60
    with pytest.raises(UsageError, match="hold out more"):
        read_groups([source], root, HoldOut(one_in=2), True)


def test_unknown_kind_names_the_known(root: Path) -> None:
    with pytest.raises(UsageError, match=r"'maks'.*lasot.*youtube-vos"):
        read_groups([SourceConfig("maks", "stills")], root, HoldOut(), False)
