"""A small real DNS server on loopback (UDP), answering what the test says."""

from __future__ import annotations

import asyncio
from collections import Counter

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

NXDOMAIN, SERVFAIL, REFUSED = dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.REFUSED


class DnsBox(asyncio.DatagramProtocol):
    """`zone` maps (name, type) to a list of record texts, a response code, b"..." for raw bytes, or None: silence.

    A name that has no entry at all does not exist; one that has entries of other types has no data.
    """

    def __init__(self, zone: dict[tuple[str, str], list[str] | int | bytes | None], ttl: int = 60) -> None:
        self.zone, self.ttl = zone, ttl
        self.asked: Counter[tuple[str, str]] = Counter()

    async def __aenter__(self) -> DnsBox:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self._transport.get_extra_info('sockname')[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        answer = self._answer(query, name, kind)
        if answer is not None:
            self._transport.sendto(answer, addr)

    def _answer(self, query: dns.message.Message, name: str, kind: str) -> bytes | None:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        for _ in range(8):
            found = self.zone.get((name, kind), [])
            alias = self.zone.get((name, "CNAME"))
            if not isinstance(alias, list) or kind == "CNAME":
                break
            response.answer.append(dns.rrset.from_text(f"{name}.", self.ttl, "IN", "CNAME", *alias))
            name = alias[0].rstrip(".")
        if found is None:
            return None
        if isinstance(found, bytes):
            return query.to_wire()[:2] + found
        if isinstance(found, int):
            response.set_rcode(dns.rcode.Rcode(found))
        elif found:
            response.answer.append(dns.rrset.from_text(f"{name}.", self.ttl, "IN", kind, *found))
        elif not any(known == name for known, _ in self.zone):
            response.set_rcode(NXDOMAIN)
        return response.to_wire()
