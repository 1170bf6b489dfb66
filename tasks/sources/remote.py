"""Objects of S3-compatible storage: copied whole, once, into a scratch folder, and read there as files.

Key, region and endpoint come from where the tools of AWS look (AWS_ACCESS_KEY_ID, AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL …), never from the charter. AWS_SKIP_SIGNATURE=true reads what is public.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath

from pyarrow import fs

from charter import Refusal
from tasks.nearest import suggestion
from tasks.progress import report
from tasks.scratch import scratch_of

SCHEME = "s3://"
ATTEMPTS = 5
AT_ONCE = 8
PORTION = 8 * 2**20
PATIENCE = 30
"""Seconds without a byte."""
_DENIED = re.compile(r"AWS Error (ACCESS_DENIED|INVALID_\w+|SIGNATURE_DOES_NOT_MATCH)")


def is_remote(path: str) -> bool:
    return path.startswith(SCHEME)


def endpoint() -> str | None:
    """Where the storage is, if it is not AWS's."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def delta_options() -> dict[str, str]:
    """`storage_options` of deltalake, which looks into the environment itself."""
    options, address = {"max_retries": str(ATTEMPTS)}, endpoint()
    if address is not None:
        options["AWS_ENDPOINT_URL"] = address
        options["AWS_ALLOW_HTTP"] = str(address.startswith("http://"))
    return options


class Stored:
    """One object, or all below a prefix, as they were when they were copied."""

    def __init__(self, address: str, where: str) -> None:
        self._address = address
        self._where = f"{where}.path"
        self._key = address.removeprefix(SCHEME).rstrip("/")

    @cached_property
    def is_folder(self) -> bool:
        """Refused if nothing is there."""
        with self._explained():
            found = self._storage.get_file_info(self._key)
            if found.type == fs.FileType.NotFound:
                raise self._missing()
        return bool(found.type == fs.FileType.Directory)

    def check_folder(self) -> None:
        if not self.is_folder:
            raise Refusal(
                self._where,
                f"found one object, {self._address}",
                "wanted a folder",
                "Name the folder that it lies in.",
            )

    def check_file(self) -> None:
        if not self.is_folder:
            return
        with self._explained():
            names = sorted(info.base_name for info in self._below(recursive=False) if info.is_file)
        raise Refusal(
            self._where,
            f"found a folder, {self._address}",
            "wanted a file",
            f"Name a file in it{': ' if names else ''}{', '.join(names[:8])}.",
        )

    @cached_property
    def path(self) -> Path:
        """The copy: a file, or a folder."""
        folder = scratch_of(self, "stored") / PurePosixPath(self._key).name
        with self._explained():
            if not self.is_folder:
                self._tags = dict([self._copy(self._key, folder)])
                return folder
            objects = [info for info in self._below(recursive=True) if info.is_file]
            places = {info.path: folder / self._inside(info.path) for info in objects}
            with ThreadPoolExecutor(AT_ONCE) as pool:
                copies = pool.map(self._copy, places.keys(), places.values())
                self._tags = {}
                for number, (key, tag) in enumerate(copies, 1):
                    self._tags[key] = tag
                    report("ingest", number, len(objects), f"copying {self._address}")
        folder.mkdir(exist_ok=True)
        return folder

    def is_unchanged(self) -> bool:
        """Whether the storage still holds what was copied."""
        with self._explained():
            if not self.is_folder:
                keys = [self._key]
            else:
                keys = [info.path for info in self._below(recursive=True) if info.is_file]
            if keys != list(self._tags):
                return False
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return list(pool.map(self._tag, keys)) == list(self._tags.values())

    @cached_property
    def _storage(self) -> fs.S3FileSystem:
        scheme, _, host = (endpoint() or "").rpartition("://")
        return fs.S3FileSystem(
            endpoint_override=host or None,
            scheme=scheme or None,
            anonymous=os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("true", "1"),
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            connect_timeout=PATIENCE,
            request_timeout=PATIENCE,
        )

    def _below(self, recursive: bool) -> list[fs.FileInfo]:
        return sorted(
            self._storage.get_file_info(fs.FileSelector(self._key, recursive=recursive)),
            key=lambda info: info.path,
        )

    def _inside(self, key: str) -> PurePosixPath:
        """A key may hold anything; none of it may lead out of the folder."""
        inside = PurePosixPath(key.removeprefix(f"{self._key}/"))
        if inside.is_absolute() or ".." in inside.parts:
            raise Refusal(
                self._where,
                f"found an object named {key}",
                "wanted names that can be those of files",
                "Rename the object.",
            )
        return inside

    def _copy(self, key: str, path: Path) -> tuple[str, bytes]:
        """The object's key and its tag, which is another one as soon as it is written again."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._storage.open_input_file(key) as stored, path.open("wb") as file:
            size = stored.size()
            while portion := stored.read(PORTION):
                file.write(portion)
                if not self.is_folder:
                    report("ingest", file.tell(), size, f"copying {self._address}")
            if file.tell() != size:
                raise ConnectionError(f"{key}: {file.tell()} of {size} bytes came")
            return key, stored.metadata()["ETag"]

    def _tag(self, key: str) -> bytes:
        with self._storage.open_input_file(key) as stored:
            tag: bytes = stored.metadata()["ETag"]
            return tag

    def _missing(self) -> Refusal:
        folder, _, name = self._key.rpartition("/")
        bucket = self._key.split("/")[0]
        if not folder or self._storage.get_file_info(bucket).type == fs.FileType.NotFound:
            at = endpoint() or "AWS (AWS_ENDPOINT_URL is not set)"
            found, remedy = f"found no bucket {bucket} at {at}", "Correct the name or the endpoint."
        else:
            beside = fs.FileSelector(folder, allow_not_found=True)
            names = sorted(info.base_name for info in self._storage.get_file_info(beside))
            found = f"found nothing at {self._address}"
            remedy = f"{suggestion(name, names)} (in {SCHEME}{folder})"
        return Refusal(self._where, found, "wanted an object that is there", remedy)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What may not be read is refused; a storage that is away is a fault."""
        try:
            yield
        except FileNotFoundError as error:
            raise Refusal(
                self._where,
                f"found that an object of {self._address} went away while it was read",
                "wanted it to stay",
                "Run again once whoever writes it is done.",
            ) from error
        except OSError as error:
            if (denied := _DENIED.search(str(error))) is None:
                raise
            raise Refusal(
                self._where,
                f"found that {self._address} may not be read ({denied[1]})",
                "wanted the right to read it",
                "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; what is public "
                "is read with AWS_SKIP_SIGNATURE=true.",
            ) from error
