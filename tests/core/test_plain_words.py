"""core/policy/plain and words: helpdesk English from stored dictionaries alone; core/plugin: the promised names."""

from __future__ import annotations

import json

import pytest

from mxtest import mailkit
from mxward.core import plugin
from mxward.core.pipeline import PLUGIN_GROUP, load_pipeline
from mxward.core.policy.plain import describe
from mxward.core.policy.words import list_words


def test_a_whole_explanation_from_what_is_stored() -> None:
    message = load_pipeline(None, ["trust.example"]).judge(
        mailkit.with_attachment("invoice.pdf.exe", b"MZ" + bytes(70)), mailkit.envelope()
    )
    assert message.verdict is not None
    judgement = json.loads(json.dumps(message.verdict.to_dict()))
    disposition = json.loads(json.dumps(message.dispositions[0].to_dict()))
    assert describe(judgement, disposition) == (
        "The message was put in quarantine (area policy). The policy rule quarantine-attachment (kinds of attachment "
        "that staff never need are kept apart) applied. It was judged against the rules for attachments and content "
        "(score 12) because it carries a Windows program and has a harmless extension before an active one in a name. "
        "It would have been delivered if it had not been found that it carries a Windows program."
    )


@pytest.mark.parametrize(
    ("judgement", "disposition", "text"),
    [
        ({}, {}, "Nothing is recorded about this message."),
        ({}, {"action": "hold", "argument": "x"}, "The message was held for a decision (area x)."),
        (
            {"verdict": "spam", "score": 7.5, "hits": [{"name": "A"}, 3,
             {"name": "B", "category": "spam", "weight": 7.5, "detail": "sells pills"}]},
            {"action": "quarantine", "argument": "spam"},
            "The message was put in quarantine (area spam). It was judged spam (score 7.5) because it sells pills.",
        ),
        (
            {"verdict": "clean", "not_inspected": [{"reason": "encrypted"}, {"reason": "encrypted"}]},
            {"sentence": "It was held."},
            "It was held. Part of it could not be inspected (encrypted).",
        ),
    ],
)  # fmt: skip
def test_old_and_broken_records_are_still_explained(
    judgement: dict[str, object], disposition: dict[str, object], text: str
) -> None:
    assert describe(judgement, disposition) == text


def test_list_words() -> None:
    assert [list_words(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_plugin_face_is_small_and_complete() -> None:
    assert len(plugin.__all__) <= 15
    assert all(hasattr(plugin, name) for name in plugin.__all__)
    assert (plugin.__doc__ or "").count(PLUGIN_GROUP) >= 2
