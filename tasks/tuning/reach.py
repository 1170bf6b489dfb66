"""Whether the cluster that a charter names can be had; asked before anything is computed."""

from __future__ import annotations

import socket
from importlib.util import find_spec
from urllib.parse import urlsplit

from charter import Charter, Refusal

WHERE = "charter.constraints.cluster"
SECONDS = 5.0
"""How long a scheduler has to answer."""


def reach(charter: Charter) -> None:
    """Raises a Refusal where a cluster is named and Dask is not installed or no scheduler answers."""
    address = charter.constraints.cluster
    if address is None:
        return
    if find_spec("distributed") is None:
        raise Refusal(
            WHERE,
            f"found {address}, and no package `distributed` here",
            "wanted it, to speak with Dask",
            "Install perennial[cluster], here and on the workers.",
        )
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), SECONDS).close()
    except OSError as error:
        raise unreachable(address, str(error)) from None


def unreachable(address: str, why: str) -> Refusal:
    return Refusal(
        WHERE,
        f"found no Dask scheduler at {address} ({why})",
        "wanted one that answers",
        "Start it (`dask scheduler`, `dask worker ADDRESS --nthreads 4`), correct the address, "
        "or take the clause out: trials then run on this machine.",
    )
