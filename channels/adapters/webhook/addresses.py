"""Which addresses a partner may give us: public ones only. Pure, apart from asking the resolver."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

# Global by their number, and still inside somebody's house: metadata of clouds, and ways to write an inner address.
_INNER: Final = tuple(
    ip_network(text)
    for text in ("168.63.129.16/32", "192.0.0.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_COMPATIBLE: Final = IPv6Network("::/96")


class Forbidden(Exception):
    """An address that we do not call."""


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open Internet, however it is written."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _COMPATIBLE:
            return False
    if any(address in network for network in _INNER if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def resolve(host: str, port: int, *, allow_loopback: bool) -> str:
    """Return the one address to connect to; raises ``Forbidden`` if any address of the host is not public.

    What was checked is what is called: the name is not asked for again. Raises ``OSError`` for an unknown host.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses: Sequence[Address] = [ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
    for address in addresses:
        if not (is_public(address) or (allow_loopback and address.is_loopback)):
            raise Forbidden(str(address))
    return str(addresses[0])
