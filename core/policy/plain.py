"""Helpdesk English from stored records: the judgement and disposition dictionaries and nothing else."""

from __future__ import annotations

from typing import Any

from mxward.core.policy.words import ACTION_WORDS, VERDICT_WORDS, list_words, reasons
from mxward.core.verdict import Hit


def describe(judgement: dict[str, Any], disposition: dict[str, Any]) -> str:
    """Why a recipient got this disposition, in two to four sentences.

    Args: judgement: Verdict.to_dict(); disposition: Disposition.to_dict(). Either may be empty or come from an
    older version: what is missing is left out.
    """
    sentence = str(disposition.get("sentence") or _sentence(judgement, disposition))
    parts = [sentence, str(disposition.get("counterfactual") or "")]
    parts.append(_unseen(judgement))
    return " ".join(part for part in parts if part)


def _sentence(judgement: dict[str, Any], disposition: dict[str, Any]) -> str:
    action = ACTION_WORDS.get(str(disposition.get("action", "")), "")
    action = action.format(argument=disposition.get("argument", ""))
    name = str(judgement.get("verdict", ""))
    if not name:
        return action or "Nothing is recorded about this message."
    why = reasons(_hits(judgement))
    verdict = f"It was judged {VERDICT_WORDS.get(name, name)} (score {judgement.get('score', 0):g})"
    return f"{action} {verdict}{f' because it {why}' if why else ''}.".strip()


def _hits(judgement: dict[str, Any]) -> list[Hit]:
    found = []
    for row in judgement.get("hits", ()):
        try:
            found.append(Hit.from_dict(row))
        except (KeyError, TypeError):
            continue  # a record of another version: the rest still explains
    return found


def _unseen(judgement: dict[str, Any]) -> str:
    reasons_seen = list(dict.fromkeys(str(n.get("reason", "")) for n in judgement.get("not_inspected", ())))
    if not reasons_seen:
        return ""
    return f"Part of it could not be inspected ({list_words(reasons_seen)})."
