"""Disk images: files of every file system and partition table, loops and lies that end, what is not read is said."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mxtest.unpackkit import unpack

TEXT = b"canary on a disk, " * 3000
WHOLE = {"d/A long name for a letter.txt": TEXT, "d/other.bin": bytes(range(256)) * 200}


def run(folder: Path, *words: str) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    subprocess.run(words, cwd=folder, capture_output=True, check=True)


def empty(path: Path, size: int) -> Path:
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    for name, data in WHOLE.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def fat(folder: Path, bits: int) -> bytes:
    path = empty(folder / "v.img", {12: 1 << 20, 16: 16 << 20, 32: 40 << 20}[bits])
    run(folder, "mkfs.vfat", "-F", str(bits), *(["-s", "1"] if bits > 12 else []), "v.img")
    run(folder, "mcopy", "-s", "-i", "v.img", "d", "::")
    return path.read_bytes()


def lower(content: dict[str, bytes]) -> dict[str, bytes]:
    return {name.lower(): data for name, data in content.items()}


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_fat_of_all_widths(bits: int, folder: Path) -> None:
    tree = unpack(fat(folder, bits))
    assert lower(tree.content) == lower(WHOLE)
    assert not tree.unseen and tree.findings == {"CONTAINER_DISK_IMAGE"}


@pytest.mark.parametrize("label", ["msdos", "gpt"])
def test_partitions(label: str, folder: Path) -> None:
    volume = fat(folder, 16)
    empty(folder / "p.img", 20 << 20)
    run(folder, "parted", "-s", "p.img", "mklabel", label, "mkpart", "primary", "fat16", "1MiB", "100%")
    disk = bytearray((folder / "p.img").read_bytes())
    disk[1 << 20 : (1 << 20) + len(volume)] = volume
    assert lower(unpack(bytes(disk)).content) == lower(WHOLE)


def test_logical_partitions(folder: Path) -> None:
    volume = fat(folder, 12)
    empty(folder / "p.img", 8 << 20)
    run(folder, "parted", "-s", "p.img", "mklabel", "msdos", "mkpart", "extended", "1MiB", "100%",
        "mkpart", "logical", "fat16", "2MiB", "5MiB", "mkpart", "logical", "fat16", "6MiB", "100%")  # fmt: skip
    disk = bytearray((folder / "p.img").read_bytes())
    disk[2 << 20 : (2 << 20) + len(volume)] = volume
    tree = unpack(bytes(disk))
    assert lower(tree.content) == {f"partition 1/{name}": data for name, data in lower(WHOLE).items()}
    assert tree.reasons == {"unsupported"}  # the second is empty


@pytest.mark.parametrize("kind", ["dynamic", "fixed"])
def test_vhd(kind: str, folder: Path) -> None:
    fat(folder, 16)
    run(folder, "qemu-img", "convert", "-O", "vpc", "-o", f"subformat={kind}", "v.img", "v.vhd")
    assert lower(unpack((folder / "v.vhd").read_bytes()).content) == lower(WHOLE)


def test_ntfs(folder: Path) -> None:
    empty(folder / "n.img", 8 << 20)
    run(folder, "mkntfs", "-F", "-q", "n.img")
    for name in WHOLE:
        run(folder, "ntfscp", "-f", "n.img", name, Path(name).name)
    run(folder, "ntfscp", "-f", "-N", "hidden", "n.img", "d/other.bin", "other.bin")
    tree = unpack((folder / "n.img").read_bytes())
    content = {Path(name).name: data for name, data in WHOLE.items()}
    assert tree.content == content | {"other.bin:hidden": content["other.bin"]}


def test_udf_beside_iso_and_alone(folder: Path) -> None:
    run(folder, "genisoimage", "-quiet", "-J", "-udf", "-o", "a.iso", "d")
    data = (folder / "a.iso").read_bytes()
    content = {Path(name).name: data for name, data in WHOLE.items()}
    both = unpack(data)
    assert both.content == content and both.findings == {"CONTAINER_DISK_IMAGE"}
    assert unpack(data, true_type="application/x-udf-image").content == content


def test_a_file_that_udf_alone_hides_is_a_finding(folder: Path) -> None:
    run(folder, "genisoimage", "-quiet", "-J", "-udf", "-o", "a.iso", "d")
    data = bytearray((folder / "a.iso").read_bytes())
    at = data.index(b"\x08other.bin") - 38  # its entry of 38 bytes and the name
    assert data[at : at + 2] == b"\1\1"
    data[at + 18] |= 4  # deleted
    tree = unpack(bytes(data))
    assert tree.content["other.bin"] == WHOLE["d/other.bin"]
    assert "CONTAINER_TWO_TREES" in tree.findings


def test_exfat(folder: Path) -> None:
    """The tools make an empty volume; a file is written into its root folder here."""
    empty(folder / "x.img", 8 << 20)
    run(folder, "mkfs.exfat", "x.img")
    image = bytearray((folder / "x.img").read_bytes())
    _, _, data_at, count, root = struct.unpack_from("<5I", image, 80)
    sector, cluster = 1 << image[108], (1 << image[108]) << image[109]
    root_at = data_at * sector + (root - 2) * cluster
    free = count // 2
    content = TEXT[:cluster]
    image[data_at * sector + (free - 2) * cluster :][: len(content)] = content
    place = data_at * sector + (free - 2) * cluster
    image[place : place + len(content)] = content
    at = next(n for n in range(root_at, root_at + cluster, 32) if image[n] == 0)
    name = "letter.txt"
    image[at : at + 3] = bytes([0x85, 2, 0])
    image[at + 32 : at + 36] = bytes([0xC0, 3, 0, len(name)])
    image[at + 52 : at + 64] = struct.pack("<IQ", free, len(content))
    image[at + 64] = 0xC1
    image[at + 66 : at + 66 + 2 * len(name)] = name.encode("utf-16-le")
    assert unpack(bytes(image)).content == {name: content}


def test_a_file_system_that_is_not_read_is_said() -> None:
    disk = bytearray(1 << 20)
    disk[446:462] = bytes([0x80, 1, 1, 0, 0x83, 1, 1, 1]) + struct.pack("<II", 63, 1000)
    disk[510:512] = b"\x55\xaa"
    assert unpack(bytes(disk)).reasons == {"unsupported"}


def test_loops_of_clusters_and_folders_end(folder: Path) -> None:
    image = bytearray(fat(folder, 16))
    reserved, n_tables, table = image[14] | image[15] << 8, image[16], image[22] | image[23] << 8
    for number in range(n_tables):
        at = (reserved + number * table) * 512
        for cluster in range(2, 400):
            image[at + 2 * cluster : at + 2 * cluster + 2] = struct.pack("<H", 2)  # every chain leads back
    began = time.process_time()
    assert unpack(bytes(image)).ended
    assert time.process_time() - began < 1


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    place = tmp_path_factory.mktemp("images")
    (place / "d").mkdir()
    (place / "d" / "a.txt").write_bytes(TEXT[:3000])
    out = {}
    empty(place / "v.img", 1 << 20)
    run(place, "mkfs.vfat", "v.img")
    run(place, "mcopy", "-s", "-i", "v.img", "d", "::")
    out["fat"] = (place / "v.img").read_bytes()
    empty(place / "n.img", 2 << 20)
    run(place, "mkntfs", "-F", "-q", "n.img")
    run(place, "ntfscp", "-f", "n.img", "d/a.txt", "a.txt")
    out["ntfs"] = (place / "n.img").read_bytes()
    run(place, "genisoimage", "-quiet", "-J", "-udf", "-o", "a.iso", "d")
    out["iso"] = (place / "a.iso").read_bytes()
    run(place, "qemu-img", "convert", "-O", "vpc", "v.img", "v.vhd")
    out["vhd"] = (place / "v.vhd").read_bytes()
    return out


@pytest.mark.parametrize("kind", ["fat", "ntfs", "iso", "vhd"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_images_are_answered(kind: str, images: dict[str, bytes], data: st.DataObject) -> None:
    image = bytearray(images[kind])
    used = [n for n in range(0, len(image), 64) if any(image[n : n + 64])]
    for place in data.draw(st.lists(st.sampled_from(used), min_size=1, max_size=10)):
        image[place + data.draw(st.integers(0, 63))] = data.draw(st.integers(0, 255))
    types = {
        "fat": "application/x-disk-image",
        "ntfs": "application/x-disk-image",
        "iso": "application/x-iso9660-image",
    }
    assert unpack(bytes(image), true_type=types.get(kind, "application/x-vhd")).ended
