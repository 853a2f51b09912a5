"""Malformations that the parser found, as hits. The names and what each exploits: docs/anomalies.md.

A malformation that honest software makes too weighs little; one that only serves to show different content to
scanner and reader weighs more. That readers would disagree is a hit of its own, MIME_AMBIGUOUS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mxward.core.limits import MAX_EVIDENCE
from mxward.core.message import Message
from mxward.core.verdict import Evidence, Hit

DEFAULT_WEIGHT: Final = 0.1
AMBIGUOUS_WEIGHT: Final = 1.0
# by code; what is not listed weighs DEFAULT_WEIGHT
WEIGHTS: Final[dict[str, float]] = {
    "nul_byte": 1.0, "blank_fold_hides_field": 2.0, "space_before_mime_colon": 2.0, "junk_hides_field": 2.0,
    "field_in_fold": 2.0, "double_colon": 2.0, "missing_colon": 2.0, "control_before_name": 2.0,
    "bare_cr_structure": 2.0, "duplicate_content_type": 1.5, "duplicate_encoding": 1.5, "duplicate_boundary": 2.5,
    "boundary_syntax": 1.5, "boundary_rfc2231": 1.5, "boundary_empty": 1.5, "boundary_nested_same": 1.5,
    "encoded_multipart": 1.5, "undeclared_multipart": 1.0, "mime_in_preamble": 1.0, "mime_in_epilogue": 1.0,
    "encoding_syntax": 1.0, "encoding_unusual": 1.0, "base64_junk_ambiguous": 1.5, "base64_inner_padding": 1.0,
    "qp_ambiguous": 0.5, "name_conflict": 1.0, "message_partial": 3.0, "message_external_body": 2.0,
    "too_many_parts": 3.0, "too_deep": 3.0, "too_many_readings": 3.0, "decode_budget": 3.0, "header_too_long": 3.0,
    "duplicate_field": 0.3, "raw_8bit_header": 1.5, "mbox_from_line": 0.0, "missing_close": 0.2,
}  # fmt: skip


class AnomalyDetector:
    """One hit for each kind of malformation, and one when readers would disagree. Immutable."""

    name = "anomaly"
    packs: tuple[str, ...] = ()

    def detect(self, message: Message) -> Iterable[Hit]:
        """Hits named MIME_ and the code in capitals, with the places of the first few."""
        mime = message.mime
        if mime is None or not mime.anomalies:
            return ()
        places: dict[str, list[Evidence]] = {}
        for code, part, offset in mime.anomalies:
            found = places.setdefault(code, [])
            if len(found) < MAX_EVIDENCE:
                found.append(Evidence(part, "raw", offset, 0))
        hits = [_hit(code, found) for code, found in places.items()]
        if mime.is_ambiguous:
            detail = "is built so that mail programs disagree about what it contains"
            hits.append(Hit("MIME_AMBIGUOUS", "anomaly", AMBIGUOUS_WEIGHT, self.name, detail=detail))
        return hits


def _hit(code: str, places: list[Evidence]) -> Hit:
    detail = f"is malformed: {code.replace('_', ' ')}"
    weight = WEIGHTS.get(code, DEFAULT_WEIGHT)
    return Hit(f"MIME_{code.upper()}", "anomaly", weight, "anomaly", detail=detail, evidence=tuple(places))
