"""How often an address may fail to show who it is, before it is no longer listened to.

Owns the counting, in this process. Pure but for its own memory; time is passed in, in seconds.
"""

from ipaddress import ip_address, ip_network

from cachetools import LRUCache

#: So many failures …
MOST = 20
#: … within so many seconds.
WINDOW_S = 60.0
_ADDRESSES = 20_000


class Throttle:
    """Counts failures by address, in windows that begin with the first of them."""

    def __init__(self, most: int = MOST, window_s: float = WINDOW_S) -> None:
        self._most, self._window_s = most, window_s
        self._counts: LRUCache[str, tuple[float, int]] = LRUCache(_ADDRESSES)

    def wait_s(self, address: str, now: float) -> int:
        """How many seconds the address is still to wait; 0 where it is listened to."""
        began, count = self._counts.get(address, (now, 0))
        left = began + self._window_s - now
        return max(1, round(left)) if count >= self._most and left > 0 else 0

    def failed(self, address: str, now: float) -> None:
        """Count a failure."""
        began, count = self._counts.get(address, (now, 0))
        if now - began >= self._window_s:
            began, count = now, 0
        self._counts[address] = (began, count + 1)


def place_of(address: str) -> str:
    """What is counted as one address: an IPv4 address, or the /64 that an IPv6 customer is given."""
    try:
        read = ip_address(address)
    except ValueError:
        return "unknown"
    if read.version == 4:
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(ip_network((read, 64), strict=False))
